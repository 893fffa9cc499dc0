//! Why an experiment could not be run.

use crate::{config, demo, feature, replay, table};
use std::io;
use std::path::PathBuf;

/// Why an experiment could not be run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No experiment of that name.
    #[error("experiment {name:?} is not there: allowed {}", allowed.join(", "))]
    Unknown {
        /// The name.
        name: String,
        /// Those that are there.
        allowed: Vec<String>,
    },
    /// A folder without experiments.
    #[error("{}: no experiments there; allowed a folder with NAME/experiment.toml", .0.display())]
    None(PathBuf),
    /// A file that cannot be read or written.
    #[error("{}: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// An expectation that is none.
    #[error("{}: no figures: {problem}; `bellwether eval {name} --bless` writes them", path.display())]
    Expected {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
        /// The experiment.
        name: String,
    },
    /// A file of a person's, with everything that is wrong with it.
    #[error("{}", config::render(.0))]
    Problems(Vec<config::Problem>),
    /// The simulated traffic.
    #[error("the simulated traffic: {0}")]
    Demo(#[from] demo::Error),
    /// The judging.
    #[error(transparent)]
    Replay(#[from] replay::Error),
    /// The data.
    #[error(transparent)]
    Table(#[from] table::Error),
    /// The features.
    #[error(transparent)]
    Feature(#[from] feature::Error),
}
