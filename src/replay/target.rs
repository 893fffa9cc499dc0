//! Candidates: what would have been drawn instead.
//!
//! Invariants: a candidate that chooses by scores keeps the logged floor and forced pulls, as it
//! would if it served; fixed and uniform are pure. All are functions of what the draw kept: the
//! logged utilities, their standard deviations and the number of samples, through the very function
//! that serves.
//!
//! Not here: a candidate with another learner or other features; that one is judged on an outcome
//! table.

use super::error::Error;
use crate::bandit::{ChoiceError, Policy, Scratch, SpecError};
use crate::decision::Drawn;
use crate::route::recompute;
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
    pub fn pmf(&self, drawn: &Drawn, scratch: &mut Scratch) -> Result<Option<Pmf>, Error> {
        let found = match self {
            Self::Logged => Ok(drawn.pmf.clone()),
            Self::Policy(policy @ (Policy::Fixed { .. } | Policy::Uniform)) => {
                let none = vec![0.0; drawn.arms.len()];
                recompute(drawn, policy, &none, &[], scratch)
            }
            Self::Policy(policy) => recompute(drawn, policy, &drawn.floor, &drawn.forced, scratch),
        };
        match found {
            Ok(pmf) => Ok(Some(pmf)),
            Err(ChoiceError::FixedArm { .. }) => Ok(None),
            Err(other) => Err(other.into()),
        }
    }
}
