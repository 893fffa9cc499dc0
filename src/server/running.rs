//! A server at work: started, serving, drained, stopped.
//!
//! Not here: opening what survives (`state`).

use super::door::{self, Door};
use super::error::Error;
use super::follow::{Stepper, Steps, follow};
use super::metrics::{Exposition, View};
use super::parts::{Evaluation, evaluation, keys, providers, standing, teams};
use super::spans;
use super::state::{Opened, open_to_serve, seed};
use crate::account::Accounts;
use crate::clock::Clock;
use crate::complete::{Attempts, Checking, Complete, Paid, Reports};
use crate::config;
use crate::eligibility::Catalogue;
use crate::grpc::{self, Desk, Gateway, GuardLayer, KeyDesk, Services};
use crate::http;
use crate::id::Mint;
use crate::learn::{self, Intake, Published};
use crate::route::{Known, Route};
use crate::standing::Standing;
use crate::store::{self, Keyed, Store};
use crate::telemetry::Metrics;
use crate::telemetry::otlp::Sending;
use crate::warmth::Warmth;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::service::Routes;
use tonic::transport::server::TcpIncoming;

/// How long calls at work may take to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(30);

/// How long what they hold may take to be let go after that.
const LET_GO: Duration = Duration::from_secs(2);

/// A server at work.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    health: grpc::HealthSwitch,
    door: Option<Door>,
    metrics: Option<Exposition>,
    sending: Option<Sending>,
    serving: Task<Result<(), tonic::transport::Error>>,
    following: Task<Result<(), store::Error>>,
    store: Arc<Store>,
    keyed: Arc<Keyed>,
}

/// A task and what tells it to end.
#[derive(Debug)]
pub(super) struct Task<T> {
    pub(super) stop: CancellationToken,
    pub(super) handle: JoinHandle<T>,
}

impl Running {
    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The address that the OpenAI-compatible door listens on, where there is one.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.door.as_ref().map(Door::address)
    }

    /// The address that metrics are read at, where they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Exposition::address)
    }

    /// Drains and stops: see the module. Calls that have not finished within 30 seconds are cut.
    pub async fn stop(self) -> Result<(), Error> {
        self.health.set(false).await;
        self.metrics.iter().for_each(Exposition::draining);
        self.serving.stop.cancel();
        let door = self.door.map(Door::closing);
        let until = Instant::now() + DRAIN;
        let cut = self.serving.handle.abort_handle();
        match timeout_at(until, self.serving.handle).await {
            Ok(served) => served??,
            Err(_) => cut.abort(),
        }
        if let Some(door) = door {
            let cut = door.abort_handle();
            match timeout_at(until, door).await {
                Ok(served) => served?,
                Err(_) => cut.abort(),
            }
        }
        if let Some(metrics) = self.metrics {
            metrics.stop().await?;
        }
        self.following.stop.cancel();
        self.following.handle.await??;
        self.store
            .journal()
            .on_disk(self.store.journal().newest())
            .await?;
        if let Some(sending) = self.sending {
            sending.stop().await;
        }
        let_go(&self.store, &self.keyed).await;
        Ok(())
    }
}

/// Waits until nobody else holds the store. The tasks of connections that have ended let go of it a
/// moment later, and whoever starts the next server on the same folder needs its lock.
async fn let_go(store: &Arc<Store>, keyed: &Arc<Keyed>) {
    let waited = tokio::time::timeout(LET_GO, async {
        while Arc::strong_count(store) > 1 || Arc::strong_count(keyed) > 1 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    });
    if waited.await.is_err() {
        tracing::warn!("the store is still held by a call that was cut");
    }
}

/// Starts a server on the configured address; port 0 takes a free one.
pub async fn start(params: config::Params, clock: Arc<dyn Clock>) -> Result<Running, Error> {
    let opened = {
        let (params, clock) = (params.clone(), Arc::clone(&clock));
        tokio::task::spawn_blocking(move || open_to_serve(&params, &*clock)).await??
    };
    serve(opened, params, clock).await
}

