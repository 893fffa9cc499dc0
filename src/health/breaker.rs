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
//! tells what became of it; no word of a caller closes it, or opens it for us.
//!
//! Not here: what callers tell of requests of their own ([`Breaker::told`] hands it on to `hearsay`).

use super::hearsay::Hearsay;
use super::outcome::Outcome;
use crate::unit::Timestamp;
use std::time::Duration;

/// Strikes that open it.
pub(super) const TRIP: f64 = 5.0;

/// How long it stays open at first.
pub(super) const FIRST_OPEN: Duration = Duration::from_secs(2);

/// How long it stays open at most, but where the endpoint itself asked for longer.
pub(super) const LONGEST_OPEN: Duration = Duration::from_secs(60);

/// How long an endpoint that asked for patience without saying how much is left alone.
const PAUSE: Duration = Duration::from_secs(1);

/// Longest wait that an endpoint may ask for: a day would take it out for good by a typing error.
const LONGEST_ASKED: Duration = Duration::from_secs(600);

/// Whether an endpoint may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Breaker {
    strikes: f64,
    open: Option<Open>,
    told: Hearsay,
}

/// How long nobody may ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rest {
    /// Until one request may.
    pub wait: Duration,
    /// Because it said that there were too many.
    pub limited: bool,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Open {
    until: Timestamp,
    /// The wait after which it may be asked.
    wait: Duration,
    /// Whether a request is under way that is to see whether it is back.
    probing: bool,
    /// Whether it said itself that there were too many.
    limited: bool,
}

impl Breaker {
    /// Whether it is not to be asked at `now`, if another can be.
    pub fn is_open(&self, now: Timestamp) -> bool {
        self.rest(now).is_some() || self.told.avoids(now)
    }

    /// How long it is not to be asked from `now` on, whatever else there is: by what we saw ourselves.
    pub fn rest(&self, now: Timestamp) -> Option<Rest> {
        let open = self.open.filter(|open| now < open.until)?;
        let micros = open.until.micros().saturating_sub(now.micros());
        Some(Rest {
            wait: Duration::from_micros(u64::try_from(micros).unwrap_or(0)),
            limited: open.limited,
        })
    }

    /// Whether it has failed and one request may see whether it is back.
    pub fn is_due(&self, now: Timestamp) -> bool {
        self.open.is_some_and(|open| now >= open.until)
    }

