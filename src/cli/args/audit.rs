//! The arguments of `audit`.

use super::{Config, Format};
use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    /// Looks whether the log of changes and the journal are what was written: every entry's hash, the closed segments'
    /// hashes, every record's checksum. A server may be running. Fails if anything does not hold.
    Verify(AuditVerify),
    /// Writes the log's entries: who changed which key, budget, policy, scorecard or control, and when.
    Export(AuditExport),
}

#[derive(Debug, Args)]
pub(crate) struct AuditVerify {
    #[command(flatten)]
    pub(crate) config: Config,
    /// A chain that was noted before (by an export, or a start's log): an entry must have it.
    #[arg(long, value_name = "HASH")]
    pub(crate) chain: Option<String>,
    /// How the result is written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}

#[derive(Debug, Args)]
pub(crate) struct AuditExport {
    #[command(flatten)]
    pub(crate) config: Config,
    /// How the entries are written: as a table, or each as a line of JSON, as they stand in the log.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
