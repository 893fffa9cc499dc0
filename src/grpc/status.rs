//! What can go wrong with a call, and the only table from that to a [`tonic::Status`].
//!
//! Invariants: every status carries exactly one `ErrorInfo` (domain `bellwether`, UPPER_SNAKE
//! reason) and what else fits; its details stay under 4 KiB, since many clients refuse longer
//! trailers (8 KiB after base64); it shows nothing of the inside, only the id under which the log
//! tells more; it never echoes a caller's text of unchecked length.
//!
//! Not here: the reasons for which a single item of feedback is refused, which are words inside a
//! good reply (`decode::feedback`); logging (`guard`).

use super::limits;
use crate::access::KeyError;
use crate::decision::{Attempt, Excluded, Reason};
use crate::field::Violation;
use crate::id::{DecisionId, Name};
use crate::loops::Looping;
use crate::quota::Refused;
use crate::route::{AtRest, BudgetExhausted};
use crate::telemetry::CallId;
use crate::unit::NanoUsd;
use std::collections::HashMap;
use std::fmt::Display;
use std::time::Duration;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, FieldViolation, PreconditionViolation, QuotaViolation, StatusExt};

/// Domain of every `ErrorInfo`.
pub const DOMAIN: &str = "bellwether";

/// Most bytes of text that the list in one status holds.
const LISTED_BYTES: usize = 3072;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Fields that break their rules, all of them.
    #[error("{}", summary(.0, why_invalid))]
    InvalidField(Vec<Violation>),
    /// No key, or one that nobody was given.
    #[error("no key, or an unknown one: send metadata `authorization: Bearer KEY`")]
    KeyUnknown,
    /// The key is good but not for this.
    #[error("this key may not {action}")]
    NotAllowed {
        /// What was tried, as a verb and its object.
        action: String,
    },
    /// A key is not made or changed.
    #[error(transparent)]
    Key(KeyError),
    /// No such decision of the key's team.
    #[error("no such decision: allowed an id that Route or Complete returned to this team")]
    DecisionNotFound {
        /// The id, if it is one of this server.
        id: Option<DecisionId>,
    },
    /// The idempotency key came before with another body.
    #[error(
        "request_id {request_id} was used with another body: allowed a new id, or the same body"
    )]
    RequestIdReused {
        /// The idempotency key.
        request_id: Name,
    },
    /// The money is spent.
    #[error(transparent)]
    BudgetExhausted(BudgetExhausted),
    /// Too many calls.
    #[error("{subject} calls too often")]
    RateLimited {
        /// Whose limit.
        subject: Name,
        /// Time until the next call may come.
        retry_after: Duration,
    },
    /// A limit on requests, tokens or calls at once is reached.
    #[error(transparent)]
    OverLimit(Box<Refused>),
    /// The episode goes round.
    #[error(transparent)]
    EpisodeLooping(Box<Looping>),
    /// No room on disk for another record; reading goes on.
    #[error("the journal has no room: nothing new is taken until there is")]
    StoreFull,
    /// Every arm was left out.
    #[error("none of {} arms is eligible: {}", .0.len(), summary(.0, why_excluded))]
    NoEligibleArm(Vec<Excluded>),
    /// Every endpoint that may take it is left alone for a while.
    #[error(transparent)]
    AtRest(AtRest),
    /// Every endpoint tried failed.
    #[error("every attempt failed: {}", summary(.0, why_failed))]
    AllAttemptsFailed(Vec<FailedAttempt>),
    /// A streamed answer broke off after some of it had been sent.
    #[error("{}", cut_off(.0))]
    AnswerCutOff(Box<Attempt>),
    /// As [`Failure::AllAttemptsFailed`], when this request id was first used.
    #[error("every attempt failed when this request_id was first used: {}: a new request_id asks again", summary(.0, why_failed))]
    FailedBefore(Vec<FailedAttempt>),
    /// A repeat of a request id that was answered in words that were not recorded.
    #[error(
        "this request_id was answered before, and its words were not recorded: GetDecision tells what it cost, a new request_id asks again"
    )]
    AnswerNotKept {
        /// The decision.
        decision: DecisionId,
    },
    /// The team's guardrail refuses what was found in the request.
    #[error("the team's guardrail refuses what the request holds: {}", summary(.0, why_invalid))]
    Blocked(Vec<Violation>),
    /// The caller's time was up.
    #[error("the deadline passed")]
    DeadlineExceeded,
    /// Built without the feature `analytics`.
    #[error("this server was built without analytics")]
    NotBuilt,
    /// A bug, or something that only the operator can mend. The text goes to the log alone.
    #[error("internal error")]
    Internal(String),
    /// The store contradicts itself or cannot be written. The text goes to the log alone.
    #[error("the store is damaged")]
    StoreCorrupt(String),
}

