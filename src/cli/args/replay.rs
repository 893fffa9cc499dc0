//! The arguments of the commands that judge: `replay`, `traffic`, `scorecard`.

use super::{Columns, Format, Switch};
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;

#[derive(Debug, Subcommand)]
pub(crate) enum Traffic {
    /// Writes decisions with their outcomes from a journal to Parquet.
    Export(Export),
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The store's directory. A server may be running on it.
    #[arg(long, value_name = "DIR")]
    pub(crate) data: PathBuf,
    /// The file to write, ending in .parquet; or a folder, which gets a file for each team and day (UTC),
    /// team=T/day=2026-01-31/0.parquet. A day that is written replaces what the folder had of it, others stay: so
    /// --since a week ago, each night, keeps a long history with the outcomes that came late.
    #[arg(long, value_name = "FILE.parquet|FOLDER")]
    pub(crate) out: PathBuf,
    /// Of each team that is written, the newest N days that the folder keeps, at least 1; older ones are removed.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) keep_days: Option<u32>,
    /// Only decisions made at or after this time, as 2026-01-31 or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only this team's.
    #[arg(long)]
    pub(crate) team: Option<String>,
    /// How the summary is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Replay {
    /// Streams an outcome table past learning policies, prompt by prompt.
    Outcomes(Box<Outcomes>),
    /// Estimates other policies from exported traffic.
    Traffic(Exported),
}

#[derive(Debug, Args)]
pub(crate) struct Outcomes {
    /// The outcome table: Parquet, CSV or JSON lines.
    #[arg(value_name = "TABLE")]
    pub(crate) table: PathBuf,
    /// The only arms to play; absent: all.
    #[arg(long, value_name = "ARM[,ARM..]", value_delimiter = ',')]
    pub(crate) arms: Vec<String>,
    /// Leaves out arms that have a score on less than this share of the table's prompts, 0 to 1. Prompts
    /// on which an arm that is kept has none are left out in any case.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) min_coverage: f64,
    /// Policies to compare: linear-thompson, square-cb, lin-ucb, epsilon-greedy, greedy, uniform,
    /// fixed:arm=NAME; parameters as linear-thompson:v=0.1. Absent: every one of them.
    #[arg(long = "policy", value_name = "NAME[:k=v,..]")]
    pub(crate) policies: Vec<String>,
    /// Holds every policy against this one too, prompt by prompt: an arm, or a policy as for --policy (played
    /// besides, if it is not named there).
    #[arg(long, value_name = "ARM|POLICY")]
    pub(crate) incumbent: Option<String>,
    /// What cost counts, in points of score (0 to 1): a request at the mean cost of the dearest arm
    /// loses LAMBDA, one at half of it LAMBDA / 2. 0: cost is ignored. Several, by commas: a report
    /// for each, and at the end what they come to together (AIQ and the like).
    #[arg(long, value_delimiter = ',', default_values_t = [0.0])]
    pub(crate) lambda: Vec<f64>,
    /// Most that a policy may spend, in USD a request in the mean, above 0: it weighs cost itself, so that
    /// the money goes where it adds most. Several, by commas: a report for each. The table needs costs.
    /// `fixed` and `uniform` spend what they spend.
    #[arg(
        long,
        value_name = "USD",
        value_delimiter = ',',
        conflicts_with = "lambda"
    )]
    pub(crate) budget: Vec<f64>,
    /// Steps at the start over which a budget is reported too, besides all: what a short run would get.
    #[arg(long, value_name = "N", requires = "budget", default_value_t = bellwether::replay::HORIZON)]
    pub(crate) budget_steps: usize,
    /// Number of seeds.
    #[arg(long, default_value_t = 5)]
    pub(crate) seeds: u64,
    /// Whether policies see the task label.
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub(crate) task_label: Switch,
    /// Exploration floor, 0 to 0.1.
    #[arg(long, default_value_t = 0.02)]
    pub(crate) floor: f64,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// How the result is written. JSON has more: each stream's figures, every slice with its interval, and each
    /// policy's learning curve (reward and every arm's share in 50 equal pieces of the stream).
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Writes the report for people too, one self-contained page: every policy's learning curve beside the
    /// best single arm, its spend beside the budget, and the figures. Its numbers are put beside it, as
    /// FILE.json, as --format json has them.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    // Last: its heading would take in what follows.
    #[command(flatten)]
    pub(crate) stream: Stream,
}

