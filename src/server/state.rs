//! What survives calls: the store, opened, and the learner.
//!
//! Invariants: no checkpoint, however bad, keeps a server from opening: see `learn::Follower`. The
//! journal does: without a whole one there is no truth to serve from.
//!
//! Not here: what the journal's records add up to (`past`), the numbers of versions (`versions`), what prompt
//! caches held (`rewarm`), serving (`running`).

use super::auditing;
use super::error::Error;
use super::past::{Known, Shared};
use super::rewarm::Rewarming;
use super::versions;
use crate::account::Accounts;
use crate::bandit::Hierarchy;
use crate::clock::Clock;
use crate::config;
use crate::feature::{ENDS, Extractor};
use crate::id::{Name, Secret};
use crate::learn::{self, Follower};
use crate::store::audit::Audit;
use crate::store::{self, Checkpoints, Disk, FileDisk, Keyed, Record, Store};
use crate::warmth::Warmth;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Weight of the prior in every regression (SCIENCE 2.2: 10 for contexts of squared norm up to 4).
const RIDGE: f64 = 10.0;

/// How long a server that starts learns before it serves: some 2,800 records, by the rate measured in
/// evals/bench (36 s a million). After a clean stop nothing is left to learn. After a kill it is what came since the
/// checkpoint, 100,000 records as a rule, or 4 s: until they are learned, decisions are as good as they were
/// when it was written, which is better than none at all.
const PATIENCE: Duration = Duration::from_millis(100);

/// As [`PATIENCE`], where no checkpoint serves: some 140,000 records. Until something is learned, arms are drawn as if
/// nobody knew them, the worst as often as the best, which costs more than a wait that only such a start
/// has (a changed scorecard, a damaged checkpoint). A longer journal is learned while serving all the same.
const FROM_NOTHING: Duration = Duration::from_secs(5);

/// The state that survives calls: opened, not yet serving.
#[derive(Debug)]
pub struct Opened {
    /// The journal and what is looked up in it.
    pub store: Arc<Store>,
    /// The learner: caught up, but where it was opened to serve at once.
    pub follower: Follower,
    /// What the learner is told.
    pub learning: Arc<learn::Params>,
    /// What each team has left to spend.
    pub accounts: Arc<Accounts>,
    /// What prompt caches hold.
    pub warmth: Arc<Warmth>,
    /// The secret that ids are made with.
    pub secret: Secret,
    checkpoints: Checkpoints,
    pub(super) keyed: Arc<Keyed>,
    /// Where changes are told.
    pub(super) audit: Arc<Audit>,
    /// What is still to be known of warmth.
    pub(super) rewarming: Option<Rewarming>,
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
    let mut opened = ready(disk, params, clock)?;
    if let Some(rewarming) = opened.rewarming.take() {
        rewarming.run(|| true);
    }
    opened.follower.catch_up()?;
    Ok(opened)
}

/// Opens the store of a configuration to serve from it at once: the learner has caught up as far as it
/// came within 100 ms, or within 5 seconds where it begins with nothing.
pub(super) fn open_to_serve(params: &config::Params, clock: &dyn Clock) -> Result<Opened, Error> {
    let disk: Arc<dyn Disk> = Arc::new(FileDisk::open(&params.store.dir)?);
    let opened = ready(disk, params, clock)?;
    let patience = match opened.follower.learner().sequence() {
        0 => FROM_NOTHING,
        _ => PATIENCE,
    };
    Ok(learn_for(opened, patience))
}

/// As [`open_on`], but the learner catches up for no longer than `patience`, and a batch of records. What is
/// left, and what could not be read, it learns while serving; so it is with what prompt caches hold.
pub fn open_within(
    disk: Arc<dyn Disk>,
    params: &config::Params,
    clock: &dyn Clock,
    patience: Duration,
) -> Result<Opened, Error> {
    Ok(learn_for(ready(disk, params, clock)?, patience))
}

fn learn_for(mut opened: Opened, patience: Duration) -> Opened {
    let began = Instant::now();
    let follower = &mut opened.follower;
    let learned = match patience.is_zero() {
        true => Ok(0),
        false => follower.catch_up_while(|_| began.elapsed() < patience),
    };
    let (sequence, behind) = (follower.learner().sequence(), follower.behind());
    match learned {
        Ok(learned) if behind > 0 => tracing::info!(
            learned,
            sequence,
            behind,
            "the learner is ready: it decides by what it had learned, and learns the rest meanwhile"
        ),
        Ok(learned) => tracing::info!(learned, sequence, behind, "the learner is ready"),
        Err(error) => tracing::error!(%error, sequence, behind, "the learner stands still"),
    }
    opened
}

