//! The outcomes of an import on their way into an outcome table.
//!
//! Invariants: a prompt has one outcome with each arm.

use super::parquet;
use super::summary::{ArmRows, Imported, Tally};
use crate::id::Name;
use crate::table::outcome_writer::{Outcome, columns};
use crate::table::{Cell, Error, Prompt};
use polars::prelude::DataFrame;
use std::collections::{BTreeMap, HashSet};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Outcomes in the order of the files.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    prompts: Vec<Prompt>,
    rows: Vec<(usize, Name, Cell)>,
    seen: HashSet<(String, Name)>,
    pub(super) left_out: Tally,
    pub(super) rows_read: usize,
}

impl Gathered {
    /// A prompt that outcomes follow of; its place.
    pub(super) fn prompt(&mut self, prompt: Prompt) -> usize {
        self.prompts.push(prompt);
        self.prompts.len() - 1
    }

    /// An outcome; `cell` is absent where it has no score. `row` counts from 1.
    pub(super) fn add(
        &mut self,
        (file, row): (&Path, usize),
        prompt: usize,
        arm: &Name,
        cell: Option<Cell>,
    ) -> Result<(), Error> {
        let id = self.prompts.get(prompt).map(|prompt| prompt.id.clone());
        let id = id.unwrap_or_default();
        if !self.seen.insert((id.clone(), arm.clone())) {
            return Err(Error::Duplicate {
                file: file.to_owned(),
                row,
                prompt: id,
                arm: arm.as_str().to_owned(),
            });
        }
        match cell {
            Some(cell) => self.rows.push((prompt, arm.clone(), cell)),
            None => self.left_out.add("without a score"),
        }
        Ok(())
    }

    /// Writes the table.
    pub(super) fn write(
        self,
        format: &'static str,
        files: &[PathBuf],
        out: &Path,
    ) -> Result<Imported, Error> {
        let first = files.first().map_or(out, PathBuf::as_path);
        self.left_out
            .some_left(self.rows.len(), self.rows_read, first)?;
        let dataset = out.file_stem().unwrap_or_default().to_string_lossy();
        let frame = |range: Range<usize>| {
            let rows = self.rows.get(range).unwrap_or_default().iter();
            let outcomes: Vec<Outcome<'_>> = rows
                .filter_map(|(prompt, arm, cell)| {
                    Some(Outcome {
                        dataset: &dataset,
                        prompt: self.prompts.get(*prompt)?,
                        arm,
                        cell,
                    })
                })
                .collect();
            DataFrame::new(outcomes.len(), columns(&outcomes))
        };
        parquet::write(out, self.rows.len(), frame)?;
        let mut arms: BTreeMap<&Name, usize> = BTreeMap::new();
        for (_, arm, _) in &self.rows {
            *arms.entry(arm).or_default() += 1;
        }
        let arm = |(name, rows): (&Name, usize)| ArmRows {
            name: name.as_str().to_owned(),
            number: None,
            probability: None,
            drawn: None,
            rows,
        };
        let arms: Vec<ArmRows> = arms.into_iter().map(arm).collect();
        let most = arms.iter().map(|arm| arm.rows).max();
        let uneven = arms.iter().any(|arm| Some(arm.rows) != most);
        let notes = uneven.then(|| {
            "not every model has a score on every prompt: replay plays the prompts that all arms have; see its \
             --min-coverage and --arms"
                .to_owned()
        });
        Ok(Imported {
            format,
            to: out.to_owned(),
            holds: "outcome_table",
            rows_read: self.rows_read,
            outcomes: self.seen.len(),
            rows_written: self.rows.len(),
            left_out: self.left_out.0,
            arms,
            notes: notes.into_iter().collect(),
            next: format!("bellwether replay outcomes {}", out.display()),
        })
    }
}
