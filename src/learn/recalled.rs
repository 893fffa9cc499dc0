//! What is read back for the learner: decisions, from memory while they are young, else from the journal; pages.
//!
//! Invariants: what is given is what the journal held when it was learned, but for what was said, which teaches
//! nothing and is not kept here; damage found in the journal is told, counted, and teaches nothing.
//!
//! Not here: which record asks for one (`learner`).

use super::learner::Recall;
use super::page::Shelf;
use crate::decision::Decision;
use crate::store::{self, Pages, Position, Record, Store};
use std::borrow::Cow;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};

/// Decisions kept at hand after they were learned: attempts and outcomes speak of young ones first, and reading
/// one back costs more than learning from it.
const RECENT: usize = 512;

/// The newest decisions that were learned.
#[derive(Debug)]
pub(super) struct Recent {
    /// Oldest first.
    kept: VecDeque<(Position, Box<Decision>)>,
    most: usize,
}

impl Default for Recent {
    fn default() -> Self {
        Self::at_most(RECENT)
    }
}

impl Recent {
    /// Keeps so many; with 0 every decision is read from the journal.
    pub(super) fn at_most(most: usize) -> Self {
        Self {
            kept: VecDeque::with_capacity(most),
            most,
        }
    }

    /// Keeps one that is newer than all that are kept.
    pub(super) fn keep(&mut self, position: Position, mut decision: Box<Decision>) {
        if self.kept.len() >= self.most {
            self.kept.pop_front();
        }
        if self.most > 0 {
            decision.content = None;
            self.kept.push_back((position, decision));
        }
    }

    /// Keeps none.
    pub(super) fn forget(&mut self) {
        self.kept.clear();
    }

    fn get(&self, position: Position) -> Option<&Decision> {
        let at = self.kept.binary_search_by_key(&position, |(at, _)| *at);
        let (_, decision) = self.kept.get(at.ok()?)?;
        Some(decision)
    }
}

/// Where decisions are read back from.
pub(super) struct Recalled<'a> {
    pub(super) recent: &'a Recent,
    /// What is being learned, in order.
    pub(super) batch: &'a [(Position, Record)],
    pub(super) store: &'a Store,
    pub(super) pages: &'a Pages,
    /// How often damage was found.
    pub(super) lost: &'a AtomicU64,
}

impl Recalled<'_> {
    fn at_hand(&self, position: Position) -> Option<&Decision> {
        if self.recent.most == 0 {
            return None;
        }
        match self.batch.binary_search_by_key(&position, |(at, _)| *at) {
            Ok(at) => match self.batch.get(at) {
                Some((_, Record::Decision(decision))) => Some(decision),
                _ => None,
            },
            Err(_) => self.recent.get(position),
        }
    }
}

impl Recall for Recalled<'_> {
    fn decision(&self, position: Position) -> Result<Option<Cow<'_, Decision>>, store::Error> {
        if let Some(decision) = self.at_hand(position) {
            return Ok(Some(Cow::Borrowed(decision)));
        }
        let error = match self.store.journal().at(position) {
            Ok(Record::Decision(decision)) => return Ok(Some(Cow::Owned(*decision))),
            Ok(_) => store::Error::NoRecord {
                sequence: position.sequence,
            },
            Err(
                damage @ (store::Error::Corrupt { .. }
                | store::Error::Undecodable { .. }
                | store::Error::NoRecord { .. }),
            ) => damage,
            Err(error) => return Err(error),
        };
        let sequence = position.sequence;
        tracing::error!(sequence, %error, "a damaged decision teaches nothing more");
        self.lost.fetch_add(1, Ordering::Relaxed);
        Ok(None)
    }

    fn shelf(&self) -> &dyn Shelf {
        self.pages
    }
}

#[cfg(test)]
mod tests {
    use super::super::Follower;
    use super::super::sample::{HOUR, everything, params};
    use super::*;
    use crate::store::simulated::SimulatedDisk;
    use crate::store::{Checkpoints, Settings};
    use crate::unit::Timestamp;
    use std::sync::Arc;

    fn at(sequence: u64) -> Position {
        Position {
            sequence,
            offset: 0,
        }
    }

    #[test]
    fn the_oldest_goes_first_and_one_that_went_is_read_from_the_journal() {
        let decision = everything().into_iter().find_map(|record| match record {
            Record::Decision(decision) => Some(decision),
            _ => None,
        });
        let decision = decision.unwrap();
        let mut recent = Recent::at_most(2);
        for sequence in 1..=3 {
            recent.keep(at(sequence), decision.clone());
        }
        let kept: Vec<_> = recent.kept.iter().map(|(at, _)| at.sequence).collect();
        assert_eq!(kept, [2, 3]);
        assert!(recent.get(at(1)).is_none());
        assert_eq!(recent.get(at(3)).map(|kept| kept.id), Some(decision.id));
    }

    #[test]
    fn what_was_said_is_not_kept() {
        let decision = everything().into_iter().find_map(|record| match record {
            Record::Decision(decision) => Some(decision),
            _ => None,
        });
        let mut decision = decision.unwrap();
        decision.content = Some("a long prompt".into());
        let mut recent = Recent::at_most(1);
        recent.keep(at(1), decision);
        assert_eq!(recent.get(at(1)).unwrap().content, None);
    }

    #[test]
    fn what_is_learned_has_the_same_bits_from_memory_and_from_the_journal() {
        let learned = |recent| {
            let disk = Arc::new(SimulatedDisk::new());
            let now = Timestamp::from_micros(1_700_000_000_000_000);
            let (store, _) = Store::open(disk.clone(), Settings::default(), now).unwrap();
            let (store, params) = (Arc::new(store), Arc::new(params(HOUR)));
            let mut follower =
                Follower::from_scratch(Arc::clone(&store), Checkpoints::new(disk), params);
            follower.recall_at_most(recent);
            for record in &everything() {
                store.append(record).unwrap();
                // Alone, so that what it speaks of was learned before.
                follower.catch_up().unwrap();
            }
            follower.checkpoint_bytes().unwrap()
        };
        assert_eq!(learned(1), learned(0));
        assert_eq!(learned(RECENT), learned(0));
    }
}
