//! A streamed message, put together event by event.
//!
//! Invariants: [`Piece::Done`] comes only after both a stop reason and `message_stop`; a tool call comes
//! whole, when its block closes; a signature comes after the words that it signs; what is gathered is
//! bounded. A ping does not bring the answer on, nor does the opening of the message.
//!
//! Not here: bytes and events (`sse`), waiting (`call`).

use super::reply::{Block, Refusal, Usage, finish_reason, hidden, thought};
use crate::chat::ToolCall;
use crate::provider::call::Gather;
use crate::provider::json::Json;
use crate::provider::{Error, Kind, Piece};
use serde::Deserialize;
use std::collections::VecDeque;

#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Event {
    MessageStart {
        message: Start,
    },
    ContentBlockStart {
        index: u64,
        content_block: Block,
    },
    ContentBlockDelta {
        index: u64,
        delta: Delta,
    },
    ContentBlockStop {
        index: u64,
    },
    MessageDelta {
        delta: End,
        usage: Option<Usage>,
    },
    MessageStop,
    Error {
        error: Refusal,
    },
    /// `ping`, and what may be added: the API asks its readers to pass over events that they do not know.
    #[serde(other)]
    Other,
}

#[derive(Deserialize)]
struct Start {
    usage: Option<Usage>,
}

#[derive(Deserialize)]
struct End {
    stop_reason: Option<String>,
}

#[derive(Deserialize)]
#[serde(tag = "type")]
enum Delta {
    #[serde(rename = "text_delta")]
    Text { text: String },
    #[serde(rename = "input_json_delta")]
    InputJson { partial_json: String },
    #[serde(rename = "thinking_delta")]
    Thinking { thinking: String },
    #[serde(rename = "signature_delta")]
    Signature { signature: String },
    #[serde(other)]
    Other,
}

/// A block that comes whole, in the making.
#[derive(Debug)]
struct Open {
    index: u64,
    what: What,
    /// The parts so far: of a signature, or of arguments.
    gathered: String,
}

#[derive(Debug)]
enum What {
    Thought,
    Call {
        id: String,
        name: String,
        /// The arguments, where a server gives them at once.
        input: Option<Json>,
    },
}

/// What has been gathered of one answer.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    open: Vec<Open>,
    calls: usize,
    bytes: usize,
    stop_reason: Option<String>,
    usage: Usage,
    done: bool,
}

impl Gathered {
    /// Most tool calls of one answer, and most blocks open at once.
    pub(super) const MAX_CALLS: usize = 256;
    /// Most bytes of all tool calls and signatures of one answer.
    pub(super) const MAX_BYTES: usize = 16 << 20;

    /// A block begins.
    fn begin(&mut self, index: u64, block: Block, out: &mut VecDeque<Piece>) -> Result<(), Error> {
        let what = match block {
            Block::Text { text } => {
                out.extend(said(text));
                return Ok(());
            }
            Block::RedactedThinking { data } => {
                out.push_back(Piece::Reasoning(hidden(&data)));
                return Ok(());
            }
            Block::Other => return Ok(()),
            Block::Thinking { thinking, .. } => {
                out.extend(thinks(thinking));
                What::Thought
            }
            Block::ToolUse { id, name, input } => {
                self.calls += 1;
                self.count(id.len() + name.len())?;
                What::Call { id, name, input }
            }
        };
        if self.calls > Self::MAX_CALLS || self.open.len() >= Self::MAX_CALLS {
            return Err(Kind::TooLarge.into());
        }
        self.open.push(Open {
            index,
            what,
            gathered: String::new(),
        });
        Ok(())
    }

    /// A block goes on.
    fn go_on(&mut self, index: u64, delta: Delta, out: &mut VecDeque<Piece>) -> Result<(), Error> {
        let part = match delta {
            Delta::Text { text } => {
                out.extend(said(text));
                return Ok(());
            }
            Delta::Thinking { thinking } => {
                out.extend(thinks(thinking));
                return Ok(());
            }
            Delta::Other => return Ok(()),
            Delta::InputJson { partial_json: part } | Delta::Signature { signature: part } => part,
        };
        self.count(part.len())?;
        if let Some(open) = self.open.iter_mut().find(|open| open.index == index) {
            open.gathered.push_str(&part);
        }
        Ok(())
    }

