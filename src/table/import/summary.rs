//! What an import did, for people and as JSON.
//!
//! Invariants: outcomes = rows written + the rows left out.

use crate::table::Error;
use serde::Serialize;
use std::fmt;
use std::path::{Path, PathBuf};

/// Arms that the text names at most; the JSON has all.
const ARMS: usize = 24;

/// What an import did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Imported {
    /// The format that was read.
    pub format: &'static str,
    /// The file that was written.
    pub to: PathBuf,
    /// What it is: `outcome_table` or `bandit_feedback`.
    pub holds: &'static str,
    /// Rows of the files.
    pub rows_read: usize,
    /// Outcomes that these rows could give: each times the models of a wide table, itself elsewhere.
    pub outcomes: usize,
    /// Rows written, one for each outcome.
    pub rows_written: usize,
    /// Outcomes left out.
    pub left_out: Vec<Left>,
    /// The arms.
    pub arms: Vec<ArmRows>,
    /// What a reader has to know.
    pub notes: Vec<String>,
    /// The command that reads it.
    pub next: String,
}

/// Outcomes left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Left {
    /// How many.
    pub rows: usize,
    /// Why.
    pub why: String,
}

/// What was written of an arm.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmRows {
    /// Its name.
    pub name: String,
    /// Its number, in bandit feedback.
    pub number: Option<usize>,
    /// The probability that it was drawn with, where it is one for all rows.
    pub probability: Option<f64>,
    /// How often it was drawn among the requests that succeeded, with or without an outcome.
    pub drawn: Option<usize>,
    /// Rows written.
    pub rows: usize,
}

/// Counts what is left out, by reason, in the order that reasons come.
#[derive(Debug, Default)]
pub(super) struct Tally(pub(super) Vec<Left>);

impl Tally {
    pub(super) fn add(&mut self, why: &str) {
        match self.0.iter_mut().find(|left| left.why == why) {
            Some(left) => left.rows += 1,
            None => self.0.push(Left {
                rows: 1,
                why: why.to_owned(),
            }),
        }
    }

    /// The reasons in words.
    fn told(left: &[Left]) -> String {
        let told = left
            .iter()
            .map(|left| format!("{} {}", left.rows, left.why));
        match told.collect::<Vec<_>>().join(", ") {
            none if none.is_empty() => "none".to_owned(),
            told => told,
        }
    }

    /// An error where nothing is left.
    pub(super) fn some_left(&self, written: usize, rows: usize, file: &Path) -> Result<(), Error> {
        match written {
            0 => Err(Error::NothingLeft {
                file: file.to_owned(),
                read: format!("{rows} rows"),
                left_out: Self::told(&self.0),
            }),
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Imported {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (to, holds) = (self.to.display(), self.holds.replace('_', " "));
        writeln!(f, "{to}: {holds}, from {}", self.format)?;
        write!(f, "Read      {} rows", self.rows_read)?;
        match self.outcomes == self.rows_read {
            true => writeln!(f)?,
            false => writeln!(f, ", {} outcomes possible", self.outcomes)?,
        }
        writeln!(f, "Written   {} rows", self.rows_written)?;
        writeln!(f, "Left out  {}", Tally::told(&self.left_out))?;
        writeln!(f, "Arms      {}", self.arms.len())?;
        for arm in self.arms.iter().take(ARMS) {
            write!(f, "  ")?;
            if let Some(number) = arm.number {
                write!(f, "{number}  ")?;
            }
            write!(f, "{}: {} rows", arm.name, arm.rows)?;
            if let Some(drawn) = arm.drawn {
                write!(f, " of {drawn} drawn")?;
            }
            if let Some(probability) = arm.probability {
                write!(f, ", probability {probability:.4}")?;
            }
            writeln!(f)?;
        }
        if self.arms.len() > ARMS {
            writeln!(f, "  and {} more", self.arms.len() - ARMS)?;
        }
        for note in &self.notes {
            writeln!(f, "Note      {note}")?;
        }
        write!(f, "Next      {}", self.next)
    }
}
