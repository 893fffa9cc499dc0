//! The store: the journal and what is looked up in it, as one thing.
//!
//! Invariants: a record is in the index before [`Store::append`] returns; the index after a restart
//! answers as it did before; a request id is worked on once.
//!
//! Not here: checkpoints and imported versions, which have their own lives (`checkpoint`, `keyed`).

use super::Error;
use super::disk::Disk;
use super::index::{self, Index};
use super::journal::{self, Journal, Position, Reader, Recovery};
use super::record::Record;
use super::turn::{Claim, Key, Taken, Turn, Turns};
use crate::decision::{Answer, Attempt, Decision};
use crate::id::{DecisionId, Name};
use crate::signal::Feedback;
use crate::unit::Timestamp;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// How to keep the store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The journal.
    pub journal: journal::Settings,
    /// What is looked up.
    pub index: index::Settings,
}

/// The journal and its index.
#[derive(Debug)]
pub struct Store {
    journal: Journal,
    index: RwLock<Index>,
    turns: Turns,
}

/// A decision and all that followed, in journal order.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The decision.
    pub decision: Box<Decision>,
    /// Tries at endpoints.
    pub attempts: Vec<Attempt>,
    /// What the model said, where the team records content.
    pub answer: Option<Answer>,
    /// Feedback about the decision or its episode, from the decision's team only.
    pub feedback: Vec<Feedback>,
}

impl Store {
    /// Opens the store on `disk`; reads the whole journal once.
    pub fn open(
        disk: Arc<dyn Disk>,
        settings: Settings,
        now: Timestamp,
    ) -> Result<(Self, Recovery), Error> {
        Self::open_with(disk, settings, now, &mut |_, _| {})
    }

    /// As [`Store::open`], showing each record to `visit` on the way.
    pub fn open_with(
        disk: Arc<dyn Disk>,
        settings: Settings,
        now: Timestamp,
        visit: &mut dyn FnMut(Position, &Record),
    ) -> Result<(Self, Recovery), Error> {
        let mut index = Index::new(settings.index);
        let (journal, recovery) =
            Journal::open(disk, settings.journal, now, &mut |position, record| {
                index.apply(position, &record);
                visit(position, &record);
            })?;
        let store = Self {
            journal,
            index: RwLock::new(index),
            turns: Turns::default(),
        };
        Ok((store, recovery))
    }

    /// Appends a record and indexes it. See [`Journal::append`].
    pub fn append(&self, record: &Record) -> Result<Position, Error> {
        let position = self.journal.append(record)?;
        self.index
            .write()
            .unwrap_or_else(PoisonError::into_inner)
            .apply(position, record);
        Ok(position)
    }

    /// Appends a record, indexes it and waits until it counts as done. Dropping the future does not
    /// undo the append.
    pub async fn commit(&self, record: &Record) -> Result<Position, Error> {
        let position = self.append(record)?;
        self.journal.durable(position.sequence).await?;
        Ok(position)
    }

    /// The journal, for reading and for waiting.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// What is looked up by key. Hold it briefly: appenders wait for it.
    pub fn index(&self) -> RwLockReadGuard<'_, Index> {
        self.index.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Reads on from record `from` (1 is the first).
    pub fn reader(&self, from: u64) -> Reader {
        self.journal.reader(from)
    }

    /// Finds out what a request id is, waiting for the call that is at work on it, if any.
    pub async fn claim(&self, team: &Name, id: &Name, body_hash: u64) -> Result<Claim, Error> {
        let key = Key::Request(team.clone(), id.clone());
        let turn = loop {
            match self.turns.take(key.clone(), body_hash) {
                Taken::Yours(turn) => break turn,
                Taken::Busy {
                    body_hash: other, ..
                } if other != body_hash => {
                    return Ok(Claim::Conflict);
                }
                Taken::Busy { wait, .. } => wait.over().await,
            }
        };
        let Some(known) = self.index().request(team, id) else {
            return Ok(Claim::New(turn));
        };
        if known.body_hash != body_hash {
            return Ok(Claim::Conflict);
        }
        // Its own call may have been dropped before it learned that the record is on disk.
        self.journal.durable(known.position.sequence).await?;
        Ok(Claim::Known(known, turn))
    }

    /// Waits for the turn to draw for (episode, task). With it, look up
    /// [`Index::draw`], draw if there is none, commit, and drop the turn.
    pub async fn draw_turn(&self, team: &Name, episode: &Name, task: Option<&Name>) -> Turn {
        let key = Key::Draw(team.clone(), episode.clone(), task.cloned());
        self.turn(key).await
    }

    /// Waits for the turn to file feedback with this content. With it, look whether the index has
    /// it, commit if not, and drop the turn.
    pub async fn content_turn(&self, team: &Name, body_hash: u64) -> Turn {
        self.turn(Key::Content(team.clone(), body_hash)).await
    }

    async fn turn(&self, key: Key) -> Turn {
        loop {
            match self.turns.take(key.clone(), 0) {
                Taken::Yours(turn) => return turn,
                Taken::Busy { wait, .. } => wait.over().await,
            }
        }
    }

    /// A decision with all that followed; `None` if it is unknown or out of the index.
    pub fn find(&self, id: DecisionId) -> Result<Option<Found>, Error> {
        let (decision, rest) = {
            let index = self.index();
            let Some(indexed) = index.decision(id) else {
                return Ok(None);
            };
            let Some(decision) = indexed.decision else {
                return Ok(None);
            };
            (decision, index.records_about(id))
        };
        let Record::Decision(decision) = self.journal.at(decision)? else {
            return Err(Error::NoRecord {
                sequence: decision.sequence,
            });
        };
        let mut found = Found {
            decision,
            attempts: Vec::new(),
            answer: None,
            feedback: Vec::new(),
        };
        for position in rest {
            match self.journal.at(position)? {
                Record::Attempt { team, attempt } if team == found.decision.team => {
                    found.attempts.push(attempt);
                }
                Record::Answer { team, answer } if team == found.decision.team => {
                    found.answer = Some(answer);
                }
                Record::Feedback(feedback) if feedback.team == found.decision.team => {
                    found.feedback.push(feedback);
                }
                // Sent by another team before the decision was visible.
                _ => {}
            }
        }
        Ok(Some(found))
    }

    /// Syncs what is left and ends.
    pub fn close(self) -> Result<(), Error> {
        self.journal.close()
    }
}