    /// A block ends.
    fn end(&mut self, index: u64, out: &mut VecDeque<Piece>) -> Result<(), Error> {
        let Some(at) = self.open.iter().position(|open| open.index == index) else {
            return Ok(());
        };
        let Open { what, gathered, .. } = self.open.remove(at);
        match what {
            What::Thought if gathered.is_empty() => {}
            What::Thought => {
                let signature = thought(String::new(), Some(gathered));
                out.push_back(Piece::Reasoning(signature));
            }
            What::Call { id, name, input } => {
                let arguments_json = match input {
                    _ if !gathered.trim().is_empty() => gathered,
                    Some(input) => input.to_text()?,
                    None => "{}".to_owned(),
                };
                out.push_back(Piece::ToolCall(ToolCall {
                    id,
                    name,
                    arguments_json,
                }));
            }
        }
        Ok(())
    }

    fn count(&mut self, bytes: usize) -> Result<(), Error> {
        self.bytes += bytes;
        if self.bytes > Self::MAX_BYTES {
            return Err(Kind::TooLarge.into());
        }
        Ok(())
    }

    /// What is said of the tokens is passed on as it comes: a stream that is cut after it is paid all the same.
    fn count_tokens(&mut self, said: Option<Usage>, out: &mut VecDeque<Piece>) {
        if let Some(said) = said {
            self.usage = self.usage.then(said);
            out.push_back(Piece::Told(self.usage.into()));
        }
    }

    fn finish(&mut self, out: &mut VecDeque<Piece>) -> Result<(), Error> {
        let said = self.stop_reason.take().ok_or(Kind::Cut)?;
        out.push_back(Piece::Done {
            finish_reason: finish_reason(&said, self.calls > 0),
            usage: self.usage.into(),
        });
        self.done = true;
        Ok(())
    }
}

impl Gather for Gathered {
    fn take(&mut self, data: &str, out: &mut VecDeque<Piece>) -> Result<bool, Error> {
        let event: Event = serde_json::from_str(data).map_err(|_| Kind::Malformed)?;
        match event {
            Event::Other => return Ok(false),
            Event::MessageStart { message } => {
                self.count_tokens(message.usage, out);
                return Ok(false);
            }
            Event::Error { error } => return Err(Error::reported(error.code().as_deref())),
            Event::ContentBlockStart {
                index,
                content_block,
            } => self.begin(index, content_block, out)?,
            Event::ContentBlockDelta { index, delta } => self.go_on(index, delta, out)?,
            Event::ContentBlockStop { index } => self.end(index, out)?,
            Event::MessageDelta { delta, usage } => {
                self.count_tokens(usage, out);
                self.stop_reason = delta.stop_reason.or_else(|| self.stop_reason.take());
            }
            Event::MessageStop => self.finish(out)?,
        }
        Ok(true)
    }

    fn done(&self) -> bool {
        self.done
    }
}

fn said(text: String) -> Option<Piece> {
    (!text.is_empty()).then_some(Piece::Text(text))
}

