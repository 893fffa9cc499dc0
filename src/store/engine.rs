//! The store: the journal and what is looked up in it, as one thing.
//!
//! Invariants: a record is in the index before [`Store::append`] returns; the index after a restart
//! answers as it did before; a request id is worked on once.
//!
//! Not here: what is looked up (`look`), checkpoints and imported versions, which have their own lives
//! (`checkpoint`, `keyed`).

use super::Error;
use super::digest::Digest;
use super::disk::Disk;
use super::filing::Filing;
use super::index::{self, Index};
use super::journal::{self, Journal, Position, Reader, Recovery, Start};
use super::record::{Control, Record};
use super::turn::{Claim, Key, Taken, Turn, Turns};
use crate::id::Name;
use crate::unit::Timestamp;
use std::sync::Arc;

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
    // In the order in which they end: the files that are being written wait for the journal.
    journal: Journal,
    filing: Filing,
    pub(super) index: Arc<Index>,
    turns: Turns,
}

impl Store {
    /// Opens the store on `disk`; reads what is in no file of the index.
    pub fn open(
        disk: Arc<dyn Disk>,
        settings: Settings,
        now: Timestamp,
    ) -> Result<(Self, Recovery), Error> {
        Self::open_with(disk, settings, now, Box::new(()))
    }

    /// As [`Store::open`], keeping `digest` with the index: it goes on from the newest file, if it can, and else is
    /// shown the whole journal.
    pub fn open_with(
        disk: Arc<dyn Disk>,
        settings: Settings,
        now: Timestamp,
        digest: Box<dyn Digest>,
    ) -> Result<(Self, Recovery), Error> {
        let index = Index::open(Arc::clone(&disk), settings.index, digest)?;
        let known = index.known();
        let start = Start {
            known: known.as_ref(),
            all: !index.has_digest(),
        };
        let mut failed = None;
        let mut show = |footprint, record: Option<Record>| {
            // What is shown here is on disk.
            if index.take(footprint, record.as_ref()) {
                failed = index.write_file().err();
            }
        };
        let opened = Journal::open_after(disk, settings.journal, start, now, &mut show);
        let (journal, recovery) = opened?;
        if let Some(error) = failed {
            tracing::warn!(%error, "a file of the index was not written: it is tried again with the next");
        }
        let store = Self {
            journal,
            filing: Filing::default(),
            index: Arc::new(index),
            turns: Turns::default(),
        };
        Ok((store, recovery))
    }

    /// Appends a record and indexes it. See [`Journal::append`].
    pub fn append(&self, record: &Record) -> Result<Position, Error> {
        let mut full = false;
        let position = self.journal.append_and(record, |footprint| {
            full = self.index.take(footprint, Some(record))
        })?;
        if full {
            self.filing.start(&self.index, self.journal.on_disk_wait());
        }
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

    /// Reads on from record `from` (1 is the first).
    pub fn reader(&self, from: u64) -> Reader {
        self.journal.reader_near(from, self.index.mark(from))
    }

    /// Where to read from to meet all records of `time` and later that are still looked up: at the grain of the
    /// index's files.
    pub fn since(&self, time: Timestamp) -> u64 {
        self.index.since(time)
    }

    /// A team's pin and freeze.
    pub fn control(&self, team: &Name) -> Control {
        self.index.control(team)
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
        let Some(known) = self.request(team, id)? else {
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
    /// [`Store::draw`], draw if there is none, commit, and drop the turn.
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

    /// Syncs what is left and ends.
    pub fn close(self) -> Result<(), Error> {
        self.journal.close()
    }
}
