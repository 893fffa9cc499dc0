//! What is told is what is written, and nothing that a caller chose.

use super::super::current::Call;
use super::super::witness::{Lost, Span};
use super::*;
use crate::decision::{Reason, Usage};
use crate::id::DecisionId;
use crate::unit::{NanoUsd, Timestamp};
use proptest::prelude::*;
use std::sync::Arc;

fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

fn labels(teams: &[&str]) -> Labels {
    Labels {
        endpoints: vec![name("a-eu"), name("b-eu")],
        arms: vec![name("a"), name("b")],
        checks: vec![name("json")],
        errors: vec!["timeout", "abandoned"],
        actions: vec!["block", "flag"],
        kinds: vec!["email", "jwt"],
        teams: teams.iter().map(|team| name(team)).collect(),
    }
}

fn metrics(teams: &[&str]) -> Arc<Metrics> {
    Arc::new(Metrics::new(labels(teams)))
}

fn end(streamed: bool) -> End {
    End {
        streamed,
        finish: None,
    }
}

fn attempt(endpoint: &str, error: Option<&str>) -> Attempt {
    Attempt {
        decision: DecisionId::recorded(1),
        arm: name("a"),
        endpoint: name(endpoint),
        ended: Timestamp::from_micros(0),
        latency_ms: Some(20.0),
        usage: Usage {
            input: Some(100),
            cached_input: Some(40),
            output: Some(7),
            ..Usage::default()
        },
        cost: Some(NanoUsd::new(1_500_000_000)),
        error: error.map(name),
        reported: false,
        request: None,
        first_token_ms: None,
    }
}

/// A witness that has lost some of what it was told, and keeps the rest to itself.
#[derive(Debug)]
struct Forgetful;

impl Witness for Forgetful {
    fn begin(&self, _: Method, _: &Name, _: Option<Call>) -> Option<Span> {
        None
    }

    fn decided(&self, _: &Span) {}

    fn attempt(&self, _: &Attempt, _: End) {}

    fn ended(&self, _: &Span, _: Outcome) {}

    fn feedback(&self, _: &Feedback) {}

    fn lost(&self) -> Lost {
        Lost {
            spans: 5,
            events: 3,
        }
    }
}

/// Each expected line stands in the text, as it is.
fn check(metrics: &Metrics, now: &Now, expected: &[&str]) {
    let text = metrics.text(now);
    for line in expected {
        assert!(text.lines().any(|l| l == *line), "no {line} in\n{text}");
    }
}

#[test]
fn every_metric_of_the_table_is_written_once_in_its_order() {
    let metrics = Metrics::new(labels(&["t"])).witnessed(Arc::new(Forgetful));
    let text = metrics.text(&Now::default());
    let helps = text.lines().filter_map(|l| l.strip_prefix("# HELP "));
    let helps: Vec<_> = helps.filter_map(|l| l.split(' ').next()).collect();
    let table: Vec<_> = table::ALL.iter().map(|family| family.name).collect();
    assert_eq!(helps, table);
    let version = env!("CARGO_PKG_VERSION");
    assert!(text.contains(&format!(
        "bellwether_build_info{{version=\"{version}\"}} 1\n"
    )));
}

#[test]
fn what_a_witness_lost_is_told_where_there_is_one() {
    let metrics = Metrics::new(labels(&[])).witnessed(Arc::new(Forgetful));
    let expected = [
        r#"bellwether_otlp_dropped_total{kind="event"} 3"#,
        r#"bellwether_otlp_dropped_total{kind="span"} 5"#,
    ];
    check(&metrics, &Now::default(), &expected);
    let text = self::metrics(&[]).text(&Now::default());
    assert!(!text.contains("otlp"), "{text}");
}

