//! The OpenAI-compatible door from outside: raw HTTP over a socket, as SDKs and as attackers send it.

mod attacks;
pub(crate) mod caller;

use crate::rig::{CODING, NARROW, Rig, SUPPORT, configured_with, within};
use bellwether::clock::SystemClock;
use bellwether::proto::v1;
use bellwether::server;
use caller::{Reply, ask, get, post, send};
use serde_json::{Value, json};
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Arms that can do everything, at three prices.
fn arms() -> String {
    let arm = |name: &str, price: f64| {
        format!(
            r#"[[arms]]
name = "{name}"
capabilities = ["tools", "json", "json_schema", "vision", "embeddings"]
context_tokens = 100_000
[[endpoints]]
name = "{name}-eu"
arm = "{name}"
provider = "simulated"
region = "eu"
output_tokens = 20
prices = [{{ input_usd_per_million = {price}, output_usd_per_million = {} }}]
"#,
            price * 4.0
        )
    };
    [("small", 0.1), ("medium", 1.0), ("large", 5.0)]
        .map(|(name, price)| arm(name, price))
        .concat()
}

/// A server with a door that waits so long for a silent client.
async fn rig_with(arms: &str, patience: Duration) -> Rig {
    let (dir, mut params) = configured_with("group", arms);
    params.server.http_listen = Some(([127, 0, 0, 1], 0).into());
    params.server.http_patience = patience;
    params.server.max_message_bytes = 1 << 20;
    let opened = server::open(&params, &SystemClock).expect("opened");
    Rig::serve(dir, params, opened).await
}

async fn rig() -> Rig {
    rig_with(&arms(), Duration::from_secs(30)).await
}

fn chat(more: Value) -> Value {
    let mut body = json!({"model": "bellwether/auto",
        "messages": [{"role": "user", "content": "six times seven?"}]});
    let fields = more.as_object().expect("an object").clone();
    body.as_object_mut().expect("an object").extend(fields);
    body
}