/// An endpoint that was tried in vain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedAttempt {
    /// The endpoint.
    pub endpoint: Name,
    /// Kind of its error.
    pub error: Name,
}

impl From<Vec<Violation>> for Failure {
    fn from(violations: Vec<Violation>) -> Self {
        Self::InvalidField(violations)
    }
}

impl Failure {
    /// One bad field.
    pub fn field(field: impl Display, problem: impl Display) -> Self {
        Self::InvalidField(vec![Violation::new(field, problem)])
    }

    /// The same, of a request that is the field `outer` of another one.
    pub(super) fn inside(self, outer: &str) -> Self {
        let (mut violations, made): (_, fn(Vec<Violation>) -> Self) = match self {
            Self::InvalidField(violations) => (violations, Self::InvalidField),
            Self::Blocked(violations) => (violations, Self::Blocked),
            other => return other,
        };
        for violation in violations.iter_mut().filter(|v| v.field != outer) {
            violation.field = format!("{outer}.{}", violation.field);
        }
        made(violations)
    }

    /// The table: code and reason.
    pub fn code(&self) -> (Code, &'static str) {
        match self {
            Self::InvalidField(_) => (Code::InvalidArgument, "INVALID_FIELD"),
            Self::KeyUnknown => (Code::Unauthenticated, "KEY_UNKNOWN"),
            Self::NotAllowed { .. } => (Code::PermissionDenied, "NOT_ALLOWED"),
            Self::Key(error) => of_key(error),
            Self::DecisionNotFound { .. } => (Code::NotFound, "DECISION_NOT_FOUND"),
            Self::RequestIdReused { .. } => (Code::AlreadyExists, "REQUEST_ID_REUSED"),
            Self::BudgetExhausted(_) => (Code::ResourceExhausted, "BUDGET_EXHAUSTED"),
            Self::RateLimited { .. } | Self::OverLimit(_) => {
                (Code::ResourceExhausted, "RATE_LIMITED")
            }
            Self::EpisodeLooping(_) => (Code::FailedPrecondition, "EPISODE_LOOPING"),
            Self::StoreFull => (Code::ResourceExhausted, "STORE_FULL"),
            Self::NoEligibleArm(_) => (Code::FailedPrecondition, "NO_ELIGIBLE_ARM"),
            Self::AtRest(AtRest { limited: true, .. }) => {
                (Code::ResourceExhausted, "ENDPOINTS_RATE_LIMITED")
            }
            Self::AtRest(_) => (Code::Unavailable, "ENDPOINTS_UNAVAILABLE"),
            Self::AllAttemptsFailed(_) | Self::FailedBefore(_) => {
                (Code::Unavailable, "ALL_ATTEMPTS_FAILED")
            }
            Self::AnswerCutOff(_) => (Code::Unavailable, "ANSWER_CUT_OFF"),
            Self::AnswerNotKept { .. } => (Code::AlreadyExists, "ANSWER_NOT_KEPT"),
            Self::Blocked(_) => (Code::InvalidArgument, "GUARDRAIL_BLOCKED"),
            Self::DeadlineExceeded => (Code::DeadlineExceeded, "DEADLINE_EXCEEDED"),
            Self::NotBuilt => (Code::Unimplemented, "NOT_BUILT"),
            Self::Internal(_) => (Code::Internal, "INTERNAL"),
            Self::StoreCorrupt(_) => (Code::DataLoss, "STORE_CORRUPT"),
        }
    }

