//! A whole chat completion, and the words that it shares with a streamed one.
//!
//! Invariants: an answer has a finish reason, and content or tool calls; cached tokens are at most
//! the input tokens.
//!
//! Not here: bytes (`client`), pieces (`delta`), whether tool arguments are valid JSON (`validate`).

use crate::chat::{ContentPart, Message, Reasoning, ToolCall};
use crate::decision;
use crate::provider::call::Refused;
use crate::provider::{Error, FinishReason, Kind, answer};
use serde::Deserialize;

/// The body of a completion, or of an error that some servers send with status 200.
#[derive(Deserialize)]
struct Body {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Choice {
    message: Said,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Said {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<Called>>,
    #[serde(alias = "reasoning")]
    reasoning_content: Option<String>,
}

#[derive(Deserialize)]
struct Called {
    #[serde(default)]
    id: String,
    function: Function,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    arguments: String,
}

/// Tokens as the provider counts them.
#[derive(Deserialize)]
pub(super) struct Usage {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Details>,
    completion_tokens_details: Option<Thought>,
}

#[derive(Deserialize)]
struct Details {
    cached_tokens: Option<u64>,
    /// OpenRouter's, of endpoints that charge for it.
    cache_write_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Thought {
    reasoning_tokens: Option<u64>,
}

impl From<Usage> for decision::Usage {
    fn from(usage: Usage) -> Self {
        let tokens = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let input = usage.prompt_tokens.map(tokens);
        let details = usage.prompt_tokens_details.as_ref();
        let cached = details.and_then(|d| d.cached_tokens);
        let written = details.and_then(|d| d.cache_write_tokens);
        let thought = usage.completion_tokens_details;
        let of_input = |n: u64| tokens(n).min(input.unwrap_or(u32::MAX));
        Self {
            input,
            cached_input: cached.map(of_input),
            output: usage.completion_tokens.map(tokens),
            estimated: false,
            cache_write: written.map(of_input),
            reasoning: thought.and_then(|t| t.reasoning_tokens).map(tokens),
        }
    }
}

/// What `error` in a body says.
#[derive(Deserialize)]
pub(super) struct Refusal {
    code: Option<serde_json::Value>,
    r#type: Option<String>,
}

impl Refusal {
    /// The code, else the type. Codes are text at some providers and numbers at others.
    pub(super) fn code(&self) -> Option<String> {
        match &self.code {
            Some(serde_json::Value::String(code)) => Some(code.clone()),
            Some(serde_json::Value::Number(code)) => Some(code.to_string()),
            _ => self.r#type.clone(),
        }
    }
}

/// The code in the body of a refusal, if it can be read.
pub(super) fn refused(body: &[u8]) -> Refused {
    #[derive(Deserialize)]
    struct Said {
        error: Refusal,
    }
    let said = serde_json::from_slice::<Said>(body).ok();
    Refused {
        code: said.and_then(|said| said.error.code()),
        retry_after: None,
    }
}

/// Why the model stopped. A call of tools is one whatever the server calls it.
pub(super) fn finish_reason(said: &str, calls_tools: bool) -> FinishReason {
    match said {
        "stop" if calls_tools => FinishReason::ToolCalls,
        "stop" => FinishReason::Stop,
        "length" => FinishReason::Length,
        "tool_calls" | "function_call" => FinishReason::ToolCalls,
        "content_filter" => FinishReason::ContentFilter,
        _ => FinishReason::Other,
    }
}

/// A tool call as the contract wants it: arguments are an object even where the model gave none.
pub(super) fn tool_call(id: String, name: String, arguments: String) -> ToolCall {
    ToolCall {
        id,
        name,
        arguments_json: if arguments.trim().is_empty() {
            "{}".to_owned()
        } else {
            arguments
        },
    }
}

/// What the model thought, in words.
pub(super) fn thought(text: String) -> Reasoning {
    Reasoning {
        text,
        dialect: "openai".to_owned(),
        ..Reasoning::default()
    }
}

/// Reads a whole completion.
pub(super) fn read(body: &[u8]) -> Result<(Message, FinishReason, decision::Usage), Error> {
    let body: Body = serde_json::from_slice(body).map_err(|_| Kind::Malformed)?;
    if let Some(refusal) = body.error {
        return Err(Error::reported(refusal.code().as_deref()));
    }
    let choice = body.choices.into_iter().next().ok_or(Kind::Malformed)?;
    let said = choice.message;
    let calls: Vec<ToolCall> = said
        .tool_calls
        .unwrap_or_default()
        .into_iter()
        .map(|call| tool_call(call.id, call.function.name, call.function.arguments))
        .collect();
    let reason = choice.finish_reason.ok_or(Kind::Malformed)?;
    let said_words = |text: &String| !text.is_empty();
    let thought = said.reasoning_content.filter(said_words);
    let thought = thought.map(|text| ContentPart::Reasoning(self::thought(text)));
    let text = said.content.or(said.refusal).filter(said_words);
    let parts = thought.into_iter().chain(text.map(ContentPart::Text));
    let reason = finish_reason(&reason, !calls.is_empty());
    let message = answer::message(parts.collect(), calls);
    let usage = body.usage.map(Into::into).unwrap_or_default();
    Ok((message, reason, usage))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Role;

    fn check(body: &str, expected: Result<(Message, FinishReason, decision::Usage), Kind>) {
        let read = read(body.as_bytes()).map_err(|error| error.kind);
        assert_eq!(read, expected, "{body}");
    }

    #[test]
    fn a_text_is_read_with_its_cached_tokens() {
        check(
            r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hello"},
            "finish_reason":"stop"}],"usage":{"prompt_tokens":9,"completion_tokens":2,
            "prompt_tokens_details":{"cached_tokens":4}}}"#,
            Ok((
                Message::text(Role::Assistant, "hello"),
                FinishReason::Stop,
                decision::Usage {
                    input: Some(9),
                    cached_input: Some(4),
                    output: Some(2),
                    ..Default::default()
                },
            )),
        );
    }

