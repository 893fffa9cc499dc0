//! The cells that metrics are counted in.
//!
//! Invariants: a count and a sum only grow; a histogram's count is the sum of its buckets, whoever adds meanwhile.
//!
//! Not here: what a cell is of (`grid`), how it is written (`text`).
//!
//! Units: whole numbers; of times nanoseconds, of money nano-dollars.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// A whole number.
#[derive(Debug, Default)]
pub(super) struct Count(AtomicU64);

impl Count {
    pub(super) fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    pub(super) fn take(&self, less: u64) {
        self.0.fetch_sub(less, Ordering::Relaxed);
    }

    pub(super) fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
    }

    pub(super) fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// How many times fell into each bucket, and their sum.
#[derive(Debug)]
pub(super) struct Times {
    /// Upper bounds in nanoseconds, ascending.
    bounds: &'static [u64],
    /// One more than there are bounds: the last is of what is longer than all.
    buckets: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Times {
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        Self {
            bounds,
            buckets: (0..=bounds.len()).map(|_| AtomicU64::new(0)).collect(),
            sum: AtomicU64::new(0),
        }
    }

    pub(super) fn note(&self, took: Duration) {
        let nanos = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX);
        let place = self.bounds.partition_point(|bound| *bound < nanos);
        if let Some(bucket) = self.buckets.get(place) {
            bucket.fetch_add(1, Ordering::Relaxed);
            self.sum.fetch_add(nanos, Ordering::Relaxed);
        }
    }

    /// Each upper bound (the last has none) with the number of times up to it.
    pub(super) fn upto(&self) -> impl Iterator<Item = (Option<u64>, u64)> {
        let bounds = self.bounds.iter().copied().map(Some).chain([None]);
        let mut all = 0;
        bounds.zip(&self.buckets).map(move |(bound, bucket)| {
            all += bucket.load(Ordering::Relaxed);
            (bound, all)
        })
    }

    pub(super) fn sum(&self) -> u64 {
        self.sum.load(Ordering::Relaxed)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.upto().all(|(_, count)| count == 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Counts up to each of the bounds 10 and 20, and of all.
    fn check(nanos: &[u64], expected: [u64; 3]) {
        let times = Times::new(&[10, 20]);
        for nanos in nanos {
            times.note(Duration::from_nanos(*nanos));
        }
        let found: Vec<_> = times.upto().map(|(_, count)| count).collect();
        assert_eq!(found, expected, "{nanos:?}");
    }

    #[test]
    fn a_time_is_in_the_bucket_whose_bound_it_does_not_exceed() {
        check(&[], [0, 0, 0]);
        check(&[10], [1, 1, 1]);
        check(&[11], [0, 1, 1]);
        check(&[0, 20, 21], [1, 2, 3]);
    }

    proptest! {
        #[test]
        fn buckets_and_sum_are_those_of_the_times(
            nanos in prop::collection::vec(0_u64..30, 0..50)
        ) {
            let upto = |bound| nanos.iter().filter(|n| **n <= bound).count() as u64;
            check(&nanos, [upto(10), upto(20), nanos.len() as u64]);
            let times = Times::new(&[10, 20]);
            nanos.iter().for_each(|n| times.note(Duration::from_nanos(*n)));
            prop_assert_eq!(times.sum(), nanos.iter().sum::<u64>());
            prop_assert_eq!(times.is_empty(), nanos.is_empty());
        }
    }
}
