//! How long an endpoint takes: a mean that jumps up at once and comes down slowly.
//!
//! After a sample x at time t since the last one: where x is above the mean it becomes the mean, else
//! mean = x + (mean - x) exp(-t / [`DECAY`]). Unseen, it sinks towards nothing at the same rate, so that an
//! endpoint that was slow is tried again.
//!
//! Source: Finagle's `PeakEwma` and tower's `load::PeakEwma`, whose load is this mean times one more than the
//! requests under way.

use crate::unit::Timestamp;
use std::time::Duration;

/// What is left of a mean after so long: 1/e.
pub(super) const DECAY: Duration = Duration::from_secs(10);

/// A mean of milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct PeakEwma {
    ms: f64,
    seen: Option<Timestamp>,
}

impl PeakEwma {
    /// The mean at `now`; nothing where nothing was seen.
    pub fn at(&self, now: Timestamp) -> Option<f64> {
        self.seen.map(|seen| self.ms * left(seen, now))
    }

    /// The mean when it was last noted; nothing where nothing was seen.
    pub fn noted(&self) -> Option<f64> {
        self.seen.map(|_| self.ms)
    }

    /// One request took `ms` milliseconds; what is no finite number of 0 or more is not counted.
    ///
    /// ```
    /// use bellwether::{health::PeakEwma, unit::Timestamp};
    /// let at = |seconds: i64| Timestamp::from_micros(seconds * 1_000_000);
    /// let mut mean = PeakEwma::default();
    /// mean.note(100.0, at(0));
    /// mean.note(300.0, at(0));
    /// assert_eq!(mean.at(at(0)), Some(300.0));
    /// // Ten seconds on: 100 + 200 / e.
    /// mean.note(100.0, at(10));
    /// assert!((mean.at(at(10)).unwrap() - 173.58).abs() < 0.01);
    /// ```
    pub fn note(&mut self, ms: f64, now: Timestamp) {
        if !ms.is_finite() || ms < 0.0 {
            return;
        }
        let before = self.seen.map_or(0.0, |seen| left(seen, now));
        self.ms = if ms > self.ms || self.seen.is_none() {
            ms
        } else {
            ms + (self.ms - ms) * before
        };
        self.seen = Some(self.seen.map_or(now, |seen| seen.max(now)));
    }
}

/// The share that is left at `now` of what was there at `seen`.
fn left(seen: Timestamp, now: Timestamp) -> f64 {
    let micros = now.micros().saturating_sub(seen.micros()).max(0);
    (-(micros as f64) / DECAY.as_micros() as f64).exp()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_never_below_the_last_sample_nor_above_the_largest(
            samples in prop::collection::vec((0.0..1e6_f64, 0_i64..20_000_000), 1..50)
        ) {
            let (mut mean, mut time, mut largest) = (PeakEwma::default(), 0, 0.0_f64);
            for (ms, pause) in samples {
                time += pause;
                let now = Timestamp::from_micros(time);
                mean.note(ms, now);
                largest = largest.max(ms);
                let found = mean.at(now).unwrap();
                prop_assert!(found >= ms - 1e-9 && found <= largest + 1e-9, "{found}");
            }
        }

        #[test]
        fn time_that_goes_back_changes_nothing_but_the_sample(ms in 0.0..1e6_f64, back in 0_i64..1_000_000) {
            let mut mean = PeakEwma::default();
            mean.note(10.0, Timestamp::from_micros(1_000_000));
            mean.note(ms, Timestamp::from_micros(1_000_000 - back));
            prop_assert_eq!(mean.at(Timestamp::from_micros(1_000_000)), Some(ms.max(10.0)));
        }
    }

    #[test]
    fn what_is_no_time_is_not_counted() {
        let (mut mean, now) = (PeakEwma::default(), Timestamp::from_micros(0));
        for ms in [f64::NAN, f64::INFINITY, -1.0] {
            mean.note(ms, now);
        }
        assert_eq!(mean.at(now), None);
    }
}
