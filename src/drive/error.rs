//! Why a drive stopped.

use crate::grpc::client;
use crate::replay;

/// Why a drive stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No connection.
    #[error(transparent)]
    Connect(#[from] client::ClientError),
    /// The table cannot be played.
    #[error(transparent)]
    Table(#[from] replay::Error),
    /// The server refused a call.
    #[error("{call} of prompt {prompt}: {code:?}: {message}")]
    Refused {
        /// The RPC.
        call: &'static str,
        /// The prompt.
        prompt: String,
        /// Its code.
        code: tonic::Code,
        /// What it said.
        message: String,
    },
    /// The server chose an arm that the table does not have.
    #[error(
        "the server chose arm {arm}, which the table does not have: drive with the configuration that --print-config writes"
    )]
    UnknownArm {
        /// The arm.
        arm: String,
    },
    /// The server refused an outcome.
    #[error("the outcome of prompt {prompt} was refused: {message}")]
    Feedback {
        /// The prompt.
        prompt: String,
        /// Why.
        message: String,
    },
    /// Nothing to play.
    #[error("no prompt to play: allowed a table with at least 1 prompt and --limit of at least 1")]
    Empty,
}
