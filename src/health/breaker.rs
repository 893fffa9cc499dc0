//! A circuit breaker of one endpoint.
//!
//! Strikes add up: a failure is one, a time limit that ran out two (each of them cost a caller that long), and
//! a success halves them. At [`TRIP`] the breaker opens: the endpoint is not asked for [`FIRST_OPEN`], then one
//! request at a time is let through to see. A success closes it; a failure doubles the wait, to
//! [`LONGEST_OPEN`]. An endpoint that fails three requests in ten seldom opens it (in 1 of 100 requests at most; what
//! it costs is a retry, and its success rate counts against it where another could be asked); one that fails always opens at the fifth.
//!
//! Why not a failure rate over a window: it must have seen a window's worth of requests before it can know,
//! and each of those may have cost a time limit.
//!
//! Invariants: an open breaker admits at most one request each time its wait is over, whether or not anybody
//! tells what became of it.

use crate::unit::Timestamp;
use std::time::Duration;

/// Strikes that open it.
const TRIP: f64 = 5.0;

/// How long it stays open at first.
const FIRST_OPEN: Duration = Duration::from_secs(2);

/// How long it stays open at most, but where the endpoint itself asked for longer.
const LONGEST_OPEN: Duration = Duration::from_secs(60);

/// How long an endpoint that asked for patience without saying how much is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest wait that an endpoint may ask for: a day would take it out for good by a typing error.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

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

/// Whether an endpoint may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Breaker {
    strikes: f64,
    open: Option<Open>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Open {
    until: Timestamp,
    /// The wait after which it may be asked.
    wait: Duration,
    /// Whether a request is under way that is to see whether it is back.
    probing: bool,
}

