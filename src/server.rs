//! Composition: the only file that knows every concrete type. Starts, drains, stops.
//!
//! The order of a start: store (the journal is read once), learner (from checkpoint and journal),
//! use cases, listener. Nothing is served before the learner has caught up, so the first decision
//! after a restart is as good as the last one before it. The order of a stop: no new calls, calls at
//! work finish, the learner catches up and writes its checkpoint, the journal is synced.
//!
//! Not here: what any of the pieces does.

use crate::clock::Clock;
use crate::complete::{Attempts, Complete, Reports};
use crate::config;
use crate::feature::{self, DIM, Extractor};
use crate::grpc::{self, Gate, Gateway, GuardLayer, Services};
use crate::id::{self, Mint, Name, Secret};
use crate::learn::{self, Follower, Intake};
use crate::provider::{self, OpenAi, OpenAiSettings, Provider, Simulated, SimulatedSettings};
use crate::route::{self, Choosing, Recording, Route};
use crate::store::{self, Checkpoints, Disk, FileDisk, Keyed, Record, Store, VersionKind};
use crate::unit::Probability;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::transport::server::TcpIncoming;

/// Weight of the prior in every regression (SCIENCE 2.2: 10 for contexts of squared norm up to 4).
const RIDGE: f64 = 10.0;

/// How often the learner looks whether a signal's closing time has come.
const CLOSING_CHECK: Duration = Duration::from_secs(1);

