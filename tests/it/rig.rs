//! A whole server in a temporary directory, and callers that speak to it over a socket.
//!
//! Teams `coding` and `support` on the shipped scorecards, `vector` with embeddings of its own, three
//! simulated arms. Waiting is for events, each with a limit that only a fault can reach.

use bellwether::clock::{Clock, SystemClock};
use bellwether::config::Params;
use bellwether::grpc::client::{self, Keyed};
use bellwether::learn::Published;
use bellwether::proto::v1::{
    self, admin_service_client::AdminServiceClient, feedback_result,
    feedback_service_client::FeedbackServiceClient, router_service_client::RouterServiceClient,
    signal::Kind, signal_value::Value,
};
use bellwether::server::{self, Opened, Running};
use bellwether::{config, store};
use sha2::{Digest, Sha256};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tempfile::TempDir;
use tonic::{Code, Status};
use tonic_types::StatusExt;

/// Key of team `coding` for everything.
pub(crate) const CODING: &str = "k-coding";
/// Key of team `coding` for routing alone.
pub(crate) const NARROW: &str = "k-narrow";
/// Key of team `support` for everything.
pub(crate) const SUPPORT: &str = "k-support";
/// Key of team `vector`, whose requests bring embeddings of 64 numbers.
pub(crate) const VECTOR: &str = "k-vector";

/// Longest wait for an event of a healthy server.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Waits for an event.
pub(crate) async fn within<T>(what: &str, event: impl Future<Output = T>) -> T {
    let result = tokio::time::timeout(LIMIT, event).await;
    result.unwrap_or_else(|_| panic!("not within {LIMIT:?}: {what}"))
}

/// A key in the configuration.
pub(crate) fn key(name: &str, secret: &str, team: &str, scopes: &str) -> String {
    let hash: String = Sha256::digest(secret)
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    format!(
        "[[keys]]\nname = \"{name}\"\nsha256 = \"{hash}\"\nteam = \"{team}\"\nscopes = [{scopes}]\n"
    )
}

/// A simulated arm in the configuration, with its endpoint and price in USD a million input tokens.
pub(crate) fn arm(name: &str, price: f64) -> String {
    format!(
        r#"[[arms]]
name = "{name}"
capabilities = ["tools"]
context_tokens = 100_000
[[endpoints]]
name = "{name}-eu"
arm = "{name}"
provider = "simulated"
model = "{name}-1"
region = "eu"
output_tokens = 20
prices = [{{ input_usd_per_million = {price}, output_usd_per_million = {} }}]
"#,
        price * 4.0
    )
}

/// Writes a configuration with three simulated arms into `dir`; its path.
pub(crate) fn write_config(dir: &Path, durability: &str) -> PathBuf {
    let arms = [("small", 0.1), ("medium", 1.0), ("large", 5.0)];
    write_config_with(
        dir,
        durability,
        &arms.map(|(name, price)| arm(name, price)).concat(),
    )
}

/// As [`write_config`], with these arms and endpoints.
pub(crate) fn write_config_with(dir: &Path, durability: &str, arms: &str) -> PathBuf {
    let scorecards = Path::new(env!("CARGO_MANIFEST_DIR")).join("evals/scorecards");
    let all = r#""route", "complete", "feedback", "replay", "admin""#;
    let mut text = format!(
        "[server]\nlisten = \"127.0.0.1:0\"\n\
         [store]\ndir = \"state\"\ndurability = \"{durability}\"\nsegment_mib = 1\n"
    );
    for (team, scorecard, more) in [
        ("coding", "coding", ""),
        ("support", "support", "recording = \"full\"\n"),
        ("vector", "support", "embedding_length = 64\n"),
    ] {
        let scorecard = scorecards.join(format!("{scorecard}.toml"));
        text.push_str(&format!(
            "[[teams]]\nname = \"{team}\"\nscorecard = '{}'\n{more}",
            scorecard.display()
        ));
    }
    text.push_str(&key("coding-all", CODING, "coding", all));
    text.push_str(&key("coding-route", NARROW, "coding", "\"route\""));
    text.push_str(&key("support-all", SUPPORT, "support", all));
    text.push_str(&key("vector-all", VECTOR, "vector", all));
    text.push_str(arms);
    let path = dir.join("bellwether.toml");
    std::fs::write(&path, text).expect("written");
    path
}

/// A directory with a configuration.
pub(crate) fn configured(durability: &str) -> (TempDir, Params) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = write_config(dir.path(), durability);
    (dir, loaded(&path))
}

