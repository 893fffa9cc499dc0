//! A server at work: started, serving, drained, stopped.
//!
//! Not here: opening what survives (`state`).

use super::door::{self, Door};
use super::error::Error;
use super::follow::{Stepper, Steps, follow};
use super::held::{Held, attempts, checking, intake, known, reports, view};
use super::listening::{Bound, Listening};
use super::metrics::Exposition;
use super::parts::{Evaluation, evaluation, keys, providers, standing, teams, whole};
use super::reload::{Reloaded, Rules, Swappable};
use super::spans;
use super::state::{Opened, open_to_serve, seed};
use crate::clock::Clock;
use crate::complete::Complete;
use crate::config;
use crate::grpc::{self, Desk, Gateway, GuardLayer, KeyDesk, Services, Swapped};
use crate::id::Mint;
use crate::learn::{Follower, Intake};
use crate::route::Route;
use crate::store::audit::Audit;
use crate::store::{self, Keyed, Store};
use crate::telemetry::otlp::Sending;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout_at};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How long calls at work may take to finish when the server stops.
const DRAIN: Duration = Duration::from_secs(30);

/// How long what they hold may take to be let go after that.
const LET_GO: Duration = Duration::from_secs(2);

/// A server at work.
#[derive(Debug)]
pub struct Running {
    health: grpc::HealthSwitch,
    door: Option<Door>,
    metrics: Option<Exposition>,
    sending: Option<Sending>,
    main: Listening,
    admin: Option<Listening>,
    swappable: Swappable,
    following: Task<Result<(), store::Error>>,
    store: Arc<Store>,
    keyed: Arc<Keyed>,
    audit: Arc<Audit>,
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
        self.main.address
    }

    /// The address that the administration listens on, where it has one of its own.
    pub fn admin_address(&self) -> Option<SocketAddr> {
        self.admin.as_ref().map(|admin| admin.address)
    }

    /// The address that the OpenAI-compatible door listens on, where there is one.
    pub fn http_address(&self) -> Option<SocketAddr> {
        self.door.as_ref().map(Door::address)
    }

    /// The address that metrics are read at, where they are.
    pub fn metrics_address(&self) -> Option<SocketAddr> {
        self.metrics.as_ref().map(Exposition::address)
    }

    /// From the next call, and the next connection, on: what of `params` can be swapped while it serves, and says what
    /// cannot. See [`Reloaded`].
    pub fn reload(&mut self, params: &config::Params) -> Reloaded {
        self.swappable.reload(params)
    }

    /// Drains and stops: see the module. Calls that have not finished within 30 seconds are cut.
    pub async fn stop(self) -> Result<(), Error> {
        self.health.set(false).await;
        self.metrics.iter().for_each(Exposition::draining);
        let listeners = [Some(self.main), self.admin];
        for listener in listeners.iter().flatten() {
            listener.serving.stop.cancel();
        }
        let door = self.door.map(Door::closing);
        let until = Instant::now() + DRAIN;
        for listener in listeners.into_iter().flatten() {
            let cut = listener.serving.handle.abort_handle();
            match timeout_at(until, listener.serving.handle).await {
                Ok(served) => served??,
                Err(_) => cut.abort(),
            }
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
        drop(self.swappable);
        let_go((&self.store, &self.keyed, &self.audit)).await;
        Ok(())
    }
}

