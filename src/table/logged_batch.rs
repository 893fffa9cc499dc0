//! One batch of logged bandit feedback, checked.
//!
//! Not here: what the columns mean ([`super::logged`]).

use super::Error;
use super::logged_shape::Shape;
use polars::prelude::{Column, DataFrame, DataType};
use std::path::Path;
use xxhash_rust::xxh3::xxh3_64;

/// How far the sum of a pmf may be from 1, and a probability from its copy.
const SLACK: f64 = 1e-6;

/// Rows in the file's order. Families are row-major, `arms` numbers a row; those that the file lacks are empty.
#[derive(Debug, Clone, PartialEq)]
pub struct LoggedBatch {
    /// Rows of the file before it.
    pub first: usize,
    /// Number of arms.
    pub arms: usize,
    /// The arm drawn.
    pub chosen: Vec<usize>,
    /// What came of it.
    pub reward: Vec<f64>,
    /// The probability that it was drawn with.
    pub propensity: Vec<f64>,
    /// The logged pmf.
    pub pmf: Vec<f64>,
    /// The target's.
    pub target: Vec<f64>,
    /// The model's predictions.
    pub model: Vec<f64>,
    /// True means.
    pub truth: Vec<f64>,
    /// The arm that the target takes; empty where it is not said.
    pub choice: Vec<usize>,
    /// A hash of the episode; empty where rows are their own.
    pub episode: Vec<u64>,
    /// The slice; empty where there is one.
    pub slice: Vec<String>,
}

impl LoggedBatch {
    /// A row of a family.
    pub fn row<'a>(&self, family: &'a [f64], row: usize) -> &'a [f64] {
        let from = row * self.arms;
        family.get(from..from + self.arms).unwrap_or_default()
    }

    pub(super) fn read(
        file: &Path,
        frame: &DataFrame,
        shape: &Shape,
        first: usize,
    ) -> Result<Self, Error> {
        let read = Read { file, frame, first };
        let arms = shape.arms;
        let chosen = read.arms(&shape.action, arms)?;
        let reward = read.numbers(&shape.reward)?;
        let pmf = read.family(&shape.pmf)?;
        read.pmfs(&pmf, &shape.pmf)?;
        let target = read.family(&shape.target)?;
        read.pmfs(&target, &shape.target)?;
        let propensity = match &shape.propensity {
            Some(column) => read.numbers(column)?,
            None => chosen
                .iter()
                .enumerate()
                .map(|(row, arm)| pmf.get(row * arms + arm).copied().unwrap_or(0.0))
                .collect(),
        };
        let batch = Self {
            first,
            arms,
            chosen,
            reward,
            propensity,
            pmf,
            target,
            model: read.family(&shape.model)?,
            truth: read.family(&shape.truth)?,
            choice: match &shape.choice {
                Some(column) => read.arms(column, arms)?,
                None => Vec::new(),
            },
            episode: match &shape.episode {
                Some(column) => read.texts(column)?.iter().map(hash).collect(),
                None => Vec::new(),
            },
            slice: match &shape.slice {
                Some(column) => read.texts(column)?,
                None => Vec::new(),
            },
        };
        batch.check(&read, shape)?;
        Ok(batch)
    }

    /// The arm drawn had a chance, and the one that the pmf says.
    fn check(&self, read: &Read<'_>, shape: &Shape) -> Result<(), Error> {
        let column = shape.propensity.as_ref().or(shape.pmf.first());
        let column = column.map_or("pscore", String::as_str);
        for (row, (arm, p)) in self.chosen.iter().zip(&self.propensity).enumerate() {
            if !(*p > 0.0 && *p <= 1.0 + SLACK) {
                return Err(read.value(row, column, *p, "above 0, at most 1, on the arm drawn"));
            }
            let Some(logged) = self.row(&self.pmf, row).get(*arm) else {
                continue;
            };
            if (logged - p).abs() > SLACK {
                return Err(read.value(row, column, *p, "what the pmf gives the arm drawn"));
            }
        }
        Ok(())
    }
}

/// Columns of one batch, as numbers.
struct Read<'a> {
    file: &'a Path,
    frame: &'a DataFrame,
    first: usize,
}

