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
use super::estimate::Estimate;
use super::moments::Moments;
use super::shrinkage::Shrinkage;
use std::borrow::Cow;
use std::fmt;

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

/// What rows add to the sums: the value is the mean of `mean`, plus the sum of `over` by that of `under`.
#[derive(Clone, Copy, Default)]
struct Contribution {
    mean: f64,
    over: f64,
    under: f64,
}

/// Sums from which the value of an estimator and its interval follow, taken in an episode at a time: no row is
/// kept.
#[derive(Debug, Clone)]
pub struct Tally {
    estimator: Estimator,
    sums: Sums,
}

/// Of each episode: its rows and what they add.
#[derive(Debug, Clone)]
enum Sums {
    /// Rows, `mean`.
    Mean(Moments<2>),
    /// Rows, `mean`, `over`, `under`.
    Ratio(Moments<4>),
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
        let mut tally = Tally::new(self);
        for episode in by_episode(rows).chunk_by(same_episode) {
            tally.add(episode);
        }
        tally.estimate()
    }
}

impl Tally {
    /// Of no rows.
    pub fn new(estimator: Estimator) -> Self {
        Self {
            estimator,
            sums: Sums::new(estimator.form.is_normalised()),
        }
    }

    /// Takes in the rows of one episode.
    ///
    /// ```
    /// use bellwether::ope::{Estimator, Row, Tally};
    /// let row = |cluster, weight, reward| Row {
    ///     cluster, weight, weight_before: 1.0, reward, model_value: 0.75, model_chosen: 0.5,
    /// };
    /// let mut tally = Tally::new(Estimator::SNIPS);
    /// tally.add(&[row(0, 2.0, 1.0)]);
    /// tally.add(&[row(1, 2.0, 0.0)]);
    /// assert_eq!(tally.estimate().unwrap().value, 0.5);
    /// ```
    pub fn add(&mut self, episode: &[Row]) {
        let of = |row: &Row| self.estimator.contribution(row);
        self.sums.add(episode, of);
    }

    /// Whose sums they are.
    pub fn estimator(&self) -> Estimator {
        self.estimator
    }

    /// The value, as [`Estimator::estimate`] has it.
    pub fn estimate(&self) -> Option<Estimate> {
        self.sums.estimate()
    }

    /// Takes in what another one of the same estimator has.
    pub(super) fn merge(&mut self, other: &Self) {
        match (&mut self.sums, &other.sums) {
            (Sums::Mean(own), Sums::Mean(theirs)) => own.merge(theirs),
            (Sums::Ratio(own), Sums::Ratio(theirs)) => own.merge(theirs),
            _ => {}
        }
    }
}

/// Mean, and mean square about it, over episodes, of an estimator that is a mean.
pub(super) fn spread(moments: &Moments<2>) -> Option<(f64, f64)> {
    let [n, total] = moments.sums();
    let mean = total / n;
    (n > 0.0).then(|| (mean, moments.scatter([-mean, 1.0]) / n))
}

/// The mean and its interval, of rows and what they add by episode.
pub(super) fn mean(moments: &Moments<2>) -> Option<Estimate> {
    Sums::Mean(*moments).estimate()
}

impl Sums {
    fn new(normalised: bool) -> Self {
        match normalised {
            true => Self::Ratio(Moments::default()),
            false => Self::Mean(Moments::default()),
        }
    }

    fn add(&mut self, episode: &[Row], of: impl Fn(&Row) -> Contribution) {
        let mut all = Contribution::default();
        for found in episode.iter().map(of) {
            all.mean += found.mean;
            all.over += found.over;
            all.under += found.under;
        }
        let rows = episode.len() as f64;
        match self {
            Self::Mean(moments) => moments.add([rows, all.mean]),
            Self::Ratio(moments) => moments.add([rows, all.mean, all.over, all.under]),
        }
    }

    /// A mean, plus a ratio of two sums where there is one, with its clustered interval.
    fn estimate(&self) -> Option<Estimate> {
        let (value, n, episodes, squares) = match self {
            Self::Mean(moments) => {
                let [n, total] = moments.sums();
                let (value, episodes) = (total / n, moments.count());
                let correction = episodes / (episodes - 1.0);
                let squares = moments.scatter([-value, 1.0]) * correction;
                (value, n, episodes, squares)
            }
            Self::Ratio(moments) => {
                let [n, total, over, under] = moments.sums();
                if under <= 0.0 {
                    return None;
                }
                let (mean, ratio, pull) = (total / n, over / under, n / under);
                let squares = moments.scatter([-mean, 1.0, pull, -pull * ratio]);
                (mean + ratio, n, moments.count(), squares)
            }
        };
        if episodes == 0.0 {
            return None;
        }
        let standard_error = match episodes > 1.0 {
            true => squares.sqrt() / n,
            false => f64::INFINITY,
        };
        Some(Estimate::new(value, standard_error))
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

/// The rows with those of one episode side by side.
pub(super) fn by_episode(rows: &[Row]) -> Cow<'_, [Row]> {
    if rows.is_sorted_by_key(|row| row.cluster) {
        return Cow::Borrowed(rows);
    }
    let mut sorted = rows.to_vec();
    sorted.sort_by_key(|row| row.cluster);
    Cow::Owned(sorted)
}

pub(super) fn same_episode(a: &Row, b: &Row) -> bool {
    a.cluster == b.cluster
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
            let held = (0..2_000)
                .filter(|_| {
                    let found = estimator.estimate(&two_draw_log(400, &mut rng)).unwrap();
                    (found.lower..=found.upper).contains(&truth)
                })
                .count();
            // 93 to 97 %. Binomial(2000, 0.95): sd 9.7; four sd either way fails once in 16,000 seeds.
            assert!((1_860..=1_940).contains(&held), "{estimator:?}: {held}");
        }
    }

    /// Episodes of 100 calls that share one draw and one piece of luck, each call with its own besides.
    fn correlated(episodes: usize, rng: &mut StdRng) -> Vec<Row> {
        let mut rows = Vec::with_capacity(100 * episodes);
        for cluster in 0..episodes {
            let first = rng.random_bool(0.5);
            let luck = if rng.random_bool(0.5) { 0.2 } else { -0.2 };
            let mean = luck + if first { 0.6 } else { 0.4 };
            for _ in 0..100 {
                rows.push(Row {
                    cluster,
                    weight: if first { 1.6 } else { 0.4 },
                    weight_before: 1.0,
                    reward: f64::from(u8::from(rng.random::<f64>() < mean)),
                    model_value: 0.5,
                    model_chosen: 0.5,
                });
            }
        }
        rows
    }

    #[test]
    fn intervals_over_correlated_calls_hold_by_episode_and_fail_by_call() {
        let truth = 0.8 * 0.6 + 0.2 * 0.4;
        let mut rng = StdRng::seed_from_u64(4);
        let (mut by_episode, mut by_call) = (0, 0);
        for _ in 0..2_000 {
            let mut rows = correlated(100, &mut rng);
            let holds = |rows: &[Row]| {
                let found = Estimator::DOUBLY_ROBUST.estimate(rows).unwrap();
                u32::from((found.lower..=found.upper).contains(&truth))
            };
            by_episode += holds(&rows);
            for (cluster, row) in rows.iter_mut().enumerate() {
                row.cluster = cluster;
            }
            by_call += holds(&rows);
        }
        assert!((1_860..=1_940).contains(&by_episode), "{by_episode}");
        assert!(by_call < 1_000, "{by_call}");
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
