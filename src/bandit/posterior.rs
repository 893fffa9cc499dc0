//! What one arm publishes: the means and the uncertainty that decisions are made from, in f32.
//!
//! Invariants: immutable; a score of up to 256 features
//! allocates nothing and reads each stored number once; the variance is
//! never negative. Within 1e-5 of the [`Ridge`] it came from for contexts of |x|^2 <= 4 and a ridge of
//! 1 or more. The same bits whatever the width of the registers.
//!
//! Not here: utility (`scorecard`), learning (`Ridge`).
//!
//! Units and shapes: x as in [`Ridge`]; means in normalised signals; variance in units of the noise's.

use super::error::StateError;
use super::form::{Form, reversed};
use super::lanes::{Group, LANES, Totals, groups, widest};
use super::ridge::Ridge;
use pulp::{Simd, WithSimd};

/// The published form of a [`Ridge`].
#[derive(Debug, Clone, PartialEq)]
pub struct Posterior {
    dim: usize,
    targets: usize,
    count: f64,
    /// Leading coordinates that, with the bias, the variance is made of.
    coarse: usize,
    form: Form,
    /// What the form is too small by, for forgetting since it was factored.
    inflation: f64,
    /// theta of each target, one after the other, each reversed and in whole groups as `form` has it.
    weights: Vec<Group<f32>>,
    covariance: Vec<f64>,
}

impl From<&Ridge> for Posterior {
    fn from(ridge: &Ridge) -> Self {
        let (dim, targets) = (ridge.dim(), ridge.targets());
        let mut weights = vec![[0.0; LANES]; groups(dim) * targets];
        for (target, slots) in weights.chunks_exact_mut(groups(dim)).enumerate() {
            let theta: Vec<f32> = ridge.weights(target).iter().map(|w| *w as f32).collect();
            reversed(&theta, slots);
        }
        Self {
            dim,
            targets,
            count: ridge.count(),
            coarse: ridge.coarse().coarse(),
            inflation: ridge.inflation(),
            form: Form::new(ridge.coarse().inverse()),
            weights,
            covariance: ridge.covariance(),
        }
    }
}

impl Posterior {
    /// Number of features.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of targets.
    pub fn targets(&self) -> usize {
        self.targets
    }

    /// Effective number of rows learned from.
    pub fn count(&self) -> f64 {
        self.count
    }

    /// Writes the predicted value of each target and gives back h = z' (A_zz)^-1 z of the coarse part z of
    /// x ([`Ridge::spread`]): the variance of a target's prediction is taken as h times its noise's.
    ///
    /// ```
    /// use bellwether::bandit::{Posterior, Prior, Ridge};
    /// let arm = Ridge::new(&Prior::on_bias(2, 10.0, &[0.5])).unwrap();
    /// let mut mean = [0.0];
    /// // |x|^2 = 2 over a ridge of 10; the prior mean rides on the last coordinate.
    /// let h = Posterior::from(&arm).score(&[1.0, 1.0], &mut mean).unwrap();
    /// assert!((h - 0.2).abs() < 1e-7 && mean == [0.5]);
    /// ```
    pub fn score(&self, x: &[f32], means: &mut [f64]) -> Result<f64, StateError> {
        for (field, found, expected) in [
            ("context", x.len(), self.dim),
            ("means", means.len(), self.targets),
        ] {
            if found != expected {
                return Err(StateError::Length {
                    field,
                    found,
                    expected,
                });
            }
        }
        let (mut whole, mut part) = ([[0.0; LANES]; ON_STACK], [[0.0; LANES]; ON_STACK]);
        let (mut whole_heap, mut part_heap) = (Vec::new(), Vec::new());
        let padded = room(groups(self.dim), &mut whole, &mut whole_heap);
        let coarse = room(groups(self.coarse + 1), &mut part, &mut part_heap);
        reversed(x, padded);
        let bias = x.last().copied().unwrap_or_default();
        reversed(x.get(..self.coarse).unwrap_or(x), coarse);
        // The bias stands behind the coarse coordinates, so before them in reverse.
        if let Some(slot) = coarse.as_flattened_mut().iter_mut().rev().nth(self.coarse) {
            *slot = bias;
        }
        Ok(widest(Score {
            posterior: self,
            x: padded,
            coarse,
            means,
        }))
    }

    /// Variance of the noise in one target; 0 where there is no such target.
    ///
    /// ```
    /// use bellwether::bandit::{Posterior, Prior, Ridge};
    /// let arm = Ridge::new(&Prior::on_bias(1, 1.0, &[0.5, 0.5])).unwrap();
    /// // Nothing seen: 0.3 squared.
    /// assert!((Posterior::from(&arm).noise_of(1) - 0.09).abs() < 1e-12);
    /// ```
    pub fn noise_of(&self, target: usize) -> f64 {
        let on_diagonal = self.covariance.get(target * (self.targets + 1));
        on_diagonal.map_or(0.0, |v| v.max(0.0))
    }

