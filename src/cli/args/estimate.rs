//! The arguments of `estimate`.

use super::Format;
use clap::{Args, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Estimate {
    /// The log: a row for each draw. Files ending .parquet or .csv, read in the order given, with the same columns; of a
    /// folder all .parquet files below it, by their path.
    #[arg(long, value_name = "PATH", required = true, num_args = 1..)]
    pub(crate) log: Vec<PathBuf>,
    /// What its columns are called: FIELD=COLUMN,... with FIELD one of action, reward, pscore, pmf (a prefix; p_),
    /// target (pi_), model (q_; made without the row), truth (mu_), choice, episode, slice (rows with the same text in it are judged
    /// together too; it may be a key of folders named key=text).
    #[arg(long, default_value = "", value_name = "MAP")]
    pub(crate) columns: String,
    /// The policy to judge: columns (the target's own), uniform, arm:K, choice (the arm in that column), choice:SHARE
    /// (that arm with SHARE, every arm alike with the rest).
    #[arg(long, default_value = "columns")]
    pub(crate) target: String,
    /// Rows to use, as FROM:TO:STEP from 0: 1000: leaves out the first thousand, 1::2 takes every second.
    #[arg(long, default_value = "", value_name = "RANGE")]
    pub(crate) rows: String,
    /// Gives the numbers even where the log cannot stand behind them. The refusal is told all the same.
    #[arg(long)]
    pub(crate) regardless: bool,
    /// How the bounds at every peek begin. half: as the published reference values do, whose promise does not hold
    /// where the first row is bad.
    #[arg(long, value_enum, default_value_t = Guess::Capped)]
    pub(crate) first_guess: Guess,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Guess {
    Capped,
    Half,
}
