//! The arguments of `seed`.

use super::{Columns, Config, Format};
use clap::{ArgGroup, Args};
use std::path::PathBuf;

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).args(["outcomes", "priors"]))]
pub(crate) struct Seed {
    #[command(flatten)]
    pub(crate) config: Config,
    /// The team to teach.
    #[arg(long)]
    pub(crate) team: String,
    /// An outcome table: Parquet, CSV or JSON lines.
    #[arg(long, value_name = "TABLE")]
    pub(crate) outcomes: Option<PathBuf>,
    /// Published rates: a CSV with a row for each model, which columns say in what share of its
    /// trials something was true; fields for --map are model and n, the trials. Models that are no
    /// arms are named and passed over.
    #[arg(long, value_name = "FILE.csv", conflicts_with_all = ["rows", "weight"])]
    pub(crate) priors: Option<PathBuf>,
    /// How many outcomes of the team's own an arm's published rates weigh as much as, 1 to 1000; never
    /// more than the trials that the file tells of.
    #[arg(
        long,
        value_name = "N",
        default_value_t = 20,
        conflicts_with = "outcomes"
    )]
    pub(crate) pseudo_count: u32,
    /// The published rates are in percent, 0 to 100, not from 0 to 1.
    #[arg(long, conflicts_with = "outcomes")]
    pub(crate) percent: bool,
    /// Reads only the rows of --priors that have this value in this column; of several, all must hold.
    #[arg(
        long = "where",
        value_name = "COLUMN=VALUE",
        conflicts_with = "outcomes"
    )]
    pub(crate) only: Vec<String>,
    /// Most prompts, each with every arm: the first N of replay's stream 0, not of the file. Absent: all.
    #[arg(long, value_name = "N")]
    pub(crate) rows: Option<usize>,
    /// Which signal of the scorecard the table's `score`, or a name in its `signals`, is; of published
    /// rates, a column. Absent: the score, or column `mean`, is the scorecard's only signal.
    #[arg(long = "signal", value_name = "COLUMN_OR_SCORE=SIGNAL")]
    pub(crate) signals: Vec<String>,
    /// Which arm of the configuration an arm of the table is, where names differ.
    #[arg(long = "arm", value_name = "TABLE_NAME=ARM")]
    pub(crate) arms: Vec<String>,
    /// What a row weighs against an outcome of the team's own, 0.001 to 1.
    #[arg(long, value_name = "W", default_value_t = 1.0)]
    pub(crate) weight: f64,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// How the summary is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
