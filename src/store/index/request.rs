//! Request ids that were used, for at least as long as promised.
//!
//! Not here: calls at work (`turn`).

use crate::id::Name;
use crate::store::journal::Position;
use crate::unit::Timestamp;
use std::collections::{HashMap, VecDeque};
use std::time::Duration;

/// The record that came with a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Hash of the body it came with.
    pub body_hash: u64,
    /// Where the record is: what was answered can be made again from it.
    pub position: Position,
}

/// Request ids by (team, id), oldest out first.
#[derive(Debug, Default)]
pub(super) struct Requests {
    known: HashMap<(u32, Name), Known>,
    aged: VecDeque<(Timestamp, (u32, Name))>,
}

impl Requests {
    pub(super) fn get(&self, team: u32, id: &Name) -> Option<Known> {
        self.known.get(&(team, id.clone())).copied()
    }

    /// Keeps the first use of an id.
    pub(super) fn insert(&mut self, team: u32, id: &Name, time: Timestamp, known: Known) {
        let key = (team, id.clone());
        match self.known.get_mut(&key) {
            Some(kept) if known.position < kept.position => *kept = known,
            Some(_) => {}
            None => {
                self.known.insert(key.clone(), known);
                self.aged.push_back((time, key));
            }
        }
    }

    /// Lets go of what is older than `window` before `now`, and of the oldest beyond `most`.
    pub(super) fn prune(&mut self, now: Timestamp, window: Duration, most: usize) {
        let oldest = now.before(window);
        while let Some((time, _)) = self.aged.front()
            && (*time < oldest || self.known.len() > most)
        {
            if let Some((_, key)) = self.aged.pop_front() {
                self.known.remove(&key);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.known.len()
    }
}
