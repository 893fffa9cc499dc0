//! A streamed answer with its record.
//!
//! Invariants: the last event is [`Event::Done`] or an error, and its attempt is recorded by then; a
//! provider's stream that ends without its own end is an error `cut`; dropped before, the attempt is
//! recorded as `abandoned` with what was heard so far. A repeat of the request id waits until then.
//!
//! Not here: the record's contents (`running`).

use super::answering::Checked;
use super::checking::{Checking, OwnStandard};
use super::error::Failed;
use super::repeat::Given;
use super::running::Running;
use crate::chat::{ContentPart, Reasoning, ToolCall};
use crate::decision::{Attempt, Usage};
use crate::id::DecisionId;
use crate::provider::{Error, FinishReason, Kind, Piece, Pieces};
use crate::store::Turn;
use crate::telemetry::{Outcome, Underway};
use futures_util::stream::{self, BoxStream};
use futures_util::{Stream, StreamExt};
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

/// What happens in a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The next characters.
    Text(String),
    /// A whole tool call.
    ToolCall(ToolCall),
    /// What the model thinks.
    Reasoning(Reasoning),
    /// The end: the whole answer was sent.
    Done {
        /// Why the model stopped.
        finish_reason: FinishReason,
        /// The records of the attempts, in order; the last one served.
        attempts: Vec<Attempt>,
        /// What was checked of the answer.
        checks: Vec<Checked>,
    },
}

/// An answer whose first piece has come.
pub struct Opening {
    pub(super) first: Piece,
    pub(super) pieces: Pieces,
    pub(super) running: Running,
}

/// Who looks at a streamed answer when it has ended.
#[derive(Debug)]
pub(super) struct Watch {
    pub(super) checking: Arc<Checking>,
    pub(super) standard: OwnStandard,
    pub(super) decision: DecisionId,
    /// Whether it is the chosen arm that answers.
    pub(super) chosen: bool,
}

/// The events of one answer. Errors are the last item.
pub struct Events(BoxStream<'static, Result<Event, Failed>>);

impl Events {
    /// Of an answer that has begun, after attempts that `failed`. `turn` is
    /// kept until the end is on record, as is the call.
    pub(super) fn new(
        opening: Opening,
        failed: Vec<Attempt>,
        watch: Option<Watch>,
        (turn, call): (Option<Turn>, Option<Underway>),
    ) -> Self {
        let upstream = Upstream {
            first: Some(opening.first),
            pieces: opening.pieces,
            running: opening.running,
            failed,
            watch,
            call,
            _turn: turn,
        };
        let events = stream::unfold(Some(upstream), |upstream| async {
            let mut upstream = upstream?;
            let event = upstream.next().await;
            let more = matches!(&event, Ok(event) if !matches!(event, Event::Done { .. }));
            Some((event, more.then_some(upstream)))
        });
        Self(events.boxed())
    }

    /// An answer that was given before, once more.
    pub(super) fn again(given: Given) -> Self {
        let texts = given
            .message
            .content
            .into_iter()
            .filter_map(|part| match part {
                ContentPart::Text(text) => Some(Event::Text(text)),
                ContentPart::Reasoning(thought) => Some(Event::Reasoning(thought)),
                // No model streams one.
                _ => None,
            });
        let calls = given.message.tool_calls.into_iter().map(Event::ToolCall);
        let done = Event::Done {
            finish_reason: given.finish_reason,
            attempts: given.attempts,
            checks: Vec::new(),
        };
        let events: Vec<_> = texts.chain(calls).chain([done]).map(Ok).collect();
        Self(stream::iter(events).boxed())
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

impl fmt::Debug for Opening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Opening(..)")
    }
}

struct Upstream {
    first: Option<Piece>,
    pieces: Pieces,
    running: Running,
    /// Attempts before this one.
    failed: Vec<Attempt>,
    watch: Option<Watch>,
    call: Option<Underway>,
    /// Dropped after `running`, which has recorded by then.
    _turn: Option<Turn>,
}

impl Upstream {
    async fn next(&mut self) -> Result<Event, Failed> {
        loop {
            match self.piece().await {
                Some(Ok(Piece::Text(text))) => return Ok(Event::Text(text)),
                Some(Ok(Piece::ToolCall(call))) => return Ok(Event::ToolCall(call)),
                Some(Ok(Piece::Reasoning(thought))) => return Ok(Event::Reasoning(thought)),
                // No event of the caller's: the record has it.
                Some(Ok(Piece::Told(_))) => {}
                Some(Ok(Piece::Done {
                    finish_reason,
                    usage,
                })) => return Ok(self.done(finish_reason, usage).await),
                Some(Err(error)) => return Err(self.failed(error).await),
                None => return Err(self.failed(Kind::Cut.into()).await),
            }
        }
    }

    /// The next piece, which has been heard.
    async fn piece(&mut self) -> Option<Result<Piece, Error>> {
        if let Some(first) = self.first.take() {
            return Some(Ok(first));
        }
        self.running.waits(true);
        let next = self.pieces.next().await;
        self.running.waits(false);
        if let Some(Ok(piece)) = &next {
            self.running.piece(piece);
        }
        next
    }

    async fn done(&mut self, finish_reason: FinishReason, usage: Usage) -> Event {
        let elapsed = self.running.elapsed();
        let ended = self.running.answered(usage, finish_reason);
        let served = ended.durable().await;
        let checks = self.checked(finish_reason).await;
        let attempts = self.attempts(served);
        if let Some(call) = &mut self.call {
            call.answered(&attempts);
            call.read(&attempts, elapsed);
        }
        Event::Done {
            finish_reason,
            attempts,
            checks,
        }
    }

    async fn failed(&mut self, error: Error) -> Failed {
        let last = self.running.failed(&error).durable().await;
        let attempts = self.attempts(last);
        if let Some(call) = &mut self.call {
            call.end(Outcome::AllAttemptsFailed);
        }
        Failed { attempts, error }
    }

    /// What the checks find of the whole.
    async fn checked(&mut self, finish: FinishReason) -> Vec<Checked> {
        let (Some(watch), Some(words)) = (self.watch.take(), self.running.heard.words()) else {
            return Vec::new();
        };
        let standard = watch.standard.borrowed();
        let found = watch.checking.judge(standard, words, finish);
        if let Some(call) = &self.call {
            found.count(call);
        }
        if watch.chosen {
            let (team, id) = (standard.team, watch.decision);
            watch.checking.report(team, id, &found).await;
        }
        found.checks
    }

    fn attempts(&mut self, last: Attempt) -> Vec<Attempt> {
        let mut attempts = std::mem::take(&mut self.failed);
        attempts.push(last);
        attempts
    }
}
