//! What a candidate policy is worth more than an incumbent, from draws of a third: bounds that hold at every peek.
//!
//! For outcomes in [0, 1], D_a = candidate - incumbent probability of arm a, W_a = D_a / logged probability, and a
//! predictable model q cut to m_a = min(q_a, k / W_a) where W_a > 0, m_a = max(q_a, 1 - k / |W_a|) where W_a < 0:
//!
//! d = sum_a D_a m_a + W (r - m), with W and m those of the arm drawn. Its mean is the difference of the two values;
//! d >= -(k + 1), so that xi = d / (k + 2) >= -(k + 1) / (k + 2), and the sums of SCIENCE 3.4 bound it from below. The
//! upper bound is minus the lower one of the two exchanged. Draws on which the two agree add nothing but a row.
//!
//! An arm that the log could not draw is taken as worth 0 to the lower bound where the candidate wants it more, 1
//! where less: the bounds hold without support, only wider.
//!
//! Invariants: each bound misses, ever, with its chance at most, provided that the propensities are true and the model
//! predictable. Where the difference moves (an incumbent that learns), the bounds are of its average weighted by l; no
//! running maximum is kept, which would lock in what was true of an older one.
//!
//! Not here: outcomes of episodes with several draws: with a product of weights no cap bounds d ([`fn@super::difference`]).
//!
//! Source: SCIENCE 3.6.

use super::bernstein::Bernstein;

/// The k that are used, each with a third of the chance to miss; the best of the bounds counts. A small one is narrow
/// early and where the two nearly agree, a large one late and where they do not.
const CAPS: [f64; 3] = [1.0, 5.0, 20.0];

/// Bounds of a difference of two policies' values.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AdvantageBounds([Side; CAPS.len()]);

/// The bounds of one k.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Side {
    k: f64,
    lower: Bernstein,
    upper: Bernstein,
}

/// One draw, as the bounds see it. Slices are over the eligible arms, in one order.
#[derive(Debug, Clone, Copy)]
pub struct Contest<'a> {
    /// Position of the arm drawn.
    pub chosen: usize,
    /// Its outcome; cut to [0, 1].
    pub reward: f64,
    /// The logged pmf.
    pub logged: &'a [f64],
    /// The candidate's.
    pub candidate: &'a [f64],
    /// The incumbent's.
    pub incumbent: &'a [f64],
    /// The model's predictions, from rows before this one; cut to [0, 1].
    pub model: &'a [f64],
}

impl AdvantageBounds {
    /// Before any draw. `miss`: the chances, in (0, 1), that the lower and the upper bound are ever missed.
    ///
    /// ```
    /// use bellwether::ope::{AdvantageBounds, Contest};
    /// let mut bounds = AdvantageBounds::new([0.025, 0.025]);
    /// assert_eq!((bounds.lower(), bounds.upper()), (-1.0, 1.0));
    /// for draw in 0..2_000 {
    ///     let (chosen, model) = (draw % 2, [1.0, 0.0]);
    ///     bounds.add(&Contest {
    ///         chosen, reward: model[chosen], logged: &[0.5, 0.5], candidate: &[0.75, 0.25], incumbent: &[0.25, 0.75],
    ///         model: &model,
    ///     });
    /// }
    /// // The candidate takes the arm that is worth 1 more half as often again: a difference of 1/2.
    /// assert!(bounds.lower() > 0.45 && bounds.lower() < 0.5 && bounds.upper() > 0.5 && bounds.upper() < 0.55);
    /// ```
    #[must_use]
    pub fn new(miss: [f64; 2]) -> Self {
        let [low, high] = miss.map(|miss| miss / CAPS.len() as f64);
        let side = |miss, k| Bernstein::new(miss, 0.0, 0.0, 1.0 / (k + 2.0));
        Self(CAPS.map(|k| Side {
            k,
            lower: side(low, k),
            upper: side(high, k),
        }))
    }

    /// Takes in one draw.
    pub fn add(&mut self, draw: &Contest<'_>) {
        for side in &mut self.0 {
            let scale = side.k + 2.0;
            side.lower.add(side.gain(draw, 1.0) / scale);
            side.upper.add(side.gain(draw, -1.0) / scale);
        }
    }

    /// The lower bound now: at least -1.
    #[must_use]
    pub fn lower(&self) -> f64 {
        let bounds = self
            .0
            .iter()
            .map(|side| (side.k + 2.0) * side.lower.lower());
        bounds.fold(-1.0, f64::max)
    }

    /// The upper bound now: at most 1.
    #[must_use]
    pub fn upper(&self) -> f64 {
        let bounds = self
            .0
            .iter()
            .map(|side| -(side.k + 2.0) * side.upper.lower());
        bounds.fold(1.0, f64::min)
    }
}

