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
    /// Whether an attempt has said what it cost.
    pub(super) priced: bool,
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
