//! What one arm has shown: a ridge regression of several targets that share a precision matrix.
//!
//! With rows x and targets y_j: A = ridge I + sum x x', b_j = A0 m_j + sum y_j x, theta_j = A^-1 b_j,
//! where the prior m_j is a mean on the bias coordinate. Both A and A^-1 are kept: the update works on
//! the inverse, the audit and the refactor on A.
//!
//! Invariants: a refused call changes nothing. A target missing from a row is imputed by its own
//! prediction, which leaves its theta where it was; when the true value arrives, [`Ridge::arrive`]
//! shifts it, and A, b and theta are what they would be had it been there at once. The same calls in
//! the same order give the same bits on every machine.
//!
//! Not here: which row holds which value (`learn`), the form that serves decisions (`Posterior`),
//! forgetting.
//!
//! Units and shapes: x has `dim` entries, the last the constant 1, |x|^2 <= 4 expected; targets are
//! normalised signals, 0 worst to 1 best.
//!
//! Source: SCIENCE 2.2; Sherman and Morrison 1950.

use super::cholesky;
use super::error::StateError;
use super::lanes::{Group, LANES, add_scaled, dot, groups, pad};
use super::packed::Packed;
use super::residual::Residuals;
use serde::{Deserialize, Serialize};

/// Updates between two refactors of the inverse from A.
const REFACTOR_EVERY: u32 = 4096;

/// Least 1 - x'A^-1 x for which a row is taken out by a rank-1 step; below it, by a refactor.
const GUARD: f64 = 1e-8;

/// Most features: 128 MB of statistics an arm, far above any use.
const MAX_DIM: usize = 4096;

/// What is assumed before the first row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Prior {
    /// Weight of the prior: the diagonal of A before the first row. SCIENCE's default is 10.
    pub ridge: f64,
    /// Expected value of each target, carried by the bias coordinate.
    pub means: Vec<f64>,
}

/// Statistics of one arm and one group of targets that are observed together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Ridge {
    dim: usize,
    count: f64,
    since_refactor: u32,
    precision: Packed<f64>,
    inverse: Packed<f64>,
    moments: Vec<Vec<Group<f64>>>,
    weights: Vec<Vec<Group<f64>>>,
    residuals: Residuals,
}

impl Ridge {
    /// Nothing seen yet. Refuses a dimension of 0, a ridge that is not positive, a mean that is not
    /// finite.
    pub fn new(dim: usize, prior: &Prior) -> Result<Self, StateError> {
        check_dim(dim)?;
        if !(prior.ridge.is_finite() && prior.ridge > 0.0) {
            return Err(range("ridge", prior.ridge, "finite and above 0"));
        }
        let on_bias = |value: f64| pad((0..dim).map(|i| if i + 1 == dim { value } else { 0.0 }));
        finite("prior mean", prior.means.iter().copied())?;
        Ok(Self {
            dim,
            count: 0.0,
            since_refactor: 0,
            precision: Packed::identity(dim, prior.ridge),
            inverse: Packed::identity(dim, prior.ridge.recip()),
            moments: prior
                .means
                .iter()
                .map(|m| on_bias(prior.ridge * m))
                .collect(),
            weights: prior.means.iter().map(|m| on_bias(*m)).collect(),
            residuals: Residuals::new(prior.means.len()),
        })
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
        self.count
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

    pub(super) fn inverse(&self) -> &Packed<f64> {
        &self.inverse
    }

    /// Learns a row. Gives back the value used for each target: the one observed, or the prediction
    /// that stands for a missing one. The caller keeps them: [`Ridge::retract`] wants them back.
    ///
    /// ```
    /// use bellwether::bandit::{Prior, Ridge};
    /// let mut arm = Ridge::new(1, &Prior { ridge: 1.0, means: vec![0.5] }).unwrap();
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
        let inflation = 1.0 + step.variance;
        let gain = inflation.recip();
        let mut used = Vec::with_capacity(values.len());
        let mut innovations = Vec::with_capacity(values.len());
        for ((value, moment), weight) in values.iter().zip(&mut self.moments).zip(&mut self.weights)
        {
            let predicted = dot(weight, &step.x);
            let value_used = value.unwrap_or(predicted);
            add_scaled(moment, value_used, &step.x);
            if let Some(value) = value {
                add_scaled(weight, (value - predicted) * gain, &step.ax);
            }
            innovations.push(value.map(|v| v - predicted));
            used.push(value_used);
        }
        self.residuals.record(&innovations, inflation);
        self.precision.add_outer(1.0, &step.x);
        scale(&mut step.ax, gain.sqrt());
        self.inverse.add_outer(-1.0, &step.ax);
        self.count += 1.0;
        self.since_refactor += 1;
        Ok(used)
    }

    /// Moves a value already used for a row by `delta`: a correction, or a retraction back to what
    /// was imputed (then `delta` is the imputed value less the one withdrawn).
    pub fn shift(&mut self, x: &[f32], target: usize, delta: f64) -> Result<(), StateError> {
        let step = self.step(x)?;
        self.apply_shift(&step, target, delta)
    }

