//! The report as rows: a measure of a candidate each, then its tasks.

use super::report::{CandidateReport, Measure, Slice, TrafficReport};
use crate::ope::Estimate;
use crate::table::JudgedRow;

impl TrafficReport {
    /// A row for each measure of each candidate, and for each of its tasks; one row for a candidate that is refused.
    pub fn table(&self) -> Vec<JudgedRow> {
        self.candidates.iter().flat_map(rows).collect()
    }
}

fn rows(candidate: &CandidateReport) -> Vec<JudgedRow> {
    let base = |measure: &str| JudgedRow {
        candidate: candidate.candidate.clone(),
        measure: measure.to_owned(),
        ..JudgedRow::default()
    };
    if let Some(refusal) = &candidate.refusal {
        return vec![JudgedRow {
            refusal: Some(refusal.to_string()),
            decisions: candidate.overlap.rows,
            ..base("utility")
        }];
    }
    let measure = |found: &Measure| JudgedRow {
        decisions: found.rows,
        value: found.value.map(span),
        difference: found.difference.map(span),
        stabilised: found.stabilised.map(span),
        anytime: found.anytime.map(|bounds| [bounds.lower, bounds.upper]),
        ..base(&found.name)
    };
    let task = |found: &Slice| JudgedRow {
        task: Some(found.name.clone()),
        decisions: found.rows,
        difference: found.difference.map(span),
        differs: Some(found.differs),
        ..base("utility")
    };
    let measures = candidate.measures.iter().map(measure);
    measures.chain(candidate.slices.iter().map(task)).collect()
}

fn span(found: Estimate) -> [f64; 3] {
    [found.value, found.lower, found.upper]
}
