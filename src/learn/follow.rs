//! Following the journal: reads what is new, learns it, publishes a snapshot, writes checkpoints.
//!
//! Invariants: records are applied once and in order: where one cannot be read, or a decision that it
//! speaks of, the follower stays before it and the next try goes on from there. Damage that no later try
//! mends does not hold up the rest: a record that does not decode is passed over, and a decision that is
//! damaged teaches nothing more; both are told and counted, and the same at each rebuild for as long as
//! the damage is there. A checkpoint that does not fit the parameters, or is not whole, is set aside, the
//! one before serves, or nothing does, and what it lacks is learned from the journal to the same bits.
//! So it is where a page of open decisions turns out to be damaged, at once: the checkpoints that speak of its file
//! are set aside, and the last snapshot stays in force until what it knew has been learned again.
//! Until then snapshots are as old as their version says, but for the operator's pin and freeze, which
//! are always the newest. A checkpoint that only cannot be read now is passed over: it and its pages stay.
//!
//! Not here: what a record teaches (`learner`), what a checkpoint holds (`shelves`), the bytes (`store`), whether
//! decisions wait (`server`).

use super::learner::{Learner, Params};
use super::recalled::{Recalled, Recent};
use super::shelves::{self, Shelves};
use super::snapshot::Snapshot;
use super::team::Touched;
use crate::id::Name;
use crate::store::{self, Checkpoints, Position, Reader, Record, Store};
use arc_swap::{ArcSwap, Guard};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use tokio::sync::watch;

/// Records learned between two publications at most.
const BATCH: usize = 256;

/// Records between two checkpoints, at least.
const CHECKPOINT_EVERY: u64 = 16_384;

/// Most bytes of a checkpoint, its pages not counted, for each record since the one before.
const CHECKPOINT_SHARE: u64 = 256;

/// The snapshot in force.
#[derive(Debug)]
pub struct Published {
    snapshot: ArcSwap<Snapshot>,
    version: watch::Sender<u64>,
    /// Held by whoever makes the next one.
    making: Mutex<()>,
}

impl Default for Published {
    fn default() -> Self {
        Self {
            snapshot: ArcSwap::default(),
            version: watch::Sender::new(0),
            making: Mutex::default(),
        }
    }
}

impl Published {
    /// The snapshot; hold it no longer than a request.
    pub fn load(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }

    /// Waits until a snapshot has learned up to `sequence`.
    pub async fn reached(&self, sequence: u64) {
        let mut version = self.version.subscribe();
        // The sender lives as long as self: waiting cannot fail.
        let _ = version.wait_for(|v| *v >= sequence).await;
    }

    /// Puts the newest controls of the store in force at once, however far the learner is behind.
    pub(super) fn control(&self, store: &Store) {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let snapshot = Snapshot::clone(&self.snapshot.load());
        self.swap(snapshot, store);
    }

    fn publish(&self, snapshot: Snapshot, store: &Store) {
        let _making = self.making.lock().unwrap_or_else(PoisonError::into_inner);
        let version = snapshot.version;
        self.swap(snapshot, store);
        self.version.send_replace(version);
    }

    /// The controls are read while no other snapshot can be made: an older one never comes after a newer.
    fn swap(&self, mut snapshot: Snapshot, store: &Store) {
        for (name, team) in &mut snapshot.teams {
            let control = store.control(name);
            if team.control != control {
                Arc::make_mut(team).control = control;
            }
        }
        self.snapshot.store(Arc::new(snapshot));
    }
}

/// The learner's place in the journal.
#[derive(Debug)]
pub struct Follower {
    store: Arc<Store>,
    checkpoints: Checkpoints,
    shelves: Shelves,
    params: Arc<Params>,
    learner: Learner,
    reader: Reader,
    published: Arc<Published>,
    /// Up to where there is a checkpoint, or it was put off.
    checkpointed: u64,
    /// Records from there to the next.
    spacing: u64,
    /// Read and not learned yet.
    batch: Vec<(Position, Record)>,
    recent: Recent,
    /// Times that a damaged decision, or page of them, was asked for.
    lost: AtomicU64,
    /// What was learned is learned again, and published from this sequence on.
    again: Option<u64>,
}

impl Follower {
    /// Starts from the newest checkpoint that fits, or from nothing: in either case at once, with what
    /// that has learned published.
    pub fn open(store: Arc<Store>, checkpoints: Checkpoints, params: Arc<Params>) -> Self {
        let (learner, shelves) = shelves::restored(&store, &checkpoints, &params, None);
        let learner = learner.unwrap_or_else(|| Learner::new(&params));
        Self::start(store, checkpoints, params, (learner, shelves))
    }

    /// Starts from nothing, to rebuild from the journal alone.
    pub fn from_scratch(store: Arc<Store>, checkpoints: Checkpoints, params: Arc<Params>) -> Self {
        let (learner, shelves) = (Learner::new(&params), Shelves::new(checkpoints.pages()));
        Self::start(store, checkpoints, params, (learner, shelves))
    }

