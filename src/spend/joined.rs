//! Decisions whose attempts may still come: an attempt does not say which key or task it is for.
//!
//! Invariants: at most [`MOST_DECISIONS`], the newest.

use crate::decision::Cell;
use crate::id::DecisionId;
use std::collections::{HashMap, VecDeque};

/// Decisions whose attempts are waited for, at most.
pub const MOST_DECISIONS: usize = 1 << 20;

/// What an attempt needs to know of its decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub(super) key: u32,
    pub(super) task: u32,
    /// Hash of the episode, or of the decision where it has none.
    pub(super) unit: u64,
    pub(super) day: i64,
    pub(super) cell: Cell,
    /// Which of the team's comparisons it belongs to, if to one.
    pub(super) comparison: Option<u32>,
    /// What its attempts have said of what they cost.
    pub(super) told: Told,
}

/// Whether what a request cost is known: where one served, by the last that did; where none did, by all that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Told {
    /// There was none.
    #[default]
    Nothing,
    /// None served; whether all that failed have said it.
    Failed(bool),
    /// One served; whether the last that did has said it.
    Served(bool),
}

impl Told {
    /// After another attempt.
    #[must_use]
    pub(super) fn and(self, served: bool, says: bool) -> Self {
        match (self, served) {
            (_, true) => Self::Served(says),
            (Self::Served(_), false) => self,
            (Self::Failed(all), false) => Self::Failed(all && says),
            (Self::Nothing, false) => Self::Failed(says),
        }
    }

    /// Whether it is known.
    pub(super) fn priced(self) -> bool {
        matches!(self, Self::Failed(true) | Self::Served(true))
    }
}

/// The newest decisions.
#[derive(Debug)]
pub(super) struct Joined {
    known: HashMap<u128, Known>,
    order: VecDeque<u128>,
    most: usize,
}

impl Default for Joined {
    fn default() -> Self {
        Self::holding(MOST_DECISIONS)
    }
}

impl Joined {
    /// So many at most.
    pub(super) fn holding(most: usize) -> Self {
        Self {
            known: HashMap::new(),
            order: VecDeque::new(),
            most,
        }
    }

    pub(super) fn put(&mut self, id: DecisionId, known: Known) {
        if self.known.insert(id.as_u128(), known).is_none() {
            self.order.push_back(id.as_u128());
        }
        if self.order.len() > self.most
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
        }
    }

    pub(super) fn get(&mut self, id: DecisionId) -> Option<&mut Known> {
        self.known.get_mut(&id.as_u128())
    }
}
