//! Composition: the only file that knows every concrete type. Starts, drains, stops.
//!
//! The order of a start: store (the journal is read once), learner (from checkpoint and journal),
//! use cases, listener. Nothing is served before the learner has caught up, so the first decision
//! after a restart is as good as the last one before it. The order of a stop: no new calls, calls at
//! work finish, the learner catches up and writes its checkpoint, the journal is synced.
//!
//! Not here: what any of the pieces does.

use crate::clock::Clock;
use crate::config;
use crate::feature::{self, DIM, Extractor};
use crate::grpc;
use crate::id::{self, Mint, Name};
use crate::learn::{self, Follower, Intake};
use crate::route::{self, Choosing, Recording, Route};
use crate::store::{self, Checkpoints, Disk, FileDisk, Keyed, Record, Store, VersionKind};
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

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
    let mut follower = Follower::open(Arc::clone(&store), checkpoints, Arc::clone(&learning))?;
    let learned = follower.catch_up()?;
    tracing::info!(learned, sequence = follower.learner().sequence(), "the learner has caught up");
    Ok(Opened { store, follower, learning, keyed })
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

/// The learner's parameters; scorecards not seen before become numbered versions.
fn learning(
    params: &config::Params,
    keyed: &Keyed,
    store: &Store,
    clock: &dyn Clock,
) -> Result<learn::Params, Error> {
    let arms: Vec<Name> = params.catalogue.arms().iter().map(|arm| arm.name.clone()).collect();
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
    Ok(learn::Params { teams, limits: learn::Limits::default() })
}
