//! The bounds that hold at every peek, for four caps and both sides at once: what they share is done once a row.
//!
//! Invariants: each is the bound of [`super::LowerBound`] or [`super::UpperBound`] with the same cap; what is shared is
//! the count, its logarithm, and the weight of the arm drawn.
//!
//! Not here: what the bounds promise (`anytime`).
//!
//! How the terms differ from there, and why they are the same: pi min(q, k p / pi) = min(pi q, k p), without a
//! division for each arm; psi(l) = -ln(1 - l) - l is summed as its series below 1/64, where nine terms are exact to a
//! double and the logarithm is not.
#![allow(
    clippy::needless_range_loop,
    reason = "lanes of several groups by one number: compilers make wide registers of it"
)]

use super::anytime::Draw;
use super::bernstein::MOST;
use pulp::Arch;

/// Caps.
const CAPS: usize = 4;
/// A lower bound for each cap, then an upper one for each.
const LANES: usize = 2 * CAPS;

type Group = [f64; LANES];

/// Below it psi is summed as a series.
const SMALL: f64 = 1.0 / 64.0;

/// Lower and upper bounds for four caps.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Peeks {
    k: Group,
    /// 1 / (k + 1).
    share: Group,
    log_miss: f64,
    first_guess: Group,
    count: f64,
    sum: Group,
    spread: Group,
    weight: Group,
    weighted: Group,
    penalty: Group,
    best: Group,
}

impl Peeks {
    /// Before any row: caps of at least 0, the chance to ever miss on one side in (0, 1), and the first guess; without
    /// one, that of [`super::LowerBound::new`].
    ///
    /// ```
    /// use bellwether::ope::{Draw, LowerBound, Peeks};
    /// let draw = Draw { chosen: 0, reward: 1.0, logged: &[0.5, 0.5], target: &[1.0, 0.0], model: &[1.0, 0.0] };
    /// let mut peeks = Peeks::new([0.0, 1.0, 5.0, 20.0], 0.025, None);
    /// let mut bound = LowerBound::new(1.0, 0.025);
    /// for _ in 0..2_000 {
    ///     peeks.add(&draw);
    ///     bound.add(&draw);
    /// }
    /// assert!((peeks.bounds()[1].0 - bound.value()).abs() < 1e-12);
    /// ```
    #[must_use]
    pub fn new(caps: [f64; CAPS], miss: f64, first_guess: Option<f64>) -> Self {
        let [a, b, c, d] = caps;
        let k = [a, b, c, d, a, b, c, d];
        let zero = [0.0; LANES];
        Self {
            k,
            share: k.map(|k| 1.0 / (k + 1.0)),
            log_miss: -miss.ln(),
            first_guess: k.map(|k| first_guess.unwrap_or_else(|| (1.0 / (k + 1.0)).min(0.5))),
            count: 0.0,
            sum: zero,
            spread: zero,
            weight: zero,
            weighted: zero,
            penalty: zero,
            best: zero,
        }
    }

    /// Takes in one draw.
    pub fn add(&mut self, draw: &Draw<'_>) {
        // Compiled once more for machines with wider registers; nothing is fused, so the bounds are the same.
        Arch::new().dispatch(|| self.take(draw));
    }

    #[inline(always)]
    fn take(&mut self, draw: &Draw<'_>) {
        let mut phi = [0.0; LANES];
        for ((p, target), model) in draw.logged.iter().zip(draw.target).zip(draw.model) {
            let capped = capped(&self.k, *p, *target, *model);
            for i in 0..LANES {
                phi[i] += capped[i];
            }
        }
        let arm = |family: &[f64]| family.get(draw.chosen).copied().unwrap_or(0.0);
        let (p, target) = (arm(draw.logged), arm(draw.target));
        if target > 0.0 {
            let reward = draw.reward.clamp(0.0, 1.0);
            let capped = capped(&self.k, p, target, arm(draw.model));
            for i in 0..LANES {
                let seen = if i < CAPS { reward } else { 1.0 - reward };
                phi[i] += (target * seen - capped[i]) / p;
            }
        }
        for (phi, share) in phi.iter_mut().zip(self.share) {
            *phi *= share;
        }
        self.step(&phi);
    }

