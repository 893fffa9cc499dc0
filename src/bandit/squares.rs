//! How far a regression's rows lie from what it now says of them: the noise that the arms' common prior is
//! estimated with where the order of rows must not show.
//!
//! Why not the one-step residuals (`residual`), which all else goes by: they hang on the order in which rows
//! came. This is a sum over rows, as A and b are, so that the estimate is one of the rows alone:
//! with A0 m the prior's part of b, sum w (y - theta x)^2 = sum w y^2 - theta'b + 2 theta'A0 m - theta'A0 theta
//! where theta = A^-1 b.
//!
//! Invariants: the same rows with the same values give the same sums up to rounding, in whatever order they
//! came, were corrected or withdrawn.
//!
//! Units: those of the targets squared; rows at the weight that A has of them.
//!
//! Source: MacKay 1992, "Bayesian interpolation": noise = sum of squares / (N - gamma), gamma the number of
//! coordinates that the rows have determined.

use super::lanes::dot;
use super::residual::{PRIOR_COUNT, PRIOR_SD};
use super::ridge::Ridge;
use serde::{Deserialize, Serialize};

/// Sums over the rows of one regression, a number for each target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Squares {
    /// Sum of w y^2, with the value used where none was observed.
    values: Vec<f64>,
    /// Sum of w over the rows in which the target was observed.
    observed: Vec<f64>,
}

impl Squares {
    pub(super) fn new(targets: usize) -> Self {
        Self {
            values: vec![0.0; targets],
            observed: vec![0.0; targets],
        }
    }

    /// A target's value in a row of weight `weight` becomes `to` where it was `from`; `seen` is what is
    /// observed more, or less.
    pub(super) fn exchange(
        &mut self,
        target: usize,
        weight: f64,
        (from, to): (f64, f64),
        seen: f64,
    ) {
        if let Some(sum) = self.values.get_mut(target) {
            *sum += weight * (to * to - from * from);
        }
        if let Some(observed) = self.observed.get_mut(target) {
            *observed += seen;
        }
    }

    /// Every value of a target becomes `by` more; `rows` is the sum of w and of w y.
    pub(super) fn lift(&mut self, target: usize, by: f64, (count, sum): (f64, f64)) {
        if let Some(values) = self.values.get_mut(target) {
            *values += by * (2.0 * sum + by * count);
        }
    }

    /// Rows come in whose sum of w y^2 is `values`, and of w where the target was observed `observed`.
    pub(super) fn gain(&mut self, target: usize, values: f64, observed: f64) {
        if let Some(sum) = self.values.get_mut(target) {
            *sum += values;
        }
        if let Some(sum) = self.observed.get_mut(target) {
            *sum += observed;
        }
    }

    /// Gains `share` times other sums.
    pub(super) fn add(&mut self, share: f64, other: &Self) {
        for (target, (values, observed)) in other.values.iter().zip(&other.observed).enumerate() {
            self.gain(target, share * values, share * observed);
        }
    }

    /// Sum of w over the rows in which a target was observed.
    pub(super) fn observed(&self, target: usize) -> f64 {
        self.observed.get(target).copied().unwrap_or_default()
    }

    /// All rows weigh `keep` times what they did.
    pub(super) fn fade(&mut self, keep: f64) {
        let all = self.values.iter_mut().chain(&mut self.observed);
        all.for_each(|sum| *sum *= keep);
    }

    /// Whether shapes and numbers are sound: asked of what was read from disk.
    pub(super) fn well_formed(&self, targets: usize) -> bool {
        let shape = self.values.len() == targets && self.observed.len() == targets;
        let mut all = self.values.iter().chain(&self.observed);
        shape && all.all(|sum| sum.is_finite())
    }
}

