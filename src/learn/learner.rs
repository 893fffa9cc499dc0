//! The learner: the state machine over journal records, for all teams.
//!
//! Not here: reading the journal and publishing (`follow`), one team's rules (`team`).

use super::ledger::Limits;
use super::snapshot::{ArmSnapshot, Snapshot, TeamSnapshot};
use super::team::{Team as State, Touched};
use crate::bandit::StateError;
use crate::decision::Decision;
use crate::id::{DecisionId, Name};
use crate::scorecard::Scorecard;
use crate::signal::{Feedback, Subject};
use crate::store::{Position, Record};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64;

/// What the learner is told about a team.
#[derive(Debug, Clone)]
pub struct Team {
    /// Its name.
    pub name: Name,
    /// Arms that it may be given.
    pub arms: Vec<Name>,
    /// What it calls good.
    pub scorecard: Arc<Scorecard>,
    /// Version of the scorecard.
    pub scorecard_version: u32,
    /// Length of a context.
    pub dim: usize,
    /// Ridge of the regressions (10 for contexts of squared norm up to 4).
    pub ridge: f64,
}

/// What the learner is told.
#[derive(Debug, Clone)]
pub struct Params {
    /// Every team.
    pub teams: BTreeMap<Name, Team>,
    /// Bounds of what stays open to late signals.
    pub limits: Limits,
}

impl Params {
    /// Changes when statistics learned under other parameters would no longer fit: shape of the
    /// scorecards, length of the context, ridge, bounds. Weights and dollars are not part of it:
    /// they re-score the same statistics.
    pub fn fingerprint(&self) -> u64 {
        let mut text = format!("{:?}", self.limits);
        for team in self.teams.values() {
            let scorecard = &team.scorecard;
            let signals = scorecard.signals().iter().map(|s| (&s.name, s.kind));
            let signals: Vec<_> = signals.collect();
            let shape = (&team.name, signals, scorecard.targets(), scorecard.groups());
            text.push_str(&format!("{shape:?}{:?}{:?}", team.dim, team.ridge));
        }
        xxh3_64(text.as_bytes())
    }
}

/// Reads a decision back: contexts are kept in the journal, not in memory.
pub trait Recall {
    /// The decision at `position`; `None` where it cannot be read (an event tells why).
    fn decision(&self, position: Position) -> Option<Box<Decision>>;
}

/// Most feedback kept for decisions that are not visible yet.
const PARKED: usize = 10_000;

/// Everything learned, and how far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Learner {
    sequence: u64,
    now: Timestamp,
    teams: BTreeMap<Name, State>,
    parked: VecDeque<(DecisionId, Feedback)>,
}

impl Learner {
    /// Knows nothing.
    pub fn new(params: &Params) -> Self {
        let teams =
            params.teams.iter().map(|(n, t)| (n.clone(), State::new(&t.scorecard))).collect();
        Self { sequence: 0, now: Timestamp::default(), teams, parked: VecDeque::new() }
    }

    /// Journal sequence learned up to.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Teams that the parameters have gained since a checkpoint was written.
    pub fn admit(&mut self, params: &Params) {
        for (name, team) in &params.teams {
            self.teams.entry(name.clone()).or_insert_with(|| State::new(&team.scorecard));
        }
    }

    /// Learns from one record. Returns the team and arms whose statistics changed.
    pub fn apply(
        &mut self,
        at: Position,
        record: &Record,
        params: &Params,
        recall: &dyn Recall,
    ) -> Vec<(Name, Touched)> {
        self.sequence = at.sequence;
        self.now = self.now.max(record.time());
        let mut changed: BTreeMap<Name, Touched> = self.advance(params, recall);
        if let Some(name) = record.team().cloned()
            && let Some(team) = params.teams.get(&name)
        {
            let touched = changed.entry(name).or_default();
            self.apply_to_team(at, record, team, recall, touched);
        }
        changed.into_iter().collect()
    }

    fn advance(&mut self, params: &Params, recall: &dyn Recall) -> BTreeMap<Name, Touched> {
        let mut changed = BTreeMap::new();
        for (name, state) in &mut self.teams {
            let Some(team) = params.teams.get(name) else { continue };
            let mut touched = Touched::new();
            state.advance(self.now, &params.limits, team, recall, &mut touched);
            if !touched.is_empty() {
                changed.insert(name.clone(), touched);
            }
        }
        changed
    }

