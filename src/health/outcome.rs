//! What became of a request to an endpoint, as far as the endpoint's health goes.
//!
//! Not here: which error of a provider is which (`provider`, `complete`).

use std::time::Duration;

/// What became of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was answered, or refused for what the caller asked.
    Answered,
    /// It failed at once.
    Failed,
    /// A time limit ran out.
    TimedOut,
    /// Too many requests; so long to wait, if the endpoint said.
    TooMany(Option<Duration>),
    /// It cannot succeed before somebody mends our side: key, account, address.
    Misconfigured,
    /// Nobody waited for it.
    Abandoned,
    /// Answered, by the word of a caller: good for the mean, not for the breaker.
    Told,
}

impl Outcome {
    /// How much it counts against the endpoint: a time limit that ran out cost a caller that long.
    pub(super) const fn strikes(self) -> f64 {
        match self {
            Self::Failed => 1.0,
            Self::TimedOut => 2.0,
            _ => 0.0,
        }
    }
}
