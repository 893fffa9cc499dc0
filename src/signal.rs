//! Signals: what really happened, as a team reports it.
//!
//! Invariants: a number is finite; a comment is at most [`Value::MAX_COMMENT_BYTES`]; a retraction carries no value;
//! a guard's margin is 0 to 0.5.
//!
//! Not here: what a value is worth (`scorecard`), what is learned from it (`learn`).

use crate::id::{DecisionId, Name};
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

/// The value of a signal.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// Yes or no.
    Flag(bool),
    /// A finite number in the signal's own unit.
    Number(f64),
    /// Words; kept, never learned from.
    Comment(String),
}

impl Value {
    /// Most bytes of a comment.
    pub const MAX_COMMENT_BYTES: usize = 8192;
}

/// What a signal is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Subject {
    /// One decision.
    Decision(DecisionId),
    /// Every draw of an episode: an episode's signal belongs to every decision drawn for the episode,
    /// whichever came first, and so does its closing. A decision that inherited its arm is its draw's
    /// shadow: the learner learns the draw once, and `replay` hangs the shadow's outcome on the draw.
    /// Of two values, one for the decision and one for its episode, the later one received counts.
    Episode(Name),
}

/// What an event does to the value known so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Change {
    /// A new observation. A second one of the same name replaces the first.
    Observed(Value),
    /// Replaces what was given before.
    Corrected(Value),
    /// Withdraws what was given before.
    Retracted,
}

/// Who or what judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evaluator {
    /// Its name.
    pub name: Name,
    /// Its version; may be empty.
    pub version: String,
}

impl Evaluator {
    /// Most bytes of a version.
    pub const MAX_VERSION_BYTES: usize = 128;
}

/// One item of feedback as the journal keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feedback {
    /// The team it came from.
    pub team: Name,
    /// What it is about.
    pub subject: Subject,
    /// Named changes, each name once.
    pub signals: Vec<(Name, Change)>,
    /// When the outcome was seen.
    pub observed: Timestamp,
    /// When it arrived.
    pub received: Timestamp,
    /// Who judged.
    pub evaluator: Option<Evaluator>,
    /// Idempotency key, if the caller gave one.
    pub request_id: Option<Name>,
    /// Hash of the content, to tell a repeat from another body.
    pub body_hash: u64,
}

impl Feedback {
    /// Most signals of one item.
    pub const MAX_SIGNALS: usize = 64;

    /// Most items of one call.
    pub const MAX_BATCH: usize = 1000;
}

/// A signal in which the router may not be worse than the team's baseline by more than a margin.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Guard {
    /// The signal.
    pub signal: Name,
    /// By how much it may be worse, on the scale from 0 worst to 1 best.
    pub margin: f64,
}

impl Guard {
    /// The margin of a guard that names none (SCIENCE 2.7).
    pub const MARGIN: f64 = 0.02;

    /// The largest margin: half of the scale.
    pub const WIDEST: f64 = 0.5;

    /// Whether the margin is in range.
    pub fn is_whole(&self) -> bool {
        (0.0..=Self::WIDEST).contains(&self.margin)
    }
}