impl Read<'_> {
    fn value(&self, row: usize, column: &str, found: f64, expected: &'static str) -> Error {
        self.said(row, column, &found.to_string(), expected)
    }

    fn said(&self, row: usize, column: &str, found: &str, expected: &'static str) -> Error {
        Error::Value {
            file: self.file.to_owned(),
            row: self.first + row + 1,
            column: column.to_owned(),
            found: found.to_owned(),
            expected,
        }
    }

    fn column(&self, name: &str, expected: &'static str) -> Result<&Column, Error> {
        self.frame.column(name).map_err(|_| Error::MissingColumn {
            file: self.file.to_owned(),
            column: name.to_owned(),
            expected,
        })
    }

    /// A column of finite numbers.
    fn numbers(&self, name: &str) -> Result<Vec<f64>, Error> {
        const EXPECTED: &str = "a finite number";
        let column = self.column(name, EXPECTED)?;
        let mut numbers = Vec::with_capacity(column.len());
        if let Ok(texts) = column.str() {
            for (row, text) in texts.iter().enumerate() {
                let text = text.unwrap_or_default().trim();
                let number: Option<f64> = text.parse().ok();
                numbers.push(number.ok_or_else(|| self.said(row, name, text, EXPECTED))?);
            }
        } else if column.dtype().is_primitive_numeric() || *column.dtype() == DataType::Boolean {
            let cast = column.cast(&DataType::Float64);
            let cast = cast.map_err(|e| super::frame::content(self.file, &e))?;
            let values = cast.f64();
            let values = values.map_err(|e| super::frame::content(self.file, &e))?;
            for (row, number) in values.iter().enumerate() {
                numbers.push(number.ok_or_else(|| self.said(row, name, "absent", EXPECTED))?);
            }
        } else {
            return Err(Error::ColumnType {
                file: self.file.to_owned(),
                column: name.to_owned(),
                found: column.dtype().to_string(),
                expected: EXPECTED,
            });
        }
        match numbers.iter().position(|number| !number.is_finite()) {
            Some(row) => Err(self.value(row, name, numbers[row], EXPECTED)),
            None => Ok(numbers),
        }
    }

    /// A column of numbers of arms.
    fn arms(&self, name: &str, arms: usize) -> Result<Vec<usize>, Error> {
        let numbers = self.numbers(name)?;
        let arm = |(row, number): (usize, &f64)| {
            let whole = number.fract() == 0.0 && (0.0..arms as f64).contains(number);
            let wrong = || {
                self.value(
                    row,
                    name,
                    *number,
                    "the number of an arm: arms are numbered from 0, names are not read",
                )
            };
            whole.then_some(*number as usize).ok_or_else(wrong)
        };
        numbers.iter().enumerate().map(arm).collect()
    }

    /// Columns of numbers, row by row.
    fn family(&self, names: &[String]) -> Result<Vec<f64>, Error> {
        let arms = names.len();
        let mut rows = vec![0.0; arms * if arms > 0 { self.frame.height() } else { 0 }];
        for (arm, name) in names.iter().enumerate() {
            let numbers = self.numbers(name)?;
            for (row, number) in rows.chunks_exact_mut(arms).zip(numbers) {
                row[arm] = number;
            }
        }
        Ok(rows)
    }

    /// Whether every row is a pmf.
    fn pmfs(&self, rows: &[f64], names: &[String]) -> Result<(), Error> {
        let Some(name) = names.first() else {
            return Ok(());
        };
        for (row, pmf) in rows.chunks_exact(names.len()).enumerate() {
            let sum: f64 = pmf.iter().sum();
            if pmf.iter().any(|p| *p < 0.0) || (sum - 1.0).abs() > SLACK {
                let said = format!("of a family that sums to {sum}");
                return Err(self.said(row, name, &said, "probabilities that sum to 1"));
            }
        }
        Ok(())
    }

    /// Each cell as text.
    fn texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let column = self.column(name, "text or a number")?;
        let content = |error| super::frame::content(self.file, &error);
        let texts = column.cast(&DataType::String).map_err(content)?;
        let texts = texts.str().map_err(content)?;
        let mut cells = Vec::with_capacity(texts.len());
        for (row, text) in texts.iter().enumerate() {
            let text = text.ok_or_else(|| self.said(row, name, "absent", "text or a number"))?;
            cells.push(text.to_owned());
        }
        Ok(cells)
    }
}

fn hash(text: &String) -> u64 {
    xxh3_64(text.as_bytes())
}
