//! How much may be tried again, so that a bad day does not become a storm of our own.
//!
//! Every request pays [`SHARE`] of a try in, and time [`PER_SECOND`]; every try beyond a request's first takes
//! one out. So what all endpoints together are asked is at most 1 + [`SHARE`] times the requests, beyond what
//! a quiet server is granted; a burst has [`MOST`] saved up.
//!
//! Source: Finagle's `RetryBudget` (a share of the requests, and some each second), with a larger share: a
//! fallback asks an endpoint that has *not* failed.

use crate::unit::Timestamp;

/// Part of a try that a request pays in.
const SHARE: f64 = 0.5;

/// Tries that every second pays in.
const PER_SECOND: f64 = 10.0;

/// Tries that can be saved up.
const MOST: f64 = 500.0;

/// What may be tried again.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RetryBudget {
    tries: f64,
    seen: Option<Timestamp>,
}

impl Default for RetryBudget {
    /// Full.
    fn default() -> Self {
        Self {
            tries: MOST,
            seen: None,
        }
    }
}

impl RetryBudget {
    /// A request came.
    pub fn request(&mut self) {
        self.tries = (self.tries + SHARE).min(MOST);
    }

    /// Whether one more try may be made; if so it is taken out.
    ///
    /// ```
    /// use bellwether::{health::RetryBudget, unit::Timestamp};
    /// let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    /// let mut budget = RetryBudget::default();
    /// let spent = (0..1000).filter(|_| budget.take(at(0))).count();
    /// assert_eq!(spent, 500);
    /// budget.request();
    /// budget.request();
    /// assert!(budget.take(at(0)) && !budget.take(at(0)));
    /// assert_eq!((0..1000).filter(|_| budget.take(at(3))).count(), 30);
    /// ```
    pub fn take(&mut self, now: Timestamp) -> bool {
        let granted = self.has_one(now);
        if granted {
            self.tries -= 1.0;
        }
        granted
    }

    /// Whether one more try could be made.
    pub fn has_one(&mut self, now: Timestamp) -> bool {
        let since = self.seen.map_or(0, |seen| now.micros() - seen.micros());
        let earned = since.max(0) as f64 * 1e-6 * PER_SECOND;
        self.tries = (self.tries + earned).min(MOST);
        self.seen = Some(self.seen.map_or(now, |seen| seen.max(now)));
        self.tries >= 1.0
    }
}