/// Waits until nobody else holds the store. The tasks of connections that have ended let go of it a
/// moment later, and whoever starts the next server on the same folder needs its lock.
async fn let_go((store, keyed, audit): (&Arc<Store>, &Arc<Keyed>, &Arc<Audit>)) {
    let waited = tokio::time::timeout(LET_GO, async {
        let held = || {
            [
                Arc::strong_count(store),
                Arc::strong_count(keyed),
                Arc::strong_count(audit),
            ]
        };
        while held().iter().any(|count| *count > 1) {
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
    let (store, keyed) = (Arc::clone(&opened.store), opened.keyed);
    let identity = super::reload::identity(&params.server, &*clock)?;
    let bound = Bound::new(&params.server, identity.as_ref()).await?;
    let tasks = TaskTracker::new();
    let (metrics, sending) = spans::told(&params, &clock, &tasks)?;
    let held = Held {
        store: Arc::clone(&store),
        published: opened.follower.published(),
        accounts: opened.accounts,
        warmth: opened.warmth,
        standing: Arc::new(standing(&params)),
        learning: opened.learning,
        metrics: Arc::new(metrics),
        meters: Arc::default(),
        loops: Arc::default(),
        mint: Mint::new(opened.secret, ids),
        clock: Arc::clone(&clock),
    };
    let metrics = Exposition::open(view(&held), &params.server, &tasks).await?;
    let evaluation = evaluation(&params, &store, &tasks);
    let audit = opened.audit;
    let (keys, gate) = keys(&params, (&keyed, &audit), &clock, &tasks)?;
    let doors = (Arc::clone(keys.book.porter()), Arc::clone(&audit));
    let (services, rules) = services(&params, held, (keys, &audit), evaluation)?;
    let bytes = params.server.max_message_bytes;
    let swappable = Swappable::new(params, doors, rules, identity, &clock);
    let door = Door::open(&swappable, &tasks).await?;
    let surfaces = services.surfaces(&gate, bytes, bound.apart()).await?;
    let stop = CancellationToken::new();
    super::rewarm::spawn(opened.rewarming, stop.clone(), &tasks);
    swappable.watch(stop.clone(), &tasks);
    super::auditing::spawn(&audit, Arc::clone(&clock), stop.clone(), &tasks);
    let following = following(opened.follower, &store, (clock, steps), stop, &tasks);
    let guard = GuardLayer::new(seed()?, bytes);
    let (main, admin) = bound.serve((surfaces.main, surfaces.admin), &guard, &tasks);
    surfaces.health.set(true).await;
    door.iter().for_each(Door::opened);
    Ok(Running {
        health: surfaces.health,
        door,
        metrics,
        sending,
        main,
        admin,
        swappable,
        following,
        store,
        keyed,
        audit,
    })
}

/// Learns what the journal says, until told to stop.
fn following(
    follower: Follower,
    store: &Arc<Store>,
    (clock, steps): (Arc<dyn Clock>, Option<Steps>),
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> Task<Result<(), store::Error>> {
    let told = stop.clone();
    let handle = follow(follower, Arc::clone(store), clock, told, steps, tasks);
    Task { stop, handle }
}

/// The gRPC services.
type Served = Services<Swapped<Gateway>, Intake, Evaluation, Desk>;

fn services(
    params: &config::Params,
    held: Held,
    (keys, audit): (KeyDesk, &Arc<Audit>),
    evaluation: Evaluation,
) -> Result<(Served, Rules), Error> {
    let catalogue = Arc::new(params.catalogue.clone());
    let (attempts, known) = (attempts(&held), known(&held));
    let (reports, intake) = (reports(&held, Arc::clone(&catalogue)), intake(&held));
    intake.keep_whole(whole(params));
    let Held {
        store,
        accounts,
        mint,
        clock,
        ..
    } = held;
    let secret = mint.secret().clone();
    let route = Route::new(
        Arc::clone(&catalogue),
        teams(params)?,
        known,
        Arc::clone(&store),
        Arc::clone(&clock),
        mint,
    )?;
    let route = Arc::new(route.within(params.quotas()));
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
    let porter = Arc::clone(keys.book.porter());
    let desk = Desk {
        keys,
        audit: Arc::clone(audit),
        intake: Arc::clone(&intake),
        accounts,
        route,
        clock: Arc::clone(&clock),
    };
    let rules = Rules::new(gateway, parts);
    let router = Swapped::new(Arc::clone(&rules.gateway), porter);
    let services = Services {
        router: grpc::Router::new(Arc::new(router), secret.clone()),
        feedback: grpc::Listener::new(Arc::clone(&intake), secret, clock),
        evaluation: grpc::Judge::new(Arc::new(evaluation)),
        admin: grpc::Operator::new(Arc::new(desk)),
    };
    Ok((services, rules))
}
