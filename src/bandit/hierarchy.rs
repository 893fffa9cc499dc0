//! What the arms of one team have in common: the prior that each of them starts from, learned from all.
//!
//! theta_a ~ N(m, noise / alpha) with alpha one number for each block of coordinates. Both are estimated
//! from the arms' own posteriors (empirical Bayes): m is what they agree on, so that an arm with few
//! rows is expected to do on a prompt what arms do; alpha is how far they stray from it, so that a
//! block that tells arms apart (often the task) is believed sooner than one that does not (often the
//! text). One estimate serves all signals of a group, which share A.
//!
//! Measured on the streams of SCIENCE 5 (ten seeds; sum over the twelve cells of the difference to the
//! reference, all else equal): alpha 10 everywhere and only the bias pooled, -0.069; alpha estimated,
//! -0.065; alpha and m estimated, -0.046.
//!
//! The coarse coordinates, which doubt is made of, keep at least the first guess's doubt: that most arms
//! are alike at most tasks does not say that none is good at one (an arm that is good at a fifth of the
//! requests was missed for four simulated weeks; on the streams it makes no difference, -0.008 against
//! -0.011).
//!
//! Invariants: alpha stays within [0.3, 1000]; an arm without rows has no say; the same arms in the same
//! order give the same bits; an estimate starts from the first guess each time, not from the last one, and
//! one made by [`Hierarchy::refit_in_any_order`] hangs on the rows that are in, up to rounding, not on the
//! order in which they came.
//!
//! Not here: when outcomes come (`learn`), teams that share (`lend`).
//!
//! Source: MacKay 1992, "Bayesian interpolation", the fixed point of the evidence: alpha = gamma /
//! |theta - m|^2 in units of the noise, gamma the number of coordinates that the rows have determined;
//! hierarchical means as in Gelman et al., Bayesian Data Analysis, ch. 5. Bandit data are no obstacle:
//! given the rows, the likelihood does not depend on why an arm was chosen.

use super::error::StateError;
use super::prior::Prior;
use super::ridge::Ridge;
use serde::{Deserialize, Serialize};

/// How many determined coordinates the first guess of a block's alpha is worth.
const GUESS: f64 = 5.0;

/// What alpha may be.
const ALPHA: std::ops::RangeInclusive<f64> = 0.3..=1000.0;

/// Precision of the common mean m about its own prior, 0 (the bias has none).
const COMMON: f64 = 10.0;

/// Steps of the fixed point each time, from the first guess: so that an estimate hangs on the rows that
/// are in, not on those that were in when the last one was made.
const STEPS: usize = 8;

/// Rows before which alpha and m are not estimated: the first guess stands, on the pooled means.
const FIRST: u64 = 32;

/// A common prior and when it is next estimated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Hierarchy {
    /// Where each block of coordinates ends; the last is the bias alone.
    ends: Vec<usize>,
    /// The first guess of alpha.
    ridge: f64,
    /// The first guess.
    start: Prior,
    prior: Prior,
    /// Rows at which it is estimated next.
    next: u64,
    /// Draws at which it is.
    next_draws: u64,
}

impl Hierarchy {
    /// Before any row. `ends` says where each block of coordinates ends: rising, the last block the bias
    /// alone; the first block and the bias are coarse. `expected` is the value of each target.
    ///
    /// ```
    /// use bellwether::bandit::Hierarchy;
    /// let arms = Hierarchy::new(&[2, 3], 10.0, &[0.5]).unwrap();
    /// assert_eq!(arms.prior().means, [[0.0, 0.0, 0.5]]);
    /// ```
    pub fn new(ends: &[usize], ridge: f64, expected: &[f64]) -> Result<Self, StateError> {
        let dim = ends.last().copied().unwrap_or(0);
        let rising = ends.windows(2).all(|pair| pair[0] < pair[1]);
        let bias = ends.iter().rev().nth(1).map_or(dim, |before| dim - before);
        if !rising || bias != 1 {
            return Err(StateError::Range {
                field: "block ends",
                value: dim as f64,
                allowed: "rising, the last block of length 1",
            });
        }
        let mut prior = Prior::on_bias(dim, ridge, expected);
        prior.coarse = ends.first().copied().unwrap_or(0).min(dim - 1);
        Ridge::new(&prior)?;
        Ok(Self {
            ends: ends.to_vec(),
            ridge,
            start: prior.clone(),
            prior,
            next: FIRST,
            next_draws: FIRST,
        })
    }

