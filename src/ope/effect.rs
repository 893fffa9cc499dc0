//! What one arm gains over others, from logged draws: bounds that hold at every look at once.
//!
//! A draw t gave the arm with probability p_t, the others together with q_t = 1 - p_t, both fixed before it. Its
//! outcome y_t in [-1, 1] is held against m_t, a forecast made before the draw (any will do; a good one makes
//! narrow bounds). With a_t = 1 where the arm was drawn, else 0:
//!
//! psi_t = (a_t - p_t) (y_t - m_t), whose expectation is p_t q_t d_t, where d_t is the arm's mean at this
//! context less that of the others as they were drawn. No weight is divided by p, so nothing needs a cap, and a
//! draw that hardly left anything to chance counts for hardly anything. With miss a on each side and stakes l_t
//! fixed before the draw, B_t the least that keeps psi_t >= -B_t (psi_t <= B_t for the upper bound):
//!
//! l_t = min(sqrt(2 ln(1/a) / ((1/16 + sum of psi^2) ln(2 + n))), 1 / (2 B_t)), over the n outcomes so far;
//! bounds of d = [sum l psi -+ (ln(1/a) + sum psi^2 (-ln(1 - l B) - l B) / B^2)] / sum l p q.
//!
//! Assumptions: the propensities are the true ones; outcomes are missing, or late, for reasons that have to do
//! with neither the arm nor the outcome (as everywhere in SCIENCE 3.4); a draw is one episode. How the
//! propensities were chosen is free: they may depend on all that came before. Where d_t varies, with the
//! context or in time, the bounds are of its average weighted by l p q: of where chance had the most to say.
//!
//! Invariants: each bound misses that average, ever, with probability at most a.
//!
//! Not here: which arms are compared, and what follows (`learn`, `replay`).
//!
//! Source: SCIENCE 3.4 (the empirical-Bernstein form); Howard et al. 2021 (the supermartingale: exp(l psi -
//! psi^2 (-ln(1 - l B) - l B) / B^2) is at most 1 + l E psi in the mean); Li, Morgan and Zaslavsky 2018 (overlap
//! weights p q). Differs from 3.4's capped importance weights, which at p = 0.005 have a range of hundreds.

use super::sequence::{MOST, MeanSequence, log_miss};
use serde::{Deserialize, Serialize};

/// What psi^2 is taken to have summed to before the first: 1 / 16.
const START: f64 = 0.0625;

/// Bounds of an arm's gain, for every number of outcomes at once.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct EffectSequence {
    /// Outcomes of the arm, and of the others.
    arm: u64,
    others: u64,
    /// Stakes made: those whose outcomes have not come count as if they were like those that have.
    staked: u64,
    /// Sum of psi^2.
    squares: f64,
    lower: Side,
    upper: Side,
}

/// One bound's sums.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
struct Side {
    /// Of l psi.
    weighted: f64,
    /// Of l p q.
    weight: f64,
    penalty: f64,
}

/// What is fixed of an outcome before its draw.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Stake {
    probability: f64,
    forecast: f64,
    /// l of the lower and the upper bound.
    lower: f64,
    upper: f64,
}

impl EffectSequence {
    /// The chance that a bound ever misses: 1 in 40.
    pub const MISS: f64 = MeanSequence::MISS;

    /// The stake of a draw that gives the arm with this probability, and of whose outcome this is expected;
    /// nothing where chance has no say (a probability not between 0 and 1) or the forecast is no number.
    pub fn stake(&mut self, probability: f64, forecast: f64) -> Option<Stake> {
        let chance = probability > 0.0 && probability < 1.0;
        if !chance || !forecast.is_finite() {
            return None;
        }
        let forecast = forecast.clamp(-1.0, 1.0);
        let number = (self.arm + self.others) as f64;
        let pending = self.staked.saturating_sub(self.arm + self.others) as f64;
        self.staked += 1;
        let expected = (START + self.squares) * (1.0 + pending / (1.0 + number));
        let scale = expected * (2.0 + number + pending).ln();
        let free = (2.0 * log_miss() / scale).sqrt();
        let [lower, upper] = reach(probability, forecast).map(|reach| free.min(MOST / reach));
        Some(Stake {
            probability,
            forecast,
            lower,
            upper,
        })
    }

