//! Logs: one subscriber for the process, lines to standard error.
//!
//! Invariants: standard output belongs to results, so nothing is logged there; the level is the
//! operator's alone (no environment variable is read).
//!
//! Not here: what is logged (each module at its edge), metrics and traces.

use std::io::IsTerminal;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::util::SubscriberInitExt;

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Format {
    /// For people.
    #[default]
    Text,
    /// One JSON object a line, for machines.
    Json,
}

/// Logging could not be started.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The process has a subscriber already.
    #[error("logging was started before: allowed once a process")]
    Started,
}

/// Starts logging, once a process.
pub fn init(format: Format, level: LevelFilter) -> Result<(), Error> {
    let lines = tracing_subscriber::fmt()
        .with_max_level(level)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match format {
        Format::Text => lines.finish().try_init(),
        Format::Json => lines.json().flatten_event(true).finish().try_init(),
    }
    .map_err(|_| Error::Started)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logging_starts_once_a_process() {
        // Another test of this process may have been first; the second call here cannot be.
        let _ = init(Format::Json, LevelFilter::ERROR);
        assert!(matches!(
            init(Format::Text, LevelFilter::ERROR),
            Err(Error::Started)
        ));
    }
}
