//! One batch of logged bandit feedback, checked.
//!
//! Not here: what the columns mean ([`super::logged`]), how a cell is read ([`super::logged_cells`]).

use super::Error;
use super::logged_cells::Cells;
use super::logged_shape::Shape;
use polars::prelude::{DataFrame, Float64Chunked};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// How far the sum of a pmf may be from 1, and a probability from its copy.
const SLACK: f64 = 1e-6;

/// Rows in the file's order. Families have a column for each arm; those that the file lacks are empty.
#[derive(Debug, Clone)]
pub struct LoggedBatch {
    /// Rows of all files before it.
    pub first: usize,
    /// Number of arms.
    pub arms: usize,
    /// The arm drawn.
    pub chosen: Vec<usize>,
    /// What came of it.
    pub reward: Numbers,
    /// The probability that it was drawn with.
    pub propensity: Numbers,
    /// The logged pmf.
    pub pmf: Vec<Numbers>,
    /// The target's.
    pub target: Vec<Numbers>,
    /// The model's predictions.
    pub model: Vec<Numbers>,
    /// True means.
    pub truth: Vec<Numbers>,
    /// The arm that the target takes; empty where it is not said.
    pub choice: Vec<usize>,
    /// A hash of the episode; empty where rows are their own.
    pub episode: Vec<u64>,
    /// The slice, as its place in `slices`; empty where there is one.
    pub slice: Vec<u32>,
    /// The slices of this batch.
    pub slices: Vec<String>,
}

/// A column of finite numbers side by side; the file's own, where it has them so.
#[derive(Debug, Clone)]
pub struct Numbers(Float64Chunked);

impl Numbers {
    /// Of a column in one piece without gaps.
    pub(super) fn of(column: Float64Chunked) -> Self {
        Self(column)
    }

    /// The numbers.
    pub fn all(&self) -> &[f64] {
        self.0.cont_slice().unwrap_or_default()
    }
}

impl LoggedBatch {
    /// Reads a frame of `file`, `before` rows of all files and of this one after their first; `slice` is that of all its
    /// rows, where the folder says it.
    pub(super) fn read(
        file: &Path,
        frame: &DataFrame,
        shape: &Shape,
        slice: Option<&str>,
        (first, before): (usize, usize),
    ) -> Result<Self, Error> {
        let cells = Cells {
            file,
            frame,
            first: before,
        };
        let arms = shape.arms;
        let family = |names: &[String]| -> Result<Vec<Numbers>, Error> {
            names.iter().map(|name| cells.numbers(name)).collect()
        };
        let chosen = cells.arms(&shape.action, arms)?;
        let reward = cells.numbers(&shape.reward)?;
        let pmf = family(&shape.pmf)?;
        pmfs(&cells, &pmf, &shape.pmf)?;
        let target = family(&shape.target)?;
        pmfs(&cells, &target, &shape.target)?;
        let propensity = match &shape.propensity {
            Some(column) => cells.numbers(column)?,
            None => drawn(&chosen, &pmf),
        };
        let mut batch = Self {
            first,
            arms,
            chosen,
            reward,
            propensity,
            pmf,
            target,
            model: family(&shape.model)?,
            truth: family(&shape.truth)?,
            choice: match &shape.choice {
                Some(column) => cells.arms(column, arms)?,
                None => Vec::new(),
            },
            episode: match &shape.episode {
                Some(column) => cells.texts(column, |text| xxh3_64(text.as_bytes()))?,
                None => Vec::new(),
            },
            slice: Vec::new(),
            slices: Vec::new(),
        };
        (batch.slice, batch.slices) = match (slice, &shape.slice) {
            (Some(all), _) => (vec![0; frame.height()], vec![all.to_owned()]),
            (None, Some(column)) => cells.kinds(column)?,
            (None, None) => (Vec::new(), Vec::new()),
        };
        batch.check(&cells, shape)?;
        Ok(batch)
    }

    /// The arm drawn had a chance, and the one that the pmf says.
    fn check(&self, cells: &Cells<'_>, shape: &Shape) -> Result<(), Error> {
        let column = shape.propensity.as_ref().or(shape.pmf.first());
        let column = column.map_or("pscore", String::as_str);
        let pmf: Vec<&[f64]> = self.pmf.iter().map(Numbers::all).collect();
        let rows = self.chosen.iter().zip(self.propensity.all());
        for (row, (arm, p)) in rows.enumerate() {
            if !(*p > 0.0 && *p <= 1.0 + SLACK) {
                return Err(cells.value(row, column, *p, "above 0, at most 1, on the arm drawn"));
            }
            let Some(logged) = pmf.get(*arm).and_then(|column| column.get(row)) else {
                continue;
            };
            if (logged - p).abs() > SLACK {
                return Err(cells.value(row, column, *p, "what the pmf gives the arm drawn"));
            }
        }
        Ok(())
    }
}

/// What a pmf gives the arms drawn.
fn drawn(chosen: &[usize], pmf: &[Numbers]) -> Numbers {
    let pmf: Vec<&[f64]> = pmf.iter().map(Numbers::all).collect();
    let of =
        |(row, arm): (usize, &usize)| pmf.get(*arm).and_then(|column| column.get(row)).copied();
    let found = chosen.iter().enumerate().map(|at| of(at).unwrap_or(0.0));
    Numbers(Float64Chunked::from_vec("pscore".into(), found.collect()))
}

/// Whether every row is a pmf.
fn pmfs(cells: &Cells<'_>, columns: &[Numbers], names: &[String]) -> Result<(), Error> {
    let Some(name) = names.first() else {
        return Ok(());
    };
    let mut sums = vec![0.0; cells.frame.height()];
    let mut least = vec![0.0_f64; sums.len()];
    for column in columns {
        let rows = sums.iter_mut().zip(&mut least).zip(column.all());
        for ((sum, least), p) in rows {
            *sum += p;
            *least = if *p < *least { *p } else { *least };
        }
    }
    let wrong = |(sum, least): (&f64, &f64)| *least < 0.0 || (*sum - 1.0).abs() > SLACK;
    match sums.iter().zip(&least).position(wrong) {
        Some(row) => {
            let sum = sums.get(row).copied().unwrap_or_default();
            let said = format!("of a family that sums to {sum}");
            Err(cells.said(row, name, &said, "probabilities that sum to 1"))
        }
        None => Ok(()),
    }
}
