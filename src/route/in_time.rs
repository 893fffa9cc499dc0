//! Trying when the money is there: a request that the budget does not pay for yet waits for others to settle.
//!
//! Invariants: whoever waits holds no money and no account; a turn to draw within an episode it keeps, so that the
//! episode's order stands; the time that a request waits for money begins before its turn to draw does ([`until`]), so
//! that of many calls of one episode none waits for the patience of all others; what is refused is told of.
//!
//! Not here: deciding (`choose`), the queue (`account`).

use super::choose::Route;
use super::error::{BudgetExhausted, Error};
use super::reply::Begun;
use super::request::Request;
use crate::access::Grant;
use crate::account::{PATIENCE, Refusal, Unpaid};
use crate::decision::Decision;
use crate::id::Name;
use crate::unit::Timestamp;
use tokio::time::Instant;

/// Until when a request that comes now waits for money: [`PATIENCE`], and no longer than its caller does.
pub(super) fn until(deadline: Option<Instant>) -> Instant {
    let patience = Instant::now() + PATIENCE;
    deadline.map_or(patience, |deadline| patience.min(deadline))
}

impl Route {
    /// Tries; where the budget pays for it only once others have settled what is held for them, it waits for
    /// that and tries again, for a while.
    pub(super) async fn in_time<T>(
        &self,
        caller: &Grant,
        task: Option<&Name>,
        until: Instant,
        attempt: impl Fn() -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut waiting = None;
        loop {
            let refused = match attempt() {
                Err(Error::BudgetExhausted(refused)) => refused,
                done => return done,
            };
            let accounts = &self.known.accounts;
            let (team, key) = (&caller.team, &caller.key);
            let waiting = waiting.get_or_insert_with(|| accounts.waiting(team, key, until));
            let now = self.clock.now();
            if refused.each || !waiting.for_room(refused.asked, now).await {
                accounts.refused(team, refusal(caller, task, &refused, now));
                return Err(refused.into());
            }
        }
    }

    /// A repeat's first call may have gone before it heard of its decision, and what was held with it: where
    /// nothing is on record that was tried for it, it is held again.
    pub(super) async fn held_again(
        &self,
        caller: &Grant,
        request: &Request,
        begun: Begun,
    ) -> Result<Begun, Error> {
        let decision = &begun.routed.decision;
        // One that is out of the window that is kept at hand ended long ago.
        let found = self.store.find(decision.id)?;
        if found.is_some_and(|found| found.attempts.is_empty()) {
            let again = || self.hold_again(decision);
            let task = request.task.as_ref();
            self.in_time(caller, task, until(None), again).await?;
        }
        Ok(begun)
    }

    /// Holds the money again of a decision that was made before and is tried only now.
    fn hold_again(&self, decision: &Decision) -> Result<(), Error> {
        let held = self.known.accounts.hold_again(decision, self.clock.now());
        held.map_err(|unpaid| exhausted(*unpaid))
    }
}

/// The refusal of a try that is not paid for.
pub(super) fn exhausted(unpaid: Unpaid) -> Error {
    Error::from(BudgetExhausted {
        owner: unpaid.owner,
        each: false,
        asked: unpaid.asked,
        left: unpaid.left,
        refill: unpaid.refill,
    })
}

/// What is kept of a refusal.
fn refusal(
    caller: &Grant,
    task: Option<&Name>,
    refused: &BudgetExhausted,
    time: Timestamp,
) -> Refusal {
    Refusal {
        time,
        key: caller.key.clone(),
        task: task.cloned(),
        owner: refused.owner.clone(),
        asked: refused.asked,
        left: refused.left,
    }
}
