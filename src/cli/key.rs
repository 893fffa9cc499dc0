//! `key`: a team's keys on a running server.
//!
//! Invariants: a key is written to standard output and nowhere else, and only by the command that made it.

use super::args::{Create, Format, Key, Of, Remote, Revoke, Rotate, Scope};
use super::out::{self, Failure};
use bellwether::clock::{Clock, SystemClock};
use bellwether::config;
use bellwether::grpc::client::{self, Admin, ClientError};
use bellwether::proto::v1;
use serde::Serialize;
use std::fmt::Write;

/// Keys asked for at once.
const PAGE: i32 = 1000;

/// Does what is asked.
pub(crate) async fn key(asked: &Key) -> Result<(), Failure> {
    match asked {
        Key::Create(create) => self::create(create).await,
        Key::List(list) => self::list(&list.of).await,
        Key::Rotate(rotate) => self::rotate(rotate).await,
        Key::Revoke(revoke) => self::revoke(revoke).await,
    }
}

async fn create(asked: &Create) -> Result<(), Failure> {
    let expire_time = asked.expires.as_deref().map(|text| {
        let time = config::time(text).map(client::timestamp);
        time.ok_or_else(|| {
            format!("--expires {text}: not a time: allowed 2027-01-01, or 2027-01-01T12:00:00Z")
        })
    });
    let request = v1::CreateKeyRequest {
        team: asked.of.team.clone(),
        name: asked.name.clone(),
        scopes: asked.scopes.iter().map(|s| scope(*s).into()).collect(),
        arms: asked.arms.clone(),
        endpoints: asked.endpoints.clone(),
        tasks: asked.tasks.clone(),
        networks: asked.networks.clone(),
        expire_time: expire_time.transpose()?,
    };
    let mut admin = connected(&asked.of.remote).await?;
    let made = admin.create_key(request).await.map_err(ClientError::from)?;
    let v1::CreateKeyResponse { key_text, key } = made.into_inner();
    told(asked.of.format, key_text, key)
}