    /// What the log should say, where the caller is told less than is known.
    pub fn hidden_cause(&self) -> Option<&str> {
        match self {
            Self::Internal(cause) | Self::StoreCorrupt(cause) => Some(cause),
            _ => None,
        }
    }

    /// As the caller sees it.
    pub fn status(&self, call: CallId) -> Status {
        let (code, reason) = self.code();
        let message = match self.hidden_cause() {
            Some(_) => format!("{self}: the server's log has it under {call}"),
            None => self.to_string(),
        };
        let mut details = ErrorDetails::with_error_info(reason, DOMAIN, self.metadata());
        self.detail(&mut details);
        Status::with_error_details(code, message, details)
    }

    /// What was served and charged of an answer that broke off.
    fn metadata(&self) -> HashMap<String, String> {
        let Self::AnswerCutOff(attempt) = self else {
            return HashMap::new();
        };
        let text = |name: &Option<Name>| name.as_ref().map(ToString::to_string);
        let told = [
            ("decision_id", Some(attempt.decision.to_string())),
            ("arm", Some(attempt.arm.to_string())),
            ("endpoint", Some(attempt.endpoint.to_string())),
            ("error", text(&attempt.error)),
            ("output_tokens", attempt.usage.output.map(|n| n.to_string())),
            ("cost_nano_usd", attempt.cost.map(|n| n.get().to_string())),
        ];
        let told = told.into_iter();
        told.filter_map(|(key, value)| Some((key.to_owned(), value?)))
            .collect()
    }

    fn detail(&self, details: &mut ErrorDetails) {
        match self {
            Self::InvalidField(violations) | Self::Blocked(violations) => {
                details.set_bad_request(listed(violations, why_invalid, FieldViolation::new));
            }
            Self::NoEligibleArm(excluded) => left_out(details, excluded),
            Self::AtRest(rest) => {
                left_out(details, &rest.excluded);
                details.set_retry_info(Some(rest.wait));
            }
            Self::AllAttemptsFailed(attempts) => {
                failed(details, attempts);
                details.set_retry_info(Some(Duration::from_secs(1)));
            }
            // No RetryInfo: the same call would fail again.
            Self::FailedBefore(attempts) => failed(details, attempts),
            Self::AnswerNotKept { decision } => {
                let name = decision.to_string();
                details.set_resource_info("decision", name, "", "answered, words not recorded");
            }
            Self::Key(error) => limits::of_key(details, error),
            Self::DecisionNotFound { id } => {
                let name = id.map(|id| id.to_string()).unwrap_or_default();
                details.set_resource_info("decision", name, "", "not found");
            }
            Self::RequestIdReused { request_id } => {
                let name = request_id.as_str();
                details.set_resource_info("request", name, "", "used with another body");
            }
            Self::BudgetExhausted(spent) => {
                quota(
                    details,
                    &spent.owner.to_string(),
                    "budget spent",
                    spent.refill,
                );
            }
            Self::RateLimited {
                subject,
                retry_after,
            } => quota(details, subject.as_str(), "rate limit", Some(*retry_after)),
            Self::OverLimit(refused) => limits::reached(details, refused),
            Self::EpisodeLooping(looping) => limits::looping(details, looping),
            Self::StoreFull => quota(details, "journal", "no room on disk", None),
            Self::KeyUnknown
            | Self::NotAllowed { .. }
            | Self::AnswerCutOff(_)
            | Self::DeadlineExceeded
            | Self::NotBuilt
            | Self::Internal(_)
            | Self::StoreCorrupt(_) => {}
        }
    }
}

/// Those of [`KeyError`] that a caller is told as they are; the others are other failures.
fn of_key(error: &KeyError) -> (Code, &'static str) {
    match error {
        KeyError::NotFound { .. } => (Code::NotFound, "KEY_NOT_FOUND"),
        KeyError::Exists { .. } => (Code::AlreadyExists, "KEY_EXISTS"),
        KeyError::Configured { .. } => (Code::FailedPrecondition, "KEY_CONFIGURED"),
        KeyError::Ended { .. } => (Code::FailedPrecondition, "KEY_REVOKED"),
        KeyError::Open => (Code::FailedPrecondition, "SERVER_OPEN"),
        KeyError::Full { .. } => (Code::ResourceExhausted, "KEYS_FULL"),
        _ => (Code::Internal, "INTERNAL"),
    }
}