    /// Takes in an outcome, cut to -1 to 1: of the arm or of the others.
    ///
    /// ```
    /// use bellwether::ope::EffectSequence;
    /// let mut gain = EffectSequence::default();
    /// assert_eq!((gain.lower(), gain.upper()), (-2.0, 2.0));
    /// for draw in 0..100 {
    ///     let arm = draw % 2 == 0;
    ///     let stake = gain.stake(0.5, 0.5).unwrap();
    ///     gain.add(&stake, arm, if arm { 1.0 } else { 0.0 });
    /// }
    /// // It is worth 1 more.
    /// assert!(gain.lower() > 0.0 && gain.lower() < 1.0 && gain.upper() > 1.0);
    /// ```
    pub fn add(&mut self, stake: &Stake, arm: bool, outcome: f64) {
        let p = stake.probability;
        let off = outcome.clamp(-1.0, 1.0) - stake.forecast;
        let psi = if arm { (1.0 - p) * off } else { -p * off };
        match arm {
            true => self.arm += 1,
            false => self.others += 1,
        }
        self.squares += psi * psi;
        let [below, above] = reach(p, stake.forecast);
        let sides = [
            (&mut self.lower, stake.lower, below),
            (&mut self.upper, stake.upper, above),
        ];
        for (side, l, reach) in sides {
            let part = l * reach;
            side.weighted += l * psi;
            side.weight += l * p * (1.0 - p);
            side.penalty += psi * psi * (-(-part).ln_1p() - part) / (reach * reach);
        }
    }

    /// What the bounds say: whether it is worth more than the others, once that is decided.
    pub fn verdict(&self) -> Option<bool> {
        let adopted = self.lower() > 0.0;
        (adopted || self.upper() < 0.0).then_some(adopted)
    }

    /// What to expect of an outcome, so that whichever is drawn is off by as little: of the arm's and the others'
    /// expected ones, each weighs with the other's probability.
    pub fn forecast(probability: f64, own: f64, others: f64) -> f64 {
        (1.0 - probability) * own + probability * others
    }

    /// Outcomes of the arm.
    pub fn arm_count(&self) -> u64 {
        self.arm
    }

    /// Outcomes of the others.
    pub fn other_count(&self) -> u64 {
        self.others
    }

    /// Lower bound of the gain; -2 before the first outcome.
    pub fn lower(&self) -> f64 {
        self.lower.bound(-1.0).max(-2.0)
    }

    /// Upper bound of the gain; 2 before the first outcome.
    pub fn upper(&self) -> f64 {
        self.upper.bound(1.0).min(2.0)
    }

    /// Whether it can go on: asked of what was read from disk.
    pub fn is_whole(&self) -> bool {
        let sides = [&self.lower, &self.upper];
        let whole = |side: &&Side| {
            let sums = [side.weight, side.penalty];
            side.weighted.is_finite() && sums.iter().all(|sum| sum.is_finite() && *sum >= 0.0)
        };
        let counted = self.staked >= self.arm + self.others;
        counted && self.squares.is_finite() && self.squares >= 0.0 && sides.iter().all(whole)
    }
}

impl Side {
    fn bound(&self, side: f64) -> f64 {
        if self.weight <= 0.0 {
            return side * 2.0;
        }
        (self.weighted + side * (log_miss() + self.penalty)) / self.weight
    }
}

impl Stake {
    /// Whether it is one that [`EffectSequence::stake`] could have made: asked of what was read from disk.
    pub fn is_whole(&self) -> bool {
        let (p, forecast) = (self.probability, self.forecast);
        if !(p > 0.0 && p < 1.0 && (-1.0..=1.0).contains(&forecast)) {
            return false;
        }
        let stakes = [self.lower, self.upper].into_iter().zip(reach(p, forecast));
        let mut parts = stakes.map(|(l, reach)| l * reach);
        parts.all(|part| part > 0.0 && part <= MOST + 1e-9)
    }
}