    /// A late first value of a row whose target was imputed: `delta` is the value less the imputed
    /// one. As [`Ridge::shift`], and the residual counts.
    pub fn arrive(&mut self, x: &[f32], target: usize, delta: f64) -> Result<(), StateError> {
        let step = self.step(x)?;
        self.apply_shift(&step, target, delta)?;
        let mut innovations = vec![None; self.targets()];
        if let Some(slot) = innovations.get_mut(target) {
            *slot = Some(delta);
        }
        // The row itself is in A by now: 1 + h before it was learned is 1 / (1 - h) after.
        let inflation = (1.0 - step.variance).max(GUARD).recip();
        self.residuals.record(&innovations, inflation);
        Ok(())
    }

    fn apply_shift(&mut self, step: &Step, target: usize, delta: f64) -> Result<(), StateError> {
        finite("delta", [delta])?;
        let targets = self.targets();
        let (Some(moment), Some(weight)) =
            (self.moments.get_mut(target), self.weights.get_mut(target))
        else {
            return Err(StateError::Target { target, targets });
        };
        add_scaled(moment, delta, &step.x);
        add_scaled(weight, delta, &step.ax);
        Ok(())
    }

    /// Takes a row out again, with the values that [`Ridge::observe`] used for it (shifts included).
    /// The noise estimate keeps what it saw.
    pub fn retract(&mut self, x: &[f32], used: &[f64]) -> Result<(), StateError> {
        check_len("values used", used.len(), self.targets())?;
        finite("value used", used.iter().copied())?;
        let mut step = self.step(x)?;
        let guard = 1.0 - step.variance;
        if guard <= GUARD {
            return self.retract_by_refactor(&step, used);
        }
        for ((value, moment), weight) in used.iter().zip(&mut self.moments).zip(&mut self.weights) {
            let innovation = value - dot(weight, &step.x);
            add_scaled(moment, -value, &step.x);
            add_scaled(weight, -innovation / guard, &step.ax);
        }
        self.precision.add_outer(-1.0, &step.x);
        scale(&mut step.ax, guard.recip().sqrt());
        self.inverse.add_outer(1.0, &step.ax);
        self.count = (self.count - 1.0).max(0.0);
        self.since_refactor = self.since_refactor.saturating_add(1);
        Ok(())
    }

    fn retract_by_refactor(&mut self, step: &Step, used: &[f64]) -> Result<(), StateError> {
        let mut without = self.clone();
        without.precision.add_outer(-1.0, &step.x);
        for (value, moment) in used.iter().zip(&mut without.moments) {
            add_scaled(moment, -value, &step.x);
        }
        without.refactor()?;
        without.count = (self.count - 1.0).max(0.0);
        *self = without;
        Ok(())
    }

    /// Computes the inverse and the weights anew from A and b.
    pub fn refactor(&mut self) -> Result<(), StateError> {
        self.inverse = cholesky::inverse(&self.precision, self.dim)?;
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

    /// h = x' A^-1 x: the prediction's variance in units of the noise's.
    pub fn variance(&self, x: &[f32]) -> Result<f64, StateError> {
        Ok(self.step(x)?.variance)
    }

    /// Whether the state can serve: asked of whatever was read from disk, before it is used.
    pub fn validate(&self) -> Result<(), StateError> {
        check_dim(self.dim)?;
        let expected = groups(self.dim);
        for (field, vectors) in [("moments", &self.moments), ("weights", &self.weights)] {
            check_len(field, vectors.len(), self.targets())?;
            for vector in vectors {
                check_len(field, vector.len(), expected)?;
                finite(field, vector.as_flattened().iter().copied())?;
            }
        }
        for (field, matrix) in [("precision", &self.precision), ("inverse", &self.inverse)] {
            if !matrix.well_formed(self.dim) {
                let found = matrix.numbers().len();
                let expected = Packed::<f64>::stored(self.dim);
                return Err(StateError::Length {
                    field,
                    found,
                    expected,
                });
            }
            finite(field, matrix.numbers().iter().copied())?;
            let mut diagonal = (0..self.dim).map(|i| matrix.get(i, i));
            if let Some(value) = diagonal.find(|v| *v <= 0.0) {
                return Err(range(field, value, "above 0 on the diagonal"));
            }
        }
        if !(self.count.is_finite() && self.count >= 0.0) {
            return Err(range("count", self.count, "finite and at least 0"));
        }
        if !self.residuals.well_formed(self.targets()) {
            return Err(range("residuals", f64::NAN, "finite, one row a target"));
        }
        Ok(())
    }

    fn step(&self, x: &[f32]) -> Result<Step, StateError> {
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
struct Step {
    x: Vec<Group<f64>>,
    ax: Vec<Group<f64>>,
    variance: f64,
}

fn scale(x: &mut [Group<f64>], by: f64) {
    x.as_flattened_mut().iter_mut().for_each(|v| *v *= by);
}

fn range(field: &'static str, value: f64, allowed: &'static str) -> StateError {
    StateError::Range {
        field,
        value,
        allowed,
    }
}

fn check_dim(dim: usize) -> Result<(), StateError> {
    if (1..=MAX_DIM).contains(&dim) {
        Ok(())
    } else {
        Err(range("dim", dim as f64, "1 to 4096"))
    }
}

fn check_len(field: &'static str, found: usize, expected: usize) -> Result<(), StateError> {
    if found == expected {
        Ok(())
    } else {
        Err(StateError::Length {
            field,
            found,
            expected,
        })
    }
}

fn finite(field: &'static str, values: impl IntoIterator<Item = f64>) -> Result<(), StateError> {
    match values.into_iter().find(|v| !v.is_finite()) {
        Some(value) => Err(range(field, value, "finite")),
        None => Ok(()),
    }
}
