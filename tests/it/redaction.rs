//! What may be kept, and what may leave: texts with planted personal data and secrets through the whole server.
//!
//! What a team that records `redacted` leaves is scanned for every planted value: the data folder, the log, standard
//! output, metrics and all replies that are not the model's own words. The same calls of a team that records `full`
//! leave every one of them, so that the scan can find. What a guardrail lets out is read at the provider.

use crate::keys::secrets::{Place, Served, exchange, files, holds};
use crate::openai_door::caller::{Reply, ask, get, post};
use crate::rig::{CODING, Caller, Rig, SUPPORT, configured_with, item, refusal, said, signal};
use crate::upstream::{Behaviour, Upstream};
use bellwether::clock::SystemClock;
use bellwether::config::{Guardrail, Recording};
use bellwether::proto::v1::{self, signal::Kind as Given, signal_value::Value};
use bellwether::redaction::Kinds;
use bellwether::route::Action;
use bellwether::server;
use serde_json::json;
use tonic::Code;

/// One of each kind, as it stands in a sentence, and what of it must not be found.
fn planted() -> Vec<(String, String)> {
    let whole = |text: &str| (text.to_owned(), text.to_owned());
    let within = |text: &str, value: &str| (text.to_owned(), value.to_owned());
    let own = format!("bw_abcdefgh_{}", "ab2c".repeat(12));
    // In pieces, so that who looks for secrets in code finds none here.
    let stripe = ["sk", "live", "4eC39HqLyjWDarjtT1zdp7dc"].join("_");
    let slack = [
        "xoxb",
        "123456789012",
        "1234567890123",
        "AbCdEfGhIjKlMnOpQrStUvWx",
    ]
    .join("-");
    vec![
        whole("alice.planted@example.com"),
        whole("+49 30 9018201"),
        whole("4111 1111 1111 1111"),
        whole("DE89 3704 0044 0532 0130 00"),
        whole("536-22-1234"),
        whole("203.0.113.42"),
        whole("00:1A:2B:3C:4D:5E"),
        within(
            "-----BEGIN RSA PRIVATE KEY-----\nMIIEpAIBAAKCAQEA75\n-----END RSA PRIVATE KEY-----",
            "MIIEpAIBAAKCAQEA75",
        ),
        whole(
            "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U",
        ),
        within("Authorization: Bearer a8f5f167f44f4964", "a8f5f167f44f4964"),
        whole(&own),
        whole("sk-proj-abcdEFGH1234ijklMNOP5678qrstUVWX"),
        whole("AKIAIOSFODNN7EXAMPLQ"),
        whole("AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY"),
        whole("ghp_16C7e42F292c6912E7710c838347Ae178B4a"),
        whole(&stripe),
        whole(&slack),
        whole("glpat-a1b2c3d4e5f6g7h8i9j0"),
        within("postgres://bob:s3cr3tPw@db.example.com/x", "s3cr3tPw"),
        within("the password: hunter2!X9", "hunter2!X9"),
    ]
}

fn words() -> String {
    let texts = planted().into_iter().map(|(text, _)| text);
    texts.collect::<Vec<_>>().join(" ;\n")
}

/// A conversation that has the words in every place: text, arguments of a call, and what a tool said.
fn conversation() -> Vec<v1::Message> {
    let mut called = said(&words());
    called.role = v1::Role::Assistant.into();
    called.tool_calls.push(v1::ToolCall {
        id: "c1".to_owned(),
        name: "find".to_owned(),
        arguments_json: json!({ "about": words(), "n": 1 }).to_string(),
    });
    let mut result = said(&words());
    result.role = v1::Role::Tool.into();
    result.tool_call_id = "c1".to_owned();
    vec![said(&words()), called, result]
}

fn context() -> v1::RequestContext {
    v1::RequestContext {
        messages: conversation(),
        tools: vec![v1::Tool {
            name: "find".to_owned(),
            description: words(),
            ..Default::default()
        }],
        ..Default::default()
    }
}

fn complete() -> v1::CompleteRequest {
    v1::CompleteRequest {
        context: Some(context()),
        request_id: Some("once".to_owned()),
        ..Default::default()
    }
}

/// The same over the other door.
fn chat() -> serde_json::Value {
    let call = json!({ "id": "c1", "type": "function",
        "function": { "name": "find", "arguments": json!({ "about": words() }).to_string() } });
    json!({ "model": "bellwether/auto",
        "messages": [
            { "role": "user", "content": words() },
            { "role": "assistant", "content": null, "tool_calls": [call] },
            { "role": "tool", "tool_call_id": "c1", "content": words() },
        ] })
}