/// How far psi can fall below 0, and rise above it.
fn reach(p: f64, forecast: f64) -> [f64; 2] {
    let (above, below) = (1.0 - forecast, 1.0 + forecast);
    let q = 1.0 - p;
    [(q * below).max(p * above), (q * above).max(p * below)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};
    use std::collections::VecDeque;

    /// Draws of an arm and others whose outcomes are flags of these means. Its probability is forced for its
    /// first 20 draws; then it follows the means so far, as a router's does.
    fn play(
        seed: u64,
        (arm, others): (f64, f64),
        draws: u32,
        mut look: impl FnMut(&EffectSequence),
    ) {
        let mut rng = SmallRng::seed_from_u64(seed);
        let mut gain = EffectSequence::default();
        let mut sums = [(1.0, 0.5); 2];
        for _ in 0..draws {
            let [(n, s), (m, t)] = sums;
            let p = match n <= 20.0 {
                true => 0.15,
                false if s / n > t / m => 0.9,
                false => 0.01,
            };
            let stake = gain.stake(p, others).unwrap();
            let drawn = rng.random_bool(p);
            let mean = if drawn { arm } else { others };
            let outcome = f64::from(u8::from(rng.random_bool(mean)));
            let (count, sum) = &mut sums[usize::from(!drawn)];
            *count += 1.0;
            *sum += outcome;
            gain.add(&stake, drawn, outcome);
            look(&gain);
        }
    }

    /// In how many of 400 runs a bound ever misses the difference, whoever draws whatever came before.
    fn missed(arm: f64, others: f64) -> [u32; 2] {
        let mut missed = [0; 2];
        for seed in 0..400 {
            let mut ever = [false; 2];
            play(seed, (arm, others), 2000, |gain| {
                ever[0] |= gain.lower() > arm - others;
                ever[1] |= gain.upper() < arm - others;
            });
            let count = |(sum, ever): (&mut u32, bool)| *sum += u32::from(ever);
            missed.iter_mut().zip(ever).for_each(count);
        }
        missed
    }

    #[test]
    fn the_difference_is_missed_at_any_look_in_few_runs_though_the_draws_follow_the_outcomes() {
        // 1 in 40 of 400 is 10 a side.
        for (arm, others) in [(0.8, 0.8), (0.3, 0.8), (0.9, 0.6), (0.5, 0.5)] {
            let missed = missed(arm, others);
            assert!(
                missed.iter().all(|m| *m <= 10),
                "{arm} {others}: {missed:?}"
            );
        }
    }

    #[test]
    fn a_difference_is_shown_on_its_side() {
        let mut shown = [0; 2];
        for seed in 0..20 {
            let mut last = EffectSequence::default();
            play(seed, (0.9, 0.6), 3000, |gain| last = *gain);
            shown[0] += u32::from(last.lower() > 0.0);
            play(seed, (0.1, 0.9), 3000, |gain| last = *gain);
            shown[1] += u32::from(last.upper() < 0.0);
        }
        assert!(shown.iter().all(|n| *n >= 18), "{shown:?}");
    }

    #[test]
    fn a_difference_is_shown_though_outcomes_come_late() {
        for seed in 0..5 {
            let mut rng = SmallRng::seed_from_u64(seed);
            let (mut gain, mut pending) = (EffectSequence::default(), VecDeque::new());
            let decided = (0..9_000).find(|_| {
                let stake = gain.stake(0.3, 0.6).unwrap();
                let drawn = rng.random_bool(0.3);
                let mean = if drawn { 0.5 } else { 0.6 };
                let outcome = f64::from(u8::from(rng.random_bool(mean)));
                pending.push_back((stake, drawn, outcome));
                if pending.len() > 1_000
                    && let Some((stake, drawn, outcome)) = pending.pop_front()
                {
                    gain.add(&stake, drawn, outcome);
                }
                gain.verdict().is_some()
            });
            assert!(decided.is_some() && gain.upper() < 0.0, "{gain:?}");
        }
    }

    #[test]
    fn the_first_bounds_are_those_of_the_formula() {
        let mut gain = EffectSequence::default();
        let stake = gain.stake(0.5, 0.0).unwrap();
        // B = 1/2 on both sides; sqrt(2 x 3.689 / (0.0625 x 0.693)) = 13 > 1 / (2 x 1/2).
        assert_eq!((stake.lower, stake.upper), (1.0, 1.0));
        gain.add(&stake, true, 1.0);
        // psi = 1/2, l p q = 1/4, psi^2 (-ln(1/2) - 1/2) x 4 = 0.19315.
        assert!((gain.lower.bound(-1.0) - (0.5 - 3.688_879 - 0.193_147) * 4.0).abs() < 1e-5);
        assert!((gain.upper.bound(1.0) - (0.5 + 3.688_879 + 0.193_147) * 4.0).abs() < 1e-5);
        assert_eq!((gain.lower(), gain.upper()), (-2.0, 2.0));
    }

    #[test]
    fn where_chance_has_no_say_there_is_no_stake() {
        let mut gain = EffectSequence::default();
        for (p, forecast) in [(0.0, 0.0), (1.0, 0.0), (f64::NAN, 0.0), (0.5, f64::NAN)] {
            assert_eq!(gain.stake(p, forecast), None);
        }
        let mut stake = gain.stake(0.5, 9.0).unwrap();
        assert!(stake.is_whole() && stake.forecast == 1.0);
        stake.lower = 1.0;
        assert!(!stake.is_whole());
        let broken = EffectSequence {
            squares: f64::NAN,
            ..gain
        };
        assert!(gain.is_whole() && !broken.is_whole());
    }

    proptest! {
        #[test]
        fn psi_stays_within_reach_and_its_mean_is_the_weighted_difference(
            p in 1e-6_f64..0.999_999, forecast in -1.0_f64..=1.0,
            arm in -1.0_f64..=1.0, others in -1.0_f64..=1.0,
        ) {
            let mut gain = EffectSequence::default();
            let stake = gain.stake(p, forecast).unwrap();
            prop_assert!(stake.is_whole());
            let psi = |drawn: bool, y: f64| {
                let mut gain = gain;
                gain.add(&stake, drawn, y);
                gain.lower.weighted / stake.lower
            };
            let [below, above] = reach(p, forecast);
            for y in [-1.0, arm, others, 1.0] {
                for psi in [psi(true, y), psi(false, y)] {
                    prop_assert!(psi >= -below - 1e-9 && psi <= above + 1e-9);
                }
            }
            let mean = p * psi(true, arm) + (1.0 - p) * psi(false, others);
            prop_assert!((mean - p * (1.0 - p) * (arm - others)).abs() < 1e-9);
        }
    }
}
