//! How far outcomes fall from their predictions, and together with which others.
//!
//! Invariants: the covariance is symmetric and positive semi-definite by construction: a sum of outer
//! products and a positive diagonal, divided by `sqrt(c_i c_j)`, which is a congruence.
//!
//! Not here: a signal that was imputed has no residual; it adds nothing to its row and its count.
//!
//! Units: those of the signals squared (normalised signals: 0 worst, 1 best).

use serde::{Deserialize, Serialize};

/// Standard deviation assumed of every signal before anything was seen. Thompson's scale is stated in
/// multiples of it (SCIENCE 2.3).
pub const PRIOR_SD: f64 = 0.3;

/// How many observations that assumption is worth.
pub(super) const PRIOR_COUNT: f64 = 10.0;

/// Running scatter of one-step residuals.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Residuals {
    scatter: Vec<f64>,
    counts: Vec<f64>,
}

impl Residuals {
    pub(super) fn new(targets: usize) -> Self {
        let mut scatter = vec![0.0; targets * targets];
        for value in scatter.iter_mut().step_by(targets + 1) {
            *value = PRIOR_COUNT * PRIOR_SD * PRIOR_SD;
        }
        Self {
            scatter,
            counts: vec![PRIOR_COUNT; targets],
        }
    }

    /// One row's innovations (`None` where imputed), each of variance `inflation` times the noise's.
    pub(super) fn record(&mut self, innovations: &[Option<f64>], inflation: f64) {
        let targets = self.counts.len();
        for (row, (count, a)) in self.counts.iter_mut().zip(innovations).enumerate() {
            let Some(a) = a else { continue };
            *count += 1.0;
            for (slot, b) in self.scatter[row * targets..].iter_mut().zip(innovations) {
                *slot += b.map_or(0.0, |b| a * b / inflation);
            }
        }
    }

    /// Sum of squares of a target's innovations, each in units of the noise's scale, and their number,
    /// the assumed ones included.
    pub(super) fn parts(&self, target: usize) -> (f64, f64) {
        let sum = self.scatter.get(target * (self.counts.len() + 1));
        let count = self.counts.get(target);
        (
            sum.copied().unwrap_or_default(),
            count.copied().unwrap_or_default(),
        )
    }

    /// What was seen so far weighs `keep` times what it did; the assumption keeps its weight.
    pub(super) fn fade(&mut self, keep: f64) {
        let targets = self.counts.len();
        for slot in &mut self.scatter {
            *slot *= keep;
        }
        let refill = (1.0 - keep) * PRIOR_COUNT;
        for slot in self.scatter.iter_mut().step_by(targets + 1) {
            *slot += refill * PRIOR_SD * PRIOR_SD;
        }
        for count in &mut self.counts {
            *count = keep * *count + refill;
        }
    }

    /// Covariance of the targets, `[row * targets + column]`.
    pub(super) fn covariance(&self) -> Vec<f64> {
        let targets = self.counts.len();
        let pairs = (0..targets).flat_map(|row| (0..targets).map(move |column| (row, column)));
        pairs
            .zip(&self.scatter)
            .map(|((row, column), s)| s / (self.counts[row] * self.counts[column]).sqrt())
            .collect()
    }

    /// Whether shapes and numbers are sound: asked of what was read from disk.
    pub(super) fn well_formed(&self, targets: usize) -> bool {
        self.counts.len() == targets
            && self.scatter.len() == targets * targets
            && self.scatter.iter().all(|s| s.is_finite())
            && self.counts.iter().all(|c| c.is_finite() && *c > 0.0)
    }
}
