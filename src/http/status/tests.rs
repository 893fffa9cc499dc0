//! The table, row by row.

use super::*;
use crate::account::Owner;
use crate::id::Secret;
use crate::unit::{NanoUsd, Timestamp};
use serde_json::Value;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn excluded(reason: Reason) -> Failure {
    Failure::NoEligibleArm(vec![Excluded {
        arm: name("small"),
        reason,
        detail: "lacks vision".into(),
    }])
}

pub(super) fn attempt() -> Attempt {
    Attempt {
        decision: decision(),
        arm: name("large"),
        endpoint: name("large-eu"),
        ended: Timestamp::default(),
        latency_ms: Some(5.0),
        usage: Default::default(),
        cost: Some(NanoUsd::new(2_500_000)),
        error: Some(name("timeout")),
        reported: false,
        request: None,
        first_token_ms: None,
    }
}

fn decision() -> DecisionId {
    Secret::new([7; 32]).mint(Timestamp::from_micros(1_700_000_000_000_000), 1)
}

/// The failure's status, type, code and param; its object.
fn check(failure: &Failure, expected: (u16, &str, &str, Option<&str>)) -> Value {
    let ids = super::super::call::CallIds::new(0xab);
    let reply = failure.reply(ids.call(&http::HeaderMap::new()).id);
    let object: Value = serde_json::from_slice(&failure.json(CallId::default())).unwrap();
    let error = &object["error"];
    let found = (
        reply.status().as_u16(),
        error["type"].as_str().unwrap(),
        error["code"].as_str().unwrap(),
        error["param"].as_str(),
    );
    assert_eq!(found, expected, "{failure:?}");
    assert!(!error["message"].as_str().unwrap().is_empty());
    error.clone()
}

#[test]
fn each_failure_of_a_body_or_an_address_has_its_row() {
    const I: &str = "invalid_request_error";
    const S: &str = "server_error";
    let (limit, wait) = (9, Duration::from_secs(30));
    check(
        &Failure::field("n", "is 2"),
        (400, I, "invalid_field", Some("n")),
    );
    check(
        &Failure::NotJson { line: 1, column: 2 },
        (400, I, "invalid_json", None),
    );
    check(&Failure::NotUtf8 { at: 3 }, (400, I, "invalid_json", None));
    check(&Failure::BrokenOff, (400, I, "body_broke_off", None));
    check(
        &Failure::TooLarge { limit },
        (413, I, "request_too_large", None),
    );
    check(
        &Failure::TooSlow { limit: wait },
        (408, I, "body_too_slow", None),
    );
    check(
        &Failure::TooLate { limit: wait },
        (408, I, "body_too_slow", None),
    );
    check(
        &Failure::NotJsonType,
        (415, I, "unsupported_media_type", None),
    );
    check(&Failure::UnknownUrl, (404, I, "unknown_url", None));
    check(
        &Failure::Method { allowed: "POST" },
        (405, I, "method_not_allowed", None),
    );
    check(&Failure::NotServing, (503, S, "not_serving", None));
}

#[test]
fn each_failure_of_keys_names_and_ids_has_its_row() {
    const I: &str = "invalid_request_error";
    const S: &str = "server_error";
    check(&Failure::KeyUnknown, (401, I, "invalid_api_key", None));
    let scope = Scope::Complete;
    check(&Failure::Elsewhere, (403, I, "not_allowed", None));
    let allowed = "fix".to_owned();
    check(
        &Failure::TaskNotAllowed { allowed },
        (403, I, "not_allowed", None),
    );
    check(
        &Failure::NotAllowed { scope },
        (403, I, "not_allowed", None),
    );
    let known = "large, bellwether/auto".to_owned();
    check(
        &Failure::ModelNotFound { known },
        (404, I, "model_not_found", Some("model")),
    );
    check(
        &Failure::DecisionNotFound,
        (404, I, "decision_not_found", None),
    );
    let request_id = name("r1");
    check(
        &Failure::RequestIdReused { request_id },
        (409, I, "request_id_reused", None),
    );
    let kept = Failure::AnswerNotKept {
        decision: decision(),
    };
    check(&kept, (409, I, "answer_not_kept", None));
    let held = vec![Violation::new("messages[2]", "has email,jwt")];
    let blocked = check(
        &Failure::Blocked(held),
        (400, I, "guardrail_blocked", Some("messages[2]")),
    );
    assert_eq!(
        blocked["message"],
        "the team's guardrail refuses what the request holds: messages[2]: has email,jwt"
    );
    check(&Failure::StoreFull, (503, S, "store_full", None));
    check(
        &Failure::DeadlineExceeded,
        (504, S, "deadline_exceeded", None),
    );
}

