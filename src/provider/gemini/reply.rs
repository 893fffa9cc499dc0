//! An answer, whole or the next part of a streamed one: both have one shape.
//!
//! Invariants: a whole answer has a finish reason; a call that came without an id is given one that no other call
//! of the conversation has (`call_0`, `call_1`, ...). Output tokens are all of them: thoughts are counted in, though
//! the provider counts them apart.
//!
//! Not here: bytes (`client`), the end of a stream (`delta`), whether tool arguments fit (`validate`).

use super::DIALECT;
use crate::chat::{ContentPart, Message, Reasoning, ToolCall};
use crate::decision;
use crate::provider::call::Refused;
use crate::provider::json::Json;
use crate::provider::{Error, FinishReason, Kind, Piece, answer};
use serde::Deserialize;
use std::time::Duration;

/// The body of an answer, the data of an event, or an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    #[serde(default)]
    candidates: Vec<Candidate>,
    prompt_feedback: Option<Feedback>,
    usage_metadata: Option<Usage>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate {
    content: Option<Content>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Content {
    #[serde(default)]
    parts: Vec<Part>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Part {
    text: Option<String>,
    #[serde(default)]
    thought: bool,
    function_call: Option<Called>,
    thought_signature: Option<String>,
}

#[derive(Deserialize)]
struct Called {
    id: Option<String>,
    name: String,
    args: Option<Json>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback {
    block_reason: Option<String>,
}

/// Tokens as the provider counts them.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Usage {
    prompt_token_count: Option<u64>,
    cached_content_token_count: Option<u64>,
    candidates_token_count: Option<u64>,
    thoughts_token_count: Option<u64>,
}

impl From<Usage> for decision::Usage {
    fn from(usage: Usage) -> Self {
        let tokens = |n: u64| u32::try_from(n).unwrap_or(u32::MAX);
        let input = usage.prompt_token_count.map(tokens);
        let cached = usage.cached_content_token_count.map(tokens);
        let (said, thought) = (usage.candidates_token_count, usage.thoughts_token_count);
        let output = match (said, thought) {
            (None, None) => None,
            _ => Some(said.unwrap_or(0).saturating_add(thought.unwrap_or(0))),
        };
        Self {
            input,
            cached_input: cached.map(|n| n.min(input.unwrap_or(u32::MAX))),
            output: output.map(tokens),
            estimated: false,
            cache_write: None,
            reasoning: thought.map(tokens),
        }
    }
}

/// What `error` in a body says.
#[derive(Deserialize)]
struct Refusal {
    message: Option<String>,
    status: Option<String>,
    #[serde(default)]
    details: Vec<Detail>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Detail {
    reason: Option<String>,
    retry_delay: Option<String>,
}

impl Refusal {
    /// Its status in small letters; of a key that is wrong and a prompt that is too long, which are invalid
    /// arguments like others, the code that says so. The words go no further: they may quote the prompt, so
    /// only their beginning counts.
    fn code(&self) -> Option<String> {
        let status = self.status.as_deref().unwrap_or_default();
        let words = self.message.as_deref().unwrap_or_default();
        let wrong_key = |detail: &Detail| detail.reason.as_deref() == Some("API_KEY_INVALID");
        let too_long = words.starts_with("The input token count")
            && words.contains("exceeds the maximum number of tokens");
        let code = match status {
            "" => return None,
            "INVALID_ARGUMENT" if self.details.iter().any(wrong_key) => "invalid_api_key".into(),
            "INVALID_ARGUMENT" if too_long => "context_length_exceeded".into(),
            status => status.to_ascii_lowercase(),
        };
        Some(code)
    }

    /// How long to wait: `RetryInfo` among the details, in seconds as `27s` or `27.5s`, rounded up.
    fn retry_after(&self) -> Option<Duration> {
        let mut said = self.details.iter().filter_map(|d| d.retry_delay.as_deref());
        let seconds: f64 = said.next()?.strip_suffix('s')?.parse().ok()?;
        Duration::try_from_secs_f64(seconds.ceil()).ok()
    }
}

/// What the body of a refusal says, if it can be read. (A stream that is refused says it in a list.)
pub(super) fn refused(body: &[u8]) -> Refused {
    let read = serde_json::from_slice::<Body>(body).ok().or_else(|| {
        let list = serde_json::from_slice::<Vec<Body>>(body).ok()?;
        list.into_iter().next()
    });
    let refusal = read.and_then(|body| body.error);
    Refused {
        code: refusal.as_ref().and_then(Refusal::code),
        retry_after: refusal.as_ref().and_then(Refusal::retry_after),
    }
}

/// Why the model stopped. A call of tools is one whatever the server calls it.
pub(super) fn finish_reason(said: &str, calls_tools: bool) -> FinishReason {
    match said {
        "STOP" if calls_tools => FinishReason::ToolCalls,
        "STOP" => FinishReason::Stop,
        "MAX_TOKENS" => FinishReason::Length,
        "SAFETY" | "RECITATION" | "BLOCKLIST" | "PROHIBITED_CONTENT" | "SPII" => {
            FinishReason::ContentFilter
        }
        "IMAGE_SAFETY" | "IMAGE_PROHIBITED_CONTENT" | "IMAGE_RECITATION" => {
            FinishReason::ContentFilter
        }
        // Among them MALFORMED_FUNCTION_CALL, UNEXPECTED_TOOL_CALL and LANGUAGE.
        _ => FinishReason::Other,
    }
}

/// What the model thought: words, or the signature of a text or a call.
pub(super) fn thought(
    text: String,
    signature: Option<String>,
    tool_call: Option<String>,
) -> Reasoning {
    Reasoning {
        text,
        signature,
        dialect: DIALECT.to_owned(),
        tool_call,
    }
}

/// What was read of an answer so far, beside its pieces.
#[derive(Debug, Default)]
pub(super) struct Heard {
    /// The number of the first id of our own making.
    pub(super) first_number: usize,
    pub(super) calls: usize,
    pub(super) finish_reason: Option<String>,
    pub(super) usage: Usage,
}

impl Heard {
    /// Most tool calls of one answer.
    pub(super) const MAX_CALLS: usize = 256;

    /// Takes the next part of an answer, and gives its pieces to `out`. Says whether the answer came on.
    pub(super) fn take(&mut self, body: Body, out: &mut impl Extend<Piece>) -> Result<bool, Error> {
        if let Some(refusal) = body.error {
            return Err(Error {
                retry_after: refusal.retry_after(),
                ..Error::reported(refusal.code().as_deref())
            });
        }
        let candidate = body.candidates.into_iter().next();
        let blocked = body.prompt_feedback.and_then(|f| f.block_reason);
        if candidate.is_none() && blocked.is_some() {
            return Err(Kind::ContentFilter.into());
        }
        let came_on = candidate.map(|said| self.candidate(said, out));
        let came_on = came_on.transpose()?.unwrap_or(false);
        // Of all that was sent until here: a stream that is cut after it is paid all the same.
        if let Some(usage) = body.usage_metadata {
            self.usage = usage;
            out.extend([Piece::Told(usage.into())]);
        }
        Ok(came_on)
    }

    fn candidate(
        &mut self,
        candidate: Candidate,
        out: &mut impl Extend<Piece>,
    ) -> Result<bool, Error> {
        let parts = candidate.content.map_or_else(Vec::new, |c| c.parts);
        let came_on = !parts.is_empty() || candidate.finish_reason.is_some();
        for part in parts {
            self.part(part, out)?;
        }
        if candidate.finish_reason.is_some() {
            self.finish_reason = candidate.finish_reason;
        }
        Ok(came_on)
    }

    fn part(&mut self, part: Part, out: &mut impl Extend<Piece>) -> Result<(), Error> {
        let signature = part.thought_signature.filter(|s| !s.is_empty());
        let text = part.text.filter(|text| !text.is_empty());
        if let Some(called) = part.function_call {
            let call = self.call(called)?;
            let signed =
                |s| Piece::Reasoning(thought(String::new(), Some(s), Some(call.id.clone())));
            out.extend(signature.map(signed));
            out.extend([Piece::ToolCall(call)]);
            return Ok(());
        }
        if part.thought {
            let piece = |text| Piece::Reasoning(thought(text, None, None));
            out.extend(text.map(piece));
        } else {
            out.extend(text.map(Piece::Text));
        }
        let signed = |s| Piece::Reasoning(thought(String::new(), Some(s), None));
        out.extend(signature.map(signed));
        Ok(())
    }

    fn call(&mut self, called: Called) -> Result<ToolCall, Error> {
        if self.calls >= Self::MAX_CALLS {
            return Err(Kind::TooLarge.into());
        }
        let id = called.id.filter(|id| !id.is_empty());
        let number = self.first_number.saturating_add(self.calls);
        let id = id.unwrap_or_else(|| format!("call_{number}"));
        self.calls += 1;
        let arguments = called.args.map(|args| args.to_text()).transpose()?;
        Ok(ToolCall {
            id,
            name: called.name,
            arguments_json: arguments.unwrap_or_else(|| "{}".to_owned()),
        })
    }
}

/// Reads a whole answer, whose ids of our own making begin with this number.
pub(super) fn read(
    body: &[u8],
    first_number: usize,
) -> Result<(Message, FinishReason, decision::Usage), Error> {
    let body: Body = serde_json::from_slice(body).map_err(|_| Kind::Malformed)?;
    let mut pieces = Vec::new();
    let mut heard = Heard {
        first_number,
        ..Heard::default()
    };
    heard.take(body, &mut pieces)?;
    let reason = heard.finish_reason.ok_or(Kind::Malformed)?;
    let (mut content, mut tool_calls) = (Vec::new(), Vec::new());
    for piece in pieces {
        match piece {
            Piece::Text(text) => match content.last_mut() {
                Some(ContentPart::Text(last)) => last.push_str(&text),
                _ => content.push(ContentPart::Text(text)),
            },
            Piece::Reasoning(thought) => content.push(ContentPart::Reasoning(thought)),
            Piece::ToolCall(call) => tool_calls.push(call),
            Piece::Told(_) | Piece::Done { .. } => {}
        }
    }
    let finish_reason = finish_reason(&reason, !tool_calls.is_empty());
    let message = answer::message(content, tool_calls);
    Ok((message, finish_reason, heard.usage.into()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Role;

    fn check(body: &str, expected: Result<(Message, FinishReason, decision::Usage), Kind>) {
        let read = read(body.as_bytes(), 0).map_err(|error| error.kind);
        assert_eq!(read, expected, "{body}");
    }

    fn call(id: &str, name: &str, arguments: &str) -> ToolCall {
        ToolCall {
            id: id.into(),
            name: name.into(),
            arguments_json: arguments.into(),
        }
    }

    fn signed(signature: &str, call: Option<&str>) -> ContentPart {
        let call = call.map(str::to_owned);
        ContentPart::Reasoning(thought(String::new(), Some(signature.into()), call))
    }

    #[test]
    fn an_answer_is_read_with_its_thoughts_calls_and_tokens() {
        let message = Message {
            content: vec![
                ContentPart::Reasoning(thought("hm".into(), None, None)),
                ContentPart::Text("looking".into()),
                signed("s1", None),
                signed("s2", Some("call_0")),
            ],
            tool_calls: vec![
                call("call_0", "find", r#"{"z":1,"a":0.5}"#),
                call("fc-1", "stop", "{}"),
                call("call_2", "stop", "{}"),
            ],
            ..Message::text(Role::Assistant, "")
        };
        let usage = decision::Usage {
            input: Some(100),
            cached_input: Some(80),
            output: Some(27),
            estimated: false,
            cache_write: None,
            reasoning: Some(7),
        };
        check(
            r#"{"candidates":[{"content":{"role":"model","parts":[
            {"text":"hm","thought":true},{"text":"look"},{"text":"ing","thoughtSignature":"s1"},
            {"functionCall":{"name":"find","args":{"z":1,"a":0.5}},"thoughtSignature":"s2"},
            {"functionCall":{"id":"fc-1","name":"stop","args":{}}},
            {"functionCall":{"name":"stop"}}]},"finishReason":"STOP","index":0}],
            "usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":80,
            "candidatesTokenCount":20,"thoughtsTokenCount":7,"totalTokenCount":127},
            "modelVersion":"m","responseId":"r"}"#,
            Ok((message, FinishReason::ToolCalls, usage)),
        );
    }

    #[test]
    fn made_up_ids_go_on_from_the_conversations() {
        let body = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a"}},
            {"functionCall":{"name":"b"}}]},"finishReason":"STOP"}]}"#;
        let (message, _, _) = read(body.as_bytes(), 8).unwrap();
        let ids: Vec<_> = message.tool_calls.iter().map(|c| c.id.as_str()).collect();
        assert_eq!(ids, ["call_8", "call_9"]);
    }

    #[test]
    fn tokens_that_are_not_told_are_not_made_up() {
        let usage = |usage: &str| {
            let body =
                format!(r#"{{"candidates":[{{"finishReason":"STOP"}}],"usageMetadata":{usage}}}"#);
            let (_, _, usage) = read(body.as_bytes(), 0).unwrap();
            (
                usage.input,
                usage.cached_input,
                usage.output,
                usage.reasoning,
            )
        };
        assert_eq!(usage("{}"), (None, None, None, None));
        assert_eq!(
            usage(r#"{"promptTokenCount":3,"cachedContentTokenCount":9,"candidatesTokenCount":2}"#),
            (Some(3), Some(3), Some(2), None)
        );
        let thoughts = usage(r#"{"thoughtsTokenCount":5}"#);
        assert_eq!(thoughts, (None, None, Some(5), Some(5)));
    }

    #[test]
    fn every_finish_reason_has_its_meaning() {
        use FinishReason as R;
        for (said, calls, expected) in [
            ("STOP", false, R::Stop),
            ("STOP", true, R::ToolCalls),
            ("MAX_TOKENS", false, R::Length),
            ("SAFETY", false, R::ContentFilter),
            ("RECITATION", false, R::ContentFilter),
            ("BLOCKLIST", false, R::ContentFilter),
            ("PROHIBITED_CONTENT", false, R::ContentFilter),
            ("SPII", false, R::ContentFilter),
            ("IMAGE_SAFETY", false, R::ContentFilter),
            ("IMAGE_PROHIBITED_CONTENT", false, R::ContentFilter),
            ("IMAGE_RECITATION", false, R::ContentFilter),
            ("MALFORMED_FUNCTION_CALL", false, R::Other),
            ("UNEXPECTED_TOOL_CALL", false, R::Other),
            ("LANGUAGE", false, R::Other),
            ("OTHER", false, R::Other),
            ("FINISH_REASON_UNSPECIFIED", false, R::Other),
        ] {
            assert_eq!(finish_reason(said, calls), expected, "{said}");
        }
    }

    #[test]
    fn silence_is_an_answer_a_blocked_prompt_is_refused_and_half_an_answer_is_malformed() {
        check(
            r#"{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}]}"#,
            Ok((
                Message::text(Role::Assistant, ""),
                FinishReason::Length,
                decision::Usage::default(),
            )),
        );
        check(
            r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{"promptTokenCount":4}}"#,
            Err(Kind::ContentFilter),
        );
        check("<html>", Err(Kind::Malformed));
        check("{}", Err(Kind::Malformed));
        check(
            r#"{"candidates":[{"content":{"parts":[{"text":"half"}]}}]}"#,
            Err(Kind::Malformed),
        );
        check(
            r#"{"error":{"code":503,"message":"words","status":"UNAVAILABLE"}}"#,
            Err(Kind::Overloaded),
        );
    }

    #[test]
    fn a_refusal_is_known_by_its_status_and_details() {
        let kind = |status: u16, code: &str, words: &str, details: &str| {
            let body = format!(
                r#"{{"error":{{"code":{status},"message":"{words}","status":"{code}","details":[{details}]}}}}"#
            );
            let one = refused(body.as_bytes());
            assert_eq!(one, refused(format!("[{body}]").as_bytes()));
            Error::refused(status, one.code.as_deref(), None).kind
        };
        let invalid = "INVALID_ARGUMENT";
        let long = "The input token count (1091639) exceeds the maximum number of tokens allowed (1048576).";
        assert_eq!(kind(400, invalid, long, ""), Kind::ContextLength);
        let quoted = "bad text: The input token count exceeds the maximum number of tokens";
        assert_eq!(kind(400, invalid, quoted, ""), Kind::InvalidRequest);
        let key = r#"{"@type":"x","reason":"API_KEY_INVALID","domain":"googleapis.com"}"#;
        assert_eq!(kind(400, invalid, "", key), Kind::Unauthorized);
        assert_eq!(kind(403, "PERMISSION_DENIED", "", ""), Kind::Unauthorized);
        assert_eq!(kind(404, "NOT_FOUND", "", ""), Kind::ModelUnknown);
        assert_eq!(kind(429, "RESOURCE_EXHAUSTED", "", ""), Kind::RateLimited);
        assert_eq!(kind(500, "INTERNAL", "", ""), Kind::ServerError);
        assert_eq!(kind(503, "UNAVAILABLE", "", ""), Kind::Overloaded);
        assert_eq!(kind(504, "DEADLINE_EXCEEDED", "", ""), Kind::Timeout);
        assert_eq!(refused(b"<html>"), Refused::default());
    }

    #[test]
    fn how_long_to_wait_is_read_where_it_is_said_in_seconds() {
        let wait = |delay: &str| {
            let body = format!(r#"{{"error":{{"details":[{{}},{{"retryDelay":"{delay}"}}]}}}}"#);
            refused(body.as_bytes()).retry_after
        };
        assert_eq!(wait("27s"), Some(Duration::from_secs(27)));
        assert_eq!(wait("0.25s"), Some(Duration::from_secs(1)));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1s"), None);
        assert_eq!(wait("1e30s"), None);
    }

    #[test]
    fn fuzz() {
        let inputs = [
            r#"{"candidates":[{"content":{"role":"model","parts":[{"text":"let me","thought":true},{"text":"hé"},{"functionCall":{"name":"find","args":{"z":1}},"thoughtSignature":"c2ln"}]},"finishReason":"STOP"}],"usageMetadata":{"promptTokenCount":3,"cachedContentTokenCount":2,"candidatesTokenCount":2,"thoughtsTokenCount":5}}"#,
            r#"{"error":{"code":503,"message":"words","status":"UNAVAILABLE","details":[{"@type":"x","reason":"API_KEY_INVALID"},{"retryDelay":"3.5s"}]}}"#,
        ];
        let inputs = inputs.map(str::as_bytes);
        crate::fuzz::fuzz("gemini answer", 2_000, &inputs, |body| {
            drop(refused(body));
            match read(body, 0) {
                Ok((message, ..)) => assert_eq!(message.check(), Ok(())),
                Err(error) => assert!(error.code.is_none_or(|code| code.len() <= 64)),
            }
        });
    }
}
