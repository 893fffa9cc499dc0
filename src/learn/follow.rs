//! Following the journal: reads what is new, learns it, publishes a snapshot, writes checkpoints.
//!
//! Invariants: records are applied once and in order, none is passed over: where one cannot be read,
//! or a decision that it speaks of, the follower stays before it and the next try goes on from there;
//! a checkpoint that does not fit the parameters, or is not whole, is
//! passed over and its statistics rebuilt from the journal, while serving waits for that.
//!
//! Not here: what a record teaches (`learner`), the bytes (`store`).

use super::learner::{Learner, Params, Recall};
use super::snapshot::Snapshot;
use super::team::Touched;
use crate::decision::Decision;
use crate::id::Name;
use crate::store::{self, Checkpoints, Position, Reader, Record, Store};
use arc_swap::{ArcSwap, Guard};
use std::collections::BTreeMap;
use std::sync::Arc;
use tokio::sync::watch;

/// Records learned between two publications at most.
const BATCH: usize = 256;

/// Records between two checkpoints.
const CHECKPOINT_EVERY: u64 = 100_000;

/// The snapshot in force.
#[derive(Debug)]
pub struct Published {
    snapshot: ArcSwap<Snapshot>,
    version: watch::Sender<u64>,
}

impl Default for Published {
    fn default() -> Self {
        Self {
            snapshot: ArcSwap::default(),
            version: watch::Sender::new(0),
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

    fn publish(&self, snapshot: Snapshot) {
        let version = snapshot.version;
        self.snapshot.store(Arc::new(snapshot));
        self.version.send_replace(version);
    }
}

/// What a checkpoint holds: the parameters' fingerprint and the learner.
type Checkpoint = (u64, Learner);

/// The learner's place in the journal.
#[derive(Debug)]
pub struct Follower {
    store: Arc<Store>,
    checkpoints: Checkpoints,
    params: Arc<Params>,
    learner: Learner,
    reader: Reader,
    published: Arc<Published>,
    checkpointed: u64,
    /// Read and not learned yet.
    batch: Vec<(Position, Record)>,
}

impl Recall for Store {
    fn decision(&self, position: Position) -> Result<Box<Decision>, store::Error> {
        match self.journal().at(position)? {
            Record::Decision(decision) => Ok(decision),
            _ => Err(store::Error::NoRecord {
                sequence: position.sequence,
            }),
        }
    }
}

impl Follower {
    /// Starts from the newest checkpoint that fits, or from nothing.
    pub fn open(
        store: Arc<Store>,
        checkpoints: Checkpoints,
        params: Arc<Params>,
    ) -> Result<Self, store::Error> {
        let learner = restored(&store, &checkpoints, &params)?;
        let learner = learner.unwrap_or_else(|| Learner::new(&params));
        Ok(Self::start(store, checkpoints, params, learner))
    }

    /// Starts from nothing, to rebuild from the journal alone.
    pub fn from_scratch(store: Arc<Store>, checkpoints: Checkpoints, params: Arc<Params>) -> Self {
        let learner = Learner::new(&params);
        Self::start(store, checkpoints, params, learner)
    }

    fn start(
        store: Arc<Store>,
        checkpoints: Checkpoints,
        params: Arc<Params>,
        learner: Learner,
    ) -> Self {
        let reader = store.reader(learner.sequence() + 1);
        let checkpointed = learner.sequence();
        let published = Arc::default();
        let batch = Vec::with_capacity(BATCH);
        let follower = Self {
            store,
            checkpoints,
            params,
            learner,
            reader,
            published,
            checkpointed,
            batch,
        };
        follower.publish(&BTreeMap::new());
        follower
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
        let before = self.learner.sequence();
        loop {
            // What was read before an error is learned: the reader stands behind it.
            let read = match self.batch.is_empty() {
                true => self.reader.read(BATCH, &mut self.batch).map(drop),
                false => Ok(()),
            };
            if self.batch.is_empty() {
                read?;
                return Ok(self.learner.sequence() - before);
            }
            let mut changed = BTreeMap::new();
            let learned = self.learn(&mut changed);
            self.publish(&changed);
            learned?;
            read?;
        }
    }

    /// Learns the batch; a record that cannot be learned stays in it, with all after it.
    fn learn(&mut self, changed: &mut BTreeMap<Name, Touched>) -> Result<(), store::Error> {
        let (learner, params, store) = (&mut self.learner, &self.params, &*self.store);
        let mut learned = 0;
        let result = self.batch.iter().try_for_each(|(at, record)| {
            learner.apply(*at, record, params, store, changed)?;
            learned += 1;
            Ok(())
        });
        self.batch.drain(..learned);
        result
    }

    fn publish(&self, changed: &BTreeMap<Name, Touched>) {
        let previous = self.published.load();
        match self.learner.snapshot(&previous, changed, &self.params) {
            Ok(snapshot) => self.published.publish(snapshot),
            Err(error) => tracing::error!(%error, "no snapshot; the last one stays in force"),
        }
    }

    /// Whether enough was learned since the last checkpoint.
    pub fn checkpoint_due(&self) -> bool {
        self.learner.sequence() >= self.checkpointed + CHECKPOINT_EVERY
    }

    /// Writes a checkpoint. The journal must be on disk up to here, or a power cut could leave the
    /// checkpoint ahead of it: the caller waits for that first.
    pub fn write_checkpoint(&mut self) -> Result<(), store::Error> {
        let sequence = self.learner.sequence();
        let Some(bytes) = self.checkpoint_bytes() else {
            tracing::error!("the learner cannot be encoded; no checkpoint is written");
            return Ok(());
        };
        self.checkpoints.save(sequence, &bytes)?;
        self.checkpointed = sequence;
        Ok(())
    }

    /// The learner's state as bytes: equal states give equal bytes. `None` if it cannot be encoded,
    /// which no state that was learned is known to do.
    pub fn checkpoint_bytes(&self) -> Option<Vec<u8>> {
        postcard::to_allocvec(&(self.params.fingerprint(), &self.learner)).ok()
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

/// The learner of the newest checkpoint, if it fits the parameters and is whole.
fn restored(
    store: &Store,
    checkpoints: &Checkpoints,
    params: &Params,
) -> Result<Option<Learner>, store::Error> {
    let loaded = checkpoints.load(store.journal().newest())?;
    for file in &loaded.set_aside {
        tracing::error!(file, "a checkpoint that does not hold was set aside");
    }
    let Some((_, bytes)) = loaded.checkpoint else {
        return Ok(None);
    };
    let (fingerprint, mut learner) = match postcard::from_bytes::<Checkpoint>(&bytes) {
        Ok(read) => read,
        Err(error) => {
            tracing::warn!(%error, "the checkpoint cannot be read; rebuilding from the journal");
            return Ok(None);
        }
    };
    if fingerprint != params.fingerprint() {
        tracing::warn!("the checkpoint was learned under other parameters; rebuilding");
        return Ok(None);
    }
    if let Err(error) = learner.validate(params) {
        tracing::error!(%error, "the checkpoint is not whole; rebuilding from the journal");
        return Ok(None);
    }
    learner.admit(params);
    Ok(Some(learner))
}

#[cfg(test)]
mod tests {
    use super::super::sample::{HOUR, everything, params};
    use super::*;
    use crate::store::simulated::SimulatedDisk;
    use crate::store::{Error, Settings};
    use crate::unit::Timestamp;

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
            Follower::from_scratch(Arc::clone(&store), checkpoints, Arc::clone(&params))
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
