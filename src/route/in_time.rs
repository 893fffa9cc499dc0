//! Deciding when the money is there: a request that the budget does not pay for yet waits for others to settle.
//!
//! Invariants: whoever waits holds no money and no account; a turn to draw within an episode it keeps, so that the
//! episode's order stands.
//!
//! Not here: deciding (`choose`), the queue (`account`).

use super::choose::Route;
use super::error::{BudgetExhausted, Error};
use super::request::Request;
use crate::access::Grant;
use crate::account::Refusal;
use crate::decision::Decision;
use crate::store::Draw;
use crate::unit::Timestamp;

impl Route {
    /// Decides; where the budget pays for it only once others have settled what is held for them, it waits for
    /// that, for a while ([`crate::account::PATIENCE`]).
    pub(super) async fn decide_in_time(
        &self,
        caller: &Grant,
        request: &Request,
        first: Option<Draw>,
        asks: bool,
    ) -> Result<Decision, Error> {
        let mut waiting = None;
        loop {
            let refused = match self.decide(caller, request, first.clone(), asks) {
                Err(Error::BudgetExhausted(refused)) => refused,
                decided => return decided,
            };
            let accounts = &self.known.accounts;
            let (team, key) = (&caller.team, &caller.key);
            let waiting = waiting.get_or_insert_with(|| accounts.waiting(team, key));
            let now = self.clock.now();
            if refused.each || !waiting.for_room(refused.asked, now).await {
                accounts.refused(team, refusal(caller, request, &refused, now));
                return Err(refused.into());
            }
        }
    }
}

/// What is kept of a refusal.
fn refusal(
    caller: &Grant,
    request: &Request,
    refused: &BudgetExhausted,
    time: Timestamp,
) -> Refusal {
    Refusal {
        time,
        key: caller.key.clone(),
        task: request.task.clone(),
        owner: refused.owner.clone(),
        asked: refused.asked,
        left: refused.left,
    }
}