/// Why a server did not start or stop well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error("the store: {0}")]
    Store(#[from] store::Error),
    /// The keyed state.
    #[error("the keyed state: {0}")]
    Keyed(#[from] store::keyed::Error),
    /// Reflection over the contract.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// The features.
    #[error("the features: {0}")]
    Feature(#[from] feature::Error),
    /// A built-in name.
    #[error("a built-in name {0}")]
    Name(#[from] id::Error),
    /// The transport.
    #[error("the listener: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// A provider client that cannot be made.
    #[error("endpoint {endpoint}: {problem}")]
    Provider {
        /// The endpoint.
        endpoint: Name,
        /// Why.
        problem: String,
    },
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Random(String),
    /// A task ended badly.
    #[error("a task ended badly: {0}")]
    Task(#[from] tokio::task::JoinError),
}

/// The state that survives calls: opened, rebuilt, not yet serving.
#[derive(Debug)]
pub struct Opened {
    /// The journal and what is looked up in it.
    pub store: Arc<Store>,
    /// The learner, caught up.
    pub follower: Follower,
    /// What the learner is told.
    pub learning: Arc<learn::Params>,
    /// The secret that ids are made with.
    pub secret: Secret,
    checkpoints: Checkpoints,
    keyed: Keyed,
}

/// Opens the store of a configuration and catches the learner up with the journal.
pub fn open(params: &config::Params, clock: &dyn Clock) -> Result<Opened, Error> {
    let disk: Arc<dyn Disk> = Arc::new(FileDisk::open(&params.store.dir)?);
    open_on(disk, params, clock)
}

/// As [`open`], on a disk of the caller's.
pub fn open_on(
    disk: Arc<dyn Disk>,
    params: &config::Params,
    clock: &dyn Clock,
) -> Result<Opened, Error> {
    let (store, recovery) = Store::open(Arc::clone(&disk), settings(&params.store), clock.now())?;
    tracing::info!(?recovery, "the journal is open");
    let store = Arc::new(store);
    let keyed = Keyed::open(&params.store.dir.join("keyed"), random()?)?;
    let learning = Arc::new(learning(params, &keyed, &store, clock)?);
    let checkpoints = Checkpoints::new(disk);
    let mut follower = Follower::open(
        Arc::clone(&store),
        checkpoints.clone(),
        Arc::clone(&learning),
    )?;
    let learned = follower.catch_up()?;
    tracing::info!(
        learned,
        sequence = follower.learner().sequence(),
        "the learner has caught up"
    );
    let secret = keyed.secret().clone();
    Ok(Opened {
        store,
        follower,
        learning,
        secret,
        checkpoints,
        keyed,
    })
}

/// The learner of an opened state, rebuilt from the journal alone.
pub fn rebuild(opened: &Opened) -> Result<Follower, Error> {
    let store = Arc::clone(&opened.store);
    let learning = Arc::clone(&opened.learning);
    let mut follower = Follower::from_scratch(store, opened.checkpoints.clone(), learning);
    follower.catch_up()?;
    Ok(follower)
}

fn settings(params: &config::Store) -> store::Settings {
    let mut settings = store::Settings::default();
    settings.journal.durability = match params.durability {
        config::Durability::Sync => store::Durability::Sync,
        config::Durability::Group => store::Durability::Group,
    };
    settings.journal.segment_bytes = params.segment_bytes;
    settings
}

fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut bytes)
        .map_err(|error| Error::Random(error.to_string()))?;
    Ok(bytes)
}

fn seed() -> Result<u64, Error> {
    let bytes = random()?;
    Ok(u64::from_le_bytes(std::array::from_fn(|i| bytes[i])))
}

/// The learner's parameters; scorecards not seen before become numbered versions.
fn learning(
    params: &config::Params,
    keyed: &Keyed,
    store: &Store,
    clock: &dyn Clock,
) -> Result<learn::Params, Error> {
    let arms: Vec<Name> = params
        .catalogue
        .arms()
        .iter()
        .map(|arm| arm.name.clone())
        .collect();
    let mut teams = BTreeMap::new();
    for team in &params.teams {
        let kind = VersionKind::Scorecard;
        let imported = keyed.import(kind, &team.name, &team.scorecard_text)?;
        if imported.new {
            store.append(&Record::Version {
                kind,
                team: team.name.clone(),
                version: imported.version,
                text: team.scorecard_text.clone(),
                time: clock.now(),
            })?;
        }
        let told = learn::Team {
            name: team.name.clone(),
            arms: arms.clone(),
            scorecard: Arc::new(team.scorecard.clone()),
            scorecard_version: imported.version,
            dim: DIM,
            ridge: RIDGE,
        };
        teams.insert(team.name.clone(), told);
    }
    Ok(learn::Params {
        teams,
        limits: learn::Limits::default(),
    })
}

/// A server at work.
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: CancellationToken,
    health: grpc::HealthSwitch,
    serving: JoinHandle<Result<(), tonic::transport::Error>>,
    following: JoinHandle<Result<(), store::Error>>,
    store: Arc<Store>,
}

impl Running {
    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Drains and stops: see the module.
    pub async fn stop(self) -> Result<(), Error> {
        self.health.set(false).await;
        self.stop.cancel();
        self.serving.await??;
        self.following.await??;
        self.store
            .journal()
            .on_disk(self.store.journal().newest())
            .await?;
        Ok(())
    }
}

/// Starts a server on the configured address; port 0 takes a free one.
pub async fn start(params: config::Params, clock: Arc<dyn Clock>) -> Result<Running, Error> {
    let opened = {
        let (params, clock) = (params.clone(), Arc::clone(&clock));
        tokio::task::spawn_blocking(move || open(&params, &*clock)).await??
    };
    serve(opened, params, clock).await
}

/// Serves an opened state.
pub async fn serve(
    opened: Opened,
    params: config::Params,
    clock: Arc<dyn Clock>,
) -> Result<Running, Error> {
    let Opened {
        store,
        follower,
        learning,
        secret,
        keyed,
        ..
    } = opened;
    let address = params.server.listen;
    let failed = |source| Error::Listen { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let catalogue = Arc::new(params.catalogue.clone());
    let published = follower.published();
    let route = Arc::new(Route::new(
        Arc::clone(&catalogue),
        teams(&params)?,
        Arc::clone(&published),
        Arc::clone(&store),
        Arc::clone(&clock),
        Mint::new(secret.clone(), seed()?),
    )?);
    let attempts = Attempts::new(Arc::clone(&clock), Arc::clone(&store) as _);
    let complete = Complete::new(Arc::clone(&route), providers(&params)?, attempts);
    let reports = Reports::new(Arc::clone(&store), catalogue, Arc::clone(&clock));
    let intake = Arc::new(Intake::new(
        learning,
        Arc::clone(&store),
        published,
        Arc::clone(&clock),
    ));
    let gateway = Gateway {
        route,
        complete: Arc::new(complete),
        reports: Arc::new(reports),
        intake: Arc::clone(&intake),
    };
    let tasks = TaskTracker::new();
    #[cfg(feature = "analytics")]
    let evaluation = {
        let scorecards = params
            .teams
            .iter()
            .map(|t| (t.name.clone(), Arc::new(t.scorecard.clone())));
        let (scorecards, tasks) = (scorecards.collect(), tasks.clone());
        grpc::Traffic {
            store: Arc::clone(&store),
            scorecards,
            tasks,
        }
    };
    #[cfg(not(feature = "analytics"))]
    let evaluation = grpc::NoAnalytics;
    let services = Services {
        router: grpc::Router::new(Arc::new(gateway), secret.clone()),
        feedback: grpc::Listener::new(Arc::clone(&intake), secret, Arc::clone(&clock)),
        evaluation: grpc::Judge::new(Arc::new(evaluation)),
        admin: grpc::Operator::new(intake),
    };
    let bytes = params.server.max_message_bytes;
    let (routes, health) = services.routes(&Gate::new(params.keys), bytes).await?;
    let stop = CancellationToken::new();
    let guard = GuardLayer::new(seed()?, bytes);
    let following = follow(follower, Arc::clone(&store), clock, stop.clone(), &tasks);
    let serving = tasks.spawn({
        let stop = stop.clone();
        async move {
            let _keyed = keyed;
            tonic::transport::Server::builder()
                .layer(guard)
                .add_routes(routes)
                .serve_with_incoming_shutdown(incoming(listener), stop.cancelled_owned())
                .await
        }
    });
    health.set(true).await;
    tracing::info!(%address, "serving");
    Ok(Running {
        address,
        stop,
        health,
        serving,
        following,
        store,
    })
}

/// Connections without Nagle's delay: replies are small.
fn incoming(listener: TcpListener) -> TcpIncoming {
    TcpIncoming::from(listener).with_nodelay(Some(true))
}

/// The learner on a thread of its own: it learns what is written, writes a tick when a missing
/// signal's time has come, and a checkpoint now and then and at the end. An error (a full disk, a
/// damaged record) is told and tried again: serving goes on with the last good snapshot.
fn follow(
    mut follower: Follower,
    store: Arc<Store>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    tasks: &TaskTracker,
) -> JoinHandle<Result<(), store::Error>> {
    let runtime = tokio::runtime::Handle::current();
    tasks.spawn_blocking(move || {
        loop {
            runtime.block_on(async {
                tokio::select! {
                    () = follower.ready() => {}
                    () = tokio::time::sleep(CLOSING_CHECK) => {}
                    () = stop.cancelled() => {}
                }
            });
            let stopping = stop.is_cancelled();
            let result = follow_once(&mut follower, &store, &*clock, &runtime, stopping);
            if stopping {
                return result;
            }
            if let Err(error) = result {
                tracing::error!(%error, "the learner stands still; the last snapshot stays in force");
                runtime.block_on(tokio::time::sleep(CLOSING_CHECK));
            }
        }
    })
}

fn follow_once(
    follower: &mut Follower,
    store: &Store,
    clock: &dyn Clock,
    runtime: &tokio::runtime::Handle,
    stopping: bool,
) -> Result<(), store::Error> {
    follower.catch_up()?;
    let now = clock.now();
    if follower
        .next_closing()
        .is_some_and(|closing| closing <= now)
    {
        store.append(&Record::Tick { time: now })?;
    }
    if follower.checkpoint_due() || stopping {
        runtime.block_on(store.journal().on_disk(follower.learner().sequence()))?;
        follower.write_checkpoint()?;
    }
    Ok(())
}

fn teams(params: &config::Params) -> Result<BTreeMap<Name, route::Team>, Error> {
    let shipped = Arc::new(Extractor::shipped()?);
    let mut teams = BTreeMap::new();
    for team in &params.teams {
        let recording = match team.recording {
            config::Recording::Features => Recording::Features,
            config::Recording::Full => Recording::Full,
            config::Recording::Nothing => Recording::Nothing,
        };
        let extractor = match team.embedding_length {
            Some(length) => Arc::new(Extractor::client(length as usize)?),
            None => Arc::clone(&shipped),
        };
        let choosing = Choosing {
            policy: team.policy.clone(),
            explore_floor: team.explore_floor,
        };
        let data_policy = team.data_policy.clone();
        let routing = route::Team {
            choosing,
            extractor,
            data_policy,
            recording,
        };
        teams.insert(team.name.clone(), routing);
    }
    Ok(teams)
}

fn providers(params: &config::Params) -> Result<BTreeMap<Name, Arc<dyn Provider>>, Error> {
    let mut transport = None;
    let mut providers: BTreeMap<Name, Arc<dyn Provider>> = BTreeMap::new();
    for (endpoint, connection) in params.catalogue.endpoints().iter().zip(&params.connections) {
        let failed = |problem: String| Error::Provider {
            endpoint: endpoint.name.clone(),
            problem,
        };
        let provider: Arc<dyn Provider> = match connection {
            config::Connection::Simulated(simulated) => {
                Arc::new(Simulated::new(SimulatedSettings {
                    seed: 0,
                    latency: Duration::try_from_secs_f64(simulated.latency_ms / 1e3)
                        .unwrap_or_default(),
                    output_tokens: simulated.output_tokens,
                    error_rate: Probability::new(simulated.error_rate).unwrap_or(Probability::ZERO),
                    answer: simulated.answer.clone(),
                }))
            }
            config::Connection::OpenAi { api_key_env } => {
                if transport.is_none() {
                    transport =
                        Some(provider::Transport::new().map_err(|e| failed(e.to_string()))?);
                }
                let Some(transport) = &transport else {
                    continue;
                };
                let key = api_key_env.as_deref().map(|variable| {
                    let unset = || failed(format!("environment variable {variable} is not set"));
                    std::env::var(variable)
                        .map(provider::ApiKey::new)
                        .map_err(|_| unset())
                });
                let settings = OpenAiSettings::new(&endpoint.base_url, key.transpose()?);
                Arc::new(OpenAi::new(settings, transport).map_err(|e| failed(e.to_string()))?)
            }
        };
        providers.insert(endpoint.name.clone(), provider);
    }
    Ok(providers)
}