/// The state with the learner as its checkpoint has it.
fn ready(disk: Arc<dyn Disk>, params: &config::Params, clock: &dyn Clock) -> Result<Opened, Error> {
    let warmth = Arc::new(Warmth::default());
    let past = Shared::new(params, Arc::clone(&warmth))?;
    let store = Arc::new(followed(Arc::clone(&disk), params, clock, &past)?);
    let cut = past.opened(store.journal().newest());
    let known = past.known();
    let keyed = Arc::new(Keyed::open(params.store.dir.join("keyed"), random()?)?);
    versions::restore(&keyed, &known.versions, &store)?;
    let numbered = versions::scorecards(params, &keyed, &known.versions, &store, clock)?;
    announce(params, &known, &store, clock)?;
    let audit = Arc::new(Audit::open(Arc::clone(&disk))?);
    let at = (store.journal().newest(), clock.now());
    auditing::started(&audit, params, &numbered, at)?;
    let learning = Arc::new(learning(params, &numbered)?);
    let checkpoints = Checkpoints::new(disk);
    let follower = Follower::open(
        Arc::clone(&store),
        checkpoints.clone(),
        Arc::clone(&learning),
    );
    let secret = keyed.secret().clone();
    let rewarming = Rewarming::new(Arc::clone(&store), Arc::clone(&warmth), cut, clock.now());
    Ok(Opened {
        store,
        follower,
        learning,
        accounts: Arc::new(past.accounts()),
        warmth,
        secret,
        checkpoints,
        keyed,
        audit,
        rewarming: Some(rewarming),
    })
}

/// The store of a configuration, opened; the past has followed its journal.
fn followed(
    disk: Arc<dyn Disk>,
    params: &config::Params,
    clock: &dyn Clock,
    past: &Shared,
) -> Result<Store, Error> {
    let (settings, digest) = (settings(&params.store), Box::new(past.clone()));
    let (store, recovery) = Store::open_with(disk, settings, clock.now(), digest)?;
    tracing::info!(?recovery, "the journal is open");
    Ok(store)
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

/// Puts each budget and baseline that the configuration changed into the journal: who paces, who compares
/// and who audits read it there.
fn announce(
    params: &config::Params,
    known: &Known,
    store: &Store,
    clock: &dyn Clock,
) -> Result<(), Error> {
    for team in &params.teams {
        if known.budgets.get(&team.name).copied().flatten() != team.budget {
            store.append(&Record::Budget {
                team: team.name.clone(),
                budget: team.budget,
                time: clock.now(),
            })?;
        }
        let arm = team.baseline.as_ref().map(|baseline| baseline.arm.clone());
        let compared = (arm, team.guards.clone());
        let before = known.baselines.get(&team.name).cloned().unwrap_or_default();
        if before != compared {
            if let ((Some(baseline), _), None) = (&before, &compared.0) {
                tracing::info!(team = %team.name, %baseline, "no baseline any more: its comparison ends");
            }
            let (arm, guards) = compared;
            store.append(&Record::Baseline {
                team: team.name.clone(),
                arm,
                guards,
                time: clock.now(),
            })?;
        }
    }
    Ok(())
}

/// The learner's parameters, with the number of each team's scorecard.
fn learning(params: &config::Params, numbered: &[u32]) -> Result<learn::Params, Error> {
    let arms: Vec<Name> = params
        .catalogue
        .arms()
        .iter()
        .map(|arm| arm.name.clone())
        .collect();
    let mut teams = BTreeMap::new();
    for (team, version) in params.teams.iter().zip(numbered) {
        let told = learn::Team {
            name: team.name.clone(),
            arms: arms.clone(),
            scorecard: Arc::new(team.scorecard.clone()),
            scorecard_version: *version,
            feature_set: feature_set(team)?,
            start: Hierarchy::new(&ENDS, RIDGE, &[0.5])?,
            pooling: team.pooling,
            compared: team.baseline.is_some(),
            checked: team
                .checks
                .iter()
                .filter_map(|r| r.signal.clone())
                .collect(),
        };
        teams.insert(team.name.clone(), told);
    }
    Ok(learn::Params {
        teams,
        limits: learn::Limits::default(),
    })
}

/// Name of the features that a team's contexts are made of.
fn feature_set(team: &config::Team) -> Result<Name, Error> {
    let extractor = match team.embedding_length {
        Some(length) => Extractor::client(length as usize)?,
        None => Extractor::shipped()?,
    };
    Ok(Name::new(extractor.feature_set())?)
}