/// Every kind of call that carries words; what was answered but for the model's own words.
async fn used(served: &Served, key: &str) -> String {
    let mut told = String::new();
    let mut caller = Caller::connect(&served.grpc, Some(key)).await;
    let answer = caller
        .router
        .complete(complete())
        .await
        .expect("answered")
        .into_inner();
    let decision = answer.decision.expect("a decision").decision_id;
    let again = caller.router.complete(complete()).await;
    match key == CODING {
        true => {
            let refused = again.expect_err("not kept word for word");
            told += &format!("{refused:?}");
            assert_eq!(
                refusal::<()>(Err(refused)),
                (Code::AlreadyExists, "ANSWER_NOT_KEPT".to_owned())
            );
        }
        false => {
            let again = again.expect("kept").into_inner();
            assert_eq!(again.message, answer.message);
        }
    }
    let request = Some(v1::CompleteRequest {
        request_id: None,
        ..complete()
    });
    let stream = caller
        .router
        .stream_complete(v1::StreamCompleteRequest { request })
        .await;
    let mut stream = stream.expect("begun").into_inner();
    while stream.message().await.expect("a piece").is_some() {}
    let route = v1::RouteRequest {
        context: Some(context()),
        ..Default::default()
    };
    told += &format!("{:?}", caller.ask(route).await.expect("routed"));
    let comment = signal("note", Some(Value::Comment(words())), Given::Observed);
    let kept = caller
        .submit(item(&decision, vec![comment]), false)
        .await
        .expect("kept");
    told += &format!("{kept:?}");
    // Refused: the words stand where none may.
    let mut wrong = complete();
    wrong.temperature = Some(9.0);
    wrong.request_id = None;
    told += &format!(
        "{:?}",
        caller.router.complete(wrong).await.expect_err("refused")
    );
    let body = chat().to_string();
    let bad =
        json!({ "model": "bellwether/auto", "messages": words(), "tools": words() }).to_string();
    for (path, body) in [
        ("/v1/chat/completions", &body),
        ("/v1/chat/completions", &bad),
        ("/v1/embeddings", &bad),
    ] {
        let reply = exchange(served.http, &post(path, Some(key), &[], body.as_bytes())).await;
        let reply = String::from_utf8_lossy(&reply).into_owned();
        told += if reply.contains("chat.completion") {
            ""
        } else {
            &reply
        };
    }
    let metrics = exchange(served.metrics, &get("/metrics", None)).await;
    told + &String::from_utf8_lossy(&metrics)
}