    fn apply_to_team(
        &mut self,
        at: Position,
        record: &Record,
        team: &Team,
        recall: &dyn Recall,
        touched: &mut Touched,
    ) {
        let Some(state) = self.teams.get_mut(&team.name) else { return };
        match record {
            Record::Decision(decision) => {
                state.decided(decision, at, team, touched);
                self.unpark(decision.id, team, recall, touched);
            }
            Record::Attempt { attempt, .. } => state.attempted(attempt, team, recall, touched),
            Record::Feedback(feedback) => {
                if let Subject::Decision(id) = feedback.subject
                    && !state.ledger.knows(id)
                {
                    self.park(id, feedback);
                } else {
                    state.reported(feedback, team, recall, touched);
                }
            }
            Record::EpisodeClosed { episode, .. } => {
                state.close_episode(episode, team, recall, touched);
            }
            Record::Control { control, .. } => state.control = control.clone(),
            Record::Version { .. } | Record::Tick { .. } => {}
        }
    }

    /// Keeps feedback whose decision is not here. One that has left the window is late: it stays in
    /// the journal for replay and changes nothing here; the bound is what forgets it.
    fn park(&mut self, id: DecisionId, feedback: &Feedback) {
        if self.parked.len() >= PARKED {
            self.parked.pop_front();
        }
        self.parked.push_back((id, feedback.clone()));
    }

    fn unpark(&mut self, id: DecisionId, team: &Team, recall: &dyn Recall, touched: &mut Touched) {
        if self.parked.is_empty() {
            return;
        }
        let (mine, rest): (VecDeque<_>, VecDeque<_>) =
            std::mem::take(&mut self.parked).into_iter().partition(|(d, _)| *d == id);
        self.parked = rest;
        if let Some(state) = self.teams.get_mut(&team.name) {
            for (_, feedback) in &mine {
                state.reported(feedback, team, recall, touched);
            }
        }
    }

    /// A snapshot that shares with `previous` every arm not in `changed`.
    pub fn snapshot(
        &self,
        previous: &Snapshot,
        changed: &BTreeMap<Name, Touched>,
        params: &Params,
    ) -> Result<Snapshot, StateError> {
        let mut teams = previous.teams.clone();
        for (name, team) in &params.teams {
            let Some(state) = self.teams.get(name) else { continue };
            let old = previous.teams.get(name);
            let touched = changed.get(name);
            if let (Some(_), None) = (old, touched) {
                continue;
            }
            let fresh = Arc::new(ArmSnapshot::new(&state.fresh_arm(team)?));
            let arms = team.arms.iter().map(|arm| {
                let unchanged = touched.is_some_and(|t| !t.contains(arm));
                let kept = old.and_then(|o| o.arms.get(arm)).filter(|_| unchanged);
                let snapshot = match (kept, state.arms.get(arm)) {
                    (_, None) => Arc::clone(&fresh),
                    (Some(kept), Some(_)) => Arc::clone(kept),
                    (None, Some(arm)) => Arc::new(ArmSnapshot::new(arm)),
                };
                (arm.clone(), snapshot)
            });
            let snapshot = TeamSnapshot {
                scorecard: Arc::clone(&team.scorecard),
                scorecard_version: team.scorecard_version,
                arms: arms.collect(),
                samples: state.arms.values().map(|a| a.outcomes as f64).sum(),
                control: state.control.clone(),
            };
            teams.insert(name.clone(), Arc::new(snapshot));
        }
        Ok(Snapshot { version: self.sequence, teams })
    }

    /// When the next missing signal takes its value, so that somebody writes a tick then.
    pub fn next_closing(&self, params: &Params) -> Option<Timestamp> {
        let due = |(name, state): (&Name, &State)| {
            let groups = params.teams.get(name)?.scorecard.groups();
            state.ledger.next_closing(|g| groups.get(g).map_or(Duration::MAX, |g| g.closes_after))
        };
        self.teams.iter().filter_map(due).min()
    }

    /// Count, and mean of every target over all arms, of one team: what an operator is shown.
    pub fn outcomes(&self, team: &Name) -> Vec<(Name, u64)> {
        let arms = self.teams.get(team).map(|state| &state.arms);
        arms.into_iter().flatten().map(|(name, arm)| (name.clone(), arm.outcomes)).collect()
    }

    /// Whether every regression is whole: finite, positive definite, of the right shape.
    pub fn validate(&self, params: &Params) -> Result<(), StateError> {
        for (name, state) in &self.teams {
            if !params.teams.contains_key(name) {
                continue;
            }
            for arm in state.arms.values() {
                for ridge in arm.groups.iter().chain([&arm.usage]) {
                    ridge.validate()?;
                }
            }
        }
        Ok(())
    }
}
