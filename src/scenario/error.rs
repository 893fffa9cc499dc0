//! Why a world could not be made. None of these can happen but by a mistake in the world's own files.

/// A mistake in the scenario.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A name in the tables.
    #[error("{name}: {source}")]
    Name {
        /// The text.
        name: String,
        /// What is wrong with it.
        source: crate::id::Error,
    },
    /// A shipped scorecard.
    #[error("the shipped scorecard: {0}")]
    Scorecard(String),
    /// A value that the shipped scorecard does not take.
    #[error(transparent)]
    Value(#[from] crate::scorecard::Error),
    /// A signal that the shipped scorecard does not know.
    #[error("signal {0} is not in the shipped scorecard")]
    Signal(String),
    /// A row that could not be written as JSON.
    #[error("signals as JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// The table could not be written.
    #[error(transparent)]
    Table(#[from] crate::table::Error),
    /// The folder could not be made.
    #[error("{}: {source}", folder.display())]
    Folder {
        /// The folder.
        folder: std::path::PathBuf,
        /// What the operating system said.
        source: std::io::Error,
    },
}
