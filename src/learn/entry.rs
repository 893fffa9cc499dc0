//! One decision that may still change what is learned, and the rows that it has put into the regressions.
//!
//! Invariants: what it says is a function of the journal; one that was read from disk is checked against the
//! scorecard's shape before anything is computed with it ([`Entry::is_whole`]).
//!
//! Not here: which entries there are (`ledger`), where they lie (`page`).

use super::guard::Trial;
use super::usage::{self, Row};
use crate::bandit::Fading;
use crate::decision::Decision;
use crate::id::Name;
use crate::store::Position;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

/// One decision that may still change what is learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Where its record is, for the context.
    pub(super) position: Position,
    /// The arm chosen.
    pub(super) arm: Name,
    /// When.
    pub(super) time: Timestamp,
    /// Its episode.
    pub(super) episode: Option<Name>,
    /// Whether it drew its arm: what is said of the episode is credited to its draws.
    pub(super) draw: bool,
    /// Bit g set: group g is closed.
    pub(super) closed: u32,
    /// What was learned, group by group; empty until the first signal.
    pub(super) learned: Vec<Learned>,
    /// What was learned of what its attempts used.
    pub(super) usage: Row,
    /// What its team's pacing takes it to cost beside its attempts so far; absent where it has none.
    pub(super) predicted_usd: Option<f64>,
    /// Whether the arm chosen served it. Absent: not told.
    pub(super) served: Option<bool>,
    /// Where it did not, group by group: what was said of it, in no regression.
    pub(super) set_down: Vec<Learned>,
    /// Its part in what is compared (the baseline, newcomers), until it is scored.
    pub(super) trial: Option<Trial>,
}

/// The row that one decision has put into one group's regression.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Learned {
    /// Values in the regression, one for each target; empty: the row is not in it.
    pub(super) used: Vec<f64>,
    /// Bit j set: target j was observed (else imputed).
    pub(super) seen: u32,
    /// When it entered, in what its arm has forgotten.
    pub(super) entered: Fading,
}

impl Entry {
    /// Nothing is learned from it yet.
    pub(super) fn new(
        decision: &Decision,
        arm: &Name,
        position: Position,
        predicted_usd: Option<f64>,
    ) -> Self {
        Self {
            position,
            arm: arm.clone(),
            time: decision.time,
            episode: decision.episode.clone(),
            draw: decision.is_draw(),
            closed: 0,
            learned: Vec::new(),
            usage: Row::default(),
            predicted_usd,
            served: None,
            set_down: Vec::new(),
            trial: None,
        }
    }
}

impl Entry {
    /// The value of a group's target, if it was observed, whoever served.
    pub(super) fn observed(&self, group: usize, target: usize) -> Option<f64> {
        let rows = [self.learned.get(group), self.set_down.get(group)];
        rows.into_iter()
            .flatten()
            .find_map(|row| row.observed(target))
    }

    /// Whether it fits a scorecard whose groups have `targets` targets: asked of what was read from disk.
    pub(super) fn is_whole(&self, targets: &[usize]) -> bool {
        let rows = |rows: &[Learned]| {
            let groups = rows.is_empty() || rows.len() == targets.len();
            groups && rows.iter().zip(targets).all(|(row, n)| row.is_whole(*n))
        };
        rows(&self.learned)
            && rows(&self.set_down)
            && self.trial.as_ref().is_none_or(Trial::is_whole)
            && self.usage.learned.is_whole(usage::TARGETS)
    }

    /// Bit j set: target j of the group was observed, whoever served.
    pub(super) fn seen(&self, group: usize) -> u32 {
        let rows = [self.learned.get(group), self.set_down.get(group)];
        rows.into_iter()
            .flatten()
            .fold(0, |seen, row| seen | row.seen)
    }
}

impl Learned {
    fn is_whole(&self, targets: usize) -> bool {
        let shape = self.used.is_empty() || self.used.len() == targets;
        shape && self.used.iter().all(|v| v.is_finite()) && self.entered.is_whole()
    }

    /// The value of a target, if it was observed.
    pub(super) fn observed(&self, target: usize) -> Option<f64> {
        self.used
            .get(target)
            .copied()
            .filter(|_| self.seen & (1 << target) != 0)
    }
}
