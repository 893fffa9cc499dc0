//! One owner's account: its ledger, and what is held in it for which decision.
//!
//! A hold knows who asks the endpoint ([`Whose`]). Where callers do, their report ends it, and so does the hour: they
//! may never have asked. Where we do, only our own attempt ends it; a caller who reports one while ours is under way
//! would free money that is being spent. And if its hour passes without a record of an attempt, the process that
//! asked is gone: the provider has billed what it read, so the hold counts as spent in full. One of which a failed
//! attempt is on record is let go: most often all of its tries failed, and that nothing followed is not recorded.
//!
//! Invariants: each hold is open in the ledger, and the ledger holds nothing else.
//!
//! Not here: several accounts at once ([`super::Purse`]), which they are ([`super::Accounts`]).

use super::{Balance, HELD_FOR};
use crate::budget::{self, Ledger, Reservation, Terms};
use crate::decision::Attempt;
use crate::id::DecisionId;
use crate::unit::{NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// One owner's account.
#[derive(Debug, Clone)]
pub(super) struct Account {
    pub(super) terms: Terms,
    pub(super) ledger: Ledger,
    pub(super) held: BTreeMap<DecisionId, Hold>,
    /// When each of them is let go, the next first.
    pub(super) ends: BTreeSet<(Timestamp, DecisionId)>,
}

/// What is held for one decision.
#[derive(Debug, Clone, Copy)]
pub(super) struct Hold {
    pub(super) reservation: Reservation,
    pub(super) amount: NanoUsd,
    pub(super) until: Timestamp,
    pub(super) whose: Whose,
}

/// Who asks the endpoint that money is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Whose {
    /// The caller does, or a record of an older layout does not say.
    Callers,
    /// We do; no attempt is on record.
    Ours,
    /// We do; an attempt has failed at a cost that is not known.
    Tried,
}

impl Whose {
    /// By whether we ask.
    pub(super) fn of(asks: bool) -> Self {
        match asks {
            true => Self::Ours,
            false => Self::Callers,
        }
    }
}

impl Account {
    pub(super) fn new(terms: Terms) -> Result<Self, budget::Error> {
        // Before every record: time only goes forward in a ledger.
        let start = Timestamp::from_micros(0);
        let ledger = Ledger::new(terms.limit.usd, terms.limit.refill, start)?;
        Ok(Self::of(terms, ledger.within(terms.zone, start)))
    }

    pub(super) fn of(terms: Terms, ledger: Ledger) -> Self {
        Self {
            terms,
            ledger,
            held: BTreeMap::new(),
            ends: BTreeSet::new(),
        }
    }

    pub(super) fn balance(&mut self, now: Timestamp) -> Balance {
        self.let_go(now);
        // Brings the window up to now.
        self.ledger.left(now);
        let ledger = &self.ledger;
        Balance {
            limit: self.terms.limit_at(now),
            spent: ledger.spent(),
            held: ledger.reserved(),
            overrun: ledger.overrun(),
            resets: ledger.resets(now),
        }
    }

    /// As [`super::Accounts::settle`].
    pub(super) fn count(&mut self, attempt: &Attempt) -> Result<(), budget::Error> {
        let held = self.held.get_mut(&attempt.decision);
        let ours = held.filter(|hold| hold.whose != Whose::Callers);
        let (reported, unknown) = (attempt.reported, attempt.cost.is_none());
        if unknown && attempt.error.is_some() {
            if let Some(hold) = ours.filter(|_| !reported) {
                hold.whose = Whose::Tried;
            }
            return Ok(());
        }
        if reported && ours.is_some() {
            return self.charge(attempt);
        }
        match self.take(attempt.decision) {
            Some(hold) => {
                let cost = attempt.cost.unwrap_or(hold.amount);
                self.settle(hold, cost, attempt.ended)
            }
            None => self.charge(attempt),
        }
    }

    fn charge(&mut self, attempt: &Attempt) -> Result<(), budget::Error> {
        let cost = attempt.cost.unwrap_or(NanoUsd::ZERO);
        self.ledger.charge(cost, attempt.ended)
    }

    /// Ends a hold that was taken out of `held` at this cost.
    fn settle(&mut self, hold: Hold, cost: NanoUsd, now: Timestamp) -> Result<(), budget::Error> {
        let settled = self.ledger.settle(hold.reservation, cost, now);
        if settled.is_err() {
            // Or it would be held for ever. It is open: it stood in `held`.
            let _ = self.ledger.release(hold.reservation, now);
        }
        settled.map(drop)
    }

    /// Ends what nobody has settled for [`HELD_FOR`].
    pub(super) fn let_go(&mut self, now: Timestamp) {
        while let Some(&(until, decision)) = self.ends.first()
            && until < now
        {
            if !self.lost(decision, now) {
                self.release(decision, now);
            }
        }
    }

    /// What is held for an attempt of ours that is not on record is spent; whether there was any.
    pub(super) fn lost(&mut self, decision: DecisionId, now: Timestamp) -> bool {
        let held = self.held.get(&decision);
        if held.is_none_or(|hold| hold.whose != Whose::Ours) {
            return false;
        }
        if let Some(hold) = self.take(decision) {
            // What was held is no negative sum.
            let _ = self.settle(hold, hold.amount, now);
        }
        true
    }

    pub(super) fn release(&mut self, decision: DecisionId, now: Timestamp) {
        if let Some(hold) = self.take(decision) {
            // It was open: it stood in `held`.
            let _ = self.ledger.release(hold.reservation, now);
        }
    }

    pub(super) fn note(
        &mut self,
        decision: DecisionId,
        (reservation, amount, whose): (Reservation, NanoUsd, Whose),
        now: Timestamp,
    ) {
        // Of a decision that is held twice the later hold counts.
        self.release(decision, now);
        let until = now.after(HELD_FOR);
        let hold = Hold {
            reservation,
            amount,
            until,
            whose,
        };
        self.held.insert(decision, hold);
        self.ends.insert((until, decision));
    }

    fn take(&mut self, decision: DecisionId) -> Option<Hold> {
        let hold = self.held.remove(&decision)?;
        self.ends.remove(&(hold.until, decision));
        Some(hold)
    }
}

#[cfg(test)]
mod tests;
