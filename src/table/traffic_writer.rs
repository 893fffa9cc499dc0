//! Traffic out to Parquet, a row group at a time: memory is bounded by one batch.
//!
//! Not here: the columns' meaning ([`super::traffic`]).

use super::Error;
use super::frame::content;
use super::traffic::{SCHEMA_VERSION, TrafficRow};
use super::traffic_reader::BATCH;
use crate::id::Name;
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    Column, DataFrame, DataType, Float32Type, Float64Type, IntoColumn, IntoSeries,
    ListBuilderTrait, ListPrimitiveChunkedBuilder, ListStringChunkedBuilder, ParquetWriter,
    PolarsNumericType, PolarsResult, UInt32Type,
};
use std::fs::File;
use std::path::{Path, PathBuf};

/// Writes rows in batches. A file that was not finished is no Parquet file.
pub struct TrafficWriter {
    file: PathBuf,
    writer: BatchedWriter<File>,
    batch: Vec<TrafficRow>,
    written: usize,
}

impl std::fmt::Debug for TrafficWriter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TrafficWriter")
            .field("file", &self.file)
            .field("written", &self.written)
            .finish_non_exhaustive()
    }
}

impl TrafficWriter {
    /// Makes the file, or empties it.
    pub fn create(file: &Path) -> Result<Self, Error> {
        let out = File::create(file).map_err(|source| Error::Io {
            file: file.to_owned(),
            source,
        })?;
        let empty = frame(&[]).map_err(|e| content(file, &e))?;
        let writer = ParquetWriter::new(out)
            .batched(empty.schema())
            .map_err(|e| content(file, &e))?;
        Ok(Self {
            file: file.to_owned(),
            writer,
            batch: Vec::with_capacity(BATCH),
            written: 0,
        })
    }

