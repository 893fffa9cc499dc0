//! What a reader sees of a source, event by event.

use super::*;
use crate::chat::{Reasoning, ToolCall};
use crate::eligibility::Endpoint;
use crate::provider::{self, Kind};
use crate::store::{Record, sample};
use futures_util::stream;
use http_body_util::BodyExt;
use serde_json::Value;
use std::sync::Arc;
use std::time::Duration;

fn routed() -> Routed {
    let name = sample::name("small-eu");
    let endpoint = Endpoint {
        name: name.clone(),
        arm: sample::name("small"),
        provider: name,
        model: String::new(),
        base_url: String::new(),
        region: None,
        zero_retention: true,
        trains: false,
        certifications: Vec::new(),
        expresses: Default::default(),
        waits: Default::default(),
        prices: Vec::new(),
    };
    Routed {
        told: None,
        decision: Arc::new(sample::decision(1)),
        endpoint: Arc::new(endpoint),
        fallbacks: Vec::new(),
        repeated: false,
        pass: None,
        watched: None,
    }
}

fn attempt() -> Attempt {
    match sample::attempt(1, 5) {
        Record::Attempt { attempt, .. } => attempt,
        other => panic!("{other:?}"),
    }
}

fn done() -> Result<Event, Failed> {
    Ok(Event::Done {
        finish_reason: FinishReason::Stop,
        attempts: vec![attempt()],
        checks: Vec::new(),
    })
}

fn text(text: &str) -> Result<Event, Failed> {
    Ok(Event::Text(text.to_owned()))
}

fn failed(kind: Kind) -> Result<Event, Failed> {
    Err(Failed {
        attempts: vec![attempt()],
        error: provider::Error::from(kind),
    })
}

/// The frames that a reader gets, and whether the body ended well.
async fn read(source: Source, include_usage: bool, wait: Duration) -> (Vec<String>, bool) {
    let deadline = Instant::now() + wait;
    let call = CallId::default();
    let arm = sample::name("small");
    let events = Sse::new(call, routed(), &arm, include_usage, source, deadline);
    let mut body = ReplyBody::Events(Box::new(events));
    let mut frames = Vec::new();
    loop {
        match body.frame().await {
            Some(Ok(frame)) => {
                let bytes = frame.into_data().unwrap();
                frames.push(String::from_utf8(bytes.to_vec()).unwrap());
            }
            Some(Err(_)) => return (frames, false),
            None => return (frames, true),
        }
    }
}

const LONG: Duration = Duration::from_secs(3600);

