//! Forgetting: rows fade, the prior does not; after a change the level is learned anew.
//!
//! Invariants: after a fold A = A0 + sum w x x' with w what each row still weighs; until then A has the
//! rows at their weight of the last fold, and whoever reads it multiplies by `kept`.
//!
//! Not here: how fast (`tempo`), when a change is seen (`change`).
//!
//! Source: SCIENCE 2.4: A <- g A + (1 - g) A0 and b alike, so that a warm start does not evaporate.

use super::error::StateError;
use super::fading::Fading;
use super::ridge::Ridge;
use super::whole::{finite, range};

/// Share of the past kept since the last refactor below which there is another. A smaller loss is cheaper
/// borne than mended: at ten arms and two groups a refactor each 760 decisions is 13 us a decision.
const FOLD: f64 = 0.9;

impl Ridge {
    /// What a row that entered at `then` weighs now in A.
    pub(super) fn weight(&self, then: Fading) -> f64 {
        self.fading.since(then) / self.kept
    }

    /// Lets every row weigh `keep` times what it did, `keep` in (0, 1], and the prior as much as ever: A
    /// and b return to what was assumed before the first row. Done as a number, and now and then (when a
    /// tenth has gone since the last time: `true`) as a refactor; in between the prior weighs up to a
    /// tenth too little.
    ///
    /// ```
    /// use bellwether::bandit::{Prior, Ridge};
    /// let mut arm = Ridge::new(&Prior::on_bias(1, 1.0, &[0.5])).unwrap();
    /// arm.observe(&[1.0], &[Some(1.0)]).unwrap();
    /// assert_eq!(arm.fade(0.5), Ok(true));
    /// // One row at 0.5 and half a row at 1.0: 1 / 1.5.
    /// assert!((arm.weights(0)[0] - 1.0 / 1.5).abs() < 1e-15);
    /// ```
    pub fn fade(&mut self, keep: f64) -> Result<bool, StateError> {
        if !(keep > 0.0 && keep <= 1.0) {
            return Err(range("share kept", keep, "above 0, to 1"));
        }
        self.kept *= keep;
        self.fading.fade(keep);
        let fold = self.kept < FOLD;
        if fold {
            self.refactor()?;
        }
        Ok(fold)
    }

    /// A target's level has changed by `by`: its rows so far are moved to the new level, as if each had
    /// been `by` more, and all weigh `keep` times what they did. What told prompts apart is kept; what
    /// told the level is mostly let go.
    pub fn relearn(&mut self, target: usize, by: f64, keep: f64) -> Result<(), StateError> {
        finite("change of level", [by])?;
        let targets = self.targets();
        let mut changed = self.clone();
        changed.fade(keep)?;
        changed.fold();
        let bias = self.dim - 1;
        let (Some(moment), Some(mean)) = (
            changed.moments.get_mut(target),
            self.prior.means.get(target),
        ) else {
            return Err(StateError::Target { target, targets });
        };
        let assumed = self.prior.precision[bias];
        let count = changed.precision.get(bias, bias) - assumed;
        let sum = moment.as_flattened()[bias] - assumed * mean[bias];
        changed.squares.lift(target, by, (count, sum));
        for (i, slot) in moment
            .as_flattened_mut()
            .iter_mut()
            .enumerate()
            .take(self.dim)
        {
            let assumed = if i == bias {
                self.prior.precision[i]
            } else {
                0.0
            };
            *slot += by * (changed.precision.get(i, bias) - assumed);
        }
        changed.refactor()?;
        *self = changed;
        Ok(())
    }

    /// Puts the forgetting since the last time into A and b.
    pub(super) fn fold(&mut self) {
        let keep = std::mem::replace(&mut self.kept, 1.0);
        if keep >= 1.0 {
            return;
        }
        let refill: Vec<f64> = self
            .prior
            .precision
            .iter()
            .map(|p| (1.0 - keep) * p)
            .collect();
        self.precision.scale(keep);
        self.precision.add_diagonal(&refill);
        for (moment, mean) in self.moments.iter_mut().zip(&self.prior.means) {
            let slots = moment.as_flattened_mut().iter_mut();
            for (slot, (refill, mean)) in slots.zip(refill.iter().zip(mean)) {
                *slot = keep * *slot + refill * mean;
            }
        }
        self.count *= keep;
        self.residuals.fade(keep);
        self.squares.fade(keep);
    }
}
