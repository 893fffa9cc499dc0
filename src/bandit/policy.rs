//! Policies: scores of the eligible arms to a pmf over them.
//!
//! Invariants: the pmf is p <- (1 - sum of floors) p + floor, so every arm has at least its floor to
//! the bit, and it sums to 1 within 1e-12. A pure function of the scores, the floors and the policy's
//! specification: the same inputs give the same bits on every machine, so a logged propensity can be
//! recomputed. Equal arms are treated equally: ties share evenly.
//!
//! Not here: the draw ([`Pmf::draw`]), utility (`scorecard`), how a specification is written (`spec`).
//!
//! Units: utility in quality points; sd in quality points at the noise's assumed sd, that is
//! (residual sd / [`super::PRIOR_SD`]) sqrt(h), before the policy's own scale.
//!
//! Source: SCIENCE 2.3.

use super::error::ChoiceError;
use super::square_cb::{self, Schedule};
use super::{greedy, thompson};
use crate::id::Name;
use crate::unit::Pmf;

/// How far the floors' sum may exceed 1 by rounding.
const ROUNDING: f64 = 1e-12;

/// A rule that gives each eligible arm a probability. Parses from and prints as `NAME[:key=value,..]`.
#[derive(Debug, Clone, PartialEq)]
pub enum Policy {
    /// The probability of being the best of independent N(u, (v_t sd)^2): Thompson sampling, computed,
    /// with v_t = v h / (h + t) on t effective samples, h the lesser of `half` and `each` times the
    /// number of arms. A constant scale either doubts too little at first or too long: see `spec`.
    LinearThompson {
        /// Scale of the sd at first. 0 is greedy.
        v: f64,
        /// Samples after which the scale has halved at the latest; infinite: never.
        half: f64,
        /// Samples for each eligible arm after which it has; infinite: `half` alone says.
        each: f64,
    },
    /// Inverse-gap weighting.
    SquareCb {
        /// Factor of the schedule.
        gamma: f64,
        /// How gamma grows.
        schedule: Schedule,
    },
    /// The greatest u + alpha sd.
    LinUcb {
        /// Width of the bound.
        alpha: f64,
    },
    /// The greatest u, and every arm with probability epsilon / K besides.
    EpsilonGreedy {
        /// Share that explores.
        epsilon: f64,
    },
    /// The greatest u.
    Greedy,
    /// Always the same arm.
    Fixed {
        /// The arm.
        arm: Name,
    },
    /// Every arm alike.
    Uniform,
}

/// What a policy sees: one entry for each eligible arm.
#[derive(Debug, Clone, Copy)]
pub struct Scores<'a> {
    /// Expected utility u_a.
    pub utility: &'a [f64],
    /// Its standard deviation s_a before the policy's scale.
    pub sd: &'a [f64],
    /// Effective number of samples t.
    pub samples: f64,
}

/// Reusable memory of [`Policy::pmf`]. Holds nothing between calls but capacity.
#[derive(Debug, Default)]
pub struct Scratch {
    thompson: thompson::Buffers,
    bounds: Vec<f64>,
}

impl Policy {
    /// The pmf over `arms` for their `scores`, with at least `floor` for each.
    ///
    /// ```
    /// use bellwether::bandit::{Policy, Scores, Scratch};
    /// use bellwether::id::Name;
    /// let arms = [Name::new("small").unwrap(), Name::new("large").unwrap()];
    /// let scores = Scores { utility: &[0.4, 0.5], sd: &[0.1, 0.1], samples: 100.0 };
    /// let policy: Policy = "square-cb:gamma=3,schedule=linear".parse().unwrap();
    /// // 1 / (2 + 300 * 0.1) = 1/32 for the worse; floors of 0.01 leave 0.98 of it.
    /// let p = policy.pmf(&scores, &arms, &[0.01, 0.01], &mut Scratch::default()).unwrap();
    /// assert!((p.as_slice()[0] - (0.98 / 32.0 + 0.01)).abs() < 1e-12);
    /// ```
    pub fn pmf(
        &self,
        scores: &Scores<'_>,
        arms: &[Name],
        floor: &[f64],
        scratch: &mut Scratch,
    ) -> Result<Pmf, ChoiceError> {
        check(scores, arms, floor)?;
        let mut p = vec![0.0; arms.len()];
        self.raw(scores, arms, scratch, &mut p)?;
        let kept: f64 = floor.iter().sum();
        if kept > 1.0 + ROUNDING {
            return Err(ChoiceError::FloorSum(kept));
        }
        let free = (1.0 - kept).max(0.0) / p.iter().sum::<f64>();
        for (p, floor) in p.iter_mut().zip(floor) {
            *p = free * *p + floor;
        }
        Ok(Pmf::new(p)?)
    }

