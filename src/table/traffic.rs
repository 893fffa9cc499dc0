//! Exported traffic: one row a decision, with all that its draw depended on and what came of it.
//!
//! Invariants: rows are in the order of the journal; a row that inherited its arm names the decision
//! that drew it. The schema below is version [`SCHEMA_VERSION`]: a column that changes its meaning
//! or goes away makes a new version, one that is added does not.
//!
//! | column | type | what |
//! |---|---|---|
//! | schema_version | i32 | this schema's version, the same in every row |
//! | decision_id | str | UUIDv7 |
//! | time_us | i64 | when, microseconds since the Unix epoch, UTC |
//! | team, task, episode | str | names; the last two may be null |
//! | origin | str | drawn, inherited, redrawn, no_explore, pinned, baseline |
//! | draw_id | str | the earlier decision, for inherited and redrawn; else null |
//! | cell | str | router, or holdout (the team's baseline took it wherever it could); router in files of before this column |
//! | deterministic | bool | no_explore, pinned or baseline: of no use to judge other policies |
//! | policy | str | specification that parses back |
//! | scorecard_version, snapshot_version | i64 | what it was drawn by |
//! | feature_set | str | what made the context |
//! | context | list of f32 | null where the team records nothing |
//! | arms | list of str | the eligible arms; the next eight are parallel to it |
//! | pmf, floor | list of f64 | probability of each, and the least that was kept for it |
//! | utility, utility_sd | list of f64 | expected utility (quality points) and its standard deviation |
//! | expected_cost_usd, reference_cost_usd | list of f64 | USD; the second at 256 output tokens |
//! | expected_latency_ms | list of f64 | NaN where nothing was known |
//! | signals | list of str | the scorecard's signals |
//! | signal_mean, signal_sd | list of f32 | `[arm * signals + signal]`, 0 worst to 1 best |
//! | forced | list of u32 | indices of arms in their first forced pulls; if any, the draw was uniform over them |
//! | samples, uniform | f64 | effective samples t of the schedule; the uniform that drew |
//! | chosen | i64 | index of the arm drawn, from 0 |
//! | propensity | f64 | its probability |
//! | served_arm | str | the arm that answered; null if no attempt is known |
//! | cost_usd, latency_ms | f64 | of all its attempts; null if unknown |
//! | outcome_names, outcome_values | lists of str, f64 | final signals in their own units, flags 0 or 1 |
//! | as_of_us | i64 | what had come by then is here, microseconds; null in files of before this column |
//! | episode_closed | bool | its episode was closed: nothing more will come; as above |
//! | quality, utility_realised | f64 | by the scorecard; null where unobserved |
//! | wanted | list of str | where unobserved, the signals whose coming would change that; as above |

use crate::decision::{Cell, Decision, Drawn, Origin};
use crate::id::{DecisionId, Name};
use crate::unit::Timestamp;

/// Version of the columns above.
pub const SCHEMA_VERSION: i32 = 1;

/// A decision with what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct TrafficRow {
    /// Its id.
    pub id: DecisionId,
    /// When.
    pub time: Timestamp,
    /// For whom.
    pub team: Name,
    /// The caller's label of the task.
    pub task: Option<Name>,
    /// The piece of work that outcomes belong to.
    pub episode: Option<Name>,
    /// How the arm came about.
    pub origin: Origin,
    /// The experiment that its episode belongs to.
    pub cell: Cell,
    /// The policy, as a specification that parses back.
    pub policy: String,
    /// Version of the team's scorecard.
    pub scorecard_version: u32,
    /// Journal sequence up to which the snapshot had learned.
    pub snapshot_version: u64,
    /// Feature set that made `context`.
    pub feature_set: Name,
    /// The context. Absent where the team records nothing.
    pub context: Option<Vec<f32>>,
    /// The draw.
    pub drawn: Drawn,
    /// The arm that answered, if any attempt is known.
    pub served: Option<Name>,
    /// Cost of all its attempts in USD.
    pub cost_usd: Option<f64>,
    /// Wall time of all its attempts in milliseconds.
    pub latency_ms: Option<f64>,
    /// Final value of each numeric signal in its own unit, flags 0 or 1.
    pub outcomes: Vec<(Name, f64)>,
    /// What had come by then is in `outcomes`. Absent: the file does not say.
    pub as_of: Option<Timestamp>,
    /// Whether its episode was closed, so that nothing more will come.
    pub closed: bool,
    /// Quality by the scorecard; absent where unobserved.
    pub quality: Option<f64>,
    /// Utility by the scorecard; absent where unobserved.
    pub utility: Option<f64>,
    /// Where unobserved, the signals whose coming would change that.
    pub wanted: Vec<Name>,
}

