//! The estimators and their interval, on one path: contributions, ratio, linearised variance.
//!
//! Invariants: every estimator is a ratio of two means; rows of one cluster are summed before the
//! variance is taken, so rows that repeat one episode do not narrow the interval.
//!
//! Not here: whether the log can answer ([`super::Overlap`]). The interval assumes episodes that are
//! independent and propensities that are right; it is not valid under peeking (SCIENCE 3.4).
//!
//! Source: SCIENCE 3.2; the variance of a ratio by linearisation (the delta method), clustered, with
//! the factor G / (G - 1) for G clusters.

use super::Row;
use serde::Serialize;

/// The 97.5 % point of the standard normal: two-sided 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// How rows become a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Estimator {
    /// Inverse propensity scoring: mean of w r.
    Ips,
    /// Self-normalised: sum of w r over sum of w.
    Snips,
    /// Doubly robust: mean of V(q) + w (r - q), with q from a model that never saw the row.
    DoublyRobust,
}

/// A value and its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Estimate {
    /// The point estimate.
    pub value: f64,
    /// Its standard error, clustered.
    pub standard_error: f64,
    /// Lower end of the 95 % interval.
    pub lower: f64,
    /// Upper end of the 95 % interval.
    pub upper: f64,
}

impl Estimator {
    /// Numerator and denominator of one row.
    fn contribution(self, row: &Row) -> (f64, f64) {
        match self {
            Self::Ips => (row.weight * row.reward, 1.0),
            Self::Snips => (row.weight * row.reward, row.weight),
            Self::DoublyRobust => (
                row.weight_before * row.model_value + row.weight * (row.reward - row.model_chosen),
                1.0,
            ),
        }
    }

    /// The value of the target policy and its interval. `None` where it is not defined: no rows, or
    /// (self-normalised) no weight at all. With a single cluster the interval is unbounded.
    ///
    /// ```
    /// use bellwether::ope::{Estimator, Row};
    /// // Two draws, logged with probability 1/2 each; the target always takes the first arm.
    /// let row = |cluster, weight, reward| Row {
    ///     cluster, weight, weight_before: 1.0, reward, model_value: 0.75, model_chosen: 0.5,
    /// };
    /// let rows = [row(0, 2.0, 1.0), row(1, 0.0, 0.0)];
    /// // (2 x 1 + 0 x 0) / 2; (2 x 1) / (2 + 0); 0.75 + (2 x (1 - 0.5) + 0) / 2.
    /// assert_eq!(Estimator::Ips.estimate(&rows).unwrap().value, 1.0);
    /// assert_eq!(Estimator::Snips.estimate(&rows).unwrap().value, 1.0);
    /// assert_eq!(Estimator::DoublyRobust.estimate(&rows).unwrap().value, 1.25);
    /// ```
    pub fn estimate(self, rows: &[Row]) -> Option<Estimate> {
        ratio(rows, |row| self.contribution(row))
    }
}

/// The doubly robust value of the target policy less the mean reward that was logged, on the same
/// rows: what a change would bring, with the interval of the difference itself. `None` without rows.
///
/// ```
/// use bellwether::ope::{Row, difference};
/// // Two draws, logged with probability 1/2 each; the target always takes the first arm.
/// let row = |cluster, weight, reward| Row {
///     cluster, weight, weight_before: 1.0, reward, model_value: 0.75, model_chosen: 0.5,
/// };
/// let rows = [row(0, 2.0, 1.0), row(1, 0.0, 0.0)];
/// // Doubly robust 1.25 (see [`Estimator::estimate`]), logged 0.5.
/// assert_eq!(difference(&rows).unwrap().value, 0.75);
/// ```
pub fn difference(rows: &[Row]) -> Option<Estimate> {
    ratio(rows, |row| {
        let (numerator, one) = Estimator::DoublyRobust.contribution(row);
        (numerator - row.reward, one)
    })
}

