//! Candidates: what would have been drawn instead.
//!
//! Invariants: a candidate that chooses by scores keeps the logged floor and forced pulls, as it
//! would if it served; fixed and uniform are pure. All are functions of what the draw kept: the
//! logged utilities, their standard deviations and the number of samples.
//!
//! Not here: a candidate with another learner or other features; that one is judged on an outcome
//! table.

use super::error::Error;
use crate::bandit::{ChoiceError, Policy, Scores, Scratch, SpecError};
use crate::decision::Drawn;
use crate::unit::Pmf;
use std::fmt;
use std::str::FromStr;

/// A policy to be judged on traffic.
#[derive(Debug, Clone, PartialEq)]
pub enum Candidate {
    /// Whatever was logged, draw by draw.
    Logged,
    /// One policy throughout.
    Policy(Policy),
}

impl FromStr for Candidate {
    type Err = SpecError;

    /// Reads `logged` or a policy's specification.
    fn from_str(text: &str) -> Result<Self, SpecError> {
        if text == "logged" {
            Ok(Self::Logged)
        } else {
            text.parse().map(Self::Policy)
        }
    }
}

impl fmt::Display for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logged => f.write_str("logged"),
            Self::Policy(policy) => policy.fmt(f),
        }
    }
}

impl Candidate {
    /// The candidate's pmf for a draw; nothing where its fixed arm was not eligible.
    pub(super) fn pmf(&self, drawn: &Drawn, scratch: &mut Scratch) -> Result<Option<Pmf>, Error> {
        let none = vec![0.0; drawn.arms.len()];
        let found = match self {
            Self::Logged => Ok(drawn.pmf.clone()),
            Self::Policy(policy @ (Policy::Fixed { .. } | Policy::Uniform)) => {
                policy.pmf(&scores(drawn), &drawn.arms, &none, scratch)
            }
            Self::Policy(policy) => recompute(policy, drawn, scratch),
        };
        match found {
            Ok(pmf) => Ok(Some(pmf)),
            Err(ChoiceError::FixedArm { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }
}

/// The pmf that `policy` gives where it serves: over the arms in their forced pulls if there are any,
/// else by the scores, mixed with the floor. With the logged policy this is the logged pmf.
pub(super) fn recompute(
    policy: &Policy,
    drawn: &Drawn,
    scratch: &mut Scratch,
) -> Result<Pmf, ChoiceError> {
    if drawn.forced.is_empty() {
        return policy.pmf(&scores(drawn), &drawn.arms, &drawn.floor, scratch);
    }
    let each = (1.0 - drawn.floor.iter().sum::<f64>()).max(0.0) / drawn.forced.len() as f64;
    let share = |(index, floor): (usize, &f64)| {
        let young = drawn.forced.iter().any(|arm| *arm as usize == index);
        floor + if young { each } else { 0.0 }
    };
    Ok(Pmf::new(
        drawn.floor.iter().enumerate().map(share).collect(),
    )?)
}

fn scores(drawn: &Drawn) -> Scores<'_> {
    Scores {
        utility: &drawn.utility,
        sd: &drawn.utility_sd,
        samples: drawn.samples,
    }
}