    fn start(
        store: Arc<Store>,
        checkpoints: Checkpoints,
        params: Arc<Params>,
        (learner, shelves): (Learner, Shelves),
    ) -> Self {
        let reader = store.reader(learner.sequence() + 1);
        let checkpointed = learner.sequence();
        let published = Arc::default();
        let batch = Vec::with_capacity(BATCH);
        let mut follower = Self {
            store,
            checkpoints,
            shelves,
            params,
            learner,
            reader,
            published,
            checkpointed,
            spacing: CHECKPOINT_EVERY,
            batch,
            recent: Recent::default(),
            lost: AtomicU64::new(0),
            again: None,
        };
        follower.publish(&BTreeMap::new());
        follower
    }

    /// Keeps so many decisions at hand; with 0 every one is read from the journal.
    #[cfg(test)]
    pub(super) fn recall_at_most(&mut self, decisions: usize) {
        self.recent = Recent::at_most(decisions);
    }

    /// Where snapshots appear.
    pub fn published(&self) -> Arc<Published> {
        Arc::clone(&self.published)
    }

    /// The learner as it stands.
    pub fn learner(&self) -> &Learner {
        &self.learner
    }

    /// Learns everything written so far, publishing batch by batch. Returns how many records that
    /// was. After an error the same call again goes on where this one stopped.
    pub fn catch_up(&mut self) -> Result<u64, store::Error> {
        self.catch_up_while(|_| true)
    }

    /// As [`Follower::catch_up`], for as long as `on` wants it after each batch.
    pub fn catch_up_while(
        &mut self,
        mut on: impl FnMut(&mut Self) -> bool,
    ) -> Result<u64, store::Error> {
        let before = self.learner.sequence();
        while self.step()? && on(self) {}
        Ok(self.learner.sequence().saturating_sub(before))
    }

    /// Learns and publishes one batch, or starts anew where a page is damaged; whether there was anything to do.
    fn step(&mut self) -> Result<bool, store::Error> {
        let stepped = self.learn_batch();
        self.recovered(stepped, true)
    }

    /// Where a page was damaged, the learner goes back to what does not speak of its file, and `done` it is.
    fn recovered<T>(
        &mut self,
        result: Result<T, store::Error>,
        done: T,
    ) -> Result<T, store::Error> {
        let error = match result {
            Err(error @ store::Error::Page { .. }) => error,
            other => return other,
        };
        let damaged = match &error {
            store::Error::Page { file, .. } => Some(file.as_str()),
            _ => None,
        };
        tracing::error!(%error, "what is known of open decisions is learned anew from the journal; the last snapshot stays in force until then");
        self.lost.fetch_add(1, Ordering::Relaxed);
        let reached = self.learner.sequence();
        self.again = Some(self.again.unwrap_or(0).max(reached));
        let (store, checkpoints, params) = (&self.store, &self.checkpoints, &self.params);
        // First those go that are open: the same ones are opened again.
        self.shelves = Shelves::new(checkpoints.pages());
        let (learner, shelves) = shelves::restored(store, checkpoints, params, damaged);
        self.learner = learner.unwrap_or_else(|| Learner::new(params));
        self.shelves = shelves;
        self.reader = store.reader(self.learner.sequence() + 1);
        self.checkpointed = self.learner.sequence();
        self.batch.clear();
        self.recent.forget();
        Ok(done)
    }

    /// As [`Follower::step`], but damage is an error.
    fn learn_batch(&mut self) -> Result<bool, store::Error> {
        // What was read before an error is learned: the reader stands behind it.
        let read = match self.batch.is_empty() {
            true => self.reader.read(BATCH, &mut self.batch).map(drop),
            false => Ok(()),
        };
        if self.batch.is_empty() {
            read?;
            return Ok(false);
        }
        let mut changed = BTreeMap::new();
        let learned = self.learn(&mut changed);
        self.publish(&changed);
        learned?;
        self.shelves.turn(&mut self.learner)?;
        read?;
        Ok(true)
    }

    /// Records written and not learned yet.
    pub fn behind(&self) -> u64 {
        let newest = self.store.journal().newest();
        newest.saturating_sub(self.learner.sequence())
    }

    /// How often damage was passed over: records that do not decode, each time that a damaged
    /// decision would have been learned from, and each time that a damaged page was learned anew.
    pub fn passed_over(&self) -> u64 {
        self.reader.undecodable() + self.lost.load(Ordering::Relaxed)
    }

    /// Learns the batch; a record that cannot be learned stays in it, with all after it.
    fn learn(&mut self, changed: &mut BTreeMap<Name, Touched>) -> Result<(), store::Error> {
        let (learner, params) = (&mut self.learner, &self.params);
        let recall = Recalled {
            recent: &self.recent,
            batch: &self.batch,
            store: &self.store,
            pages: self.shelves.pages(),
            lost: &self.lost,
        };
        let mut learned = 0;
        let result = self.batch.iter().try_for_each(|(at, record)| {
            learner.apply(*at, record, params, &recall, changed)?;
            learned += 1;
            Ok(())
        });
        for (position, record) in self.batch.drain(..learned) {
            if let Record::Decision(decision) = record {
                self.recent.keep(position, decision);
            }
        }
        result
    }

