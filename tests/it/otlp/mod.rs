//! Spans and events of feedback as a collector gets them, and what a bad collector does to callers: nothing.

mod collector;

use crate::metrics::Seen as Metrics;
use crate::openai_door::caller::{post, send};
use crate::rig::{CODING, Rig, configured_with, passed, said, within};
use crate::upstream::{Behaviour, Upstream, WORDS};
use bellwether::clock::SystemClock;
use bellwether::proto::v1;
use bellwether::server;
use bellwether::telemetry::otlp::Settings;
use collector::{Collector, Seen, attributes};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use serde_json::json;
use std::collections::BTreeMap;
use std::time::Duration;
use tonic::Request;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";
const PROMPT: &str = "words-of-a-caller";

/// Arm `small` at one provider, `large` at another.
fn arms(small: &Upstream, large: &Upstream) -> String {
    let arm = |name: &str, price: f64, at: &Upstream| {
        format!(
            r#"[[arms]]
name = "{name}"
context_tokens = 100_000
[[endpoints]]
name = "{name}-eu"
arm = "{name}"
provider = "openai"
model = "{name}-1"
base_url = "{}"
prices = [{{ input_usd_per_million = {price}, output_usd_per_million = {price} }}]
"#,
            at.base_url()
        )
    };
    arm("small", 0.1, small) + &arm("large", 5.0, large)
}

