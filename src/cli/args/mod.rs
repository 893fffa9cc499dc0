//! The arguments: what a newcomer reads in `--help`.

mod audit;
#[cfg(feature = "analytics")]
mod estimate;
#[cfg(feature = "analytics")]
mod eval;
#[cfg(feature = "analytics")]
mod import;
mod key;
#[cfg(feature = "analytics")]
mod replay;
mod report;
#[cfg(feature = "analytics")]
mod seed;

pub(crate) use audit::{Audit, AuditExport, AuditVerify};
#[cfg(feature = "analytics")]
pub(crate) use estimate::{Estimate, Guess};
#[cfg(feature = "analytics")]
pub(crate) use eval::Eval;
#[cfg(feature = "analytics")]
pub(crate) use import::{Import, Litellm, Sheets, Shop, ShopPmf};
pub(crate) use key::{Create, Key, Of, Revoke, Rotate, Scope};
#[cfg(feature = "analytics")]
pub(crate) use replay::{Aim, Export, Exported, Outcomes, Replay, Scorecard, Stream, Traffic, Try};
pub(crate) use report::{By, Report, ReportSpend, Shape};
#[cfg(feature = "analytics")]
pub(crate) use seed::Seed;

use bellwether::tls::Trust;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::path::PathBuf;
use tracing::level_filters::LevelFilter;

/// A self-hosted model router that learns from a team's own outcomes.
#[derive(Debug, Parser)]
#[command(name = "bellwether", version, about, arg_required_else_help = true)]
pub(crate) struct Arguments {
    /// What to do.
    #[command(subcommand)]
    pub(crate) command: Command,
    /// Least level of log lines on standard error: off, error, warn, info. Absent: warn; `demo` shows
    /// its warnings itself, and logs errors.
    #[arg(long, global = true, help_heading = "Logging", value_name = "LEVEL")]
    log_level: Option<LevelFilter>,
    /// How log lines are written.
    #[arg(long, global = true, help_heading = "Logging", value_enum, default_value_t = Format::Text)]
    pub(crate) log_format: Format,
}

impl Arguments {
    /// Least level of log lines.
    pub(crate) fn level(&self) -> LevelFilter {
        let usual = match self.command {
            #[cfg(feature = "analytics")]
            Command::Demo(_) | Command::Eval(_) => LevelFilter::ERROR,
            _ => LevelFilter::WARN,
        };
        self.log_level.unwrap_or(usual)
    }
}

/// How results are written to standard output, and log lines to standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For machines: JSON.
    Json,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plays four simulated weeks of two teams through a real server, and says what it learned:
    /// verdict, report, log. Needs no configuration, key or network. Fails if any step does, or if the
    /// log's probabilities are not those that drew.
    #[cfg(feature = "analytics")]
    Demo(Demo),
    /// Serves the gRPC API until interrupted.
    Serve(Config),
    /// Reads a configuration as `serve` would and reports everything that is wrong with it.
    Check(Check),
    /// Plays an outcome table as live traffic against a running server.
    #[cfg(feature = "analytics")]
    Drive(Drive),
    /// Teaches a team an outcome table or published rates, so that its router does not start from
    /// nothing. The server must be stopped; what is taught cannot be taken back. The same again adds
    /// nothing.
    #[cfg(feature = "analytics")]
    Seed(Seed),
    /// Works with recorded traffic.
    #[cfg(feature = "analytics")]
    #[command(subcommand)]
    Traffic(Traffic),
    /// Says what another policy would have done.
    #[cfg(feature = "analytics")]
    #[command(subcommand)]
    Replay(Replay),
    /// Says what a policy is worth, from any log of draws with their probabilities.
    #[cfg(feature = "analytics")]
    Estimate(Estimate),
    /// Runs experiments (a question, data, candidates and a seed in a file) and compares their figures with
    /// what is expected. Fails if any differs.
    #[cfg(feature = "analytics")]
    Eval(Eval),
    /// Turns files of another project or gateway into an outcome table, or a log for `estimate`. Which
    /// column becomes what, and what is lost: datasets/IMPORTING.md.
    #[cfg(feature = "analytics")]
    #[command(subcommand)]
    Import(Import),
    /// Makes data sets.
    #[cfg(feature = "analytics")]
    #[command(subcommand)]
    Dataset(Dataset),
    /// Works with scorecards.
    #[cfg(feature = "analytics")]
    #[command(subcommand)]
    Scorecard(Scorecard),
    /// Shows what a team has learned; pins its traffic to one arm, freezes its learning, or lifts both.
    Control(Control),
    /// Makes, lists, rotates and revokes a team's keys on a running server.
    #[command(subcommand)]
    Key(Key),
    /// Reads a journal from its start, rebuilds the learner, and compares it with the checkpoint. The
    /// server must be stopped.
    Verify(Verify),
    /// Shows who changed what, and looks whether the record of it holds.
    #[command(subcommand)]
    Audit(Audit),
    /// Reports on what stands in a store's directory.
    #[command(subcommand)]
    Report(Report),
}