async fn list(of: &Of) -> Result<(), Failure> {
    let mut admin = connected(&of.remote).await?;
    let (mut shown, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = v1::ListKeysRequest {
            team: of.team.clone(),
            page_size: PAGE,
            page_token,
        };
        let page = admin.list_keys(request).await.map_err(ClientError::from)?;
        let page = page.into_inner();
        shown.extend(page.keys.into_iter().map(Shown::of));
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    out::write(of.format, &shown, &table(&shown))
}

async fn rotate(asked: &Rotate) -> Result<(), Failure> {
    let request = v1::RotateKeyRequest {
        team: asked.of.team.clone(),
        name: asked.name.clone(),
        overlap_seconds: Some(i64::from(asked.overlap_hours) * 3600),
    };
    let mut admin = connected(&asked.of.remote).await?;
    let rotated = admin.rotate_key(request).await.map_err(ClientError::from)?;
    let v1::RotateKeyResponse { key_text, key } = rotated.into_inner();
    told(asked.of.format, key_text, key)
}

async fn revoke(asked: &Revoke) -> Result<(), Failure> {
    let request = v1::RevokeKeyRequest {
        team: asked.of.team.clone(),
        name: asked.name.clone(),
    };
    let mut admin = connected(&asked.of.remote).await?;
    let revoked = admin.revoke_key(request).await.map_err(ClientError::from)?;
    let shown = Shown::of(revoked.into_inner().key.unwrap_or_default());
    out::write(asked.of.format, &shown, &shown.line())
}

async fn connected(remote: &Remote) -> Result<Admin, ClientError> {
    client::admin_with(&remote.addr, remote.key.as_deref(), &remote.tls.trust()).await
}

/// A key that was made or rotated, as JSON.
#[derive(Serialize)]
struct Told {
    key_text: String,
    #[serde(flatten)]
    key: Shown,
}

/// The key alone on standard output, what is known of it on standard error; as JSON, both on standard output.
fn told(format: Format, key_text: String, key: Option<v1::Key>) -> Result<(), Failure> {
    let key = Shown::of(key.unwrap_or_default());
    if let Format::Text = format {
        eprintln!("{}", key.line());
        if let (prefix, Some(until)) = (&key.previous_prefix, &key.previous_expire_time) {
            eprintln!("the text before, bw_{prefix}_.., is good until {until}");
        }
        eprintln!("the key is shown this once, and kept nowhere:");
        return out::line(&key_text);
    }
    let told = Told { key_text, key };
    out::write(format, &told, "")
}

/// What is known of a key, as it is written out.
#[derive(Serialize)]
struct Shown {
    name: String,
    team: String,
    state: &'static str,
    scopes: Vec<&'static str>,
    arms: Vec<String>,
    endpoints: Vec<String>,
    tasks: Vec<String>,
    networks: Vec<String>,
    prefix: String,
    creator: String,
    create_time: Option<String>,
    expire_time: Option<String>,
    revoke_time: Option<String>,
    previous_prefix: String,
    previous_expire_time: Option<String>,
}

impl Shown {
    fn of(key: v1::Key) -> Self {
        let over = key.expire_time.as_ref().map(client::time);
        let over = over.is_some_and(|end| end <= SystemClock.now());
        let state = match (key.configured, &key.revoke_time) {
            (_, Some(_)) => "revoked",
            (_, None) if over => "ended",
            (true, None) => "configured",
            (false, None) => "made",
        };
        Self {
            scopes: key.scopes().map(word).collect(),
            name: key.name,
            team: key.team,
            state,
            arms: key.arms,
            endpoints: key.endpoints,
            tasks: key.tasks,
            networks: key.networks,
            prefix: key.prefix,
            creator: key.creator,
            create_time: key.create_time.map(|time| time.to_string()),
            expire_time: key.expire_time.map(|time| time.to_string()),
            revoke_time: key.revoke_time.map(|time| time.to_string()),
            previous_prefix: key.previous_prefix,
            previous_expire_time: key.previous_expire_time.map(|time| time.to_string()),
        }
    }

    /// All of it that is there, in one line.
    fn line(&self) -> String {
        let mut line = format!("key {} of team {}: {}", self.name, self.team, self.state);
        let mut add = |what: &str, text: &str| {
            if !text.is_empty() {
                // Writing to a String does not fail.
                let _ = write!(line, ", {what} {text}");
            }
        };
        let time = |time: &Option<String>| time.clone().unwrap_or_default();
        add("scopes", &self.scopes.join(" "));
        add("arms", &self.arms.join(" "));
        add("endpoints", &self.endpoints.join(" "));
        add("tasks", &self.tasks.join(" "));
        add("networks", &self.networks.join(" "));
        let prefix = match self.prefix.as_str() {
            "" => String::new(),
            prefix => format!("bw_{prefix}_"),
        };
        add("begins", &prefix);
        add("made by", &self.creator);
        add("made", &time(&self.create_time));
        add("ends", &time(&self.expire_time));
        add("revoked", &time(&self.revoke_time));
        line
    }
}

fn table(keys: &[Shown]) -> String {
    let row = |[name, state, begins, ends, scopes]: [&str; 5]| {
        format!("{name:<24} {state:<10} {begins:<12} {ends:<27} {scopes}\n")
    };
    let mut text = row(["name", "state", "begins", "ends", "may"]);
    for key in keys {
        let begins = match key.prefix.as_str() {
            "" => "-".to_owned(),
            prefix => format!("bw_{prefix}_"),
        };
        let ends = key.revoke_time.as_ref().or(key.expire_time.as_ref());
        let ends = ends.map_or("-", String::as_str);
        let mut may = key.scopes.join(" ");
        for (what, names) in [
            ("arms", &key.arms),
            ("endpoints", &key.endpoints),
            ("tasks", &key.tasks),
            ("from", &key.networks),
        ] {
            if !names.is_empty() {
                may += &format!("; {what} {}", names.join(" "));
            }
        }
        text += &row([&key.name, key.state, &begins, ends, &may]);
    }
    text
}

fn scope(scope: Scope) -> v1::Scope {
    match scope {
        Scope::Route => v1::Scope::Route,
        Scope::Complete => v1::Scope::Complete,
        Scope::Feedback => v1::Scope::Feedback,
        Scope::Replay => v1::Scope::Replay,
        Scope::Admin => v1::Scope::Admin,
    }
}

fn word(scope: v1::Scope) -> &'static str {
    match scope {
        v1::Scope::Route => "route",
        v1::Scope::Complete => "complete",
        v1::Scope::Feedback => "feedback",
        v1::Scope::Replay => "replay",
        v1::Scope::Admin => "admin",
        v1::Scope::Unspecified => "unknown",
    }
}