impl Breaker {
    /// Whether it is not to be asked at `now`.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.open.is_some_and(|open| now < open.until)
    }

    /// Whether it has failed and one request may see whether it is back.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.open.is_some_and(|open| now >= open.until)
    }

    /// Whether it has nothing against the endpoint.
    pub fn is_closed(&self) -> bool {
        self.open.is_none()
    }

    /// Lets a request through, if it may pass.
    pub fn admit(&mut self, now: Timestamp) -> bool {
        let Some(open) = &mut self.open else {
            return true;
        };
        if now < open.until {
            return false;
        }
        (open.until, open.probing) = (now.after(open.wait), true);
        true
    }

    /// Notes what became of a request.
    ///
    /// ```
    /// use bellwether::health::{Breaker, Outcome};
    /// use bellwether::unit::Timestamp;
    /// let now = Timestamp::from_micros(0);
    /// let mut breaker = Breaker::default();
    /// for _ in 0..5 {
    ///     assert!(breaker.admit(now));
    ///     breaker.note(Outcome::Failed, now);
    /// }
    /// assert!(!breaker.admit(now));
    /// // Two seconds later one may see, and no other.
    /// let later = Timestamp::from_micros(2_000_000);
    /// assert!(breaker.admit(later) && !breaker.admit(later));
    /// breaker.note(Outcome::Answered, later);
    /// assert!(breaker.admit(later));
    /// ```
    pub fn note(&mut self, outcome: Outcome, now: Timestamp) {
        match outcome {
            Outcome::Answered => {
                self.strikes /= 2.0;
                // One that was sent before it opened says nothing of how it is now.
                self.open.take_if(|open| open.probing || now >= open.until);
            }
            Outcome::Failed => self.strike(1.0, now),
            Outcome::TimedOut => self.strike(2.0, now),
            Outcome::Misconfigured => self.open_for(LONGEST_OPEN, LONGEST_OPEN, now),
            Outcome::TooMany(asked) => {
                let asked = asked.unwrap_or(PAUSE).min(LONGEST_ASKED);
                self.open_for(asked, FIRST_OPEN, now);
            }
            Outcome::Abandoned => {
                if let Some(open) = &mut self.open {
                    open.probing = false;
                }
            }
            Outcome::Told => {}
        }
    }

    fn strike(&mut self, strikes: f64, now: Timestamp) {
        match self.open {
            Some(open) if open.probing => {
                let wait = (open.wait * 2).min(LONGEST_OPEN);
                self.open_for(wait, wait, now);
            }
            // Those that were sent before it opened fail one after another: one wait for all of them.
            Some(_) => {}
            None => {
                self.strikes += strikes;
                if self.strikes >= TRIP {
                    self.open_for(FIRST_OPEN, FIRST_OPEN, now);
                }
            }
        }
    }

    /// Not before the end of `asked`, and every `wait` from then on.
    fn open_for(&mut self, asked: Duration, wait: Duration, now: Timestamp) {
        let until = now.after(asked);
        let until = self.open.map_or(until, |open| open.until.max(until));
        self.strikes = 0.0;
        self.open = Some(Open {
            until,
            wait,
            probing: false,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_micros(ms * 1000)
    }

    /// How many of `requests`, one each millisecond, are let through to an endpoint that always does so.
    fn check(outcome: Outcome, requests: i64, expected: usize) {
        let mut breaker = Breaker::default();
        let asked = (0..requests).filter(|ms| {
            let admitted = breaker.admit(at(*ms));
            if admitted {
                breaker.note(outcome, at(*ms));
            }
            admitted
        });
        assert_eq!(asked.count(), expected, "{outcome:?}");
    }

    #[test]
    fn a_failing_endpoint_is_asked_five_times_and_then_to_see() {
        check(Outcome::Answered, 1000, 1000);
        check(Outcome::Abandoned, 1000, 1000);
        check(Outcome::Failed, 1000, 5);
        check(Outcome::TimedOut, 1000, 3);
        // After 2, 4, 8, 16, 32 seconds and then every minute.
        check(Outcome::Failed, 10_000, 5 + 2);
        check(Outcome::Failed, 62_005, 5 + 5);
        check(Outcome::Failed, 600_000, 5 + 5 + 8);
        check(Outcome::Misconfigured, 60_000, 1);
    }

    #[test]
    fn it_waits_as_long_as_the_endpoint_asks_and_no_longer_than_ten_minutes() {
        let asked = |seconds| Outcome::TooMany(Some(Duration::from_secs(seconds)));
        check(asked(7), 7_000, 1);
        check(asked(7), 7_001, 2);
        check(Outcome::TooMany(None), 1_000, 1);
        check(Outcome::TooMany(None), 1_001, 2);
        check(asked(1_000_000), 600_001, 2);
    }

    #[test]
    fn failures_that_were_sent_before_it_opened_do_not_add_to_its_wait() {
        let mut breaker = Breaker::default();
        for _ in 0..200 {
            breaker.note(Outcome::TimedOut, at(0));
        }
        assert!(breaker.is_open(at(1_999)));
        assert!(breaker.is_due(at(2_000)));
    }

    #[test]
    fn a_probe_that_nobody_tells_of_does_not_keep_it_open_for_ever() {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            breaker.note(Outcome::Failed, at(0));
        }
        assert!(breaker.admit(at(2_000)));
        assert!(!breaker.admit(at(3_999)));
        assert!(breaker.admit(at(4_000)));
        breaker.note(Outcome::Answered, at(4_100));
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn three_failures_in_ten_seldom_open_it() {
        // A fixed sequence of pseudo-random outcomes (SplitMix64).
        let (mut state, mut opened) = (1_u64, 0);
        let mut breaker = Breaker::default();
        for ms in 0..10_000 {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut z = state;
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            let failed = (z ^ (z >> 31)) % 10 < 3;
            let outcome = if failed {
                Outcome::Failed
            } else {
                Outcome::Answered
            };
            breaker.note(outcome, at(ms));
            opened += usize::from(!breaker.is_closed());
            breaker.open = None;
        }
        assert!(opened < 100, "{opened}");
    }

    proptest! {
        #[test]
        fn an_open_breaker_lets_one_through_at_a_time(pauses in prop::collection::vec(0_i64..3_000, 1..100)) {
            let (mut breaker, mut now, mut last) = (Breaker::default(), 0, None);
            for _ in 0..5 {
                breaker.note(Outcome::Failed, at(0));
            }
            for pause in pauses {
                now += pause;
                if breaker.admit(at(now)) {
                    prop_assert!(last.is_none_or(|last| now - last >= 2_000));
                    prop_assert!(now >= 2_000);
                    last = Some(now);
                }
            }
        }
    }

    #[test]
    fn an_answer_to_what_was_sent_before_it_opened_does_not_close_it() {
        let mut breaker = Breaker::default();
        breaker.note(Outcome::TooMany(Some(Duration::from_secs(30))), at(0));
        breaker.note(Outcome::Answered, at(10));
        assert!(breaker.is_open(at(29_999)));
        assert!(breaker.admit(at(30_000)));
        breaker.note(Outcome::Told, at(30_010));
        assert!(!breaker.is_closed());
        breaker.note(Outcome::Answered, at(30_020));
        assert!(breaker.is_closed());
    }
}
