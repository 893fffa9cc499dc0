//! One team's learning: records in, statistics out.
//!
//! Rules, stated because numbers depend on them:
//! - Every arm starts from, and stands on, what the team's arms have in common (`pool`), else an optimist
//!   sticks on the first arm drawn (SCIENCE 2.2).
//! - An episode's signal, and its closing, belong to every draw of it ([`Subject::Episode`]), in full.
//! - Of two values for one signal of one decision the later one received counts.
//! - At a group's closing time a signal still missing takes the value that the scorecard gives it. A
//!   decision that inherited its arm has no episode signals to miss: they are its draw's.
//! - While frozen, outcomes change nothing, and are not caught up on later.
//! - Everything learned fades with the team's draws, and an arm that was noticed to have changed lets go of
//!   most of it (`bandit::Tempo`).
//! - A decision whose record is damaged on disk teaches nothing more; what it taught before stays.
//! - Rows of an outcome table that was taught enter the same regressions (`seed`).
//!
//! Invariants: where a decision cannot be read back, the step fails with nothing changed, or at a place
//! from which the same record again goes on, and ends with the bits of a step that never failed.
//!
//! Not here: the order of records and time (`learner`), what closes when (`closing`), tokens, time and money
//! (`usage`).

use super::alarm::{Alarms, Step};
use super::arm::Arm;
use super::comparison::Comparison;
use super::ledger::{self, Learned, Ledger, Limits};
use super::newcomer::Newcomer;
use super::pacing::Pacing;
use super::pool::Pool;
use super::served::set_down;
use super::silence::{Silences, silence};
use super::told::{Changes, Told, Waiting};
use super::trial::Trials;
use super::{Recall, Team as Params};
use crate::bandit::{StateError, Tempo};
use crate::decision::Decision;
use crate::id::{DecisionId, Name};
use crate::signal::{Feedback, Guard, Subject};
use crate::store::{self, Control, Position};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// State of one team.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Team {
    pub(super) arms: BTreeMap<Name, Arm>,
    /// Decisions of the team, forgotten as its arms forget.
    pub(super) tempo: Tempo,
    pub(super) pool: Pool,
    pub(super) ledger: Ledger,
    pub(super) waiting: Waiting,
    pub(super) control: Control,
    pub(super) alarms: Alarms,
    pub(super) pacing: Pacing,
    /// How often nothing came of an arm.
    pub(super) silences: Silences,
    /// With the baseline, while there is one.
    pub(super) comparison: Option<Comparison>,
    /// The signals that are watched in it, as the configuration has them now.
    pub(super) guards: Vec<Guard>,
    /// Arms that joined later.
    pub(super) newcomers: BTreeMap<Name, Newcomer>,
    pub(super) trials: Trials,
}

/// What a step of learning goes by.
#[derive(Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) params: &'a Params,
    pub(super) limits: &'a Limits,
    pub(super) recall: &'a dyn Recall,
    /// Time of the newest record.
    pub(super) now: Timestamp,
}

/// The arms whose statistics a record changed, for publishing.
pub(super) type Touched = BTreeSet<Name>;

impl Team {
    pub(super) fn new(params: &Params) -> Self {
        let groups = params.scorecard.groups().iter();
        let targets = groups.map(|group| group.targets.len()).collect();
        Self {
            arms: BTreeMap::new(),
            tempo: Tempo::default(),
            pool: Pool::new(params),
            ledger: Ledger::new(targets),
            waiting: Waiting::default(),
            control: Control::default(),
            alarms: Alarms::default(),
            pacing: Pacing::default(),
            silences: Silences::default(),
            comparison: None,
            newcomers: BTreeMap::new(),
            guards: Vec::new(),
            trials: Trials::default(),
        }
    }

    /// The statistics an arm would start from now.
    pub(super) fn fresh_arm(&self) -> Result<Arm, StateError> {
        self.pool.fresh()
    }

    /// The statistics of an arm, started if there are none yet.
    pub(super) fn arm(&mut self, name: &Name) -> Option<&mut Arm> {
        if !self.arms.contains_key(name) {
            let started = self.fresh_arm().map_err(|error| not_learned(name, &error));
            let mut arm = started.ok()?;
            arm.tempo = Tempo::joining(&self.tempo);
            self.arms.insert(name.clone(), arm);
        }
        self.arms.get_mut(name)
    }

    pub(super) fn decided(
        &mut self,
        decision: &Decision,
        position: Position,
        params: &Params,
        touched: &mut Touched,
    ) {
        let Some(arm) = decision.drawn.arm() else {
            return;
        };
        let predicted_usd = self.pacing.decided(decision);
        if decision.is_draw() {
            self.meet(decision, position.sequence);
            self.tick(params, touched);
            let new = !self.arms.contains_key(arm);
            if let Some(state) = self.arm(arm) {
                state.pulls += 1;
            }
            if new {
                touched.insert(arm.clone());
            }
        }
        let mut told = self.waiting.take(&Subject::Decision(decision.id));
        if decision.context.is_some() && decision.feature_set != params.feature_set {
            return;
        }
        let mut entry = ledger::Entry::new(decision, arm, position, predicted_usd);
        entry.trial = self.trial(decision, position.sequence, params);
        self.ledger.open(decision.id, entry);
        let mut closed = false;
        if let Some(episode) = &decision.episode {
            let early = self.waiting.take(&Subject::Episode(episode.clone()));
            self.ledger.tell(episode, &early);
            if decision.is_draw()
                && let Some(said) = self.ledger.told(episode)
            {
                told.merge(said);
            }
            closed = self.ledger.is_closed(episode);
        }
        self.credit(decision.id, decision, &told, params, touched);
        if closed {
            for group in 0..params.scorecard.groups().len() {
                let unsaid = self.unsaid(decision.id, group, params);
                let (id, of) = (decision.id, Some(decision));
                self.close(id, of, (group, unsaid), params, touched);
            }
        }
    }

