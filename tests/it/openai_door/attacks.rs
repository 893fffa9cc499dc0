//! What a careless or hostile client sends: each is told what is wrong, or cut off, and disturbs nobody else.

use super::caller::{exchange, get, post, send};
use super::{arms, chat, completed, rig, rig_with};
use crate::rig::CODING;
use serde_json::{Value, json};
use std::time::Duration;

const CHAT: &str = "/v1/chat/completions";

#[tokio::test(flavor = "multi_thread")]
async fn bad_bodies_are_told_what_is_wrong_and_nothing_of_them_is_said_back() {
    let rig = rig().await;
    let tool = |i: usize| json!({"type": "function", "function": {"name": format!("t{i}")}});
    let tools: Vec<Value> = (0..10_000).map(tool).collect();
    let cases: [(&str, Vec<u8>, &str, Value); 7] = [
        (
            "no JSON",
            b"{\"model\": secret".to_vec(),
            "invalid_json",
            Value::Null,
        ),
        (
            "invalid UTF-8",
            b"{\"model\": \"secret\xff\"}".to_vec(),
            "invalid_json",
            Value::Null,
        ),
        (
            "no object",
            b"[\"secret\"]".to_vec(),
            "invalid_field",
            json!("body"),
        ),
        ("nothing", Vec::new(), "invalid_json", Value::Null),
        (
            "a word for a number",
            chat(json!({"temperature": "secret"}))
                .to_string()
                .into_bytes(),
            "invalid_field",
            json!("temperature"),
        ),
        (
            "10,000 tools",
            chat(json!({"tools": tools})).to_string().into_bytes(),
            "invalid_field",
            json!("tools"),
        ),
        (
            "two answers",
            chat(json!({"n": 2})).to_string().into_bytes(),
            "invalid_field",
            json!("n"),
        ),
    ];
    for (case, body, code, param) in cases {
        let reply = send(&rig, &post(CHAT, Some(CODING), &[], &body)).await;
        assert_eq!(reply.status, 400, "{case}");
        let error = &reply.json()["error"];
        assert_eq!(
            (&error["code"], &error["param"]),
            (&json!(code), &param),
            "{case}"
        );
        assert!(!reply.body.contains("secret"), "{case}: {}", reply.body);
    }
    assert_eq!(
        completed(&rig, json!({})).await.status,
        200,
        "a good call is served as before"
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_above_the_limit_is_refused_unread() {
    let rig = rig().await;
    let head = [
        ("content-length", "104857600"),
        ("content-type", "application/json"),
    ];
    let mut bytes = post(CHAT, Some(CODING), &[], b"");
    let end = bytes.windows(2).position(|w| w == b"\r\n").expect("a line") + 2;
    bytes.truncate(end);
    bytes.extend(format!("host: x\r\nauthorization: Bearer {CODING}\r\n").bytes());
    for (name, value) in head {
        bytes.extend(format!("{name}: {value}\r\n").bytes());
    }
    bytes.extend(b"\r\n{\"model\":");
    let reply = send(&rig, &bytes).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["code"]),
        (413, &json!("request_too_large"))
    );
    // In chunks, without a stated length: 1 MiB is the limit here.
    let chunk = "x".repeat(1 << 19);
    let mut bytes = Vec::new();
    bytes.extend(
        format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CODING}\r\n").bytes(),
    );
    bytes.extend(b"content-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n");
    for _ in 0..3 {
        bytes.extend(format!("80000\r\n{chunk}\r\n").bytes());
    }
    let reply = send(&rig, &bytes).await;
    assert_eq!(reply.status, 413);
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_cannot_be_smuggled_behind_a_second_length() {
    let rig = rig().await;
    let smuggled = String::from_utf8(get("/health", None)).expect("ASCII");
    for lengths in [
        "content-length: 4\r\ntransfer-encoding: chunked",
        "transfer-encoding: chunked\r\ncontent-length: 4",
        "content-length: 4\r\ncontent-length: 5",
        "transfer-encoding: chunked, identity",
        "content-length: +4",
    ] {
        let head = format!(
            "POST {CHAT} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer {CODING}\r\n{lengths}\r\n\r\n"
        );
        let bytes = format!("{head}0\r\n\r\n{smuggled}");
        let reply = exchange(&rig, bytes.as_bytes()).await;
        let text = String::from_utf8_lossy(&reply);
        assert_eq!(text.matches("HTTP/1.1 ").count(), 1, "{lengths}: {text}");
        assert!(text.starts_with("HTTP/1.1 400"), "{lengths}: {text}");
        assert!(!text.contains("\"ok\""), "{lengths}: {text}");
    }
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_does_not_come_is_not_waited_for() {
    let rig = rig_with(&arms(), Duration::from_millis(50)).await;
    // The end of each exchange is the server's: the client goes on to wait.
    assert!(exchange(&rig, b"").await.is_empty());
    let begun = format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\nx-slow: ");
    let reply = exchange(&rig, begun.as_bytes()).await;
    assert!(!String::from_utf8_lossy(&reply).contains("200"));
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_does_not_come_is_not_waited_for() {
    let rig = rig_with(&arms(), Duration::from_millis(50)).await;
    let mut bytes = post(
        CHAT,
        Some(CODING),
        &[],
        chat(json!({})).to_string().as_bytes(),
    );
    bytes.truncate(bytes.len() - 1);
    let reply = send(&rig, &bytes).await;
    assert_eq!(
        (reply.status, &reply.json()["error"]["code"]),
        (408, &json!("body_too_slow"))
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_is_too_long_is_refused() {
    let rig = rig().await;
    let long = "x".repeat(100_000);
    let bytes = post(CHAT, Some(CODING), &[("x-long", &long)], b"{}");
    let reply = exchange(&rig, &bytes).await;
    let told = String::from_utf8_lossy(&reply);
    assert!(
        told.is_empty() || told.starts_with("HTTP/1.1 431"),
        "{told}"
    );
    let many: Vec<_> = (0..200)
        .map(|i| (format!("x-{i}"), "1".to_owned()))
        .collect();
    let many: Vec<_> = many.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let reply = exchange(&rig, &post(CHAT, Some(CODING), &many, b"{}")).await;
    assert!(
        reply.starts_with(b"HTTP/1.1 431"),
        "{:?}",
        String::from_utf8_lossy(&reply)
    );
    rig.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_strangers_body_is_not_read_and_a_form_is_no_json() {
    let rig = rig().await;
    // Of a megabyte that is announced, not a byte comes.
    let head = format!("POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-length: 1000000\r\n\r\n");
    let reply = exchange(&rig, head.as_bytes()).await;
    assert!(reply.starts_with(b"HTTP/1.1 401"));
    let body = chat(json!({})).to_string();
    let form = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {CODING}\r\n\
         content-type: text/plain\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    assert_eq!(send(&rig, form.as_bytes()).await.status, 415);
    rig.stop().await;
}
