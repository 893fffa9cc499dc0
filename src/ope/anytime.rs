//! Bounds of a target policy's value that hold at every peek, under a logger that learns as it logs.
//!
//! For rewards in [0, 1] and a predictable model q: m_a = min(q_a, k / W_a) with W_a = target / logged
//! probability of arm a; phi = w (r - m) + sum_a pi_a m_a >= -k; xi = phi / (k + 1) >= -k / (k + 1).
//!
//! s_t^2 = (1/4 + sum over i < t of (xi_i - xbar_i)^2) / t, with xbar_i = (1/2 + xi_1 + .. + xi_i) / (i + 1);
//! l_t = min(sqrt(2 ln(1/a) / (s_t^2 t ln(1 + t))), 1/2); g_t = min((1/2 + xi_1 + .. + xi_(t-1)) / t, 1 / (k + 1));
//! L_t = (k + 1) [sum l_i xi_i - ln(1/a) - sum (xi_i - g_i)^2 psi(l_i)] / sum l_i, psi(l) = -ln(1 - l) - l.
//!
//! The lower bound is the greatest L_t so far; the upper one is 1 less that of 1 - r with 1 - q.
//!
//! Why the cap 1 / (k + 1) of the guess g: the inequality behind psi wants xi - g >= -1. The reference bounds
//! leave out the cap at the first row; [`LowerBound::with_first_guess`] gives theirs. A larger k narrows the
//! lower bound of a good policy late, a smaller one both early (SCIENCE 3.4: 20 for the lower, 5 for the upper).
//!
//! Invariants: l_t and g_t are fixed before row t is looked at, so the chance that a bound ever misses the
//! value is at most a, however often and whenever somebody looks, provided that the propensities are true, q
//! is predictable, and the value does not move. k = 0 leaves the model out.
//!
//! Source: SCIENCE 3.4; Waudby-Smith et al. 2022 (anytime-valid off-policy inference), Howard et al. 2021.

use super::bernstein::Bernstein;

/// The lower bound of a target policy's value.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LowerBound {
    k: f64,
    sums: Bernstein,
    best: f64,
}

/// One draw, as the bounds see it. Slices are over the eligible arms, in one order.
#[derive(Debug, Clone, Copy)]
pub struct Draw<'a> {
    /// Position of the arm drawn.
    pub chosen: usize,
    /// Its outcome; cut to [0, 1].
    pub reward: f64,
    /// The logged pmf.
    pub logged: &'a [f64],
    /// The target's.
    pub target: &'a [f64],
    /// The model's predictions, from rows before this one; cut to [0, 1].
    pub model: &'a [f64],
}

impl LowerBound {
    /// Before any row. `k` is at least 0, `miss` the chance to ever be above the value, in (0, 1).
    ///
    /// ```
    /// use bellwether::ope::{Draw, LowerBound};
    /// let mut bound = LowerBound::new(1.0, 0.025);
    /// assert_eq!(bound.value(), 0.0);
    /// for _ in 0..2_000 {
    ///     bound.add(&Draw { chosen: 0, reward: 1.0, logged: &[0.5, 0.5], target: &[1.0, 0.0], model: &[1.0, 0.0] });
    /// }
    /// assert!(bound.value() > 0.95);
    /// ```
    #[must_use]
    pub fn new(k: f64, miss: f64) -> Self {
        Self::with_first_guess(k, miss, (1.0 / (k + 1.0)).min(0.5))
    }

    /// The same, with another g_1. Above 1 / (k + 1) the promise does not hold where the first row is bad.
    #[must_use]
    pub fn with_first_guess(k: f64, miss: f64, first_guess: f64) -> Self {
        Self {
            k,
            sums: Bernstein::new(miss, 0.5, first_guess, 1.0 / (k + 1.0)),
            best: 0.0,
        }
    }

    /// Takes in one draw.
    pub fn add(&mut self, draw: &Draw<'_>) {
        self.take(draw, |x| x.clamp(0.0, 1.0));
    }

    fn take(&mut self, draw: &Draw<'_>, seen: impl Fn(f64) -> f64) {
        let mut phi = 0.0;
        let arms = draw.logged.iter().zip(draw.target).zip(draw.model);
        for (arm, ((logged, target), model)) in arms.enumerate() {
            let chosen = arm == draw.chosen;
            if *target <= 0.0 {
                continue;
            }
            let capped = seen(*model).min(self.k * logged / target);
            phi += target * capped;
            if chosen {
                phi += target / logged * (seen(draw.reward) - capped);
            }
        }
        self.sums.add(phi / (self.k + 1.0));
        self.best = self.best.max((self.k + 1.0) * self.sums.lower());
    }

    /// The bound now: at least 0.
    #[must_use]
    pub fn value(&self) -> f64 {
        self.best
    }
}

