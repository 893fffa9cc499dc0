//! A streamed answer with its record.
//!
//! Invariants: the last event is [`Event::Done`] or an error, and its attempt is recorded by then; a
//! provider's stream that ends without its own end is an error `cut`; dropped before, the attempt is
//! recorded as `abandoned` with what was heard so far.
//!
//! Not here: the record's contents (`running`).

use super::error::Failed;
use super::running::Running;
use crate::chat::ToolCall;
use crate::decision::Attempt;
use crate::provider::{Error, FinishReason, Kind, Piece, Pieces};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

/// What happens in a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The next characters.
    Text(String),
    /// A whole tool call.
    ToolCall(ToolCall),
    /// The end: the whole answer was sent.
    Done {
        /// Why the model stopped.
        finish_reason: FinishReason,
        /// The record of the attempt.
        attempt: Attempt,
    },
}

/// The events of one answer. Errors are the last item.
pub struct Events(BoxStream<'static, Result<Event, Failed>>);

impl Events {
    pub(super) fn new(pieces: Pieces, running: Running) -> Self {
        let upstream = Upstream { pieces, running };
        let events = stream::unfold(Some(upstream), |upstream| async {
            let mut upstream = upstream?;
            let event = upstream.next().await;
            let more = matches!(&event, Ok(Event::Text(_) | Event::ToolCall(_)));
            Some((event, more.then_some(upstream)))
        });
        Self(events.boxed())
    }
}

impl Stream for Events {
    type Item = Result<Event, Failed>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_next_unpin(cx)
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Events(..)")
    }
}

struct Upstream {
    pieces: Pieces,
    running: Running,
}

impl Upstream {
    async fn next(&mut self) -> Result<Event, Failed> {
        match self.pieces.next().await {
            Some(Ok(Piece::Text(text))) => {
                self.running.heard(text.chars().count());
                Ok(Event::Text(text))
            }
            Some(Ok(Piece::ToolCall(call))) => {
                let name = call.name.chars().count();
                self.running
                    .heard(name + call.arguments_json.chars().count());
                Ok(Event::ToolCall(call))
            }
            Some(Ok(Piece::Done {
                finish_reason,
                usage,
            })) => {
                let attempt = self.running.answered(usage).durable().await;
                Ok(Event::Done {
                    finish_reason,
                    attempt,
                })
            }
            Some(Err(error)) => Err(self.failed(error).await),
            None => Err(self.failed(Kind::Cut.into()).await),
        }
    }

    async fn failed(&mut self, error: Error) -> Failed {
        let attempt = self.running.failed(&error).durable().await;
        Failed { attempt, error }
    }
}
