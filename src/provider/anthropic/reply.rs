//! A whole message, and the words that it shares with a streamed one.
//!
//! Invariants: an answer has a stop reason, and content or tool calls. Input tokens are all of them: those
//! read from the cache and written to it are counted in, though the provider counts them apart.
//!
//! Not here: bytes (`client`), pieces (`delta`), whether tool arguments fit (`validate`).

use super::{DIALECT, REDACTED};
use crate::chat::{ContentPart, Message, Reasoning, ToolCall};
use crate::decision;
use crate::provider::call::Refused;
use crate::provider::json::Json;
use crate::provider::{Error, FinishReason, Kind, answer};
use serde::Deserialize;

/// The body of an answer, or of an error.
#[derive(Deserialize)]
struct Body {
    content: Option<Vec<Block>>,
    stop_reason: Option<String>,
    usage: Option<Usage>,
    error: Option<Refusal>,
}

/// A part of an answer; where a stream begins one, what it has of it by then.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum Block {
    Text {
        #[serde(default)]
        text: String,
    },
    Thinking {
        #[serde(default)]
        thinking: String,
        #[serde(default)]
        signature: String,
    },
    RedactedThinking {
        data: String,
    },
    ToolUse {
        id: String,
        name: String,
        input: Option<Json>,
    },
    /// What Anthropic's own tools say, which we do not ask for.
    #[serde(other)]
    Other,
}