    /// The same for `targets` targets, each expected as the first is here.
    #[must_use]
    pub fn with_targets(&self, targets: usize) -> Self {
        let mut other = self.clone();
        let mean = self.start.means.first().cloned();
        let mean = mean.unwrap_or_else(|| vec![0.0; self.start.dim()]);
        other.start.means = vec![mean; targets];
        other.prior = other.start.clone();
        other
    }

    /// What an arm without rows starts from.
    pub fn prior(&self) -> &Prior {
        &self.prior
    }

    /// Whether it can serve arms of `dim` coordinates and `targets` targets: asked of what was read from
    /// disk, before it is used.
    pub fn is_whole(&self, dim: usize, targets: usize) -> bool {
        let sound = |prior: &Prior| {
            let shape = prior.dim() == dim && prior.means.len() == targets;
            shape && prior.validate().is_ok()
        };
        let ends = self.ends.last() == Some(&dim) && self.ends.is_sorted();
        ends && self.ridge.is_finite() && sound(&self.start) && sound(&self.prior)
    }

    /// Whether it should be estimated anew at `rows` rows over all arms. Before 32 it follows every
    /// change, then at 32, 48, 72, ... rows, each half as many again as the last, since an estimate
    /// changes little by little.
    pub fn is_due(&self, rows: u64) -> bool {
        rows < FIRST || rows >= self.next
    }

    /// Whether it should be estimated anew at the team's draw number `draws`, however many outcomes there
    /// are, by [`Hierarchy::refit_in_any_order`]: at 32, 48, 72, ... too. Draws are where they are in the
    /// journal; rows come in any order, and an estimate made when there were so many of them hangs on
    /// which. Said once of each.
    pub fn is_due_by_draws(&mut self, draws: u64) -> bool {
        let due = draws >= self.next_draws;
        if due {
            self.next_draws = draws + draws / 2;
        }
        due
    }

    /// Estimates the prior from `arms`, which have `rows` rows and whose outcomes have the means
    /// `pooled`, and sets all of them on it. An error (a matrix that lost its positivity) leaves prior
    /// and arms as they were.
    pub fn refit(
        &mut self,
        rows: u64,
        pooled: &[f64],
        arms: &mut [&mut Ridge],
    ) -> Result<(), StateError> {
        let one_step = |arm: &Ridge, target| arm.residuals().parts(target);
        self.fit(rows, pooled, arms, &one_step)
    }

    /// As [`Hierarchy::refit`], but the noise too is taken from sums over the rows (`squares`), and not
    /// from how far each fell from its prediction when it came: prior and arms are then what they would
    /// be had the same rows come in another order. Both are estimates of the same noise. Why not this
    /// one always: what is measured on the streams is measured with the other.
    pub fn refit_in_any_order(
        &mut self,
        rows: u64,
        pooled: &[f64],
        arms: &mut [&mut Ridge],
    ) -> Result<(), StateError> {
        self.fit(rows, pooled, arms, &Ridge::scatter)
    }

