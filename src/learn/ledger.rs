//! The ledger: what has been learned from each recent decision, so that a late signal, a correction
//! or a retraction changes exactly what the first one did, and a missing signal takes its value at
//! its closing time.
//!
//! Invariants: entries stand in journal order; each (entry, group) closes once; at most
//! `Limits::open` entries, the oldest leave first; everything here is in the checkpoint.
//!
//! Not here: what a signal is worth (`scorecard`), the regressions (`bandit`).

use crate::id::{DecisionId, Name};
use crate::store::Position;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// Bounds of the ledger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// How long after the last of its signals has closed a decision may still change what is learned:
    /// for corrections and retractions. Later feedback is late.
    pub grace: Duration,
    /// Most decisions kept (about 200 bytes each, before feedback).
    pub open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(7 * 24 * 3600),
            open: 1_000_000,
        }
    }
}

/// One decision that may still change what is learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Where its record is, for the context.
    pub(super) position: Position,
    /// The arm chosen.
    pub(super) arm: Name,
    /// When.
    pub(super) time: Timestamp,
    /// Its episode, if it drew for one.
    pub(super) episode: Option<Name>,
    /// Bit g set: group g is closed.
    pub(super) closed: u32,
    /// What was learned, group by group; empty until the first signal.
    pub(super) learned: Vec<Learned>,
    /// What was learned of cost and latency.
    pub(super) usage: Learned,
}

/// The row that one decision has put into one group's regression.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Learned {
    /// Values in the regression, one for each target; empty: the row is not in it.
    pub(super) used: Vec<f64>,
    /// Bit j set: target j was observed (else imputed).
    pub(super) seen: u32,
}

impl Learned {
    /// The value of a target, if it was observed.
    pub(super) fn observed(&self, target: usize) -> Option<f64> {
        self.used
            .get(target)
            .copied()
            .filter(|_| self.seen & (1 << target) != 0)
    }
}

/// Recent decisions of one team, in journal order.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    entries: BTreeMap<DecisionId, Entry>,
    order: VecDeque<(Timestamp, DecisionId)>,
    /// Entries that have left: `order[i]` is entry number `left + i`.
    left: u64,
    /// For each group, the number of the next entry to close.
    next_to_close: Vec<u64>,
    episodes: BTreeMap<Name, Vec<DecisionId>>,
}

impl Ledger {
    pub(super) fn new(groups: usize) -> Self {
        Self {
            next_to_close: vec![0; groups],
            ..Self::default()
        }
    }

    pub(super) fn open(&mut self, id: DecisionId, entry: Entry) {
        self.order.push_back((entry.time, id));
        if let Some(episode) = &entry.episode {
            self.episodes.entry(episode.clone()).or_default().push(id);
        }
        self.entries.insert(id, entry);
    }

    pub(super) fn get_mut(&mut self, id: DecisionId) -> Option<&mut Entry> {
        self.entries.get_mut(&id)
    }

    pub(super) fn knows(&self, id: DecisionId) -> bool {
        self.entries.contains_key(&id)
    }

    /// The draws of an episode, oldest first.
    pub(super) fn draws(&self, episode: &Name) -> Vec<DecisionId> {
        self.episodes.get(episode).cloned().unwrap_or_default()
    }

    /// Whether a decision is its arm's first draw of its episode; without an episode it is.
    pub(super) fn leads(&self, id: DecisionId) -> bool {
        let Some(entry) = self.entries.get(&id) else {
            return false;
        };
        let draws = entry.episode.as_ref().and_then(|e| self.episodes.get(e));
        let same_arm = |d: &&DecisionId| self.entries.get(d).is_some_and(|e| e.arm == entry.arm);
        draws.is_none_or(|draws| draws.iter().find(same_arm) == Some(&id))
    }

    /// The next decision whose group `group` is due at `now`, given how long the group stays open.
    pub(super) fn next_due(
        &mut self,
        group: usize,
        open_for: Duration,
        now: Timestamp,
    ) -> Option<DecisionId> {
        let next = self.next_to_close.get_mut(group)?;
        *next = (*next).max(self.left);
        let index = usize::try_from(*next - self.left).ok()?;
        let (time, id) = self.order.get(index)?;
        if time.after(open_for) > now {
            return None;
        }
        *next += 1;
        Some(*id)
    }

    /// Lets go of entries older than `window` or over the count of `open`.
    pub(super) fn evict(&mut self, window: Duration, open: usize, now: Timestamp) {
        while let Some((time, id)) = self.order.front().copied() {
            if time.after(window) > now && self.order.len() <= open {
                break;
            }
            self.order.pop_front();
            self.left += 1;
            let episode = self.entries.remove(&id).and_then(|e| e.episode);
            if let Some(episode) = episode
                && let Some(draws) = self.episodes.get_mut(&episode)
            {
                draws.retain(|d| *d != id);
                if draws.is_empty() {
                    self.episodes.remove(&episode);
                }
            }
        }
    }

    /// When the first group still open will close, for whoever keeps time.
    pub(super) fn next_closing(&self, open_for: impl Fn(usize) -> Duration) -> Option<Timestamp> {
        let due = |(group, next): (usize, &u64)| {
            let index = usize::try_from(next.saturating_sub(self.left)).ok()?;
            self.order
                .get(index)
                .map(|(time, _)| time.after(open_for(group)))
        };
        self.next_to_close.iter().enumerate().filter_map(due).min()
    }
}
