//! How uncertain an arm still is about the coarse coordinates: what the caller declared, and the bias.
//!
//! s^2 = z' (A_zz)^-1 z, where z is the coarse part of x and A_zz that block of A: the variance of the
//! prediction were the other weights (those of the text) known. Why not all of x: a prediction is also
//! uncertain along 64 directions of the text that hardly matter, and a sampler that doubts them explores
//! without end. Measured on the streams of SCIENCE 5, ten seeds, all else equal: with all of x the sum
//! of the twelve cells' differences to the reference was -0.083, with the coarse part -0.061, at
//! less than a third of the work.
//!
//! Why decisions whose outcome has not come do not narrow it (SCIENCE 2.8, pending pulls as phantom precision):
//! measured, it does not pay. A_zz with o times the pending z z' added to it, o the share of closed decisions
//! that was ever graded (1 at the start), made anew before every choice (so never stale), each pending row until
//! its outcome came or its 500 steps were over; `replay outcomes`, lambda 0, `linear-thompson`, `--delay 500 --missing 0.3`,
//! five seeds, reward with it less reward without, paired by seed (with its standard error):
//!
//! | table | first 1,000 | all |
//! |---|---|---|
//! | paretobandit_k4 | +0.0001 (0.0006) | -0.0002 (0.0003) |
//! | routerbench_subset | -0.0056 (0.0050) | -0.0016 (0.0046) |
//! | llmrouter_mix | +0.0037 (0.0038) | -0.0023 (0.0025) |
//! | mean | -0.0006 | -0.0014 |
//!
//! That is noise (0.005), and on the wrong side. Where it is meant to help it does, a little: of paretobandit_k4's
//! worst arm, joining half-way (`--drift join`), 9.9 % of the draws after that instead of 11.8 %, worth +0.0028
//! (0.0013) over them; where its best arm joins, +0.0003 (0.0008). Too little for a state of its own. A likely
//! reason, not tested: doubt halves with the team's decisions, graded or not (`policy`), so that a rush is
//! bounded already.
//!
//! Invariants: `inverse` is (A_zz)^-1 up to rounding after each call.
//!
//! Not here: what the block is scaled by (`residual`), the whole of A (`ridge`).

use super::cholesky;
use super::error::StateError;
use super::lanes::{Group, LANES, dot, pad};
use super::packed::Packed;
use serde::{Deserialize, Serialize};

/// The inverse of the coarse block.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Spread {
    coarse: usize,
    inverse: Packed<f64>,
}

/// Row of A that a coarse coordinate stands for: the leading ones, then the bias.
fn place(index: usize, coarse: usize, dim: usize) -> usize {
    if index < coarse { index } else { dim - 1 }
}

impl Spread {
    /// Of the matrix A of order `dim`.
    pub(super) fn new(
        precision: &Packed<f64>,
        coarse: usize,
        dim: usize,
    ) -> Result<Self, StateError> {
        let at = |index| place(index, coarse, dim);
        let block = Packed::build(coarse + 1, |i, j| precision.get(at(i), at(j)));
        Ok(Self {
            coarse,
            inverse: cholesky::inverse(&block, coarse + 1)?,
        })
    }

    /// How many leading coordinates are coarse.
    pub(super) fn coarse(&self) -> usize {
        self.coarse
    }

    pub(super) fn inverse(&self) -> &Packed<f64> {
        &self.inverse
    }

    /// z of a padded x of `dim` numbers.
    fn part(&self, x: &[Group<f64>], dim: usize) -> Vec<Group<f64>> {
        let flat = x.as_flattened();
        let at = |index| flat.get(place(index, self.coarse, dim)).copied();
        pad((0..self.coarse + 1).map(|index| at(index).unwrap_or(0.0)))
    }

    /// (A_zz)^-1 z and z' (A_zz)^-1 z.
    fn step(&self, z: &[Group<f64>]) -> (Vec<Group<f64>>, f64) {
        let mut az = vec![[0.0; LANES]; z.len()];
        self.inverse.multiply(z, &mut az);
        let variance = dot(z, &az);
        (az, variance)
    }

    /// z' (A_zz)^-1 z.
    pub(super) fn at(&self, x: &[Group<f64>], dim: usize) -> f64 {
        self.step(&self.part(x, dim)).1
    }

    /// A gained `sign` times x x': `sign` is 1 or -1. `false` where a rank-1 step would not be exact and
    /// it must be made anew.
    #[must_use]
    pub(super) fn follow(&mut self, sign: f64, x: &[Group<f64>], dim: usize, guard: f64) -> bool {
        let (mut az, variance) = self.step(&self.part(x, dim));
        let scale = 1.0 + sign * variance;
        if scale <= guard {
            return false;
        }
        let by = scale.recip().sqrt();
        az.as_flattened_mut().iter_mut().for_each(|v| *v *= by);
        self.inverse.add_outer(-sign, &az);
        true
    }

    /// Whether it is of the right shape, finite and positive definite: asked of what was read from disk.
    pub(super) fn well_formed(&self, dim: usize) -> bool {
        self.coarse < dim
            && self.inverse.well_formed(self.coarse + 1)
            && self.inverse.numbers().all(f64::is_finite)
            && cholesky::positive(&self.inverse, self.coarse + 1).is_ok()
    }
}