    /// What it takes an arm's quality for when it chooses among so many, after t effective samples, as a
    /// mean and a standard deviation: Thompson
    /// sampling draws from N(u, (v_t sd)^2), `LinUcb` adds its bound, the others take u as it is.
    ///
    /// ```
    /// use bellwether::bandit::Policy;
    /// let policy: Policy = "linear-thompson:v=0.5,half=100".parse().unwrap();
    /// // After 100 samples the scale has halved: 0.25 x 0.2.
    /// assert_eq!(policy.belief(0.7, 0.2, (100.0, 4)), (0.7, 0.05));
    /// assert_eq!(Policy::Greedy.belief(0.7, 0.2, (100.0, 4)), (0.7, 0.0));
    /// ```
    pub fn belief(&self, utility: f64, sd: f64, (samples, arms): (f64, usize)) -> (f64, f64) {
        match self {
            Self::LinearThompson { v, half, each } => {
                (utility, scale((*v, *half, *each), samples, arms) * sd)
            }
            Self::LinUcb { alpha } => (utility + alpha * sd, 0.0),
            _ => (utility, 0.0),
        }
    }

    /// The pmf before floors.
    fn raw(
        &self,
        scores: &Scores<'_>,
        arms: &[Name],
        scratch: &mut Scratch,
        out: &mut [f64],
    ) -> Result<(), ChoiceError> {
        let Scores {
            utility,
            sd,
            samples,
        } = *scores;
        match self {
            Self::LinearThompson { v, half, each } => {
                let scale = scale((*v, *half, *each), samples, arms.len());
                thompson::pmf(utility, sd, scale, &mut scratch.thompson, out);
            }
            Self::SquareCb { gamma, schedule } => {
                square_cb::pmf(utility, schedule.at(*gamma, samples), out);
            }
            Self::LinUcb { alpha } => {
                let bounds = &mut scratch.bounds;
                bounds.clear();
                bounds.extend(utility.iter().zip(sd).map(|(u, s)| u + alpha * s));
                greedy::share_best(bounds, out);
            }
            Self::EpsilonGreedy { epsilon } => {
                greedy::share_best(utility, out);
                let each = epsilon / arms.len() as f64;
                out.iter_mut()
                    .for_each(|p| *p = (1.0 - epsilon) * *p + each);
            }
            Self::Greedy => greedy::share_best(utility, out),
            Self::Fixed { arm } => match arms.iter().position(|a| a == arm) {
                Some(index) => out.iter_mut().enumerate().for_each(|(i, p)| {
                    *p = if i == index { 1.0 } else { 0.0 };
                }),
                None => return Err(ChoiceError::FixedArm { arm: arm.clone() }),
            },
            Self::Uniform => out.fill(1.0 / arms.len() as f64),
        }
        Ok(())
    }
}

/// v_t of Thompson sampling.
fn scale((v, half, each): (f64, f64, f64), samples: f64, arms: usize) -> f64 {
    let half = half.min(each * arms as f64);
    if half.is_finite() {
        v * half / (half + samples)
    } else {
        v
    }
}

