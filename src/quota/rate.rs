//! A rate with a burst.
//!
//! What is kept of an owner is one number: how far ahead of now its burst is whole again. The rest follows from the
//! rate; where that changes under it, what is owed beyond a burst stays as many ([`Rate::carried`]).
//!
//! Invariants: intervals are whole nanoseconds, rounded down, and at least a microsecond: a caller at its rate is
//! never refused, and gets at most 0.1 % more than it says. A burst comes back within seven days at most.
//!
//! Source: GCRA (ITU-T I.371), as the crate `governor` has it. It is asked with a clock that stands still and a
//! state of the one call, so that time is our argument and who lets in may look without drawing.

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::{NotKeyed, StateStore};
use governor::{Quota, RateLimiter};
use std::cell::Cell;
use std::fmt;
use std::num::NonZeroU32;
use std::time::Duration;

/// Longest time for a burst to come back.
const LONGEST: Duration = Duration::from_secs(7 * 24 * 3600);

/// Least time between two of a rate.
const SHORTEST: Duration = Duration::from_micros(1);

/// Nothing is further ahead: sums of two stay numbers.
const FURTHEST: u64 = u64::MAX / 4;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Per {
    /// A second.
    Second,
    /// A minute.
    Minute,
    /// An hour.
    Hour,
}

impl Per {
    /// Its length.
    pub const fn duration(self) -> Duration {
        Duration::from_secs(match self {
            Self::Second => 1,
            Self::Minute => 60,
            Self::Hour => 3600,
        })
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Second => "a second",
            Self::Minute => "a minute",
            Self::Hour => "an hour",
        }
    }
}

/// So many in a unit of time, and so many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    amount: u32,
    per: Per,
    burst: NonZeroU32,
    interval: Duration,
}

impl Rate {
    /// Most in a unit of time.
    pub const fn most(per: Per) -> u32 {
        // A million a second.
        per.duration().as_secs() as u32 * 1_000_000
    }

    /// `amount` in a unit of time, `burst` at once (as many as come in a unit, where it is not said). `None`: it is out
    /// of range.
    ///
    /// ```
    /// use bellwether::quota::{Per, Rate};
    /// assert_eq!(Rate::new(600, Per::Minute, Some(5)).unwrap().to_string(), "600 a minute, 5 at once");
    /// assert!(Rate::new(0, Per::Second, None).is_none());
    /// assert!(Rate::new(1, Per::Hour, Some(169)).is_none(), "more than come in seven days");
    /// ```
    pub fn new(amount: u32, per: Per, burst: Option<u32>) -> Option<Self> {
        let interval = per.duration().checked_div(amount)?;
        let burst = NonZeroU32::new(burst.unwrap_or(amount))?;
        let whole = interval.checked_mul(burst.get())?;
        (interval >= SHORTEST && whole <= LONGEST).then_some(Self {
            amount,
            per,
            burst,
            interval,
        })
    }

    /// Most at once.
    pub const fn burst(&self) -> u32 {
        self.burst.get()
    }

    fn nanos(&self) -> u64 {
        u64::try_from(self.interval.as_nanos()).unwrap_or(FURTHEST)
    }

    /// How far ahead it is whole again under this rate, where it is so far ahead under another: of a burst that is to
    /// come back the time stays, of what is owed beyond one the number.
    pub(super) fn carried(&self, ahead: u64, from: &Self) -> u64 {
        let burst = ahead.min(from.whole());
        let owed = u128::from(ahead - burst) * u128::from(self.nanos());
        let owed = owed / u128::from(from.nanos().max(1));
        let owed = u64::try_from(owed).unwrap_or(FURTHEST);
        burst.saturating_add(owed).min(FURTHEST)
    }

    /// How long a burst takes to come back, in nanoseconds.
    fn whole(&self) -> u64 {
        self.nanos().saturating_mul(u64::from(self.burst.get()))
    }

    /// How many there are, where the burst is whole again `ahead` nanoseconds from now.
    pub(super) fn left(&self, ahead: u64) -> u32 {
        let left = self.whole().saturating_sub(ahead) / self.nanos().max(1);
        u32::try_from(left).unwrap_or(u32::MAX)
    }

    /// Whether there are `number`; if not, how long until there may be. `None`: never so many at once.
    pub(super) fn check(&self, ahead: u64, number: u64) -> Result<(), Option<Duration>> {
        let number = u32::try_from(number).map_err(|_| None)?;
        let Some(number) = NonZeroU32::new(number) else {
            return Ok(());
        };
        let Some(quota) = Quota::with_period(self.interval) else {
            return Ok(());
        };
        let state = Ahead(Cell::new(ahead.min(FURTHEST)));
        let limiter = RateLimiter::<_, _, _, NoOpMiddleware<Nanos>>::new(
            quota.allow_burst(self.burst),
            state,
            Still,
        );
        match limiter.check_n(number) {
            Ok(Ok(())) => Ok(()),
            Ok(Err(until)) => Err(Some(until.wait_time_from(Still.now()))),
            Err(_) => Err(None),
        }
    }

