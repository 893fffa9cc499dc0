//! Candidates judged on recorded traffic: [`traffic`] reads a team's log once and says of each candidate what it
//! would have earned, how much more than the incumbent, in which measure and task, and whether that is enough to change.
//!
//! Invariants: an estimate is given only where the log can answer. Propensity and outcome belong to the arm that was
//! chosen, whatever was served in the end (intention to treat).
//!
//! Three intervals, for three uses: the plain one takes the logged pmfs as fixed; the stabilised one allows for a
//! logger that learned, for a log whose end was set beforehand; the one at every peek allows for both, and for looking
//! whenever one likes. A gate asks the lower of the first two, or (`peeking`) the third.
//!
//! Units: mean a decision; utility in quality points.
//!
//! Source: SCIENCE 3.2 to 3.7.

mod bench;
#[cfg(test)]
mod comparison_tests;
mod gate;
mod judge;
#[cfg(test)]
mod made;
mod question;
mod report;
mod sequential;
mod sheet;
#[cfg(test)]
mod tests;
mod text;
mod weigh;

pub use gate::{Aim, Condition, Gate, GateError, Guard};
pub use judge::traffic;
#[cfg(test)]
pub(crate) use made::log as made_log;
pub use question::{MOST_CANDIDATES, Question};
pub use report::{
    Anytime, Bucket, CandidateReport, Measure, Point, Range, Slice, Terms, TrafficReport,
};