    fn publish(&mut self, changed: &BTreeMap<Name, Touched>) {
        if self.again.is_some_and(|at| self.learner.sequence() < at) {
            return;
        }
        let previous = self.published.snapshot.load_full();
        // Nothing is shared with what was learned before.
        let made = match self.again.take() {
            None => self.learner.snapshot(&previous, changed, &self.params),
            Some(_) => {
                let (nothing, all) = (Snapshot::default(), BTreeMap::new());
                self.learner.snapshot(&nothing, &all, &self.params)
            }
        };
        match made {
            Ok(snapshot) => self.published.publish(snapshot, &self.store),
            Err(error) => tracing::error!(%error, "no snapshot; the last one stays in force"),
        }
    }

    /// Whether enough was learned since the last checkpoint, or since it was put off.
    pub fn checkpoint_due(&self) -> bool {
        self.learner.sequence() >= self.checkpointed + self.spacing
    }

    /// Puts the next checkpoint off by as many records as lie between two: one that failed may fail again, and each
    /// try takes time from learning.
    pub fn put_off_checkpoint(&mut self) {
        self.checkpointed = self.learner.sequence();
    }

    /// Writes a checkpoint. The journal must be on disk up to here, or a power cut could leave the
    /// checkpoint ahead of it: the caller waits for that first.
    pub fn write_checkpoint(&mut self) -> Result<(), store::Error> {
        let learner = &mut self.learner;
        let written = self
            .shelves
            .checkpoint(learner, &self.params, &self.checkpoints);
        if let Ok(bytes) = written {
            self.checkpointed = self.learner.sequence();
            self.spacing = spacing(bytes as u64);
        }
        self.recovered(written.map(drop), ())
    }

    /// What a checkpoint and the pages that it speaks of hold, the parameters' fingerprint and all that was learned,
    /// as bytes: equal states give equal bytes. `None` if a page cannot be read, which is told, or it cannot be
    /// encoded, which no state that was learned is known to do.
    pub fn checkpoint_bytes(&self) -> Option<Vec<u8>> {
        let bytes = self.learner.bytes(&self.params, self.shelves.pages());
        bytes.unwrap_or_else(|error| {
            tracing::error!(%error, "what was learned cannot be read back");
            None
        })
    }

    /// Waits until there is something to learn.
    pub async fn ready(&self) {
        self.reader.ready().await;
    }

    /// Time at which the next missing signal takes its value.
    pub fn next_closing(&self) -> Option<crate::unit::Timestamp> {
        self.learner.next_closing(&self.params)
    }
}

/// Records from a checkpoint of so many bytes to the next: where much is open, it is written more seldom.
fn spacing(bytes: u64) -> u64 {
    CHECKPOINT_EVERY.max(bytes / CHECKPOINT_SHARE)
}

#[cfg(test)]
mod tests {
    use super::super::sample::{HOUR, everything, params};
    use super::*;
    use crate::store::simulated::SimulatedDisk;
    use crate::store::{Error, Settings};
    use crate::unit::Timestamp;

    #[test]
    fn a_large_checkpoint_is_written_more_seldom_and_none_more_often_than_every_16384_records() {
        let check = |bytes, expected| assert_eq!(spacing(bytes), expected);
        check(0, 16_384);
        check(16_384 * 256, 16_384);
        check(64 << 20, 262_144);
    }

    #[test]
    fn a_read_that_fails_delays_what_is_learned_and_loses_nothing() {
        let disk = SimulatedDisk::new();
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        let shared = Arc::new(disk.clone());
        let (store, _) = Store::open(shared.clone(), Settings::default(), now).unwrap();
        let records = everything();
        for record in &records {
            store.append(record).unwrap();
        }
        let (store, params) = (Arc::new(store), Arc::new(params(HOUR)));
        let follower = || {
            let checkpoints = Checkpoints::new(shared.clone());
            let mut follower =
                Follower::from_scratch(Arc::clone(&store), checkpoints, Arc::clone(&params));
            follower.recall_at_most(0);
            follower
        };
        let mut whole = follower();
        whole.catch_up().unwrap();
        let mut failures = 0;
        for reads in 0.. {
            let mut follower = follower();
            disk.set_reads(Some(reads));
            let first = follower.catch_up();
            disk.set_reads(None);
            match first {
                Ok(_) => break,
                Err(Error::Io { .. }) => failures += 1,
                Err(error) => panic!("{error}"),
            }
            let learned = follower.learner().sequence();
            assert_eq!(follower.published().load().version, learned);
            let rest = follower.catch_up().unwrap();
            assert_eq!(learned + rest, records.len() as u64);
            assert_eq!(follower.checkpoint_bytes(), whole.checkpoint_bytes());
        }
        assert!(failures > 40, "{failures} reads");
    }
}
