//! Money for another try of a decision that was made before.
//!
//! Invariants: what is held for the decision already counts; where not enough is there, it stays as it was. What a
//! server that was killed held for an attempt that it made is spent ([`Accounts::lost`]), not there for the next one.
//!
//! Not here: where the next try goes (`route`).

use super::{Accounts, Owner};
use crate::budget::{Bounds, Refused};
use crate::decision::Decision;
use crate::unit::Timestamp;
use std::time::Duration;

/// What is not held, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpaid {
    /// Why.
    pub refused: Refused,
    /// Until so much fits, if nothing else is spent; `None`: never, or not known.
    pub refill: Option<Duration>,
    /// Whose account does not pay for it.
    pub owner: Owner,
}

impl Accounts {
    /// Holds again for a decision that was made before and never tried: its hold may have been let go since.
    pub fn hold_again(&self, decision: &Decision, now: Timestamp) -> Result<(), Box<Unpaid>> {
        let granted = decision.allowance.as_ref().map(|allowance| allowance.held);
        let purse = self.purse(&decision.team, &decision.key, now);
        let (Some(granted), Some(mut purse)) = (granted, purse) else {
            return Ok(());
        };
        if purse.held(decision.id).is_some() {
            return Ok(());
        }
        purse.release(decision.id);
        let held = purse.hold(decision.id, granted);
        let its = || Owner::Team(decision.team.clone());
        held.map_err(|refused| {
            Box::new(Unpaid {
                refused,
                refill: purse.refill(granted),
                owner: purse.narrowest(false).unwrap_or_else(its),
            })
        })
    }

    /// A decision of which no attempt of ours is on record, and none is under way, is tried anew: what is still held
    /// for one that was under way when a server was killed is spent.
    pub fn lost(&self, decision: &Decision, now: Timestamp) {
        for (_, mut account) in self.open(&decision.team, Some(&decision.key)) {
            account.lost(decision.id, now);
        }
    }

    /// Holds enough for another try of a decision, which we make; whether it could. What is held for it already counts. Bounds
    /// that cannot be said cannot be held.
    pub fn hold_for(&self, decision: &Decision, bounds: Option<Bounds>, now: Timestamp) -> bool {
        let Some(purse) = self.purse(&decision.team, &decision.key, now) else {
            return true;
        };
        let mut purse = purse.asking(true);
        let Some(bounds) = bounds.and_then(|bounds| purse.within(bounds)) else {
            return false;
        };
        let held = purse.held(decision.id);
        if held.is_some_and(|held| held >= bounds.worst) {
            purse.take_over(decision.id);
            return true;
        }
        purse.release(decision.id);
        let amount = bounds.held(purse.left());
        if amount.is_some_and(|amount| purse.hold(decision.id, amount).is_ok()) {
            return true;
        }
        if let Some(before) = held
            && let Err(error) = purse.hold(decision.id, before)
        {
            tracing::error!(%error, "what had been held could not be held again");
        }
        false
    }
}
