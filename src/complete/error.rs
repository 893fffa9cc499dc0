//! Why a call got no answer.

use crate::decision::Attempt;
use crate::id::Name;
use crate::{provider, route};

/// An attempt that failed, as it was recorded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("endpoint {}: {error}", attempt.endpoint)]
pub struct Failed {
    /// The record.
    pub attempt: Attempt,
    /// What went wrong, and what may be tried next.
    #[source]
    pub error: provider::Error,
}

/// Why a call got no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There was no decision.
    #[error(transparent)]
    Route(#[from] route::Error),
    /// The decision's endpoint has no client: the configuration changed under it.
    #[error("endpoint {endpoint} has no client")]
    NoClient {
        /// The endpoint.
        endpoint: Name,
    },
    /// The caller's deadline came before anything was tried.
    #[error("the deadline came before the first attempt")]
    DeadlineExceeded,
    /// Every attempt failed; the last one.
    #[error("every attempt failed, the last one at {0}")]
    Failed(Box<Failed>),
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        Self::Failed(Box::new(failed))
    }
}
