//! What one arm has shown: a ridge regression of several targets that share a precision matrix.
//!
//! With rows x and targets y_j: A = A0 + sum x x', b_j = A0 m_j + sum y_j x, theta_j = A^-1 b_j, where
//! the diagonal A0 and the means m_j are the [`Prior`]. Both A and A^-1 are kept: the update works on
//! the inverse, the audit and the refactor on A.
//!
//! Invariants: a refused call changes nothing. A target missing from a row is imputed by its own
//! prediction, which leaves its theta where it was; when the true value arrives, [`Ridge::arrive`]
//! shifts it, and A, b and theta are what they would be had it been there at once (values imputed for
//! other rows in between stay what they were). The same calls in the same order give the same bits on
//! every machine.
//!
//! Not here: which row holds which value (`learn`), the form that serves decisions (`Posterior`), how fast
//! to forget (`tempo`), what arms have in common (`hierarchy`).
//!
//! Units and shapes: x has `dim` entries, the last the constant 1, |x|^2 <= 4 expected; targets are
//! normalised signals, 0 worst to 1 best.
//!
//! Source: SCIENCE 2.2; Sherman and Morrison 1950.

use super::cholesky;
use super::error::StateError;
use super::fading::Fading;
use super::lanes::{Group, LANES, add_scaled, dot, pad};
use super::packed::Packed;
use super::prior::Prior;
use super::residual::Residuals;
use super::spread::Spread;
use super::squares::Squares;
use super::whole::{check_dim, check_len, finite, range};
use serde::{Deserialize, Serialize};

/// Updates between two refactors of the inverse from A.
const REFACTOR_EVERY: u32 = 4096;

/// Least 1 - x'A^-1 x for which a row is taken out by a rank-1 step; below it, by a refactor.
pub(super) const GUARD: f64 = 1e-8;

/// Statistics of one arm and one group of targets that are observed together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    pub(super) dim: usize,
    pub(super) count: f64,
    pub(super) since_refactor: u32,
    /// What the rows still weigh of what A and b have of them, since the last refactor.
    pub(super) kept: f64,
    pub(super) fading: Fading,
    pub(super) prior: Prior,
    pub(super) precision: Packed<f64>,
    pub(super) inverse: Packed<f64>,
    pub(super) spread: Spread,
    pub(super) moments: Vec<Vec<Group<f64>>>,
    pub(super) weights: Vec<Vec<Group<f64>>>,
    pub(super) residuals: Residuals,
    pub(super) squares: Squares,
}

impl Ridge {
    /// Nothing seen yet. Refuses a dimension of 0, a precision that is not positive, a mean that is not
    /// finite.
    pub fn new(prior: &Prior) -> Result<Self, StateError> {
        let dim = prior.dim();
        check_dim(dim)?;
        prior.validate()?;
        let diagonal = |of: &dyn Fn(f64) -> f64| {
            let at = |i: usize| prior.precision.get(i).copied().map_or(0.0, of);
            Packed::build(dim, |i, j| if i == j { at(i) } else { 0.0 })
        };
        let precision = diagonal(&|p| p);
        let moment = |mean: &Vec<f64>| pad(mean.iter().zip(&prior.precision).map(|(m, p)| m * p));
        Ok(Self {
            dim,
            count: 0.0,
            since_refactor: 0,
            kept: 1.0,
            fading: Fading::default(),
            spread: Spread::new(&precision, prior.coarse, dim)?,
            inverse: diagonal(&f64::recip),
            precision,
            moments: prior.means.iter().map(moment).collect(),
            weights: prior.means.iter().map(|m| pad(m.iter().copied())).collect(),
            residuals: Residuals::new(prior.means.len()),
            squares: Squares::new(prior.means.len()),
            prior: prior.clone(),
        })
    }

    /// What it started from, or was last set to.
    pub fn prior(&self) -> &Prior {
        &self.prior
    }