/// What is done to every stream; the same for every policy.
#[derive(Debug, Args)]
#[command(next_help_heading = "Stream")]
pub(crate) struct Stream {
    /// Prompts at the start that are given away fully labelled: every arm's outcome teaches, nothing is
    /// chosen or counted there. 0 to one less than a stream has prompts.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) seed_rows: usize,
    /// Outcomes are learned this many steps after their choice, 0 to 1000000. 0: before the next one.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) delay: usize,
    /// Share of outcomes that never arrive, 0 to 0.99.
    #[arg(long, value_name = "SHARE", default_value_t = 0.0)]
    pub(crate) missing: f64,
    /// A change of the world. drop=FACTOR@SHARE: from SHARE of the stream on (between 0 and 1) the best
    /// single arm's score is multiplied by FACTOR (0 to 1); drop=FACTOR@SHARE:ARM: that arm's.
    /// join=SHARE:ARM: that arm is there from SHARE of the stream on.
    /// suffix=FIRST,SECOND: prompts whose id ends with FIRST come before those that end with SECOND;
    /// others are left out.
    #[arg(long, value_name = "DRIFT")]
    pub(crate) drift: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Exported {
    /// The file that `traffic export` wrote, or the folder of a team (FOLDER/team=T).
    #[arg(value_name = "FILE.parquet|FOLDER")]
    pub(crate) file: PathBuf,
    /// Policies to judge, 1 to 32: logged, uniform, fixed:arm=NAME, linear-thompson:v=0.1, ..; or a file ending
    /// .toml, as in evals/policies, that drops arms, tightens a budget, changes prices or the scorecard. What
    /// changes the worth of outcomes changes it for all candidates.
    #[arg(long = "candidate", value_name = "POLICY|FILE.toml", required = true)]
    pub(crate) candidates: Vec<String>,
    /// What candidates are held against, written likewise.
    #[arg(long, value_name = "POLICY", default_value = "logged")]
    pub(crate) incumbent: String,
    /// What a change is for: more utility, or 5 % less cost at equal quality.
    #[arg(long, value_enum, default_value_t = Aim::Utility)]
    pub(crate) aim: Aim,
    /// A signal (a flag, or a number from 0 to 1) that may fall by so much at most, as tests_passed=-0.02, or rise, as
    /// escalated=+0.01. Several: repeat it.
    #[arg(long = "guard", value_name = "SIGNAL=-MARGIN|+MARGIN")]
    pub(crate) guards: Vec<String>,
    /// Gates go by bounds that hold however often and whenever you look; without it the log's end is taken as set
    /// beforehand.
    #[arg(long)]
    pub(crate) peeking: bool,
    /// Ends of the scale of utility for bounds at every peek: what is beyond is cut, and counted.
    #[arg(
        long,
        value_name = "LOW:HIGH",
        default_value = "0:1",
        allow_hyphen_values = true
    )]
    pub(crate) utility: String,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
    /// Writes the report for people too, one self-contained page: what came out for each candidate, the conditions,
    /// every measure, the course over time, tasks, weights, and whether the log is to be believed. Its numbers are
    /// put beside it, as FILE.json, as --format json has them.
    #[arg(long, value_name = "FILE.html")]
    pub(crate) report: Option<PathBuf>,
    /// Writes the figures as rows too: a measure of a candidate each, then its tasks.
    #[arg(long, value_name = "FILE.parquet")]
    pub(crate) table: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Aim {
    Utility,
    Saving,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Scorecard {
    /// Scores exported traffic by another scorecard and shows what would change.
    Try(Try),
}

#[derive(Debug, Args)]
pub(crate) struct Try {
    /// The scorecard file.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The file that `traffic export` wrote.
    #[arg(long, value_name = "EXPORT")]
    pub(crate) traffic: PathBuf,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
