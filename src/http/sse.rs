//! An answer in pieces, as server-sent events of OpenAI's chunk objects.
//!
//! A first chunk has the role; then come words, thoughts and whole tool calls; then a chunk with the reason to
//! stop, one with the usage where that was asked for, and `data: [DONE]`. The last chunk before that carries
//! `bellwether`. A failure is an event `{"error": ..}` after which the connection breaks off: no `[DONE]`, no
//! clean end.
//!
//! Invariants: an event is pulled from the use case only when hyper has room for it; the first words go out as they
//! come, later events that are ready together, or one turn of the scheduler apart, go out together; dropping this drops
//! the call to the provider; nothing after the end is sent, and a source that just stops is a failure; a panic ends one
//! answer.
//!
//! Not here: whole answers (`chat_reply`), a reader that takes nothing (`socket`).

use super::body::{BrokeOff, Reply, ReplyBody};
use super::call::CallId;
use super::chat_reply::{Call, Outcome, Thought, created, stopped, tell};
use super::status::Failure;
use crate::complete::{Checked, Event, Failed, Streaming};
use crate::decision::Attempt;
use crate::id::Name;
use crate::provider::FinishReason;
use crate::route::Routed;
use crate::telemetry;
use bytes::Bytes;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use http::{HeaderValue, header};
use serde::Serialize;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::time::{Instant, Sleep, sleep_until};

/// So much goes out at once, and a little more.
const FULL: usize = 16 << 10;

/// What becomes of the answer.
type Source = BoxStream<'static, Result<Event, Failed>>;

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Beginning,
    Running,
    /// The failure is written, but perhaps not sent: hyper sends what it has while a body is pending.
    Failing,
    Failed,
    Ended,
}

/// An answer in pieces.
pub(super) struct Sse {
    call: CallId,
    routed: Routed,
    /// The beginning of every chunk.
    opening: String,
    include_usage: bool,
    tool_calls: usize,
    source: Option<Source>,
    deadline: Pin<Box<Sleep>>,
    state: State,
    /// What has waited a turn for more to go out with it.
    out: Vec<u8>,
    /// Whether anything of the answer has gone out.
    said: bool,
}