#[test]
fn an_attempt_is_told_at_its_endpoint() {
    let metrics = metrics(&[]);
    let team = name("t");
    metrics.attempt(&team, &attempt("a-eu", None), end(false));
    metrics.attempt(&team, &attempt("a-eu", Some("timeout")), end(false));
    metrics.attempt(&team, &attempt("b-eu", Some("of-a-caller")), end(false));
    let streamed = Attempt {
        first_token_ms: Some(5.0),
        ..attempt("b-eu", None)
    };
    metrics.attempt(&team, &streamed, end(true));
    check(
        &metrics,
        &Now::default(),
        &[
            r#"bellwether_attempts_total{endpoint="a-eu",outcome="ok"} 1"#,
            r#"bellwether_attempts_total{endpoint="a-eu",outcome="timeout"} 1"#,
            r#"bellwether_attempts_total{endpoint="b-eu",outcome="other"} 1"#,
            r#"bellwether_tokens_total{endpoint="a-eu",kind="input"} 200"#,
            r#"bellwether_tokens_total{endpoint="a-eu",kind="cached"} 80"#,
            r#"bellwether_tokens_total{endpoint="a-eu",kind="output"} 14"#,
            r#"bellwether_cost_usd_total{endpoint="a-eu"} 3"#,
            r#"bellwether_provider_duration_seconds_count{endpoint="a-eu",streamed="false"} 1"#,
            r#"bellwether_provider_duration_seconds_sum{endpoint="b-eu",streamed="true"} 0.02"#,
            r#"bellwether_first_token_seconds_bucket{endpoint="b-eu",le="0.01"} 1"#,
            r#"bellwether_first_token_seconds_count{endpoint="a-eu"} 0"#,
        ],
    );
}

#[test]
fn a_call_is_counted_once_by_what_became_of_it() {
    let metrics = metrics(&[]);
    let team = name("t");
    let begin = |method| metrics.begin(method, &team);
    let mut first = begin(Method::Complete);
    first.answered(&[]);
    first.end(Outcome::Internal);
    let underway = begin(Method::Route);
    check(&metrics, &Now::default(), &["bellwether_in_flight 2"]);
    drop((first, underway));
    begin(Method::Route).end(Outcome::BudgetExhausted);
    let excluded = |reason| Excluded {
        arm: name("a"),
        reason,
        detail: String::new(),
    };
    let reasons = [Reason::Denied, Reason::NoPrice, Reason::Denied].map(excluded);
    begin(Method::Stream).no_eligible_arm(&reasons);
    check(
        &metrics,
        &Now::default(),
        &[
            "bellwether_in_flight 0",
            r#"bellwether_requests_total{call="complete",outcome="ok"} 1"#,
            r#"bellwether_requests_total{call="route",outcome="abandoned"} 1"#,
            r#"bellwether_requests_total{call="route",outcome="budget_exhausted"} 1"#,
            r#"bellwether_requests_total{call="stream",outcome="no_eligible_arm"} 1"#,
            r#"bellwether_request_duration_seconds_count{call="route"} 2"#,
            "bellwether_budget_refusals_total 1",
            r#"bellwether_no_eligible_arm_total{reason="denied"} 1"#,
            r#"bellwether_no_eligible_arm_total{reason="no_price"} 1"#,
        ],
    );
}

#[test]
fn the_overhead_is_only_of_calls_with_one_try_that_took_no_longer_than_the_call() {
    let metrics = metrics(&[]);
    let team = name("t");
    let waited = |ms| Attempt {
        latency_ms: Some(ms),
        ..attempt("a-eu", None)
    };
    for attempts in [
        vec![waited(0.0)],
        vec![waited(0.0); 2],
        vec![waited(1e9)],
        vec![waited(-1.0)],
        Vec::new(),
    ] {
        metrics.begin(Method::Complete, &team).answered(&attempts);
    }
    let expected = [
        r#"bellwether_overhead_seconds_count{call="complete"} 1"#,
        r#"bellwether_request_duration_seconds_count{call="complete"} 5"#,
    ];
    check(&metrics, &Now::default(), &expected);
    let (took, overhead) = (Duration::from_millis(21), Duration::from_millis(1));
    let of = (Method::Stream, None);
    metrics.ended(of, Outcome::Ok, took, Some(overhead));
    let expected = [
        r#"bellwether_overhead_seconds_sum{call="stream"} 0.001"#,
        r#"bellwether_request_duration_seconds_sum{call="stream"} 0.021"#,
    ];
    check(&metrics, &Now::default(), &expected);
}

#[test]
fn another_try_is_a_retry_at_its_arm_and_a_fallback_elsewhere() {
    let metrics = metrics(&[]);
    metrics.another_try(&name("a"), &name("a"));
    metrics.another_try(&name("a"), &name("b"));
    metrics.another_try(&name("a"), &name("gone"));
    let expected = [
        "bellwether_retries_total 1",
        r#"bellwether_fallbacks_total{from="a",to="b"} 1"#,
    ];
    check(&metrics, &Now::default(), &expected);
}

