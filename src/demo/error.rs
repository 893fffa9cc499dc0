//! Why the demonstration stopped.

use crate::grpc::client::ClientError;
use crate::{bandit, export, id, replay, server, store, table};
use std::io;
use std::path::PathBuf;

/// Why the demonstration stopped.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file that could not be made.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The world.
    #[error("the simulated world: {0}")]
    World(String),
    /// A team that the world does not have.
    #[error("team is {team}: allowed {}", allowed.join(", "))]
    UnknownTeam {
        /// The team.
        team: String,
        /// The world's teams.
        allowed: Vec<String>,
    },
    /// The configuration made for it.
    #[error("the configuration made for the simulated world: {0}")]
    Config(String),
    /// The server.
    #[error(transparent)]
    Server(#[from] server::Error),
    /// The state that was prepared for the server.
    #[error("the keyed state: {0}")]
    Keyed(#[from] store::keyed::Error),
    /// No connection, or a call refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A call of the simulated traffic was refused.
    #[error("{call} of request {request}: {source}")]
    Refused {
        /// The RPC.
        call: &'static str,
        /// The request, from 0.
        request: usize,
        /// Why.
        source: ClientError,
    },
    /// An outcome was refused.
    #[error("a signal of request {request} was refused: {message}")]
    Feedback {
        /// The request, from 0.
        request: usize,
        /// Why.
        message: String,
    },
    /// The server chose an arm that the world does not have.
    #[error("the server chose arm {0}, which the simulated world does not have")]
    UnknownArm(String),
    /// The export.
    #[error("the export: {0}")]
    Export(#[from] export::Error),
    /// The export, read back.
    #[error("the export, read back: {0}")]
    Table(#[from] table::Error),
    /// The replay.
    #[error("the replay: {0}")]
    Replay(#[from] replay::Error),
    /// A candidate that cannot be read.
    #[error("a candidate: {0}")]
    Candidate(#[from] bandit::SpecError),
    /// A name.
    #[error("a name {0}")]
    Name(#[from] id::Error),
    /// The work beside the server ended badly.
    #[error("a task ended badly: {0}")]
    Task(#[from] tokio::task::JoinError),
    /// It came to its end, but not as it must.
    #[error("the demonstration found faults: {}", .0.join("; "))]
    Faults(Vec<String>),
    /// Nothing to show.
    #[error("team {0} made no request that can be judged")]
    Empty(String),
}
