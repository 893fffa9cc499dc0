//! What can go wrong with a call, and the only table from that to an HTTP status and OpenAI's error object.
//!
//! The object is `{"error": {"message", "type", "param", "code", "bellwether"}}`: `param` is the first bad
//! field; `bellwether` has the request id, and all violations, exclusions or attempts where there are any.
//! `x-should-retry: false` keeps the SDKs from repeating what cannot come out otherwise.
//!
//! Invariants: nothing of the inside is shown, only the id under which the log tells more; no text of the
//! caller is echoed; lists are cut at 64 entries.
//!
//! Not here: how use cases' errors become these (`causes`).

use super::body::{Reply, ReplyBody};
use super::call::CallId;
use super::chat_reply::Tried;
use super::error_object::{Body, More, Object, Out};
use super::limits;
use crate::access::Scope;
use crate::decision::{Attempt, Excluded, Reason};
use crate::field::Violation;
use crate::id::{DecisionId, Name};
use crate::loops::Looping;
use crate::provider::Kind;
use crate::quota::Refused;
use crate::route::{AtRest, BudgetExhausted};
use http::{HeaderValue, StatusCode, header};
use std::fmt::Display;
use std::time::Duration;

/// Most entries of a list in one error.
const LISTED: usize = 64;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Failure {
    #[error("{}", summary(.0))]
    InvalidField(Vec<Violation>),
    #[error("the body is not JSON at line {line} column {column}: allowed one JSON object")]
    NotJson { line: usize, column: usize },
    #[error("the body is not UTF-8 from byte {at} on: allowed JSON in UTF-8")]
    NotUtf8 { at: usize },
    #[error("the body is longer than {limit} bytes: allowed at most {limit}")]
    TooLarge { limit: usize },
    #[error("the body did not come: allowed at most {} s of silence", .limit.as_secs_f64())]
    TooSlow { limit: Duration },
    #[error("the body did not come in time: allowed at most {} s in all", .limit.as_secs_f64())]
    TooLate { limit: Duration },
    #[error("the body broke off")]
    BrokenOff,
    #[error("the body has another content-type: allowed application/json")]
    NotJsonType,
    #[error(
        "no such address: allowed GET /health, /v1/models, /v1/models/ID; POST /v1/chat/completions, /v1/embeddings, /v1/feedback"
    )]
    UnknownUrl,
    #[error("this address takes another method: allowed {allowed}")]
    Method { allowed: &'static str },
    #[error("the server is starting or stopping")]
    NotServing,
    #[error("no key, or an unknown one: send `Authorization: Bearer KEY`")]
    KeyUnknown,
    #[error("this key lacks the scope `{scope}`")]
    NotAllowed { scope: Scope },
    #[error("this key may not be used from this address: allowed from its own networks")]
    Elsewhere,
    #[error("this key may not ask for this task, or for none: allowed {allowed}")]
    TaskNotAllowed { allowed: String },
    #[error("the model does not exist, or this key may not use it: allowed {known}")]
    ModelNotFound { known: String },
    #[error("no such decision: allowed an id that was returned to this team")]
    DecisionNotFound,
    #[error(
        "request id {request_id} was used with another body: allowed a new id, or the same body"
    )]
    RequestIdReused { request_id: Name },
    #[error(
        "this request id was answered before, by decision {decision}, and its words were not recorded: a new id asks again"
    )]
    AnswerNotKept { decision: DecisionId },
    #[error(transparent)]
    BudgetExhausted(BudgetExhausted),
    #[error(transparent)]
    OverLimit(Box<Refused>),
    #[error(transparent)]
    EpisodeLooping(Box<Looping>),
    #[error("the journal has no room: nothing new is taken until there is")]
    StoreFull,
    #[error("none of {} arms is eligible: {}", .0.len(), first(.0.iter().map(|e| (&e.arm, e.detail.as_str()))))]
    NoEligibleArm(Vec<Excluded>),
    #[error(transparent)]
    AtRest(AtRest),
    /// The providers call it the caller's fault: it would fail anywhere.
    #[error("the provider refuses the request: {}", kind.as_str())]
    Refused { kind: Kind, attempts: Vec<Attempt> },
    #[error("every attempt failed: {}", first(.0.iter().map(why)))]
    AllAttemptsFailed(Vec<Attempt>),
    #[error("every attempt failed when this request id was first used: {}: a new id asks again", first(.0.iter().map(why)))]
    FailedBefore(Vec<Attempt>),
    #[error("the team's guardrail refuses what the request holds: {}", summary(.0))]
    Blocked(Vec<Violation>),
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// A bug, or something that only the operator can mend. The text goes to the log alone.
    #[error("internal error")]
    Internal(String),
}

/// What a client program tells failures apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Class {
    pub(super) status: StatusCode,
    /// `type` in the object.
    pub(super) kind: &'static str,
    pub(super) code: &'static str,
}