/// Tokens as the provider counts them.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
pub(super) struct Usage {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<Details>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
struct Details {
    thinking_tokens: Option<u64>,
}

impl Usage {
    /// What a stream said first, and then: counts grow, and what is not said again stands.
    pub(super) fn then(self, later: Self) -> Self {
        Self {
            input_tokens: later.input_tokens.or(self.input_tokens),
            cache_read_input_tokens: later
                .cache_read_input_tokens
                .or(self.cache_read_input_tokens),
            cache_creation_input_tokens: later
                .cache_creation_input_tokens
                .or(self.cache_creation_input_tokens),
            output_tokens: later.output_tokens.or(self.output_tokens),
            output_tokens_details: later.output_tokens_details.or(self.output_tokens_details),
        }
    }
}

impl From<Usage> for decision::Usage {
    fn from(usage: Usage) -> Self {
        let tokens = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let read = usage.cache_read_input_tokens;
        let written = usage.cache_creation_input_tokens;
        let input = usage.input_tokens.map(|fresh| {
            let kept = read.unwrap_or(0).saturating_add(written.unwrap_or(0));
            fresh.saturating_add(kept)
        });
        let details = usage.output_tokens_details;
        Self {
            input: input.map(tokens),
            cached_input: read.map(tokens),
            output: usage.output_tokens.map(tokens),
            estimated: false,
            cache_write: written.map(tokens),
            reasoning: details.and_then(|d| d.thinking_tokens).map(tokens),
        }
    }
}

/// What `error` in a body says.
#[derive(Deserialize)]
pub(super) struct Refusal {
    r#type: Option<String>,
    message: Option<String>,
}

impl Refusal {
    /// Its type; of a prompt that is too long, which has no type of its own, the code that says so. The words
    /// go no further: they may quote the prompt, so only their beginning counts.
    pub(super) fn code(&self) -> Option<String> {
        const TOO_LONG: [&str; 2] = [
            "prompt is too long",
            "input length and `max_tokens` exceed context limit",
        ];
        let said = self.message.as_deref().unwrap_or_default();
        let vague = self.r#type.as_deref() == Some("invalid_request_error");
        if vague && TOO_LONG.iter().any(|words| said.starts_with(words)) {
            return Some("context_length_exceeded".to_owned());
        }
        self.r#type.clone()
    }
}

/// What the body of a refusal says, if it can be read.
pub(super) fn refused(body: &[u8]) -> Refused {
    let body = serde_json::from_slice::<Body>(body).ok();
    Refused {
        code: body.and_then(|body| body.error?.code()),
        retry_after: None,
    }
}

/// Why the model stopped. A call of tools is one whatever the server calls it.
pub(super) fn finish_reason(said: &str, calls_tools: bool) -> FinishReason {
    match said {
        "end_turn" | "stop_sequence" if calls_tools => FinishReason::ToolCalls,
        "end_turn" | "stop_sequence" => FinishReason::Stop,
        "max_tokens" | "model_context_window_exceeded" => FinishReason::Length,
        "tool_use" => FinishReason::ToolCalls,
        "refusal" => FinishReason::ContentFilter,
        // "pause_turn" too: only Anthropic's own tools pause.
        _ => FinishReason::Other,
    }
}

/// What the model thought: words, or the signature of those before it.
pub(super) fn thought(text: String, signature: Option<String>) -> Reasoning {
    Reasoning {
        text,
        signature: signature.filter(|signature| !signature.is_empty()),
        dialect: DIALECT.to_owned(),
        tool_call: None,
    }
}

/// A thought that the provider hides.
pub(super) fn hidden(data: &str) -> Reasoning {
    thought(String::new(), Some(format!("{REDACTED}{data}")))
}

/// Reads a whole message.
pub(super) fn read(body: &[u8]) -> Result<(Message, FinishReason, decision::Usage), Error> {
    let body: Body = serde_json::from_slice(body).map_err(|_| Kind::Malformed)?;
    if let Some(refusal) = body.error {
        return Err(Error::reported(refusal.code().as_deref()));
    }
    let reason = body.stop_reason.ok_or(Kind::Malformed)?;
    let (mut content, mut tool_calls) = (Vec::new(), Vec::new());
    for block in body.content.ok_or(Kind::Malformed)? {
        match block {
            Block::Text { text } => content.push(ContentPart::Text(text)),
            Block::Thinking {
                thinking,
                signature,
            } => content.push(ContentPart::Reasoning(thought(thinking, Some(signature)))),
            Block::RedactedThinking { data } => {
                content.push(ContentPart::Reasoning(hidden(&data)));
            }
            Block::ToolUse { id, name, input } => tool_calls.push(ToolCall {
                id,
                name,
                arguments_json: input.map_or_else(|| Ok("{}".into()), |input| input.to_text())?,
            }),
            Block::Other => {}
        }
    }
    let finish_reason = finish_reason(&reason, !tool_calls.is_empty());
    let message = answer::message(content, tool_calls);
    let usage = body.usage.unwrap_or_default().into();
    Ok((message, finish_reason, usage))
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
    fn an_answer_is_read_with_its_thoughts_calls_and_tokens() {
        let message = Message {
            content: vec![
                ContentPart::Reasoning(thought("hm".into(), Some("c2ln".into()))),
                ContentPart::Reasoning(hidden("ZGF0YQ")),
                ContentPart::Text("looking".into()),
            ],
            tool_calls: vec![
                ToolCall {
                    id: "toolu_1".into(),
                    name: "find".into(),
                    arguments_json: r#"{"z":1,"a":0.5}"#.into(),
                },
                ToolCall {
                    id: "toolu_2".into(),
                    name: "stop".into(),
                    arguments_json: "{}".into(),
                },
            ],
            ..Message::text(Role::Assistant, "")
        };
        let usage = decision::Usage {
            input: Some(1110),
            cached_input: Some(1000),
            output: Some(20),
            estimated: false,
            cache_write: Some(100),
            reasoning: Some(7),
        };
        check(
            r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[
            {"type":"thinking","thinking":"hm","signature":"c2ln"},
            {"type":"redacted_thinking","data":"ZGF0YQ"},
            {"type":"text","text":"looking","citations":null},
            {"type":"server_tool_use","id":"x","name":"web_search","input":{}},
            {"type":"tool_use","id":"toolu_1","name":"find","input":{"z":1,"a":0.5}},
            {"type":"tool_use","id":"toolu_2","name":"stop","input":{}}],
            "stop_reason":"tool_use","stop_sequence":null,
            "usage":{"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,
            "output_tokens":20,"output_tokens_details":{"thinking_tokens":7},"service_tier":"standard"}}"#,
            Ok((message, FinishReason::ToolCalls, usage)),
        );
    }

