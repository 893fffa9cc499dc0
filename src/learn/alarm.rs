//! Alarms: each arm's outcomes are watched, signal by signal, and a change is told.
//!
//! Rules, stated because alarms depend on them:
//! - A value is watched once, beside what the regression expected before it was learned; corrections
//!   and imputed values are not.
//! - A signal whose absence is unknown is watched as its values arrive. One whose absence has a value
//!   (harm that did not happen is not reported) is watched when its group closes, in the order of
//!   decisions: harm is reported at once and its absence known only at the closing time, so in the order
//!   of arrival any rise in traffic would look like a rise in harm. The price: no alarm of such a signal
//!   comes sooner than its closing time, unless episodes are closed before.
//! - For the same reason such a regression holds more harm than there is, while decisions are open. What
//!   is expected is therefore moved by the mean of what has closed less the mean of all that is learned.
//!   (Simulated: 120 open decisions of an arm, harm in 15 of 100: without the move, 4 of 30 quiet runs of
//!   1500 outcomes alarmed, with it none of 40.)
//! - A signal of an episode is watched once for each arm, at its first draw: one value is credited to
//!   every draw, and would count as often.
//! - While frozen, nothing is watched.
//!
//! Invariants: the same records raise the same alarms; at most [`KEPT`] alarms a team are kept.
//!
//! Not here: the evidence (`bandit::Detector`), telling people (`server`), relearning faster.

use super::Team as Params;
use super::ledger::Learned;
use super::team::{Team, Touched};
use crate::bandit::{Change, Detector, Direction};
use crate::id::{DecisionId, Name};
use crate::scorecard::Level;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

/// Most alarms of a team that are kept.
const KEPT: usize = 64;

/// An arm changed in one signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alarm {
    /// The arm.
    pub arm: Name,
    /// The signal.
    pub signal: Name,
    /// Which way.
    pub direction: Direction,
    /// When the first decision after the estimated change was made.
    pub began: Timestamp,
    /// Outcomes since then.
    pub outcomes: u64,
    /// When it was raised: the time of the record that did it.
    pub raised: Timestamp,
    /// Journal sequence of that record.
    pub sequence: u64,
    /// Mean that was expected of these outcomes, 0 worst to 1 best.
    pub before: f64,
    /// Mean that they had.
    pub after: f64,
    /// How many times more likely they are under a change than under none.
    pub evidence: f64,
}

/// What one team's arms are watched with, and what was noticed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Alarms {
    /// By arm, then signal.
    watches: BTreeMap<Name, Vec<Watch>>,
    raised: VecDeque<Alarm>,
    /// The record being learned.
    #[serde(skip)]
    now: (u64, Timestamp),
}

/// One signal of one arm.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Watch {
    detector: Detector,
    /// How many values were watched, and their sum.
    watched: (u64, f64),
    /// When the decisions were made at which the evidence of each side began.
    falling_since: Timestamp,
    rising_since: Timestamp,
}

/// A row of one group, as it stood before and after something was learned of it.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) id: DecisionId,
    pub(super) arm: Name,
    /// When the decision was made.
    pub(super) time: Timestamp,
    pub(super) group: usize,
    /// What the regression expected of each target.
    pub(super) expected: Vec<f64>,
    pub(super) before: Learned,
    pub(super) after: Learned,
}

impl Alarms {
    /// The record that is being learned.
    pub(super) fn at(&mut self, sequence: u64, now: Timestamp) {
        self.now = (sequence, now);
    }

    /// Alarms, oldest first.
    pub(super) fn raised(&self) -> impl Iterator<Item = &Alarm> {
        self.raised.iter()
    }

    /// The alarms to publish; those published before, where nothing is new.
    pub(super) fn published(&self, before: Option<&Arc<[Alarm]>>) -> Arc<[Alarm]> {
        match before {
            Some(before) if before.last() == self.raised.back() => Arc::clone(before),
            _ => self.raised.iter().cloned().collect(),
        }
    }