#[test]
fn what_is_read_now_is_written_as_it_is() {
    let metrics = metrics(&[]);
    let now = Now {
        unavailable: vec![false, true],
        misconfigured: vec![true, false],
        soft_budgets_passed: 3,
        journal: 120,
        learned: 100,
    };
    check(
        &metrics,
        &now,
        &[
            r#"bellwether_breaker_open{endpoint="a-eu"} 0"#,
            r#"bellwether_breaker_open{endpoint="b-eu"} 1"#,
            r#"bellwether_endpoint_misconfigured{endpoint="a-eu"} 1"#,
            r#"bellwether_endpoint_misconfigured{endpoint="b-eu"} 0"#,
            "bellwether_soft_budgets_passed_total 3",
            "bellwether_journal_records_total 120",
            "bellwether_learner_lag_records 20",
        ],
    );
    let closed = [r#"bellwether_breaker_open{endpoint="b-eu"} 0"#];
    check(&metrics, &Now::default(), &closed);
}

#[test]
fn checks_and_feedback_are_counted_by_their_verdicts() {
    let metrics = metrics(&[]);
    metrics.checked("json", true);
    metrics.checked("json", false);
    metrics.checked("of-nobody", false);
    metrics.feedback(Taken::Accepted);
    metrics.feedback(Taken::Failed);
    check(
        &metrics,
        &Now::default(),
        &[
            r#"bellwether_checks_total{check="json",passed="true"} 1"#,
            r#"bellwether_checks_total{check="json",passed="false"} 1"#,
            r#"bellwether_feedback_total{verdict="accepted"} 1"#,
            r#"bellwether_feedback_total{verdict="failed"} 1"#,
            r#"bellwether_feedback_total{verdict="refused"} 0"#,
        ],
    );
}

#[test]
fn teams_are_told_apart_only_where_the_operator_asks_for_it() {
    let tell = |metrics: &Arc<Metrics>| {
        let team = name("tenant");
        metrics.begin(Method::Complete, &team).answered(&[]);
        metrics.attempt(&team, &attempt("a-eu", None), end(false));
    };
    let silent = metrics(&[]);
    tell(&silent);
    let text = silent.text(&Now::default());
    assert!(!text.contains("tenant") && !text.contains("team=") && !text.contains("_team_"));
    let told = metrics(&["tenant"]);
    tell(&told);
    check(
        &told,
        &Now::default(),
        &[
            r#"bellwether_team_requests_total{team="tenant",outcome="ok"} 1"#,
            r#"bellwether_team_cost_usd_total{team="tenant"} 1.5"#,
        ],
    );
}

#[test]
fn every_word_has_a_place_of_its_own() {
    for (place, method) in Method::ALL.into_iter().enumerate() {
        assert_eq!(method as usize, place);
    }
    for (place, outcome) in Outcome::ALL.into_iter().enumerate() {
        assert_eq!(outcome as usize, place);
    }
    assert_eq!(Taken::Failed as usize + 1, TAKEN.len());
    assert_eq!(reason::place(Reason::Parameters) + 1, reason::WORDS.len());
}

proptest! {
    #[test]
    fn no_name_of_a_callers_is_ever_a_label(
        words in prop::collection::vec("zq[a-z]{3,10}", 5), streamed: bool
    ) {
        let metrics = metrics(&[]);
        let [team, endpoint, arm, error, check] = &words[..] else {
            panic!("five words");
        };
        let told = Attempt {
            arm: name(arm),
            ..attempt(endpoint, Some(error))
        };
        metrics.attempt(&name(team), &told, end(streamed));
        let known = Attempt { endpoint: name("a-eu"), ..told };
        metrics.attempt(&name(team), &known, end(streamed));
        metrics.another_try(&name(arm), &name("a"));
        metrics.checked(check, true);
        metrics.begin(Method::Route, &name(team)).end(Outcome::Ok);
        let text = metrics.text(&Now::default());
        for word in &words {
            prop_assert!(!text.contains(word.as_str()), "{} in\n{}", word, text);
        }
    }
}