fn thinks(text: String) -> Option<Piece> {
    (!text.is_empty()).then(|| Piece::Reasoning(thought(text, None)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::decision;
    use crate::provider::FinishReason;
    use crate::provider::testing::{self, body, cut};

    /// A recorded shape: thoughts, a hidden one, words with letters of several bytes, two calls.
    const EVENTS: &[&str] = &[
        r#"{"type":"message_start","message":{"id":"msg_1","type":"message","role":"assistant","content":[],"stop_reason":null,"usage":{"input_tokens":10,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":1}}}"#,
        r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"let me "}}"#,
        r#"{"type":"ping"}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"see"}}"#,
        r#"{"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"c2ln"}}"#,
        r#"{"type":"content_block_stop","index":0}"#,
        r#"{"type":"content_block_start","index":1,"content_block":{"type":"redacted_thinking","data":"ZGF0YQ"}}"#,
        r#"{"type":"content_block_stop","index":1}"#,
        r#"{"type":"content_block_start","index":2,"content_block":{"type":"text","text":""}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"né€ "}}"#,
        r#"{"type":"content_block_delta","index":2,"delta":{"type":"text_delta","text":"ok"}}"#,
        r#"{"type":"content_block_stop","index":2}"#,
        r#"{"type":"content_block_start","index":3,"content_block":{"type":"tool_use","id":"toolu_1","name":"find","input":{}}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":""}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"{\"q\": "}}"#,
        r#"{"type":"content_block_delta","index":3,"delta":{"type":"input_json_delta","partial_json":"\"é\"}"}}"#,
        r#"{"type":"content_block_stop","index":3}"#,
        r#"{"type":"content_block_start","index":4,"content_block":{"type":"tool_use","id":"toolu_2","name":"stop","input":{}}}"#,
        r#"{"type":"content_block_stop","index":4}"#,
        r#"{"type":"message_delta","delta":{"stop_reason":"tool_use","stop_sequence":null},"usage":{"output_tokens":20,"output_tokens_details":{"thinking_tokens":7}}}"#,
        r#"{"type":"message_stop"}"#,
    ];

    fn pieces() -> Vec<Piece> {
        let call = |id: &str, name: &str, arguments: &str| {
            Piece::ToolCall(ToolCall {
                id: id.into(),
                name: name.into(),
                arguments_json: arguments.into(),
            })
        };
        let usage = decision::Usage {
            input: Some(1110),
            cached_input: Some(1000),
            output: Some(20),
            estimated: false,
            cache_write: Some(100),
            reasoning: Some(7),
        };
        let at_first = decision::Usage {
            output: Some(1),
            reasoning: None,
            ..usage
        };
        vec![
            Piece::Told(at_first),
            Piece::Reasoning(thought("let me ".into(), None)),
            Piece::Reasoning(thought("see".into(), None)),
            Piece::Reasoning(thought(String::new(), Some("c2ln".into()))),
            Piece::Reasoning(hidden("ZGF0YQ")),
            Piece::Text("né€ ".into()),
            Piece::Text("ok".into()),
            call("toolu_1", "find", r#"{"q": "é"}"#),
            call("toolu_2", "stop", "{}"),
            Piece::Told(usage),
            Piece::Done {
                finish_reason: FinishReason::ToolCalls,
                usage,
            },
        ]
    }

    fn check(events: &[&str], expected: Result<Vec<Piece>, Kind>) {
        let mut gathered = Gathered::default();
        let mut pieces = VecDeque::new();
        let outcome = events
            .iter()
            .try_for_each(|data| gathered.take(data, &mut pieces).map(|_| ()));
        let outcome = outcome
            .map(|()| pieces.into_iter().collect())
            .map_err(|error| error.kind);
        assert_eq!(outcome, expected, "{events:?}");
    }

    #[test]
    fn an_answer_comes_in_pieces_and_ends_with_its_usage() {
        check(EVENTS, Ok(pieces()));
    }

    #[test]
    fn a_stream_cut_anywhere_never_looks_whole() {
        for events in 0..EVENTS.len() {
            let body = body(&EVENTS[..events]);
            let (found, end) = testing::gathered(Gathered::default(), vec![body.into_bytes()]);
            assert_eq!(end, Some(Kind::Cut), "after {events} events");
            assert!(pieces().starts_with(&found), "after {events} events");
        }
    }

    #[test]
    fn only_what_brings_the_answer_on_counts() {
        let mut gathered = Gathered::default();
        let mut out = VecDeque::new();
        for data in EVENTS {
            let on = gathered.take(data, &mut out).unwrap();
            let alive = data.contains("ping") || data.contains("message_start");
            assert_eq!(on, !alive, "{data}");
        }
    }

    #[test]
    fn arguments_given_at_once_are_taken() {
        let call = ToolCall {
            id: "a".into(),
            name: "find".into(),
            arguments_json: r#"{"z":1}"#.into(),
        };
        check(
            &[
                r#"{"type":"content_block_start","index":0,"content_block":{"type":"tool_use","id":"a","name":"find","input":{"z":1}}}"#,
                r#"{"type":"content_block_stop","index":0}"#,
            ],
            Ok(vec![Piece::ToolCall(call)]),
        );
    }

    #[test]
    fn errors_nonsense_and_floods_in_the_stream_are_errors() {
        check(
            &[r#"{"type":"error","error":{"type":"overloaded_error","message":"words"}}"#],
            Err(Kind::Overloaded),
        );
        check(&["{"], Err(Kind::Malformed));
        check(&[r#"{"type":"message_stop"}"#], Err(Kind::Cut));
        check(&[r#"{"type":"something_new"}"#], Ok(Vec::new()));
        let many: Vec<String> = (0..=Gathered::MAX_CALLS)
            .map(|i| format!(r#"{{"type":"content_block_start","index":{i},"content_block":{{"type":"tool_use","id":"a","name":"b","input":{{}}}}}}"#))
            .collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        check(&many, Err(Kind::TooLarge));
    }

    proptest::proptest! {
        #[test]
        fn the_pieces_are_the_same_however_the_bytes_are_cut(
            places in proptest::collection::vec(0_usize..10_000, 0..40)
        ) {
            let chunks = cut(&body(EVENTS), &places);
            let found = testing::gathered(Gathered::default(), chunks);
            proptest::prop_assert_eq!(found, (pieces(), None));
        }
    }

    #[test]
    fn the_pieces_are_the_same_at_every_byte() {
        let body = body(EVENTS);
        let bytes = body.bytes().map(|byte| vec![byte]).collect();
        assert_eq!(
            testing::gathered(Gathered::default(), bytes),
            (pieces(), None)
        );
    }

    #[test]
    fn fuzz() {
        testing::fuzz_stream("anthropic", EVENTS, Gathered::default);
    }
}