/// What a run leaves: the data folder, what was written, what was told.
async fn left(key: &str) -> (Vec<u8>, Vec<u8>, String) {
    let mut place = Place::new();
    let text = std::fs::read_to_string(&place.config).expect("a configuration");
    let text = text.replacen(
        "coding.toml'\n",
        "coding.toml'\nrecording = \"redacted\"\n",
        1,
    );
    let answer = format!("output_tokens = 20\nanswer = {}\n", json!(words()));
    std::fs::write(&place.config, text.replace("output_tokens = 20\n", &answer)).expect("written");
    let served = place.serve();
    let told = used(&served, key).await;
    place.kill(served);
    let (data, _) = files(&place.dir.path().join("state"));
    (data, [place.written, place.shown].concat(), told)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_records_redacted_leaves_nothing_that_was_planted_and_one_that_records_full_does()
 {
    let (data, written, told) = left(CODING).await;
    assert!(
        holds(&data, "[REDACTED:EMAIL]"),
        "what is kept is kept with marks"
    );
    assert!(holds(&written, "serving") && told.contains("bellwether_"));
    let (whole, _, _) = left(SUPPORT).await;
    for (_, value) in planted() {
        let value = value.as_str();
        assert!(holds(&whole, value), "a full record has {value}");
        assert!(!holds(&data, value), "the data folder has {value}");
        assert!(!holds(&written, value), "the log has {value}");
        assert!(!told.contains(value), "a reply has {value}");
    }
    println!(
        "{} values in {} bytes of data, {} of log, {} of replies: none found",
        planted().len(),
        data.len(),
        written.len(),
        told.len()
    );
}

/// A server whose team `coding` has this guardrail, before two endpoints of which the first fails.
async fn guarded(action: Action) -> (Rig, Upstream, Upstream) {
    let first = Upstream::start(Behaviour::Status(500)).await;
    let second = Upstream::start(Behaviour::Healthy).await;
    // The first is cheaper, so that it is asked first.
    let endpoint = |name: &str, price: f64, upstream: &Upstream| {
        format!(
            "[[endpoints]]\nname = \"{name}\"\narm = \"one\"\nprovider = \"openai\"\nmodel = \"m\"\nbase_url = \"{}\"\n\
             prices = [{{ input_usd_per_million = {price}, output_usd_per_million = {price} }}]\n",
            upstream.base_url()
        )
    };
    let arm = "[[arms]]\nname = \"one\"\ncapabilities = [\"tools\", \"embeddings\"]\ncontext_tokens = 100_000\n";
    let arms = [
        arm,
        &endpoint("first", 0.1, &first),
        &endpoint("second", 1.0, &second),
    ]
    .concat();
    let (dir, mut params) = configured_with("group", &arms);
    params.server.http_listen = Some(([127, 0, 0, 1], 0).into());
    params.server.metrics_listen = Some(([127, 0, 0, 1], 0).into());
    for team in params
        .teams
        .iter_mut()
        .filter(|team| team.name.as_str() == "coding")
    {
        team.guardrail = Some(Guardrail {
            action,
            kinds: Kinds::ALL,
        });
    }
    let opened = server::open(&params, &SystemClock).expect("opened");
    (Rig::serve(dir, params, opened).await, first, second)
}

/// What was planted and is in these bodies.
fn seen(bodies: &[String]) -> Vec<String> {
    // As JSON has it.
    let text = |value: &String| json!(value).to_string().trim_matches('"').to_owned();
    let values = planted().into_iter().map(|(_, value)| text(&value));
    values
        .filter(|value| bodies.iter().any(|body| body.contains(value)))
        .collect()
}

fn guardrail(reply: &v1::RouteResponse) -> (v1::GuardrailAction, Vec<&str>) {
    let told = reply.guardrail.as_ref().expect("told");
    (
        told.action(),
        told.findings
            .iter()
            .map(|finding| finding.field.as_str())
            .collect(),
    )
}

const PLACES: [&str; 4] = [
    "context.messages[0]",
    "context.messages[1]",
    "context.messages[2]",
    "context.tools[0]",
];

async fn metric(rig: &Rig, line: &str) -> bool {
    let page = exchange(rig.metrics_address(), &get("/metrics", None)).await;
    holds(&page, line)
}

/// Asks, and holds that the reply tells of the action and of all that was planted.
async fn answered(caller: &mut Caller, action: v1::GuardrailAction) {
    let done = caller.router.complete(complete()).await;
    let decision = done.expect("answered").into_inner().decision;
    let decision = decision.expect("a decision");
    assert_eq!(guardrail(&decision), (action, PLACES.to_vec()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_gets_marks_from_a_team_that_redacts_on_every_hop_and_over_both_doors() {
    let (rig, first, second) = guarded(Action::Redact).await;
    let mut caller = rig.caller(CODING).await;
    answered(&mut caller, v1::GuardrailAction::Redact).await;
    let request = Some(v1::CompleteRequest {
        request_id: None,
        ..complete()
    });
    let stream = caller
        .router
        .stream_complete(v1::StreamCompleteRequest { request })
        .await;
    let mut stream = stream.expect("begun").into_inner();
    while stream.message().await.expect("a piece").is_some() {}
    let reply = ask(&rig, "/v1/chat/completions", &chat()).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert!(
        reply.head["x-bellwether-guardrail"].starts_with("redact; email,phone,"),
        "{reply:?}"
    );
    assert_eq!(
        reply.json()["bellwether"]["guardrail"]["findings"][1]["field"],
        "messages[1]"
    );
    let mut streamed = chat();
    streamed["stream"] = json!(true);
    let reply = ask(&rig, "/v1/chat/completions", &streamed).await;
    assert!(
        reply.whole && reply.head.contains_key("x-bellwether-guardrail"),
        "{reply:?}"
    );
    let texts = json!({ "model": "bellwether/auto", "input": [words(), "plain"] });
    ask(&rig, "/v1/embeddings", &texts).await;
    let (failed, answered) = (first.asked(), second.asked());
    assert!(
        !failed.is_empty() && answered.len() >= 4,
        "{} and {}",
        failed.len(),
        answered.len()
    );
    let all = [failed, answered].concat();
    assert_eq!(seen(&all), Vec::<String>::new());
    for body in &all {
        assert!(body.contains("[REDACTED:EMAIL]"), "{body}");
        let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
        if let Some(arguments) =
            body["messages"][1]["tool_calls"][0]["function"]["arguments"].as_str()
        {
            let arguments: serde_json::Value = serde_json::from_str(arguments).expect("still JSON");
            assert!(
                arguments["about"]
                    .as_str()
                    .is_some_and(|about| about.contains("[REDACTED:JWT]"))
            );
        }
    }
    assert!(
        all.iter().any(|body| body.contains("plain")),
        "vectors were asked for"
    );
    assert!(
        metric(
            &rig,
            "bellwether_guardrail_requests_total{action=\"redact\",kind=\"email\"}"
        )
        .await
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_redacts_and_records_all_keeps_marks_whoever_sends_the_words() {
    let (mut rig, _first, _second) = guarded(Action::Redact).await;
    let mut params = rig.params.clone();
    for team in &mut params.teams {
        team.recording = Recording::Full;
    }
    rig.reload(&params);
    let mut caller = rig.caller(CODING).await;
    let route = v1::RouteRequest {
        context: Some(context()),
        request_id: Some("once".to_owned()),
        ..Default::default()
    };
    for _ in 0..2 {
        caller.ask(route.clone()).await.expect("decided");
    }
    let complete = v1::CompleteRequest {
        request_id: None,
        ..complete()
    };
    caller.router.complete(complete).await.expect("answered");
    let (dir, _) = rig.stop().await;
    let (kept, _) = files(dir.path());
    assert!(holds(&kept, "[REDACTED:EMAIL]"), "it is kept with marks");
    for (_, value) in planted() {
        assert!(!holds(&kept, &value), "the data folder has {value}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_blocks_is_refused_with_kinds_and_places_and_no_provider_is_asked() {
    let (rig, first, second) = guarded(Action::Block).await;
    let mut caller = rig.caller(CODING).await;
    let blocked = (Code::InvalidArgument, "GUARDRAIL_BLOCKED".to_owned());
    let refused = caller
        .router
        .complete(complete())
        .await
        .expect_err("refused");
    let mut told = format!("{refused:?}{}", String::from_utf8_lossy(refused.details()));
    assert!(
        told.contains("context.messages[0]") && told.contains("email,phone"),
        "{told}"
    );
    assert_eq!(refusal::<()>(Err(refused)), blocked);
    let request = Some(complete());
    let refused = caller
        .router
        .stream_complete(v1::StreamCompleteRequest { request })
        .await;
    let refused = refused.expect_err("refused");
    told += &String::from_utf8_lossy(refused.details());
    assert!(told.contains("request.context.messages[0]"), "{told}");
    assert_eq!(refusal::<()>(Err(refused)), blocked);
    let route = v1::RouteRequest {
        context: Some(context()),
        ..Default::default()
    };
    assert_eq!(refusal(caller.ask(route).await), blocked);
    for (path, body) in [
        ("/v1/chat/completions", chat()),
        (
            "/v1/embeddings",
            json!({ "model": "bellwether/auto", "input": words() }),
        ),
    ] {
        let reply: Reply = ask(&rig, path, &body).await;
        assert_eq!(
            (reply.status, &reply.json()["error"]["code"]),
            (400, &json!("guardrail_blocked"))
        );
        assert_eq!(reply.json()["error"]["param"], "messages[0]");
        told += &reply.body;
    }
    assert_eq!(seen(&[told]), Vec::<String>::new());
    assert_eq!((first.asked().len(), second.asked().len()), (0, 0));
    // What has nothing in it goes its way, and so does another team.
    let mut plain = complete();
    plain.request_id = None;
    plain.context = Some(v1::RequestContext {
        messages: vec![said("hello")],
        ..Default::default()
    });
    let done = caller
        .router
        .complete(plain)
        .await
        .expect("answered")
        .into_inner();
    assert!(done.decision.expect("a decision").guardrail.is_none());
    let mut other = rig.caller(SUPPORT).await;
    other.router.complete(complete()).await.expect("answered");
    assert!(
        !seen(&second.asked()).is_empty(),
        "another team has no guardrail"
    );
    assert!(
        metric(
            &rig,
            "bellwether_guardrail_requests_total{action=\"block\",kind=\"jwt\"} 5"
        )
        .await
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_team_that_flags_is_told_and_its_words_go_as_they_are() {
    let (rig, _, second) = guarded(Action::Flag).await;
    let mut caller = rig.caller(CODING).await;
    answered(&mut caller, v1::GuardrailAction::Flag).await;
    assert_eq!(seen(&second.asked()).len(), planted().len());
    let route = v1::RouteRequest {
        context: Some(context()),
        ..Default::default()
    };
    let routed = caller.ask(route).await.expect("routed");
    assert_eq!(
        guardrail(&routed),
        (v1::GuardrailAction::Flag, PLACES.to_vec())
    );
    rig.stop().await;
}
