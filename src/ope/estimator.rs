//! The estimators and their interval, on one path: contributions, ratio, linearised variance.
//!
//! Invariants: every estimator is a mean over rows, plus a ratio of two sums where it is self-normalised;
//! rows of one cluster are summed before the variance is taken, so rows that repeat one episode do not
//! narrow the interval.
//!
//! Not here: whether the log can answer ([`super::Overlap`]). The interval assumes episodes that are
//! independent and propensities that are right; it is not valid under peeking (SCIENCE 3.4).
//!
//! Source: SCIENCE 3.2; the variance of a mean clustered, with the factor G / (G - 1) for G clusters; that of
//! a ratio by linearisation (the delta method), without it, as the Open Bandit Pipeline has both.

use super::Row;
use super::shrinkage::Shrinkage;
use serde::Serialize;
use std::fmt;

/// The 97.5 % point of the standard normal: two-sided 95 %.
const Z_95: f64 = 1.959_963_984_540_054;

/// How rows become a value: a form, and what is done to the weights before.
///
/// The names are those of the Open Bandit Pipeline:
///
/// | estimator | form | weights |
/// |---|---|---|
/// | IPS, clipped IPS, sub-Gaussian IPS | [`Form::Ips`] | none, [`Shrinkage::Clip`], [`Shrinkage::SubGaussian`] |
/// | SNIPS | [`Form::SelfNormalised`] | none |
/// | DM | [`Form::DirectMethod`] | not used |
/// | DR, clipped DR, Switch-DR, `DRos`, sub-Gaussian DR | [`Form::DoublyRobust`] | none, [`Shrinkage::Clip`], [`Shrinkage::Switch`], [`Shrinkage::Optimistic`], [`Shrinkage::SubGaussian`] |
/// | SNDR | [`Form::SelfNormalisedDoublyRobust`] | none |
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimator {
    /// How a row's weight, outcome and model become contributions.
    pub form: Form,
    /// What is done to the weight first.
    pub shrinkage: Shrinkage,
}

/// How a row contributes. V(q) is the model averaged over the target, q its value for the arm drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Mean of w r.
    Ips,
    /// Sum of w r over sum of w.
    SelfNormalised,
    /// Mean of V(q): only as good as the model.
    DirectMethod,
    /// Mean of V(q) + w (r - q), with q from a model that never saw the row.
    DoublyRobust,
    /// Mean of V(q), plus sum of w (r - q) over sum of w.
    SelfNormalisedDoublyRobust,
}

/// What a row adds to the sums: the value is the mean of `mean`, plus the sum of `over` by that of `under`.
struct Contribution {
    mean: f64,
    over: f64,
    under: f64,
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
    /// Inverse propensity scoring.
    pub const IPS: Self = Self::plain(Form::Ips);
    /// The same, self-normalised.
    pub const SNIPS: Self = Self::plain(Form::SelfNormalised);
    /// Doubly robust: the headline.
    pub const DOUBLY_ROBUST: Self = Self::plain(Form::DoublyRobust);

    /// The estimators that reports show, the plain ones first. Their names ([`fmt::Display`]) are those of the
    /// reference values.
    pub const STANDARD: [Self; 17] = [
        Self::IPS,
        Self::of(Form::Ips, Shrinkage::Clip(10.0)),
        Self::SNIPS,
        Self::plain(Form::DirectMethod),
        Self::DOUBLY_ROBUST,
        Self::of(Form::DoublyRobust, Shrinkage::Clip(10.0)),
        Self::plain(Form::SelfNormalisedDoublyRobust),
        Self::of(Form::DoublyRobust, Shrinkage::Switch(2.0)),
        Self::of(Form::DoublyRobust, Shrinkage::Switch(5.0)),
        Self::of(Form::DoublyRobust, Shrinkage::Switch(10.0)),
        Self::of(Form::DoublyRobust, Shrinkage::Optimistic(1.0)),
        Self::of(Form::DoublyRobust, Shrinkage::Optimistic(10.0)),
        Self::of(Form::DoublyRobust, Shrinkage::Optimistic(100.0)),
        Self::of(Form::Ips, Shrinkage::SubGaussian(0.01)),
        Self::of(Form::DoublyRobust, Shrinkage::SubGaussian(0.01)),
        Self::of(Form::Ips, Shrinkage::SubGaussian(0.1)),
        Self::of(Form::DoublyRobust, Shrinkage::SubGaussian(0.1)),
    ];

    /// A form with a shrinkage.
    pub const fn of(form: Form, shrinkage: Shrinkage) -> Self {
        Self { form, shrinkage }
    }

    /// Whether it asks a model.
    pub fn needs_model(self) -> bool {
        !matches!(self.form, Form::Ips | Form::SelfNormalised)
    }

    /// With the weights as they are.
    pub const fn plain(form: Form) -> Self {
        Self {
            form,
            shrinkage: Shrinkage::None,
        }
    }

