//! A confidence sequence for a mean: bounds that hold at every peek at once.
//!
//! For observations x_t in [0, 1] of one conditional mean, with miss a on each side (SCIENCE 3.4, without
//! weights):
//! s_t^2 = (1/4 + sum over i < t of (x_i - xbar_i)^2) / t, with xbar_i = (1/2 + x_1 + .. + x_i) / (i + 1);
//! l_t = min(sqrt(2 ln(1/a) / (s_t^2 t ln(1 + t))), 1/2);
//! bounds = [sum l_i x_i -+ (ln(1/a) + sum (x_i - xbar_(i-1))^2 psi(l_i))] / sum l_i, psi(l) = -ln(1 - l) - l.
//!
//! Invariants: l_t is fixed before x_t is looked at, so that the chance that a bound ever misses the mean is at
//! most a, however often and whenever somebody looks. Where the mean moves, the bounds are of its average
//! weighted by l. No running intersection is kept: it would lock in what was true of an older mean.
//!
//! Not here: whose mean it is, and what follows from it (`learn`).
//!
//! Source: Waudby-Smith and Ramdas 2024, "Estimating means of bounded random variables by betting"
//! (predictable plug-in empirical Bernstein); Howard et al. 2021 (the bound at psi).

use serde::{Deserialize, Serialize};

/// Largest weight of an observation, where it can be off by 1.
pub(super) const MOST: f64 = 0.5;

/// Bounds of the mean of observations in [0, 1], for every number of them at once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct MeanSequence {
    /// ln(1 / a).
    log_miss: f64,
    count: u64,
    sum: f64,
    /// Sum of (x - xbar)^2, x included in xbar.
    spread: f64,
    /// Sums of l, l x, and (x - xbar before)^2 psi(l).
    weight: f64,
    weighted: f64,
    penalty: f64,
}

impl Default for MeanSequence {
    fn default() -> Self {
        Self::new(Self::MISS)
    }
}

impl MeanSequence {
    /// The chance, by default, that one of the two bounds ever misses the mean: 1 in 40, so that both bounds of
    /// a difference of two means hold with 95 % each.
    pub const MISS: f64 = 0.025;

    /// Bounds each of which ever misses the mean with this chance at most, cut to 1e-9 to 0.5. Where k means are
    /// watched at once, a k-th of the chance for each keeps the chance that any is missed.
    ///
    /// ```
    /// use bellwether::ope::MeanSequence;
    /// let (mut one, mut of_ten) = (MeanSequence::new(0.025), MeanSequence::new(0.0025));
    /// for x in [0.0, 1.0].repeat(500) {
    ///     one.add(x);
    ///     of_ten.add(x);
    /// }
    /// // A tenth of the chance makes them a fifth wider here.
    /// let width = |s: &MeanSequence| s.upper() - s.lower();
    /// assert!((width(&of_ten) / width(&one) - 1.21).abs() < 0.01);
    /// ```
    pub fn new(miss: f64) -> Self {
        Self {
            log_miss: -miss.clamp(1e-9, 0.5).ln(),
            count: 0,
            sum: 0.0,
            spread: 0.0,
            weight: 0.0,
            weighted: 0.0,
            penalty: 0.0,
        }
    }

    /// Takes in one observation, cut to [0, 1].
    ///
    /// ```
    /// use bellwether::ope::MeanSequence;
    /// let mut sequence = MeanSequence::default();
    /// assert_eq!((sequence.lower(), sequence.upper()), (0.0, 1.0));
    /// for _ in 0..1000 {
    ///     sequence.add(1.0);
    /// }
    /// // Without spread the width falls as 1 / count.
    /// assert!(sequence.lower() > 0.985 && sequence.upper() == 1.0);
    /// ```
    pub fn add(&mut self, x: f64) {
        let x = x.clamp(0.0, 1.0);
        let number = (self.count + 1) as f64;
        let variance = (0.25 + self.spread) / number;
        let before = (0.5 + self.sum) / number;
        let weight = (2.0 * self.log_miss / (variance * number * number.ln_1p())).sqrt();
        let weight = weight.min(MOST);
        self.count += 1;
        self.sum += x;
        let after = (0.5 + self.sum) / (number + 1.0);
        self.spread += (x - after) * (x - after);
        self.weight += weight;
        self.weighted += weight * x;
        self.penalty += (x - before) * (x - before) * (-(-weight).ln_1p() - weight);
    }

    /// Number of observations.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Their mean; `None` before the first.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    /// Lower bound of the mean; 0 before the first.
    pub fn lower(&self) -> f64 {
        self.bound(-1.0).max(0.0)
    }

    /// Upper bound of the mean; 1 before the first.
    pub fn upper(&self) -> f64 {
        self.bound(1.0).min(1.0)
    }

    /// Whether it can go on: asked of what was read from disk.
    pub fn is_whole(&self) -> bool {
        let sums = [
            self.sum,
            self.spread,
            self.weight,
            self.weighted,
            self.penalty,
        ];
        let chance = self.log_miss.is_finite() && self.log_miss > 0.0;
        chance && sums.iter().all(|sum| sum.is_finite() && *sum >= 0.0)
    }

    fn bound(&self, side: f64) -> f64 {
        if self.count == 0 {
            return 0.5 + side * 0.5;
        }
        (self.weighted + side * (self.log_miss + self.penalty)) / self.weight
    }
}

/// ln(1 / miss).
pub(super) fn log_miss() -> f64 {
    -MeanSequence::MISS.ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_first_bounds_are_those_of_the_formula() {
        let mut sequence = MeanSequence::default();
        sequence.add(1.0);
        // s^2 = 1/4, l = min(sqrt(2 x 3.689 / (0.25 x 0.693)), 1/2) = 1/2, psi = 0.19315, (x - 1/2)^2 = 1/4:
        // lower = (0.5 - 3.68888 - 0.04829) / 0.5 < 0.
        assert_eq!(sequence.lower(), 0.0);
        assert!((sequence.bound(-1.0) + 6.474_333).abs() < 1e-6);
        assert!((sequence.bound(1.0) - 8.474_333).abs() < 1e-6);
    }

    #[test]
    fn the_mean_is_missed_at_any_peek_in_few_runs_only() {
        let (runs, mut missed) = (500, 0);
        for seed in 0..runs {
            let mut rng = SmallRng::seed_from_u64(seed);
            let mut sequence = MeanSequence::default();
            let miss = (0..3000).any(|_| {
                sequence.add(f64::from(u8::from(rng.random_bool(0.8))));
                !(sequence.lower()..=sequence.upper()).contains(&0.8)
            });
            missed += u32::from(miss);
        }
        // Both sides: 5 % of 500 are 25, and never looked away from.
        assert!(missed <= 25, "{missed}");
    }

    #[test]
    fn bounds_close_in_on_the_mean() {
        let mut rng = SmallRng::seed_from_u64(1);
        let mut sequence = MeanSequence::default();
        for _ in 0..10_000 {
            sequence.add(f64::from(u8::from(rng.random_bool(0.9))));
        }
        assert!(sequence.upper() - sequence.lower() < 0.04, "{sequence:?}");
        assert!((sequence.mean().unwrap() - 0.9).abs() < 0.012);
    }
}