/// As [`configured`], with these arms and endpoints.
pub(crate) fn configured_with(durability: &str, arms: &str) -> (TempDir, Params) {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let path = write_config_with(dir.path(), durability, arms);
    (dir, loaded(&path))
}

fn loaded(path: &Path) -> Params {
    config::load(path).unwrap_or_else(|p| panic!("{}", config::render(&p)))
}

/// A server at work.
pub(crate) struct Rig {
    pub(crate) params: Params,
    dir: TempDir,
    published: Arc<Published>,
    running: Running,
}

impl Rig {
    /// A new server on an empty directory.
    pub(crate) async fn start() -> Self {
        let (dir, params) = configured("group");
        let opened = server::open(&params, &SystemClock).expect("opened");
        Self::serve(dir, params, opened).await
    }

    /// A new server whose journal is on a disk of the caller's.
    pub(crate) async fn start_on(disk: Arc<dyn store::Disk>, dir: TempDir, params: Params) -> Self {
        let opened = server::open_on(disk, &params, &SystemClock).expect("opened");
        Self::serve(dir, params, opened).await
    }

    /// A server on a state that was opened.
    pub(crate) async fn serve(dir: TempDir, params: Params, opened: Opened) -> Self {
        Self::serve_at(dir, params, opened, Arc::new(SystemClock)).await
    }

    /// As [`Rig::serve`], at the time of a clock of the caller's.
    pub(crate) async fn serve_at(
        dir: TempDir,
        params: Params,
        opened: Opened,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let published = opened.follower.published();
        let running = server::serve(opened, params.clone(), clock);
        Self {
            running: running.await.expect("served"),
            params,
            dir,
            published,
        }
    }

    /// Reads another configuration while it serves.
    pub(crate) fn reload(&mut self, params: &Params) -> server::Reloaded {
        self.running.reload(params)
    }

    /// Drains and stops; what it left can be opened.
    pub(crate) async fn stop(self) -> (TempDir, Params) {
        within("the end of the server", self.running.stop())
            .await
            .expect("a clean end");
        (self.dir, self.params)
    }

    /// Ends a server whose disk has died under it.
    pub(crate) async fn abandon(self) -> (TempDir, Params) {
        // What it says of its dead disk is of no use to anyone.
        let _ = within("the end of the server", self.running.stop()).await;
        (self.dir, self.params)
    }

    /// Stops, and starts on what was left.
    pub(crate) async fn restart(self) -> Self {
        let (dir, params) = self.stop().await;
        let opened = server::open(&params, &SystemClock).expect("opened again");
        Self::serve(dir, params, opened).await
    }

    /// Where the OpenAI-compatible door is.
    pub(crate) fn http_address(&self) -> std::net::SocketAddr {
        self.running.http_address().expect("a door")
    }

    /// Where metrics are read.
    pub(crate) fn metrics_address(&self) -> std::net::SocketAddr {
        self.running.metrics_address().expect("a listener")
    }

    pub(crate) fn address(&self) -> String {
        format!("http://{}", self.running.address())
    }

    /// A caller with a key.
    pub(crate) async fn caller(&self, key: &str) -> Caller {
        Caller::connect(&self.address(), Some(key)).await
    }

    /// Waits until everything in the journal has been learned.
    pub(crate) async fn learned(&self) {
        let mut caller = self.caller(CODING).await;
        let newest = caller.team("coding").await.journal_sequence;
        let newest = u64::try_from(newest).expect("a count");
        within("the learner", self.published.reached(newest)).await;
    }
}

/// All clients of one key, over one connection.
#[derive(Clone)]
pub(crate) struct Caller {
    pub(crate) router: RouterServiceClient<Keyed>,
    pub(crate) feedback: FeedbackServiceClient<Keyed>,
    pub(crate) admin: AdminServiceClient<Keyed>,
}

impl Caller {
    pub(crate) async fn connect(address: &str, key: Option<&str>) -> Self {
        let channel = client::connect(address, key).await.expect("connected");
        Self {
            router: RouterServiceClient::new(channel.clone()),
            feedback: FeedbackServiceClient::new(channel.clone()),
            admin: AdminServiceClient::new(channel),
        }
    }

    /// A decision, or why not.
    pub(crate) async fn ask(
        &mut self,
        request: v1::RouteRequest,
    ) -> Result<v1::RouteResponse, Status> {
        let reply = self.router.route(request).await;
        reply.map(tonic::Response::into_inner)
    }

