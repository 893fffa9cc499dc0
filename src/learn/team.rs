//! One team's learning: records in, statistics out.
//!
//! Rules, stated because numbers depend on them:
//! - Every arm starts from the pooled mean of the team's arms (`pool`), else an optimist sticks on
//!   the first arm drawn (SCIENCE 2.2).
//! - A signal given for an episode is credited in full to each arm drawn in it.
//! - Of two values for one signal of one decision the later one received counts.
//! - At a group's closing time a signal still missing takes the value that the scorecard gives it.
//! - While frozen, outcomes change nothing, and are not caught up on later.
//! - Cost and latency teach only the arm that was both chosen and served.
//!
//! Not here: the order of records and time (`learner`).

use super::alarm::{Alarms, Step};
use super::arm::Arm;
use super::ledger::{self, Learned, Ledger, Limits};
use super::pool;
use super::{Recall, Team as Params};
use crate::bandit::StateError;
use crate::decision::{Attempt, Decision};
use crate::id::{DecisionId, Name};
use crate::scorecard::{Level, Scorecard, Target};
use crate::signal::{Change, Feedback, Subject};
use crate::store::{Control, Position};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// State of one team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Team {
    pub(super) arms: BTreeMap<Name, Arm>,
    pub(super) ledger: Ledger,
    pub(super) control: Control,
    pub(super) alarms: Alarms,
}

/// The arms whose statistics a record changed, for publishing.
pub(super) type Touched = BTreeSet<Name>;

impl Team {
    pub(super) fn new(scorecard: &Scorecard) -> Self {
        Self {
            arms: BTreeMap::new(),
            ledger: Ledger::new(scorecard.groups().len()),
            control: Control::default(),
            alarms: Alarms::default(),
        }
    }

    /// The statistics an arm would start from now.
    pub(super) fn fresh_arm(&self, params: &Params) -> Result<Arm, StateError> {
        fresh(&self.arms, params)
    }

