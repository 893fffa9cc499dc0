//! Replay: judges. What a policy would have earned, on an outcome table where every arm's outcome is
//! known ([`Bench`], played in streams that [`StreamParams`] may change), or on recorded traffic where only the
//! drawn arm's is ([`fn@traffic`]; [`compare`] for candidates that change the chooser or the world).
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
mod change;
mod collect;
mod comparison;
mod curve;
mod drift;
mod error;
mod estimate;
mod joining;
mod judge;
mod judge_text;
mod known;
mod learner;
mod lift;
mod log;
mod model;
mod outcomes;
mod outcomes_text;
mod parallel;
mod play;
mod prices;
mod propensity;
mod purse;
mod recovery;
mod rescore;
mod run;
mod slices;
mod spend;
mod spend_text;
mod stream;
mod survey;
mod sweep;
mod sweep_text;
mod target;
mod tighten;
mod traffic;
mod wanted;
mod worth;

pub use crate::table::TrafficRow as Row;
pub use baselines::{ArmMean, Baselines, Hull};
pub use bench::{Bench, CostSource};
pub use change::{ChangeReport, FixedArm};
pub use collect::{Outcomes, Scorecards};
pub use comparison::{Comparison, Proposal, compare};
pub use curve::{ArmCurve, Curve, PIECES, SpentCurve};
pub use drift::{Drift, DriftError};
pub use error::Error;
pub use estimate::{
    AskedError, Bounds, EstimateReport, FirstGuess, LoggedTarget, Picked, Question, Said, Tuned,
    estimate,
};
pub use joining::{Bound, Joined, Onboarding, Ruled};
pub use judge::{Judged, Versus};
pub use lift::Lift;
pub use outcomes::{OutcomesReport, Params, PolicyReport, outcomes};
pub use play::FORCED_PULLS;
pub use propensity::PropensityCheck;
pub use recovery::{Recovery, WINDOW};
pub use rescore::{ArmScore, RescoreReport, SignalSeen, rescore};
pub use run::{Run, Spread};
pub use slices::{By, PromptSlice, Sliced};
pub use spend::{Bought, Budget, HORIZON, Kept, Spending};
pub use stream::StreamParams;
pub use sweep::{PolicySweep, StrongCalls, Sweep, SweepPoint};
pub use target::{Candidate, Changed};
#[cfg(test)]
pub(crate) use traffic::made_log;
pub use traffic::{
    Aim, Anytime, Bucket, CandidateReport, Condition, Gate, GateError, Guard, MOST_CANDIDATES,
    Measure, Point, Question as TrafficQuestion, Range, Slice, Terms, TrafficReport, traffic,
};
pub use wanted::{Refused, Wanted};
pub use worth::Worth;

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