/// The ratio of two sums over rows, with its clustered interval.
fn ratio(rows: &[Row], contribution: impl Fn(&Row) -> (f64, f64)) -> Option<Estimate> {
    let (numerator, denominator) = rows
        .iter()
        .map(&contribution)
        .fold((0.0, 0.0), |(n, d), (a, b)| (n + a, d + b));
    if denominator <= 0.0 {
        return None;
    }
    let value = numerator / denominator;
    let residuals = by_cluster(rows, |row| {
        let (n, d) = contribution(row);
        n - d * value
    });
    let clusters = residuals.len() as f64;
    let squares: f64 = residuals.iter().map(|s| s * s).sum();
    let standard_error = if residuals.len() > 1 {
        (squares * clusters / (clusters - 1.0)).sqrt() / denominator
    } else {
        f64::INFINITY
    };
    Some(Estimate {
        value,
        standard_error,
        lower: value - Z_95 * standard_error,
        upper: value + Z_95 * standard_error,
    })
}

impl Estimate {
    /// This less another one that is independent of it.
    ///
    /// ```
    /// use bellwether::ope::Estimate;
    /// let of = |value, standard_error| Estimate { value, standard_error, lower: 0.0, upper: 0.0 };
    /// let gain = of(0.75, 0.03).less(&of(0.5, 0.04));
    /// assert_eq!((gain.value, gain.standard_error), (0.25, 0.05));
    /// assert!((gain.lower - (0.25 - 1.96 * 0.05)).abs() < 1e-5);
    /// ```
    pub fn less(&self, other: &Self) -> Self {
        let value = self.value - other.value;
        let standard_error = self.standard_error.hypot(other.standard_error);
        Self {
            value,
            standard_error,
            lower: value - Z_95 * standard_error,
            upper: value + Z_95 * standard_error,
        }
    }

    /// The smallest true difference that a test at one-sided 5 % would find with 80 % power: 2.49
    /// standard errors (SCIENCE 3.7).
    pub fn detectable_effect(&self) -> f64 {
        2.49 * self.standard_error
    }
}