fn cut_off(attempt: &Attempt) -> String {
    let error = attempt.error.as_ref().map_or("cut", Name::as_str);
    let tokens = attempt.usage.output.unwrap_or(0);
    let charged = attempt.cost.unwrap_or(NanoUsd::ZERO).as_usd();
    format!(
        "the answer broke off at endpoint {}: {error}, after some {tokens} output tokens; {charged:.9} USD are charged",
        attempt.endpoint
    )
}

fn left_out(details: &mut ErrorDetails, excluded: &[Excluded]) {
    details.set_precondition_failure(listed(excluded, why_excluded, |arm, why| {
        PreconditionViolation::new("ARM_EXCLUDED", arm, why)
    }));
}

fn failed(details: &mut ErrorDetails, attempts: &[FailedAttempt]) {
    details.set_precondition_failure(listed(attempts, why_failed, |endpoint, why| {
        PreconditionViolation::new("ATTEMPT_FAILED", endpoint, why)
    }));
}

/// A quota that is spent, and when to come again if that is known.
pub(super) fn quota(
    details: &mut ErrorDetails,
    subject: &str,
    problem: &str,
    retry: Option<Duration>,
) {
    details.set_quota_failure(vec![QuotaViolation::new(subject, problem)]);
    if retry.is_some() {
        details.set_retry_info(retry);
    }
}

fn why_invalid(violation: &Violation) -> (String, String) {
    (violation.field.clone(), violation.problem.clone())
}

fn why_excluded(excluded: &Excluded) -> (String, String) {
    let why = format!("{}: {}", word(excluded.reason), excluded.detail);
    (excluded.arm.to_string(), why)
}

fn why_failed(attempt: &FailedAttempt) -> (String, String) {
    (attempt.endpoint.to_string(), attempt.error.to_string())
}

/// A list in one line, for those who see only a status's message: the first entry, and how many more.
fn summary<T>(items: &[T], text: impl Fn(&T) -> (String, String)) -> String {
    let Some((first, rest)) = items.split_first() else {
        return "none is listed".to_owned();
    };
    let (subject, problem) = text(first);
    match rest.len() {
        0 => format!("{subject}: {problem}"),
        more => format!("{subject}: {problem} (and {more} more)"),
    }
}

/// As many entries as fit, and how many did not.
fn listed<T, V>(
    items: &[T],
    text: impl Fn(&T) -> (String, String),
    make: impl Fn(String, String) -> V,
) -> Vec<V> {
    let mut bytes = 0;
    let mut out = Vec::with_capacity(items.len().min(64));
    for item in items {
        let (subject, problem) = text(item);
        bytes += subject.len() + problem.len() + 16;
        if bytes > LISTED_BYTES {
            let more = items.len() - out.len();
            out.push(make(String::new(), format!("{more} more are not listed")));
            break;
        }
        out.push(make(subject, problem));
    }
    out
}