/// Serves an opened state.
pub async fn serve(
    opened: Opened,
    params: config::Params,
    clock: Arc<dyn Clock>,
) -> Result<Running, Error> {
    serve_at(opened, params, clock, seed()?, None).await
}

/// As [`serve`], but repeatable: decision ids, and with them the draws, follow from `seed` and the
/// store's secret, and the learner learns when it is told to. For simulations with a clock of their
/// own. The ids of such a server can be guessed by whoever knows the seed and the secret.
pub async fn simulate(
    opened: Opened,
    params: config::Params,
    clock: Arc<dyn Clock>,
    seed: u64,
) -> Result<(Running, Stepper), Error> {
    let (stepper, steps) = Stepper::new();
    let running = serve_at(opened, params, clock, seed, Some(steps)).await?;
    Ok((running, stepper))
}

async fn serve_at(
    opened: Opened,
    params: config::Params,
    clock: Arc<dyn Clock>,
    ids: u64,
    steps: Option<Steps>,
) -> Result<Running, Error> {
    let Opened {
        store,
        follower,
        learning,
        accounts,
        warmth,
        secret,
        keyed,
        rewarming,
        ..
    } = opened;
    let (listener, address) = bound(params.server.listen).await?;
    let tasks = TaskTracker::new();
    let (metrics, sending) = spans::told(&params, &clock, &tasks)?;
    let held = Held {
        store: Arc::clone(&store),
        published: follower.published(),
        accounts,
        warmth,
        standing: Arc::new(standing(&params)),
        learning,
        metrics: Arc::new(metrics),
        mint: Mint::new(secret, ids),
        clock: Arc::clone(&clock),
    };
    let metrics = Exposition::open(view(&held), &params.server, &tasks).await?;
    let evaluation = evaluation(&params, &store, &tasks);
    let (keys, gate) = keys(&params, &keyed, &clock, &tasks)?;
    let (services, parts) = services(&params, held, keys, evaluation)?;
    let bytes = params.server.max_message_bytes;
    let door = Door::open(parts, &params.server, &tasks).await?;
    let (routes, health) = services.routes(&gate, bytes).await?;
    let stop = CancellationToken::new();
    let told = stop.clone();
    let handle = follow(follower, Arc::clone(&store), clock, told, steps, &tasks);
    super::rewarm::spawn(rewarming, stop.clone(), &tasks);
    let following = Task { stop, handle };
    let serving = listen(listener, routes, GuardLayer::new(seed()?, bytes), &tasks);
    health.set(true).await;
    door.iter().for_each(Door::opened);
    tracing::info!(%address, "serving");
    Ok(Running {
        address,
        health,
        door,
        metrics,
        sending,
        serving,
        following,
        store,
        keyed,
    })
}

/// A listener, and where it is.
async fn bound(address: SocketAddr) -> Result<(TcpListener, SocketAddr), Error> {
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let bound = listener.local_addr().map_err(failed)?;
    Ok((listener, bound))
}

/// Answers calls until told to stop.
fn listen(
    listener: TcpListener,
    routes: Routes,
    guard: GuardLayer,
    tasks: &TaskTracker,
) -> Task<Result<(), tonic::transport::Error>> {
    let stop = CancellationToken::new();
    let stopped = stop.clone().cancelled_owned();
    let handle = tasks.spawn(async move {
        tonic::transport::Server::builder()
            .layer(guard)
            .add_routes(routes)
            .serve_with_incoming_shutdown(incoming(listener), stopped)
            .await
    });
    Task { stop, handle }
}

/// What the use cases share.
struct Held {
    store: Arc<Store>,
    published: Arc<Published>,
    accounts: Arc<Accounts>,
    warmth: Arc<Warmth>,
    standing: Arc<Standing>,
    learning: Arc<learn::Params>,
    metrics: Arc<Metrics>,
    mint: Mint,
    clock: Arc<dyn Clock>,
}

/// The gRPC services.
type Served = Services<Gateway, Intake, Evaluation, Desk>;