    /// Adds a row.
    pub fn write(&mut self, row: TrafficRow) -> Result<(), Error> {
        self.batch.push(row);
        if self.batch.len() == BATCH {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what is left and the footer; gives the number of rows.
    pub fn finish(mut self) -> Result<usize, Error> {
        if !self.batch.is_empty() {
            self.flush()?;
        }
        let finished = self.writer.finish();
        finished.map_err(|e| content(&self.file, &e))?;
        Ok(self.written)
    }

    fn flush(&mut self) -> Result<(), Error> {
        let frame = frame(&self.batch).map_err(|e| content(&self.file, &e))?;
        let written = self.writer.write_batch(&frame);
        written.map_err(|e| content(&self.file, &e))?;
        self.written += self.batch.len();
        self.batch.clear();
        Ok(())
    }
}

/// The columns of a batch.
fn frame(rows: &[TrafficRow]) -> PolarsResult<DataFrame> {
    let text = |name: &str, of: &dyn Fn(&TrafficRow) -> Option<String>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let whole = |name: &str, of: &dyn Fn(&TrafficRow) -> i64| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let number = |name: &str, of: &dyn Fn(&TrafficRow) -> Option<f64>| {
        Column::new(name.into(), rows.iter().map(of).collect::<Vec<_>>())
    };
    let owned = |name: &Option<Name>| name.as_ref().map(|n| n.as_str().to_owned());
    let versions = vec![SCHEMA_VERSION; rows.len()];
    let certain: Vec<bool> = rows.iter().map(TrafficRow::deterministic).collect();
    let as_of = rows.iter().map(|r| r.as_of.map(|time| time.micros()));
    let as_of: Vec<Option<i64>> = as_of.collect();
    let closed: Vec<bool> = rows.iter().map(|r| r.closed).collect();
    let mut columns = vec![
        Column::new("schema_version".into(), versions),
        text("decision_id", &|r| Some(r.id.to_string())),
        whole("time_us", &|r| r.time.micros()),
        text("team", &|r| Some(r.team.as_str().to_owned())),
        text("task", &|r| owned(&r.task)),
        text("episode", &|r| owned(&r.episode)),
        text("origin", &|r| Some(r.origin_name().to_owned())),
        text("cell", &|r| Some(r.cell_name().to_owned())),
        text("draw_id", &|r| r.earlier().map(|id| id.to_string())),
        Column::new("deterministic".into(), certain),
        text("policy", &|r| Some(r.policy.clone())),
        whole("scorecard_version", &|r| i64::from(r.scorecard_version)),
        whole("snapshot_version", &|r| {
            i64::try_from(r.snapshot_version).unwrap_or(i64::MAX)
        }),
        text("feature_set", &|r| Some(r.feature_set.as_str().to_owned())),
        f32_lists(rows, "context", |r| r.context.as_deref()),
        number("samples", &|r| Some(r.drawn.samples)),
        number("uniform", &|r| Some(r.drawn.uniform)),
        whole("chosen", &|r| i64::from(r.drawn.chosen)),
        number("propensity", &|r| Some(r.drawn.propensity())),
        text("served_arm", &|r| owned(&r.served)),
        number("cost_usd", &|r| r.cost_usd),
        number("latency_ms", &|r| r.latency_ms),
        Column::new("as_of_us".into(), as_of),
        Column::new("episode_closed".into(), closed),
        number("quality", &|r| r.quality),
        number("utility_realised", &|r| r.utility),
    ];
    columns.extend(list_columns(rows));
    DataFrame::new(rows.len(), columns)
}

/// The columns with one entry for each arm or signal.
fn list_columns(rows: &[TrafficRow]) -> Vec<Column> {
    let values: Vec<Vec<f64>> = rows
        .iter()
        .map(|row| row.outcomes.iter().map(|(_, value)| *value).collect())
        .collect();
    vec![
        name_lists(rows, "arms", |r| r.drawn.arms.iter().collect()),
        f64_lists(rows.iter().map(|r| r.drawn.pmf.as_slice()), "pmf"),
        f64_lists(rows.iter().map(|r| &*r.drawn.floor), "floor"),
        f64_lists(rows.iter().map(|r| &*r.drawn.utility), "utility"),
        f64_lists(rows.iter().map(|r| &*r.drawn.utility_sd), "utility_sd"),
        f64_lists(rows.iter().map(|r| &*r.drawn.cost_usd), "expected_cost_usd"),
        f64_lists(
            rows.iter().map(|r| &*r.drawn.reference_cost_usd),
            "reference_cost_usd",
        ),
        f64_lists(
            rows.iter().map(|r| &*r.drawn.latency_ms),
            "expected_latency_ms",
        ),
        name_lists(rows, "signals", |r| r.drawn.signals.iter().collect()),
        f32_lists(rows, "signal_mean", |r| Some(&*r.drawn.signal_mean)),
        f32_lists(rows, "signal_sd", |r| Some(&*r.drawn.signal_sd)),
        lists_of::<UInt32Type>(
            rows.iter().map(|r| Some(&*r.drawn.forced)),
            "forced",
            DataType::UInt32,
        ),
        name_lists(rows, "outcome_names", |r| {
            r.outcomes.iter().map(|(name, _)| name).collect()
        }),
        f64_lists(values.iter().map(Vec::as_slice), "outcome_values"),
        name_lists(rows, "wanted", |r| r.wanted.iter().collect()),
    ]
}

fn f64_lists<'a>(lists: impl Iterator<Item = &'a [f64]>, name: &str) -> Column {
    lists_of::<Float64Type>(lists.map(Some), name, DataType::Float64)
}

fn f32_lists<'a>(
    rows: &'a [TrafficRow],
    name: &str,
    of: impl Fn(&'a TrafficRow) -> Option<&'a [f32]>,
) -> Column {
    lists_of::<Float32Type>(rows.iter().map(of), name, DataType::Float32)
}

fn lists_of<'a, T: PolarsNumericType>(
    lists: impl Iterator<Item = Option<&'a [T::Native]>>,
    name: &str,
    inner: DataType,
) -> Column {
    let mut builder = ListPrimitiveChunkedBuilder::<T>::new(name.into(), BATCH, BATCH, inner);
    for list in lists {
        builder.append_opt_slice(list);
    }
    builder.finish().into_series().into_column()
}

fn name_lists<'a>(
    rows: &'a [TrafficRow],
    name: &str,
    of: impl Fn(&'a TrafficRow) -> Vec<&'a Name>,
) -> Column {
    let mut builder = ListStringChunkedBuilder::new(name.into(), BATCH, BATCH);
    for row in rows {
        builder.append_values_iter(of(row).into_iter().map(Name::as_str));
    }
    builder.finish().into_series().into_column()
}