impl TrafficRow {
    /// A decision of which nothing has come yet.
    pub fn new(decision: Decision) -> Self {
        Self {
            id: decision.id,
            time: decision.time,
            team: decision.team,
            task: decision.task,
            episode: decision.episode,
            origin: decision.origin,
            cell: decision.cell,
            policy: decision.policy,
            scorecard_version: decision.scorecard_version,
            snapshot_version: decision.snapshot_version,
            feature_set: decision.feature_set,
            context: decision.context,
            drawn: decision.drawn,
            served: None,
            cost_usd: None,
            latency_ms: None,
            outcomes: Vec::new(),
            as_of: None,
            closed: false,
            quality: None,
            utility: None,
            wanted: Vec::new(),
        }
    }

    /// Whether the arm was certain: no other policy can be judged on this row by weighting.
    pub fn deterministic(&self) -> bool {
        self.origin.is_deterministic()
    }

    /// Whether an arm was drawn here; an inherited arm adds no draw.
    pub fn is_draw(&self) -> bool {
        !matches!(self.origin, Origin::Inherited(_))
    }

    /// The decision whose draw this one continues or replaces.
    pub fn earlier(&self) -> Option<DecisionId> {
        match self.origin {
            Origin::Inherited(id) | Origin::Redrawn(id) => Some(id),
            Origin::Drawn | Origin::NoExplore | Origin::Pinned | Origin::Baseline => None,
        }
    }

