//! What survives calls: the store, opened, and the learner, caught up.
//!
//! Not here: serving (`running`).

use super::error::Error;
use crate::clock::Clock;
use crate::config;
use crate::feature::DIM;
use crate::id::{Name, Secret};
use crate::learn::{self, Follower};
use crate::store::{self, Checkpoints, Disk, FileDisk, Keyed, Record, Store, VersionKind};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Weight of the prior in every regression (SCIENCE 2.2: 10 for contexts of squared norm up to 4).
const RIDGE: f64 = 10.0;

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
    pub(super) keyed: Keyed,
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
    let keyed = Keyed::open(params.store.dir.join("keyed"), random()?)?;
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

/// 32 random bytes of the operating system.
fn random() -> Result<[u8; 32], Error> {
    let mut bytes = [0; 32];
    rand::TryRng::try_fill_bytes(&mut rand::rngs::SysRng, &mut bytes)
        .map_err(|error| Error::Random(error.to_string()))?;
    Ok(bytes)
}

/// A random seed.
pub(super) fn seed() -> Result<u64, Error> {
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
