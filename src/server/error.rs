//! Why a server did not start or stop well.

use crate::id::{self, Name};
use crate::{access, feature, store};
use std::net::SocketAddr;

/// Why a server did not start or stop well.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store.
    #[error("the store: {0}")]
    Store(#[from] store::Error),
    /// The keyed state.
    #[error("the keyed state: {0}")]
    Keyed(#[from] store::keyed::Error),
    /// The keys that were made could not be read.
    #[error("the keys: {0}")]
    Keys(#[from] access::KeyError),
    /// Reflection over the contract.
    #[error("reflection: {0}")]
    Reflection(#[from] tonic_reflection::server::Error),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why.
        source: std::io::Error,
    },
    /// A certificate, key or authority does not serve.
    #[error("server.tls.{0}")]
    Tls(#[from] crate::tls::Error),
    /// The features.
    #[error("the features: {0}")]
    Feature(#[from] feature::Error),
    /// What arms start from.
    #[error("what arms start from: {0}")]
    Start(#[from] crate::bandit::StateError),
    /// A team's limit.
    #[error("a team's limit: {0}")]
    Budget(#[from] crate::budget::Error),
    /// A built-in name.
    #[error("a built-in name {0}")]
    Name(#[from] id::Error),
    /// The transport.
    #[error("the listener: {0}")]
    Transport(#[from] tonic::transport::Error),
    /// A provider client that cannot be made.
    #[error("endpoint {endpoint}: {problem}")]
    Provider {
        /// The endpoint.
        endpoint: Name,
        /// Why.
        problem: String,
    },
    /// The collector of spans cannot be spoken to.
    #[error("telemetry.otlp_endpoint: {0}")]
    Collector(String),
    /// Spans cannot be sent.
    #[error(transparent)]
    Otlp(#[from] crate::telemetry::otlp::Error),
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Random(String),
    /// A task ended badly.
    #[error("a task ended badly: {0}")]
    Task(#[from] tokio::task::JoinError),
}
