//! What survives calls: the store, opened, and the learner.
//!
//! Invariants: no checkpoint, however bad, keeps a server from opening: see `learn::Follower`. The
//! journal does: without a whole one there is no truth to serve from.
//!
//! Not here: serving (`running`).

use super::error::Error;
use crate::account::Accounts;
use crate::bandit::Hierarchy;
use crate::budget::Budget;
use crate::clock::Clock;
use crate::config;
use crate::decision::Origin;
use crate::feature::{ENDS, Extractor};
use crate::id::{Name, Secret};
use crate::learn::{self, Follower};
use crate::signal::Guard;
use crate::store::{self, Checkpoints, Disk, FileDisk, Keyed, Record, Store, VersionKind};
use crate::warmth::Warmth;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Weight of the prior in every regression (SCIENCE 2.2: 10 for contexts of squared norm up to 4).
const RIDGE: f64 = 10.0;

/// How long a server that starts learns before it serves: a usual start is done by then, and one that
/// must learn the whole journal anew goes on while it serves.
const PATIENCE: Duration = Duration::from_secs(5);

/// The state that survives calls: opened, not yet serving.
#[derive(Debug)]
pub struct Opened {
    /// The journal and what is looked up in it.
    pub store: Arc<Store>,
    /// The learner: caught up, but where it was opened to serve.
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
    let mut opened = ready(disk, params, clock)?;
    opened.follower.catch_up()?;
    Ok(opened)
}

/// Opens the store of a configuration to serve from it at once: the learner has caught up as far as it
/// came within 5 seconds.
pub(super) fn open_to_serve(params: &config::Params, clock: &dyn Clock) -> Result<Opened, Error> {
    let disk: Arc<dyn Disk> = Arc::new(FileDisk::open(&params.store.dir)?);
    open_within(disk, params, clock, PATIENCE)
}

/// As [`open_on`], but the learner catches up for no longer than `patience`, and a batch of records. What is
/// left, and what could not be read, it learns while serving.
pub fn open_within(
    disk: Arc<dyn Disk>,
    params: &config::Params,
    clock: &dyn Clock,
    patience: Duration,
) -> Result<Opened, Error> {
    let mut opened = ready(disk, params, clock)?;
    let began = Instant::now();
    let learned = match patience.is_zero() {
        true => Ok(0),
        false => opened
            .follower
            .catch_up_while(|_| began.elapsed() < patience),
    };
    let (sequence, behind) = (
        opened.follower.learner().sequence(),
        opened.follower.behind(),
    );
    match learned {
        Ok(learned) => tracing::info!(learned, sequence, behind, "the learner is ready"),
        Err(error) => tracing::error!(%error, sequence, behind, "the learner stands still"),
    }
    Ok(opened)
}

/// The state with the learner as its checkpoint has it.
fn ready(disk: Arc<dyn Disk>, params: &config::Params, clock: &dyn Clock) -> Result<Opened, Error> {
    let mut past = Past::new(params)?;
    let settings = settings(&params.store);
    let opened = Store::open(Arc::clone(&disk), settings, clock.now());
    let (store, recovery) = opened?;
    let mut reader = store.reader(1);
    while let Some((_, record)) = reader.next()? {
        past.note(&record);
    }
    tracing::info!(?recovery, "the journal is open");
    let store = Arc::new(store);
    let keyed = Keyed::open(params.store.dir.join("keyed"), random()?)?;
    // Keyed state that was lost comes back from the journal, so that no number gets a second text.
    for ((kind, team, version), text) in &past.versions {
        keyed.restore(*kind, team, *version, text)?;
    }
    let numbered = scorecards(params, &keyed, &past.versions, &store, clock)?;
    announce(params, &past, &store, clock)?;
    let learning = Arc::new(learning(params, &numbered)?);
    let checkpoints = Checkpoints::new(disk);
    let follower = Follower::open(
        Arc::clone(&store),
        checkpoints.clone(),
        Arc::clone(&learning),
    );
    let secret = keyed.secret().clone();
    Ok(Opened {
        store,
        follower,
        learning,
        accounts: Arc::new(past.accounts),
        warmth: Arc::new(past.warmth),
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

/// What the journal says on the way, beside what the store and the learner keep of it.
struct Past {
    versions: Versions,
    /// The newest budget of each team.
    budgets: BTreeMap<Name, Option<Budget>>,
    /// The newest baseline of each team, and the signals that guard it.
    baselines: BTreeMap<Name, Compared>,
    accounts: Accounts,
    warmth: Warmth,
}

impl Past {
    fn new(params: &config::Params) -> Result<Self, Error> {
        let limits = params.teams.iter().filter_map(|team| {
            let limit = team.budget.and_then(|budget| budget.limit)?;
            Some((team.name.clone(), limit))
        });
        Ok(Self {
            versions: Versions::new(),
            budgets: BTreeMap::new(),
            baselines: BTreeMap::new(),
            accounts: Accounts::new(limits)?,
            warmth: Warmth::default(),
        })
    }

    fn note(&mut self, record: &Record) {
        self.accounts.restore(record);
        self.warmth.note(record);
        match record {
            Record::Version {
                kind,
                team,
                version,
                text,
                ..
            } => {
                let key = (*kind, team.clone(), *version);
                self.versions.insert(key, text.clone());
            }
            Record::Budget { team, budget, .. } => {
                self.budgets.insert(team.clone(), *budget);
            }
            Record::Baseline {
                team, arm, guards, ..
            } => {
                let compared = (arm.clone(), guards.clone());
                self.baselines.insert(team.clone(), compared);
            }
            // Journals from before baselines were in them know theirs by what they took.
            Record::Decision(decision) if decision.origin == Origin::Baseline => {
                let arm = decision.drawn.arm();
                if self
                    .baselines
                    .get(&decision.team)
                    .is_none_or(|(a, _)| a.as_ref() != arm)
                {
                    let compared = (arm.cloned(), Vec::new());
                    self.baselines.insert(decision.team.clone(), compared);
                }
            }
            _ => {}
        }
    }
}

/// A team's baseline, and the signals in which the router may not be worse.
type Compared = (Option<Name>, Vec<Guard>);

/// The versions that the journal knows, with their texts.
type Versions = BTreeMap<(VersionKind, Name, u32), String>;

/// The number of each team's scorecard; one not seen before gets the next. A number whose record the
/// journal lacks (the power went between the two) is written again: the journal is the truth.
fn scorecards(
    params: &config::Params,
    keyed: &Keyed,
    known: &Versions,
    store: &Store,
    clock: &dyn Clock,
) -> Result<Vec<u32>, Error> {
    let mut numbered = Vec::with_capacity(params.teams.len());
    for team in &params.teams {
        let kind = VersionKind::Scorecard;
        let version = keyed
            .import(kind, &team.name, &team.scorecard_text)?
            .version;
        if !known.contains_key(&(kind, team.name.clone(), version)) {
            store.append(&Record::Version {
                kind,
                team: team.name.clone(),
                version,
                text: team.scorecard_text.clone(),
                time: clock.now(),
            })?;
        }
        numbered.push(version);
    }
    Ok(numbered)
}

/// Puts each budget and baseline that the configuration changed into the journal: who paces, who compares
/// and who audits read it there.
fn announce(
    params: &config::Params,
    known: &Past,
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
