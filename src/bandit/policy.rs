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
    /// The probability of being the best of independent N(u, (v sd)^2): Thompson sampling, computed.
    LinearThompson {
        /// Scale of the sd. 0 is greedy.
        v: f64,
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
            Self::LinearThompson { v } => {
                thompson::pmf(utility, sd, *v, &mut scratch.thompson, out);
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
