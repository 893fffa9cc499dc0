//! Outcome tables out to Parquet.
//!
//! Not here: the columns' meaning for readers ([`super::OutcomeTable`]); columns that only a
//! simulated table can have (`team`, `episode`, `at_s`, `expected_reward`) are passed over by them.

use super::frame::content;
use super::{Cell, Error, Prompt};
use crate::id::Name;
use polars::prelude::{Column, DataFrame, ParquetWriter, PolarsResult};
use std::fs::File;
use std::path::Path;

/// One prompt with one arm.
#[derive(Debug, Clone, PartialEq)]
pub struct OutcomeRow {
    /// The table's name.
    pub dataset: String,
    /// The prompt.
    pub prompt: Prompt,
    /// The arm.
    pub arm: Name,
    /// What came of it.
    pub cell: Cell,
    /// Who asked.
    pub team: Name,
    /// The episode that the prompt belongs to.
    pub episode: Option<Name>,
    /// When it was asked, in seconds from the table's beginning.
    pub at_s: i64,
    /// Mean reward over the simulator's dice.
    pub expected_reward: f64,
}

/// Writes `rows` in their order.
pub fn write_outcomes(file: &Path, rows: &[OutcomeRow]) -> Result<(), Error> {
    let out = File::create(file).map_err(|source| Error::Io {
        file: file.to_owned(),
        source,
    })?;
    let written =
        frame(rows).and_then(|mut frame| ParquetWriter::new(out).finish(&mut frame).map(|_| ()));
    written.map_err(|e| content(file, &e))
}

fn frame(rows: &[OutcomeRow]) -> PolarsResult<DataFrame> {
    let plain: Vec<Outcome<'_>> = rows.iter().map(OutcomeRow::plain).collect();
    let mut columns = columns(&plain);
    let owned = |name: &Name| name.as_str().to_owned();
    let text = |name: &str, of: &dyn Fn(&OutcomeRow) -> Option<String>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    columns.push(text("team", &|r| Some(owned(&r.team))));
    columns.push(text("episode", &|r| r.episode.as_ref().map(owned)));
    let at_s: Vec<i64> = rows.iter().map(|r| r.at_s).collect();
    columns.push(Column::new("at_s".into(), at_s));
    let expected: Vec<f64> = rows.iter().map(|r| r.expected_reward).collect();
    columns.push(Column::new("expected_reward".into(), expected));
    DataFrame::new(rows.len(), columns)
}

/// One prompt with one arm, without what only a simulator knows.
#[derive(Clone, Copy)]
pub(super) struct Outcome<'a> {
    pub(super) dataset: &'a str,
    pub(super) prompt: &'a Prompt,
    pub(super) arm: &'a Name,
    pub(super) cell: &'a Cell,
}

impl OutcomeRow {
    fn plain(&self) -> Outcome<'_> {
        Outcome {
            dataset: &self.dataset,
            prompt: &self.prompt,
            arm: &self.arm,
            cell: &self.cell,
        }
    }
}

/// The columns that every outcome table has.
pub(super) fn columns(rows: &[Outcome<'_>]) -> Vec<Column> {
    fn text<'a>(
        name: &str,
        rows: &[Outcome<'a>],
        of: impl Fn(&Outcome<'a>) -> Option<&'a str>,
    ) -> Column {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    }
    let number = |name: &str, of: &dyn Fn(&Cell) -> Option<f64>| {
        let cells: Vec<Option<f64>> = rows.iter().map(|r| of(r.cell)).collect();
        Column::new(name.into(), cells)
    };
    let whole = |name: &str, of: &dyn Fn(&Cell) -> Option<u32>| {
        let cells = rows.iter().map(|r| of(r.cell).map(i64::from));
        Column::new(name.into(), cells.collect::<Vec<Option<i64>>>())
    };
    vec![
        text("dataset", rows, |r| Some(r.dataset)),
        text("task", rows, |r| r.prompt.task.as_ref().map(Name::as_str)),
        text("prompt_id", rows, |r| Some(r.prompt.id.as_str())),
        text("prompt", rows, |r| r.prompt.text.as_deref()),
        text("model", rows, |r| Some(r.arm.as_str())),
        number("score", &|cell| Some(cell.score)),
        number("cost_usd", &|cell| cell.cost_usd),
        whole("input_tokens", &|cell| cell.input_tokens),
        whole("output_tokens", &|cell| cell.output_tokens),
        number("latency_ms", &|cell| cell.latency_ms),
        text("signals", rows, |r| r.cell.signals.as_deref()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{Columns, OutcomeTable};

    fn row(id: &str, arm: &str, score: f64) -> OutcomeRow {
        OutcomeRow {
            dataset: "made".to_owned(),
            prompt: Prompt {
                id: id.to_owned(),
                task: Name::new("sum").ok(),
                text: Some(format!("prompt {id}")),
            },
            arm: Name::new(arm).unwrap(),
            cell: Cell {
                score,
                cost_usd: Some(0.25),
                latency_ms: None,
                input_tokens: Some(3),
                output_tokens: None,
                signals: Some(r#"{"ok":true}"#.to_owned()),
            },
            team: Name::new("coding").unwrap(),
            episode: None,
            at_s: 7,
            expected_reward: 0.5,
        }
    }

    #[test]
    fn what_was_written_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("made.parquet");
        let rows = [row("1", "a", 0.5), row("1", "b", 1.0), row("2", "a", 0.0)];
        write_outcomes(&file, &rows).unwrap();
        let table = OutcomeTable::read(&file, &Columns::default()).unwrap();
        assert_eq!((table.prompts.len(), table.dropped), (1, 1));
        assert_eq!(table.prompts[0], rows[0].prompt);
        assert_eq!(table.cells(0), [rows[0].cell.clone(), rows[1].cell.clone()]);
    }

    #[test]
    fn a_file_that_cannot_be_made_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("absent").join("made.parquet");
        let error = write_outcomes(&file, &[]).unwrap_err().to_string();
        assert!(error.contains("made.parquet"), "{error}");
    }
}