/// Attempts whose records are kept, paid for and remembered by the caches they warm.
fn attempts(held: &Held) -> Attempts {
    let paid = Paid {
        store: Arc::clone(&held.store),
        accounts: Arc::clone(&held.accounts),
        warmth: Arc::clone(&held.warmth),
    };
    let standing = Arc::clone(&held.standing);
    let attempts = Attempts::new(Arc::clone(&held.clock), Arc::new(paid), standing);
    attempts.counted(Arc::clone(&held.metrics))
}

/// What is known when a decision is made.
fn known(held: &Held) -> Known {
    Known {
        published: Arc::clone(&held.published),
        accounts: Arc::clone(&held.accounts),
        warmth: Arc::clone(&held.warmth),
        standing: Arc::clone(&held.standing),
        metrics: Arc::clone(&held.metrics),
    }
}

/// Takes what callers tell of attempts of their own.
fn reports(held: &Held, catalogue: Arc<Catalogue>) -> Reports {
    let hear = (
        Arc::clone(&held.accounts),
        Arc::clone(&held.warmth),
        Arc::clone(&held.standing),
    );
    let (store, clock) = (Arc::clone(&held.store), Arc::clone(&held.clock));
    Reports::new(store, hear, catalogue, clock)
}

/// What metrics are read from.
fn view(held: &Held) -> View {
    View {
        metrics: Arc::clone(&held.metrics),
        standing: Arc::clone(&held.standing),
        published: Arc::clone(&held.published),
        store: Arc::clone(&held.store),
        clock: Arc::clone(&held.clock),
    }
}

/// What holds answers to what was asked.
fn checking(
    params: &config::Params,
    intake: &Arc<Intake>,
    clock: &Arc<dyn Clock>,
) -> Result<Checking, Error> {
    let rules = params.teams.iter();
    let rules = rules.map(|team| (team.name.clone(), team.checks.clone()));
    let checking = Checking::new(rules.collect(), Arc::clone(intake), Arc::clone(clock));
    Ok(checking?)
}

fn services(
    params: &config::Params,
    held: Held,
    keys: KeyDesk,
    evaluation: Evaluation,
) -> Result<(Served, http::Parts), Error> {
    let catalogue = Arc::new(params.catalogue.clone());
    let (attempts, known) = (attempts(&held), known(&held));
    let reports = reports(&held, Arc::clone(&catalogue));
    let Held {
        store,
        published,
        accounts,
        learning,
        metrics,
        mint,
        clock,
        ..
    } = held;
    let secret = mint.secret().clone();
    let route = Arc::new(Route::new(
        Arc::clone(&catalogue),
        teams(params)?,
        known,
        Arc::clone(&store),
        Arc::clone(&clock),
        mint,
    )?);
    let (journal, told) = (Arc::clone(&store), Arc::clone(&clock));
    let intake = Intake::new(learning, journal, published, told);
    let intake = Arc::new(intake.counted(metrics));
    let complete = Complete::new(
        Arc::clone(&route),
        providers(params)?,
        attempts,
        checking(params, &intake, &clock)?,
        store,
    );
    let gateway = Gateway {
        route: Arc::clone(&route),
        complete: Arc::new(complete),
        reports: Arc::new(reports),
        intake: Arc::clone(&intake),
    };
    let parts = door::parts(params, &gateway, catalogue, (&keys, &secret), &clock);
    let desk = Desk {
        keys,
        intake: Arc::clone(&intake),
        accounts,
        route,
        clock: Arc::clone(&clock),
    };
    let services = Services {
        router: grpc::Router::new(Arc::new(gateway), secret.clone()),
        feedback: grpc::Listener::new(Arc::clone(&intake), secret, clock),
        evaluation: grpc::Judge::new(Arc::new(evaluation)),
        admin: grpc::Operator::new(Arc::new(desk)),
    };
    Ok((services, parts))
}

/// Connections without Nagle's delay: replies are small.
fn incoming(listener: TcpListener) -> TcpIncoming {
    TcpIncoming::from(listener).with_nodelay(Some(true))
}
