//! A streamed chat completion, put together chunk by chunk.
//!
//! Invariants: [`Piece::Done`] comes only after both a finish reason and `[DONE]`; tool calls come
//! whole, before it, in the order in which they were begun; what is gathered for them is bounded.
//!
//! Not here: bytes and events (`sse`), waiting (`client`).

use super::reply::{Refusal, Usage, finish_reason, thought, tool_call};
use crate::decision;
use crate::provider::call::Gather;
use crate::provider::{Error, Kind, Piece};
use serde::Deserialize;
use std::collections::VecDeque;

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    usage: Option<Usage>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Choice {
    delta: Option<Delta>,
    finish_reason: Option<String>,
}

#[derive(Deserialize)]
struct Delta {
    content: Option<String>,
    refusal: Option<String>,
    tool_calls: Option<Vec<CallDelta>>,
    #[serde(alias = "reasoning")]
    reasoning_content: Option<String>,
}

#[derive(Deserialize)]
struct CallDelta {
    index: Option<u64>,
    id: Option<String>,
    function: Option<FunctionDelta>,
}

#[derive(Deserialize)]
struct FunctionDelta {
    name: Option<String>,
    arguments: Option<String>,
}

/// A tool call in the making.
#[derive(Debug)]
struct Call {
    index: u64,
    id: String,
    name: String,
    arguments: String,
}

/// What has been gathered of one answer.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    calls: Vec<Call>,
    call_bytes: usize,
    finish_reason: Option<String>,
    usage: decision::Usage,
    done: bool,
}

impl Gathered {
    /// Most tool calls of one answer.
    pub(super) const MAX_CALLS: usize = 256;
    /// Most bytes of all tool calls of one answer.
    pub(super) const MAX_CALL_BYTES: usize = 16 << 20;

    /// As [`Gather::take`].
    fn take(&mut self, data: &str, out: &mut VecDeque<Piece>) -> Result<bool, Error> {
        if data == "[DONE]" {
            return self.finish(out).map(|()| true);
        }
        let chunk: Chunk = serde_json::from_str(data).map_err(|_| Kind::Malformed)?;
        if let Some(refusal) = chunk.error {
            return Err(Error::reported(refusal.code().as_deref()));
        }
        let choice = chunk.choices.into_iter().next();
        let came_on = choice.map(|choice| self.choose(choice, out));
        let came_on = came_on.transpose()?.unwrap_or(false);
        // Of all that was sent until here: a stream that is cut after it is paid all the same.
        if let Some(usage) = chunk.usage {
            self.usage = usage.into();
            out.push_back(Piece::Told(self.usage));
        }
        Ok(came_on)
    }

    /// What a chunk says, and whether the answer came on by it.
    fn choose(&mut self, choice: Choice, out: &mut VecDeque<Piece>) -> Result<bool, Error> {
        let mut came_on = choice.finish_reason.is_some();
        if let Some(delta) = choice.delta {
            let thoughts = delta.reasoning_content.filter(|text| !text.is_empty());
            out.extend(thoughts.map(|text| Piece::Reasoning(thought(text))));
            let texts = [delta.content, delta.refusal].into_iter().flatten();
            out.extend(texts.filter(|text| !text.is_empty()).map(Piece::Text));
            came_on |= !out.is_empty();
            for call in delta.tool_calls.unwrap_or_default() {
                came_on = true;
                self.gather(call)?;
            }
        }
        if choice.finish_reason.is_some() {
            self.finish_reason = choice.finish_reason;
        }
        Ok(came_on)
    }

    fn gather(&mut self, delta: CallDelta) -> Result<(), Error> {
        let function = delta.function.unwrap_or(FunctionDelta {
            name: None,
            arguments: None,
        });
        let texts = [&delta.id, &function.name, &function.arguments];
        self.call_bytes += texts.into_iter().flatten().map(String::len).sum::<usize>();
        let at = self.position(delta.index, delta.id.as_deref());
        if at >= Self::MAX_CALLS || self.call_bytes > Self::MAX_CALL_BYTES {
            return Err(Kind::TooLarge.into());
        }
        if at == self.calls.len() {
            self.calls.push(Call {
                index: delta.index.unwrap_or(at as u64),
                id: String::new(),
                name: String::new(),
                arguments: String::new(),
            });
        }
        if let Some(call) = self.calls.get_mut(at) {
            // Id and name come once, or are repeated whole; only arguments come in parts.
            set(&mut call.id, delta.id);
            set(&mut call.name, function.name);
            call.arguments
                .push_str(function.arguments.as_deref().unwrap_or(""));
        }
        Ok(())
    }

    /// The call that a delta belongs to: by index, and where a server leaves it out, a new id begins
    /// a new call.
    fn position(&self, index: Option<u64>, id: Option<&str>) -> usize {
        let found = match (index, id) {
            (Some(index), _) => self.calls.iter().position(|call| call.index == index),
            (None, Some(id)) if !id.is_empty() => self.calls.iter().position(|call| call.id == id),
            (None, _) => self.calls.len().checked_sub(1),
        };
        found.unwrap_or(self.calls.len())
    }

