//! Logged bandit feedback on its way into a file.
//!
//! Invariants: all columns have as many rows as there are actions.
//!
//! Not here: what the columns mean ([`crate::table::LoggedReader`]).

use super::parquet;
use crate::table::Error;
use polars::prelude::{Column, DataFrame, PolarsResult};
use std::ops::Range;
use std::path::Path;

/// A pmf for each row, of which many rows have the same.
#[derive(Debug, Clone)]
pub(super) struct Family {
    /// Which one a row has.
    pub(super) of: Vec<usize>,
    pub(super) each: Vec<Vec<f64>>,
}

impl Family {
    /// The same for all rows.
    pub(super) fn same(pmf: Vec<f64>, rows: usize) -> Self {
        Self {
            of: vec![0; rows],
            each: vec![pmf],
        }
    }

    /// What a row's pmf gives an arm.
    pub(super) fn at(&self, row: usize, arm: usize) -> f64 {
        let kind = self.of.get(row).and_then(|kind| self.each.get(*kind));
        kind.and_then(|pmf| pmf.get(arm)).copied().unwrap_or(0.0)
    }

    /// A column for each arm.
    fn columns(&self, prefix: &str, rows: &Range<usize>) -> Vec<Column> {
        let arms = self.each.first().map_or(0, Vec::len);
        let column = |arm: usize| {
            let cells: Vec<f64> = rows.clone().map(|row| self.at(row, arm)).collect();
            Column::new(format!("{prefix}{arm}").into(), cells)
        };
        (0..arms).map(column).collect()
    }
}

/// Rows of logged bandit feedback.
#[derive(Debug, Default)]
pub(super) struct Feedback {
    pub(super) actions: Vec<usize>,
    pub(super) rewards: Vec<f64>,
    pub(super) propensities: Vec<f64>,
    pub(super) pmf: Option<Family>,
    pub(super) target: Option<Family>,
    /// Columns that stand beside: those that `estimate` may slice by, and what a reader may want.
    pub(super) beside: Vec<Column>,
}

impl Feedback {
    pub(super) fn write(&self, file: &Path) -> Result<(), Error> {
        parquet::write(file, self.actions.len(), |rows| self.frame(&rows))
    }

    fn frame(&self, rows: &Range<usize>) -> PolarsResult<DataFrame> {
        let first = i64::try_from(rows.start).unwrap_or(i64::MAX);
        let beside = self.beside.iter();
        let mut columns: Vec<Column> = beside.map(|c| c.slice(first, rows.len())).collect();
        let actions = self.actions.get(rows.clone()).unwrap_or_default().iter();
        let actions: Vec<i64> = actions
            .map(|arm| i64::try_from(*arm).unwrap_or(i64::MAX))
            .collect();
        columns.push(Column::new("action".into(), actions));
        for (name, numbers) in [("reward", &self.rewards), ("pscore", &self.propensities)] {
            let numbers = numbers.get(rows.clone()).unwrap_or_default();
            columns.push(Column::new(name.into(), numbers));
        }
        for (prefix, family) in [("p_", &self.pmf), ("pi_", &self.target)] {
            let family = family.as_ref();
            columns.extend(family.map_or_else(Vec::new, |family| family.columns(prefix, rows)));
        }
        DataFrame::new(rows.len(), columns)
    }
}
