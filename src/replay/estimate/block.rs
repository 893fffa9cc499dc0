//! Some hundred rows of a batch side by side: a file has columns, an estimator asks for rows.
//!
//! Invariants: what is here is what the batch and the question say, nothing else; a block fits the nearest cache.
//!
//! Not here: what is made of rows (`gather`, `looks`).

use super::asked::{LoggedTarget, Question};
use crate::table::{LoggedBatch, Numbers};
use std::ops::Range;

/// Rows of a block.
const ROWS: usize = 128;

/// Rows of a batch, each family row-major, `arms` numbers a row; those that the file lacks are empty.
#[derive(Debug, Default)]
pub(super) struct Block {
    arms: usize,
    first: usize,
    logged: Vec<f64>,
    target: Vec<f64>,
    model: Vec<f64>,
    truth: Vec<f64>,
}

/// One row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen<'a> {
    /// Its place in the batch.
    pub(super) at: usize,
    pub(super) chosen: usize,
    pub(super) reward: f64,
    pub(super) propensity: f64,
    /// Empty where the file has none, as the model and the truth.
    pub(super) logged: &'a [f64],
    pub(super) target: &'a [f64],
    pub(super) model: &'a [f64],
    pub(super) truth: &'a [f64],
}

impl Block {
    /// Shows each row that is asked for, in order.
    pub(super) fn each(
        &mut self,
        batch: &LoggedBatch,
        question: &Question,
        mut see: impl FnMut(&Seen<'_>),
    ) {
        self.arms = batch.arms;
        let all = batch.chosen.iter().zip(batch.reward.all());
        let mut all = all.zip(batch.propensity.all()).enumerate();
        for first in (0..batch.chosen.len()).step_by(ROWS) {
            self.fill(batch, question.target, first);
            for (at, ((chosen, reward), propensity)) in all.by_ref().take(ROWS) {
                if question.rows.has(batch.first + at) {
                    see(&Seen {
                        at,
                        chosen: *chosen,
                        reward: *reward,
                        propensity: *propensity,
                        logged: self.row(&self.logged, at),
                        target: self.row(&self.target, at),
                        model: self.row(&self.model, at),
                        truth: self.row(&self.truth, at),
                    });
                }
            }
        }
    }

    fn row<'a>(&self, family: &'a [f64], at: usize) -> &'a [f64] {
        let from = (at - self.first) * self.arms;
        family.get(from..from + self.arms).unwrap_or_default()
    }

    fn fill(&mut self, batch: &LoggedBatch, target: LoggedTarget, first: usize) {
        let rows = first..batch.chosen.len().min(first + ROWS);
        self.first = first;
        turn(&batch.pmf, &rows, &mut self.logged);
        turn(&batch.model, &rows, &mut self.model);
        turn(&batch.truth, &rows, &mut self.truth);
        self.aim(batch, target, rows);
    }

    /// Sets the target's pmf of each row.
    fn aim(&mut self, batch: &LoggedBatch, target: LoggedTarget, rows: Range<usize>) {
        let even = (self.arms as f64).recip();
        let (share, arm) = match target {
            LoggedTarget::Columns => return turn(&batch.target, &rows, &mut self.target),
            LoggedTarget::Uniform => (0.0, None),
            LoggedTarget::Arm(arm) => (1.0, Some(arm)),
            LoggedTarget::Choice(share) => (share, None),
        };
        let same = matches!(target, LoggedTarget::Uniform | LoggedTarget::Arm(_));
        if same && self.target.len() == rows.len() * self.arms {
            return;
        }
        self.target.clear();
        self.target
            .resize(rows.len() * self.arms, (1.0 - share) * even);
        let pmfs = self.target.chunks_exact_mut(self.arms.max(1));
        for (pmf, row) in pmfs.zip(rows) {
            let arm = arm.or_else(|| batch.choice.get(row).copied());
            if let Some(p) = arm.and_then(|arm| pmf.get_mut(arm)) {
                *p += share;
            }
        }
    }
}

/// Columns into rows.
fn turn(columns: &[Numbers], rows: &Range<usize>, into: &mut Vec<f64>) {
    into.resize(rows.len() * columns.len(), 0.0);
    for (arm, column) in columns.iter().enumerate() {
        let cells = column.all().get(rows.clone()).unwrap_or_default();
        for (row, cell) in into.chunks_exact_mut(columns.len()).zip(cells) {
            if let Some(place) = row.get_mut(arm) {
                *place = *cell;
            }
        }
    }
}