    fn contribution(self, row: &Row) -> Contribution {
        let weight = self.shrinkage.of(row.weight);
        let model = row.weight_before * row.model_value;
        let mean = |mean| Contribution {
            mean,
            over: 0.0,
            under: 0.0,
        };
        match self.form {
            Form::Ips => mean(weight * row.reward),
            Form::DirectMethod => mean(model),
            Form::DoublyRobust => mean(model + weight * (row.reward - row.model_chosen)),
            Form::SelfNormalised => Contribution {
                mean: 0.0,
                over: weight * row.reward,
                under: weight,
            },
            Form::SelfNormalisedDoublyRobust => Contribution {
                mean: model,
                over: weight * (row.reward - row.model_chosen),
                under: weight,
            },
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
    /// assert_eq!(Estimator::IPS.estimate(&rows).unwrap().value, 1.0);
    /// assert_eq!(Estimator::SNIPS.estimate(&rows).unwrap().value, 1.0);
    /// assert_eq!(Estimator::DOUBLY_ROBUST.estimate(&rows).unwrap().value, 1.25);
    /// ```
    pub fn estimate(self, rows: &[Row]) -> Option<Estimate> {
        value(rows, self.form.is_normalised(), |row| {
            self.contribution(row)
        })
    }

    /// What each row adds to the mean of an estimator that is one. Empty for a self-normalised one.
    pub(super) fn terms(self, rows: &[Row]) -> Vec<f64> {
        let mut terms = Vec::new();
        if !self.form.is_normalised() {
            terms.extend(rows.iter().map(|row| self.contribution(row).mean));
        }
        terms
    }
}

impl fmt::Display for Estimator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let form = match self.form {
            Form::Ips => "ips",
            Form::SelfNormalised => "snips",
            Form::DirectMethod => "dm",
            Form::DoublyRobust => "dr",
            Form::SelfNormalisedDoublyRobust => "sndr",
        };
        match self.shrinkage {
            Shrinkage::None => f.write_str(form),
            Shrinkage::Clip(most) => write!(f, "{form}_clip{most}"),
            Shrinkage::Switch(most) => write!(f, "switch_{form}_{most}"),
            Shrinkage::Optimistic(l) if self.form == Form::DoublyRobust => write!(f, "dros_{l}"),
            Shrinkage::Optimistic(l) => write!(f, "{form}_os_{l}"),
            Shrinkage::SubGaussian(l) => write!(f, "sg_{form}_{l}"),
        }
    }
}

impl Form {
    fn is_normalised(self) -> bool {
        matches!(
            self,
            Self::SelfNormalised | Self::SelfNormalisedDoublyRobust
        )
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
    value(rows, false, |row| {
        let found = Estimator::DOUBLY_ROBUST.contribution(row);
        Contribution {
            mean: found.mean - row.reward,
            ..found
        }
    })
}

/// A mean, plus (`normalised`) a ratio of two sums, with its clustered interval.
fn value(
    rows: &[Row],
    normalised: bool,
    contribution: impl Fn(&Row) -> Contribution,
) -> Option<Estimate> {
    let n = rows.len() as f64;
    let (mut mean, mut over, mut under) = (0.0, 0.0, 0.0);
    for found in rows.iter().map(&contribution) {
        mean += found.mean;
        over += found.over;
        under += found.under;
    }
    if rows.is_empty() || (normalised && under <= 0.0) {
        return None;
    }
    let (mean, ratio) = (mean / n, if normalised { over / under } else { 0.0 });
    let pull = if normalised { n / under } else { 0.0 };
    let residuals = by_cluster(rows, |row| {
        let found = contribution(row);
        found.mean - mean + pull * (found.over - found.under * ratio)
    });
    let clusters = residuals.len() as f64;
    let squares: f64 = residuals.iter().map(|s| s * s).sum();
    let correction = if normalised {
        1.0
    } else {
        clusters / (clusters - 1.0)
    };
    let standard_error = if residuals.len() > 1 {
        (squares * correction).sqrt() / n
    } else {
        f64::INFINITY
    };
    let value = mean + ratio;
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
    use crate::ope::{Overlap, expected, fixture, importance_weight};
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_reference_logs_give_the_reference_values() {
        let (Some(synthetic), Some(adaptive)) = (fixture::synthetic(), fixture::cases()) else {
            return;
        };
        let mut compared = 0;
        for case in [synthetic].iter().chain(&adaptive) {
            let mut check = |key: &str, found: f64| {
                let wanted = case.reference[key].as_f64().unwrap();
                let name = &case.name;
                assert!((found - wanted).abs() < 1e-12, "{name}, {key}: {found}");
                compared += 1;
            };
            for estimator in Estimator::STANDARD {
                let key = estimator.to_string();
                let found = estimator.estimate(&case.rows).unwrap();
                check(&key, found.value);
                if ["ips", "snips", "dr"].contains(&key.as_str()) {
                    check(&format!("{key}_se"), found.standard_error);
                }
            }
            let overlap = Overlap::of(&case.rows, 0.0);
            check("w_mean", overlap.mean_weight);
            let wanted = case.reference["ess"].as_f64().unwrap();
            assert!((overlap.effective_sample_size - wanted).abs() < 1e-9);
        }
        assert_eq!(compared, 31 * 21);
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
        for estimator in [Estimator::IPS, Estimator::SNIPS, Estimator::DOUBLY_ROBUST] {
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
        for estimator in [Estimator::IPS, Estimator::DOUBLY_ROBUST] {
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
        for estimator in [Estimator::IPS, Estimator::SNIPS, Estimator::DOUBLY_ROBUST] {
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
        assert_eq!(Estimator::IPS.estimate(&[]), None);
        assert_eq!(Estimator::SNIPS.estimate(&[row]), None);
        let single = Estimator::IPS.estimate(&[row]).unwrap();
        assert_eq!((single.value, single.upper), (0.0, f64::INFINITY));
    }
}