    /// Whether it has nothing against the endpoint.
    pub fn is_closed(&self) -> bool {
        self.open.is_none() && self.told.is_over()
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

    /// A request that was let through at `now` is not sent after all: if it was to see whether the endpoint is
    /// back, the next one may.
    pub fn give_back(&mut self, now: Timestamp) {
        if let Some(open) = self.open.as_mut().filter(|open| open.probing) {
            (open.until, open.probing) = (now, false);
        }
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
                self.told = Hearsay::default();
                // One that was sent before it opened says nothing of how it is now.
                self.open.take_if(|open| open.probing || now >= open.until);
            }
            Outcome::Failed | Outcome::TimedOut => self.strike(outcome.strikes(), now),
            Outcome::Misconfigured => self.open_for(LONGEST_OPEN, LONGEST_OPEN, false, now),
            Outcome::TooMany(asked) => {
                let asked = asked.unwrap_or(PAUSE).min(LONGEST_ASKED);
                self.open_for(asked, FIRST_OPEN, true, now);
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
                self.open_for(wait, wait, false, now);
            }
            // Those that were sent before it opened fail one after another: one wait for all of them.
            Some(_) => {}
            None => {
                self.strikes += strikes;
                if self.strikes >= TRIP {
                    self.open_for(FIRST_OPEN, FIRST_OPEN, false, now);
                }
            }
        }
    }

    /// Not before the end of `asked`, and every `wait` from then on.
    fn open_for(&mut self, asked: Duration, wait: Duration, limited: bool, now: Timestamp) {
        let until = now.after(asked);
        let longer = self.open.filter(|open| open.until > until);
        self.strikes = 0.0;
        self.open = Some(Open {
            until: longer.map_or(until, |open| open.until),
            wait,
            probing: false,
            limited: longer.map_or(limited, |open| open.limited),
        });
    }

    /// Notes what a caller tells of a request that it made itself: [`Outcome::Failed`] and
    /// [`Outcome::TimedOut`] count as they do in [`Breaker::note`], apart from what we saw, everything else as an
    /// answer. While it is left alone nothing does: what is told then began before.
    ///
    /// ```
    /// use bellwether::health::{Breaker, Outcome};
    /// use bellwether::unit::Timestamp;
    /// let now = Timestamp::from_micros(0);
    /// let mut breaker = Breaker::default();
    /// for _ in 0..5 {
    ///     breaker.told(Outcome::Failed, now);
    /// }
    /// // Avoided for two seconds, but not at rest: where there is no other, it is asked.
    /// assert!(breaker.is_open(now) && breaker.rest(now).is_none() && breaker.admit(now));
    /// assert!(!breaker.is_open(Timestamp::from_micros(2_000_000)));
    /// ```
    pub fn told(&mut self, outcome: Outcome, now: Timestamp) {
        if !self.is_open(now) {
            self.told.note(outcome, now);
        }
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
    fn a_probe_that_is_not_sent_is_the_next_ones() {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            breaker.note(Outcome::Failed, at(0));
        }
        breaker.give_back(at(1));
        assert!(!breaker.admit(at(2)), "nobody was let through");
        assert!(breaker.admit(at(2_000)) && !breaker.admit(at(2_001)));
        breaker.give_back(at(2_000));
        assert!(breaker.admit(at(2_001)) && !breaker.admit(at(2_002)));
        breaker.note(Outcome::Answered, at(2_003));
        assert!(breaker.is_closed());
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
    fn what_callers_tell_is_a_reason_to_look_elsewhere_and_never_to_refuse() {
        let mut breaker = Breaker::default();
        let tell = |breaker: &mut Breaker, ms| {
            for _ in 0..5 {
                breaker.told(Outcome::Failed, at(ms));
            }
        };
        tell(&mut breaker, 0);
        // What is told meanwhile does not make it longer.
        tell(&mut breaker, 100);
        assert!(breaker.is_open(at(1_999)) && !breaker.is_open(at(2_000)));
        assert_eq!(breaker.rest(at(0)), None);
        assert!(!breaker.is_due(at(2_000)) && !breaker.is_closed());
        // Told again, it is twice as long.
        tell(&mut breaker, 2_000);
        assert!(breaker.is_open(at(5_999)) && !breaker.is_open(at(6_000)));
        // An answer that we saw ends it at once, one that we are told of when the time is over.
        let mut seen = breaker;
        seen.note(Outcome::Answered, at(2_100));
        assert_eq!(seen, Breaker::default());
        breaker.told(Outcome::Told, at(2_100));
        assert!(breaker.is_open(at(5_999)));
        breaker.told(Outcome::Told, at(6_000));
        assert!(breaker.is_closed());
    }

    #[test]
    fn a_word_of_a_caller_does_not_touch_what_we_saw() {
        let mut breaker = Breaker::default();
        for _ in 0..5 {
            breaker.note(Outcome::Failed, at(0));
        }
        assert!(breaker.admit(at(2_000)));
        breaker.told(Outcome::Failed, at(2_010));
        breaker.told(Outcome::Told, at(2_020));
        assert!(breaker.is_open(at(2_030)));
        breaker.note(Outcome::Answered, at(2_100));
        assert_eq!(breaker, Breaker::default());
    }

    #[test]
    fn it_says_how_long_and_whether_it_was_asked_to() {
        let rest = |outcome, ms| {
            let mut breaker = Breaker::default();
            breaker.note(outcome, at(0));
            let rest = breaker.rest(at(ms));
            rest.map(|rest| (rest.wait.as_millis(), rest.limited))
        };
        let seconds = |s| Some(Duration::from_secs(s));
        assert_eq!(
            rest(Outcome::TooMany(seconds(7)), 2_000),
            Some((5_000, true))
        );
        assert_eq!(rest(Outcome::TooMany(seconds(7)), 7_000), None);
        assert_eq!(rest(Outcome::Misconfigured, 0), Some((60_000, false)));
        assert_eq!(rest(Outcome::Failed, 0), None);
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
