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
    let text = |name: &str, of: &dyn Fn(&OutcomeRow) -> Option<String>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let number = |name: &str, of: &dyn Fn(&OutcomeRow) -> Option<f64>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let whole = |name: &str, of: &dyn Fn(&OutcomeRow) -> Option<i64>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let owned = |name: &Name| name.as_str().to_owned();
    let columns = vec![
        text("dataset", &|r| Some(r.dataset.clone())),
        text("task", &|r| r.prompt.task.as_ref().map(owned)),
        text("prompt_id", &|r| Some(r.prompt.id.clone())),
        text("prompt", &|r| r.prompt.text.clone()),
        text("model", &|r| Some(owned(&r.arm))),
        number("score", &|r| Some(r.cell.score)),
        number("cost_usd", &|r| r.cell.cost_usd),
        whole("input_tokens", &|r| r.cell.input_tokens.map(i64::from)),
        whole("output_tokens", &|r| r.cell.output_tokens.map(i64::from)),
        number("latency_ms", &|r| r.cell.latency_ms),
        text("signals", &|r| r.cell.signals.clone()),
        text("team", &|r| Some(owned(&r.team))),
        text("episode", &|r| r.episode.as_ref().map(owned)),
        whole("at_s", &|r| Some(r.at_s)),
        number("expected_reward", &|r| Some(r.expected_reward)),
    ];
    DataFrame::new(rows.len(), columns)
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