async fn completed(rig: &Rig, more: Value) -> Reply {
    ask(rig, "/v1/chat/completions", &chat(more)).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chat_is_answered_in_openais_form_and_is_on_record() {
    let rig = rig().await;
    let reply = completed(&rig, json!({"model": "bellwether/fix-test"})).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let answer = reply.json();
    let ours = &answer["bellwether"];
    let decision = ours["decision_id"].as_str().expect("an id");
    assert_eq!(answer["id"], format!("chatcmpl-{decision}"));
    assert_eq!(answer["object"], "chat.completion");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["choices"][0]["message"]["role"], "assistant");
    assert!(
        !answer["choices"][0]["message"]["content"]
            .as_str()
            .expect("words")
            .is_empty()
    );
    assert!(answer["usage"]["total_tokens"].as_u64() > Some(0));
    assert_eq!(answer["model"], ours["arm"]);
    assert_eq!(reply.head["x-bellwether-decision-id"], decision);
    assert_eq!(
        reply.head["x-bellwether-arm"],
        ours["arm"].as_str().expect("an arm")
    );
    assert_eq!(reply.head["x-bellwether-attempts"], "1");
    assert!(reply.head.contains_key("x-request-id"));
    let cost: f64 = reply.head["x-bellwether-cost-usd"]
        .parse()
        .expect("a number");
    let told = ours["cost_usd"].as_f64().expect("a cost");
    assert!(cost > 0.0 && (told - cost).abs() < 1e-9);
    let mut team = rig.caller(CODING).await;
    let kept = team.decision(decision).await.expect("kept");
    assert_eq!(kept.task.as_deref(), Some("fix-test"));
    assert_eq!(kept.attempts.len(), 1);
    assert!(kept.session_id.is_some(), "a conversation has a session");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_named_arm_answers_and_a_name_that_is_none_is_told_what_there_is() {
    let rig = rig().await;
    let reply = completed(&rig, json!({"model": "medium"})).await.json();
    assert_eq!(reply["model"], "medium");
    assert_eq!(reply["bellwether"]["propensity"], 1.0);
    let only = json!({"provider": {"only": ["large-eu"]}});
    assert_eq!(completed(&rig, only).await.json()["model"], "large");
    let cheap = json!({"provider": {"max_price": {"prompt": 0.5}}});
    assert_eq!(completed(&rig, cheap).await.json()["model"], "small");
    let reply = completed(&rig, json!({"model": "gpt-9"})).await;
    let (status, error) = (reply.status, &reply.json()["error"]);
    assert_eq!((status, &error["code"]), (404, &json!("model_not_found")));
    let message = error["message"].as_str().expect("a message");
    assert!(
        message.contains("small, medium, large, bellwether/auto"),
        "{message}"
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_streamed_answer_ends_with_usage_and_done() {
    let rig = rig().await;
    let more = json!({"stream": true, "stream_options": {"include_usage": true}});
    let reply = completed(&rig, more).await;
    assert_eq!(reply.status, 200);
    assert!(reply.whole, "a clean end");
    assert_eq!(reply.head["content-type"], "text/event-stream");
    assert!(reply.head.contains_key("x-bellwether-decision-id"));
    let events = reply.events();
    assert_eq!(events.last().map(String::as_str), Some("[DONE]"));
    let chunks: Vec<Value> = events[..events.len() - 1]
        .iter()
        .map(|e| parsed(e))
        .collect();
    assert_eq!(chunks[0]["choices"][0]["delta"]["role"], "assistant");
    let words: String = chunks
        .iter()
        .filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str())
        .collect();
    assert!(!words.is_empty());
    let last = chunks.last().expect("a chunk");
    assert!(last["usage"]["completion_tokens"].as_u64() > Some(0));
    assert_eq!(
        last["bellwether"]["attempts"].as_array().map(Vec::len),
        Some(1)
    );
    rig.stop().await;
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn tools_schemas_and_images_reach_the_model() {
    let rig = rig().await;
    let schema = json!({"type": "object", "properties": {"a": {"type": "integer"}},
        "required": ["a"], "additionalProperties": false});
    let tool = json!({"type": "function", "function": {"name": "find", "parameters": schema}});
    let reply = completed(&rig, json!({"tools": [tool], "tool_choice": "auto"}))
        .await
        .json();
    let choice = &reply["choices"][0];
    assert_eq!(choice["finish_reason"], "tool_calls");
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(
        (&call["type"], &call["function"]["name"]),
        (&json!("function"), &json!("find"))
    );
    assert_eq!(choice["message"]["content"], Value::Null);
    // The conversation goes on with the call and its result.
    let messages = json!([{"role": "user", "content": "find it"}, choice["message"],
        {"role": "tool", "tool_call_id": call["id"], "content": "found"}]);
    let reply = completed(&rig, json!({"messages": messages, "tools": [tool]})).await;
    assert_eq!(
        reply.json()["choices"][0]["finish_reason"],
        "stop",
        "{reply:?}"
    );
    let form = json!({"type": "json_schema", "json_schema": {"name": "x", "strict": true, "schema": schema}});
    let reply = completed(&rig, json!({"response_format": form}))
        .await
        .json();
    let text = reply["choices"][0]["message"]["content"]
        .as_str()
        .expect("words");
    assert!(parsed(text)["a"].is_i64(), "{text}");
    let parts = json!([{"type": "text", "text": "what is it?"},
        {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}]);
    let seen = json!({"messages": [{"role": "user", "content": parts}]});
    assert_eq!(completed(&rig, seen).await.status, 200);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_repeat_of_a_request_id_asks_nobody_again() {
    let rig = rig().await;
    let body = chat(json!({}));
    let head = [("idempotency-key", "r1")];
    let bytes = post(
        "/v1/chat/completions",
        Some(CODING),
        &head,
        body.to_string().as_bytes(),
    );
    let first = send(&rig, &bytes).await;
    assert_eq!(first.status, 200, "{first:?}");
    // The team keeps no words, so there is nothing to answer with.
    let again = send(&rig, &bytes).await;
    assert_eq!(again.status, 409);
    assert_eq!(again.json()["error"]["code"], "answer_not_kept");
    assert_eq!(again.head["x-should-retry"], "false");
    let other = chat(json!({"seed": 1})).to_string();
    let other = post(
        "/v1/chat/completions",
        Some(CODING),
        &head,
        other.as_bytes(),
    );
    let other = send(&rig, &other).await;
    assert_eq!(
        (other.status, &other.json()["error"]["code"]),
        (409, &json!("request_id_reused"))
    );
    // Team `support` does.
    let bytes = post(
        "/v1/chat/completions",
        Some(SUPPORT),
        &head,
        body.to_string().as_bytes(),
    );
    let [first, again] = [
        send(&rig, &bytes).await.json(),
        send(&rig, &bytes).await.json(),
    ];
    assert_eq!(first["choices"], again["choices"]);
    assert_eq!(again["bellwether"]["repeated"], true);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn models_are_those_of_the_key_and_the_routers_choice() {
    let rig = rig().await;
    let list = send(&rig, &get("/v1/models", Some(CODING))).await.json();
    let ids: Vec<_> = list["data"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|m| &m["id"])
        .collect();
    assert_eq!(ids, ["small", "medium", "large", "bellwether/auto"]);
    let one = send(&rig, &get("/v1/models/large", Some(CODING))).await;
    assert_eq!(one.json()["context_length"], 100_000);
    let auto = send(&rig, &get("/v1/models/bellwether%2Fauto", Some(CODING))).await;
    assert_eq!(auto.json()["owned_by"], "bellwether");
    let none = send(&rig, &get("/v1/models/gpt-9", Some(CODING))).await;
    assert_eq!(
        (none.status, &none.json()["error"]["code"]),
        (404, &json!("model_not_found"))
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn embeddings_come_as_numbers_or_as_their_bytes() {
    let rig = rig().await;
    let ask_for = |more: Value| {
        let mut body = json!({"model": "small", "input": ["a", "b"], "dimensions": 3});
        let fields = more.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(fields);
        body
    };
    let numbers = ask(&rig, "/v1/embeddings", &ask_for(json!({}))).await;
    assert_eq!(numbers.status, 200, "{numbers:?}");
    let numbers = numbers.json();
    assert_eq!(numbers["data"].as_array().map(Vec::len), Some(2));
    let first = numbers["data"][0]["embedding"].as_array().expect("numbers");
    assert_eq!(first.len(), 3);
    assert!(numbers["usage"]["prompt_tokens"].as_u64() > Some(0));
    let decision = numbers["bellwether"]["decision_id"]
        .as_str()
        .expect("an id");
    let kept = rig
        .caller(CODING)
        .await
        .decision(decision)
        .await
        .expect("kept");
    assert_eq!(kept.attempts.len(), 1);
    let bytes = ask_for(json!({"encoding_format": "base64"}));
    let bytes = ask(&rig, "/v1/embeddings", &bytes).await.json();
    let text = bytes["data"][0]["embedding"].as_str().expect("a text");
    assert_eq!(text.len(), 16, "12 bytes");
    let tokens = ask(&rig, "/v1/embeddings", &ask_for(json!({"input": [[1, 2]]}))).await;
    assert_eq!(
        (tokens.status, &tokens.json()["error"]["code"]),
        (400, &json!("invalid_field"))
    );
    let empty = ask(&rig, "/v1/embeddings", &ask_for(json!({"input": [""]}))).await;
    assert_eq!(empty.json()["error"]["param"], "input[0]");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn feedback_reaches_its_decision_and_no_other_teams() {
    let rig = rig().await;
    let decision = completed(&rig, json!({})).await.json()["bellwether"]["decision_id"].clone();
    let item =
        json!({"decision_id": decision, "signals": [{"name": "tests_passed", "value": true}]});
    let tell = async |body: &Value| ask(&rig, "/v1/feedback", body).await;
    let dry = tell(&json!({"items": [item], "dry_run": true}))
        .await
        .json();
    assert_eq!(dry["results"][0]["status"], "accepted");
    assert_eq!(tell(&item).await.json()["results"][0]["status"], "accepted");
    assert_eq!(
        tell(&item).await.json()["results"][0]["status"],
        "duplicate"
    );
    let unknown = json!({"decision_id": decision, "signals": [{"name": "vibes", "value": true}]});
    let refused = tell(&unknown).await;
    assert_eq!(
        (refused.status, &refused.json()["error"]["param"]),
        (400, &json!("signals"))
    );
    let several = tell(&json!({"items": [unknown, item]})).await.json();
    assert_eq!(several["results"][0]["status"], "refused");
    assert_eq!(several["results"][1]["status"], "duplicate");
    let minutes =
        json!({"decision_id": decision, "signals": [{"name": "handling_minutes", "value": 1}]});
    let other = post(
        "/v1/feedback",
        Some(SUPPORT),
        &[],
        minutes.to_string().as_bytes(),
    );
    let other = send(&rig, &other).await;
    assert_eq!(
        (other.status, &other.json()["error"]["code"]),
        (404, &json!("decision_not_found"))
    );
    let id = decision.as_str().expect("an id");
    let kept = rig.caller(CODING).await.decision(id).await.expect("kept");
    assert_eq!(kept.signals.len(), 1, "{kept:?}");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn health_needs_no_key_and_everything_else_does() {
    let rig = rig().await;
    let health = send(&rig, &get("/health", None)).await;
    assert_eq!(
        (health.status, health.body.as_str()),
        (200, r#"{"status":"ok"}"#)
    );
    let body = chat(json!({})).to_string();
    for (path, key, expected) in [
        ("/v1/chat/completions", None, (401, "invalid_api_key")),
        (
            "/v1/chat/completions",
            Some("k-nobody"),
            (401, "invalid_api_key"),
        ),
        ("/v1/chat/completions", Some(NARROW), (403, "not_allowed")),
        ("/v1/feedback", Some(NARROW), (403, "not_allowed")),
        ("/v1/completions", Some(CODING), (404, "unknown_url")),
    ] {
        let reply = send(&rig, &post(path, key, &[], body.as_bytes())).await;
        let code = reply.json()["error"]["code"].clone();
        assert_eq!(
            (reply.status, code),
            (expected.0, json!(expected.1)),
            "{path}"
        );
    }
    let reply = send(&rig, &get("/v1/chat/completions", Some(CODING))).await;
    assert_eq!((reply.status, reply.head["allow"].as_str()), (405, "POST"));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endpoint_that_always_fails_is_told_with_its_attempts() {
    let failing = arms().replace("output_tokens = 20", "error_rate = 1");
    let rig = rig_with(&failing, Duration::from_secs(30)).await;
    for stream in [false, true] {
        let reply = completed(&rig, json!({"stream": stream})).await;
        let error = &reply.json()["error"];
        assert_eq!(
            (reply.status, &error["code"]),
            (503, &json!("all_attempts_failed"))
        );
        assert_eq!(error["bellwether"]["attempts"][0]["error"], "server_error");
    }
    rig.stop().await;
}

/// An endpoint that answers every call with `pieces` and hangs up.
async fn hanging_up(pieces: &'static str) -> (String, JoinSet<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"}") {
                if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
                    break;
                }
            }
            let head =
                "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
            let _ = stream.write_all(format!("{head}{pieces}").as_bytes()).await;
        }
    });
    (base_url, serving)
}

fn one_arm(base_url: &str) -> String {
    format!(
        r#"[[arms]]
name = "small"
context_tokens = 100_000
[[endpoints]]
name = "small-eu"
arm = "small"
provider = "openai"
model = "small-1"
base_url = "{base_url}"
prices = [{{ input_usd_per_million = 0.1, output_usd_per_million = 0.4 }}]
"#
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_is_cut_ends_with_an_error_and_no_clean_end() {
    const PIECE: &str = "data: {\"choices\":[{\"delta\":{\"content\":\"forty-\"}}]}\n\n";
    let (base_url, _serving) = hanging_up(PIECE).await;
    let rig = rig_with(&one_arm(&base_url), Duration::from_secs(30)).await;
    let reply = completed(&rig, json!({"stream": true})).await;
    assert_eq!(reply.status, 200);
    assert!(
        !reply.whole,
        "the chunked body must not end well: {reply:?}"
    );
    let events = reply.events();
    let words = events
        .iter()
        .filter(|event| event.contains("forty-"))
        .count();
    assert_eq!(words, 1);
    let last = parsed(events.last().expect("an event"));
    assert_eq!(last["error"]["code"], "all_attempts_failed");
    assert_eq!(last["error"]["bellwether"]["attempts"][0]["error"], "cut");
    assert!(!reply.body.contains("[DONE]"));
    let id = &reply.head["x-bellwether-decision-id"];
    let kept = rig.caller(CODING).await.decision(id).await.expect("kept");
    assert_eq!(kept.attempts[0].error, "cut");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_goes_away_leaves_an_abandoned_attempt() {
    // Says a word and then nothing, while the connection stays open.
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
    let base_url = format!("http://{}/v1", listener.local_addr().expect("an address"));
    let (gone, went) = tokio::sync::oneshot::channel();
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accepted");
        let mut request = Vec::new();
        while !request.ends_with(b"}") {
            stream.read_buf(&mut request).await.expect("read");
        }
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n";
        let piece = "data: {\"choices\":[{\"delta\":{\"content\":\"forty-\"}}]}\n\n";
        stream
            .write_all(format!("{head}{piece}").as_bytes())
            .await
            .expect("written");
        // Ends when the server hangs up.
        while stream.read_buf(&mut request).await.unwrap_or(0) > 0 {}
        let _ = gone.send(());
    });
    let rig = rig_with(&one_arm(&base_url), Duration::from_secs(30)).await;
    let body = chat(json!({"stream": true})).to_string();
    let bytes = post("/v1/chat/completions", Some(CODING), &[], body.as_bytes());
    let mut stream = tokio::net::TcpStream::connect(rig.http_address())
        .await
        .expect("connected");
    stream.write_all(&bytes).await.expect("written");
    let mut read = Vec::new();
    while !String::from_utf8_lossy(&read).contains("forty-") {
        assert!(stream.read_buf(&mut read).await.expect("read") > 0);
    }
    drop(stream);
    within("the provider's call to be given up", went)
        .await
        .expect("told");
    let text = String::from_utf8_lossy(&read).into_owned();
    let id = text
        .split("x-bellwether-decision-id: ")
        .nth(1)
        .expect("an id");
    let id = id.lines().next().expect("an id").to_owned();
    let mut team = rig.caller(CODING).await;
    let abandoned = within("the record", async {
        loop {
            let kept: v1::DecisionRecord = team.decision(&id).await.expect("kept");
            if let Some(attempt) = kept.attempts.first() {
                return attempt.error.clone();
            }
            tokio::task::yield_now().await;
        }
    });
    assert_eq!(abandoned.await, "abandoned");
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_past_its_deadline_ends() {
    let slow = arms().replace("output_tokens = 20", "latency_ms = 60000");
    let rig = rig_with(&slow, Duration::from_secs(30)).await;
    let body = chat(json!({})).to_string();
    let head = [("x-request-timeout-ms", "1")];
    let bytes = post("/v1/chat/completions", Some(CODING), &head, body.as_bytes());
    let reply = send(&rig, &bytes).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["code"]),
        (504, &json!("deadline_exceeded"))
    );
    rig.stop().await;
}
