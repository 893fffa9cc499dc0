//! Paired differences where every outcome is known: their mean over clusters, its interval and p-value.
//!
//! Invariants: rows of one cluster (a prompt that was met in several streams) move together; a mean is the
//! sum of sums over the sum of counts. Two clusters at least, else there is no answer.
//!
//! Not here: which differences (`replay`); intervals for skewed ones ([`super::bca`]).
//!
//! Source: SCIENCE 3.4, first row: the paired t interval, in the form of a ratio of cluster sums.

use serde::Serialize;
use statrs::distribution::{ContinuousCDF, StudentsT};

/// What the rows of one cluster add up to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cluster<const N: usize> {
    /// Rows.
    pub count: f64,
    /// Sums over them of N values.
    pub sums: [f64; N],
}

/// A mean difference with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Paired {
    /// The mean difference.
    pub value: f64,
    /// Its standard error, clustered.
    pub standard_error: f64,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end of the 95 % interval.
    pub upper: f64,
    /// The chance of a difference at least as far from 0 if there were none: two-sided, Student's t.
    pub p_value: f64,
}

/// Each value's mean over all rows.
pub(super) fn means<const N: usize>(clusters: &[Cluster<N>]) -> [f64; N] {
    let mut sums = [0.0; N];
    let mut count = 0.0;
    for cluster in clusters {
        count += cluster.count;
        sums.iter_mut()
            .zip(cluster.sums)
            .for_each(|(sum, s)| *sum += s);
    }
    sums.map(|sum| sum / count)
}

/// The mean of each value with its Student t interval.
///
/// ```
/// use bellwether::ope::{Cluster, paired};
/// // Differences of 0, 0.2 and 0.4: mean 0.2, sd 0.2, t with 2 degrees: 4.3027 * 0.2 / sqrt(3).
/// let clusters = [0.0, 0.2, 0.4].map(|d| Cluster { count: 1.0, sums: [d] });
/// let [found] = paired(&clusters).unwrap();
/// assert!((found.value - 0.2).abs() < 1e-12 && (found.upper - 0.2 - 0.496_83).abs() < 1e-5);
/// // t = sqrt(3); with 2 degrees p = 1 - t / sqrt(t^2 + 2).
/// assert!((found.p_value - (1.0 - (3.0_f64 / 5.0).sqrt())).abs() < 1e-9);
/// ```
pub fn paired<const N: usize>(clusters: &[Cluster<N>]) -> Option<[Paired; N]> {
    let n = clusters.len() as f64;
    let law = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
    let quantile = law.inverse_cdf(0.975);
    let means = means(clusters);
    let count: f64 = clusters.iter().map(|cluster| cluster.count).sum();
    let mut squares = [0.0; N];
    for cluster in clusters {
        let apart = squares.iter_mut().zip(cluster.sums).zip(means);
        apart.for_each(|((square, sum), mean)| *square += (sum - mean * cluster.count).powi(2));
    }
    let mut place = 0..N;
    let of = |square: f64| {
        let value = place.next().and_then(|at| means.get(at)).copied();
        let value = value.unwrap_or(f64::NAN);
        let standard_error = (square * n / (n - 1.0)).sqrt() / count;
        let p_value = match standard_error > 0.0 {
            true => 2.0 * law.sf((value / standard_error).abs()),
            // All alike: they differ from 0 or they do not.
            false if value == 0.0 => 1.0,
            false => 0.0,
        };
        Paired {
            value,
            standard_error,
            lower: value - quantile * standard_error,
            upper: value + quantile * standard_error,
            p_value: p_value.clamp(0.0, 1.0),
        }
    };
    Some(squares.map(of))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    fn rows(values: &[f64]) -> Vec<Cluster<1>> {
        let row = |v: &f64| Cluster {
            count: 1.0,
            sums: [*v],
        };
        values.iter().map(row).collect()
    }

    #[test]
    fn one_cluster_says_nothing_and_equal_ones_are_sure() {
        assert_eq!(paired(&rows(&[])), None);
        assert_eq!(paired(&rows(&[0.5])), None);
        let [same] = paired(&rows(&[0.5, 0.5])).unwrap();
        assert_eq!((same.lower, same.upper, same.p_value), (0.5, 0.5, 0.0));
        assert_eq!(paired(&rows(&[0.0, 0.0])).unwrap()[0].p_value, 1.0);
    }

    #[test]
    fn without_a_difference_one_in_twenty_is_below_a_twentieth() {
        let mut rng = SmallRng::seed_from_u64(3);
        let mut low = 0;
        for _ in 0..2000 {
            // Prompts that agree, prefer one, or prefer the other.
            let differences: Vec<f64> = (0..80)
                .map(|_| f64::from(rng.random_range(-1..=1)))
                .collect();
            low += u32::from(paired(&rows(&differences)).unwrap()[0].p_value < 0.05);
        }
        // 100 expected; 4 sd either way.
        assert!((61..=139).contains(&low), "{low}");
    }

    proptest! {
        #[test]
        fn rows_of_one_cluster_are_one_row_however_often_they_are_met(
            values in prop::collection::vec(-1.0_f64..1.0, 2..30), times in 1_u32..6,
        ) {
            let times = f64::from(times);
            let often: Vec<Cluster<1>> = values.iter().map(|v| Cluster { count: times, sums: [times * v] }).collect();
            let ([once], [often]) = (paired(&rows(&values)).unwrap(), paired(&often).unwrap());
            prop_assert!((once.lower - often.lower).abs() < 1e-9 && (once.upper - often.upper).abs() < 1e-9);
        }
    }
}
