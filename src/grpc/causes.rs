//! From the use cases' errors to the failures that a caller is told.
//!
//! Why a table of its own, and not one for both doors: each has failures and names of fields that the other has
//! not; what both tell in the same words is the use case's own text.
//!
//! Not here: codes and details (`status`).

use super::decode::Refusal;
use super::status::{FailedAttempt, Failure};
use crate::access::KeyError;
use crate::complete::{self, Failed};
use crate::decision::Attempt;
use crate::feature;
use crate::field::Violation;
use crate::learn::{self, Refused};
use crate::provider;
use crate::redaction::{Finding, Place};
use crate::route;
use crate::store;

impl From<KeyError> for Failure {
    fn from(error: KeyError) -> Self {
        match error {
            KeyError::CallerGone => Self::KeyUnknown,
            KeyError::Fields(violations) => Self::InvalidField(violations),
            KeyError::Beyond { action } => Self::NotAllowed { action },
            KeyError::NotFound { .. }
            | KeyError::Exists { .. }
            | KeyError::Configured { .. }
            | KeyError::Ended { .. }
            | KeyError::Open
            | KeyError::Full { .. } => Self::Key(error),
            KeyError::Audit(error) => error.into(),
            KeyError::Store(_) | KeyError::Random(_) | KeyError::Bug(_) => {
                Self::Internal(error.to_string())
            }
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Full { .. } => Self::StoreFull,
            store::Error::TooLarge { bytes, limit } => Self::field(
                "request",
                format!("makes a record of {bytes} bytes: allowed at most {limit}"),
            ),
            store::Error::Broken { .. }
            | store::Error::Corrupt { .. }
            | store::Error::Page { .. }
            | store::Error::IndexDamaged { .. }
            | store::Error::Missing { .. }
            | store::Error::Undecodable { .. } => Self::StoreCorrupt(error.to_string()),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<feature::Error> for Failure {
    fn from(error: feature::Error) -> Self {
        let field = match error {
            feature::Error::TagNotFinite { .. } => "context.tags",
            _ => "context.embedding",
        };
        Self::field(field, error)
    }
}

impl From<route::Error> for Failure {
    fn from(error: route::Error) -> Self {
        match error {
            route::Error::NotAllowed(error) => error.into(),
            route::Error::NoEligibleArm { excluded } => Self::NoEligibleArm(excluded),
            route::Error::AtRest(rest) => Self::AtRest(rest),
            route::Error::BudgetExhausted(spent) => Self::BudgetExhausted(spent),
            route::Error::OverLimit(refused) => Self::OverLimit(refused),
            route::Error::EpisodeLooping(looping) => Self::EpisodeLooping(looping),
            route::Error::UnknownNames(unknown) => {
                let violation =
                    |unknown: &route::UnknownName| Violation::new(&unknown.field, unknown);
                Self::InvalidField(unknown.iter().map(violation).collect())
            }
            route::Error::Blocked(route::Blocked(findings)) => {
                let violation = |finding: &Finding| {
                    Violation::new(
                        found_in(finding.place),
                        format_args!("has {}", finding.kinds),
                    )
                };
                Self::Blocked(findings.iter().map(violation).collect())
            }
            route::Error::RequestIdReused { request_id } => Self::RequestIdReused { request_id },
            // Not told: whose id it is, another team's or nobody's, is not to be seen by the answer's length.
            route::Error::DecisionNotFound { .. } => Self::DecisionNotFound { id: None },
            route::Error::Feature(error) => error.into(),
            route::Error::Store(error) => error.into(),
            other => Self::Internal(other.to_string()),
        }
    }
}

/// What a place is called in a request of the contract.
pub(super) fn found_in(place: Place) -> String {
    match place {
        Place::Message(_) | Place::Tool(_) | Place::ResponseFormat => format!("context.{place}"),
        Place::Stop(_) | Place::Extra(_) => format!("generation.{place}"),
    }
}

impl From<learn::Error> for Failure {
    fn from(error: learn::Error) -> Self {
        match error {
            learn::Error::Store(error) => error.into(),
            learn::Error::RequestIdReused(request_id) => Self::RequestIdReused { request_id },
            learn::Error::UnknownArm { .. } => Self::field("control.pinned_arm", error),
            learn::Error::UnknownEpisode(_) => Self::field("episode_id", error),
            learn::Error::UnknownTeam(_) => Self::Internal(error.to_string()),
        }
    }
}

impl From<complete::ReportError> for Failure {
    fn from(error: complete::ReportError) -> Self {
        use complete::ReportError;
        match error {
            ReportError::DecisionNotFound { .. } => Self::DecisionNotFound { id: None },
            ReportError::UnknownEndpoint { .. } => Self::field("endpoint", error),
            ReportError::RequestIdReused { request_id } => Self::RequestIdReused { request_id },
            ReportError::Store(error) => error.into(),
        }
    }
}

impl From<complete::Error> for Failure {
    fn from(error: complete::Error) -> Self {
        match error {
            complete::Error::Route(error) => error.into(),
            complete::Error::Store(error) => error.into(),
            complete::Error::Unfit(unfit) => {
                Self::field(format!("context.{}", unfit.field), unfit.error)
            }
            complete::Error::DeadlineExceeded => Self::DeadlineExceeded,
            complete::Error::NoClient { .. } => Self::Internal(error.to_string()),
            complete::Error::Failed(failed) => (*failed).into(),
            complete::Error::FailedBefore(attempt) => Self::FailedBefore(vec![tried(*attempt)]),
            complete::Error::AnswerNotKept { decision } => Self::AnswerNotKept { decision },
        }
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        if failed.error.kind == provider::Kind::DeadlineExceeded {
            return Self::DeadlineExceeded;
        }
        Self::AllAttemptsFailed(failed.attempts.into_iter().map(tried).collect())
    }
}

impl Failure {
    /// Why a stream ended that had begun: the caller has some of the answer.
    pub(super) fn cut_off(mut failed: Failed) -> Self {
        match failed.attempts.pop() {
            Some(attempt) if failed.error.kind != provider::Kind::DeadlineExceeded => {
                Self::AnswerCutOff(Box::new(attempt))
            }
            _ => failed.into(),
        }
    }
}

/// An attempt that is known to have failed.
fn tried(attempt: Attempt) -> FailedAttempt {
    FailedAttempt {
        endpoint: attempt.endpoint,
        error: attempt.error.unwrap_or(attempt.arm),
    }
}

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        let reason = match refused {
            Refused::DecisionNotFound { .. } => "DECISION_NOT_FOUND",
            Refused::RequestIdReused { .. } => "REQUEST_ID_REUSED",
            Refused::UnknownSignal { .. } | Refused::Value(_) | Refused::Level { .. } => {
                "INVALID_FIELD"
            }
        };
        let message = match refused {
            // The words that an id gets which this server never made.
            Refused::DecisionNotFound { .. } => Failure::DecisionNotFound { id: None }.to_string(),
            refused => refused.to_string(),
        };
        Self { reason, message }
    }
}
