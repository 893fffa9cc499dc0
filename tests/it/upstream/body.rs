//! What a provider says: a whole answer, a streamed one, refusals; and the HTTP around them.

use super::behaviour::Then;
use super::request::Request;
use serde_json::{Value, json};
use std::io;
use tokio::io::{AsyncWrite, AsyncWriteExt};

/// The words of every answer. None is part of another, nor of the JSON around them.
pub(crate) const WORDS: [&str; 12] = [
    "amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "island", "juniper",
    "kelp", "lichen",
];
/// Input and output tokens of every answer.
pub(crate) const TOKENS: (u32, u32) = (5, 12);

/// The whole answer.
pub(crate) fn text() -> String {
    WORDS.map(|word| format!("{word} ")).concat()
}

fn usage() -> Value {
    let (input, output) = TOKENS;
    json!({"prompt_tokens": input, "completion_tokens": output, "total_tokens": input + output})
}

/// A whole chat completion, its words in the middle of it.
pub(super) fn whole(request: &Request) -> String {
    let (model, usage) = (json!(request.model()), usage());
    format!(
        r#"{{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":{model},"#
    ) + &format!(
        r#""choices":[{{"index":0,"message":{{"role":"assistant","content":"{}","refusal":null}},"#,
        text()
    ) + &format!(r#""logprobs":null,"finish_reason":"stop"}}],"usage":{usage}}}"#)
}

/// The events of a streamed one up to the last word: a role, then a word each.
pub(super) fn spoken(request: &Request) -> Vec<String> {
    let said = WORDS.map(|word| json!({"content": format!("{word} ")}));
    let deltas = [json!({"role": "assistant", "content": ""})]
        .into_iter()
        .chain(said);
    let event = |delta| {
        event(
            request,
            json!([{"index": 0, "delta": delta, "finish_reason": null}]),
        )
    };
    deltas.map(event).collect()
}

/// The events after the last word: why it ended, what it used, and `[DONE]`.
pub(super) fn ending(request: &Request) -> Vec<String> {
    let stop = json!([{"index": 0, "delta": {}, "finish_reason": "stop"}]);
    let mut events = vec![event(request, stop)];
    if request.wants_usage() {
        let mut last = chunk(request, json!([]));
        last["usage"] = usage();
        events.push(format!("data: {last}\n\n"));
    }
    events.push("data: [DONE]\n\n".to_owned());
    events
}

fn event(request: &Request, choices: Value) -> String {
    format!("data: {}\n\n", chunk(request, choices))
}

fn chunk(request: &Request, choices: Value) -> Value {
    json!({
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": request.model(),
        "choices": choices,
    })
}

/// An answer of a known length. `promised` may be more than is sent.
pub(super) async fn sized(
    stream: &mut (impl AsyncWrite + Unpin),
    head: &str,
    promised: usize,
    body: &[u8],
) -> io::Result<Then> {
    let mut bytes = format!("HTTP/1.1 {head}content-length: {promised}\r\n\r\n").into_bytes();
    bytes.extend_from_slice(body);
    stream.write_all(&bytes).await?;
    Ok(match promised == body.len() {
        true => Then::Next,
        false => Then::Close,
    })
}

/// A refusal in OpenAI's form.
pub(super) async fn refusal(
    stream: &mut (impl AsyncWrite + Unpin),
    status: u16,
    fields: &str,
) -> io::Result<Then> {
    let error = json!({"message": "a fault of the test", "type": "server_error", "param": null, "code": null});
    let body = json!({ "error": error }).to_string();
    let head = format!("{status} Refused\r\ncontent-type: application/json\r\n{fields}");
    sized(stream, &head, body.len(), body.as_bytes()).await
}

pub(super) async fn not_found(stream: &mut (impl AsyncWrite + Unpin)) -> io::Result<Then> {
    refusal(stream, 404, "").await
}

/// One chunk of a body of unknown length; an empty one would end it.
pub(super) fn framed(piece: &str) -> String {
    format!("{:x}\r\n{piece}\r\n", piece.len())
}
