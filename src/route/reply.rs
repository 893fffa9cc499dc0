//! What the router answers, in the house's own types.
//!
//! Invariants: the endpoint and every fallback passed the same checks as the arm drawn.
//!
//! Not here: how it was found, how it is written on the wire (`grpc::encode`).

use super::screen::Told;
use crate::decision::{Attempt, Decision};
use crate::eligibility::Endpoint;
use crate::loops::Watched;
use crate::quota::Pass;
use crate::recurrence::Finding;
use crate::signal::Feedback;
use crate::store::Turn;
use std::sync::Arc;

/// A decision and where to go with it.
#[derive(Debug, Clone, PartialEq)]
pub struct Routed {
    /// The decision, as it is in the journal.
    pub decision: Arc<Decision>,
    /// The endpoint to call.
    pub endpoint: Arc<Endpoint>,
    /// Where to go if that fails, best first.
    pub fallbacks: Vec<Arc<Endpoint>>,
    /// Whether the request id had been used before, so that nothing was decided now.
    pub repeated: bool,
    /// What the team's guardrail found in the request. `None`: nothing, or there is none.
    pub told: Option<Told>,
    /// What the call has of its limits, until the last who holds it is done. `None`: nothing limits it.
    pub pass: Option<Arc<Pass>>,
    /// Its place in an episode that is watched. `None`: none is.
    pub watched: Option<Arc<Watched>>,
}

impl Routed {
    /// What was found of the episode that it belongs to, if its team only warns.
    pub fn warning(&self) -> Option<&Finding> {
        self.watched.as_ref()?.warning.as_ref()
    }
}

/// A decision whose caller has more to do for the request.
#[derive(Debug)]
pub struct Begun {
    /// The decision.
    pub routed: Routed,
    /// Repeats of the request id wait until it is dropped. Absent: the request had no id.
    pub turn: Option<Turn>,
}

/// A decision with all that followed.
#[derive(Debug, Clone, PartialEq)]
pub struct Recorded {
    /// The decision, its endpoint as it is today, no fallbacks.
    pub routed: Routed,
    /// Tries, in order.
    pub attempts: Vec<Attempt>,
    /// Feedback on it or its episode, in order of arrival.
    pub feedback: Vec<Feedback>,
}

/// Decisions, newest first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct DecisionPage {
    /// The decisions.
    pub decisions: Vec<Recorded>,
    /// Where the next page begins; `None` where there is none.
    pub next: Option<u64>,
}