    /// A decision about a task.
    pub(crate) async fn route(&mut self, task: &str) -> v1::RouteResponse {
        self.ask(about(task)).await.expect("routed")
    }

    /// What became of one item of feedback.
    pub(crate) async fn submit(
        &mut self,
        item: v1::Feedback,
        dry_run: bool,
    ) -> Result<v1::FeedbackResult, Status> {
        let items = vec![item];
        let request = v1::SubmitFeedbackRequest { items, dry_run };
        let reply = self.feedback.submit_feedback(request).await?;
        Ok(reply.into_inner().results.remove(0))
    }

    /// Gives one signal of a decision, and is heard.
    pub(crate) async fn tell(&mut self, decision: &str, signal: v1::Signal) {
        let result = self.submit(item(decision, vec![signal]), false).await;
        let result = result.expect("submitted");
        assert_eq!(
            result.status(),
            feedback_result::Status::Accepted,
            "{result:?}"
        );
    }

    /// A decision with all that followed.
    pub(crate) async fn decision(&mut self, id: &str) -> Result<v1::DecisionRecord, Status> {
        let decision_id = id.to_owned();
        let request = v1::GetDecisionRequest { decision_id };
        let reply = self.router.get_decision(request).await?;
        Ok(reply.into_inner().decision.expect("a decision"))
    }

    /// The state of a team.
    pub(crate) async fn team(&mut self, team: &str) -> v1::GetTeamResponse {
        let team = team.to_owned();
        let reply = self.admin.get_team(v1::GetTeamRequest { team }).await;
        reply.expect("a team").into_inner()
    }

    /// Sets the pin and the freeze of team `coding`.
    pub(crate) async fn control(&mut self, pinned_arm: &str, frozen: bool) {
        let control = v1::Control {
            pinned_arm: pinned_arm.to_owned(),
            frozen,
        };
        let request = v1::SetControlRequest {
            team: "coding".to_owned(),
            control: Some(control),
            lift_guard: false,
        };
        self.admin.set_control(request).await.expect("set");
    }
}

/// A request about a task and nothing else.
pub(crate) fn about(task: &str) -> v1::RouteRequest {
    let context = v1::RequestContext {
        task: Some(task.to_owned()),
        ..Default::default()
    };
    v1::RouteRequest {
        context: Some(context),
        ..Default::default()
    }
}

/// As [`about`], within an episode.
pub(crate) fn within_episode(task: &str, episode: &str) -> v1::RouteRequest {
    let mut request = about(task);
    if let Some(context) = &mut request.context {
        context.episode_id = Some(episode.to_owned());
    }
    request
}

/// A message of a person.
pub(crate) fn said(text: &str) -> v1::Message {
    let part = v1::content_part::Part::Text(text.to_owned());
    v1::Message {
        role: v1::Role::User.into(),
        content: vec![v1::ContentPart { part: Some(part) }],
        ..Default::default()
    }
}

/// A signal of a kind; without a value it is a retraction.
pub(crate) fn signal(name: &str, value: Option<Value>, kind: Kind) -> v1::Signal {
    v1::Signal {
        name: name.to_owned(),
        value: value.map(|value| v1::SignalValue { value: Some(value) }),
        kind: kind.into(),
    }
}

/// Whether the tests passed.
pub(crate) fn passed(flag: bool) -> v1::Signal {
    signal("tests_passed", Some(Value::Flag(flag)), Kind::Observed)
}

/// Feedback about a decision.
pub(crate) fn item(decision: &str, signals: Vec<v1::Signal>) -> v1::Feedback {
    v1::Feedback {
        subject: Some(v1::feedback::Subject::DecisionId(decision.to_owned())),
        signals,
        ..Default::default()
    }
}

/// What a reply said when its request id was first used: all of a repeat but the word that it is one.
pub(crate) fn as_first(reply: v1::RouteResponse) -> v1::RouteResponse {
    v1::RouteResponse {
        repeated: false,
        ..reply
    }
}

/// Code and reason of a refusal.
pub(crate) fn refusal<T: std::fmt::Debug>(result: Result<T, Status>) -> (Code, String) {
    let status = result.expect_err("refused");
    let info = status.get_details_error_info();
    let reason = info.map_or_else(|| format!("no reason: {status}"), |info| info.reason);
    (status.code(), reason)
}
