//! One batch of traffic: typed columns by name, put together into rows.
//!
//! Invariants: a row's draw is whole (`Drawn::check`), or there is an error that names its place.
//!
//! Not here: the columns' meaning ([`super::traffic`]), which rows make a batch (`traffic_reader`).

use super::Error;
use super::traffic::TrafficRow;
use crate::decision::{Cell, Drawn, Origin};
use crate::id::{DecisionId, Name};
use crate::unit::{Pmf, Timestamp};
use polars::prelude::{
    Column, DataFrame, DataType, Float32Type, Float64Type, ListChunked, PolarsNumericType,
    PolarsResult, Series, UInt32Type,
};
use std::path::Path;

/// A batch of columns, read by name and type.
pub(super) struct Batch<'a> {
    pub(super) file: &'a Path,
    pub(super) frame: &'a DataFrame,
    /// Rows of the file before it.
    pub(super) first: usize,
}

impl Batch<'_> {
    fn column(&self, name: &str, expected: &'static str) -> Result<&Column, Error> {
        self.frame.column(name).map_err(|_| Error::MissingColumn {
            file: self.file.to_owned(),
            column: name.to_owned(),
            expected,
        })
    }

    /// Reads a column with `of`, which fails on another type.
    fn read<T>(
        &self,
        name: &str,
        expected: &'static str,
        of: impl Fn(&Column) -> PolarsResult<Vec<T>>,
    ) -> Result<Vec<T>, Error> {
        let column = self.column(name, expected)?;
        of(column).map_err(|_| Error::ColumnType {
            file: self.file.to_owned(),
            column: name.to_owned(),
            found: column.dtype().to_string(),
            expected,
        })
    }

    pub(super) fn whole(&self, name: &str) -> Result<Vec<Option<i64>>, Error> {
        self.read(name, "i64", |c| {
            Ok(c.strict_cast(&DataType::Int64)?.i64()?.iter().collect())
        })
    }

    /// A column that came later: nothing where the file does not have it.
    fn added<T>(
        &self,
        name: &str,
        of: impl Fn(&Self) -> Result<Vec<Option<T>>, Error>,
    ) -> Result<Vec<Option<T>>, Error> {
        match self.frame.column(name) {
            Ok(_) => of(self),
            Err(_) => Ok((0..self.frame.height()).map(|_| None).collect()),
        }
    }

    fn flag(&self, name: &str) -> Result<Vec<Option<bool>>, Error> {
        self.read(name, "bool", |c| Ok(c.bool()?.iter().collect()))
    }

    fn number(&self, name: &str) -> Result<Vec<Option<f64>>, Error> {
        self.read(name, "f64", |c| Ok(c.f64()?.iter().collect()))
    }

    fn text(&self, name: &str) -> Result<Vec<Option<String>>, Error> {
        let owned = |text: Option<&str>| text.map(str::to_owned);
        self.read(name, "str", |c| Ok(c.str()?.iter().map(owned).collect()))
    }

    /// A column of lists of `T`.
    fn numbers<T: PolarsNumericType>(
        &self,
        name: &str,
        expected: &'static str,
    ) -> Result<Vec<Option<Vec<T::Native>>>, Error> {
        self.read(name, expected, |c| {
            lists(c.list()?, |s| {
                Ok(s.unpack::<T>()?.iter().flatten().collect())
            })
        })
    }

    fn f64_lists(&self, name: &str) -> Result<Vec<Option<Vec<f64>>>, Error> {
        self.numbers::<Float64Type>(name, "list[f64]")
    }

    fn f32_lists(&self, name: &str) -> Result<Vec<Option<Vec<f32>>>, Error> {
        self.numbers::<Float32Type>(name, "list[f32]")
    }

    fn name_lists(&self, name: &'static str) -> Result<Vec<Option<Vec<Name>>>, Error> {
        let texts = self.read(name, "list[str]", |c| {
            lists(c.list()?, |s| {
                Ok(s.str()?.iter().flatten().map(str::to_owned).collect())
            })
        })?;
        let names = |(row, list): (usize, Option<Vec<String>>)| {
            let checked = |text: &String| self.name(row, name, text);
            list.map(|texts| texts.iter().map(checked).collect())
                .transpose()
        };
        texts.into_iter().enumerate().map(names).collect()
    }

    /// An error about a value of this batch's `row`.
    fn fault(
        &self,
        row: usize,
        column: &str,
        found: impl ToString,
        expected: &'static str,
    ) -> Error {
        Error::Value {
            file: self.file.to_owned(),
            row: self.first + row + 1,
            column: column.to_owned(),
            found: found.to_string(),
            expected,
        }
    }

    fn name(&self, row: usize, column: &str, text: &str) -> Result<Name, Error> {
        Name::new(text).map_err(|_| self.fault(row, column, text, "1 to 128 printable characters"))
    }

    fn id(&self, row: usize, column: &str, text: &str) -> Result<DecisionId, Error> {
        let fault = || self.fault(row, column, text, "a UUID");
        let uuid = uuid::Uuid::parse_str(text).map_err(|_| fault())?;
        Ok(DecisionId::recorded(uuid.as_u128()))
    }

    fn draws(&self) -> Result<Vec<Drawn>, Error> {
        let mut arms = self.name_lists("arms")?.into_iter();
        let mut signals = self.name_lists("signals")?.into_iter();
        let mut pmf = self.f64_lists("pmf")?.into_iter();
        let mut floor = self.f64_lists("floor")?.into_iter();
        let mut utility = self.f64_lists("utility")?.into_iter();
        let mut utility_sd = self.f64_lists("utility_sd")?.into_iter();
        let mut signal_mean = self.f32_lists("signal_mean")?.into_iter();
        let mut signal_sd = self.f32_lists("signal_sd")?.into_iter();
        let mut cost_usd = self.f64_lists("expected_cost_usd")?.into_iter();
        let mut reference_cost_usd = self.f64_lists("reference_cost_usd")?.into_iter();
        let mut latency_ms = self.f64_lists("expected_latency_ms")?.into_iter();
        let mut forced = self
            .numbers::<UInt32Type>("forced", "list[u32]")?
            .into_iter();
        let mut samples = self.number("samples")?.into_iter();
        let mut uniform = self.number("uniform")?.into_iter();
        let mut chosen = self.whole("chosen")?.into_iter();
        (0..self.frame.height())
            .map(|row| {
                let pmf = Pmf::new(take(&mut pmf).unwrap_or_default())
                    .map_err(|e| self.fault(row, "pmf", e, "a pmf"))?;
                let chosen = take(&mut chosen).and_then(|index| u32::try_from(index).ok());
                let drawn = Drawn {
                    arms: take(&mut arms).unwrap_or_default(),
                    signals: take(&mut signals).unwrap_or_default(),
                    pmf,
                    floor: take(&mut floor).unwrap_or_default(),
                    utility: take(&mut utility).unwrap_or_default(),
                    utility_sd: take(&mut utility_sd).unwrap_or_default(),
                    signal_mean: take(&mut signal_mean).unwrap_or_default(),
                    signal_sd: take(&mut signal_sd).unwrap_or_default(),
                    cost_usd: take(&mut cost_usd).unwrap_or_default(),
                    reference_cost_usd: take(&mut reference_cost_usd).unwrap_or_default(),
                    latency_ms: take(&mut latency_ms).unwrap_or_default(),
                    forced: take(&mut forced).unwrap_or_default(),
                    samples: take(&mut samples).unwrap_or(0.0),
                    uniform: take(&mut uniform).unwrap_or(0.0),
                    chosen: chosen
                        .ok_or_else(|| self.fault(row, "chosen", "absent", "an arm's index"))?,
                };
                drawn
                    .check()
                    .map_err(|e| self.fault(row, "pmf", e, "a draw that passed its checks"))?;
                Ok(drawn)
            })
            .collect()
    }

    pub(super) fn rows(&self) -> Result<Vec<TrafficRow>, Error> {
        let (ids, times) = (self.text("decision_id")?, self.whole("time_us")?);
        let (teams, tasks) = (self.text("team")?, self.text("task")?);
        let (episodes, origins) = (self.text("episode")?, self.text("origin")?);
        let (earlier, policies) = (self.text("draw_id")?, self.text("policy")?);
        let scorecards = self.whole("scorecard_version")?;
        let snapshots = self.whole("snapshot_version")?;
        let feature_sets = self.text("feature_set")?;
        let mut contexts = self.f32_lists("context")?;
        let served = self.text("served_arm")?;
        let (costs, latencies) = (self.number("cost_usd")?, self.number("latency_ms")?);
        let (quality, utility) = (self.number("quality")?, self.number("utility_realised")?);
        let cells = self.added("cell", |batch| batch.text("cell"))?;
        let as_of = self.added("as_of_us", |batch| batch.whole("as_of_us"))?;
        let closed = self.added("episode_closed", |batch| batch.flag("episode_closed"))?;
        let mut outcome_names = self.name_lists("outcome_names")?.into_iter();
        let mut outcome_values = self.f64_lists("outcome_values")?.into_iter();
        let wanted = self.added("wanted", |batch| batch.name_lists("wanted"))?;
        let mut wanted = wanted.into_iter();
        let required = |row: usize, column: &str, text: &Option<String>| {
            text.clone()
                .ok_or_else(|| self.fault(row, column, "null", "text"))
        };
        let optional = |row: usize, column: &str, text: &Option<String>| {
            let name = |text: &String| self.name(row, column, text);
            text.as_ref().map(name).transpose()
        };
        let mut rows = Vec::with_capacity(self.frame.height());
        for (row, drawn) in self.draws()?.into_iter().enumerate() {
            let text =
                |column: &str, values: &[Option<String>]| required(row, column, &values[row]);
            let outcomes = take(&mut outcome_names).unwrap_or_default().into_iter();
            let values = take(&mut outcome_values).unwrap_or_default();
            rows.push(TrafficRow {
                id: self.id(row, "decision_id", &text("decision_id", &ids)?)?,
                time: Timestamp::from_micros(times[row].unwrap_or(0)),
                team: self.name(row, "team", &text("team", &teams)?)?,
                task: optional(row, "task", &tasks[row])?,
                episode: optional(row, "episode", &episodes[row])?,
                origin: self.origin(row, &text("origin", &origins)?, earlier[row].as_deref())?,
                cell: self.cell(row, cells[row].as_deref())?,
                policy: text("policy", &policies)?,
                scorecard_version: scorecards[row].and_then(|v| v.try_into().ok()).unwrap_or(0),
                snapshot_version: snapshots[row].and_then(|v| v.try_into().ok()).unwrap_or(0),
                feature_set: self.name(row, "feature_set", &text("feature_set", &feature_sets)?)?,
                context: contexts[row].take(),
                drawn,
                served: optional(row, "served_arm", &served[row])?,
                cost_usd: costs[row],
                latency_ms: latencies[row],
                outcomes: outcomes.zip(values).collect(),
                as_of: as_of[row].map(Timestamp::from_micros),
                closed: closed[row].unwrap_or(false),
                quality: quality[row],
                utility: utility[row],
                wanted: take(&mut wanted).unwrap_or_default(),
            });
        }
        Ok(rows)
    }

    fn origin(&self, row: usize, text: &str, earlier: Option<&str>) -> Result<Origin, Error> {
        let id = || self.id(row, "draw_id", earlier.unwrap_or("null"));
        match text {
            "drawn" => Ok(Origin::Drawn),
            "inherited" => Ok(Origin::Inherited(id()?)),
            "redrawn" => Ok(Origin::Redrawn(id()?)),
            "no_explore" => Ok(Origin::NoExplore),
            "pinned" => Ok(Origin::Pinned),
            "baseline" => Ok(Origin::Baseline),
            other => {
                let expected = "drawn, inherited, redrawn, no_explore, pinned or baseline";
                Err(self.fault(row, "origin", other, expected))
            }
        }
    }

    fn cell(&self, row: usize, text: Option<&str>) -> Result<Cell, Error> {
        match text {
            None | Some("router") => Ok(Cell::Router),
            Some("holdout") => Ok(Cell::Holdout),
            Some(other) => Err(self.fault(row, "cell", other, "router or holdout")),
        }
    }
}

/// The next value of a column, absent where it is null.
fn take<T>(column: &mut impl Iterator<Item = Option<T>>) -> Option<T> {
    column.next().flatten()
}

/// Each list of a column through `of`.
fn lists<T>(
    column: &ListChunked,
    of: impl Fn(&Series) -> PolarsResult<Vec<T>>,
) -> PolarsResult<Vec<Option<Vec<T>>>> {
    column
        .amortized_iter()
        .map(|list| list.map(|s| of(s.as_ref())).transpose())
        .collect()
}