    /// The column `origin`.
    pub(super) fn origin_name(&self) -> &'static str {
        match self.origin {
            Origin::Drawn => "drawn",
            Origin::Inherited(_) => "inherited",
            Origin::Redrawn(_) => "redrawn",
            Origin::NoExplore => "no_explore",
            Origin::Pinned => "pinned",
            Origin::Baseline => "baseline",
        }
    }

    /// The column `cell`.
    pub(super) fn cell_name(&self) -> &'static str {
        match self.cell {
            Cell::Router => "router",
            Cell::Holdout => "holdout",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{Mint, Secret};
    use crate::table::{Error, TrafficReader, TrafficWriter};
    use crate::unit::Pmf;
    use std::path::Path;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    /// Rows that differ in every field, nulls and empty lists among them.
    fn rows(count: usize) -> Vec<TrafficRow> {
        let mint = Mint::new(Secret::new([1; 32]), 0);
        let mut rows: Vec<TrafficRow> = Vec::new();
        for i in 0..count {
            let time = Timestamp::from_micros(1_700_000_000_000_000 + i as i64 * 1000);
            let arms = 1 + i % 3;
            let even = i % 2 == 0;
            let per_arm = |scale: f64| (0..arms).map(|a| scale * (a + i) as f64).collect();
            rows.push(TrafficRow {
                id: mint.next(time),
                time,
                team: name("team"),
                task: even.then(|| name("täsk")),
                episode: (!even).then(|| name(&format!("episode {i}"))),
                origin: match i % 6 {
                    0 => Origin::Drawn,
                    1 => Origin::Inherited(rows[i - 1].id),
                    2 => Origin::Redrawn(rows[i - 1].id),
                    3 => Origin::NoExplore,
                    4 => Origin::Pinned,
                    _ => Origin::Baseline,
                },
                cell: if even { Cell::Router } else { Cell::Holdout },
                policy: "uniform".to_owned(),
                scorecard_version: 3,
                snapshot_version: i as u64,
                feature_set: name("set"),
                context: even.then(|| vec![0.1, i as f32]),
                drawn: Drawn {
                    arms: (0..arms).map(|a| name(&format!("arm {a}"))).collect(),
                    signals: if even { vec![name("s")] } else { vec![] },
                    pmf: Pmf::new(vec![1.0 / arms as f64; arms]).unwrap(),
                    floor: vec![0.01; arms],
                    utility: per_arm(0.1),
                    utility_sd: per_arm(0.01),
                    signal_mean: if even { vec![0.5; arms] } else { vec![] },
                    signal_sd: if even { vec![0.25; arms] } else { vec![] },
                    cost_usd: per_arm(1e-4),
                    reference_cost_usd: per_arm(2e-4),
                    latency_ms: vec![125.0; arms],
                    samples: i as f64,
                    forced: if even { vec![0] } else { vec![] },
                    uniform: 0.5,
                    chosen: (i % arms) as u32,
                },
                served: even.then(|| name("arm 0")),
                cost_usd: even.then_some(0.1 + i as f64),
                latency_ms: (!even).then_some(12.5),
                outcomes: if even { vec![(name("s"), 0.3)] } else { vec![] },
                as_of: even.then_some(time),
                closed: even,
                quality: even.then_some(0.7),
                utility: (!even).then_some(-0.7),
                wanted: if even { vec![name("gate")] } else { vec![] },
            });
        }
        rows
    }

    fn write(file: &Path, rows: &[TrafficRow]) {
        let mut writer = TrafficWriter::create(file).unwrap();
        for row in rows {
            writer.write(row.clone()).unwrap();
        }
        assert_eq!(writer.finish().unwrap(), rows.len());
    }

    #[test]
    fn traffic_comes_back_as_it_was_written() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("traffic.parquet");
        // More than two batches, the last one partial.
        for count in [0, 7, 5000] {
            let rows = rows(count);
            write(&file, &rows);
            let reader = TrafficReader::open(&file).unwrap();
            assert_eq!(reader.rows(), count);
            let back: Vec<TrafficRow> = reader.collect::<Result<_, _>>().unwrap();
            assert!(back == rows, "{count} rows changed on the way");
        }
    }

    #[test]
    fn rows_of_a_file_from_before_cells_are_the_routers() {
        use polars::prelude::{ParquetReader, ParquetWriter, SerReader};
        let dir = tempfile::tempdir().unwrap();
        let (file, old) = (
            dir.path().join("new.parquet"),
            dir.path().join("old.parquet"),
        );
        let mut rows = rows(6);
        write(&file, &rows);
        let new = ParquetReader::new(std::fs::File::open(&file).unwrap());
        let mut frame = new.finish().unwrap().drop("cell").unwrap();
        ParquetWriter::new(std::fs::File::create(&old).unwrap())
            .finish(&mut frame)
            .unwrap();
        rows.iter_mut().for_each(|row| row.cell = Cell::Router);
        let back = TrafficReader::open(&old).unwrap();
        assert!(back.collect::<Result<Vec<_>, _>>().unwrap() == rows);
    }

    #[test]
    fn latency_of_which_nothing_is_known_stays_unknown() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("traffic.parquet");
        let mut rows = rows(1);
        rows[0].drawn.latency_ms = vec![f64::NAN];
        write(&file, &rows);
        let row = TrafficReader::open(&file).unwrap().next().unwrap().unwrap();
        assert!(row.drawn.latency_ms[0].is_nan());
    }

    /// Why a file with this one column is no traffic.
    fn refused(column: &str, value: i32) -> Error {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("other.parquet");
        let column = polars::prelude::Column::new(column.into(), [value]);
        let mut frame = polars::prelude::DataFrame::new(1, vec![column]).unwrap();
        polars::prelude::ParquetWriter::new(std::fs::File::create(&file).unwrap())
            .finish(&mut frame)
            .unwrap();
        TrafficReader::open(&file).unwrap_err()
    }

    #[test]
    fn a_table_that_is_no_traffic_names_the_missing_column() {
        let error = refused("a", 1);
        assert!(
            matches!(&error, Error::MissingColumn { column, .. } if column == "schema_version"),
            "{error}"
        );
    }

    #[test]
    fn another_schema_version_is_refused() {
        let error = refused("schema_version", 99);
        assert!(
            matches!(
                error,
                Error::SchemaVersion {
                    found: 99,
                    expected: 1,
                    ..
                }
            ),
            "{error}"
        );
    }
}
