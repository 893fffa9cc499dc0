//! The words of an answer as they are kept.
//!
//! Invariants: where a decision's content is redacted, so is its answer, before anything is stored.
//!
//! Not here: when (`running`), who reads them again (`repeat`).
//!
//! An answer is looked into where it ends, on the thread that serves it: one of 64 KiB takes some milliseconds.

use crate::chat::Message;
use crate::decision::{Answer, Words};
use crate::id::{DecisionId, Name};
use crate::provider::FinishReason;
use crate::redaction::Redactor;
use crate::unit::Timestamp;

/// What is kept of an answer; `None`: nothing.
pub(super) fn kept(
    words: Words,
    (decision, ended): (DecisionId, Timestamp),
    (said, finish): (&Message, FinishReason),
) -> Option<Answer> {
    let message = match words {
        Words::None => return None,
        Words::Redacted => serde_json::to_string(&Redactor::whole().kept(said)),
        Words::Whole => serde_json::to_string(said),
    };
    Some(Answer {
        decision,
        ended,
        message: message.ok()?,
        finish_reason: Name::new(finish.as_str()).ok()?,
    })
}