const INVALID: &str = "invalid_request_error";
const SERVER: &str = "server_error";

impl From<Vec<Violation>> for Failure {
    fn from(violations: Vec<Violation>) -> Self {
        Self::InvalidField(violations)
    }
}

impl Failure {
    /// One bad field.
    pub(super) fn field(field: impl Display, problem: impl Display) -> Self {
        Self::InvalidField(vec![Violation::new(field, problem)])
    }

    /// The table.
    pub(super) fn class(&self) -> Class {
        use StatusCode as S;
        let (status, kind, code) = match self {
            Self::InvalidField(_) => (S::BAD_REQUEST, INVALID, "invalid_field"),
            Self::NotJson { .. } | Self::NotUtf8 { .. } => {
                (S::BAD_REQUEST, INVALID, "invalid_json")
            }
            Self::BrokenOff => (S::BAD_REQUEST, INVALID, "body_broke_off"),
            Self::TooLarge { .. } => (S::PAYLOAD_TOO_LARGE, INVALID, "request_too_large"),
            Self::TooSlow { .. } | Self::TooLate { .. } => {
                (S::REQUEST_TIMEOUT, INVALID, "body_too_slow")
            }
            Self::NotJsonType => (S::UNSUPPORTED_MEDIA_TYPE, INVALID, "unsupported_media_type"),
            Self::UnknownUrl => (S::NOT_FOUND, INVALID, "unknown_url"),
            Self::Method { .. } => (S::METHOD_NOT_ALLOWED, INVALID, "method_not_allowed"),
            Self::NotServing => (S::SERVICE_UNAVAILABLE, SERVER, "not_serving"),
            Self::KeyUnknown => (S::UNAUTHORIZED, INVALID, "invalid_api_key"),
            Self::NotAllowed { .. } | Self::Elsewhere | Self::TaskNotAllowed { .. } => {
                (S::FORBIDDEN, INVALID, "not_allowed")
            }
            Self::ModelNotFound { .. } => (S::NOT_FOUND, INVALID, "model_not_found"),
            Self::DecisionNotFound => (S::NOT_FOUND, INVALID, "decision_not_found"),
            Self::RequestIdReused { .. } => (S::CONFLICT, INVALID, "request_id_reused"),
            Self::AnswerNotKept { .. } => (S::CONFLICT, INVALID, "answer_not_kept"),
            Self::BudgetExhausted(_) => (
                S::TOO_MANY_REQUESTS,
                "insufficient_quota",
                "insufficient_quota",
            ),
            Self::EpisodeLooping(_) => (S::UNPROCESSABLE_ENTITY, INVALID, "episode_looping"),
            Self::OverLimit(_) => (
                S::TOO_MANY_REQUESTS,
                "rate_limit_error",
                "rate_limit_exceeded",
            ),
            Self::StoreFull => (S::SERVICE_UNAVAILABLE, SERVER, "store_full"),
            Self::NoEligibleArm(excluded) if passing(excluded) => {
                (S::SERVICE_UNAVAILABLE, SERVER, "no_eligible_arm")
            }
            Self::NoEligibleArm(_) => (S::BAD_REQUEST, INVALID, "no_eligible_arm"),
            Self::AtRest(AtRest { limited: true, .. }) => (
                S::TOO_MANY_REQUESTS,
                "rate_limit_error",
                "endpoints_rate_limited",
            ),
            Self::AtRest(_) => (S::SERVICE_UNAVAILABLE, SERVER, "endpoints_unavailable"),
            Self::Refused { kind, .. } => (S::BAD_REQUEST, INVALID, refused(*kind)),
            Self::AllAttemptsFailed(_) | Self::FailedBefore(_) => {
                (S::SERVICE_UNAVAILABLE, SERVER, "all_attempts_failed")
            }
            Self::Blocked(_) => (S::BAD_REQUEST, INVALID, "guardrail_blocked"),
            Self::DeadlineExceeded => (S::GATEWAY_TIMEOUT, SERVER, "deadline_exceeded"),
            Self::Internal(_) => (S::INTERNAL_SERVER_ERROR, SERVER, "internal_error"),
        };
        Class { status, kind, code }
    }

    /// What the log should say, where the caller is told less than is known.
    pub(super) fn hidden_cause(&self) -> Option<&str> {
        match self {
            Self::Internal(cause) => Some(cause),
            _ => None,
        }
    }

    /// Logs what the caller is not told.
    pub(super) fn log(&self, call: CallId) {
        if let Some(cause) = self.hidden_cause() {
            tracing::error!(request_id = %call, code = self.class().code, cause, "call failed");
        }
    }

    /// Whether the same call would fail again, whatever its status lets the SDKs think.
    fn is_final(&self) -> bool {
        matches!(
            self,
            Self::RequestIdReused { .. }
                | Self::AnswerNotKept { .. }
                | Self::FailedBefore(_)
                | Self::BudgetExhausted(BudgetExhausted {
                    refill: Some(_),
                    ..
                })
        )
    }

