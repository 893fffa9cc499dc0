//! Why a call got no answer.

use crate::decision::Attempt;
use crate::id::{DecisionId, Name};
use crate::telemetry::{Outcome, Underway};
use crate::{provider, route, store, validate};

/// Attempts that failed, as they were recorded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{} attempts failed, the last one: {error}", attempts.len())]
pub struct Failed {
    /// The records, in order; at least one.
    pub attempts: Vec<Attempt>,
    /// What went wrong last, and what might have been tried next.
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
    /// A schema of the request cannot be held to.
    #[error(transparent)]
    Unfit(#[from] validate::Unfit),
    /// The caller's deadline came before anything was tried.
    #[error("the deadline came before the first attempt")]
    DeadlineExceeded,
    /// A repeat of a request id whose first call failed, as it was recorded.
    #[error(
        "the first call with this request_id failed at endpoint {}: a new request_id asks again",
        .0.endpoint
    )]
    FailedBefore(Box<Attempt>),
    /// A repeat of a request id whose first call was answered, in words that were not recorded.
    #[error("the words of decision {decision}'s answer were not recorded")]
    AnswerNotKept {
        /// The decision.
        decision: DecisionId,
    },
    /// What was answered before cannot be read.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Every attempt failed; the last one.
    #[error("every attempt failed: {0}")]
    Failed(Box<Failed>),
}

impl From<Failed> for Error {
    fn from(failed: Failed) -> Self {
        Self::Failed(Box::new(failed))
    }
}

impl Error {
    /// Tells the metrics what became of a call.
    pub fn tell(&self, call: &mut Underway) {
        call.end(match self {
            Self::Route(error) => return error.tell(call),
            Self::Unfit(_) => Outcome::Invalid,
            Self::DeadlineExceeded => Outcome::DeadlineExceeded,
            Self::FailedBefore(_) => Outcome::FailedBefore,
            Self::AnswerNotKept { .. } => Outcome::AnswerNotKept,
            Self::NoClient { .. } | Self::Store(_) => Outcome::Internal,
            Self::Failed(_) => Outcome::AllAttemptsFailed,
        });
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
    #[error("endpoint {endpoint} is not configured: allowed {known}")]
    UnknownEndpoint {
        /// Its name.
        endpoint: Name,
        /// Those that there are.
        known: String,
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
