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
    /// Moves a value already used for a row that entered at `then` from what it was to another: a
    /// correction.
    pub fn shift(
        &mut self,
        x: &[f32],
        then: Fading,
        target: usize,
        from_to: (f64, f64),
    ) -> Result<(), StateError> {
        let step = self.step(x)?;
        self.apply_shift(&step, self.weight(then), (target, 0.0), from_to)
    }

    /// A value is no longer observed: what is imputed for it takes its place.
    pub fn withdraw(
        &mut self,
        x: &[f32],
        then: Fading,
        target: usize,
        from_to: (f64, f64),
    ) -> Result<(), StateError> {
        let step = self.step(x)?;
        self.apply_shift(&step, self.weight(then), (target, -1.0), from_to)
    }

    /// A late first value of a row whose target was imputed, in the place of what was. As
    /// [`Ridge::shift`], and the residual counts.
    pub fn arrive(
        &mut self,
        x: &[f32],
        then: Fading,
        target: usize,
        (from, to): (f64, f64),
    ) -> Result<(), StateError> {
        let step = self.step(x)?;
        let weight = self.weight(then);
        self.apply_shift(&step, weight, (target, 1.0), (from, to))?;
        let mut innovations = vec![None; self.targets()];
        if let Some(slot) = innovations.get_mut(target) {
            *slot = Some(to - from);
        }
        // The row itself is in A by now: 1 + h before it was learned is 1 / (1 - h) after.
        let inflation = (1.0 - weight * step.variance).max(GUARD).recip();
        self.residuals.record(&innovations, inflation);
        Ok(())
    }

    /// `seen` is what the row observes of the target more than before.
    fn apply_shift(
        &mut self,
        step: &Step,
        weight: f64,
        (target, seen): (usize, f64),
        (from, to): (f64, f64),
    ) -> Result<(), StateError> {
        finite("value", [from, to])?;
        let targets = self.targets();
        let (Some(moment), Some(theta)) =
            (self.moments.get_mut(target), self.weights.get_mut(target))
        else {
            return Err(StateError::Target { target, targets });
        };
        let delta = to - from;
        add_scaled(moment, weight * delta, &step.x);
        add_scaled(theta, weight * delta, &step.ax);
        let seen = seen * weight * step.bias(self.dim);
        self.squares.exchange(target, weight, (from, to), seen);
        Ok(())
    }

    /// Takes a row that entered at `then` out again, with the values that [`Ridge::observe`] used for it
    /// (shifts included), its observed ones withdrawn before. The noise that decisions are doubted by keeps
    /// what it saw.
    pub fn retract(&mut self, x: &[f32], then: Fading, used: &[f64]) -> Result<(), StateError> {
        check_len("values used", used.len(), self.targets())?;
        finite("value used", used.iter().copied())?;
        let mut step = self.step(x)?;
        let weight = self.weight(then);
        let guard = 1.0 - weight * step.variance;
        let mut squares = self.squares.clone();
        for (target, value) in used.iter().enumerate() {
            squares.exchange(target, weight, (*value, 0.0), 0.0);
        }
        if guard <= GUARD {
            self.retract_by_refactor(step, weight, used)?;
            self.squares = squares;
            return Ok(());
        }
        self.squares = squares;
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
