//! `serve`, `check`, `control` and `verify`: what an operator runs.

use super::args::{Check, Config, Control, Remote, Verify};
use super::out::{self, Failure};
use super::team::Team;
use bellwether::clock::SystemClock;
use bellwether::grpc::client::{self, ClientError};
use bellwether::proto::v1;
use bellwether::{config, server};
use serde::Serialize;
use std::sync::Arc;
use std::time::Duration;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// Serves until interrupted; on SIGHUP reads the configuration anew. A second interruption ends at once.
pub(crate) async fn serve(arguments: &Config) -> Result<(), Failure> {
    let params = load(arguments)?;
    let scheme = match params.server.tls {
        Some(_) => "https",
        None => "http",
    };
    // Heard from here on: one that comes while it starts is not lost.
    let (mut again, mut ended) = (signal(SignalKind::hangup())?, Ended::new()?);
    let mut running = server::start(params, Arc::new(SystemClock)).await?;
    out::line(&format!(
        "bellwether serves on {scheme}://{}; stop with Ctrl-C",
        running.address()
    ))?;
    if let Some(address) = running.admin_address() {
        out::line(&format!("administration on {scheme}://{address}"))?;
    }
    if let Some(address) = running.http_address() {
        let line = format!("for OpenAI's SDKs: base URL {scheme}://{address}/v1");
        out::line(&line)?;
    }
    loop {
        tokio::select! {
            () = ended.next() => break,
            _ = again.recv() => if let Err(error) = reload(arguments, &mut running) {
                tracing::error!(%error, "what became of the configuration could not be written");
            },
        }
    }
    tokio::select! {
        stopped = running.stop() => Ok(stopped?),
        () = ended.next() => Err("interrupted again: ended before calls at work were finished".into()),
    }
}

/// Reads the configuration anew; one with problems changes nothing.
fn reload(arguments: &Config, running: &mut server::Running) -> Result<(), Failure> {
    let loaded = tokio::task::block_in_place(|| config::load(&arguments.config));
    let said = match loaded {
        Ok(params) => running.reload(&params).to_string(),
        Err(problems) => {
            for problem in &problems {
                tracing::error!(%problem, "the configuration is not valid: nothing is changed");
            }
            format!("nothing is changed: {}", config::render(&problems))
        }
    };
    out::line(&format!("configuration read anew: {said}"))
}

/// The signals that end a server, heard from when this is made: Ctrl-C, or a service manager's polite one.
pub(super) struct Ended {
    interrupted: Signal,
    terminated: Signal,
}

impl Ended {
    pub(super) fn new() -> std::io::Result<Self> {
        Ok(Self {
            interrupted: signal(SignalKind::interrupt())?,
            terminated: signal(SignalKind::terminate())?,
        })
    }

    /// Waits for the next one.
    pub(super) async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupted.recv() => {}
            _ = self.terminated.recv() => {}
        }
    }
}

pub(super) fn load(arguments: &Config) -> Result<config::Params, Failure> {
    config::load(&arguments.config).map_err(|problems| config::render(&problems).into())
}

#[derive(Serialize)]
struct Checked {
    valid: bool,
    problems: Vec<String>,
}

/// Reports everything that is wrong with a configuration.
pub(crate) fn check(arguments: &Check) -> Result<(), Failure> {
    let problems = match config::load(&arguments.config.config) {
        Ok(_) => Vec::new(),
        Err(problems) => problems,
    };
    let listed = problems.iter().map(ToString::to_string).collect();
    let checked = Checked {
        valid: problems.is_empty(),
        problems: listed,
    };
    let path = arguments.config.config.display();
    let text = match problems.as_slice() {
        [] => format!("{path} is valid"),
        problems => config::render(problems),
    };
    out::write(arguments.format, &checked, &text)?;
    if problems.is_empty() {
        Ok(())
    } else {
        Err("the configuration is not valid".into())
    }
}

/// How often, and after what pause each, a lifted guard is looked for before what there is is shown.
const LIFT_LOOKS: u32 = 50;
const LIFT_PAUSE: Duration = Duration::from_millis(40);

/// Sets a team's pin and freeze, and shows its state.
pub(crate) async fn control(arguments: &Control) -> Result<(), Failure> {
    let Remote { addr, key, tls } = &arguments.remote;
    let mut admin = client::admin_with(addr, key.as_deref(), &tls.trust()).await?;
    let team = arguments.team.clone();
    let controls = arguments.lift || arguments.freeze || arguments.pin.is_some();
    if controls || arguments.lift_guard {
        let control = v1::Control {
            pinned_arm: arguments.pin.clone().unwrap_or_default(),
            frozen: arguments.freeze,
        };
        let request = v1::SetControlRequest {
            team: team.clone(),
            control: Some(control).filter(|_| controls),
            lift_guard: arguments.lift_guard,
        };
        admin
            .set_control(request)
            .await
            .map_err(ClientError::from)?;
    }
    let mut state = team_state(&mut admin, &team).await?;
    if arguments.lift_guard {
        // What is shown is what the learner has come to: not before it has read of this.
        let lifted = state.journal_sequence;
        for _ in 0..LIFT_LOOKS {
            if state.snapshot_version >= lifted {
                break;
            }
            tokio::time::sleep(LIFT_PAUSE).await;
            state = team_state(&mut admin, &team).await?;
        }
    }
    let state = Team::of(team, state);
    out::write(arguments.format, &state, &state.text())
}

async fn team_state(
    admin: &mut client::Admin,
    team: &str,
) -> Result<v1::GetTeamResponse, ClientError> {
    let team = team.to_owned();
    let response = admin.get_team(v1::GetTeamRequest { team }).await?;
    Ok(response.into_inner())
}

#[derive(Serialize)]
struct Verified {
    records: u64,
    rebuilt_xxh3: String,
    running_xxh3: String,
    identical: bool,
}

/// Rebuilds the learner from the journal alone and compares it, bit by bit, with the one from the
/// checkpoint.
pub(crate) fn verify(arguments: &Verify) -> Result<(), Failure> {
    let params = load(&arguments.config)?;
    let clock = SystemClock;
    let opened = server::open(&params, &clock)?;
    let rebuilt = server::rebuild(&opened)?;
    let (Some(from_journal), Some(running)) = (
        rebuilt.checkpoint_bytes(),
        opened.follower.checkpoint_bytes(),
    ) else {
        return Err("the learner cannot be encoded, so it cannot be compared".into());
    };
    let bytes = [from_journal, running];
    let [from_journal, from_checkpoint] = bytes
        .each_ref()
        .map(|b| format!("{:032x}", xxhash_rust::xxh3::xxh3_128(b)));
    let verified = Verified {
        records: rebuilt.learner().sequence(),
        identical: bytes[0] == bytes[1],
        rebuilt_xxh3: from_journal,
        running_xxh3: from_checkpoint,
    };
    let text = format!(
        "{} records; learner rebuilt from the journal {}, from checkpoint and journal {}: {}",
        verified.records,
        verified.rebuilt_xxh3,
        verified.running_xxh3,
        if verified.identical {
            "the same bits"
        } else {
            "DIFFERENT"
        }
    );
    out::write(arguments.format, &verified, &text)?;
    if verified.identical {
        Ok(())
    } else {
        Err("the learner differs from its rebuild".into())
    }
}
