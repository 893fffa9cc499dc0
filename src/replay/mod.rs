//! Replay: judges. What a policy would have earned, on an outcome table where every arm's outcome is
//! known ([`Bench`]), or on recorded traffic where only the drawn arm's is ([`fn@traffic`]).
//!
//! Invariants: no policy sees an outcome before it has chosen; a question that the data cannot answer
//! is refused, with what would make it answerable; the same input gives the same report, whatever the
//! number of threads.
//!
//! Not here: reading files (`table`), the estimators (`ope`), the policies (`bandit`).
//!
//! Source: SCIENCE 3 (traffic), 5 (outcome tables).

mod baselines;
mod bench;
mod collect;
mod error;
mod known;
mod learner;
mod log;
mod model;
mod outcomes;
mod outcomes_text;
mod parallel;
mod prices;
mod propensity;
mod rescore;
mod run;
mod target;
mod traffic;
mod traffic_text;
mod wanted;

pub use crate::table::TrafficRow as Row;
pub use baselines::{ArmMean, Baselines, Hull};
pub use bench::{Bench, CostSource};
pub use collect::{Outcomes, Scorecards};
pub use error::Error;
pub use outcomes::{FORCED_PULLS, OutcomesReport, Params, PolicyReport, outcomes};
pub use propensity::PropensityCheck;
pub use rescore::{ArmScore, RescoreReport, SignalSeen, rescore};
pub use run::{Run, Spread};
pub use target::Candidate;
pub use traffic::{CandidateReport, TrafficReport, traffic};
pub use wanted::{Refused, Wanted};

use std::ops::ControlFlow;

/// How far a replay is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Steps done: runs of an outcome table; decisions of traffic, each counted once when it is read
    /// and once for each candidate.
    pub done: usize,
    /// Steps to do, if known.
    pub total: Option<usize>,
}

/// Told of progress now and then; answers whether to go on.
pub type Watch<'a> = dyn Fn(Progress) -> ControlFlow<()> + Sync + 'a;