    fn param(&self) -> Option<&str> {
        match self {
            Self::InvalidField(violations) | Self::Blocked(violations) => {
                violations.first().map(|v| v.field.as_str())
            }
            Self::ModelNotFound { .. } => Some("model"),
            _ => None,
        }
    }

    /// The error object as JSON.
    pub(super) fn json(&self, call: CallId) -> Vec<u8> {
        let Class { kind, code, .. } = self.class();
        let message = match self.hidden_cause() {
            Some(_) => format!("{self}: the server's log has it under {call}"),
            None => self.to_string(),
        };
        let attempts: &[Attempt] = match self {
            Self::Refused { attempts, .. }
            | Self::AllAttemptsFailed(attempts)
            | Self::FailedBefore(attempts) => attempts,
            _ => &[],
        };
        let excluded: &[Excluded] = match self {
            Self::NoEligibleArm(excluded) | Self::AtRest(AtRest { excluded, .. }) => excluded,
            _ => &[],
        };
        let violations: &[Violation] = match self {
            Self::InvalidField(violations) | Self::Blocked(violations) => violations,
            _ => &[],
        };
        let object = Object {
            error: Body {
                message,
                kind,
                param: self.param(),
                code,
                bellwether: More {
                    request_id: call.to_string(),
                    violations,
                    excluded: excluded.iter().take(LISTED).map(Out::of).collect(),
                    attempts: attempts.iter().take(LISTED).map(Tried::of).collect(),
                },
            },
        };
        serde_json::to_vec(&object).unwrap_or_default()
    }

    /// As the caller sees it.
    pub(super) fn reply(&self, call: CallId) -> Reply {
        let mut reply = Reply::new(ReplyBody::whole(self.json(call)));
        *reply.status_mut() = self.class().status;
        let head = reply.headers_mut();
        head.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/json"),
        );
        match self {
            Self::BudgetExhausted(BudgetExhausted {
                refill: Some(wait), ..
            })
            | Self::AtRest(AtRest { wait, .. }) => {
                let seconds = wait.as_secs_f64().ceil().max(1.0) as u64;
                head.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
            }
            Self::OverLimit(refused) => {
                let seconds = refused.wait.as_secs_f64().ceil().max(1.0) as u64;
                head.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
                limits::tell(head, &refused.told);
            }
            Self::AllAttemptsFailed(_) | Self::NotServing => {
                head.insert(header::RETRY_AFTER, HeaderValue::from(1_u64));
            }
            Self::KeyUnknown => {
                head.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            Self::Method { allowed } => {
                head.insert(header::ALLOW, HeaderValue::from_static(allowed));
            }
            _ => {}
        }
        if self.is_final() {
            head.insert("x-should-retry", HeaderValue::from_static("false"));
        }
        // What is left of such a body is not read: the connection is of no more use.
        if matches!(
            self,
            Self::TooLarge { .. } | Self::TooSlow { .. } | Self::TooLate { .. } | Self::BrokenOff
        ) {
            head.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        reply
    }
}

/// Whether it may be otherwise in a while.
fn passing(excluded: &[Excluded]) -> bool {
    let passing = |e: &Excluded| matches!(e.reason, Reason::Unavailable | Reason::Budget);
    excluded.iter().any(passing)
}

/// The code that SDKs and agents know a refused request by.
fn refused(kind: Kind) -> &'static str {
    match kind {
        Kind::ContextLength => "context_length_exceeded",
        Kind::ContentFilter => "content_filter",
        _ => "provider_refused",
    }
}

fn why(attempt: &Attempt) -> (&Name, &str) {
    let error = attempt.error.as_ref().map_or("unknown", Name::as_str);
    (&attempt.endpoint, error)
}

/// The first of a list, and how many more.
fn first<'a>(mut items: impl Iterator<Item = (&'a Name, &'a str)>) -> String {
    let Some((name, why)) = items.next() else {
        return "none is listed".to_owned();
    };
    match items.count() {
        0 => format!("{name}: {why}"),
        more => format!("{name}: {why} (and {more} more)"),
    }
}

fn summary(violations: &[Violation]) -> String {
    let Some((first, rest)) = violations.split_first() else {
        return "a field is not valid".to_owned();
    };
    match rest.len() {
        0 => first.to_string(),
        more => format!("{first} (and {more} more)"),
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// The violations of a failure, a line each.
    pub(in crate::http) fn violations(failure: impl Into<Failure>) -> Vec<String> {
        match failure.into() {
            Failure::InvalidField(violations) => {
                violations.iter().map(Violation::to_string).collect()
            }
            other => vec![other.to_string()],
        }
    }
}

#[cfg(test)]
mod tests;
