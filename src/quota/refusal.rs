//! Calls that were refused by a limit, in words that tell no team what others use.
//!
//! Invariants: of the organisation's limits neither the figure nor what is left is told.
//!
//! Not here: codes and statuses (the doors), how many there were (`telemetry`).

use super::pass::Told;
use super::rate::Rate;
use crate::account::Owner;
use crate::id::Name;
use crate::unit::Timestamp;
use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Duration;

/// How many are kept of each team.
const KEPT: usize = 32;

/// What is limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limited {
    /// Requests in a time.
    Requests,
    /// Tokens in a time.
    Tokens,
    /// Calls at once.
    Parallel,
}

impl Limited {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Requests, Self::Tokens, Self::Parallel];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Parallel => "parallel_calls",
        }
    }
}

/// Why a call was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", words(self))]
pub struct Refused {
    /// Whose limit.
    pub owner: Owner,
    /// Of what.
    pub limited: Limited,
    /// What is allowed.
    pub allowed: Allowed,
    /// When it is worth while to come again.
    pub wait: Duration,
    /// Where the caller's own rates stand.
    pub told: Told,
}

/// What a limit allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// So many in a time.
    Rate(Rate),
    /// So many at once.
    AtOnce(u32),
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rate(rate) => rate.fmt(f),
            Self::AtOnce(number) => write!(f, "{number} at once"),
        }
    }
}

fn words(refused: &Refused) -> String {
    let Refused {
        owner,
        limited,
        allowed,
        wait,
        ..
    } = refused;
    let what = match limited {
        Limited::Requests => "requests",
        Limited::Tokens => "tokens",
        Limited::Parallel => "parallel calls",
    };
    let wait = wait.as_secs_f64();
    match owner {
        Owner::Organisation => {
            format!("the organisation's limit on {what} is reached: come again in {wait:.1} s")
        }
        _ => format!(
            "the limit of {owner} on {what} is reached: allowed {allowed}; come again in {wait:.1} s"
        ),
    }
}

/// A call that was refused by a limit, for who asks why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// When.
    pub time: Timestamp,
    /// The key that it came with.
    pub key: Name,
    /// Its task, if it said one.
    pub task: Option<Name>,
    /// Whose limit.
    pub owner: Owner,
    /// Of what.
    pub limited: Limited,
}

/// The newest of each team, the latest last.
#[derive(Debug, Default)]
pub(super) struct Refusals(BTreeMap<Name, VecDeque<Refusal>>);

impl Refusals {
    pub(super) fn note(&mut self, team: &Name, refusal: Refusal) {
        let kept = self.0.entry(team.clone()).or_default();
        if kept.len() >= KEPT {
            kept.pop_front();
        }
        kept.push_back(refusal);
    }

    pub(super) fn of(&self, team: &Name) -> Vec<Refusal> {
        self.0.get(team).into_iter().flatten().cloned().collect()
    }
}