    #[inline(always)]
    fn step(&mut self, xi: &Group) {
        let number = self.count + 1.0;
        let (now, next) = (1.0 / number, 1.0 / (number + 1.0));
        let (reach, log) = (2.0 * self.log_miss, number.ln_1p());
        let mut weight = [0.0; LANES];
        for i in 0..LANES {
            let found = (reach / ((0.25 + self.spread[i]) * log)).sqrt();
            weight[i] = if found < MOST { found } else { MOST };
        }
        let psi = psi(&weight);
        for i in 0..LANES {
            let mean = (0.5 + self.sum[i]) * now;
            let mean = if mean < self.share[i] {
                mean
            } else {
                self.share[i]
            };
            let guess = if self.count > 0.0 {
                mean
            } else {
                self.first_guess[i]
            };
            self.sum[i] += xi[i];
            let after = xi[i] - (0.5 + self.sum[i]) * next;
            self.spread[i] += after * after;
            self.weight[i] += weight[i];
            self.weighted[i] += weight[i] * xi[i];
            let off = xi[i] - guess;
            self.penalty[i] += off * off * psi[i];
            let bound = (self.weighted[i] - self.log_miss - self.penalty[i])
                / (self.weight[i] * self.share[i]);
            self.best[i] = if bound > self.best[i] {
                bound
            } else {
                self.best[i]
            };
        }
        self.count = number;
    }

    /// The lower and the upper bound of each cap, now.
    #[must_use]
    pub fn bounds(&self) -> [(f64, f64); CAPS] {
        std::array::from_fn(|i| (self.best[i], 1.0 - self.best[i + CAPS]))
    }
}

/// pi_a m_a of each lane.
#[inline(always)]
fn capped(k: &Group, p: f64, target: f64, model: f64) -> Group {
    let model = model.clamp(0.0, 1.0);
    let sides = [target * model, target * (1.0 - model)];
    std::array::from_fn(|i| {
        let (own, cap) = (sides[i / CAPS], k[i] * p);
        if own < cap { own } else { cap }
    })
}

/// -ln(1 - l) - l of weights from 0 to [`MOST`].
#[inline(always)]
fn psi(weight: &Group) -> Group {
    let mut psi = [0.0; LANES];
    for i in 0..LANES {
        let l = weight[i];
        let tail = 1.0 / 8.0 + l * (1.0 / 9.0 + l * (1.0 / 10.0));
        let tail = 1.0 / 5.0 + l * (1.0 / 6.0 + l * (1.0 / 7.0 + l * tail));
        psi[i] = l * l * (0.5 + l * (1.0 / 3.0 + l * (0.25 + l * tail)));
    }
    for i in 0..LANES {
        if weight[i] >= SMALL {
            psi[i] = -(-weight[i]).ln_1p() - weight[i];
        }
    }
    psi
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ope::{LowerBound, UpperBound};
    use proptest::prelude::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    const SOME: [f64; CAPS] = [0.0, 1.0, 5.0, 20.0];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        /// At every peek, from weights at their greatest to small ones; rewards and models beyond [0, 1] too.
        #[test]
        fn each_bound_is_the_one_of_its_cap(seed: u64, half: bool, floor in 0.01_f64..0.2) {
            let mut rng = SmallRng::seed_from_u64(seed);
            let guess = half.then_some(0.5);
            let mut peeks = Peeks::new(SOME, 0.025, guess);
            let lower = |k| guess.map_or(LowerBound::new(k, 0.025), |g| LowerBound::with_first_guess(k, 0.025, g));
            let upper = |k| guess.map_or(UpperBound::new(k, 0.025), |g| UpperBound::with_first_guess(k, 0.025, g));
            let mut single = SOME.map(|k| (lower(k), upper(k)));
            for row in 0..3_000 {
                let logged = [floor, 0.5 - floor, 0.5];
                let share = rng.random::<f64>();
                let target = if row % 7 == 0 { [1.0, 0.0, 0.0] } else { [share, 0.0, 1.0 - share] };
                let model = [rng.random::<f64>(), 1.2 * rng.random::<f64>() - 0.1, 0.5];
                let (u, hit) = (rng.random::<f64>(), rng.random::<f64>() < 0.7);
                let draw = Draw {
                    chosen: if u < floor { 0 } else if u < 0.5 { 1 } else { 2 },
                    reward: if hit { 1.1 } else { 0.0 },
                    logged: &logged,
                    target: &target,
                    model: &model,
                };
                peeks.add(&draw);
                for (i, (lower, upper)) in single.iter_mut().enumerate() {
                    lower.add(&draw);
                    upper.add(&draw);
                    let (low, high) = peeks.bounds()[i];
                    prop_assert!((low - lower.value()).abs() < 1e-11, "row {row}, k {}: {low}", SOME[i]);
                    prop_assert!((high - upper.value()).abs() < 1e-11, "row {row}, k {}: {high}", SOME[i]);
                }
            }
        }

        #[test]
        fn psi_does_not_jump_where_the_series_ends(share in 0.9_f64..1.1) {
            let l = SMALL * share;
            let wanted = -(-l).ln_1p() - l;
            prop_assert!((psi(&[l; LANES])[0] / wanted - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn no_row_says_nothing() {
        assert_eq!(Peeks::new(SOME, 0.025, None).bounds(), [(0.0, 1.0); CAPS]);
    }
}
