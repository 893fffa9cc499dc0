//! Who is told of each call, attempt and item of feedback by itself, where the metrics only count.
//!
//! Invariants: a witness never keeps its teller waiting and never fails; a span that was begun is ended once, after
//! the attempts of its call.
//!
//! Not here: the witness that sends over OTLP (`otlp`), who tells (`route`, `complete`, `learn::Intake`, by way of
//! [`Metrics`](super::Metrics) and [`Underway`](super::Underway)).

use super::call::{Method, Outcome};
use super::current::Call;
use crate::decision::{Attempt, Decision};
use crate::id::Name;
use crate::signal::Feedback;
use crate::unit::Timestamp;
use std::fmt;
use std::sync::Arc;

/// A call as a part of a trace.
#[derive(Debug, Clone)]
pub struct Span {
    /// The trace.
    pub trace: u128,
    /// Its own id within the trace.
    pub id: u64,
    /// The caller's span that it is a part of.
    pub parent: Option<u64>,
    /// When it began.
    pub began: Timestamp,
    /// What is called.
    pub method: Method,
    /// For whom.
    pub team: Name,
    /// The call, as the log names it.
    pub call: Option<Call>,
    /// Its decision, once there is one.
    pub decision: Option<Arc<Decision>>,
}

/// How an attempt went, beside its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct End {
    /// Whether the answer was asked for in pieces.
    pub streamed: bool,
    /// Why the model stopped, in the contract's word; `None`: it did not come to that.
    pub finish: Option<&'static str>,
}

/// What was told to a witness and is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Lost {
    /// Spans.
    pub spans: u64,
    /// Events.
    pub events: u64,
}

/// Is told of each call, attempt and item of feedback.
pub trait Witness: fmt::Debug + Send + Sync {
    /// A call has come; `None`: its trace is not recorded.
    fn begin(&self, method: Method, team: &Name, call: Option<Call>) -> Option<Span>;

    /// The span's call has a decision: attempts and feedback of that decision are its own from now on.
    fn decided(&self, span: &Span);

    /// An attempt has ended.
    fn attempt(&self, attempt: &Attempt, end: End);

    /// The span's call has ended.
    fn ended(&self, span: &Span, outcome: Outcome);

    /// An item of feedback was kept.
    fn feedback(&self, item: &Feedback);

    /// What was lost so far.
    fn lost(&self) -> Lost;
}
