//! All that pays for one request, opened for it alone: its key's account, its team's, the organisation's.
//!
//! Invariants: money is held in all of them or in none; accounts are opened in one order, so that no two requests
//! wait for each other.
//!
//! Not here: an account by itself ([`super::Account`]).

use super::Owner;
use super::single::{Account, Whose};
use crate::budget::{Bounds, Ledger, Refused};
use crate::id::{DecisionId, Name};
use crate::unit::{NanoUsd, Timestamp};
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::HELD_FOR;

/// The accounts that pay for a request, open to it alone; at least one.
#[derive(Debug)]
pub struct Purse<'a> {
    pub(super) open: Vec<(Owner, MutexGuard<'a, Account>)>,
    /// Where the key is noted that pays for a decision, if one has an account.
    pub(super) payers: Option<(&'a Payers, Name)>,
    pub(super) now: Timestamp,
    /// Who asks the endpoint that is held for.
    pub(super) whose: Whose,
}

/// Which key pays for a decision, while more may be told of it: until our own attempt has ended it (not one that
/// failed: another may follow), it was cancelled, or nothing was told of it for [`HELD_FOR`]. Attempts do not say.
#[derive(Debug, Default)]
pub(super) struct Payers(Mutex<Keys>);

/// Keys by what they pay for, and until when that is known.
pub(super) type Keys = BTreeMap<DecisionId, (Name, Timestamp)>;

impl Payers {
    pub(super) fn new(known: Keys) -> Self {
        Self(Mutex::new(known))
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, Keys> {
        // Nothing here panics half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn of(&self, decision: DecisionId) -> Option<Name> {
        self.lock().get(&decision).map(|(key, _)| key.clone())
    }

    /// Notes one, and forgets those of which nothing is held any more.
    pub(super) fn note(&self, decision: DecisionId, key: Name, now: Timestamp) {
        self.forget_ended(now);
        let until = now.after(HELD_FOR);
        self.lock().insert(decision, (key, until));
    }

    /// Forgets one.
    pub(super) fn forget(&self, decision: DecisionId) {
        self.lock().remove(&decision);
    }

    /// Forgets those whose hour is over.
    pub(super) fn forget_ended(&self, now: Timestamp) {
        let mut payers = self.lock();
        // Ids sort by the time that they were minted at, which is when money is held as a rule.
        while let Some(oldest) = payers.first_entry()
            && oldest.get().1 < now
        {
            oldest.remove();
        }
    }
}

impl Purse<'_> {
    fn ledgers(&mut self) -> impl Iterator<Item = &mut Ledger> {
        self.open.iter_mut().map(|(_, account)| &mut account.ledger)
    }

    /// What may still be held.
    pub fn left(&mut self) -> NanoUsd {
        let now = self.now;
        let least = self.ledgers().map(|ledger| ledger.left(now)).min();
        least.unwrap_or(NanoUsd::ZERO)
    }

    /// Most that a try of one decision may hold; `None`: whatever is left.
    pub fn most(&self) -> Option<NanoUsd> {
        let most = self
            .open
            .iter()
            .filter_map(|(_, account)| account.terms.decision);
        most.min()
    }

    /// What may be held for a try within these bounds; `None` where it may not be made at all.
    pub fn within(&self, bounds: Bounds) -> Option<Bounds> {
        match self.most() {
            Some(most) => bounds.within(most),
            None => Some(bounds),
        }
    }

    /// Whose account says so: the one that least is left of, or that lets a decision hold least.
    pub fn narrowest(&mut self, each: bool) -> Option<Owner> {
        let now = self.now;
        let rooms = self.open.iter_mut().map(|(owner, account)| {
            let room = match each {
                true => account.terms.decision.unwrap_or(NanoUsd::new(i64::MAX)),
                false => account.ledger.left(now),
            };
            (room, owner)
        });
        let least = rooms.min_by_key(|(room, _)| *room);
        least.map(|(_, owner)| owner.clone())
    }

    /// What may still be held, as a team may be told; `None` where that is the organisation's, which tells what others
    /// spend.
    pub fn own_left(&mut self) -> Option<NanoUsd> {
        let least = self.narrowest(false);
        let left = self.left();
        (least != Some(Owner::Organisation)).then_some(left)
    }

    /// What is held for a try within these bounds; `None` where that is not enough, or it may not be made. A share of
    /// what is left of the team's and the key's own; a share of what all teams have left only caps it, so coarsely
    /// that what is held does not tell what others spend.
    pub fn amount(&mut self, bounds: Bounds) -> Option<NanoUsd> {
        let bounds = self.within(bounds)?;
        let now = self.now;
        let (mut own, mut all) = (NanoUsd::new(i64::MAX), None);
        for (owner, account) in &mut self.open {
            let left = account.ledger.left(now);
            match owner {
                Owner::Organisation => all = Some(left),
                Owner::Team(_) | Owner::Key(..) => own = own.min(left),
            }
        }
        let held = bounds.held(own)?;
        match all {
            Some(all) => bounds.capped(held, all),
            None => Some(held),
        }
    }

    /// How long until so much fits, if nothing else is spent or settled; `None` where that is never, or
    /// not known, or the organisation's to know: when its budget has it again tells what others spend.
    pub fn refill(&mut self, asked: NanoUsd) -> Option<Duration> {
        let now = self.now;
        let again = self.open.iter_mut().map(|(owner, account)| {
            let again = account.ledger.again(asked, now);
            again.filter(|again| *owner != Owner::Organisation || *again <= now)
        });
        // Each must have it.
        let again = again.collect::<Option<Vec<_>>>()?.into_iter().max()?;
        let micros = again.micros().saturating_sub(now.micros());
        u64::try_from(micros).ok().map(Duration::from_micros)
    }

    /// Holds so much for a decision, in all accounts or in none.
    pub fn hold(&mut self, decision: DecisionId, amount: NanoUsd) -> Result<(), Refused> {
        let (now, whose) = (self.now, self.whose);
        // They are this request's alone: what all of them have, all of them grant.
        self.ledgers()
            .try_for_each(|ledger| ledger.may_reserve(amount, now))?;
        for (_, account) in &mut self.open {
            let reservation = account.ledger.reserve(amount, now)?;
            account.note(decision, (reservation, amount, whose), now);
        }
        if let Some((payers, key)) = &self.payers {
            payers.note(decision, key.clone(), now);
        }
        Ok(())
    }

    /// That we ask the endpoint ourselves, or not: only our own attempt ends then what is held.
    #[must_use]
    pub fn asking(mut self, asks: bool) -> Self {
        self.whose = Whose::of(asks);
        self
    }

    /// What is held for a decision already is held for this purse's asking.
    pub(super) fn take_over(&mut self, decision: DecisionId) {
        for (_, account) in &mut self.open {
            if let Some(hold) = account.held.get_mut(&decision) {
                hold.whose = self.whose;
            }
        }
    }

    /// What is held for a decision in every one of them.
    pub(super) fn held(&self, decision: DecisionId) -> Option<NanoUsd> {
        let held = |(_, account): &(Owner, MutexGuard<'_, Account>)| {
            account.held.get(&decision).map(|hold| hold.amount)
        };
        let held: Option<Vec<_>> = self.open.iter().map(held).collect();
        held?.into_iter().min()
    }

    /// Lets go of what is held for a decision in any of them.
    pub(super) fn release(&mut self, decision: DecisionId) {
        for (_, account) in &mut self.open {
            account.release(decision, self.now);
        }
    }
}

#[cfg(test)]
mod tests;