    /// Variance of the noise in a weighted sum of the targets, w' Sigma w. Weights past the number of
    /// targets count for nothing.
    ///
    /// ```
    /// use bellwether::bandit::{Posterior, Prior, Ridge};
    /// let arm = Ridge::new(&Prior::on_bias(1, 1.0, &[0.5, 0.5])).unwrap();
    /// // Nothing seen: independent noises of variance 0.09 each; 4 * 0.09 + 1 * 0.09 = 0.45.
    /// let noise = Posterior::from(&arm).noise(&[2.0, 1.0]);
    /// assert!((noise - 0.45).abs() < 1e-12);
    /// ```
    pub fn noise(&self, weights: &[f64]) -> f64 {
        let mut total = 0.0;
        for (row, a) in self
            .covariance
            .chunks_exact(self.targets.max(1))
            .zip(weights)
        {
            for (covariance, b) in row.iter().zip(weights) {
                total += a * b * covariance;
            }
        }
        total.max(0.0)
    }
}

/// Longest context, in groups, that is padded on the stack: d = 256.
const ON_STACK: usize = 32;

/// Space for `groups` groups of zeros, on the stack if they fit.
fn room<'a>(
    groups: usize,
    stack: &'a mut [Group<f32>; ON_STACK],
    heap: &'a mut Vec<Group<f32>>,
) -> &'a mut [Group<f32>] {
    if groups <= ON_STACK {
        &mut stack[..groups]
    } else {
        heap.resize(groups, [0.0; LANES]);
        heap
    }
}

struct Score<'a> {
    posterior: &'a Posterior,
    x: &'a [Group<f32>],
    coarse: &'a [Group<f32>],
    means: &'a mut [f64],
}

impl WithSimd for Score<'_> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let Self {
            posterior,
            x,
            coarse,
            means,
        } = self;
        for (mean, weights) in means
            .iter_mut()
            .zip(posterior.weights.chunks_exact(x.len().max(1)))
        {
            let mut total = Totals::zero(simd);
            for (w, x) in weights.iter().zip(x) {
                total.add_product(simd, w, x);
            }
            *mean = f64::from(total.sum());
        }
        let form = posterior.form.at(simd, coarse);
        // A NaN context stays NaN and is refused by the policy.
        if form < 0.0 {
            0.0
        } else {
            posterior.inflation * f64::from(form)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bandit::Prior;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    /// A context of norm 2 with the bias last.
    fn context(rng: &mut SmallRng, dim: usize) -> Vec<f32> {
        let mut x: Vec<f32> = (0..dim).map(|_| rng.random_range(-1.0..1.0)).collect();
        let norm = x.iter().map(|v| v * v).sum::<f32>().sqrt().max(0.1);
        x.iter_mut().for_each(|v| *v *= 3.0_f32.sqrt() / norm);
        x[dim - 1] = 1.0;
        x
    }

    fn arm(rng: &mut SmallRng, dim: usize, rows: usize) -> Ridge {
        let mut prior = Prior::on_bias(dim, 1.0, &[0.5, 0.7, 0.2]);
        prior.coarse = prior.coarse.min(32);
        let mut arm = Ridge::new(&prior).unwrap();
        for _ in 0..rows {
            let x = context(rng, dim);
            let values = [0; 3].map(|_| Some(rng.random_range(0.0..1.0)));
            arm.observe(&x, &values).unwrap();
        }
        arm
    }

    #[test]
    fn scores_agree_with_the_ridge_to_1e_5() {
        let mut rng = SmallRng::seed_from_u64(7);
        // 300 is past what is padded on the stack.
        for (dim, rows) in [
            (1, 50),
            (4, 0),
            (8, 100),
            (17, 5000),
            (105, 400),
            (105, 9000),
            (300, 200),
        ] {
            let ridge = arm(&mut rng, dim, rows);
            let posterior = Posterior::from(&ridge);
            for _ in 0..20 {
                let x = context(&mut rng, dim);
                let (mut means, mut expected) = ([0.0; 3], [0.0; 3]);
                let h = posterior.score(&x, &mut means).unwrap();
                ridge.predict(&x, &mut expected).unwrap();
                let expected_h = ridge.spread(&x).unwrap();
                assert!(
                    (h - expected_h).abs() < 1e-5 && h >= 0.0,
                    "{dim}: {h} {expected_h}"
                );
                for (mean, expected) in means.iter().zip(expected) {
                    assert!((mean - expected).abs() < 1e-5, "{dim}: {mean} {expected}");
                }
            }
            assert_eq!(posterior.count(), rows as f64);
        }
    }

    #[test]
    fn wrong_lengths_are_refused_and_a_nan_context_shows_in_the_score() {
        let posterior = Posterior::from(&arm(&mut SmallRng::seed_from_u64(8), 4, 3));
        let error = posterior.score(&[1.0; 3], &mut [0.0; 3]).unwrap_err();
        assert_eq!(error.to_string(), "context has 3 entries: allowed 4");
        let error = posterior.score(&[1.0; 4], &mut [0.0; 2]).unwrap_err();
        assert_eq!(error.to_string(), "means has 2 entries: allowed 3");
        let x = [f32::NAN, 0.0, 0.0, 1.0];
        assert!(posterior.score(&x, &mut [0.0; 3]).unwrap().is_nan());
    }

    #[test]
    fn the_noise_of_a_weighted_sum_is_never_negative() {
        let posterior = Posterior::from(&arm(&mut SmallRng::seed_from_u64(9), 6, 2000));
        assert!(posterior.noise(&[1.0, -1.0, 0.0]) > 0.0);
        for (target, weights) in [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
            .iter()
            .enumerate()
        {
            assert_eq!(posterior.noise_of(target), posterior.noise(weights));
        }
        assert_eq!(posterior.noise_of(3), 0.0);
        assert_eq!(posterior.noise(&[0.0; 3]), 0.0);
    }
}
