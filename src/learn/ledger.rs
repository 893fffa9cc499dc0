//! The ledger: what has been learned from each recent decision, so that a late signal, a correction
//! or a retraction changes exactly what the first one did, and a missing signal takes its value at
//! its closing time.
//!
//! Invariants: entries stand in journal order; each (entry, group) closes once; at most
//! `Limits::open` entries, the oldest leave first; everything here is in the checkpoint.
//!
//! Not here: what a signal is worth (`scorecard`), the regressions (`bandit`).

use super::guard::Trial;
use super::told::Told;
use super::usage::{self, Row};
use crate::bandit::Fading;
use crate::decision::Decision;
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

    /// Bit j set: target j of the group was observed, whoever served.
    pub(super) fn seen(&self, group: usize) -> u32 {
        let rows = [self.learned.get(group), self.set_down.get(group)];
        rows.into_iter()
            .flatten()
            .fold(0, |seen, row| seen | row.seen)
    }
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
    /// Those of them that made room before all their signals had closed.
    crowded_out: u64,
    /// For each group, the number of the next entry to close.
    next_to_close: Vec<u64>,
    episodes: BTreeMap<Name, Episode>,
}

/// An episode that has decisions here.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Episode {
    /// Oldest first.
    decisions: Vec<DecisionId>,
    /// What was said of it, for draws still to come.
    told: Told,
    closed: bool,
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
        if let Some(name) = &entry.episode {
            let episode = self.episodes.entry(name.clone()).or_default();
            episode.decisions.push(id);
        }
        self.entries.insert(id, entry);
    }

    pub(super) fn get(&self, id: DecisionId) -> Option<&Entry> {
        self.entries.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: DecisionId) -> Option<&mut Entry> {
        self.entries.get_mut(&id)
    }

    pub(super) fn knows(&self, id: DecisionId) -> bool {
        self.entries.contains_key(&id)
    }

    pub(super) fn knows_episode(&self, episode: &Name) -> bool {
        self.episodes.contains_key(episode)
    }

    /// The decisions of an episode, oldest first.
    pub(super) fn decisions(&self, episode: &Name) -> Vec<DecisionId> {
        let known = self.episodes.get(episode);
        known.map_or_else(Vec::new, |episode| episode.decisions.clone())
    }

    /// The draws among them.
    pub(super) fn draws(&self, episode: &Name) -> Vec<DecisionId> {
        let mut draws = self.decisions(episode);
        draws.retain(|id| self.get(*id).is_some_and(|entry| entry.draw));
        draws
    }

    /// Keeps what was said of an episode that has decisions here.
    pub(super) fn tell(&mut self, episode: &Name, told: &Told) {
        if let Some(episode) = self.episodes.get_mut(episode) {
            episode.told.merge(told);
        }
    }

    /// What was said of an episode.
    pub(super) fn told(&self, episode: &Name) -> Option<&Told> {
        self.episodes.get(episode).map(|episode| &episode.told)
    }

    /// Notes that an episode is closed.
    pub(super) fn close_episode(&mut self, episode: &Name) {
        if let Some(episode) = self.episodes.get_mut(episode) {
            episode.closed = true;
        }
    }

    pub(super) fn is_closed(&self, episode: &Name) -> bool {
        let known = self.episodes.get(episode);
        known.is_some_and(|episode| episode.closed)
    }

    /// Whether a decision is its arm's first draw of its episode; without an episode it is.
    pub(super) fn leads(&self, id: DecisionId) -> bool {
        let Some(entry) = self.entries.get(&id) else {
            return false;
        };
        let episode = entry.episode.as_ref().and_then(|e| self.episodes.get(e));
        let rival = |e: &Entry| e.draw && e.arm == entry.arm;
        let first = |d: &&DecisionId| self.entries.get(d).is_some_and(rival);
        episode.is_none_or(|episode| episode.decisions.iter().find(first) == Some(&id))
    }

    /// The next decision whose group `group` is due at `now`, given how long the group stays open.
    /// The same one again until [`Ledger::passed`].
    pub(super) fn due(
        &mut self,
        group: usize,
        open_for: Duration,
        now: Timestamp,
    ) -> Option<DecisionId> {
        let next = self.next_to_close.get_mut(group)?;
        *next = (*next).max(self.left);
        let index = usize::try_from(*next - self.left).ok()?;
        let (time, id) = self.order.get(index)?;
        (time.after(open_for) <= now).then_some(*id)
    }

    /// The decision that was due has closed.
    pub(super) fn passed(&mut self, group: usize) {
        if let Some(next) = self.next_to_close.get_mut(group) {
            *next += 1;
        }
    }

    /// What waits for its score, of each open decision.
    pub(super) fn trials_mut(&mut self) -> impl Iterator<Item = &mut Option<Trial>> {
        self.entries.values_mut().map(|entry| &mut entry.trial)
    }

    /// Lets go of entries older than `window` or over the count of `open`. Whether one of them was the first that
    /// had to make room before all its signals had closed.
    pub(super) fn evict(&mut self, window: Duration, open: usize, now: Timestamp) -> bool {
        let before = self.crowded_out;
        let groups = self.next_to_close.len();
        while let Some((time, id)) = self.order.front().copied() {
            if time.after(window) > now && self.order.len() <= open {
                break;
            }
            self.order.pop_front();
            self.left += 1;
            let entry = self.entries.remove(&id);
            let closed = |g: usize| entry.as_ref().is_none_or(|e| e.closed & (1 << g) != 0);
            self.crowded_out += u64::from(!(0..groups).all(closed));
            let name = entry.and_then(|entry| entry.episode);
            if let Some(name) = name
                && let Some(episode) = self.episodes.get_mut(&name)
            {
                episode.decisions.retain(|d| *d != id);
                if episode.decisions.is_empty() {
                    self.episodes.remove(&name);
                }
            }
        }
        before == 0 && self.crowded_out > 0
    }

    /// Whether it fits a scorecard whose groups have `targets` targets: asked of what was read from disk.
    pub(super) fn is_whole(&self, targets: &[usize]) -> bool {
        let row = |row: &Learned, targets: usize| {
            let shape = row.used.is_empty() || row.used.len() == targets;
            shape && row.used.iter().all(|v| v.is_finite()) && row.entered.is_whole()
        };
        let whole = |entry: &Entry| {
            let learned = entry.learned.is_empty() || entry.learned.len() == targets.len();
            let rows = || entry.learned.iter().zip(targets);
            learned
                && entry.trial.as_ref().is_none_or(Trial::is_whole)
                && rows().all(|(r, targets)| row(r, *targets))
                && row(&entry.usage.learned, usage::TARGETS)
        };
        let counts = self.next_to_close.len() == targets.len();
        counts && self.order.len() == self.entries.len() && self.entries.values().all(whole)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::{HOUR, Maker, name};

    #[test]
    fn a_decision_that_makes_room_before_it_closes_is_told_of_once() {
        let (mut ledger, mut maker) = (Ledger::new(2), Maker::new());
        let mut open = |ledger: &mut Ledger, closed: u32| {
            let decision = maker.decision(None);
            let at = Position {
                sequence: 1,
                offset: 0,
            };
            let mut entry = Entry::new(&decision, &name("a"), at, None);
            entry.closed = closed;
            ledger.open(decision.id, entry);
            ledger.evict(HOUR, 2, decision.time)
        };
        // The first two leave closed; of the others, one group was still open.
        let told: Vec<bool> = [0b11, 0b11, 0b01, 0b10, 0b01, 0b01, 0b01]
            .into_iter()
            .map(|closed| open(&mut ledger, closed))
            .collect();
        let first = [false, false, false, false, true, false, false];
        assert_eq!(told, first);
        assert_eq!((ledger.crowded_out, ledger.order.len()), (3, 2));
    }
}