    fn finish(&mut self, out: &mut VecDeque<Piece>) -> Result<(), Error> {
        let said = self.finish_reason.take().ok_or(Kind::Cut)?;
        let finish_reason = finish_reason(&said, !self.calls.is_empty());
        let calls = self.calls.drain(..);
        out.extend(calls.map(|c| Piece::ToolCall(tool_call(c.id, c.name, c.arguments))));
        out.push_back(Piece::Done {
            finish_reason,
            usage: self.usage,
        });
        self.done = true;
        Ok(())
    }
}

impl Gather for Gathered {
    fn take(&mut self, data: &str, out: &mut VecDeque<Piece>) -> Result<bool, Error> {
        self.take(data, out)
    }

    fn done(&self) -> bool {
        self.done
    }
}

fn set(field: &mut String, value: Option<String>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        *field = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::FinishReason;

    fn check(events: &[&str], expected: Result<Vec<Piece>, Kind>) {
        let mut gathered = Gathered::default();
        let mut pieces = VecDeque::new();
        let outcome = events
            .iter()
            .try_for_each(|data| gathered.take(data, &mut pieces).map(drop));
        let outcome = outcome
            .map(|()| pieces.into_iter().collect())
            .map_err(|error| error.kind);
        assert_eq!(outcome, expected, "{events:?}");
    }

    fn done(finish_reason: FinishReason, usage: decision::Usage) -> Piece {
        Piece::Done {
            finish_reason,
            usage,
        }
    }

    #[test]
    fn texts_come_as_they_arrive_and_the_end_with_its_usage() {
        let usage = decision::Usage {
            input: Some(3),
            cached_input: Some(3),
            output: Some(2),
            ..Default::default()
        };
        check(
            &[
                r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
                r#"{"choices":[{"delta":{"content":"he"}}]}"#,
                r#"{"choices":[{"delta":{"content":"y"},"finish_reason":null}],"usage":null}"#,
                r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
                r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":9}}}"#,
                "[DONE]",
            ],
            Ok(vec![
                Piece::Text("he".into()),
                Piece::Text("y".into()),
                Piece::Told(usage),
                done(FinishReason::Stop, usage),
            ]),
        );
    }

    #[test]
    fn tool_calls_come_whole_and_in_order() {
        let call = |id: &str, arguments: &str| {
            Piece::ToolCall(tool_call(id.into(), "find".into(), arguments.into()))
        };
        check(
            &[
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"find","arguments":"{\"q\""}}]}}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","function":{"name":"find"}}]}}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
                r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
                "[DONE]",
            ],
            Ok(vec![
                call("a", r#"{"q":1}"#),
                call("b", "{}"),
                done(FinishReason::ToolCalls, decision::Usage::default()),
            ]),
        );
        check(
            &[
                r#"{"choices":[{"delta":{"tool_calls":[{"id":"a","function":{"name":"find","arguments":"{"}}]}}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"}"}}]}}]}"#,
                r#"{"choices":[{"delta":{"tool_calls":[{"id":"b","function":{"name":"find","arguments":"{}"}}]},"finish_reason":"stop"}]}"#,
                "[DONE]",
            ],
            Ok(vec![
                call("a", "{}"),
                call("b", "{}"),
                done(FinishReason::ToolCalls, decision::Usage::default()),
            ]),
        );
    }

    #[test]
    fn an_end_without_a_reason_is_a_cut() {
        check(
            &[r#"{"choices":[{"delta":{"content":"he"}}]}"#, "[DONE]"],
            Err(Kind::Cut),
        );
    }

    #[test]
    fn errors_and_nonsense_in_the_stream_are_errors() {
        check(
            &[r#"{"error":{"message":"words","code":"rate_limit_exceeded"}}"#],
            Err(Kind::RateLimited),
        );
        check(&["{"], Err(Kind::Malformed));
        let many: Vec<String> = (0..=Gathered::MAX_CALLS)
            .map(|i| format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{{"index":{i}}}]}}}}]}}"#))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        check(&many, Err(Kind::TooLarge));
    }

    #[test]
    fn fuzz() {
        const EVENTS: &[&str] = &[
            r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#,
            r#"{"choices":[{"delta":{"content":"hé"}}]}"#,
            r#"{"choices":[{"delta":{"reasoning_content":"so"}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","function":{"name":"find","arguments":"{\"q\""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":":1}"}}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"prompt_tokens_details":{"cached_tokens":9}}}"#,
            r#"{"error":{"message":"words","code":"rate_limit_exceeded"}}"#,
            "[DONE]",
        ];
        crate::provider::testing::fuzz_stream("openai", EVENTS, Gathered::default);
    }
}
