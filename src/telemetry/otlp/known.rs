//! Which call's span a decision belongs to, and what was done for it so far.
//!
//! Invariants: at most so many decisions are known as it was made for; the oldest goes first. A decision that a later
//! call is served for belongs to that call.
//!
//! Not here: spans (`recorder`).
//!
//! Units: nano-dollars.

use crate::decision::Attempt;
use crate::id::{DecisionId, Name};
use crate::telemetry::{Method, Span};
use std::collections::{HashMap, VecDeque};

/// The call that a decision belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Of {
    pub(super) trace: u128,
    pub(super) span: u64,
    pub(super) method: Method,
    /// What was done for it.
    pub(super) done: Done,
}

/// What was done for a decision.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Done {
    pub(super) tries: u32,
    /// Of those attempts whose cost is known.
    pub(super) cost: Option<i64>,
    /// The arm that answered last.
    pub(super) served: Option<Name>,
}

/// The newest decisions.
#[derive(Debug)]
pub(super) struct Known {
    most: usize,
    of: HashMap<DecisionId, Of>,
    /// By age.
    order: VecDeque<DecisionId>,
}

impl Known {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            of: HashMap::new(),
            order: VecDeque::new(),
        }
    }

    /// The decision belongs to this span.
    pub(super) fn note(&mut self, decision: DecisionId, span: &Span) {
        let of = Of {
            trace: span.trace,
            span: span.id,
            method: span.method,
            done: Done::default(),
        };
        if self.of.insert(decision, of).is_none() {
            self.order.push_back(decision);
        }
        while self.order.len() > self.most {
            if let Some(oldest) = self.order.pop_front() {
                self.of.remove(&oldest);
            }
        }
    }

    pub(super) fn get(&self, decision: DecisionId) -> Option<&Of> {
        self.of.get(&decision)
    }

    /// An attempt has ended.
    pub(super) fn attempt(&mut self, attempt: &Attempt) -> Option<&Of> {
        let of = self.of.get_mut(&attempt.decision)?;
        let done = &mut of.done;
        done.tries = done.tries.saturating_add(1);
        if let Some(cost) = attempt.cost {
            done.cost = Some(done.cost.unwrap_or(0).saturating_add(cost.get()));
        }
        if attempt.error.is_none() {
            done.served = Some(attempt.arm.clone());
        }
        Some(of)
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{attempt, id, span};
    use super::*;
    use crate::unit::NanoUsd;

    fn check(known: &Known, expected: &[(u128, Option<u64>)]) {
        for (decision, span) in expected {
            let found = known.get(id(*decision)).map(|of| of.span);
            assert_eq!(found, *span, "decision {decision}");
        }
    }

    #[test]
    fn the_oldest_decision_is_forgotten_first_and_a_later_call_takes_it_over() {
        let mut known = Known::new(2);
        known.note(id(1), &span(11));
        known.note(id(2), &span(12));
        known.note(id(1), &span(13));
        check(&known, &[(1, Some(13)), (2, Some(12))]);
        known.note(id(3), &span(14));
        check(&known, &[(1, None), (2, Some(12)), (3, Some(14))]);
        assert_eq!((known.of.len(), known.order.len()), (2, 2));
    }

    #[test]
    fn what_was_done_for_a_decision_adds_up() {
        let mut known = Known::new(2);
        known.note(id(1), &span(11));
        let failed = Attempt {
            cost: Some(NanoUsd::new(5)),
            ..attempt(1, Some("timeout"))
        };
        let unpriced = Attempt {
            cost: None,
            ..attempt(1, None)
        };
        for attempt in [&failed, &unpriced, &failed] {
            known.attempt(attempt);
        }
        let done = Done {
            tries: 3,
            cost: Some(10),
            served: Some(unpriced.arm.clone()),
        };
        assert_eq!(known.get(id(1)).map(|of| of.done.clone()), Some(done));
        assert_eq!(known.attempt(&attempt(9, None)), None);
    }
}