    /// Whether every detector is whole.
    pub(super) fn are_whole(&self) -> bool {
        let mut watches = self.watches.values().flatten();
        watches.all(|watch| watch.detector.is_whole() && watch.watched.1.is_finite())
    }

    fn watch(&mut self, arm: &Name, signal: usize) -> &mut Watch {
        let watches = self.watches.entry(arm.clone()).or_default();
        if watches.len() <= signal {
            watches.resize(signal + 1, Watch::default());
        }
        &mut watches[signal]
    }

    fn raise(&mut self, alarm: Alarm) {
        if self.raised.len() >= KEPT {
            self.raised.pop_front();
        }
        self.raised.push_back(alarm);
    }
}

impl Team {
    /// Watches values that arrived: those of signals whose absence is unknown.
    pub(super) fn watch_arrived(&mut self, step: &Step, params: &Params, touched: &mut Touched) {
        let Some(group) = params.scorecard.groups().get(step.group) else {
            return;
        };
        if group.missing.value().is_none() {
            let fresh = |target: usize| step.before.observed(target).is_none();
            self.watch(step, fresh, params, touched);
        }
    }

    /// Watches the values of a group that closed: those of signals whose absence has a value.
    pub(super) fn watch_closed(&mut self, step: &Step, params: &Params, touched: &mut Touched) {
        self.watch(step, |_| true, params, touched);
    }

    fn watch(
        &mut self,
        step: &Step,
        fresh: impl Fn(usize) -> bool,
        params: &Params,
        touched: &mut Touched,
    ) {
        let Some(group) = params.scorecard.groups().get(step.group) else {
            return;
        };
        if group.level == Level::Episode && !self.ledger.leads(step.id) {
            return;
        }
        for (within, (number, expected)) in group.targets.iter().zip(&step.expected).enumerate() {
            let target = &params.scorecard.targets()[*number];
            let value = step.after.observed(within).filter(|_| fresh(within));
            let Some(value) = value.filter(|_| target.gate.is_none()) else {
                continue;
            };
            let learned = self.arms.get(&step.arm).and_then(|arm| {
                let assumes = group.missing.value().is_some();
                let observed = arm.observed.get(step.group)?.get(within);
                observed.filter(|_| assumes).copied()
            });
            let watch = self.alarms.watch(&step.arm, target.signal);
            let expected = expected + watch.closed_less(learned);
            let Some((change, began)) = watch.add(expected, value, step.time) else {
                continue;
            };
            let (sequence, raised) = self.alarms.now;
            self.alarms.raise(Alarm {
                arm: step.arm.clone(),
                signal: target.name.clone(),
                direction: change.direction,
                began,
                outcomes: change.outcomes,
                raised,
                sequence,
                before: change.before,
                after: change.after,
                evidence: change.evidence,
            });
            touched.insert(step.arm.clone());
        }
    }
}

impl Watch {
    /// Mean of what was watched less the mean of what was learned, given as count and sum.
    fn closed_less(&self, learned: Option<(u64, f64)>) -> f64 {
        match learned {
            Some((count, sum)) if count > 0 && self.watched.0 > 0 => {
                self.watched.1 / self.watched.0 as f64 - sum / count as f64
            }
            _ => 0.0,
        }
    }

    /// One more value of a decision made at `time`; the change noticed, and when it began.
    fn add(&mut self, expected: f64, value: f64, time: Timestamp) -> Option<(Change, Timestamp)> {
        self.watched.0 += 1;
        self.watched.1 += value;
        let change = self.detector.watch(expected, value);
        if self.detector.run(Direction::Fell) == 1 {
            self.falling_since = time;
        }
        if self.detector.run(Direction::Rose) == 1 {
            self.rising_since = time;
        }
        change.map(|change| match change.direction {
            Direction::Fell => (change, self.falling_since),
            Direction::Rose => (change, self.rising_since),
        })
    }
}
