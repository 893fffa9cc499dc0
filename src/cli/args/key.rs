//! The arguments of `key`.

use super::{Format, Remote};
use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Makes a key with at most the rights of the key that asks, and writes it to standard output, this
    /// once: it is kept nowhere. What is not said is as the asking key has it.
    Create(Create),
    /// Shows the keys of a team: those of the configuration, and those that were made.
    List(List),
    /// Gives a key a new text and writes it to standard output, this once; the old one stays good for a while.
    Rotate(Rotate),
    /// Ends a key: no call that begins afterwards is let in with it.
    Revoke(Revoke),
}

/// A team on a running server.
#[derive(Debug, Args)]
pub(crate) struct Of {
    #[command(flatten)]
    pub(crate) remote: Remote,
    /// The team.
    #[arg(long)]
    pub(crate) team: String,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) of: Of,
    /// Its name: decisions record it, so that no other key of the team may have or have had it.
    #[arg(long)]
    pub(crate) name: String,
    /// What it may be used for.
    #[arg(
        long = "scope",
        value_name = "SCOPE",
        value_enum,
        required = true,
        value_delimiter = ','
    )]
    pub(crate) scopes: Vec<Scope>,
    /// An arm that its requests may use; as often as there are such arms.
    #[arg(long = "arm", value_name = "ARM")]
    pub(crate) arms: Vec<String>,
    /// An endpoint that its requests may use, likewise.
    #[arg(long = "endpoint", value_name = "ENDPOINT")]
    pub(crate) endpoints: Vec<String>,
    /// A task that it may ask for, likewise; requests without a task are refused then.
    #[arg(long = "task", value_name = "TASK")]
    pub(crate) tasks: Vec<String>,
    /// A network that it may be used from, likewise: an address, or as 10.0.0.0/8. What counts is the
    /// connection's own address: behind a proxy, the proxy's.
    #[arg(long = "network", value_name = "NETWORK")]
    pub(crate) networks: Vec<String>,
    /// When it ends: a day (its midnight) or a moment as 2027-01-01T12:00:00Z, both UTC.
    #[arg(long, value_name = "TIME")]
    pub(crate) expires: Option<String>,
}

/// What a key may be used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Scope {
    /// Ask for decisions, report attempts, read the team's decisions.
    Route,
    /// Have requests answered.
    Complete,
    /// Give feedback and close episodes.
    Feedback,
    /// Judge policies on the team's traffic.
    Replay,
    /// Pin and freeze; make, list, rotate and revoke keys.
    Admin,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) of: Of,
}

#[derive(Debug, Args)]
pub(crate) struct Rotate {
    #[command(flatten)]
    pub(crate) of: Of,
    /// The key's name.
    #[arg(long)]
    pub(crate) name: String,
    /// For how many hours the old text stays good, 0 to 720 (30 days).
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(0..=720))]
    pub(crate) overlap_hours: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Revoke {
    #[command(flatten)]
    pub(crate) of: Of,
    /// The key's name.
    #[arg(long)]
    pub(crate) name: String,
}
