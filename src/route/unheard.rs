//! What is held for a decision until its caller has heard of it: money, and its endpoint's probe.
//!
//! A decision holds its worst case before its record is written, and the wait for the record is the one place
//! between the two at which a call can be dropped (its caller hung up, its deadline came) or fail. Then nobody is
//! there to try the decision or to tell of it, and the money would stay held for an hour. Every other wait of a
//! call is either before the hold (a request id's turn, the turn to draw) or after the caller's own guard took it
//! over (`complete::tries`).
//!
//! Invariants: the hold ends when this is dropped, unless [`Unheard::heard`] was said. The record stays: a repeat of
//! the request id gets the same decision, and holds for it again (`in_time`, [`Route::reopen`](super::Route::reopen));
//! and a restart, which knows the record alone, holds for it until the hour is over; where we were to ask, it then
//! counts as spent, for it may have been.
//!
//! Not here: how much is held (`spending`), what a decision that was heard of holds, and how long (`account`).

use crate::account::Accounts;
use crate::decision::Decision;
use crate::id::{DecisionId, Name};
use crate::standing::Standing;
use crate::unit::Timestamp;

/// A decision that its caller has not heard of yet.
#[must_use]
pub(super) struct Unheard<'a> {
    accounts: &'a Accounts,
    standing: &'a Standing,
    endpoint: Name,
    team: Name,
    decision: DecisionId,
    time: Timestamp,
    heard: bool,
}

impl<'a> Unheard<'a> {
    /// What is held for it is let go with this.
    pub(super) fn new(
        (accounts, standing): (&'a Accounts, &'a Standing),
        decision: &Decision,
    ) -> Self {
        Self {
            accounts,
            standing,
            endpoint: decision.endpoint.clone(),
            team: decision.team.clone(),
            decision: decision.id,
            time: decision.time,
            heard: false,
        }
    }

    /// The caller has it: what is held stays.
    pub(super) fn heard(mut self) {
        self.heard = true;
    }
}

impl Drop for Unheard<'_> {
    fn drop(&mut self) {
        if !self.heard {
            self.accounts.cancel(&self.team, self.decision, self.time);
            self.standing.give_back(&self.endpoint, self.time);
        }
    }
}

#[cfg(test)]
mod tests;
