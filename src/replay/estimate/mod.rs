//! A target policy judged on logged bandit feedback: every standard estimator, tuned ones, bounds that hold at
//! every peek, and whether the log can answer at all.
//!
//! Invariants: a number that the log cannot stand behind is refused, with the reason; the numbers can be had all
//! the same, but never without it. One pass over the files; of a row nothing is
//! kept but sums, unless rows belong to episodes: then its 56 bytes, for the weights of an episode are multiplied.
//! While a batch is summed, another thread takes it through the bounds and a third reads the next: at most two batches
//! are held. What one thread computes no other one looks at before it is done, so no number depends on their timing.
//!
//! Not here: reading (`table`), the estimators (`ope`), traffic of our own server, whose contexts are known
//! (`traffic`).
//!
//! Intervals are for a logger that did not learn from what it logged, or nearly so; the bounds at every peek hold
//! for one that did, beside `ipw` only with a model that was fitted on earlier rows or on other data.
//!
//! Units: rewards as in the file; bounds at every peek are of rewards cut to [0, 1].
//!
//! Source: SCIENCE 3.2 to 3.4.

mod asked;
mod block;
mod gather;
mod looks;
mod tally;
mod text;

pub use asked::{AskedError, FirstGuess, LoggedTarget, Picked, Question};

use super::error::Error;
use super::{Progress, Watch};
use crate::ope::{CalibrationReport, Caution, Estimate, Overlap, Refusal};
use crate::table::LoggedReader;
use gather::Gathered;
use looks::Looks;
use serde::Serialize;
use std::collections::BTreeMap;
use std::panic::resume_unwind;

/// What the log says of the target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EstimateReport {
    /// Rows read.
    pub read: usize,
    /// Arms.
    pub arms: usize,
    /// What all rows say.
    #[serde(flatten)]
    pub all: Said,
    /// Bounds that hold at every peek, by the cap k of the weighted model: `ipw` is k = 0. Absent without the pmf,
    /// and where episodes have several rows.
    pub anytime: BTreeMap<String, Bounds>,
    /// Share of rewards outside [0, 1], which those bounds cut.
    pub cut: f64,
    /// What the rows of each slice say.
    pub slices: BTreeMap<String, Said>,
}

/// What a set of rows says.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Said {
    /// Rows used.
    pub rows: usize,
    /// Why the numbers may not be relied on. They are absent then, unless they were asked for all the same.
    pub refusal: Option<Refusal>,
    /// The target's true value, where the file has the arms' true means.
    pub truth: Option<f64>,
    /// Mean reward as logged.
    pub logged: Option<Estimate>,
    /// How well the rows cover the target.
    pub overlap: Overlap,
    /// Whether arms were drawn as often as the log says; where it has the pmf.
    pub calibration: Option<CalibrationReport>,
    /// What to be wary of, though the estimates stand: few rows like the target's, one that holds much of the weight.
    pub cautions: Vec<Caution>,
    /// Each estimator by its name; those that need a model only where the file has one.
    pub estimates: BTreeMap<String, Estimate>,
    /// Estimators with a parameter chosen from the log.
    pub tuned: BTreeMap<String, Tuned>,
    /// Smallest true difference from another policy that these rows would show (one-sided 5 %, power 80 %), by the
    /// doubly robust estimate or, without a model, the self-normalised one.
    pub detectable_effect: Option<f64>,
}

/// An estimate whose parameter was chosen from the log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Tuned {
    /// The parameter.
    pub lambda: f64,
    /// The estimate with it; its interval does not know of the choice.
    #[serde(flatten)]
    pub estimate: Estimate,
}

/// Bounds of the value; each is missed with at most 2.5 %, ever.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bounds {
    /// The lower one, after all rows.
    pub lower: f64,
    /// The upper one.
    pub upper: f64,
}

/// Judges the target of `question` on the rows of `reader`; `watch` is told of each batch.
pub fn estimate(
    mut reader: LoggedReader,
    question: &Question,
    watch: &Watch<'_>,
) -> Result<EstimateReport, Error> {
    let (arms, families) = (reader.arms(), reader.families());
    question.check(arms, families)?;
    let total = reader.rows();
    let mut gathered = Gathered::new(question, arms, families);
    let mut looks = Looks::new(question, arms, families);
    let (mut read, mut next) = (0, reader.batch()?);
    while let Some(batch) = next {
        read += batch.chosen.len();
        let (summed, following) = std::thread::scope(|scope| {
            let following = scope.spawn(|| reader.batch());
            let looked = scope.spawn(|| looks.take(&batch));
            let summed = gathered.take(&batch);
            looked.join().unwrap_or_else(|fault| resume_unwind(fault));
            let following = following.join();
            (
                summed,
                following.unwrap_or_else(|fault| resume_unwind(fault)),
            )
        });
        summed?;
        if watch(Progress { done: read, total }).is_break() {
            return Err(Error::Stopped);
        }
        next = following?;
    }
    Ok(gathered.finish(read, &looks))
}