/// An exclusion in one word, as in the contract's enum.
fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::NotAllowed => "NOT_ALLOWED",
        Reason::Denied => "DENIED",
        Reason::Capability => "CAPABILITY",
        Reason::ContextLength => "CONTEXT_LENGTH",
        Reason::DataPolicy => "DATA_POLICY",
        Reason::MaxCost => "MAX_COST",
        Reason::MaxLatency => "MAX_LATENCY",
        Reason::NoPrice => "NO_PRICE",
        Reason::Budget => "BUDGET",
        Reason::Unavailable => "UNAVAILABLE",
        Reason::Parameters => "PARAMETERS",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::Owner;
    use crate::decision::Usage;
    use crate::quota::{Allowed, Limited, Per, Rate, Told};
    use crate::recurrence::{Finding, Rule};
    use crate::unit::Timestamp;
    use std::fmt::Write;
    use tonic_types::ErrorDetail;

    fn name(text: &str) -> Name {
        Name::new(text).unwrap()
    }

    fn excluded(arm: &str, reason: Reason, detail: &str) -> Excluded {
        Excluded {
            arm: name(arm),
            reason,
            detail: detail.to_owned(),
        }
    }

    fn every_failure() -> Vec<Failure> {
        let violation = |field: &str, problem: &str| Violation::new(field, problem);
        let secret = crate::id::Secret::new([7; 32]);
        let decision = secret.mint(
            crate::unit::Timestamp::from_micros(1_700_000_000_000_000),
            1,
        );
        vec![
            Failure::InvalidField(vec![
                violation("context.tags", "has 10000 entries: allowed 0 to 64"),
                violation("explore", "is odd: allowed true or false"),
            ]),
            Failure::Blocked(vec![
                violation("context.messages[0]", "has email,credit_card"),
                violation("context.tools[1]", "has jwt"),
            ]),
            Failure::KeyUnknown,
            Failure::from(crate::access::Error::NotAllowed {
                key: name("ci"),
                scope: crate::access::Scope::Admin,
            }),
            Failure::from(crate::access::Error::Elsewhere { key: name("ci") }),
            Failure::from(crate::access::Error::Task {
                allowed: "fix, review".to_owned(),
            }),
            Failure::Key(KeyError::NotFound { name: name("ci") }),
            Failure::Key(KeyError::Exists { name: name("ci") }),
            Failure::Key(KeyError::Configured { name: name("ci") }),
            Failure::Key(KeyError::Ended { name: name("ci") }),
            Failure::Key(KeyError::Open),
            Failure::Key(KeyError::Full { limit: 10_000 }),
            Failure::DecisionNotFound { id: None },
            Failure::DecisionNotFound { id: Some(decision) },
            Failure::RequestIdReused {
                request_id: name("req-1"),
            },
            Failure::BudgetExhausted(BudgetExhausted {
                owner: Owner::Team(name("coding")),
                each: false,
                asked: NanoUsd::new(2_500_000),
                left: NanoUsd::new(1_000_000),
                refill: Some(Duration::from_secs(3600)),
            }),
            Failure::RateLimited {
                subject: name("ci"),
                retry_after: Duration::from_millis(250),
            },
            Failure::OverLimit(Box::new(Refused {
                owner: Owner::Key(name("coding"), name("ci")),
                limited: Limited::Requests,
                allowed: Allowed::Rate(Rate::new(600, Per::Minute, Some(50)).unwrap()),
                wait: Duration::from_millis(100),
                told: Told::default(),
            })),
            Failure::OverLimit(Box::new(Refused {
                owner: Owner::Organisation,
                limited: Limited::Parallel,
                allowed: Allowed::AtOnce(64),
                wait: Duration::from_secs(1),
                told: Told::default(),
            })),
            Failure::EpisodeLooping(Box::new(Looping {
                episode: name("ticket-7"),
                finding: Finding {
                    rule: Rule::SameRequests,
                    calls: 9,
                    found: 8.0,
                    allowed: 8.0,
                },
            })),
            Failure::StoreFull,
            Failure::NoEligibleArm(vec![
                excluded("large", Reason::MaxCost, "expects 0.02 USD: allowed 0.01"),
                excluded("small", Reason::Capability, "lacks vision"),
            ]),
            Failure::AtRest(AtRest {
                wait: Duration::from_millis(1_500),
                limited: false,
                excluded: vec![excluded("large", Reason::Unavailable, "its endpoints rest")],
            }),
            Failure::AtRest(AtRest {
                wait: Duration::from_secs(7),
                limited: true,
                excluded: vec![excluded("large", Reason::Unavailable, "its endpoints rest")],
            }),
            Failure::AllAttemptsFailed(vec![FailedAttempt {
                endpoint: name("large-eu"),
                error: name("timeout"),
            }]),
            Failure::FailedBefore(vec![FailedAttempt {
                endpoint: name("large-eu"),
                error: name("timeout"),
            }]),
            Failure::AnswerCutOff(Box::new(Attempt {
                decision,
                arm: name("large"),
                endpoint: name("large-eu"),
                ended: Timestamp::from_micros(0),
                latency_ms: None,
                usage: Usage {
                    output: Some(17),
                    ..Usage::default()
                },
                cost: Some(NanoUsd::new(4_200)),
                error: Some(name("cut")),
                reported: false,
                request: None,
                first_token_ms: None,
            })),
            Failure::AnswerNotKept { decision },
            Failure::DeadlineExceeded,
            Failure::NotBuilt,
            Failure::Internal("panic: index out of bounds".to_owned()),
            Failure::StoreCorrupt("segment 7, offset 1234".to_owned()),
        ]
    }

    fn describe(failure: &Failure) -> String {
        let status = failure.status(CallId::new(0xbe11));
        let mut text = format!("{:?}: {}\n", status.code(), status.message());
        for detail in status.get_error_details_vec() {
            let line = match detail {
                ErrorDetail::ErrorInfo(d) => format!("ErrorInfo {} {}", d.domain, d.reason),
                ErrorDetail::BadRequest(d) => d
                    .field_violations
                    .iter()
                    .fold("BadRequest".to_owned(), |text, v| {
                        format!("{text}\n    {}: {}", v.field, v.description)
                    }),
                ErrorDetail::PreconditionFailure(d) => d
                    .violations
                    .iter()
                    .fold("PreconditionFailure".to_owned(), |text, v| {
                        format!("{text}\n    {} {}: {}", v.r#type, v.subject, v.description)
                    }),
                ErrorDetail::QuotaFailure(d) => d
                    .violations
                    .iter()
                    .fold("QuotaFailure".to_owned(), |text, v| {
                        format!("{text}\n    {}: {}", v.subject, v.description)
                    }),
                ErrorDetail::RetryInfo(d) => format!("RetryInfo {:?}", d.retry_delay),
                ErrorDetail::ResourceInfo(d) => {
                    format!(
                        "ResourceInfo {} {:?}: {}",
                        d.resource_type, d.resource_name, d.description
                    )
                }
                other => panic!("{other:?} is no detail of ours"),
            };
            writeln!(text, "  {line}").unwrap();
        }
        text
    }

    /// `BELLWETHER_BLESS=1 cargo test --lib grpc::status` after a change that is meant.
    #[test]
    fn every_status_reads_as_the_golden_file_says() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/status.txt");
        let fresh: Vec<String> = every_failure().iter().map(describe).collect();
        let fresh = fresh.join("\n");
        if std::env::var_os("BELLWETHER_BLESS").is_some() {
            std::fs::write(path, &fresh).unwrap();
        }
        assert_eq!(fresh, std::fs::read_to_string(path).unwrap());
    }

    #[test]
    fn every_status_has_exactly_one_error_info_and_hides_the_inside() {
        for failure in every_failure() {
            let status = failure.status(CallId::new(1));
            let infos = status.get_error_details_vec().into_iter();
            let infos = infos.filter(|d| matches!(d, ErrorDetail::ErrorInfo(_)));
            assert_eq!(infos.count(), 1, "{failure:?}");
            let shown = format!("{status:?}");
            assert!(
                failure
                    .hidden_cause()
                    .is_none_or(|cause| !shown.contains(cause))
            );
        }
    }

    #[test]
    fn a_status_stays_small_enough_for_every_client_however_long_its_list() {
        let arm = "a".repeat(128);
        let arms = vec![excluded(&arm, Reason::NoPrice, "no price holds today"); 1000];
        let status = Failure::NoEligibleArm(arms).status(CallId::new(1));
        let mut headers = http::HeaderMap::new();
        status.add_header(&mut headers).unwrap();
        let bytes: usize = headers
            .iter()
            .map(|(k, v)| k.as_str().len() + v.len() + 32)
            .sum();
        assert!(bytes < 8 * 1024, "{bytes}");
        let details = status.get_details_precondition_failure().unwrap();
        let last = details.violations.last().unwrap();
        let listed = details.violations.len() - 1;
        assert_eq!(
            last.description,
            format!("{} more are not listed", 1000 - listed)
        );
    }
}
