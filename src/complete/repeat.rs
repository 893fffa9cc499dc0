//! What a repeat of a request id gets: the first call's end, from the record.
//!
//! Invariants: where an attempt of the decision is on record, whatever became of it, no endpoint is
//! asked again. Only a first call that left none (it ended before its attempt began, or with its
//! server) lets the repeat ask.
//!
//! Not here: waiting for a first call that is still at work (`route`, `store::turn`).

use super::error::Error;
use crate::chat::Message;
use crate::decision::{self, Attempt, Words};
use crate::provider::FinishReason;
use crate::route::Routed;
use crate::store::Store;

/// An answer given before.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) message: Message,
    pub(super) finish_reason: FinishReason,
    /// In order; the last one served.
    pub(super) attempts: Vec<Attempt>,
}

/// The answer that the first call of this request id got. `None`: this is no repeat, or nothing is
/// known to have been asked yet.
pub(super) fn given(store: &Store, routed: &Routed) -> Result<Option<Given>, Error> {
    if !routed.repeated {
        return Ok(None);
    }
    let id = routed.decision.id;
    let not_kept = Error::AnswerNotKept { decision: id };
    // Its records may be out of the window that is kept at hand; then it ended long ago.
    let Some(found) = store.find(id)? else {
        return Err(not_kept);
    };
    let mut attempts = found.attempts;
    attempts.retain(|attempt| !attempt.reported);
    let Some(last) = attempts.last() else {
        return Ok(None);
    };
    if Attempt::served(&attempts).is_none() {
        return Err(Error::FailedBefore(Box::new(last.clone())));
    }
    // What is kept with marks in it is not what was said.
    if routed.decision.words() == Words::Redacted {
        return Err(not_kept);
    }
    let (message, finish_reason) = found.answer.as_ref().and_then(read).ok_or(not_kept)?;
    Ok(Some(Given {
        message,
        finish_reason,
        attempts,
    }))
}

fn read(answer: &decision::Answer) -> Option<(Message, FinishReason)> {
    let message = serde_json::from_str(&answer.message).ok()?;
    let finish_reason = FinishReason::named(answer.finish_reason.as_str());
    Some((message, finish_reason))
}