    #[test]
    fn tokens_that_are_not_told_apart_are_counted_once() {
        let usage = |usage: &str| {
            let body = format!(r#"{{"content":[],"stop_reason":"end_turn","usage":{usage}}}"#);
            let (_, _, usage) = read(body.as_bytes()).unwrap();
            (
                usage.input,
                usage.cached_input,
                usage.cache_write,
                usage.output,
            )
        };
        assert_eq!(
            usage(r#"{"input_tokens":3,"output_tokens":2}"#),
            (Some(3), None, None, Some(2))
        );
        assert_eq!(
            usage(
                r#"{"input_tokens":3,"cache_read_input_tokens":4,"cache_creation_input_tokens":null}"#
            ),
            (Some(7), Some(4), None, None)
        );
        assert_eq!(usage("{}"), (None, None, None, None));
    }

    #[test]
    fn every_stop_reason_has_its_meaning() {
        use FinishReason as R;
        for (said, calls, expected) in [
            ("end_turn", false, R::Stop),
            ("end_turn", true, R::ToolCalls),
            ("stop_sequence", false, R::Stop),
            ("max_tokens", false, R::Length),
            ("max_tokens", true, R::Length),
            ("model_context_window_exceeded", false, R::Length),
            ("tool_use", true, R::ToolCalls),
            ("refusal", false, R::ContentFilter),
            ("pause_turn", false, R::Other),
            ("a_new_one", false, R::Other),
        ] {
            assert_eq!(finish_reason(said, calls), expected, "{said}");
        }
    }

    #[test]
    fn silence_is_an_answer_and_an_answer_without_its_parts_is_malformed() {
        check(
            r#"{"content":[],"stop_reason":"refusal"}"#,
            Ok((
                Message::text(Role::Assistant, ""),
                FinishReason::ContentFilter,
                decision::Usage::default(),
            )),
        );
        check("<html>", Err(Kind::Malformed));
        check(r#"{"content":[]}"#, Err(Kind::Malformed));
        check(r#"{"stop_reason":"end_turn"}"#, Err(Kind::Malformed));
        check(
            r#"{"type":"error","error":{"type":"overloaded_error","message":"words"}}"#,
            Err(Kind::Overloaded),
        );
    }

    #[test]
    fn a_prompt_too_long_is_known_by_the_beginning_of_its_words_alone() {
        let kind = |kind: &str, words: &str| {
            let body = format!(
                r#"{{"type":"error","error":{{"type":"{kind}","message":"{words}"}},"request_id":"r"}}"#
            );
            let code = refused(body.as_bytes()).code;
            Error::refused(400, code.as_deref(), None).kind
        };
        let invalid = "invalid_request_error";
        let long = "prompt is too long: 209353 tokens > 199999 maximum";
        assert_eq!(kind(invalid, long), Kind::ContextLength);
        let limit = "input length and `max_tokens` exceed context limit: 199759 + 8192 > 200000";
        assert_eq!(kind(invalid, limit), Kind::ContextLength);
        let quoted = "messages.0: 'prompt is too long' is not allowed";
        assert_eq!(kind(invalid, quoted), Kind::InvalidRequest);
        assert_eq!(kind("billing_error", long), Kind::QuotaSpent);
        assert_eq!(refused(b"<html>"), Refused::default());
    }

    #[test]
    fn fuzz() {
        let inputs = [
            r#"{"id":"msg_1","type":"message","role":"assistant","model":"m","content":[{"type":"thinking","thinking":"so","signature":"c2ln"},{"type":"text","text":"hé"},{"type":"tool_use","id":"t","name":"find","input":{"z":1,"a":0.5}}],"stop_reason":"tool_use","usage":{"input_tokens":3,"cache_read_input_tokens":4,"output_tokens":2}}"#,
            r#"{"type":"error","error":{"type":"overloaded_error","message":"words"}}"#,
        ];
        let inputs = inputs.map(str::as_bytes);
        crate::fuzz::fuzz("anthropic answer", 2_000, &inputs, |body| {
            drop(refused(body));
            match read(body) {
                Ok((message, ..)) => assert_eq!(message.check(), Ok(())),
                Err(error) => assert!(error.code.is_none_or(|code| code.len() <= 64)),
            }
        });
    }
}