/// The data of the events that a reader gets, and whether the body ended well.
async fn events(source: Source, include_usage: bool) -> (Vec<String>, bool) {
    let (frames, well) = read(source, include_usage, LONG).await;
    let whole = frames.concat();
    let events = whole.split_terminator("\n\n").map(|event| {
        let data = event.strip_prefix("data: ");
        data.unwrap_or_else(|| panic!("no event: {event}"))
            .to_owned()
    });
    (events.collect(), well)
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

#[tokio::test]
async fn an_answer_is_a_role_its_words_an_end_and_done() {
    let source = stream::iter([text("It \"is\""), text(" 4"), done()]).boxed();
    let (events, well) = events(source, false).await;
    assert!(well);
    assert_eq!(events.len(), 5);
    let delta = |i: usize| json(&events[i])["choices"][0]["delta"].clone();
    assert_eq!(
        delta(0),
        serde_json::json!({"role": "assistant", "content": ""})
    );
    assert_eq!(delta(1), serde_json::json!({"content": "It \"is\""}));
    assert_eq!(delta(2), serde_json::json!({"content": " 4"}));
    let last = json(&events[3]);
    assert_eq!(last["choices"][0]["finish_reason"], "stop");
    assert_eq!(last["object"], "chat.completion.chunk");
    assert_eq!(last["model"], "small");
    let decision = last["bellwether"]["decision_id"].as_str().unwrap();
    assert_eq!(last["id"], format!("chatcmpl-{decision}"));
    assert!(last.get("usage").is_none());
    assert_eq!(events[4], "[DONE]");
}

#[tokio::test]
async fn usage_comes_last_where_it_was_asked_for() {
    let source = stream::iter([text("4"), done()]).boxed();
    let (events, _) = events(source, true).await;
    assert_eq!(events.len(), 5);
    for event in &events[..3] {
        assert_eq!(json(event).get("usage"), Some(&Value::Null), "{event}");
    }
    let last = json(&events[3]);
    assert_eq!(last["choices"], serde_json::json!([]));
    let tokens = |name: &str| last["usage"][name].as_u64().unwrap();
    assert_eq!(
        tokens("total_tokens"),
        tokens("prompt_tokens") + tokens("completion_tokens")
    );
    assert!(last["bellwether"].is_object());
}

#[tokio::test]
async fn tool_calls_are_numbered_and_thoughts_keep_their_signature() {
    let call = |id: &str| {
        Ok(Event::ToolCall(ToolCall {
            id: id.into(),
            name: "find".into(),
            arguments_json: "{\"a\":1}".into(),
        }))
    };
    let thought = Ok(Event::Reasoning(Reasoning {
        text: "hm".into(),
        signature: Some("s".into()),
        dialect: "anthropic".into(),
        tool_call: None,
    }));
    let source = stream::iter([thought, call("c1"), call("c2"), done()]).boxed();
    let (events, _) = events(source, false).await;
    let delta = |i: usize| json(&events[i])["choices"][0]["delta"].clone();
    assert_eq!(delta(1)["reasoning_content"], "hm");
    assert_eq!(delta(1)["reasoning_details"][0]["signature"], "s");
    let second = delta(3)["tool_calls"][0].clone();
    assert_eq!((&second["index"], &second["id"]), (&1.into(), &"c2".into()));
    assert_eq!(second["function"]["arguments"], "{\"a\":1}");
}

/// An answer that breaks off ends with an error object and no clean end.
async fn check_broken(source: Source, code: &str) {
    let (events, well) = events(source, false).await;
    assert!(!well, "an end that is not clean");
    let last = json(events.last().unwrap());
    assert_eq!(last["error"]["code"], code);
    assert!(!events.iter().any(|event| event == "[DONE]"));
}

#[tokio::test]
async fn an_answer_that_breaks_off_never_ends_like_a_whole_one() {
    let cut = stream::iter([text("4"), failed(Kind::Cut), done()]).boxed();
    check_broken(cut, "all_attempts_failed").await;
    check_broken(stream::iter([text("4")]).boxed(), "internal_error").await;
    let panics = stream::iter([1, 2]).map(|n| if n == 2 { panic!("no") } else { text("4") });
    check_broken(panics.boxed(), "internal_error").await;
}

#[tokio::test]
async fn an_answer_that_says_nothing_more_ends_at_the_deadline() {
    let source = stream::iter([text("4")]).chain(stream::pending()).boxed();
    let (frames, well) = read(source, false, Duration::ZERO).await;
    assert!(!well);
    assert!(frames.last().unwrap().contains("deadline_exceeded"));
}

#[tokio::test]
async fn what_is_ready_together_goes_out_together_and_the_head_waits_for_nothing() {
    let ready = stream::iter([text("a"), text("b"), done()]).boxed();
    let (frames, _) = read(ready, false, LONG).await;
    assert_eq!(frames.len(), 1);
    let mut held = ReplyBody::Events(Box::new(Sse::new(
        CallId::default(),
        routed(),
        &sample::name("small"),
        false,
        stream::pending().boxed(),
        Instant::now() + LONG,
    )));
    let first = held.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(first.starts_with(b"data: {"));
}

#[tokio::test]
async fn what_comes_a_turn_later_goes_out_with_it_and_the_first_words_wait_for_none() {
    let words = ["a", "b", "c"].map(text).into_iter().chain([done()]);
    let turn_by_turn = stream::iter(words).then(async |event| {
        tokio::task::yield_now().await;
        event
    });
    let (frames, well) = read(turn_by_turn.boxed(), false, LONG).await;
    assert!(well);
    // The role; the first words; then all that came after them.
    assert_eq!(frames.len(), 3, "{frames:?}");
    assert!(frames[1].contains("\"a\"") && !frames[1].contains("\"b\""));
    assert!(frames[2].contains("\"b\"") && frames[2].contains("[DONE]"));
}

#[tokio::test(start_paused = true)]
async fn words_that_nothing_follows_go_out_by_themselves() {
    let paced = stream::iter(["a", "b"].map(text)).then(async |event| {
        tokio::time::sleep(Duration::from_millis(1)).await;
        event
    });
    let source = paced.chain(stream::iter([done()])).boxed();
    let (frames, _) = read(source, false, LONG).await;
    assert_eq!(frames.len(), 3, "{frames:?}");
    assert!(frames[1].contains("\"a\"") && !frames[1].contains("\"b\""));
}