    /// The statistics of an arm, started if there are none yet.
    fn arm(&mut self, name: &Name, params: &Params) -> Option<&mut Arm> {
        if !self.arms.contains_key(name) {
            let started = self
                .fresh_arm(params)
                .map_err(|error| not_learned(name, &error));
            self.arms.insert(name.clone(), started.ok()?);
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
        if decision.is_draw() {
            let new = !self.arms.contains_key(arm);
            if let Some(state) = self.arm(arm, params) {
                state.pulls += 1;
            }
            if new {
                touched.insert(arm.clone());
            }
        }
        if decision.context.is_some() && decision.feature_set != params.feature_set {
            return;
        }
        let entry = ledger::Entry {
            position,
            arm: arm.clone(),
            time: decision.time,
            episode: decision.episode.clone().filter(|_| decision.is_draw()),
            closed: 0,
            learned: Vec::new(),
            usage: Learned::default(),
        };
        self.ledger.open(decision.id, entry);
    }

    pub(super) fn attempted(
        &mut self,
        attempt: &Attempt,
        params: &Params,
        recall: &dyn Recall,
        touched: &mut Touched,
    ) {
        let Some(entry) = self.ledger.get_mut(attempt.decision) else {
            return;
        };
        if attempt.arm != entry.arm || attempt.error.is_some() || self.control.frozen {
            return;
        }
        let Some(decision) = recall.decision(entry.position) else {
            return;
        };
        let Some(x) = decision.context.as_deref() else {
            return;
        };
        let chosen = decision.drawn.chosen as usize;
        let reference = decision
            .drawn
            .reference_cost_usd
            .get(chosen)
            .copied()
            .unwrap_or(0.0);
        let ratio = attempt
            .cost
            .filter(|_| reference > 0.0)
            .map(|c| c.as_usd() / reference);
        let mut row = entry.usage.clone();
        let Some(arm) = self.arm(&attempt.arm, params) else {
            return;
        };
        if let Err(error) = arm.learn_usage(x, &mut row, ratio, attempt.latency_ms) {
            not_learned(&attempt.arm, &error);
        }
        touched.insert(attempt.arm.clone());
        if let Some(entry) = self.ledger.get_mut(attempt.decision) {
            entry.usage = row;
        }
    }

    pub(super) fn reported(
        &mut self,
        feedback: &Feedback,
        params: &Params,
        recall: &dyn Recall,
        touched: &mut Touched,
    ) {
        if self.control.frozen {
            return;
        }
        let (ids, level) = match &feedback.subject {
            Subject::Decision(id) => (vec![*id], None),
            Subject::Episode(name) => (self.ledger.draws(name), Some(Level::Episode)),
        };
        let mut changes: BTreeMap<usize, Vec<(usize, Option<f64>)>> = BTreeMap::new();
        for (name, change) in &feedback.signals {
            let Some(index) = params.scorecard.signal(name.as_str()) else {
                continue;
            };
            if level.is_some_and(|l| params.scorecard.signals()[index].level != l) {
                continue;
            }
            for (group, target, value) in targets_of(&params.scorecard, index, change) {
                changes.entry(group).or_default().push((target, value));
            }
        }
        for id in ids {
            for (group, changes) in &changes {
                if let Some(step) = self.learn(id, *group, changes, params, recall, touched) {
                    self.watch_arrived(&step, params, touched);
                }
            }
        }
    }

    /// Puts changes of one group of one decision into its arm's statistics; what that did.
    fn learn(
        &mut self,
        id: DecisionId,
        group: usize,
        changes: &[(usize, Option<f64>)],
        params: &Params,
        recall: &dyn Recall,
        touched: &mut Touched,
    ) -> Option<Step> {
        let entry = self.ledger.get_mut(id)?;
        let decision = recall.decision(entry.position)?;
        let x = decision.context.as_deref()?;
        let groups = params.scorecard.groups();
        entry.learned.resize(groups.len(), Learned::default());
        let mut row = entry.learned[group].clone();
        let before = row.clone();
        let (name, closed) = (entry.arm.clone(), entry.closed & (1 << group) != 0);
        let changes: Vec<_> = changes
            .iter()
            .map(|(t, v)| {
                (
                    *t,
                    v.or_else(|| missing_value(&params.scorecard, group).filter(|_| closed)),
                )
            })
            .collect();
        let arm = self.arm(&name, params)?;
        let expected = arm.expected(group, x, &row).unwrap_or_default();
        if let Err(error) = arm.learn(group, x, &mut row, &changes) {
            not_learned(&name, &error);
        }
        touched.insert(name.clone());
        if let Some(entry) = self.ledger.get_mut(id) {
            entry.learned[group] = row.clone();
        }
        if !pool::settled(&self.arms, group) {
            self.anchor(group, params, touched);
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

    /// Sets the prior of a group to the pooled means, for all arms alike.
    fn anchor(&mut self, group: usize, params: &Params, touched: &mut Touched) {
        let targets = params.scorecard.groups()[group].targets.len();
        let means = pool::means(&self.arms, group, targets);
        for (name, arm) in &mut self.arms {
            if let Err(error) = arm.anchor(group, &means, params.ridge) {
                not_learned(name, &error);
            }
        }
        // Arms without outcomes stand on the prior too.
        touched.extend(params.arms.iter().cloned());
    }

    /// Closes every group that is due, then lets go of what is past the window.
    pub(super) fn advance(
        &mut self,
        now: Timestamp,
        limits: &Limits,
        params: &Params,
        recall: &dyn Recall,
        touched: &mut Touched,
    ) {
        for group in 0..params.scorecard.groups().len() {
            let open_for = params.scorecard.groups()[group].closes_after;
            while let Some(id) = self.ledger.next_due(group, open_for, now) {
                self.close(id, group, params, recall, touched);
            }
        }
        self.ledger.evict(params.window(limits), limits.open, now);
    }

    /// Closes all groups of an episode's draws at once.
    pub(super) fn close_episode(
        &mut self,
        episode: &Name,
        params: &Params,
        recall: &dyn Recall,
        touched: &mut Touched,
    ) {
        for id in self.ledger.draws(episode) {
            for group in 0..params.scorecard.groups().len() {
                self.close(id, group, params, recall, touched);
            }
        }
    }

    fn close(
        &mut self,
        id: DecisionId,
        group: usize,
        params: &Params,
        recall: &dyn Recall,
        touched: &mut Touched,
    ) {
        let Some(entry) = self.ledger.get_mut(id) else {
            return;
        };
        if entry.closed & (1 << group) != 0 {
            return;
        }
        entry.closed |= 1 << group;
        let seen = entry.learned.get(group).map_or(0, |row| row.seen);
        let Some(value) = missing_value(&params.scorecard, group) else {
            return;
        };
        if self.control.frozen {
            return;
        }
        let targets = params.scorecard.groups()[group].targets.len();
        let changes: Vec<_> = (0..targets)
            .filter(|t| seen & (1 << t) == 0)
            .map(|t| (t, Some(value)))
            .collect();
        if let Some(step) = self.learn(id, group, &changes, params, recall, touched) {
            self.watch_closed(&step, params, touched);
        }
    }
}

/// A row that the statistics refuse is passed over, the same on every rebuild, and people are told.
fn not_learned(arm: &Name, error: &StateError) {
    tracing::warn!(%arm, %error, "a row was not learned");
}

/// An arm that starts from the pooled means.
fn fresh(arms: &BTreeMap<Name, Arm>, params: &Params) -> Result<Arm, StateError> {
    let groups = params.scorecard.groups().iter().enumerate();
    let means: Vec<Vec<f64>> = groups
        .map(|(g, group)| pool::means(arms, g, group.targets.len()))
        .collect();
    Arm::new(params.dim, params.ridge, &means)
}

/// What a missing signal of the group is worth when it closes: all of a group share the rule.
fn missing_value(scorecard: &Scorecard, group: usize) -> Option<f64> {
    scorecard.groups().get(group)?.missing.value()
}

/// The (group, target within it, value) changes of one signal. A value that the scorecard cannot
/// read was refused at the door; one recorded under an older scorecard is passed over.
fn targets_of(
    scorecard: &Scorecard,
    index: usize,
    change: &Change,
) -> Vec<(usize, usize, Option<f64>)> {
    let value = match change {
        Change::Retracted => None,
        Change::Observed(v) | Change::Corrected(v) => match scorecard.normalise(index, v) {
            Ok(Some(value)) => Some(value),
            Ok(None) | Err(_) => return Vec::new(),
        },
    };
    let of_signal = scorecard
        .targets()
        .iter()
        .enumerate()
        .filter(|(_, t)| t.signal == index);
    let place = |(number, target): (usize, &Target)| {
        let within = scorecard
            .groups()
            .get(target.group)?
            .targets
            .iter()
            .position(|t| *t == number)?;
        Some((target.group, within, value.map(|v| target.value(v))))
    };
    of_signal.filter_map(place).collect()
}
