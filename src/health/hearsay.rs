//! What callers tell of requests of their own to an endpoint: a reason to look elsewhere first.
//!
//! It is avoided for as long as it would be left alone if we had seen it, and no more. Nobody probes for it, it ends
//! by itself, and an answer that we saw ourselves ends it at once.
//!
//! Invariants: it refuses nobody: where there is no other, the endpoint is asked.
//!
//! Not here: what we saw (`breaker`, which tells nothing while it is open).

use super::breaker::{FIRST_OPEN, LONGEST_OPEN, TRIP};
use super::outcome::Outcome;
use crate::unit::Timestamp;
use std::time::Duration;

/// What is told so far.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Hearsay {
    strikes: f64,
    /// It is avoided until then, and was for so long.
    avoided: Option<(Timestamp, Duration)>,
}

impl Hearsay {
    /// Whether another is to be asked first at `now`.
    pub(super) fn avoids(&self, now: Timestamp) -> bool {
        self.avoided.is_some_and(|(until, _)| now < until)
    }

    /// Whether nothing is left of it: the next time would be as the first.
    pub(super) fn is_over(&self) -> bool {
        self.avoided.is_none()
    }

    /// Notes an outcome; one without strikes is an answer.
    pub(super) fn note(&mut self, outcome: Outcome, now: Timestamp) {
        let strikes = outcome.strikes();
        if strikes == 0.0 {
            *self = Self {
                strikes: self.strikes / 2.0,
                avoided: None,
            };
            return;
        }
        self.strikes += strikes;
        if self.strikes >= TRIP {
            let twice = |(_, before): (_, Duration)| (before * 2).min(LONGEST_OPEN);
            let wait = self.avoided.map_or(FIRST_OPEN, twice);
            *self = Self {
                strikes: 0.0,
                avoided: Some((now.after(wait), wait)),
            };
        }
    }
}