    /// One more draw: what was learned fades, unless it is frozen.
    fn tick(&mut self, params: &Params, touched: &mut Touched) {
        if self.control.frozen {
            return;
        }
        self.tempo.tick();
        for (name, arm) in &mut self.arms {
            match arm.tick() {
                Ok(true) => drop(touched.insert(name.clone())),
                Ok(false) => {}
                Err(error) => tracing::warn!(arm = %name, %error, "an arm did not forget"),
            }
        }
        let moved = self.pool.drawn(&mut self.arms);
        self.moved(moved, params, touched);
    }

    pub(super) fn reported(
        &mut self,
        feedback: &Feedback,
        sequence: u64,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        if self.control.frozen {
            return Ok(());
        }
        let told = Told::of(feedback, sequence, &scope.params.scorecard);
        if told.is_empty() {
            return Ok(());
        }
        let window = scope.params.window(scope.limits);
        let shelf = scope.recall.shelf();
        if let Subject::Decision(id) = &feedback.subject {
            self.ledger.bring(*id, shelf)?;
        }
        let ids = match &feedback.subject {
            Subject::Decision(id) if self.ledger.knows(*id) => vec![*id],
            // Past the window it is late: it stays in the journal for replay.
            Subject::Decision(id) if id.minted().after(window) < scope.now => return Ok(()),
            Subject::Episode(name) if self.ledger.knows_episode(name) => {
                self.ledger.bring_draws(name, shelf)?
            }
            early => {
                self.waiting.keep(early, &told, scope.now);
                return Ok(());
            }
        };
        // All of them are read before anything changes.
        let mut decisions = Vec::with_capacity(ids.len());
        for id in ids {
            if let Some(entry) = self.ledger.get(id)
                && let Some(decision) = scope.recall.decision(entry.position)?
            {
                decisions.push((id, decision));
            }
        }
        if let Subject::Episode(name) = &feedback.subject {
            self.ledger.tell(name, &told);
        }
        for (id, decision) in decisions {
            self.credit(id, &decision, &told, scope.params, touched);
        }
        Ok(())
    }

    /// Credits a decision with what was told of it.
    fn credit(
        &mut self,
        id: DecisionId,
        decision: &Decision,
        told: &Told,
        params: &Params,
        touched: &mut Touched,
    ) {
        if self.control.frozen {
            return;
        }
        if !told.is_empty() {
            self.heard_of(id);
        }
        for (group, changes) in told.changes(&params.scorecard) {
            if let Some(step) = self.learn(id, decision, (group, changes), params, touched) {
                self.watch_arrived(&step, params, touched);
            }
        }
    }

    /// Puts changes of one group of one decision into its arm's statistics, if that arm served it; what that did.
    pub(super) fn learn(
        &mut self,
        id: DecisionId,
        decision: &Decision,
        (group, mut changes): (usize, Changes),
        params: &Params,
        touched: &mut Touched,
    ) -> Option<Step> {
        let entry = self.ledger.get_mut(id)?;
        let x = decision.context.as_deref()?;
        let groups = params.scorecard.groups();
        entry.learned.resize(groups.len(), Learned::default());
        let mut row = entry.learned[group].clone();
        let before = row.clone();
        let name = entry.arm.clone();
        if entry.closed & (1 << group) != 0 {
            let silence = silence(&params.scorecard, entry, group);
            changes
                .iter_mut()
                .for_each(|(_, value)| *value = value.or(silence));
        }
        if entry.served == Some(false) {
            changes = set_down(entry, group, changes, params)?;
        }
        let arm = self.arm(&name)?;
        let expected = arm.expected(group, x, &row).unwrap_or_default();
        if let Err(error) = arm.learn(group, x, &mut row, &changes) {
            not_learned(&name, &error);
        }
        touched.insert(name.clone());
        if let Some(entry) = self.ledger.get_mut(id) {
            entry.learned[group] = row.clone();
        }
        if row != before {
            let entered = i64::from(before.used.is_empty()) - i64::from(row.used.is_empty());
            self.changed(group, entered, params, touched);
            self.tried((group, &name), x, (&before, &row), params, touched);
        }
        Some(Step {
            id,
            arm: name,
            time: decision.time,
            group,
            expected,
            before,
            after: row,
        })
    }

    /// A group has changed: now and then that moves the prior of all arms.
    pub(super) fn changed(
        &mut self,
        group: usize,
        entered: i64,
        params: &Params,
        touched: &mut Touched,
    ) {
        let moved = self.pool.changed(group, entered, &mut self.arms);
        self.moved(moved, params, touched);
    }

    fn moved(&self, moved: Result<bool, StateError>, params: &Params, touched: &mut Touched) {
        match moved {
            // Arms without outcomes stand on the prior too.
            Ok(true) => touched.extend(params.arms.iter().cloned()),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "the arms' common prior was not estimated"),
        }
    }
}

/// A row that the statistics refuse is passed over, the same on every rebuild, and people are told.
pub(super) fn not_learned(arm: &Name, error: &StateError) {
    tracing::warn!(%arm, %error, "a row was not learned");
}