/// The upper bound of a target policy's value: 1 less the lower bound of what it falls short by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct UpperBound(LowerBound);

impl UpperBound {
    /// As [`LowerBound::new`].
    #[must_use]
    pub fn new(k: f64, miss: f64) -> Self {
        Self(LowerBound::new(k, miss))
    }

    /// As [`LowerBound::with_first_guess`].
    #[must_use]
    pub fn with_first_guess(k: f64, miss: f64, first_guess: f64) -> Self {
        Self(LowerBound::with_first_guess(k, miss, first_guess))
    }

    /// Takes in one draw.
    pub fn add(&mut self, draw: &Draw<'_>) {
        self.0.take(draw, |x| 1.0 - x.clamp(0.0, 1.0));
    }

    /// The bound now: at most 1.
    #[must_use]
    pub fn value(&self) -> f64 {
        1.0 - self.0.value()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ope::fixture;
    use rand::rngs::SmallRng;
    use rand::{RngExt, SeedableRng};

    #[test]
    fn the_adaptive_logs_give_the_reference_bounds() {
        let logs: Option<Vec<_>> = (0..5).map(fixture::adaptive).collect();
        let Some(logs) = logs else { return };
        let reference = fixture::json("ebcs_reference.json");
        let mut compared = 0;
        for case in reference.as_array().unwrap() {
            let log = &logs[case["seed"].as_u64().unwrap() as usize];
            let name = case["target"].as_str().unwrap();
            for (key, k) in [("ipw", 0.0), ("dr1", 1.0), ("dr5", 5.0), ("dr20", 20.0)] {
                let mut lower = LowerBound::with_first_guess(k, 0.025, 0.5);
                let mut upper = UpperBound::with_first_guess(k, 0.025, 0.5);
                let mut check = |suffix: &str, lower: &LowerBound, upper: &UpperBound| {
                    for (side, found) in [("lo", lower.value()), ("hi", upper.value())] {
                        let Some(wanted) = case[format!("{key}_{side}{suffix}")].as_f64() else {
                            continue;
                        };
                        let said = format!("{name} {key}_{side}{suffix}");
                        assert!(
                            (found - wanted).abs() < 1e-9,
                            "{said}: {found}, not {wanted}"
                        );
                        compared += 1;
                    }
                };
                for row in 0..log.rows {
                    if row == 1000 {
                        check("_1000", &lower, &upper);
                    }
                    let draw = Draw {
                        chosen: log.chosen(row),
                        reward: log.cell("reward", row),
                        logged: &log.arms("p_", row),
                        target: &fixture::target(log, name, row),
                        model: &log.arms("q_", row),
                    };
                    lower.add(&draw);
                    upper.add(&draw);
                }
                check("", &lower, &upper);
            }
        }
        assert_eq!(compared, 30 * 10);
    }

    /// Draws of an epsilon-greedy logger that learns as it logs, and whether a bound ever missed the value of
    /// always taking the first of two arms.
    fn misses(seed: u64) -> bool {
        let mut rng = SmallRng::seed_from_u64(seed);
        let means = [0.7, 0.6];
        let mut seen = [[0.5, 1.0]; 2];
        let mut lower = LowerBound::new(20.0, 0.025);
        let mut upper = UpperBound::new(5.0, 0.025);
        let mut missed = false;
        for _ in 0..1_500 {
            let mean = seen.map(|[sum, count]| sum / count);
            let best = usize::from(mean[1] > mean[0]);
            let mut logged = [0.1, 0.1];
            logged[best] += 0.8;
            let chosen = usize::from(rng.random::<f64>() >= logged[0]);
            let reward = f64::from(u8::from(rng.random::<f64>() < means[chosen]));
            let draw = Draw {
                chosen,
                reward,
                logged: &logged,
                target: &[1.0, 0.0],
                model: &mean,
            };
            lower.add(&draw);
            upper.add(&draw);
            seen[chosen][0] += reward;
            seen[chosen][1] += 1.0;
            missed |= !(lower.value()..=upper.value()).contains(&means[0]);
        }
        missed
    }

    #[test]
    fn the_value_is_missed_at_any_peek_in_few_runs_only() {
        let missed = (0..500).filter(|seed| misses(*seed)).count();
        assert!(missed <= 25, "{missed} of 500");
    }

    #[test]
    fn no_row_says_nothing_and_a_bad_first_row_breaks_nothing() {
        assert_eq!(LowerBound::new(5.0, 0.025).value(), 0.0);
        assert_eq!(UpperBound::new(5.0, 0.025).value(), 1.0);
        let mut bound = LowerBound::new(20.0, 0.025);
        bound.add(&Draw {
            chosen: 0,
            reward: 0.0,
            logged: &[0.02, 0.98],
            target: &[1.0, 0.0],
            model: &[1.0, 1.0],
        });
        assert_eq!(bound.value(), 0.0);
    }
}