#[derive(Default, Serialize)]
struct Delta<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_details: Option<[Thought<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_calls: Option<[Call<'a>; 1]>,
}

/// The reply to a call that asked for an answer in pieces.
pub(super) fn reply(
    call: CallId,
    streaming: Streaming,
    include_usage: bool,
    deadline: Instant,
) -> Reply {
    let Streaming {
        routed,
        endpoint,
        failed,
        events,
    } = streaming;
    let served = (&endpoint.arm, &endpoint.name);
    let mut head = http::HeaderMap::new();
    tell(&mut head, &routed, served, failed.len() + 1);
    for (name, value) in [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-cache"),
    ] {
        head.insert(name, HeaderValue::from_static(value));
    }
    // Proxies that would gather the answer before they pass it on.
    head.insert("x-accel-buffering", HeaderValue::from_static("no"));
    let events = Sse::new(
        call,
        routed,
        &endpoint.arm,
        include_usage,
        events.boxed(),
        deadline,
    );
    let mut reply = Reply::new(ReplyBody::Events(Box::new(events)));
    *reply.headers_mut() = head;
    reply
}

impl Sse {
    fn new(
        call: CallId,
        routed: Routed,
        arm: &Name,
        include_usage: bool,
        source: Source,
        deadline: Instant,
    ) -> Self {
        let model = serde_json::to_string(arm.as_str()).unwrap_or_default();
        let (id, created) = (routed.decision.id, created(&routed));
        let opening = format!(
            "data: {{\"id\":\"chatcmpl-{id}\",\"object\":\"chat.completion.chunk\",\"created\":{created},\"model\":{model}"
        );
        Self {
            call,
            routed,
            opening,
            include_usage,
            tool_calls: 0,
            source: Some(source),
            deadline: Box::pin(sleep_until(deadline)),
            state: State::Beginning,
            out: Vec::new(),
            said: false,
        }
    }

    /// The next bytes; what is logged on the way is of the call.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokeOff>>> {
        telemetry::within_call(self.call, || self.polled(cx))
    }

    fn polled(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, BrokeOff>>> {
        match self.state {
            State::Beginning | State::Running => self.gather(cx).map(|bytes| Some(Ok(bytes))),
            State::Failing => {
                self.state = State::Failed;
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            State::Failed => {
                self.state = State::Ended;
                Poll::Ready(Some(Err(BrokeOff)))
            }
            State::Ended => Poll::Ready(None),
        }
    }

    /// All that is ready. What comes after the first words waits one turn of the scheduler for more: a provider's
    /// bytes that are here already are handed over event by event, each by a turn of the connection's own task, and
    /// a write for each is most of what a stream costs.
    fn gather(&mut self, cx: &mut Context<'_>) -> Poll<Bytes> {
        let mut out = std::mem::take(&mut self.out);
        if self.state == State::Beginning {
            self.state = State::Running;
            let delta = Delta {
                role: Some("assistant"),
                content: Some(""),
                ..Delta::default()
            };
            self.chunk(&mut out, &delta);
        }
        let had = out.len();
        while self.state == State::Running && out.len() < FULL {
            let Poll::Ready(next) = self.next(cx) else {
                break;
            };
            match next {
                Ok(event) => self.event(&mut out, event),
                Err(failure) => self.fail(&mut out, &failure),
            }
        }
        if self.state != State::Running {
            self.source = None;
        }
        let news = out.len() > had;
        let said = self.said || news;
        let had_said = std::mem::replace(&mut self.said, said);
        if news && had_said && self.state == State::Running && out.len() < FULL {
            self.out = out;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        if out.is_empty() {
            return Poll::Pending;
        }
        Poll::Ready(out.into())
    }

    fn next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Event, Failure>> {
        let stopped = || Failure::Internal("a stream stopped without its end".to_owned());
        let Some(source) = self.source.as_mut() else {
            return Poll::Ready(Err(stopped()));
        };
        let polled = catch_unwind(AssertUnwindSafe(|| source.as_mut().poll_next(cx)));
        match polled {
            Ok(Poll::Ready(Some(Ok(event)))) => Poll::Ready(Ok(event)),
            Ok(Poll::Ready(Some(Err(failed)))) => Poll::Ready(Err(failed.into())),
            Ok(Poll::Ready(None)) => Poll::Ready(Err(stopped())),
            Ok(Poll::Pending) => {
                let late = self.deadline.as_mut().poll(cx);
                late.map(|()| Err(Failure::DeadlineExceeded))
            }
            Err(panic) => Poll::Ready(Err(super::routes::panicked(&*panic))),
        }
    }

    fn event(&mut self, out: &mut Vec<u8>, event: Event) {
        match event {
            Event::Text(text) => {
                let content = Some(text.as_str());
                self.chunk(
                    out,
                    &Delta {
                        content,
                        ..Delta::default()
                    },
                );
            }
            Event::Reasoning(thought) => {
                let signed = thought.signature.is_some();
                let delta = Delta {
                    reasoning_content: Some(thought.text.as_str()),
                    reasoning_details: signed.then(|| [Thought::of(&thought)]),
                    ..Delta::default()
                };
                self.chunk(out, &delta);
            }
            Event::ToolCall(call) => {
                let tool_calls = Some([Call::of(&call, Some(self.tool_calls))]);
                self.tool_calls += 1;
                self.chunk(
                    out,
                    &Delta {
                        tool_calls,
                        ..Delta::default()
                    },
                );
            }
            Event::Done {
                finish_reason,
                attempts,
                checks,
            } => self.done(out, finish_reason, &attempts, &checks),
        }
    }

    /// One chunk that is not the last.
    fn chunk(&self, out: &mut Vec<u8>, delta: &Delta<'_>) {
        self.choice(out, delta, "null");
        self.no_usage(out);
        out.extend_from_slice(b"}\n\n");
    }

    /// A chunk but for its end.
    fn choice(&self, out: &mut Vec<u8>, delta: &Delta<'_>, reason: &str) {
        out.extend_from_slice(self.opening.as_bytes());
        out.extend_from_slice(b",\"choices\":[{\"index\":0,\"delta\":");
        write(out, delta);
        out.extend_from_slice(b",\"logprobs\":null,\"finish_reason\":");
        out.extend_from_slice(reason.as_bytes());
        out.extend_from_slice(b"}]");
    }

    /// Where the usage comes at the end, every chunk before says that it is not there yet.
    fn no_usage(&self, out: &mut Vec<u8>) {
        if self.include_usage {
            out.extend_from_slice(b",\"usage\":null");
        }
    }

    fn done(
        &mut self,
        out: &mut Vec<u8>,
        finish_reason: FinishReason,
        attempts: &[Attempt],
        checks: &[Checked],
    ) {
        self.state = State::Ended;
        let outcome = Outcome {
            routed: &self.routed,
            finish_reason,
            attempts,
            checks,
            repaired: false,
        };
        self.choice(
            out,
            &Delta::default(),
            &format!("\"{}\"", stopped(finish_reason)),
        );
        if self.include_usage {
            self.no_usage(out);
            out.extend_from_slice(b"}\n\n");
            out.extend_from_slice(self.opening.as_bytes());
            out.extend_from_slice(b",\"choices\":[],\"usage\":");
            write(out, &outcome.usage());
        }
        out.extend_from_slice(b",\"bellwether\":");
        write(out, &outcome.more());
        out.extend_from_slice(b"}\n\ndata: [DONE]\n\n");
    }

    fn fail(&mut self, out: &mut Vec<u8>, failure: &Failure) {
        self.state = State::Failing;
        failure.log(self.call);
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(&failure.json(self.call));
        out.extend_from_slice(b"\n\n");
    }
}

/// Nothing in these types can fail to be written.
fn write(out: &mut Vec<u8>, value: &impl Serialize) {
    let _ = serde_json::to_writer(out, value);
}

impl Drop for Sse {
    fn drop(&mut self) {
        let source = self.source.take();
        telemetry::within_call(self.call, || drop(source));
    }
}

impl fmt::Debug for Sse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sse({:?})", self.state)
    }
}

#[cfg(test)]
mod tests;
