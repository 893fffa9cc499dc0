//! Turns: of several calls about one thing at the same time, one works and the others wait.
//!
//! Three things need it. A request id: a repeat that comes while the first call is still at work must
//! get the first one's answer. The draw of an (episode, task), which happens once. And feedback
//! without a request id, of which equal content is kept once.
//!
//! Invariants: at most one [`Turn`] a key; a turn that is dropped, for whatever reason, wakes all
//! who wait; a waiter looks at the index only after the turn ended, so that it never acts on a
//! record that its writer has not yet been told is durable.
//!
//! Not here: what is known of a request id (`index`).

use super::look::Asked;
use crate::id::Name;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// What a request id turned out to be.
#[derive(Debug)]
pub enum Claim {
    /// New. Hold the turn until all that the id stands for is committed, then drop it.
    New(Turn),
    /// A repeat of this record, which is durable. Hold the turn only where the first call may have
    /// left something to do.
    Known(Asked, Turn),
    /// Used before with another body.
    Conflict,
}

/// What a turn is for.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Key {
    Request(Name, Name),
    Draw(Name, Name, Option<Name>),
    Content(Name, u64),
}

/// The right to work on one key; ends when dropped.
#[derive(Debug)]
pub struct Turn {
    turns: Turns,
    key: Key,
}

/// Keys at work. Clones are the same set.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<Mutex<HashMap<Key, Working>>>);

#[derive(Debug)]
struct Working {
    body_hash: u64,
    /// Dropped with the turn, which is what the receivers wait for. Made by the first who waits.
    done: Option<watch::Sender<()>>,
}

/// How an attempt to take a turn ended.
pub(super) enum Taken {
    Yours(Turn),
    /// Somebody is at work on it, with this body.
    Busy {
        body_hash: u64,
        wait: Wait,
    },
}

/// Ends when the turn of another ended.
pub(super) struct Wait(watch::Receiver<()>);

impl Wait {
    pub(super) async fn over(mut self) {
        // Nothing is ever sent: an error means that the sender is gone, which is the signal.
        while self.0.changed().await.is_ok() {}
    }
}

impl Turns {
    fn working(&self) -> MutexGuard<'_, HashMap<Key, Working>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the turn of `key` if nobody has it.
    pub(super) fn take(&self, key: Key, body_hash: u64) -> Taken {
        let mut working = self.working();
        if let Some(other) = working.get_mut(&key) {
            let done = other.done.get_or_insert_with(|| watch::Sender::new(()));
            return Taken::Busy {
                body_hash: other.body_hash,
                wait: Wait(done.subscribe()),
            };
        }
        let mine = Working {
            body_hash,
            done: None,
        };
        working.insert(key.clone(), mine);
        let turns = self.clone();
        Taken::Yours(Turn { turns, key })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.turns.working().remove(&self.key);
    }
}
