//! Changing what a row said after it was learned: a value corrected, one that comes late, a row taken out.
//!
//! Invariants: A, b and theta become what they would be had the row been so from the start, at the weight
//! that it still has; a refused call changes nothing.
//!
//! Not here: which row holds which value (`learn`).
//!
//! Source: Sherman and Morrison 1950 (down-dates); SCIENCE 2.8.

use super::error::StateError;
use super::fading::Fading;
use super::lanes::{add_scaled, dot};
use super::ridge::{GUARD, Ridge, Step, scale};
use super::whole::{check_len, finite};

impl Ridge {
    /// Moves a value already used for a row that entered at `then` by `delta`: a correction, or a
    /// retraction back to what was imputed (then `delta` is the imputed value less the one withdrawn).
    pub fn shift(
        &mut self,
        x: &[f32],
        then: Fading,
        target: usize,
        delta: f64,
    ) -> Result<(), StateError> {
        let step = self.step(x)?;
        self.apply_shift(&step, self.weight(then), target, delta)
    }

    /// A late first value of a row whose target was imputed: `delta` is the value less the imputed
    /// one. As [`Ridge::shift`], and the residual counts.
    pub fn arrive(
        &mut self,
        x: &[f32],
        then: Fading,
        target: usize,
        delta: f64,
    ) -> Result<(), StateError> {
        let step = self.step(x)?;
        let weight = self.weight(then);
        self.apply_shift(&step, weight, target, delta)?;
        let mut innovations = vec![None; self.targets()];
        if let Some(slot) = innovations.get_mut(target) {
            *slot = Some(delta);
        }
        // The row itself is in A by now: 1 + h before it was learned is 1 / (1 - h) after.
        let inflation = (1.0 - weight * step.variance).max(GUARD).recip();
        self.residuals.record(&innovations, inflation);
        Ok(())
    }

    fn apply_shift(
        &mut self,
        step: &Step,
        weight: f64,
        target: usize,
        delta: f64,
    ) -> Result<(), StateError> {
        finite("delta", [delta])?;
        let targets = self.targets();
        let (Some(moment), Some(theta)) =
            (self.moments.get_mut(target), self.weights.get_mut(target))
        else {
            return Err(StateError::Target { target, targets });
        };
        add_scaled(moment, weight * delta, &step.x);
        add_scaled(theta, weight * delta, &step.ax);
        Ok(())
    }

    /// Takes a row that entered at `then` out again, with the values that [`Ridge::observe`] used for it
    /// (shifts included). The noise estimate keeps what it saw.
    pub fn retract(&mut self, x: &[f32], then: Fading, used: &[f64]) -> Result<(), StateError> {
        check_len("values used", used.len(), self.targets())?;
        finite("value used", used.iter().copied())?;
        let mut step = self.step(x)?;
        let weight = self.weight(then);
        let guard = 1.0 - weight * step.variance;
        if guard <= GUARD {
            return self.retract_by_refactor(step, weight, used);
        }
        for ((value, moment), theta) in used.iter().zip(&mut self.moments).zip(&mut self.weights) {
            let innovation = value - dot(theta, &step.x);
            add_scaled(moment, -weight * value, &step.x);
            add_scaled(theta, -weight * innovation / guard, &step.ax);
        }
        scale(&mut step.x, weight.sqrt());
        self.precision.add_outer(-1.0, &step.x);
        scale(&mut step.ax, (weight / guard).sqrt());
        self.inverse.add_outer(1.0, &step.ax);
        self.follow(-1.0, &step.x)?;
        self.count = (self.count - weight).max(0.0);
        self.since_refactor = self.since_refactor.saturating_add(1);
        Ok(())
    }

    fn retract_by_refactor(
        &mut self,
        mut step: Step,
        weight: f64,
        used: &[f64],
    ) -> Result<(), StateError> {
        let mut without = self.clone();
        for (value, moment) in used.iter().zip(&mut without.moments) {
            add_scaled(moment, -weight * value, &step.x);
        }
        scale(&mut step.x, weight.sqrt());
        without.precision.add_outer(-1.0, &step.x);
        without.count = (self.count - weight).max(0.0);
        without.refactor()?;
        *self = without;
        Ok(())
    }
}
