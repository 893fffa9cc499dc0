//! What was refused for want of money, and whose: the newest of each team, for who asks why.
//!
//! Invariants: at most [`KEPT`] a team; a team sees its own.
//!
//! Not here: how many there were (`telemetry`). They are in memory alone: a restart forgets them.

use super::{Accounts, Owner};
use crate::id::Name;
use crate::unit::{NanoUsd, Timestamp};
use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, PoisonError};

/// How many are kept of each team.
const KEPT: usize = 32;

/// A request that was refused for want of money.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub time: Timestamp,
    /// The key that it came with.
    pub key: Name,
    /// Its task, if it said one.
    pub task: Option<Name>,
    /// Whose account did not pay for it.
    pub owner: Owner,
    /// Least that it could have been asked with.
    pub asked: NanoUsd,
    /// What there was.
    pub left: NanoUsd,
}

/// The newest of each team, the latest last.
#[derive(Debug, Default)]
pub(super) struct Refusals(Mutex<BTreeMap<Name, VecDeque<Refusal>>>);

impl Accounts {
    /// A team's request was refused.
    pub fn refused(&self, team: &Name, refusal: Refusal) {
        let mut all = self
            .refusals
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let kept = all.entry(team.clone()).or_default();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(refusal);
    }

    /// A team's newest refusals, the latest last.
    pub fn refusals(&self, team: &Name) -> Vec<Refusal> {
        let all = self
            .refusals
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(team).into_iter().flatten();
        kept.cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::sample::name;

    #[test]
    fn the_newest_of_each_team_are_kept_in_order_and_apart() {
        let accounts = Accounts::default();
        let refused = |team: &str, second: i64| {
            let refusal = Refusal {
                time: Timestamp::from_micros(second),
                key: name("k"),
                task: None,
                owner: Owner::Key(name("t"), name("k")),
                asked: NanoUsd::new(2),
                left: NanoUsd::new(1),
            };
            accounts.refused(&name(team), refusal);
        };
        (0..40).for_each(|second| refused("a", second));
        refused("b", 7);
        let times = |team| {
            let refusals = accounts.refusals(&name(team)).into_iter();
            refusals.map(|r| r.time.micros()).collect::<Vec<_>>()
        };
        assert_eq!(times("a"), Vec::from_iter(8..40));
        assert_eq!(times("b"), [7]);
        assert_eq!(times("c"), [0_i64; 0]);
    }
}