    fn fit(
        &mut self,
        rows: u64,
        pooled: &[f64],
        arms: &mut [&mut Ridge],
        parts: &dyn Fn(&Ridge, usize) -> (f64, f64),
    ) -> Result<(), StateError> {
        let seen = |arm: &&mut Ridge| arm.count() > 0.0;
        let mut fitted: Vec<Ridge> = arms
            .iter()
            .filter(|a| seen(a))
            .map(|a| (**a).clone())
            .collect();
        let mut prior = self.start.clone();
        for (mean, pooled) in prior.means.iter_mut().zip(pooled) {
            if let Some(bias) = mean.last_mut() {
                *bias = *pooled;
            }
        }
        for arm in &mut fitted {
            arm.set_prior(&prior)?;
        }
        if rows >= FIRST {
            self.next = rows + rows / 2;
            for _ in 0..STEPS {
                prior = self.estimate(&prior, &fitted, parts);
                for arm in &mut fitted {
                    arm.set_prior(&prior)?;
                }
            }
        }
        let mut fitted = fitted.into_iter();
        let mut moved = Vec::with_capacity(arms.len());
        for arm in arms.iter() {
            moved.push(match seen(arm).then(|| fitted.next()).flatten() {
                Some(arm) => arm,
                None => {
                    let mut arm = (**arm).clone();
                    arm.set_prior(&prior)?;
                    arm
                }
            });
        }
        for (arm, moved) in arms.iter_mut().zip(moved) {
            **arm = moved;
        }
        self.prior = prior;
        Ok(())
    }

    /// One step of the fixed point.
    fn estimate(
        &self,
        old: &Prior,
        arms: &[Ridge],
        parts: &dyn Fn(&Ridge, usize) -> (f64, f64),
    ) -> Prior {
        let mut prior = old.clone();
        if arms.is_empty() {
            return prior;
        }
        let determined: Vec<Vec<f64>> = arms.iter().map(|arm| arm.determined().collect()).collect();
        let noise: Vec<f64> = (0..old.means.len())
            .map(|target| noise(arms.iter().map(|arm| parts(arm, target))))
            .collect();
        let mut begin = 0;
        for &end in &self.ends {
            for at in begin..end {
                for (target, mean) in prior.means.iter_mut().enumerate() {
                    if let Some(mean) = mean.get_mut(at) {
                        *mean = common_mean(arms, (target, at), old);
                    }
                }
            }
            let alpha = self.alpha(&prior, arms, &determined, &noise, begin..end);
            if let Some(block) = prior.precision.get_mut(begin..end) {
                block.fill(alpha);
            }
            begin = end;
        }
        prior
    }

    /// gamma / |theta - m|^2 of one block, over all arms and targets, with the first guess in.
    fn alpha(
        &self,
        prior: &Prior,
        arms: &[Ridge],
        determined: &[Vec<f64>],
        noise: &[f64],
        block: std::ops::Range<usize>,
    ) -> f64 {
        let (mut gamma, mut strayed) = (GUESS, GUESS / self.ridge);
        for (arm, determined) in arms.iter().zip(determined) {
            let known: f64 = determined[block.clone()].iter().sum();
            for ((target, mean), noise) in prior.means.iter().enumerate().zip(noise) {
                gamma += known;
                let theta = &arm.weights(target)[block.clone()];
                let pairs = theta.iter().zip(&mean[block.clone()]);
                strayed += pairs.map(|(t, m)| (t - m) * (t - m)).sum::<f64>() / noise;
            }
        }
        let coarse = block.end <= prior.coarse || block.start + 1 == prior.dim();
        let most = if coarse { self.ridge } else { *ALPHA.end() };
        (gamma / strayed).clamp(*ALPHA.start(), most)
    }
}

/// What the arms agree on at one coordinate: the mean over arms, held towards 0 but for the bias, the more
/// so the less the arms stray from each other.
fn common_mean(arms: &[Ridge], (target, at): (usize, usize), old: &Prior) -> f64 {
    let thetas = arms.iter().filter_map(|arm| arm.weights(target).get(at));
    let alpha = old.precision.get(at).copied().unwrap_or(COMMON);
    let held = if at + 1 == old.dim() {
        0.0
    } else {
        COMMON / alpha
    };
    thetas.sum::<f64>() / (arms.len() as f64 + held)
}

