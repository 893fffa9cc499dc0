//! What the recorder makes of a call, its attempts and its feedback.

use super::attributes::response_id;
use super::queue::Item;
use super::recorder::Recorder;
use super::recorder::moment;
use super::sample::{NOW, PARENT, Replies, attempt, data, decision, id, made, name, recorder};
use super::*;
use crate::clock::ManualClock;
use crate::signal::{Change, Evaluator, Feedback, Subject, Value};
use crate::telemetry::{Call, CallId, End, Method, Outcome, Parent};
use crate::unit::Timestamp;
use opentelemetry::trace::{SpanKind, Status};
use opentelemetry::{SpanId, TraceId};
use opentelemetry_sdk::logs::SdkLogRecord;
use opentelemetry_sdk::trace::SpanData;
use proptest::prelude::*;

/// A span's attributes, one a line, in the order of their names.
fn check(span: &SpanData, expected: &str) {
    let all = span.attributes.iter();
    let mut lines: Vec<_> = all.map(|kv| format!("{}={}", kv.key, kv.value)).collect();
    lines.sort();
    let expected: Vec<_> = expected.lines().map(str::trim).collect();
    assert_eq!(lines, expected);
}

fn called(parent: Option<Parent>) -> Option<Call> {
    let id = CallId::said("req-1").unwrap();
    Some(Call { id, parent })
}

const DONE: End = End {
    streamed: false,
    finish: Some("stop"),
};
const FAILED: End = End {
    finish: None,
    ..DONE
};

/// A call whose first attempt fails and whose second one answers.
fn a_fallback(recorder: &Recorder) {
    let (call, team) = (called(Some(PARENT)), name("a-team"));
    let mut span = recorder.begin(Method::Complete, &team, call).unwrap();
    span.decision = Some(decision(5));
    recorder.decided(&span);
    recorder.attempt(&attempt(5, Some("timeout")), FAILED);
    recorder.attempt(&attempt(5, None), DONE);
    recorder.ended(&span, Outcome::Ok);
}

#[tokio::test]
async fn a_call_is_a_span_below_its_callers_and_its_attempts_are_below_it() {
    let (spans, events) = made(false, a_fallback).await;
    let [failed, served, call] = &spans[..] else {
        panic!("{spans:?}");
    };
    assert!(events.is_empty());
    let server = (SpanKind::Server, Status::Unset, SpanId::from(PARENT.span));
    let found = (&call.span_kind, &call.status, &call.parent_span_id);
    assert_eq!(found, (&server.0, &server.1, &server.2));
    assert_eq!(call.name, "bellwether.complete");
    assert!(call.parent_span_is_remote && !served.parent_span_is_remote);
    for span in &spans {
        assert_eq!(span.span_context.trace_id(), TraceId::from(PARENT.trace));
        assert!(span.span_context.is_valid() && span.span_context.is_sampled());
    }
    for attempt in [failed, served] {
        assert_eq!(attempt.span_kind, SpanKind::Client);
        assert_eq!(attempt.parent_span_id, call.span_context.span_id());
        assert_eq!(attempt.name, "chat small-1");
        let took = attempt.end_time.duration_since(attempt.start_time);
        assert_eq!(took.unwrap(), Duration::from_millis(250));
    }
    assert_eq!(failed.status, Status::error("timeout"));
    assert_eq!(served.status, Status::Unset);
}

#[tokio::test]
async fn a_call_says_what_was_decided_and_what_it_came_to() {
    let (spans, _) = made(false, a_fallback).await;
    let decision = id(5);
    let expected = format!(
        "bellwether.arm.intended=large
        bellwether.arm.served=small
        bellwether.cost.usd=0.000005
        bellwether.decision.id={decision}
        bellwether.endpoint=large-eu
        bellwether.held_out=false
        bellwether.outcome=ok
        bellwether.policy.version=17
        bellwether.policy=uniform
        bellwether.propensity=0.75
        bellwether.reason=drawn
        bellwether.request.id=req-1
        bellwether.scorecard.version=3
        bellwether.task=fix-test
        bellwether.tries=2
        gen_ai.operation.name=chat
        gen_ai.response.id=chatcmpl-{decision}"
    );
    check(&spans[2], &expected);
}