    /// Exchanges the prior for another of the same shape: the state becomes what it would be had the
    /// same rows come to the new one (imputed values stay what they were).
    ///
    /// ```
    /// use bellwether::bandit::{Prior, Ridge};
    /// let mut arm = Ridge::new(&Prior::on_bias(1, 1.0, &[0.5])).unwrap();
    /// arm.observe(&[1.0], &[Some(1.0)]).unwrap();
    /// // Three rows' worth of 0.2 and one row at 1.0: the mean is 1.6 / 4.
    /// arm.set_prior(&Prior::on_bias(1, 3.0, &[0.2])).unwrap();
    /// assert!((arm.weights(0)[0] - 0.4).abs() < 1e-15);
    /// ```
    pub fn set_prior(&mut self, prior: &Prior) -> Result<(), StateError> {
        prior.validate()?;
        check_len("prior precision", prior.dim(), self.dim)?;
        check_len("prior means", prior.means.len(), self.targets())?;
        let mut changed = self.clone();
        changed.fold();
        let pairs = || self.prior.precision.iter().zip(&prior.precision);
        let gained: Vec<f64> = pairs().map(|(old, new)| new - old).collect();
        changed.precision.add_diagonal(&gained);
        for ((moment, old), new) in changed
            .moments
            .iter_mut()
            .zip(&self.prior.means)
            .zip(&prior.means)
        {
            let means = old.iter().zip(new);
            for (slot, ((p_old, p_new), (old, new))) in
                moment.as_flattened_mut().iter_mut().zip(pairs().zip(means))
            {
                *slot += p_new * new - p_old * old;
            }
        }
        changed.prior = prior.clone();
        changed.refactor()?;
        *self = changed;
        Ok(())
    }

    /// Number of features.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of targets.
    pub fn targets(&self) -> usize {
        self.weights.len()
    }

    /// Effective number of rows.
    pub fn count(&self) -> f64 {
        self.count * self.kept
    }

    /// The moment, for a row that enters now: [`Ridge::shift`], [`Ridge::arrive`] and
    /// [`Ridge::retract`] want it back, to know what the row still weighs.
    pub fn fading(&self) -> Fading {
        self.fading
    }

    /// theta of a target, or nothing where there is no such target.
    pub fn weights(&self, target: usize) -> &[f64] {
        let padded = self
            .weights
            .get(target)
            .map_or(&[] as &[_], |w| w.as_flattened());
        padded.get(..self.dim).unwrap_or(padded)
    }

    /// Covariance of the targets' noise, `[row * targets + column]`.
    pub fn covariance(&self) -> Vec<f64> {
        self.residuals.covariance()
    }

    pub(super) fn coarse(&self) -> &Spread {
        &self.spread
    }

    /// Of each coordinate, how much of its theta the rows have determined: 0 none, 1 all.
    pub(super) fn determined(&self) -> impl Iterator<Item = f64> {
        let precision = self.prior.precision.iter().enumerate();
        precision.map(|(i, p)| (1.0 - p * self.inverse.get(i, i)).clamp(0.0, 1.0))
    }

    pub(super) fn residuals(&self) -> &Residuals {
        &self.residuals
    }

