//! The demonstration: a real server on loopback with a store in a temporary folder, the shipped
//! simulated table driven through its own gRPC, and what it learned.
//!
//! Not here: the server (`server`), the playing (`drive`). The table is simulated and says so: its
//! card is `datasets/sample/README.md`.

use crate::clock::SystemClock;
use crate::config;
use crate::drive::{self, Options, Report};
use crate::server;
use crate::table::{Columns, OutcomeTable};
use std::path::Path;
use std::sync::Arc;

/// The shipped table, as CSV.
const TABLE: &str = include_str!("../datasets/sample/outcomes.csv");

/// Cost weight of the reward: an arm at the dearest one's price loses a tenth of a point.
const LAMBDA: f64 = 0.1;

/// Why the demonstration stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file in the temporary folder.
    #[error("the temporary folder: {0}")]
    Io(#[from] std::io::Error),
    /// The shipped table.
    #[error("the shipped table: {0}")]
    Table(#[from] crate::table::Error),
    /// The configuration made for it.
    #[error("the configuration: {0}")]
    Config(String),
    /// The server.
    #[error(transparent)]
    Server(#[from] server::Error),
    /// The driving.
    #[error(transparent)]
    Drive(#[from] drive::Error),
}

/// Runs in `folder`, which must be empty and is the caller's to remove. `progress` is told how many
/// prompts are done of how many.
pub async fn run(
    folder: &Path,
    seed: u64,
    progress: impl FnMut(usize, usize),
) -> Result<Report, Error> {
    let file = folder.join("sample.csv");
    std::fs::write(&file, TABLE)?;
    let table = OutcomeTable::read(&file, &Columns::default())?;
    let data = folder.join("data");
    let data = data.to_string_lossy();
    let text = drive::configuration(&table, LAMBDA, &data, "linear-thompson")?;
    let path = folder.join("bellwether.toml");
    std::fs::write(&path, text.replace("127.0.0.1:7431", "127.0.0.1:0"))?;
    let params = config::load(&path).map_err(|p| Error::Config(config::render(&p)))?;
    let running = server::start(params, Arc::new(SystemClock)).await?;
    let options = Options {
        address: format!("http://{}", running.address()),
        key: None,
        team: None,
        seed,
        limit: None,
        feedback_delay: 0,
        feedback_loss: 0.0,
        lambda: LAMBDA,
        task_label: true,
    };
    let report = drive::play(&table, &options, progress).await;
    running.stop().await?;
    Ok(report?)
}