/// Sums of `value` over the rows of each cluster.
pub(super) fn by_cluster(rows: &[Row], value: impl Fn(&Row) -> f64) -> Vec<f64> {
    let clusters = rows.iter().map(|row| row.cluster + 1).max().unwrap_or(0);
    let mut sums = vec![0.0; clusters];
    for row in rows {
        if let Some(sum) = sums.get_mut(row.cluster) {
            *sum += value(row);
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ope::{Overlap, expected, importance_weight};
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// The reference log: action, reward, propensity, then target, model and truth for each arm.
    fn reference_rows() -> Option<(Vec<Row>, serde_json::Value)> {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/fixtures/ope");
        let log = std::fs::read_to_string(format!("{dir}/synth_log.csv"));
        let reference = std::fs::read_to_string(format!("{dir}/obp_reference.json"));
        let (Ok(log), Ok(reference)) = (log, reference) else {
            println!("skipped: ../shared/fixtures/ope is absent");
            return None;
        };
        let rows = log.lines().skip(1).enumerate().map(|(cluster, line)| {
            let cells: Vec<f64> = line.split(',').map(|c| c.parse().unwrap()).collect();
            let target: Vec<f64> = cells[3..].iter().step_by(3).copied().collect();
            let model: Vec<f64> = cells[4..].iter().step_by(3).copied().collect();
            let chosen = cells[0] as usize;
            Row {
                cluster,
                weight: importance_weight(target[chosen], cells[2]),
                weight_before: 1.0,
                reward: cells[1],
                model_value: expected(&target, &model),
                model_chosen: model[chosen],
            }
        });
        let reference: serde_json::Value = serde_json::from_str(&reference).unwrap();
        Some((rows.collect(), reference["synth"].clone()))
    }

    #[test]
    fn the_reference_log_gives_the_reference_values() {
        let Some((rows, reference)) = reference_rows() else {
            return;
        };
        let n = rows.len() as f64;
        // The reference's standard error of SNIPS lacks the factor n / (n - 1).
        let check = |estimator: Estimator, key: &str, factor: f64| {
            let found = estimator.estimate(&rows).unwrap();
            let value = reference[key].as_f64().unwrap();
            let error = reference[format!("{key}_se")].as_f64().unwrap() * factor;
            assert!((found.value - value).abs() < 1e-12, "{key}: {found:?}");
            assert!(
                (found.standard_error - error).abs() < 1e-12,
                "{key}: {found:?}"
            );
        };
        check(Estimator::Ips, "ips", 1.0);
        check(Estimator::Snips, "snips", (n / (n - 1.0)).sqrt());
        check(Estimator::DoublyRobust, "dr", 1.0);
        let overlap = Overlap::of(&rows, 0.0);
        let ess = reference["ess"].as_f64().unwrap();
        let mean = reference["w_mean"].as_f64().unwrap();
        assert!((overlap.effective_sample_size - ess).abs() < 1e-9);
        assert!((overlap.mean_weight - mean).abs() < 1e-12);
    }

    #[test]
    fn repeating_a_row_within_its_episode_leaves_the_interval_alone() {
        let mut rng = StdRng::seed_from_u64(1);
        let once: Vec<Row> = (0..500)
            .map(|cluster| Row {
                cluster,
                weight: rng.random::<f64>() * 2.0,
                weight_before: 1.0,
                reward: rng.random(),
                model_value: rng.random(),
                model_chosen: rng.random(),
            })
            .collect();
        let thrice: Vec<Row> = once.iter().flat_map(|row| [*row; 3]).collect();
        for estimator in [Estimator::Ips, Estimator::Snips, Estimator::DoublyRobust] {
            let (a, b) = (estimator.estimate(&once), estimator.estimate(&thrice));
            let (a, b) = (a.unwrap(), b.unwrap());
            assert!((a.value - b.value).abs() < 1e-12);
            assert!((a.standard_error - b.standard_error).abs() < 1e-12);
        }
    }

    /// Simulates one log of `n` episodes of two draws whose outcome depends on both, and gives the
    /// rows of the second draw. Truth under the target: see the test.
    fn two_draw_log(n: usize, rng: &mut StdRng) -> Vec<Row> {
        let (logged, target) = ([0.5, 0.5], [0.8, 0.2]);
        (0..n)
            .map(|cluster| {
                let arms = [(); 2].map(|()| usize::from(rng.random::<f64>() >= logged[0]));
                let weights = arms.map(|a| importance_weight(target[a], logged[a]));
                // The second context is worth more after a first arm 0; the model is wrong.
                let model = [0.3 + 0.2 * arms[0] as f64, 0.6];
                Row {
                    cluster,
                    weight: weights[0] * weights[1],
                    weight_before: weights[0],
                    reward: if arms == [0, 0] { 1.0 } else { 0.25 },
                    model_value: expected(&target, &model),
                    model_chosen: model[arms[1]],
                }
            })
            .collect()
    }

    #[test]
    fn an_episode_of_two_draws_is_weighted_by_their_product_without_bias() {
        let truth = 0.64 * 1.0 + 0.36 * 0.25;
        let mut rng = StdRng::seed_from_u64(2);
        for estimator in [Estimator::Ips, Estimator::DoublyRobust] {
            let values: Vec<f64> = (0..2_000)
                .map(|_| {
                    estimator
                        .estimate(&two_draw_log(100, &mut rng))
                        .unwrap()
                        .value
                })
                .collect();
            let n = values.len() as f64;
            let mean = values.iter().sum::<f64>() / n;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0);
            // Four standard errors: fails once in 16,000 seeds.
            let error = (variance / n).sqrt();
            assert!((mean - truth).abs() < 4.0 * error, "{estimator:?}: {mean}");
        }
    }

    #[test]
    fn intervals_hold_the_truth_about_as_often_as_they_say() {
        let truth = 0.64 * 1.0 + 0.36 * 0.25;
        let mut rng = StdRng::seed_from_u64(3);
        for estimator in [Estimator::Ips, Estimator::Snips, Estimator::DoublyRobust] {
            let held = (0..1_000)
                .filter(|_| {
                    let found = estimator.estimate(&two_draw_log(400, &mut rng)).unwrap();
                    (found.lower..=found.upper).contains(&truth)
                })
                .count();
            // Binomial(1000, 0.95): sd 6.9; four sd either way fails once in 16,000 seeds.
            assert!((922..=978).contains(&held), "{estimator:?}: {held}");
        }
    }

    #[test]
    fn no_rows_and_no_weight_give_no_estimate() {
        let row = Row {
            cluster: 0,
            weight: 0.0,
            weight_before: 1.0,
            reward: 1.0,
            model_value: 0.0,
            model_chosen: 0.0,
        };
        assert_eq!(Estimator::Ips.estimate(&[]), None);
        assert_eq!(Estimator::Snips.estimate(&[row]), None);
        let single = Estimator::Ips.estimate(&[row]).unwrap();
        assert_eq!((single.value, single.upper), (0.0, f64::INFINITY));
    }
}