    /// Learns a row. Gives back the value used for each target: the one observed, or the prediction
    /// that stands for a missing one. The caller keeps them: [`Ridge::retract`] wants them back.
    ///
    /// ```
    /// use bellwether::bandit::{Prior, Ridge};
    /// let mut arm = Ridge::new(&Prior::on_bias(1, 1.0, &[0.5])).unwrap();
    /// // A prior of one row at 0.5 and one row at 1.0: the mean is 0.75.
    /// assert_eq!(arm.observe(&[1.0], &[Some(1.0)]), Ok(vec![1.0]));
    /// assert!((arm.weights(0)[0] - 0.75).abs() < 1e-15);
    /// ```
    pub fn observe(&mut self, x: &[f32], values: &[Option<f64>]) -> Result<Vec<f64>, StateError> {
        check_len("values", values.len(), self.targets())?;
        finite("value", values.iter().flatten().copied())?;
        let mut step = self.step(x)?;
        if self.since_refactor >= REFACTOR_EVERY {
            self.refactor()?;
            step = self.step(x)?;
        }
        // The rows before weigh less than A has of them: a fresh one enters with so much more.
        let weight = self.kept.recip();
        let inflation = 1.0 + weight * step.variance;
        let gain = weight / inflation;
        let mut used = Vec::with_capacity(values.len());
        let mut innovations = Vec::with_capacity(values.len());
        // What it counts, of a row that a seed made lighter too.
        let one = weight * step.bias(self.dim);
        let targets = self.moments.iter_mut().zip(&mut self.weights);
        for (target, (value, (moment, theta))) in values.iter().zip(targets).enumerate() {
            let predicted = dot(theta, &step.x);
            let value_used = value.unwrap_or(predicted);
            let seen = if value.is_some() { one } else { 0.0 };
            self.squares
                .exchange(target, weight, (0.0, value_used), seen);
            add_scaled(moment, weight * value_used, &step.x);
            if let Some(value) = value {
                add_scaled(theta, (value - predicted) * gain, &step.ax);
            }
            innovations.push(value.map(|v| v - predicted));
            used.push(value_used);
        }
        self.residuals.record(&innovations, inflation);
        // The inverse first: the prediction has just brought it into the cache.
        scale(&mut step.ax, gain.sqrt());
        self.inverse.add_outer(-1.0, &step.ax);
        scale(&mut step.x, weight.sqrt());
        self.precision.add_outer(1.0, &step.x);
        self.follow(1.0, &step.x)?;
        self.count += weight;
        self.since_refactor += 1;
        Ok(used)
    }

    /// Lets the coarse block follow A, which has just gained `sign` times x x'.
    pub(super) fn follow(&mut self, sign: f64, x: &[Group<f64>]) -> Result<(), StateError> {
        if !self.spread.follow(sign, x, self.dim, GUARD) {
            self.spread = Spread::new(&self.precision, self.spread.coarse(), self.dim)?;
        }
        Ok(())
    }

    /// Computes the inverses and the weights anew from A and b.
    pub fn refactor(&mut self) -> Result<(), StateError> {
        self.fold();
        self.inverse = cholesky::inverse(&self.precision, self.dim)?;
        self.spread = Spread::new(&self.precision, self.prior.coarse, self.dim)?;
        for (weight, moment) in self.weights.iter_mut().zip(&self.moments) {
            self.inverse.multiply(moment, weight);
        }
        self.since_refactor = 0;
        Ok(())
    }

    /// Predicted value of each target.
    pub fn predict(&self, x: &[f32], out: &mut [f64]) -> Result<(), StateError> {
        check_len("context", x.len(), self.dim)?;
        check_len("predictions", out.len(), self.targets())?;
        let x = pad(x.iter().map(|v| f64::from(*v)));
        for (slot, weight) in out.iter_mut().zip(&self.weights) {
            *slot = dot(weight, &x);
        }
        Ok(())
    }

    /// w x' A^-1 x, the pull of a row that entered at `then` on its own prediction; of one that enters
    /// now, the prediction's variance in units of the noise's.
    pub fn leverage(&self, x: &[f32], then: Fading) -> Result<f64, StateError> {
        Ok(self.weight(then) * self.step(x)?.variance)
    }

    /// z' (A_zz)^-1 z of the coarse part z of `x`: the uncertainty that decisions go by, in units of the
    /// noise's variance.
    pub fn spread(&self, x: &[f32]) -> Result<f64, StateError> {
        check_len("context", x.len(), self.dim)?;
        let x = pad(x.iter().map(|v| f64::from(*v)));
        Ok(self.inflation() * self.spread.at(&x, self.dim))
    }

    /// What a variance by A is too small by, for the forgetting since the last refactor.
    pub(super) fn inflation(&self) -> f64 {
        self.kept.recip()
    }