fn check(scores: &Scores<'_>, arms: &[Name], floor: &[f64]) -> Result<(), ChoiceError> {
    let expected = arms.len();
    if expected == 0 {
        return Err(ChoiceError::NoArms);
    }
    let anything = f64::NEG_INFINITY;
    for (field, values, least, allowed) in [
        ("utility", scores.utility, anything, "finite"),
        ("sd", scores.sd, 0.0, "finite and at least 0"),
        ("floor", floor, 0.0, "finite and at least 0"),
    ] {
        if values.len() != expected {
            let found = values.len();
            return Err(ChoiceError::Length {
                field,
                found,
                expected,
            });
        }
        let bad = values.iter().position(|v| !(v.is_finite() && *v >= least));
        if let Some((index, value)) = bad.and_then(|i| Some((i, *values.get(i)?))) {
            return Err(ChoiceError::Range {
                field,
                index,
                value,
                allowed,
            });
        }
    }
    if !(scores.samples.is_finite() && scores.samples >= 0.0) {
        return Err(ChoiceError::Samples(scores.samples));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn names(arms: usize) -> Vec<Name> {
        let name = |i| Name::new(format!("arm{i}")).unwrap();
        (0..arms).map(name).collect()
    }

    fn policy(spec: &str) -> Policy {
        spec.parse().unwrap()
    }

    const ALL: [&str; 9] = [
        "linear-thompson",
        "linear-thompson:v=1",
        "square-cb",
        "square-cb:gamma=100,schedule=sqrt",
        "lin-ucb",
        "epsilon-greedy",
        "greedy",
        "fixed:arm=arm0",
        "uniform",
    ];

    #[test]
    fn two_arms_are_settled_sooner_than_twenty() {
        let check = |spec: &str, arms: usize, half: f64| {
            let (utility, sd) = (vec![0.5; arms], vec![0.1; arms]);
            let pmf = |spec: &str, samples: f64, utility: &[f64]| {
                let scores = Scores {
                    utility,
                    sd: &sd,
                    samples,
                };
                let (arms, floor) = (names(arms), vec![0.0; arms]);
                let pmf = policy(spec).pmf(&scores, &arms, &floor, &mut Scratch::default());
                pmf.unwrap()
            };
            let mut utility = utility;
            utility[0] = 0.52;
            // Half the scale, whichever way it came about.
            let halved = pmf(spec, half, &utility);
            let plain = pmf("linear-thompson:v=0.15,half=never", half, &utility);
            for (a, b) in halved.as_slice().iter().zip(plain.as_slice()) {
                assert!((a - b).abs() < 1e-12, "{spec} {arms}: {halved:?} {plain:?}");
            }
        };
        check("linear-thompson", 2, 200.0);
        check("linear-thompson", 4, 400.0);
        check("linear-thompson", 20, 1000.0);
        check("linear-thompson:half=2000", 4, 2000.0);
        check("linear-thompson:each=50", 4, 200.0);
    }

    #[test]
    fn each_policy_gives_the_pmf_of_its_definition() {
        let check = |spec: &str, utility: &[f64], sd: &[f64], samples: f64, expected: &[f64]| {
            let scores = Scores {
                utility,
                sd,
                samples,
            };
            let (arms, floor) = (names(utility.len()), vec![0.0; utility.len()]);
            let p = policy(spec)
                .pmf(&scores, &arms, &floor, &mut Scratch::default())
                .unwrap();
            for (found, expected) in p.as_slice().iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{spec}: {p:?}");
            }
        };
        let (u, s) = ([0.5, 0.7, 0.6], [0.0, 0.0, 0.5]);
        check("greedy", &u, &s, 0.0, &[0.0, 1.0, 0.0]);
        check("greedy", &[0.5; 3], &s, 0.0, &[1.0 / 3.0; 3]);
        check("lin-ucb", &u, &s, 0.0, &[0.0, 0.0, 1.0]);
        check("lin-ucb:alpha=0.1", &u, &s, 0.0, &[0.0, 1.0, 0.0]);
        check("epsilon-greedy:epsilon=0.3", &u, &s, 0.0, &[0.1, 0.8, 0.1]);
        check("fixed:arm=arm2", &u, &s, 0.0, &[0.0, 0.0, 1.0]);
        check("uniform", &u, &s, 0.0, &[1.0 / 3.0; 3]);
        // 1 / (3 + 3 * 10 * 0.2) and 1 / (3 + 3 * 10 * 0.1).
        check(
            "square-cb",
            &u,
            &s,
            10.0,
            &[1.0 / 9.0, 13.0 / 18.0, 1.0 / 6.0],
        );
        check("square-cb", &u, &s, 0.0, &[1.0 / 3.0; 3]);
        // Two share what the third leaves: 1 / (3 + 2 * sqrt(25) * 0.2) = 0.2.
        let tied = [0.7, 0.5, 0.7];
        check(
            "square-cb:gamma=2,schedule=sqrt",
            &tied,
            &s,
            25.0,
            &[0.4, 0.2, 0.4],
        );
        check("linear-thompson", &[0.5; 2], &[0.3; 2], 0.0, &[0.5, 0.5]);
        // 0.1 over sqrt(2) * 0.1 is 0.7071, and Phi of it 0.7602; half the scale: Phi(1.4142).
        let halving = "linear-thompson:v=1,half=50";
        let (u2, s2) = ([0.6, 0.5], [0.1, 0.1]);
        let at = |samples| {
            let scores = Scores {
                utility: &u2,
                sd: &s2,
                samples,
            };
            let p = policy(halving).pmf(&scores, &names(2), &[0.0; 2], &mut Scratch::default());
            p.unwrap().as_slice()[0]
        };
        assert!((at(0.0) - 0.760_249_938_906_523_3).abs() < 1e-6);
        assert!((at(50.0) - 0.921_350_396_474_857).abs() < 1e-6);
        check("linear-thompson:v=0", &u, &[0.3; 3], 0.0, &[0.0, 1.0, 0.0]);
    }

    #[test]
    fn bad_scores_are_refused_with_the_arm_and_the_range() {
        let good = [0.5, 0.6];
        let check =
            |spec: &str, utility: &[f64], sd: &[f64], samples: f64, floor: &[f64], text: &str| {
                let scores = Scores {
                    utility,
                    sd,
                    samples,
                };
                let arms = names(2);
                let error = policy(spec).pmf(&scores, &arms, floor, &mut Scratch::default());
                assert_eq!(error.unwrap_err().to_string(), text);
            };
        let nan = [0.5, f64::NAN];
        let (s, f) = ([0.1, 0.1], [0.0, 0.0]);
        check(
            "greedy",
            &nan,
            &s,
            0.0,
            &f,
            "utility of arm 1 is NaN: allowed finite",
        );
        check(
            "uniform",
            &good,
            &nan,
            0.0,
            &f,
            "sd of arm 1 is NaN: allowed finite and at least 0",
        );
        check(
            "greedy",
            &good,
            &[-0.1, 0.1],
            0.0,
            &f,
            "sd of arm 0 is -0.1: allowed finite and at least 0",
        );
        check(
            "greedy",
            &good[..1],
            &s,
            0.0,
            &f,
            "utility has 1 entries: allowed 2, one an arm",
        );
        check(
            "greedy",
            &good,
            &s,
            0.0,
            &[0.1],
            "floor has 1 entries: allowed 2, one an arm",
        );
        check(
            "greedy",
            &good,
            &s,
            0.0,
            &[0.5, 0.75],
            "the floors sum to 1.25: allowed 0 to 1",
        );
        check(
            "greedy",
            &good,
            &s,
            f64::NAN,
            &f,
            "samples is NaN: allowed finite and at least 0",
        );
        check(
            "fixed:arm=other",
            &good,
            &s,
            0.0,
            &f,
            "arm other of the fixed policy is not eligible",
        );
        let none = Scores {
            utility: &[],
            sd: &[],
            samples: 0.0,
        };
        let error = policy("greedy").pmf(&none, &[], &[], &mut Scratch::default());
        assert_eq!(error, Err(ChoiceError::NoArms));
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(128))]

        #[test]
        fn every_policy_gives_a_pmf_above_its_floors_whatever_the_scratch_held(
            arms in prop::collection::vec((-2.0_f64..2.0, 0.0_f64..1.0, 0.0_f64..1.0), 1..20),
            epsilon in 0.0_f64..=1.0,
            samples in 0.0_f64..1e6,
        ) {
            let utility: Vec<_> = arms.iter().map(|a| a.0).collect();
            let sd: Vec<_> = arms.iter().map(|a| a.1).collect();
            let share: f64 = arms.iter().map(|a| a.2).sum();
            let floor: Vec<_> = arms.iter().map(|a| epsilon * a.2 / share.max(1e-9)).collect();
            let scores = Scores { utility: &utility, sd: &sd, samples };
            let names = names(arms.len());
            let mut scratch = Scratch::default();
            for spec in ALL {
                let p = policy(spec).pmf(&scores, &names, &floor, &mut scratch).unwrap();
                prop_assert_eq!(p.as_slice().len(), arms.len());
                for (p, floor) in p.as_slice().iter().zip(&floor) {
                    prop_assert!(p >= floor, "{spec}: {p} below {floor}");
                }
                let again = policy(spec).pmf(&scores, &names, &floor, &mut Scratch::default());
                prop_assert_eq!(Ok(p), again);
            }
        }

        #[test]
        fn thompson_follows_the_scale_of_utility_and_sd(
            arms in prop::collection::vec((0.0_f64..1.0, 0.1_f64..1.0), 2..8),
        ) {
            let (u, s): (Vec<_>, Vec<_>) = arms.into_iter().unzip();
            // A power of two changes no rounding.
            let half = |v: &[f64]| v.iter().map(|v| v / 2.0).collect::<Vec<_>>();
            let (names, floor) = (names(u.len()), vec![0.0; u.len()]);
            let at = |spec: &str, u: &[f64], s: &[f64]| {
                let scores = Scores { utility: u, sd: s, samples: 1.0 };
                policy(spec).pmf(&scores, &names, &floor, &mut Scratch::default()).unwrap()
            };
            prop_assert_eq!(at("linear-thompson", &u, &s), at("linear-thompson", &half(&u), &half(&s)));
            prop_assert_eq!(at("linear-thompson:v=0.5", &u, &s), at("linear-thompson:v=1", &u, &half(&s)));
        }
    }
}