#[tokio::test]
async fn an_attempt_says_whom_it_asked_and_what_it_used() {
    let (spans, _) = made(false, a_fallback).await;
    let decision = id(5);
    let expected = |more: &str| {
        format!(
            "bellwether.arm=small
            bellwether.cost.usd=0.0000025
            bellwether.decision.id={decision}
            bellwether.endpoint=small-eu
            bellwether.streamed=false
            bellwether.usage.estimated=false
            {more}
            gen_ai.usage.input_tokens=40
            gen_ai.usage.output_tokens=7
            server.address=api.example
            server.port=8443"
        )
    };
    let asked = "gen_ai.operation.name=chat
            gen_ai.provider.name=openai
            gen_ai.request.model=small-1";
    check(
        &spans[0],
        &expected(&format!("error.type=timeout\n{asked}")),
    );
    let finish = "gen_ai.response.finish_reasons=[\"stop\"]";
    check(&spans[1], &expected(&format!("{asked}\n{finish}")));
}

#[tokio::test]
async fn a_repeat_and_a_call_without_a_decision_have_no_tries() {
    let (spans, _) = made(false, |recorder| {
        let team = name("a-team");
        let refused = recorder.begin(Method::Route, &team, None).unwrap();
        recorder.ended(&refused, Outcome::NoEligibleArm);
        a_fallback(recorder);
        let mut again = recorder.begin(Method::Stream, &team, None).unwrap();
        again.decision = Some(decision(5));
        recorder.ended(&again, Outcome::Repeated);
        let broken = recorder.begin(Method::Embed, &team, None).unwrap();
        recorder.ended(&broken, Outcome::Internal);
    })
    .await;
    let refused = "bellwether.outcome=no_eligible_arm\nerror.type=no_eligible_arm";
    check(&spans[0], refused);
    assert_eq!(
        (&*spans[0].name, &spans[0].status),
        ("bellwether.route", &Status::Unset)
    );
    let again = &spans[4];
    assert!(
        again
            .attributes
            .iter()
            .all(|kv| kv.key.as_str() != "bellwether.tries")
    );
    assert_ne!(again.span_context.trace_id(), TraceId::from(PARENT.trace));
    assert_eq!(again.parent_span_id, SpanId::INVALID);
    assert_eq!(spans[5].status, Status::error("internal"));
}

fn feedback(subject: Subject, signals: Vec<(Name, Change)>) -> Feedback {
    Feedback {
        team: name("a-team"),
        subject,
        signals,
        observed: NOW,
        received: NOW,
        evaluator: Some(Evaluator {
            name: name("ci"),
            version: String::new(),
        }),
        request_id: None,
        body_hash: 0,
    }
}

/// What an event says, one a line.
fn said(event: &SdkLogRecord) -> Vec<String> {
    let all = event.attributes_iter();
    all.map(|(key, value)| format!("{key}={value:?}")).collect()
}

#[tokio::test]
async fn feedback_is_in_the_trace_of_its_decision_and_a_comment_keeps_its_words() {
    let flag = (name("tests_passed"), Change::Observed(Value::Flag(true)));
    let comment = Value::Comment("words of a person".to_owned());
    let comment = (name("note"), Change::Corrected(comment));
    let known = feedback(Subject::Decision(id(5)), vec![flag, comment]);
    let gone = (name("stars"), Change::Retracted);
    let unknown = feedback(Subject::Decision(id(6)), vec![gone]);
    let number = (name("stars"), Change::Observed(Value::Number(4.5)));
    let episode = feedback(Subject::Episode(name("ticket-1")), vec![number]);
    let (spans, events) = made(false, |recorder| {
        a_fallback(recorder);
        for item in [&known, &unknown, &episode] {
            recorder.feedback(item);
        }
    })
    .await;
    let call = &spans[2].span_context;
    let traces: Vec<_> = events
        .iter()
        .map(|e| e.trace_context().map(|of| (of.trace_id, of.span_id)))
        .collect();
    let of_call = Some((call.trace_id(), call.span_id()));
    assert_eq!(traces, [of_call, of_call, None, None]);
    assert!(
        events
            .iter()
            .all(|e| e.event_name() == Some("gen_ai.evaluation.result"))
    );
    let flag = said(&events[0]);
    let response = format!("gen_ai.response.id=String(Owned({:?}))", response_id(id(5)));
    assert_eq!(
        flag[0],
        "gen_ai.evaluation.name=String(Owned(\"tests_passed\"))"
    );
    assert_eq!(flag[1], response);
    assert!(
        flag.contains(&"gen_ai.evaluation.score.value=Double(1.0)".to_owned()),
        "{flag:?}"
    );
    for (event, score) in events.iter().zip([true, false, false, true]) {
        let told = said(event).join("\n");
        assert_eq!(told.contains("score.value"), score, "{told}");
        assert!(
            !told.contains("words of a person") && !told.contains("a-team"),
            "{told}"
        );
    }
    assert!(said(&events[3]).join("\n").contains("ticket-1"));
}

