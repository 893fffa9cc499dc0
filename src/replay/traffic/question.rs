//! What is asked of a log, and what may be.
//!
//! Invariants: at most 32 candidates; a scale of utility that has an extent; guards of signals that the log has.

use super::gate::{Aim, Guard};
use super::report::{Range, Terms};
use crate::id::Name;
use crate::replay::error::Error;
use crate::replay::log::Log;
use crate::replay::target::Candidate;

/// Candidates at most: the chance of a wrong yes is shared out among them.
pub const MOST_CANDIDATES: usize = 32;

/// What is asked of a log.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The policies to judge, 1 to 32.
    pub candidates: Vec<Candidate>,
    /// What they are held against.
    pub incumbent: Candidate,
    /// What a change is for.
    pub aim: Aim,
    /// Signals that must not move the wrong way.
    pub guards: Vec<Guard>,
    /// Whether somebody looks now and then and stops when it suits: gates then go by bounds that allow it.
    pub peeking: bool,
    /// Ends of the scale of utility, for bounds at every peek: what is beyond is cut, and counted.
    pub utility: (f64, f64),
}

impl Question {
    /// Whether these are worth the logged policy's place.
    pub fn new(candidates: Vec<Candidate>) -> Self {
        Self {
            candidates,
            incumbent: Candidate::Logged,
            aim: Aim::Utility,
            guards: Vec::new(),
            peeking: false,
            utility: (0.0, 1.0),
        }
    }

    /// What candidates are judged by, as the report says it.
    pub(super) fn terms(&self) -> Terms {
        let (lower, upper) = self.utility;
        Terms {
            aim: self.aim,
            guards: self.guards.clone(),
            peeking: self.peeking,
            utility: Range { lower, upper },
        }
    }

    /// Refuses too many candidates, a scale without ends, and what goes not together.
    pub fn check(&self) -> Result<(), Error> {
        if self.candidates.len() > MOST_CANDIDATES {
            return Err(Error::Setting {
                field: "number of candidates",
                value: self.candidates.len() as f64,
                allowed: "at most 32: on one log each further one makes all later ones harder to believe",
            });
        }
        let (low, high) = self.utility;
        if !((high - low).is_finite() && low < high) {
            return Err(Error::Scale { low, high });
        }
        match self.peeking && self.aim == Aim::Saving {
            true => Err(Error::SavingPeeking),
            false => Ok(()),
        }
    }

    /// Whether guards are of signals that the log has.
    pub(super) fn check_guards(&self, log: &Log) -> Result<(), Error> {
        let signals = log.signals();
        let known = |guard: &&Guard| signals.iter().any(|s| *s == guard.signal.as_str());
        let Some(guard) = self.guards.iter().find(|guard| !known(guard)) else {
            return Ok(());
        };
        let names = signals.iter().filter_map(|signal| Name::new(signal).ok());
        Err(Error::Guard {
            signal: guard.signal.clone(),
            allowed: names.collect(),
        })
    }
}