impl Ridge {
    /// Sum of squares about what is now predicted, and the number of observed rows less those that the
    /// coordinates took; ten of the assumed size are in both. To be asked right after a refactor.
    pub(super) fn scatter(&self, target: usize) -> (f64, f64) {
        let assumed = (PRIOR_COUNT * PRIOR_SD * PRIOR_SD, PRIOR_COUNT);
        let of = |sums: &[f64]| sums.get(target).copied().unwrap_or_default();
        let (values, observed) = (of(&self.squares.values), of(&self.squares.observed));
        let (Some(theta), Some(moment), Some(mean)) = (
            self.weights.get(target),
            self.moments.get(target),
            self.prior.means.get(target),
        ) else {
            return assumed;
        };
        let prior = theta
            .as_flattened()
            .iter()
            .zip(&self.prior.precision)
            .zip(mean);
        let prior: f64 = prior.map(|((t, p), m)| p * t * (2.0 * m - t)).sum();
        let squares = (values - dot(theta, moment) + prior).max(0.0);
        // Where a target is seen in some of the rows only, they pay for their share.
        let share = (observed / self.count).clamp(0.0, 1.0);
        let taken = self.determined().sum::<f64>() * share;
        (assumed.0 + squares, assumed.1 + (observed - taken).max(0.0))
    }
}

#[cfg(test)]
mod tests {
    use crate::bandit::{Prior, Ridge};

    fn scatter(ridge: &Ridge) -> (f64, f64) {
        let mut ridge = ridge.clone();
        ridge.refactor().unwrap();
        ridge.scatter(0)
    }

    fn check(ridge: &Ridge, squares: f64, count: f64) {
        let found = scatter(ridge);
        assert!((found.0 - 0.9 - squares).abs() < 1e-12, "{found:?}");
        assert!((found.1 - 10.0 - count).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn rows_are_measured_from_what_is_now_predicted() {
        // One coordinate, a prior of one row at 0.5; rows at 1 and 0 and 1: theta = 2.5 / 4.
        let mut ridge = Ridge::new(&Prior::on_bias(1, 1.0, &[0.5])).unwrap();
        check(&ridge, 0.0, 0.0);
        for value in [1.0, 0.0, 1.0] {
            ridge.observe(&[1.0], &[Some(value)]).unwrap();
        }
        let theta: f64 = 2.5 / 4.0;
        // Three quarters of the coordinate are determined by the rows.
        check(
            &ridge,
            2.0 * (1.0 - theta).powi(2) + theta.powi(2),
            3.0 - 0.75,
        );
        // All values 0.2 more, and half the weight.
        ridge.relearn(0, 0.2, 0.5).unwrap();
        let theta: f64 = (0.5 + 0.5 * 2.6) / 2.5;
        let squares = (1.2 - theta).powi(2) + 0.5 * (0.2 - theta).powi(2);
        check(&ridge, squares, 1.5 - 1.5 / 2.5);
    }

    #[test]
    fn a_value_corrected_late_or_withdrawn_leaves_the_sums_of_the_right_one() {
        let fresh = || Ridge::new(&Prior::on_bias(1, 1.0, &[0.5, 0.5])).unwrap();
        let mut right = fresh();
        right.observe(&[1.0], &[Some(1.0), Some(0.0)]).unwrap();
        let mut late = fresh();
        let used = late.observe(&[1.0], &[None, Some(0.0)]).unwrap();
        late.arrive(&[1.0], late.fading(), 0, (used[0], 0.3))
            .unwrap();
        late.shift(&[1.0], late.fading(), 0, (0.3, 1.0)).unwrap();
        let (a, b) = (scatter(&right), scatter(&late));
        assert!((a.0 - b.0).abs() < 1e-12 && (a.1 - b.1).abs() < 1e-12);
        late.withdraw(&[1.0], late.fading(), 0, (1.0, 0.5)).unwrap();
        late.withdraw(&[1.0], late.fading(), 1, (0.0, 0.5)).unwrap();
        late.retract(&[1.0], late.fading(), &[0.5, 0.5]).unwrap();
        check(&late, 0.0, 0.0);
    }
}