    pub(super) fn step(&self, x: &[f32]) -> Result<Step, StateError> {
        check_len("context", x.len(), self.dim)?;
        let x = pad(x.iter().map(|v| f64::from(*v)));
        let mut ax = vec![[0.0; LANES]; x.len()];
        self.inverse.multiply(&x, &mut ax);
        let variance = dot(&x, &ax);
        // Also refuses a context that is not finite.
        if !variance.is_finite() {
            return Err(range("context", variance, "finite"));
        }
        Ok(Step { x, ax, variance })
    }
}

/// A row with A^-1 x and x' A^-1 x, which every update needs.
pub(super) struct Step {
    pub(super) x: Vec<Group<f64>>,
    pub(super) ax: Vec<Group<f64>>,
    pub(super) variance: f64,
}

impl Step {
    /// The square of the constant coordinate: 1, or the weight of a row that was made lighter.
    pub(super) fn bias(&self, dim: usize) -> f64 {
        let bias = self.x.as_flattened().get(dim - 1);
        bias.map_or(0.0, |b| b * b)
    }
}

pub(super) fn scale(x: &mut [Group<f64>], by: f64) {
    x.as_flattened_mut().iter_mut().for_each(|v| *v *= by);
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Rows of one arm with two targets, either of which may be missing.
    #[derive(Debug, Clone)]
    struct Rows {
        dim: usize,
        rows: Vec<(Vec<f32>, [Option<f64>; 2])>,
    }

    fn rows() -> impl Strategy<Value = Rows> {
        (1..24_usize).prop_flat_map(|dim| {
            let x = prop::collection::vec(-1.0_f32..1.0, dim);
            let value = prop::option::weighted(0.7, 0.0..1.0);
            let row = (x, (value.clone(), value).prop_map(|(a, b)| [a, b]));
            prop::collection::vec(row, 1..60).prop_map(move |rows| Rows { dim, rows })
        })
    }

    const EXPECTED: [f64; 2] = [0.6, 0.3];

    fn fresh(dim: usize) -> Ridge {
        Ridge::new(&Prior::on_bias(dim, 10.0, &EXPECTED)).unwrap()
    }

    fn learned(rows: &Rows) -> (Ridge, Vec<Vec<f64>>) {
        let mut arm = fresh(rows.dim);
        let used = rows.rows.iter().map(|(x, v)| arm.observe(x, v).unwrap());
        let used = used.collect();
        (arm, used)
    }

    /// Largest difference of two states in A, A^-1, b and theta.
    fn distance(a: &Ridge, b: &Ridge) -> f64 {
        let vectors = |r: &Ridge| {
            let all = r.moments.iter().chain(&r.weights);
            all.flat_map(|v| v.as_flattened().to_vec())
                .collect::<Vec<_>>()
        };
        let matrices = |r: &Ridge| {
            let whole = r.precision.numbers().chain(r.inverse.numbers());
            whole.chain(r.spread.inverse().numbers()).collect()
        };
        let (a_all, b_all) = (
            [vectors(a), matrices(a)].concat(),
            [vectors(b), matrices(b)].concat(),
        );
        let pairs = a_all.iter().zip(&b_all);
        pairs.map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
    }

    /// theta by Gaussian elimination on A built row by row.
    fn dense_solve(dim: usize, rows: &[(Vec<f32>, f64)], ridge: f64, mean: f64) -> Vec<f64> {
        let mut a = vec![vec![0.0; dim + 1]; dim];
        for (i, row) in a.iter_mut().enumerate() {
            row[i] = ridge;
        }
        a[dim - 1][dim] = ridge * mean;
        for (x, y) in rows {
            for i in 0..dim {
                for j in 0..dim {
                    a[i][j] += f64::from(x[i]) * f64::from(x[j]);
                }
                a[i][dim] += y * f64::from(x[i]);
            }
        }
        for pivot in 0..dim {
            let pivot_row = a[pivot].clone();
            for (_, row) in a.iter_mut().enumerate().filter(|(row, _)| *row != pivot) {
                let factor = row[pivot] / pivot_row[pivot];
                for (cell, p) in row.iter_mut().zip(&pivot_row) {
                    *cell -= factor * p;
                }
            }
        }
        (0..dim).map(|i| a[i][dim] / a[i][i]).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn observing_equals_a_dense_solve_of_all_rows(rows in rows()) {
            let (arm, used) = learned(&rows);
            for (target, mean) in EXPECTED.iter().enumerate() {
                let xy: Vec<_> = rows.rows.iter().zip(&used)
                    .map(|((x, _), used)| (x.clone(), used[target])).collect();
                let expected = dense_solve(rows.dim, &xy, 10.0, *mean);
                for (found, expected) in arm.weights(target).iter().zip(expected) {
                    prop_assert!((found - expected).abs() < 1e-9, "{found} {expected}");
                }
            }
        }

        #[test]
        fn retracting_a_row_returns_to_the_state_without_it(rows in rows()) {
            let (last, first) = rows.rows.split_last().unwrap();
            let (before, _) = learned(&Rows { dim: rows.dim, rows: first.to_vec() });
            let mut arm = before.clone();
            let used = arm.observe(&last.0, &last.1).unwrap();
            arm.retract(&last.0, arm.fading(), &used).unwrap();
            prop_assert!(distance(&arm, &before) < 1e-8);
            prop_assert_eq!(arm.count(), before.count());
        }

        #[test]
        fn a_value_that_arrives_late_equals_one_observed_at_once(rows in rows(), late in 0.0..1.0) {
            let mut at_once = fresh(rows.dim);
            let mut arm = at_once.clone();
            let first = &rows.rows[0].0;
            at_once.observe(first, &[Some(0.5), Some(late)]).unwrap();
            let imputed = arm.observe(first, &[Some(0.5), None]).unwrap()[1];
            // Every row in between has all its values: an imputed one would depend on the late one.
            for (x, values) in &rows.rows[1..] {
                let values = values.map(|v| Some(v.unwrap_or(0.5)));
                at_once.observe(x, &values).unwrap();
                arm.observe(x, &values).unwrap();
            }
            let before = arm.clone();
            arm.arrive(first, arm.fading(), 1, (imputed, late)).unwrap();
            prop_assert!(distance(&arm, &at_once) < 1e-9);
            // And withdrawn again, it is what was imputed.
            arm.shift(first, arm.fading(), 1, (late, imputed)).unwrap();
            prop_assert!(distance(&arm, &before) < 1e-9);
        }

        #[test]
        fn rows_that_fade_end_as_weighted_rows_on_a_whole_prior(
            rows in rows(), keep in 0.7_f64..1.0, late in 0.0..1.0,
        ) {
            let mut arm = fresh(rows.dim);
            let mut entered = Vec::new();
            for (x, values) in &rows.rows {
                let values = values.map(|v| Some(v.unwrap_or(0.5)));
                let then = arm.fading();
                arm.observe(x, &values).unwrap();
                entered.push((then, values.map(Option::unwrap)));
                arm.fade(keep).unwrap();
            }
            // The first is corrected, the last taken out, by what they weigh now.
            let (then, values) = entered[0];
            arm.shift(&rows.rows[0].0, then, 1, (values[1], late)).unwrap();
            entered[0].1[1] = late;
            let ((x, _), (then, values)) = (rows.rows.last().unwrap(), entered.pop().unwrap());
            let used = if entered.is_empty() { vec![values[0], late] } else { values.to_vec() };
            arm.retract(x, then, &used).unwrap();
            arm.refactor().unwrap();
            let mut expected = fresh(rows.dim);
            for (age, ((x, _), (_, values))) in rows.rows.iter().zip(&entered).rev().enumerate() {
                // One row is gone and has let the others fade once more.
                let root = keep.powi(age as i32 + 2).sqrt();
                let x: Vec<f64> = x.iter().map(|v| root * f64::from(*v)).collect();
                let padded = pad(x.into_iter());
                expected.precision.add_outer(1.0, &padded);
                for (moment, value) in expected.moments.iter_mut().zip(values) {
                    add_scaled(moment, root * value, &padded);
                }
            }
            expected.refactor().unwrap();
            prop_assert!(distance(&arm, &expected) < 1e-6, "{}", distance(&arm, &expected));
        }

        #[test]
        fn a_missing_value_leaves_its_theta_where_it_was(rows in rows()) {
            let (mut arm, _) = learned(&rows);
            let before = arm.weights(1).to_vec();
            arm.observe(&rows.rows[0].0, &[Some(1.0), None]).unwrap();
            prop_assert_eq!(arm.weights(1), &before[..]);
        }

        #[test]
        fn a_refactor_changes_nothing_but_rounding(rows in rows()) {
            let (arm, _) = learned(&rows);
            let mut fresh = arm.clone();
            fresh.refactor().unwrap();
            prop_assert!(distance(&arm, &fresh) < 1e-9);
        }

        #[test]
        fn a_checkpoint_comes_back_bit_for_bit_and_valid(rows in rows()) {
            let (arm, _) = learned(&rows);
            let bytes = postcard::to_stdvec(&arm).unwrap();
            let back: Ridge = postcard::from_bytes(&bytes).unwrap();
            prop_assert_eq!(&back, &arm);
            prop_assert_eq!(back.validate(), Ok(()));
        }
    }

    #[test]
    fn the_inverse_is_refactored_after_4096_updates_and_stays_true() {
        let mut arm = fresh(5);
        let x = |i: usize| -> Vec<f32> {
            let wave = (0..4).map(|j| ((i * (j + 3)) as f32 * 0.7).sin());
            wave.chain([1.0]).collect()
        };
        for i in 0..4096 {
            arm.observe(&x(i), &[Some(0.5), None]).unwrap();
        }
        assert_eq!(arm.since_refactor, 4096);
        let mut fresh = arm.clone();
        fresh.refactor().unwrap();
        assert!(distance(&arm, &fresh) < 1e-9);
        arm.observe(&x(4096), &[Some(0.5), None]).unwrap();
        assert_eq!(arm.since_refactor, 1);
    }

    #[test]
    fn a_row_that_was_never_observed_is_not_retracted() {
        let mut arm = Ridge::new(&Prior::on_bias(1, 1.0, &[0.5])).unwrap();
        let before = arm.clone();
        let error = arm.retract(&[1.0], arm.fading(), &[0.5]).unwrap_err();
        assert_eq!(error, StateError::NotPositive { row: 0, pivot: 0.0 });
        assert_eq!(arm, before);
    }

    #[test]
    fn a_row_that_carries_all_the_weight_is_retracted_by_a_refactor() {
        let mut arm = Ridge::new(&Prior::on_bias(2, 1e-6, &[0.5, 0.5])).unwrap();
        let x = [100.0, 100.0];
        let used = arm.observe(&x, &[Some(1.0), Some(0.0)]).unwrap();
        assert!(1.0 - arm.leverage(&x, arm.fading()).unwrap() <= GUARD);
        arm.retract(&x, arm.fading(), &used).unwrap();
        // What 2e4 and 1e-6 leave of each other in 53 bits.
        assert!(
            (arm.weights(0)[1] - 0.5).abs() < 1e-4,
            "{:?}",
            arm.weights(0)
        );
    }

    #[test]
    fn the_noise_is_learned_of_each_target_and_not_from_imputed_values() {
        let mut arm = fresh(1);
        for i in 0..40_000 {
            // Alternating noise of sd 0.1, the same in both targets; the second is seen half the time.
            let noise = if i % 2 == 0 { 0.1 } else { -0.1 };
            let second = (i / 2 % 2 == 0).then_some(0.3 + noise);
            arm.observe(&[1.0], &[Some(0.6 + noise), second]).unwrap();
        }
        let found = arm.covariance();
        // Seen together half the time, the covariance is that share of the whole: sqrt(1/2).
        for (found, expected) in found.iter().zip([0.01, 0.00707, 0.00707, 0.01]) {
            assert!((found - expected).abs() < 2e-4, "{found} {expected}");
        }
    }

    #[test]
    fn a_late_value_counts_for_the_noise_as_one_at_once() {
        let learn = |late: bool| {
            let mut arm = fresh(1);
            for i in 0..1000 {
                let value = if i % 2 == 0 { 0.1 } else { 0.5 };
                if late {
                    let used = arm.observe(&[1.0], &[None, None]).unwrap();
                    arm.arrive(&[1.0], arm.fading(), 1, (used[1], value))
                        .unwrap();
                } else {
                    arm.observe(&[1.0], &[None, Some(value)]).unwrap();
                }
            }
            arm.covariance()[3]
        };
        assert!((learn(true) - learn(false)).abs() < 1e-12);
    }

    #[test]
    fn bad_rows_are_refused_and_change_nothing() {
        let mut arm = fresh(2);
        let before = arm.clone();
        let check = |result: Result<(), StateError>, expected: &str| {
            assert_eq!(result.unwrap_err().to_string(), expected);
        };
        let good = [Some(1.0), None];
        check(
            arm.observe(&[1.0], &good).map(drop),
            "context has 1 entries: allowed 2",
        );
        check(
            arm.observe(&[1.0, 1.0], &good[..1]).map(drop),
            "values has 1 entries: allowed 2",
        );
        check(
            arm.observe(&[f32::NAN, 1.0], &good).map(drop),
            "context is NaN: allowed finite",
        );
        check(
            arm.observe(&[1.0, 1.0], &[None, Some(f64::INFINITY)])
                .map(drop),
            "value is inf: allowed finite",
        );
        check(
            arm.shift(&[1.0, 1.0], before.fading(), 2, (0.0, 0.1)),
            "target is 2: allowed less than 2",
        );
        check(
            arm.arrive(&[1.0, 1.0], before.fading(), 0, (0.0, f64::NAN)),
            "value is NaN: allowed finite",
        );
        assert_eq!(arm, before);
        check(
            Ridge::new(&Prior::on_bias(0, 1.0, &EXPECTED)).map(drop),
            "dim is 0: allowed 1 to 4096",
        );
        check(
            Ridge::new(&Prior::on_bias(3, 0.0, &[])).map(drop),
            "ridge is 0: allowed finite and above 0",
        );
    }

    #[test]
    fn a_broken_state_is_told_from_a_sound_one() {
        let sound = fresh(3);
        assert_eq!(sound.validate(), Ok(()));
        let broken = |change: fn(&mut Ridge)| {
            let mut arm = sound.clone();
            change(&mut arm);
            arm.validate().unwrap_err().to_string()
        };
        let check = |change: fn(&mut Ridge), expected: &str| assert_eq!(broken(change), expected);
        check(
            |r| r.dim = usize::MAX,
            "dim is 18446744073709552000: allowed 1 to 4096",
        );
        check(|r| r.dim = 9, "moments has 1 entries: allowed 2");
        check(
            |r| r.moments[0][0][1] = f64::NAN,
            "moments is NaN: allowed finite",
        );
        check(
            |r| r.weights.truncate(1),
            "moments has 2 entries: allowed 1",
        );
        check(
            |r| r.inverse = Packed::identity(9, 1.0),
            "inverse has 128 entries: allowed 32",
        );
        check(
            |r| r.precision = Packed::identity(3, -1.0),
            "precision is -1: allowed above 0 on the diagonal",
        );
        check(
            |r| r.count = -1.0,
            "count is -1: allowed finite and at least 0",
        );
        check(
            |r| r.residuals = Residuals::new(1),
            "residuals is NaN: allowed finite, one row a target",
        );
    }
}
