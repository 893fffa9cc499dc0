//! One row of an outcome table, whatever the file's format, and the check of its values.
//!
//! Invariants of a checked [`Record`]: score in [0, 1]; cost, latency and tokens at least 0; the
//! arm and the task are names.
//!
//! Units: cost in USD, latency in milliseconds.

use super::{Cell, Columns, Error};
use crate::id::Name;
use std::path::Path;

/// A column that outcome tables have.
pub(super) struct Field {
    /// Our name of it.
    pub(super) name: &'static str,
    /// What it holds, for people.
    pub(super) expected: &'static str,
    /// Whether a file may be without it.
    pub(super) required: bool,
}

/// The fields of an outcome table.
pub(super) const FIELDS: [Field; 10] = [
    field("prompt_id", "text", true),
    field("model", "text of 1 to 128 characters", true),
    field("score", "a number from 0 to 1", true),
    field("task", "text of 1 to 128 characters", false),
    field("prompt", "text", false),
    field("cost_usd", "a number of at least 0", false),
    field("input_tokens", "a whole number of at least 0", false),
    field("output_tokens", "a whole number of at least 0", false),
    field("latency_ms", "a number of at least 0", false),
    field("signals", "JSON as text", false),
];

const fn field(name: &'static str, expected: &'static str, required: bool) -> Field {
    Field {
        name,
        expected,
        required,
    }
}

/// The field called `name`. Only called with names of the table above.
pub(super) fn expected(name: &str) -> &'static str {
    FIELDS
        .iter()
        .find(|field| field.name == name)
        .map_or("", |field| field.expected)
}

/// A row as read, unchecked: text and numbers in the order of [`FIELDS`] by kind.
#[derive(Debug, Default)]
pub(super) struct Raw {
    pub(super) prompt_id: Option<String>,
    pub(super) model: Option<String>,
    pub(super) task: Option<String>,
    pub(super) prompt: Option<String>,
    pub(super) signals: Option<String>,
    pub(super) score: Option<f64>,
    pub(super) cost_usd: Option<f64>,
    pub(super) input_tokens: Option<f64>,
    pub(super) output_tokens: Option<f64>,
    pub(super) latency_ms: Option<f64>,
}

/// A checked row.
pub(super) struct Record {
    pub(super) prompt_id: String,
    pub(super) arm: Name,
    pub(super) task: Option<Name>,
    pub(super) prompt: Option<String>,
    /// Absent where the row has no score.
    pub(super) cell: Option<Cell>,
}

/// Where a row stands, for errors.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) file: &'a Path,
    pub(super) columns: &'a Columns,
    pub(super) row: usize,
}

impl Place<'_> {
    /// An error about the value of `field` in this row.
    pub(super) fn value(self, field: &str, found: impl ToString) -> Error {
        Error::Value {
            file: self.file.to_owned(),
            row: self.row,
            column: self.columns.of(field).to_owned(),
            found: found.to_string(),
            expected: expected(field),
        }
    }

    fn name(self, field: &str, text: &str) -> Result<Name, Error> {
        Name::new(text).map_err(|_| self.value(field, format!("{text:?}")))
    }

    fn number(self, field: &str, value: Option<f64>, most: f64) -> Result<Option<f64>, Error> {
        match value {
            Some(v) if !(0.0..=most).contains(&v) => Err(self.value(field, v)),
            _ => Ok(value),
        }
    }

    fn count(self, field: &str, value: Option<f64>) -> Result<Option<u32>, Error> {
        let checked = self.number(field, value, f64::from(u32::MAX))?;
        match checked {
            Some(v) if v.fract() != 0.0 => Err(self.value(field, v)),
            _ => Ok(checked.map(|v| v as u32)),
        }
    }
}

impl Raw {
    /// Checks ranges and names.
    pub(super) fn check(self, place: Place<'_>) -> Result<Record, Error> {
        let absent = |field| place.value(field, "absent");
        let model = self.model.ok_or_else(|| absent("model"))?;
        let task = self.task.filter(|task| !task.is_empty());
        let score = place.number("score", self.score, 1.0)?;
        let cost_usd = place.number("cost_usd", self.cost_usd, f64::MAX)?;
        let latency_ms = place.number("latency_ms", self.latency_ms, f64::MAX)?;
        let input_tokens = place.count("input_tokens", self.input_tokens)?;
        let output_tokens = place.count("output_tokens", self.output_tokens)?;
        Ok(Record {
            prompt_id: self.prompt_id.ok_or_else(|| absent("prompt_id"))?,
            arm: place.name("model", &model)?,
            task: task.map(|task| place.name("task", &task)).transpose()?,
            prompt: self.prompt,
            cell: score.map(|score| Cell {
                score,
                cost_usd,
                latency_ms,
                input_tokens,
                output_tokens,
                signals: self.signals,
            }),
        })
    }
}