    /// How far ahead it is whole again when `number` are drawn, whether there are so many or not.
    pub(super) fn drawn(&self, ahead: u64, number: u64) -> u64 {
        ahead
            .saturating_add(self.nanos().saturating_mul(number))
            .min(FURTHEST)
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {}, {} at once",
            self.amount,
            self.per.as_str(),
            self.burst
        )
    }
}

/// A clock that stands: what the state says is ahead of it.
struct Still;

impl Clock for Still {
    type Instant = Nanos;

    fn now(&self) -> Nanos {
        Nanos::from(0)
    }
}

/// How far ahead of now a burst is whole again.
struct Ahead(Cell<u64>);

impl StateStore for Ahead {
    type Key = NotKeyed;

    fn measure_and_replace<T, F, E>(&self, _: &NotKeyed, f: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        let (told, next) = f(Some(Nanos::from(self.0.get())))?;
        self.0.set(next.as_u64());
        Ok(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rate(amount: u32, per: Per, burst: u32) -> Rate {
        Rate::new(amount, per, Some(burst)).unwrap()
    }

    #[test]
    fn what_is_drawn_comes_back_at_the_rate() {
        let rate = rate(60, Per::Minute, 3);
        let second = 1_000_000_000;
        assert_eq!(rate.check(0, 3), Ok(()));
        let ahead = rate.drawn(0, 3);
        assert_eq!((ahead, rate.left(ahead)), (3 * second, 0));
        assert_eq!(rate.check(ahead, 1), Err(Some(Duration::from_secs(1))));
        assert_eq!(rate.check(ahead - second, 1), Ok(()));
        assert_eq!(rate.left(ahead - second), 1);
        assert_eq!(rate.check(0, 4), Err(None));
        assert_eq!(
            rate.check(u64::MAX, 1)
                .unwrap_err()
                .map(|w| w.as_secs() > 1),
            Some(true)
        );
    }

    #[test]
    fn rates_are_bounded_so_that_their_sums_are_numbers() {
        for per in [Per::Second, Per::Minute, Per::Hour] {
            assert!(Rate::new(Rate::most(per), per, None).is_some());
            assert!(Rate::new(1, per, None).is_some());
            assert!(Rate::new(0, per, Some(1)).is_none());
            assert!(Rate::new(1, per, Some(0)).is_none());
        }
        assert!(Rate::new(1_000_001, Per::Second, None).is_none());
        assert!(Rate::new(1, Per::Hour, Some(168)).is_some());
        assert!(Rate::new(1, Per::Hour, Some(169)).is_none());
    }

    proptest! {
        /// Whoever asks and whenever: what is let in within any time fits burst and rate.
        #[test]
        fn no_more_than_burst_and_rate_are_let_in(
            amount in 1_u32..100_000,
            burst in 1_u32..500,
            gaps in prop::collection::vec(0_u64..2_000_000_000, 1..400),
        ) {
            let rate = rate(amount, Per::Minute, burst);
            let (mut now, mut full, mut admitted) = (0, 0_u64, Vec::new());
            for gap in gaps {
                now += gap;
                let ahead = full.saturating_sub(now);
                if rate.check(ahead, 1).is_ok() {
                    full = now + rate.drawn(ahead, 1);
                    admitted.push(now);
                }
            }
            let interval = rate.interval.as_nanos() as u64;
            for (first, from) in admitted.iter().enumerate() {
                for (last, to) in admitted.iter().enumerate().skip(first) {
                    let most = u64::from(burst) + (to - from) / interval;
                    prop_assert!((last - first + 1) as u64 <= most);
                }
            }
        }

        /// Callers that together keep to the rate are never refused.
        #[test]
        fn who_keeps_to_the_rate_is_never_refused(
            amount in 1_u32..1_000_000,
            burst in 1_u32..100,
            calls in 1_u64..300,
        ) {
            let burst = burst.min(amount);
            let rate = rate(amount, Per::Minute, burst);
            let mut full = 0_u64;
            for call in 0..calls {
                // The whole burst at once, then one more whenever the rate has one.
                let due = call.saturating_sub(u64::from(burst) - 1);
                let now = due * 60_000_000_000 / u64::from(amount);
                let ahead = full.saturating_sub(now);
                prop_assert_eq!(rate.check(ahead, 1), Ok(()));
                full = now + rate.drawn(ahead, 1);
            }
        }
    }
}