#[test]
fn an_arm_that_is_only_unavailable_now_is_worth_another_try() {
    let row = |status, kind| (status, kind, "no_eligible_arm", None);
    let error = check(
        &excluded(Reason::Capability),
        row(400, "invalid_request_error"),
    );
    let out = &error["bellwether"]["excluded"][0];
    assert_eq!(
        (&out["arm"], &out["reason"]),
        (&"small".into(), &"capability".into())
    );
    check(&excluded(Reason::Unavailable), row(503, "server_error"));
}

#[test]
fn failed_attempts_are_listed_and_a_refused_request_is_the_callers_fault() {
    let failed = Failure::AllAttemptsFailed(vec![attempt()]);
    let error = check(&failed, (503, "server_error", "all_attempts_failed", None));
    let tried = &error["bellwether"]["attempts"][0];
    assert_eq!(tried["endpoint"], "large-eu");
    assert_eq!(tried["error"], "timeout");
    assert_eq!(tried["cost_usd"], 0.0025);
    let refused = |kind| Failure::Refused {
        kind,
        attempts: vec![attempt()],
    };
    let row = |code| (400, "invalid_request_error", code, None);
    check(
        &refused(Kind::ContextLength),
        row("context_length_exceeded"),
    );
    check(&refused(Kind::ContentFilter), row("content_filter"));
    check(&refused(Kind::InvalidRequest), row("provider_refused"));
}

#[test]
fn a_spent_budget_says_when_to_come_again_and_that_a_retry_is_of_no_use() {
    let spent = |refill| {
        Failure::BudgetExhausted(BudgetExhausted {
            owner: Owner::Team(name("coding")),
            each: false,
            asked: NanoUsd::new(2_500_000),
            left: NanoUsd::ZERO,
            refill,
        })
    };
    let row = (429, "insufficient_quota", "insufficient_quota", None);
    check(&spent(None), row);
    let reply = spent(Some(Duration::from_millis(3_600_500))).reply(CallId::default());
    assert_eq!(reply.headers()["retry-after"], "3601");
    assert_eq!(reply.headers()["x-should-retry"], "false");
    let failed = Failure::AllAttemptsFailed(Vec::new()).reply(CallId::default());
    assert!(!failed.headers().contains_key("x-should-retry"));
    let before = Failure::FailedBefore(vec![attempt()]).reply(CallId::default());
    assert_eq!(before.headers()["x-should-retry"], "false");
}

#[test]
fn endpoints_that_are_left_alone_say_for_how_long_and_a_retry_is_of_use() {
    let rest = |limited, ms| {
        Failure::AtRest(AtRest {
            wait: Duration::from_millis(ms),
            limited,
            excluded: vec![],
        })
    };
    let row = (503, "server_error", "endpoints_unavailable", None);
    check(&rest(false, 1), row);
    let row = (429, "rate_limit_error", "endpoints_rate_limited", None);
    let error = check(&rest(true, 6_100), row);
    assert!(error["message"].as_str().unwrap().ends_with("in 6.1 s"));
    for (ms, expected) in [(0, "1"), (1, "1"), (6_100, "7")] {
        let reply = rest(true, ms).reply(CallId::default());
        assert_eq!(reply.headers()["retry-after"], expected);
        assert!(!reply.headers().contains_key("x-should-retry"));
    }
}

#[test]
fn an_internal_error_tells_its_id_and_nothing_of_the_inside() {
    let failure = Failure::Internal("panic: secret".to_owned());
    let error = check(&failure, (500, "server_error", "internal_error", None));
    assert!(!error.to_string().contains("secret"));
    assert!(
        error["message"]
            .as_str()
            .unwrap()
            .contains("0000000000000000")
    );
    assert_eq!(failure.hidden_cause(), Some("panic: secret"));
}

#[test]
fn all_violations_are_told_at_once() {
    let violation = |field: &str| Violation::new(field, "is bad");
    let failure = Failure::InvalidField(vec![violation("n"), violation("top_p")]);
    let error = check(
        &failure,
        (400, "invalid_request_error", "invalid_field", Some("n")),
    );
    assert_eq!(error["message"], "n: is bad (and 1 more)");
    assert_eq!(error["bellwether"]["violations"][1]["field"], "top_p");
}