impl Side {
    /// d, of the two exchanged where `sign` is -1.
    fn gain(&self, draw: &Contest<'_>, sign: f64) -> f64 {
        let mut gain = 0.0;
        let policies = draw.candidate.iter().zip(draw.incumbent);
        let arms = draw.logged.iter().zip(policies).zip(draw.model);
        for (arm, ((logged, (candidate, incumbent)), model)) in arms.enumerate() {
            let apart = sign * (candidate - incumbent);
            let room = self.k * logged / apart.abs();
            let model = model.clamp(0.0, 1.0);
            let model = match apart {
                0.0 => continue,
                more if more > 0.0 => model.min(room),
                _ => model.max(1.0 - room),
            };
            gain += apart * model;
            if arm == draw.chosen {
                gain += apart / logged * (draw.reward.clamp(0.0, 1.0) - model);
            }
        }
        gain
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    /// An epsilon-greedy logger that learns as it logs, and two targets: bounds of their difference, and whether
    /// they ever missed it.
    fn run(seed: u64, rows: usize) -> (AdvantageBounds, bool) {
        let mut rng = SmallRng::seed_from_u64(seed);
        let means = [0.7, 0.6, 0.5];
        let (candidate, incumbent) = ([0.9, 0.05, 0.05], [0.1, 0.8, 0.1]);
        let truth: f64 = (0..3)
            .map(|a| (candidate[a] - incumbent[a]) * means[a])
            .sum();
        let mut seen = [[0.5_f64, 1.0]; 3];
        let mut bounds = AdvantageBounds::new([0.025, 0.025]);
        let mut missed = false;
        for _ in 0..rows {
            let model = seen.map(|[sum, count]| sum / count);
            let best = (0..3)
                .max_by(|a, b| model[*a].total_cmp(&model[*b]))
                .unwrap();
            let mut logged = [0.04; 3];
            logged[best] += 0.88;
            let mut uniform: f64 = rng.random();
            let below = |p: &f64| {
                uniform -= p;
                uniform < 0.0
            };
            let chosen = logged.iter().position(below).unwrap_or(2);
            let reward = f64::from(u8::from(rng.random::<f64>() < means[chosen]));
            bounds.add(&Contest {
                chosen,
                reward,
                logged: &logged,
                candidate: &candidate,
                incumbent: &incumbent,
                model: &model,
            });
            seen[chosen][0] += reward;
            seen[chosen][1] += 1.0;
            missed |= !(bounds.lower()..=bounds.upper()).contains(&truth);
        }
        (bounds, missed)
    }

    #[test]
    fn the_difference_is_missed_at_any_peek_in_few_adaptive_runs_only() {
        let missed = (0..500).filter(|seed| run(*seed, 1_500).1).count();
        assert!(missed <= 25, "{missed} of 500");
    }

    /// A pmf of five arms, some of them perhaps 0.
    fn pmf() -> impl Strategy<Value = [f64; 5]> {
        let part = prop_oneof![Just(0.0), 0.001_f64..1.0];
        prop::array::uniform5(part).prop_map(|parts| {
            let total: f64 = parts.iter().sum();
            parts.map(|p| if total > 0.0 { p / total } else { 0.2 })
        })
    }

    proptest! {
        #[test]
        fn a_contribution_is_at_least_minus_k_and_1_and_its_mean_is_the_difference_or_less(
            logged in pmf(), candidate in pmf(), incumbent in pmf(),
            model in prop::array::uniform5(-0.2_f64..1.2), reward in prop::array::uniform5(0.0_f64..1.0),
            k in prop_oneof![Just(0.5), Just(1.0), Just(5.0), Just(20.0)], turned: bool,
        ) {
            let bernstein = Bernstein::new(0.1, 0.0, 0.0, 1.0);
            let side = Side { k, lower: bernstein, upper: bernstein };
            let sign = if turned { -1.0 } else { 1.0 };
            let mut mean = 0.0;
            for chosen in (0..5).filter(|arm| logged[*arm] > 0.0) {
                let gain = side.gain(&Contest {
                    chosen,
                    reward: reward[chosen],
                    logged: &logged,
                    candidate: &candidate,
                    incumbent: &incumbent,
                    model: &model,
                }, sign);
                prop_assert!(gain >= -(k + 1.0) - 1e-9, "{gain}");
                mean += logged[chosen] * gain;
            }
            let apart = |arm: usize| sign * (candidate[arm] - incumbent[arm]);
            let truth: f64 = (0..5).map(|arm| apart(arm) * reward[arm]).sum();
            let supported = (0..5).all(|arm| logged[arm] > 0.0 || apart(arm) == 0.0);
            prop_assert!(mean <= truth + 1e-9, "{mean} {truth}");
            if supported {
                prop_assert!((mean - truth).abs() < 1e-9, "{mean} {truth}");
            }
        }
    }

    #[test]
    fn a_real_difference_is_found_in_the_end() {
        let (bounds, missed) = run(1, 20_000);
        assert!(bounds.lower() > 0.0 && !missed, "{bounds:?}");
    }

    #[test]
    fn policies_that_agree_differ_by_nothing_however_the_arms_fare() {
        let mut bounds = AdvantageBounds::new([0.025, 0.025]);
        for draw in 0..5_000_usize {
            bounds.add(&Contest {
                chosen: draw % 2,
                reward: (draw % 3) as f64 / 2.0,
                logged: &[0.5, 0.5],
                candidate: &[0.2, 0.8],
                incumbent: &[0.2, 0.8],
                model: &[0.3, 0.4],
            });
        }
        // ln(120) x 3 over the sum of l, which nears half the draws where nothing spreads.
        assert!(bounds.lower() < 0.0 && bounds.lower() > -0.02, "{bounds:?}");
        assert_eq!(bounds.lower(), -bounds.upper());
    }

    #[test]
    fn an_arm_that_was_never_drawn_widens_the_bounds_to_what_it_could_be_worth() {
        let mut bounds = AdvantageBounds::new([0.025, 0.025]);
        for draw in 0..20_000_usize {
            bounds.add(&Contest {
                chosen: draw % 2,
                reward: 0.5,
                logged: &[0.5, 0.5, 0.0],
                candidate: &[0.3, 0.3, 0.4],
                incumbent: &[0.5, 0.5, 0.0],
                model: &[0.5, 0.5, 0.9],
            });
        }
        // Between 0.4 x (0 - 0.5) and 0.4 x (1 - 0.5).
        let (lower, upper) = (bounds.lower(), bounds.upper());
        assert!(
            lower < -0.2 && lower > -0.21 && upper > 0.2 && upper < 0.21,
            "{bounds:?}"
        );
    }
}
