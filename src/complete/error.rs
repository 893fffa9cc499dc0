//! Why a call got no answer.

use crate::decision::Attempt;
use crate::id::{DecisionId, Name};
use crate::{provider, route, store};

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

/// Why a report of an attempt was refused.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// No such decision of this team.
    #[error("decision {id} is not known to this team")]
    DecisionNotFound {
        /// The decision.
        id: DecisionId,
    },
    /// No such endpoint.
    #[error("endpoint {endpoint} is not configured: allowed one that the decision named")]
    UnknownEndpoint {
        /// Its name.
        endpoint: Name,
    },
    /// The idempotency key came with another body.
    #[error(
        "request_id {request_id} was used with another body: allowed a new id, or the same body"
    )]
    RequestIdReused {
        /// The key.
        request_id: Name,
    },
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] store::Error),
}
