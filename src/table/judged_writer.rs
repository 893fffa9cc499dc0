//! What a log said of candidates, out to Parquet: for whoever goes on with it in a notebook or a dashboard.
//!
//! | column | type | what |
//! |---|---|---|
//! | candidate | str | its specification |
//! | measure | str | `utility`, `quality`, `cost_usd`, `latency_ms` or a signal |
//! | task | str | the task that the row is of; null: all decisions |
//! | decisions | i64 | decisions that it speaks of |
//! | refusal | str | why there are no figures; else null |
//! | value, value_lower, value_upper | f64 | of the candidate, with its 95 % interval; null where there is none |
//! | difference, difference_lower, difference_upper | f64 | less the incumbent's |
//! | stabilised, stabilised_lower, stabilised_upper | f64 | the same, for a logger that learned |
//! | anytime_lower, anytime_upper | f64 | bounds of the difference at every peek |
//! | differs | bool | of tasks: whether it is told at a false-discovery rate of 10 %; else null |
//!
//! Not here: how the figures are found (`replay`).

use super::Error;
use super::frame::content;
use polars::prelude::{Column, DataFrame, ParquetWriter, PolarsResult};
use std::fs::File;
use std::path::Path;

/// A value with the ends of its interval.
pub type Spanned = Option<[f64; 3]>;

/// One measure of one candidate.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct JudgedRow {
    /// Its specification.
    pub candidate: String,
    /// The measure.
    pub measure: String,
    /// The task; absent: all decisions.
    pub task: Option<String>,
    /// Decisions.
    pub decisions: usize,
    /// Why there are no figures.
    pub refusal: Option<String>,
    /// The candidate's value.
    pub value: Spanned,
    /// Less the incumbent's.
    pub difference: Spanned,
    /// The same, stabilised.
    pub stabilised: Spanned,
    /// Bounds of the difference at every peek.
    pub anytime: Option<[f64; 2]>,
    /// Of a task: whether it differs.
    pub differs: Option<bool>,
}

/// Writes `rows` in their order.
pub fn write_judged(file: &Path, rows: &[JudgedRow]) -> Result<(), Error> {
    let out = File::create(file).map_err(|source| Error::Io {
        file: file.to_owned(),
        source,
    })?;
    let written =
        frame(rows).and_then(|mut frame| ParquetWriter::new(out).finish(&mut frame).map(|_| ()));
    written.map_err(|e| content(file, &e))
}

fn frame(rows: &[JudgedRow]) -> PolarsResult<DataFrame> {
    let text = |name: &str, of: &dyn Fn(&JudgedRow) -> Option<String>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let number = |name: String, of: &dyn Fn(&JudgedRow) -> Option<f64>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let spanned = |name: &str, of: fn(&JudgedRow) -> Spanned| {
        let ends = ["", "_lower", "_upper"].into_iter().enumerate();
        let column = |(at, end): (usize, &str)| {
            number(format!("{name}{end}"), &|r| {
                of(r).and_then(|v| v.get(at).copied())
            })
        };
        ends.map(column).collect::<Vec<Column>>()
    };
    let decisions = rows.iter().map(|r| i64::try_from(r.decisions).ok());
    let mut columns = vec![
        text("candidate", &|r| Some(r.candidate.clone())),
        text("measure", &|r| Some(r.measure.clone())),
        text("task", &|r| r.task.clone()),
        Column::new("decisions".into(), decisions.collect::<Vec<_>>()),
        text("refusal", &|r| r.refusal.clone()),
    ];
    columns.extend(spanned("value", |r| r.value));
    columns.extend(spanned("difference", |r| r.difference));
    columns.extend(spanned("stabilised", |r| r.stabilised));
    columns.push(number("anytime_lower".to_owned(), &|r| {
        r.anytime.map(|[low, _]| low)
    }));
    columns.push(number("anytime_upper".to_owned(), &|r| {
        r.anytime.map(|[_, high]| high)
    }));
    let differs: Vec<Option<bool>> = rows.iter().map(|r| r.differs).collect();
    columns.push(Column::new("differs".into(), differs));
    DataFrame::new(rows.len(), columns)
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{ParquetReader, SerReader};

    #[test]
    fn rows_come_back_with_what_is_absent_as_null() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("judged.parquet");
        let full = JudgedRow {
            candidate: "greedy".to_owned(),
            measure: "utility".to_owned(),
            task: Some("sum".to_owned()),
            decisions: 7,
            value: Some([0.5, 0.25, 0.75]),
            anytime: Some([-0.5, 0.125]),
            differs: Some(true),
            ..JudgedRow::default()
        };
        let refused = JudgedRow {
            refusal: Some("too few".to_owned()),
            ..JudgedRow::default()
        };
        write_judged(&file, &[full, refused]).unwrap();
        let frame = ParquetReader::new(File::open(&file).unwrap())
            .finish()
            .unwrap();
        assert_eq!(frame.shape(), (2, 17));
        let number = |name: &str, row| frame.column(name).unwrap().f64().unwrap().get(row);
        assert_eq!(number("value_lower", 0), Some(0.25));
        assert_eq!(number("anytime_upper", 0), Some(0.125));
        assert_eq!((number("difference", 0), number("value", 1)), (None, None));
        let text = |name: &str, row| frame.column(name).unwrap().str().unwrap().get(row);
        assert_eq!((text("task", 0), text("task", 1)), (Some("sum"), None));
        assert_eq!(text("refusal", 1), Some("too few"));
    }
}