#[cfg(feature = "analytics")]
#[derive(Debug, Args)]
pub(crate) struct Demo {
    /// Seed of the simulated world and of every draw: equal seeds give equal figures.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// A third of the traffic.
    #[arg(long)]
    pub(crate) fast: bool,
    /// Keep the server running afterwards, until Ctrl-C.
    #[arg(long)]
    pub(crate) stay: bool,
    /// Folder for the report, the log and the configuration; made if it is not there.
    #[arg(long, value_name = "DIR", default_value = "bellwether-demo")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Config {
    /// The configuration file.
    #[arg(long, value_name = "FILE", default_value = "bellwether.toml")]
    pub(crate) config: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    #[command(flatten)]
    pub(crate) config: Config,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) config: Config,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// Where a running server is, and how to get in.
#[derive(Debug, Args)]
pub(crate) struct Remote {
    /// Address of the server; over TLS where it begins with https://.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:7431")]
    pub(crate) addr: String,
    /// Key to send. Better given by the environment than on a command line that others can see.
    #[arg(long, env = "BELLWETHER_KEY", hide_env_values = true)]
    pub(crate) key: Option<String>,
    #[command(flatten)]
    pub(crate) tls: Tls,
}

/// Whom to trust over TLS, and what to show.
#[derive(Debug, Args)]
pub(crate) struct Tls {
    /// Certificates of who signs the server's, PEM. Absent: whom this machine trusts.
    #[arg(long = "tls-ca", value_name = "FILE")]
    ca: Option<PathBuf>,
    /// A certificate to show, PEM, where the server asks for one.
    #[arg(long = "tls-cert", value_name = "FILE", requires = "tls_key")]
    certificate: Option<PathBuf>,
    /// The certificate's private key, PEM.
    #[arg(
        long = "tls-key",
        id = "tls_key",
        value_name = "FILE",
        requires = "certificate"
    )]
    key: Option<PathBuf>,
}

impl Tls {
    /// As the library takes it.
    pub(crate) fn trust(&self) -> Trust {
        Trust {
            ca: self.ca.clone(),
            certificate: self.certificate.clone(),
            key: self.key.clone(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Control {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The team.
    #[arg(long)]
    pub(crate) team: String,
    /// Send all traffic to this arm. Pin and freeze are set together: the one not given is lifted.
    #[arg(long, value_name = "ARM")]
    pub(crate) pin: Option<String>,
    /// Learn nothing until lifted, nor later from what arrives meanwhile.
    #[arg(long)]
    pub(crate) freeze: bool,
    /// Lift pin and freeze. With none of these options, nothing is changed and the state is shown.
    #[arg(long, conflicts_with_all = ["pin", "freeze"])]
    pub(crate) lift: bool,
    /// Lift the guard that holds a team to its baseline. Pin and freeze stay as they are.
    #[arg(long, conflicts_with_all = ["pin", "freeze", "lift"])]
    pub(crate) lift_guard: bool,
    /// How the state is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// How the columns of a table are called.
#[cfg(feature = "analytics")]
#[derive(Debug, Args)]
pub(crate) struct Columns {
    /// Other names of columns, as `prompt_id=id,model=arm`.
    #[arg(long, value_name = "FIELD=COLUMN,..", default_value = "")]
    pub(crate) map: String,
}

#[cfg(feature = "analytics")]
#[derive(Debug, Args)]
pub(crate) struct Drive {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The outcome table: Parquet, CSV or JSON lines.
    #[arg(long, value_name = "TABLE", required_unless_present = "print_config")]
    pub(crate) outcomes: Option<PathBuf>,
    /// Writes the configuration that matches this table to standard output, and stops.
    #[arg(long, value_name = "TABLE", conflicts_with = "outcomes")]
    pub(crate) print_config: Option<PathBuf>,
    /// Team that the key must belong to: asked of the server first, with a key of scope admin.
    /// Absent: whatever team the key belongs to.
    #[arg(long)]
    pub(crate) team: Option<String>,
    /// Seed of the order and of the loss.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// Most prompts to play.
    #[arg(long)]
    pub(crate) limit: Option<usize>,
    /// Outcomes are sent this many prompts late.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) feedback_delay: usize,
    /// Share of outcomes that are never sent, 0 to 1.
    #[arg(long, value_name = "P", default_value_t = 0.0)]
    pub(crate) feedback_loss: f64,
    /// What cost counts, in points of score (0 to 1): a request at the mean cost of the dearest arm
    /// loses LAMBDA, one at half of it LAMBDA / 2. 0: cost is ignored.
    #[arg(long, default_value_t = 0.1)]
    pub(crate) lambda: f64,
    /// Whether the table's task label is sent.
    #[arg(long, value_enum, default_value_t = Switch::On)]
    pub(crate) task_label: Switch,
    #[command(flatten)]
    pub(crate) columns: Columns,
    /// How the report is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

/// On or off.
#[cfg(feature = "analytics")]
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Switch {
    On,
    Off,
}

#[cfg(feature = "analytics")]
#[derive(Debug, Subcommand)]
pub(crate) enum Dataset {
    /// Writes the simulated traffic of the demonstration: an outcome table for each of its two teams,
    /// the same for the same seed on every machine.
    Generate(Generate),
}

#[cfg(feature = "analytics")]
#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// What everything is drawn from. The shipped tables have seed 0.
    #[arg(long, default_value_t = 0)]
    pub(crate) seed: u64,
    /// About a third of the requests.
    #[arg(long)]
    pub(crate) fast: bool,
    /// The folder to write coding.parquet and support.parquet to; made if need be.
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// How the summary is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
