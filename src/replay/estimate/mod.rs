//! A target policy judged on logged bandit feedback: every standard estimator, tuned ones, bounds that hold at
//! every peek, and whether the log can answer at all.
//!
//! Invariants: a number that the log cannot stand behind is refused, with the reason; the numbers can be had all
//! the same, but never without it. One pass over the file; what is kept of a row is 56 bytes.
//!
//! Not here: reading (`table`), the estimators (`ope`), traffic of our own server, whose contexts are known
//! (`traffic`).
//!
//! Units: rewards as in the file; bounds at every peek are of rewards cut to [0, 1].
//!
//! Source: SCIENCE 3.2 to 3.4.

mod asked;
mod gather;
mod text;

pub use asked::{AskedError, FirstGuess, LoggedTarget, Picked, Question};

use super::error::Error;
use super::{Progress, Watch};
use crate::ope::{CalibrationReport, Estimate, Estimator, Family, Overlap, Refusal, Row, Rule};
use crate::table::LoggedReader;
use gather::Gathered;
use serde::Serialize;
use std::collections::BTreeMap;

/// What the log says of the target.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EstimateReport {
    /// Rows read.
    pub read: usize,
    /// Rows used.
    pub rows: usize,
    /// Arms.
    pub arms: usize,
    /// Why the numbers may not be relied on. They are absent then, unless they were asked for all the same.
    pub refusal: Option<Refusal>,
    /// The target's true value, where the file has the arms' true means.
    pub truth: Option<f64>,
    /// Mean reward as logged.
    pub logged: Option<Estimate>,
    /// How well the log covers the target.
    pub overlap: Overlap,
    /// Whether arms were drawn as often as the log says; where it has the pmf.
    pub calibration: Option<CalibrationReport>,
    /// Each estimator by its name; those that need a model only where the file has one.
    pub estimates: BTreeMap<String, Estimate>,
    /// Estimators with a parameter chosen from the log.
    pub tuned: BTreeMap<String, Tuned>,
    /// Bounds that hold at every peek, by the cap k of the weighted model: `ipw` is k = 0. Absent without the pmf,
    /// and where episodes have several rows.
    pub anytime: BTreeMap<String, Bounds>,
    /// Share of rewards outside [0, 1], which those bounds cut.
    pub cut: f64,
    /// Smallest true difference from another policy that this log would show (one-sided 5 %, power 80 %), by the
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
    question.check(reader.arms(), reader.families())?;
    let total = reader.rows();
    let mut gathered = Gathered::new(question, reader.arms(), reader.families());
    let mut read = 0;
    while let Some(batch) = reader.batch()? {
        read += batch.chosen.len();
        gathered.take(&batch);
        let progress = Progress {
            done: read,
            total: Some(total),
        };
        if watch(progress).is_break() {
            return Err(Error::Stopped);
        }
    }
    Ok(report(gathered.finish(), read, question))
}

/// Everything that is said of the rows.
fn report(gathered: gather::Whole, read: usize, question: &Question) -> EstimateReport {
    let gather::Whole {
        rows,
        arms,
        has_model,
        unsupported,
        truth,
        calibration,
        anytime,
        cut,
    } = gathered;
    let overlap = Overlap::of(&rows, unsupported);
    let faulty = calibration.as_ref().and_then(CalibrationReport::refusal);
    let refusal = faulty.or_else(|| overlap.refusal());
    let told = refusal.is_none() || question.regardless;
    let mut estimates = BTreeMap::new();
    let mut tuned = BTreeMap::new();
    if told {
        for estimator in Estimator::STANDARD {
            if has_model || !estimator.needs_model() {
                let found = estimator.estimate(&rows);
                estimates.extend(found.map(|found| (estimator.to_string(), found)));
            }
        }
        for (name, found) in tune(&rows, has_model) {
            tuned.insert(name, found);
        }
    }
    let headline = if has_model { "dr" } else { "snips" };
    let detectable_effect = estimates.get(headline).map(Estimate::detectable_effect);
    EstimateReport {
        read,
        rows: rows.len(),
        arms,
        refusal,
        truth,
        logged: logged(&rows),
        overlap,
        calibration,
        estimates,
        tuned,
        anytime: if told { anytime } else { BTreeMap::new() },
        cut,
        detectable_effect,
    }
}

/// Each family by each rule.
fn tune(rows: &[Row], has_model: bool) -> Vec<(String, Tuned)> {
    let mut found = Vec::new();
    for family in Family::ALL {
        if !has_model && family != Family::ClippedIps {
            continue;
        }
        for rule in Rule::ALL {
            let Some(lambda) = family.tune(rule, rows) else {
                continue;
            };
            let estimate = family.member(lambda).estimate(rows);
            let name = format!("{family}_tuned_{rule}");
            found.extend(estimate.map(|estimate| (name, Tuned { lambda, estimate })));
        }
    }
    found
}

/// The mean reward of the rows as they are.
fn logged(rows: &[Row]) -> Option<Estimate> {
    let unweighted: Vec<Row> = rows
        .iter()
        .map(|row| Row {
            weight: 1.0,
            ..*row
        })
        .collect();
    Estimator::IPS.estimate(&unweighted)
}
