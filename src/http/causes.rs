//! From the use cases' errors to the failures that a caller is told.
//!
//! Why a table of its own, and not one for both doors: each has failures and names of fields that the other has
//! not; what both tell in the same words is the use case's own text.
//!
//! Not here: statuses and codes (`status`).

use super::status::Failure;
use crate::access;
use crate::complete::{self, Failed};
use crate::feature;
use crate::field::Violation;
use crate::learn::{self, Refused};
use crate::provider::{Kind, Source};
use crate::redaction::Finding;
use crate::route;
use crate::store;

impl From<access::Error> for Failure {
    fn from(error: access::Error) -> Self {
        match error {
            access::Error::KeyUnknown => Self::KeyUnknown,
            access::Error::NotAllowed { scope, .. } => Self::NotAllowed { scope },
            access::Error::Elsewhere { .. } => Self::Elsewhere,
            access::Error::Task { allowed } => Self::TaskNotAllowed { allowed },
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::Full { .. } => Self::StoreFull,
            store::Error::TooLarge { bytes, limit } => Self::field(
                "messages",
                format!("make a record of {bytes} bytes: allowed at most {limit}"),
            ),
            other => Self::Internal(other.to_string()),
        }
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
                    |unknown: &route::UnknownName| Violation::new(here(&unknown.field), unknown);
                Self::InvalidField(unknown.iter().map(violation).collect())
            }
            route::Error::Blocked(route::Blocked(findings)) => {
                let violation = |finding: &Finding| {
                    Violation::new(finding.place, format_args!("has {}", finding.kinds))
                };
                Self::Blocked(findings.iter().map(violation).collect())
            }
            route::Error::RequestIdReused { request_id } => Self::RequestIdReused { request_id },
            route::Error::DecisionNotFound { .. } => Self::DecisionNotFound,
            route::Error::Feature(error) => error.into(),
            route::Error::Store(error) => error.into(),
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<feature::Error> for Failure {
    fn from(error: feature::Error) -> Self {
        let field = match error {
            feature::Error::TagNotFinite { .. } => "bellwether.tags",
            _ => "bellwether.embedding",
        };
        Self::field(field, error)
    }
}

/// What a field of the router's constraints is called in the body.
fn here(field: &str) -> String {
    const NAMES: [(&str, &str); 9] = [
        ("constraints.allowed_arms", "model"),
        ("constraints.denied_arms", "bellwether.denied_arms"),
        ("constraints.arm_order", "models"),
        ("constraints.allowed_endpoints", "provider.only"),
        ("constraints.denied_endpoints", "provider.ignore"),
        (
            "constraints.required_capabilities",
            "bellwether.required_capabilities",
        ),
        ("constraints.data_policy.regions", "bellwether.regions"),
        (
            "constraints.data_policy.certifications",
            "bellwether.certifications",
        ),
        ("constraints.data_class", "bellwether.data_class"),
    ];
    let found = NAMES
        .iter()
        .find_map(|(there, here)| Some((here, field.strip_prefix(there)?)));
    match found {
        // Which of several names made the list does not matter: it is the caller's one model.
        Some((&"model", _)) => "model".to_owned(),
        Some((here, rest)) => format!("{here}{rest}"),
        None => field.to_owned(),
    }
}

/// What a schema's field is called in the body.
fn of_schema(field: &str) -> String {
    let tool = field.strip_suffix(".parameters_json_schema");
    tool.map_or_else(
        || "response_format.json_schema.schema".to_owned(),
        |tool| format!("{tool}.function.parameters"),
    )
}

impl From<complete::Error> for Failure {
    fn from(error: complete::Error) -> Self {
        match error {
            complete::Error::Route(error) => error.into(),
            complete::Error::Store(error) => error.into(),
            complete::Error::Unfit(unfit) => Self::field(of_schema(&unfit.field), unfit.error),
            complete::Error::DeadlineExceeded => Self::DeadlineExceeded,
            complete::Error::Failed(failed) => (*failed).into(),
            complete::Error::FailedBefore(attempt) => Self::FailedBefore(vec![*attempt]),
            complete::Error::AnswerNotKept { decision } => Self::AnswerNotKept { decision },
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<Failed> for Failure {
    fn from(failed: Failed) -> Self {
        let Failed { attempts, error } = failed;
        match (error.kind, error.source) {
            (Kind::DeadlineExceeded, _) => Self::DeadlineExceeded,
            (kind, Source::Caller) => Self::Refused { kind, attempts },
            _ => Self::AllAttemptsFailed(attempts),
        }
    }
}

impl From<learn::Error> for Failure {
    fn from(error: learn::Error) -> Self {
        match error {
            learn::Error::Store(error) => error.into(),
            learn::Error::RequestIdReused(request_id) => Self::RequestIdReused { request_id },
            other => Self::Internal(other.to_string()),
        }
    }
}

impl From<Refused> for Failure {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::DecisionNotFound { .. } => Self::DecisionNotFound,
            Refused::RequestIdReused { request_id } => Self::RequestIdReused { request_id },
            // Their texts begin with the field.
            other => {
                let text = other.to_string();
                let (field, problem) = text.split_once(": ").unwrap_or(("signals", &text));
                Self::field(field, problem)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider;

    fn check(kind: Kind, expected: &str) {
        let failed = Failed {
            attempts: Vec::new(),
            error: provider::Error::from(kind),
        };
        assert_eq!(Failure::from(failed).class().code, expected);
    }

    #[test]
    fn whose_fault_a_failed_call_was_decides_what_is_told() {
        check(Kind::DeadlineExceeded, "deadline_exceeded");
        check(Kind::ContextLength, "context_length_exceeded");
        check(Kind::InvalidRequest, "provider_refused");
        check(Kind::Unauthorized, "all_attempts_failed");
        check(Kind::Cut, "all_attempts_failed");
    }

    #[test]
    fn fields_are_called_as_they_are_called_in_the_body() {
        assert_eq!(here("constraints.allowed_arms[2]"), "model");
        assert_eq!(
            here("constraints.denied_endpoints[0]"),
            "provider.ignore[0]"
        );
        assert_eq!(here("elsewhere"), "elsewhere");
        let tool = of_schema("tools[1].parameters_json_schema");
        assert_eq!(tool, "tools[1].function.parameters");
        let form = of_schema("response_format.json_schema");
        assert_eq!(form, "response_format.json_schema.schema");
    }
}
