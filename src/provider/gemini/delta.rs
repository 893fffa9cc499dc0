//! A streamed answer, put together part by part.
//!
//! Invariants: the stream has no last event; its end is the end of the connection after a finish reason, and
//! only then comes [`Piece::Done`]. Calls come whole.
//!
//! Not here: bytes and events (`sse`), waiting (`call`), what a part says (`reply`).

use super::reply::{Heard, finish_reason};
use crate::provider::call::Gather;
use crate::provider::{Error, Kind, Piece};
use std::collections::VecDeque;

/// What has been gathered of one answer.
#[derive(Debug)]
pub(super) struct Gathered {
    heard: Heard,
    done: bool,
}

impl Gathered {
    /// Nothing yet; ids of our own making begin with this number.
    pub(super) fn new(first_number: usize) -> Self {
        Self {
            heard: Heard {
                first_number,
                ..Heard::default()
            },
            done: false,
        }
    }
}

impl Gather for Gathered {
    fn take(&mut self, data: &str, out: &mut VecDeque<Piece>) -> Result<bool, Error> {
        let body = serde_json::from_str(data).map_err(|_| Kind::Malformed)?;
        self.heard.take(body, out)
    }

    fn done(&self) -> bool {
        self.done
    }

    fn end(&mut self, out: &mut VecDeque<Piece>) -> Result<(), Error> {
        let said = self.heard.finish_reason.take().ok_or(Kind::Cut)?;
        out.push_back(Piece::Done {
            finish_reason: finish_reason(&said, self.heard.calls > 0),
            usage: self.heard.usage.into(),
        });
        self.done = true;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::reply::thought;
    use super::*;
    use crate::chat::ToolCall;
    use crate::decision;
    use crate::provider::FinishReason;
    use crate::provider::testing::{self, body, cut};

    /// A recorded shape: thoughts, words with letters of several bytes, calls, a late signature.
    const EVENTS: &[&str] = &[
        r#"{"candidates":[{"content":{"parts":[{"text":"let me see","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":100,"thoughtsTokenCount":3},"modelVersion":"m"}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"né€ "}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":100,"thoughtsTokenCount":7}}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"ok"},{"functionCall":{"name":"find","args":{"q":"é"}},"thoughtSignature":"c2ln"},{"functionCall":{"id":"fc-1","name":"stop","args":{}}}],"role":"model"},"index":0}]}"#,
        r#"{"usageMetadata":{"promptTokenCount":100,"cachedContentTokenCount":80,"candidatesTokenCount":20,"thoughtsTokenCount":7}}"#,
        r#"{"candidates":[{"content":{"parts":[{"text":"","thoughtSignature":"bGF0ZQ"}],"role":"model"},"finishReason":"STOP","index":0}]}"#,
    ];

    fn pieces() -> Vec<Piece> {
        let call = |id: &str, name: &str, arguments: &str| {
            Piece::ToolCall(ToolCall {
                id: id.into(),
                name: name.into(),
                arguments_json: arguments.into(),
            })
        };
        let signed = |signature: &str, call: Option<&str>| {
            let call = call.map(str::to_owned);
            Piece::Reasoning(thought(String::new(), Some(signature.into()), call))
        };
        let usage = decision::Usage {
            input: Some(100),
            cached_input: Some(80),
            output: Some(27),
            estimated: false,
            cache_write: None,
            reasoning: Some(7),
        };
        let told = |output| {
            Piece::Told(decision::Usage {
                cached_input: None,
                output: Some(output),
                reasoning: Some(output),
                ..usage
            })
        };
        vec![
            Piece::Reasoning(thought("let me see".into(), None, None)),
            told(3),
            Piece::Text("né€ ".into()),
            told(7),
            Piece::Text("ok".into()),
            signed("c2ln", Some("call_0")),
            call("call_0", "find", r#"{"q":"é"}"#),
            call("fc-1", "stop", "{}"),
            Piece::Told(usage),
            signed("bGF0ZQ", None),
            Piece::Done {
                finish_reason: FinishReason::ToolCalls,
                usage,
            },
        ]
    }

    fn check(events: &[&str], expected: (&[Piece], Option<Kind>)) {
        let chunks = vec![body(events).into_bytes()];
        let (found, end) = testing::gathered(Gathered::new(0), chunks);
        assert_eq!((found.as_slice(), end), expected, "{events:?}");
    }

    #[test]
    fn an_answer_comes_in_pieces_and_ends_with_the_connection() {
        check(EVENTS, (&pieces(), None));
    }

    #[test]
    fn a_stream_cut_anywhere_never_looks_whole() {
        for events in 0..EVENTS.len() {
            let chunks = vec![body(&EVENTS[..events]).into_bytes()];
            let (found, end) = testing::gathered(Gathered::new(0), chunks);
            assert_eq!(end, Some(Kind::Cut), "after {events} events");
            assert!(pieces().starts_with(&found), "after {events} events");
        }
    }

    #[test]
    fn an_end_may_be_a_filter_and_a_prompt_may_be_blocked() {
        let usage = decision::Usage::default();
        let filtered = Piece::Done {
            finish_reason: FinishReason::ContentFilter,
            usage,
        };
        check(
            &[r#"{"candidates":[{"finishReason":"SAFETY"}]}"#],
            (&[filtered], None),
        );
        check(
            &[r#"{"promptFeedback":{"blockReason":"PROHIBITED_CONTENT"}}"#],
            (&[], Some(Kind::ContentFilter)),
        );
    }

    #[test]
    fn errors_nonsense_and_floods_in_the_stream_are_errors() {
        check(
            &[r#"{"error":{"code":429,"message":"words","status":"RESOURCE_EXHAUSTED"}}"#],
            (&[], Some(Kind::RateLimited)),
        );
        check(&["{"], (&[], Some(Kind::Malformed)));
        let mut gathered = Gathered::new(0);
        let mut out = VecDeque::new();
        let call = r#"{"candidates":[{"content":{"parts":[{"functionCall":{"name":"a"}}]}}]}"#;
        for _ in 0..Heard::MAX_CALLS {
            assert_eq!(gathered.take(call, &mut out), Ok(true));
        }
        let flood = gathered.take(call, &mut out);
        assert_eq!(flood, Err(Kind::TooLarge.into()));
        let counts = r#"{"usageMetadata":{"promptTokenCount":1}}"#;
        assert_eq!(gathered.take(counts, &mut out), Ok(false));
    }

    proptest::proptest! {
        #[test]
        fn the_pieces_are_the_same_however_the_bytes_are_cut(
            places in proptest::collection::vec(0_usize..10_000, 0..40)
        ) {
            let chunks = cut(&body(EVENTS), &places);
            let found = testing::gathered(Gathered::new(0), chunks);
            proptest::prop_assert_eq!(found, (pieces(), None));
        }
    }

    #[test]
    fn the_pieces_are_the_same_at_every_byte() {
        let body = body(EVENTS);
        let bytes = body.bytes().map(|byte| vec![byte]).collect();
        assert_eq!(testing::gathered(Gathered::new(0), bytes), (pieces(), None));
    }

    #[test]
    fn fuzz() {
        crate::provider::testing::fuzz_stream("gemini", EVENTS, || Gathered::new(0));
    }
}
