//! The arguments of `eval`.

use super::Format;
use clap::Args;
use std::path::PathBuf;

#[derive(Debug, Args)]
pub(crate) struct Eval {
    /// The experiments to run; absent: all, in the order of their names.
    #[arg(value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// The folder that has them, each as NAME/experiment.toml.
    #[arg(long, value_name = "DIR", default_value = "evals")]
    pub(crate) evals: PathBuf,
    /// Writes what comes to expected.json: it is expected from now on.
    #[arg(long)]
    pub(crate) bless: bool,
    /// How the figures are written.
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(crate) format: Format,
}