#[tokio::test]
async fn teams_are_named_only_where_the_operator_asks_for_it_and_content_never() {
    let item = feedback(
        Subject::Decision(id(5)),
        vec![(name("s"), Change::Retracted)],
    );
    for teams in [false, true] {
        let (spans, events) = made(teams, |recorder| {
            a_fallback(recorder);
            recorder.feedback(&item);
        })
        .await;
        for told in [
            format!("{:?}", spans[2].attributes),
            said(&events[0]).join("\n"),
        ] {
            assert_eq!(told.contains("a-team"), teams, "{told}");
            assert!(!told.contains("words of a caller"), "{told}");
        }
    }
}

#[test]
fn the_caller_decides_whether_its_trace_is_recorded_and_a_share_of_the_others_is() {
    let begun = |ratio: f64, parent: Option<Parent>| {
        let (recorder, ..) = recorder(ratio, false);
        let begin = || recorder.begin(Method::Route, &name("a-team"), called(parent));
        (0..200).filter(|_| begin().is_some()).count()
    };
    let quiet = Parent {
        sampled: false,
        ..PARENT
    };
    assert_eq!((begun(0.0, None), begun(1.0, None)), (0, 200));
    assert_eq!(
        (begun(0.0, Some(PARENT)), begun(1.0, Some(quiet))),
        (200, 0)
    );
    // Fewer than 50 or more than 150 of 200 coins: once in 10^11 runs.
    assert!((50..=150).contains(&begun(0.5, None)));
}

#[test]
fn an_attempt_of_an_unrecorded_call_is_not_sent() {
    let (recorder, mut emptying, _) = recorder(0.0, false);
    assert!(
        recorder
            .begin(Method::Complete, &name("a-team"), None)
            .is_none()
    );
    recorder.attempt(&attempt(5, None), DONE);
    assert!(emptying.waiting().is_none());
    recorder.queue.put(Item::Span(Box::new(data())));
    assert!(emptying.waiting().is_some());
}

proptest! {
    #[test]
    fn a_time_is_the_same_moment_to_the_collector(micros in 0_i64..4_000_000_000_000_000) {
        let since = moment(Timestamp::from_micros(micros));
        let since = since.duration_since(std::time::UNIX_EPOCH).unwrap();
        prop_assert_eq!(i64::try_from(since.as_micros()).unwrap(), micros);
    }
}

#[test]
fn the_exporter_takes_the_settings_and_names_the_field_where_it_cannot() {
    let opened = |endpoint: &str| {
        let settings = Settings {
            endpoint: endpoint.to_owned(),
            timeout: Duration::from_secs(1),
            sample_ratio: 1.0,
            service_name: None,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        let runtime = runtime.unwrap();
        let _guard = runtime.enter();
        let tasks = TaskTracker::new();
        let courier = Arc::new(Replies::new(&[200]));
        let clock = Arc::new(ManualClock::new(NOW));
        open(&settings, Names::default(), courier, clock, &tasks).map(|_| ())
    };
    assert!(opened("http://localhost:4318").is_ok());
    let error = opened("not an address").unwrap_err().to_string();
    assert!(error.starts_with("telemetry.otlp_endpoint: "), "{error}");
}