    #[test]
    fn a_tool_call_is_read_even_from_a_server_that_calls_it_a_stop() {
        let message = Message {
            role: Role::Assistant,
            content: Vec::new(),
            tool_calls: vec![tool_call("c1".into(), "find".into(), String::new())],
            tool_call_id: None,
        };
        assert_eq!(message.tool_calls[0].arguments_json, "{}");
        check(
            r#"{"choices":[{"message":{"content":null,"tool_calls":[{"id":"c1","type":"function",
            "function":{"name":"find","arguments":""}}]},"finish_reason":"stop"}],"usage":null}"#,
            Ok((message, FinishReason::ToolCalls, decision::Usage::default())),
        );
    }

    #[test]
    fn an_answer_without_its_parts_is_malformed() {
        check("", Err(Kind::Malformed));
        check("<html>", Err(Kind::Malformed));
        check(r#"{"choices":[]}"#, Err(Kind::Malformed));
        check(
            r#"{"choices":[{"message":{"content":"half"},"finish_reason":null}]}"#,
            Err(Kind::Malformed),
        );
        check(
            r#"{"error":{"message":"words","code":429}}"#,
            Err(Kind::RateLimited),
        );
    }

    #[test]
    fn fuzz() {
        let inputs = [
            r#"{"id":"x","choices":[{"index":0,"message":{"role":"assistant","content":"hello","tool_calls":[{"id":"c1","type":"function","function":{"name":"find","arguments":"{}"}}]},"finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":2,"completion_tokens_details":{"reasoning_tokens":1}}}"#,
            r#"{"error":{"message":"words","code":429}}"#,
        ];
        let inputs = inputs.map(str::as_bytes);
        crate::fuzz::fuzz("openai answer", 2_000, &inputs, |body| {
            drop(refused(body));
            match read(body) {
                Ok((message, ..)) => assert_eq!(message.check(), Ok(())),
                Err(error) => assert!(error.code.is_none_or(|code| code.len() <= 64)),
            }
        });
    }
}
