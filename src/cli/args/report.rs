//! The arguments of `report`.

use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Report {
    /// Says what was spent, by team, key, task, arm and day, and what the router saved against the baseline, with
    /// its interval. Reads the journal alone; a server may be running on it.
    Spend(ReportSpend),
}

#[derive(Debug, Args)]
pub(crate) struct ReportSpend {
    /// The store's directory.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// First day, as 2026-01-31. Absent: from the beginning.
    #[arg(long, value_name = "DATE")]
    pub(crate) from: Option<String>,
    /// Last day, which is in it. Absent: to the end.
    #[arg(long, value_name = "DATE")]
    pub(crate) to: Option<String>,
    /// Time zone that days begin in, as Europe/Berlin.
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
    /// Only this team.
    #[arg(long)]
    pub(crate) team: Option<String>,
    /// What rows are told apart by, in this order: some of team, key, task, arm, day.
    #[arg(
        long,
        value_enum,
        value_delimiter = ',',
        value_name = "NAME,..",
        default_values_t = [By::Team, By::Arm]
    )]
    pub(crate) by: Vec<By>,
    /// How the report is written: a table for a terminal, JSON with money in nano-dollars, or a page with charts and
    /// its JSON beside it.
    #[arg(long, value_enum, default_value_t = Shape::Table)]
    pub(crate) format: Shape,
    /// The file to write; a page ends in .html. Absent: standard output, but for a page.
    #[arg(long, value_name = "FILE", required_if_eq("format", "html"))]
    pub(crate) out: Option<PathBuf>,
}

/// What rows are told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    Team,
    Key,
    Task,
    Arm,
    Day,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Shape {
    Table,
    Json,
    Html,
}