/// Variance of the noise in one target, from each arm's sum of squares and their number.
fn noise(parts: impl Iterator<Item = (f64, f64)>) -> f64 {
    let (sum, count) = parts.fold((0.0, 0.0), |(s, n), (sum, count)| (s + sum, n + count));
    // A signal without noise still has some: else one row would determine everything.
    (sum / count).max(1e-6)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    const ENDS: [usize; 3] = [4, 12, 13];

    /// Arms that differ in the first block by `declared` and in the second by `text`, all of them `easy`
    /// on coordinate 4.
    fn world(declared: f64, text: f64, easy: f64, rows: usize) -> (Hierarchy, Vec<Ridge>) {
        let mut rng = SmallRng::seed_from_u64(11);
        let mut hierarchy = Hierarchy::new(&ENDS, 10.0, &[0.5]).unwrap();
        let mut arms = vec![Ridge::new(hierarchy.prior()).unwrap(); 8];
        let thetas: Vec<Vec<f64>> = arms
            .iter()
            .map(|_| {
                let mut theta: Vec<f64> = (0..12)
                    .map(|i| if i < 4 { declared } else { text })
                    .map(|sd| sd * (rng.random_range(-1.0_f64..1.0) * 3.0_f64.sqrt()))
                    .collect();
                theta[4] += easy;
                theta
            })
            .collect();
        for row in 0..rows {
            let at = row % arms.len();
            let mut x: Vec<f32> = (0..12).map(|_| rng.random_range(-0.5..0.5)).collect();
            x.push(1.0);
            let signal: f64 = thetas[at]
                .iter()
                .zip(&x)
                .map(|(t, x)| t * f64::from(*x))
                .sum();
            let value: f64 = 0.7 + signal + 0.3 * rng.random_range(-1.0..1.0) * 3.0_f64.sqrt();
            arms[at].observe(&x, &[Some(value)]).unwrap();
            if hierarchy.is_due(row as u64 + 1) {
                let mut all: Vec<&mut Ridge> = arms.iter_mut().collect();
                hierarchy.refit(row as u64 + 1, &[0.7], &mut all).unwrap();
            }
        }
        (hierarchy, arms)
    }

    #[test]
    fn a_block_in_which_arms_differ_is_believed_sooner_than_one_in_which_they_do_not() {
        let (hierarchy, _) = world(0.5, 0.02, 0.0, 8000);
        let precision = &hierarchy.prior().precision;
        // Noise 0.09 over a variance of 0.25 is 0.36, and over 0.0004 it is 225.
        assert!((0.3..1.0).contains(&precision[0]), "{precision:?}");
        assert!(precision[4] > 40.0, "{precision:?}");
        assert!(precision[..4].iter().all(|p| p == &precision[0]));
    }

    #[test]
    fn what_all_arms_share_becomes_the_prior_of_a_new_one() {
        let (hierarchy, _) = world(0.1, 0.05, 0.6, 8000);
        let mean = &hierarchy.prior().means[0];
        assert!((mean[4] - 0.6).abs() < 0.15, "{mean:?}");
        assert!((mean[12] - 0.7).abs() < 0.05, "{mean:?}");
    }

    #[test]
    fn before_32_rows_the_bias_follows_the_pooled_mean_and_nothing_else_moves() {
        let mut hierarchy = Hierarchy::new(&[1, 2], 10.0, &[0.5]).unwrap();
        let mut arm = Ridge::new(hierarchy.prior()).unwrap();
        arm.observe(&[1.0, 1.0], &[Some(1.0)]).unwrap();
        hierarchy.refit(1, &[0.75], &mut [&mut arm]).unwrap();
        assert_eq!(hierarchy.prior().means[0], [0.0, 0.75]);
        assert_eq!(hierarchy.prior().precision, [10.0, 10.0]);
        // |x|^2 = 2 over a ridge of 10: 3/4 + 1/4 * 0.2 / 1.2.
        let mut mean = [0.0];
        arm.predict(&[1.0, 1.0], &mut mean).unwrap();
        assert!((mean[0] - (0.75 + 0.25 / 6.0)).abs() < 1e-12);
    }

    #[test]
    fn it_is_due_at_every_row_and_then_half_as_many_rows_later_each_time() {
        let mut hierarchy = Hierarchy::new(&[1], 10.0, &[0.5]).unwrap();
        let mut due = Vec::new();
        for rows in 30..=200 {
            if hierarchy.is_due(rows) {
                due.push(rows);
                hierarchy.refit(rows, &[0.5], &mut []).unwrap();
            }
        }
        assert_eq!(due, [30, 31, 32, 48, 72, 108, 162]);
    }

    #[test]
    fn an_estimate_hangs_on_the_rows_alone_and_not_on_earlier_estimates() {
        let (mut hierarchy, mut arms) = world(0.4, 0.1, 0.3, 500);
        let mut fresh = Hierarchy::new(&ENDS, 10.0, &[0.5]).unwrap();
        let mut same = arms.clone();
        let refit = |hierarchy: &mut Hierarchy, arms: &mut [Ridge]| {
            let mut all: Vec<&mut Ridge> = arms.iter_mut().collect();
            hierarchy.refit(500, &[0.7], &mut all).unwrap();
        };
        refit(&mut hierarchy, &mut arms);
        refit(&mut fresh, &mut same);
        let pairs = hierarchy
            .prior()
            .precision
            .iter()
            .zip(&fresh.prior().precision);
        assert!(pairs.into_iter().all(|(a, b)| (a - b).abs() < 1e-9));
    }

    #[test]
    fn both_measures_of_the_noise_lead_to_about_the_same_prior() {
        let (mut hierarchy, arms) = world(0.4, 0.1, 0.3, 2000);
        let mut any_order = hierarchy.clone();
        let mut same = arms.clone();
        let mut arms = arms;
        let mut all: Vec<&mut Ridge> = arms.iter_mut().collect();
        hierarchy.refit(2000, &[0.7], &mut all).unwrap();
        let mut all: Vec<&mut Ridge> = same.iter_mut().collect();
        any_order
            .refit_in_any_order(2000, &[0.7], &mut all)
            .unwrap();
        let (a, b) = (hierarchy.prior(), any_order.prior());
        for (a, b) in a.precision.iter().zip(&b.precision) {
            assert!((a / b - 1.0).abs() < 0.1, "{a} {b}");
        }
        for (a, b) in a.means[0].iter().zip(&b.means[0]) {
            assert!((a - b).abs() < 0.02, "{a} {b}");
        }
    }

    #[test]
    fn arms_on_an_exchanged_prior_equal_arms_that_began_on_it() {
        let (hierarchy, arms) = world(0.5, 0.1, 0.2, 300);
        for arm in &arms {
            assert_eq!(arm.prior().means.len(), 1);
            assert_eq!(arm.validate(), Ok(()));
        }
        let mut fresh = Ridge::new(hierarchy.prior()).unwrap();
        let mut moved = Ridge::new(&Prior::on_bias(13, 10.0, &[0.1])).unwrap();
        moved.set_prior(hierarchy.prior()).unwrap();
        let x = [0.5_f32; 13];
        let (mut a, mut b) = ([0.0], [0.0]);
        fresh.observe(&x, &[Some(0.3)]).unwrap();
        moved.observe(&x, &[Some(0.3)]).unwrap();
        fresh.predict(&x, &mut a).unwrap();
        moved.predict(&x, &mut b).unwrap();
        assert!((a[0] - b[0]).abs() < 1e-12);
    }

    #[test]
    fn a_broken_one_is_told_from_a_whole_one() {
        let whole = Hierarchy::new(&ENDS, 10.0, &[0.5]).unwrap();
        assert!(whole.is_whole(13, 1) && !whole.is_whole(12, 1) && !whole.is_whole(13, 2));
        let broken = |change: fn(&mut Hierarchy)| {
            let mut hierarchy = whole.clone();
            change(&mut hierarchy);
            assert!(!hierarchy.is_whole(13, 1));
        };
        broken(|h| h.ends[0] = 99);
        broken(|h| h.prior.means[0][3] = f64::NAN);
        broken(|h| h.start.precision[0] = 0.0);
    }

    #[test]
    fn blocks_out_of_order_and_a_wide_bias_are_refused() {
        for ends in [&[][..], &[3, 2, 4], &[2, 4]] {
            let error = Hierarchy::new(ends, 10.0, &[0.5]).unwrap_err().to_string();
            assert!(error.starts_with("block ends"), "{error}");
        }
    }
}
