//! The servers: two bare ones, and Bellwether in both modes of durability.

use crate::{Error, process};
use bellwether::clock::SystemClock;
use bellwether::proto::v1;
use bellwether::{config, server};
use std::fmt::Write as _;
use std::future::{Future, Ready, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tonic::body::Body;
use tonic::transport::server::TcpIncoming;
use tonic::{Request, Response, Status};

/// The key that callers send to every server.
pub(crate) const KEY: &str = "bench-key";
/// SHA-256 of [`KEY`].
const KEY_SHA256: &str = "b0962662e937d44c699c8305d90cbf190b3150c59b13863d1380b5cc3c711bb7";
/// The scorecard's signals: one group, since they close together.
pub(crate) const SIGNALS: [&str; 3] = ["tests_passed", "json_valid", "review_accepted"];
const ARMS: usize = 10;

/// Which server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Sends the request back.
    Echo,
    /// Sends a fixed reply.
    Canned,
    /// Bellwether, replying when the operating system has the decision.
    Group,
    /// Bellwether, replying when the disk has it.
    Sync,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Echo, Self::Canned, Self::Group, Self::Sync];

    /// Whether it is Bellwether.
    pub(crate) fn learns(self) -> bool {
        matches!(self, Self::Group | Self::Sync)
    }
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Echo => "echo",
            Self::Canned => "canned",
            Self::Group => "group",
            Self::Sync => "sync",
        })
    }
}

impl std::str::FromStr for Kind {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let found = Self::ALL.into_iter().find(|kind| kind.to_string() == text);
        found.ok_or_else(|| format!("no server is called {text}"))
    }
}

/// Serves on one thread until the input ends; prints the address first.
pub(crate) fn serve(kind: Kind) -> Result<(), Error> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let (ended, end) = oneshot::channel();
    std::thread::spawn(move || {
        process::wait_for_end_of_input();
        ended.send(())
    });
    match kind {
        Kind::Echo => runtime.block_on(bare(Unary(|request: v1::RouteRequest| request), end)),
        Kind::Canned => {
            let reply = canned();
            let unary = Unary(move |_: v1::RouteRequest| reply.clone());
            runtime.block_on(bare(unary, end))
        }
        Kind::Group => runtime.block_on(bellwether("group", end)),
        Kind::Sync => runtime.block_on(bellwether("sync", end)),
    }
}

async fn bellwether(durability: &str, end: oneshot::Receiver<()>) -> Result<(), Error> {
    let dir = tempfile::tempdir()?;
    let file = dir.path().join("bellwether.toml");
    std::fs::write(&file, configuration(durability))?;
    let params = config::load(&file).map_err(|problems| config::render(&problems))?;
    let running = server::start(params, Arc::new(SystemClock)).await?;
    println!("{}", running.address());
    let _ = end.await;
    Ok(running.stop().await?)
}

fn configuration(durability: &str) -> String {
    let mut text = format!(
        "[server]
listen = \"127.0.0.1:0\"
[store]
dir = \"state\"
durability = \"{durability}\"
[[keys]]
name = \"bench\"
sha256 = \"{KEY_SHA256}\"
team = \"bench\"
scopes = [\"route\", \"feedback\"]
[[teams]]
name = \"bench\"
scorecard_toml = '''
name = \"bench\"
quality_usd = 1.0
"
    );
    // Writing to a string has no way to fail.
    for signal in SIGNALS {
        let _ = write!(
            text,
            "[[signals]]
name = \"{signal}\"
kind = \"flag\"
weight = 1
closes_after_hours = 24
missing = \"unknown\"
"
        );
    }
    text.push_str("'''\n");
    for arm in 0..ARMS {
        let _ = write!(
            text,
            "[[arms]]
name = \"model-{arm}\"
context_tokens = 100_000
[[endpoints]]
name = \"endpoint-{arm}\"
arm = \"model-{arm}\"
provider = \"simulated\"
model = \"model-{arm}-2026\"
region = \"eu\"
[[endpoints.prices]]
input_usd_per_million = {price}
output_usd_per_million = {price}
",
            price = 1.0 + arm as f64
        );
    }
    text
}

/// A reply as large as `Route`'s.
fn canned() -> v1::RouteResponse {
    let endpoint = |arm: usize| v1::Endpoint {
        name: format!("endpoint-{arm}"),
        arm: format!("model-{arm}"),
        provider: "simulated".to_owned(),
        model: format!("model-{arm}-2026"),
        base_url: String::new(),
        region: "eu".to_owned(),
    };
    let signal = |name: &&str| v1::SignalEstimate {
        name: (*name).to_owned(),
        mean: 0.5,
        sd: 0.1,
    };
    let estimate = |arm: usize| v1::ArmEstimate {
        arm: format!("model-{arm}"),
        probability: 0.1,
        floor: 0.002,
        utility: 0.7,
        utility_sd: 0.1,
        signals: SIGNALS.iter().map(signal).collect(),
        cost_nano_usd: 330_000,
        latency_ms: None,
    };
    v1::RouteResponse {
        decision_id: "018bcfe5-6800-7001-8000-000037f07baa".to_owned(),
        arm: "model-3".to_owned(),
        endpoint: Some(endpoint(3)),
        fallbacks: (0..3).map(endpoint).collect(),
        propensity: 0.1,
        estimates: (0..ARMS).map(estimate).collect(),
        policy: "linear-thompson:v=0.05".to_owned(),
        scorecard_version: 1,
        snapshot_version: 100_000,
        feature_set: "text-1".to_owned(),
        ..Default::default()
    }
}

async fn bare<F, M>(unary: Unary<F>, end: oneshot::Receiver<()>) -> Result<(), Error>
where
    F: Fn(v1::RouteRequest) -> M + Clone + Send + Sync + 'static,
    M: prost::Message + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("{}", listener.local_addr()?);
    let incoming = TcpIncoming::from(listener).with_nodelay(Some(true));
    let ended = async {
        let _ = end.await;
    };
    Ok(tonic::transport::Server::builder()
        .add_service(unary)
        .serve_with_incoming_shutdown(incoming, ended)
        .await?)
}

/// A service of one call, as tonic would generate it.
#[derive(Clone)]
struct Unary<F>(F);

impl<F> tonic::server::NamedService for Unary<F> {
    const NAME: &'static str = "bellwether.v1.RouterService";
}

impl<F, M> tower::Service<http::Request<Body>> for Unary<F>
where
    F: Fn(v1::RouteRequest) -> M + Clone + Send + Sync + 'static,
    M: prost::Message + 'static,
{
    type Response = http::Response<Body>;
    type Error = std::convert::Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Self::Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let answer = Answer(self.0.clone());
        Box::pin(async move {
            let codec = tonic_prost::ProstCodec::default();
            Ok(tonic::server::Grpc::new(codec).unary(answer, request).await)
        })
    }
}

struct Answer<F>(F);

impl<F, M> tonic::server::UnaryService<v1::RouteRequest> for Answer<F>
where
    F: Fn(v1::RouteRequest) -> M,
    M: prost::Message,
{
    type Response = M;
    type Future = Ready<Result<Response<M>, Status>>;

    fn call(&mut self, request: Request<v1::RouteRequest>) -> Self::Future {
        ready(Ok(Response::new((self.0)(request.into_inner()))))
    }
}