async fn rig(arms: &str, endpoint: &str, timeout: Duration) -> Rig {
    let (dir, mut params) = configured_with("group", arms);
    params.server.http_listen = Some(([127, 0, 0, 1], 0).into());
    params.server.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    params.otlp = Some(Settings {
        endpoint: endpoint.to_owned(),
        timeout,
        sample_ratio: 1.0,
        service_name: None,
    });
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

fn asking() -> Request<v1::CompleteRequest> {
    let mut request = Request::new(v1::CompleteRequest {
        context: Some(v1::RequestContext {
            task: Some("fix-test".to_owned()),
            messages: vec![said(PROMPT)],
            ..Default::default()
        }),
        ..Default::default()
    });
    let parent = format!("00-{TRACE}-{PARENT}-01");
    let head = request.metadata_mut();
    head.insert("traceparent", parent.parse().expect("ASCII"));
    head.insert("x-request-id", "agent-7".parse().expect("ASCII"));
    request
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

/// The span of a call, and those below it in the order of their end.
fn of_decision<'a>(seen: &'a Seen, id: &str) -> (&'a Span, Vec<&'a Span>) {
    let of = |span: &&Span| {
        let told = attributes(&span.attributes);
        told.get("bellwether.decision.id")
            .is_some_and(|told| told == id)
    };
    let all = seen.spans.iter().filter(of);
    let (calls, mut attempts): (Vec<_>, Vec<_>) =
        all.partition(|span| span.kind() == SpanKind::Server);
    assert_eq!(calls.len(), 1, "one span a call");
    attempts.sort_by_key(|span| span.end_time_unix_nano);
    (calls[0], attempts)
}

fn check(told: &BTreeMap<String, String>, expected: &[(&str, &str)]) {
    for (name, value) in expected {
        assert_eq!(
            told.get(*name).map(String::as_str),
            Some(*value),
            "{name} in {told:#?}"
        );
    }
}

/// A call that the first endpoint fails and the second one answers.
async fn fallen_back(rig: &Rig) -> v1::CompleteResponse {
    let mut caller = rig.caller(CODING).await;
    for _ in 0..400 {
        let reply = caller.router.complete(asking()).await;
        let reply = reply.expect("answered").into_inner();
        if reply.attempts.len() == 2 {
            return reply;
        }
    }
    panic!("the failing endpoint was never asked first");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fallback_is_one_span_of_the_call_and_one_below_it_for_each_attempt() {
    let collector = Collector::start(1000).await;
    let (failing, healthy) = (
        Upstream::start(Behaviour::Status(503)).await,
        Upstream::start(Behaviour::Healthy).await,
    );
    let arms = arms(&failing, &healthy);
    let rig = rig(&arms, &collector.endpoint, Duration::from_secs(30)).await;
    let reply = fallen_back(&rig).await;
    let id = reply.decision.expect("a decision").decision_id;
    rig.caller(CODING).await.tell(&id, passed(true)).await;
    let body = json!({"decision_id": id, "signals": [{"name": "tests_passed", "value": false}]});
    let body = body.to_string();
    let told = send(
        &rig,
        &post("/v1/feedback", Some(CODING), &[], body.as_bytes()),
    )
    .await;
    assert_eq!(told.status, 200, "{told:?}");
    rig.stop().await;

    let seen = collector.seen();
    let (call, attempts) = of_decision(&seen, &id);
    assert_eq!(
        (call.name.as_str(), hex(&call.trace_id)),
        ("bellwether.complete", TRACE.to_owned())
    );
    assert_eq!(hex(&call.parent_span_id), PARENT);
    check(
        &attributes(&call.attributes),
        &[
            ("bellwether.outcome", "ok"),
            ("bellwether.request.id", "agent-7"),
            ("bellwether.task", "fix-test"),
            ("bellwether.arm.intended", "small"),
            ("bellwether.arm.served", "large"),
            ("bellwether.tries", "2"),
            ("gen_ai.response.id", &format!("chatcmpl-{id}")),
        ],
    );
    let [failed, served] = &attempts[..] else {
        panic!("{attempts:#?}");
    };
    for attempt in [failed, served] {
        assert_eq!(attempt.kind(), SpanKind::Client);
        assert_eq!(
            (&attempt.trace_id, &attempt.parent_span_id),
            (&call.trace_id, &call.span_id)
        );
        assert!(attempt.start_time_unix_nano >= call.start_time_unix_nano - 1_000_000);
        assert!(attempt.end_time_unix_nano <= call.end_time_unix_nano);
    }
    assert_eq!(
        (&*failed.name, &*served.name),
        ("chat small-1", "chat large-1")
    );
    let status = |span: &Span| span.status.as_ref().map_or(StatusCode::Unset, |s| s.code());
    assert_eq!(
        (status(failed), status(served)),
        (StatusCode::Error, StatusCode::Unset)
    );
    let told = attributes(&failed.attributes);
    assert_eq!(told["error.type"], reply.attempts[0].error);
    let told = attributes(&served.attributes);
    check(
        &told,
        &[
            ("gen_ai.operation.name", "chat"),
            ("gen_ai.provider.name", "openai"),
            ("gen_ai.request.model", "large-1"),
            ("gen_ai.usage.input_tokens", "5"),
            ("gen_ai.usage.output_tokens", "12"),
            ("gen_ai.response.finish_reasons", "stop"),
            ("server.address", "127.0.0.1"),
        ],
    );
    assert_eq!(seen.resource["service.name"], "bellwether");
    check_events(&seen, call, &id);
    check_silence(&seen);
}

/// Feedback over both doors is in the trace of its decision's call.
fn check_events(seen: &Seen, call: &Span, id: &str) {
    let scores: Vec<_> = seen
        .events
        .iter()
        .map(|event| {
            assert_eq!(event.event_name, "gen_ai.evaluation.result");
            assert_eq!(
                (&event.trace_id, &event.span_id),
                (&call.trace_id, &call.span_id)
            );
            let told = attributes(&event.attributes);
            let response = format!("chatcmpl-{id}");
            let expected = [
                ("gen_ai.evaluation.name", "tests_passed"),
                ("gen_ai.response.id", &response),
            ];
            check(&told, &expected);
            told["gen_ai.evaluation.score.value"].clone()
        })
        .collect();
    assert_eq!(scores, ["1", "0"]);
}

/// Nothing that was said, no key and no team is in a byte that was sent.
fn check_silence(seen: &Seen) {
    let raw = String::from_utf8_lossy(&seen.raw);
    for word in WORDS.iter().copied().chain([PROMPT, CODING, "coding"]) {
        assert!(!raw.contains(word), "{word} was sent");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_call_over_http_has_its_callers_trace_and_one_of_no_interest_is_not_sent() {
    let collector = Collector::start(1000).await;
    let healthy = Upstream::start(Behaviour::Healthy).await;
    let arms = arms(&healthy, &healthy);
    let rig = rig(&arms, &collector.endpoint, Duration::from_secs(30)).await;
    let ask = async |flags: &str, stream: bool| {
        let body = json!({"model": "bellwether/auto", "stream": stream,
            "messages": [{"role": "user", "content": PROMPT}]});
        let parent = format!("00-{TRACE}-{PARENT}-{flags}");
        let headers = [("traceparent", &*parent)];
        let body = body.to_string();
        let bytes = post(
            "/v1/chat/completions",
            Some(CODING),
            &headers,
            body.as_bytes(),
        );
        let reply = send(&rig, &bytes).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        reply.head["x-bellwether-decision-id"].clone()
    };
    let unrecorded = ask("00", false).await;
    let id = ask("01", true).await;
    rig.stop().await;

    let seen = collector.seen();
    let (call, attempts) = of_decision(&seen, &id);
    assert_eq!(
        (&*call.name, hex(&call.trace_id)),
        ("bellwether.stream", TRACE.to_owned())
    );
    assert_eq!(hex(&call.parent_span_id), PARENT);
    let [attempt] = &attempts[..] else {
        panic!("{attempts:#?}");
    };
    let told = attributes(&attempt.attributes);
    check(&told, &[("bellwether.streamed", "true")]);
    assert!(told.contains_key("bellwether.first_token_ms"), "{told:?}");
    assert!(!String::from_utf8_lossy(&seen.raw).contains(&unrecorded));
    check_silence(&seen);
}

/// More than can wait and be on its way.
const CALLS: usize = 3000;

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_says_nothing_holds_no_call_up_and_what_finds_no_room_is_counted() {
    let collector = Collector::start(0).await;
    let healthy = Upstream::start(Behaviour::Healthy).await;
    let arms = arms(&healthy, &healthy);
    let rig = rig(&arms, &collector.endpoint, Duration::from_secs(600)).await;
    let mut caller = rig.caller(CODING).await;
    for _ in 0..CALLS {
        caller.route("fix-test").await;
    }
    let dropped = "bellwether_otlp_dropped_total";
    let lost = Metrics::of(&rig).await.sum(dropped, &["kind=\"span\""]);
    assert!(lost > 0.0, "all of {CALLS} spans found room");
    collector.answers.add_permits(1000);
    rig.stop().await;
    // What was not lost came in the end.
    let came = collector.seen().spans.len();
    assert_eq!(came as f64, CALLS as f64 - lost);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_is_not_there_holds_no_call_up_and_what_it_does_not_take_is_counted() {
    let nobody = Upstream::start(Behaviour::Refuse).await;
    let healthy = Upstream::start(Behaviour::Healthy).await;
    let arms = arms(&healthy, &healthy);
    let rig = rig(&arms, &nobody.base_url(), Duration::from_millis(100)).await;
    let mut caller = rig.caller(CODING).await;
    let id = caller.route("fix-test").await.decision_id;
    caller.tell(&id, passed(true)).await;
    let dropped = "bellwether_otlp_dropped_total";
    let counted = async {
        loop {
            let seen = Metrics::of(&rig).await;
            let lost = ["kind=\"span\"", "kind=\"event\""].map(|kind| seen.sum(dropped, &[kind]));
            if lost == [1.0, 1.0] {
                return;
            }
        }
    };
    within("the losses", counted).await;
    caller.route("fix-test").await;
    rig.stop().await;
}
