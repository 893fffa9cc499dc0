//! Money for another try of a decision that was made before.
//!
//! Invariants: what is held for the decision already counts; where not enough is there, it stays as it was. What a
//! server that was killed held for an attempt that it made is spent ([`Accounts::lost`]), not there for the next one.
//!
//! Not here: where the next try goes (`route`).

use super::{Accounts, Owner, Purse};
use crate::budget::Bounds;
use crate::decision::Decision;
use crate::unit::{NanoUsd, Timestamp};
use std::time::Duration;

/// What is not held, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpaid {
    /// Least that is asked for.
    pub asked: NanoUsd,
    /// What is left.
    pub left: NanoUsd,
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
        held.map_err(|_| Box::new(unpaid(&mut purse, decision, granted)))
    }

    /// A decision of which no attempt of ours is on record, and none is under way, is tried anew: what is still held
    /// for one that was under way when a server was killed is spent.
    pub fn lost(&self, decision: &Decision, now: Timestamp) {
        for (_, mut account) in self.open(&decision.team, Some(&decision.key)) {
            account.lost(decision.id, now);
        }
    }

    /// Holds enough for another try of a decision, which we make. What is held for it already counts. Bounds
    /// that cannot be said, or are more than one decision may cost, cannot be held, whatever is left: then nothing
    /// is said of why.
    pub fn hold_for(
        &self,
        decision: &Decision,
        bounds: Option<Bounds>,
        now: Timestamp,
    ) -> Result<(), Option<Box<Unpaid>>> {
        let Some(purse) = self.purse(&decision.team, &decision.key, now) else {
            return Ok(());
        };
        let mut purse = purse.asking(true);
        let within = bounds.and_then(|bounds| purse.within(bounds));
        let bounds = within.ok_or(None)?;
        let held = purse.held(decision.id);
        if held.is_some_and(|held| held >= bounds.worst) {
            purse.take_over(decision.id);
            return Ok(());
        }
        purse.release(decision.id);
        let amount = purse.amount(bounds);
        if amount.is_some_and(|amount| purse.hold(decision.id, amount).is_ok()) {
            return Ok(());
        }
        let unpaid = unpaid(&mut purse, decision, bounds.enough);
        if let Some(before) = held
            && let Err(error) = purse.hold(decision.id, before)
        {
            tracing::error!(%error, "what had been held could not be held again");
        }
        Err(Some(Box::new(unpaid)))
    }
}

/// Why a purse does not pay so much for a decision.
fn unpaid(purse: &mut Purse<'_>, decision: &Decision, asked: NanoUsd) -> Unpaid {
    let its = || Owner::Team(decision.team.clone());
    Unpaid {
        asked,
        left: purse.left(),
        refill: purse.refill(asked),
        owner: purse.narrowest(false).unwrap_or_else(its),
    }
}
