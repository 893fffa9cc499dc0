//! The thread that brings records to disk, and how others wait for it.
//!
//! One sync covers everything written before it, and wakes everyone once. A failed sync is final:
//! Linux marks the pages clean after reporting an error, so that a second sync would succeed without
//! the data (what PostgreSQL met in 2018). The journal then refuses everything until a restart. A
//! restart of the process alone reads what the system's cache still shows, which may be more than
//! the disk has: after this error restart the machine, and look at the disk.
//!
//! Invariants: `synced.sequence` only rises, and only after a sync that began when that record was
//! written; the thread ends only after a last sync of everything, or after a failure.
//!
//! Not here: when an append counts as done (`append`).

use super::append::{Shared, Writer};
use super::segment::Durability;
use crate::store::Error;
use crate::store::disk::DiskFile;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use tokio::sync::watch;

/// How far the disk is.
#[derive(Debug, Clone)]
pub(super) struct Synced {
    /// Newest sequence on disk.
    pub(super) sequence: u64,
    /// Why it will rise no more.
    pub(super) failed: Option<Error>,
}

impl Synced {
    pub(super) fn upto(sequence: u64) -> Self {
        Self {
            sequence,
            failed: None,
        }
    }
}

/// Waits for a thread of its own until records are on disk.
#[derive(Debug, Clone)]
pub struct OnDisk(pub(super) watch::Receiver<Synced>);

impl OnDisk {
    /// Blocks until record `sequence` is on disk.
    pub fn wait(&mut self, sequence: u64) -> Result<(), Error> {
        let runtime = tokio::runtime::Builder::new_current_thread().build();
        let runtime = runtime.map_err(|e| Error::io("wait for", "the journal", e))?;
        runtime.block_on(heard(&mut self.0, sequence))
    }
}

/// Waits until `sequence` is on disk.
pub(super) async fn wait(synced: &watch::Sender<Synced>, sequence: u64) -> Result<(), Error> {
    heard(&mut synced.subscribe(), sequence).await
}

async fn heard(receiver: &mut watch::Receiver<Synced>, sequence: u64) -> Result<(), Error> {
    let state = receiver
        .wait_for(|synced| synced.sequence >= sequence || synced.failed.is_some())
        .await
        .map_err(|_| Error::Closed)?;
    match &state.failed {
        Some(error) if state.sequence < sequence => Err(error.clone()),
        _ => Ok(()),
    }
}

/// Starts the thread.
pub(super) fn start(shared: Arc<Shared>) -> Result<JoinHandle<()>, Error> {
    // Taken here, before anyone can append: what recovery read, it has synced.
    let done = shared.written();
    std::thread::Builder::new()
        .name("journal-sync".to_owned())
        .spawn(move || run(&shared, done))
        .map_err(|e| Error::io("start", "the sync thread", e))
}

fn run(shared: &Shared, mut done: u64) {
    while let Some((file, upto)) = next_batch(shared, done) {
        let synced = file.sync_data();
        // Under the lock: the kernel tells of a failure once, and a new segment in the making may
        // have been told in our stead.
        let mut writer = shared.writer();
        if let Err(source) = synced {
            shared.break_off(&mut writer, source);
        }
        if writer.stopped.is_some() {
            return;
        }
        done = upto;
        shared.synced.send_modify(|synced| synced.sequence = upto);
    }
}

/// The file to sync and the newest sequence that this covers.
type Batch = (Arc<dyn DiskFile>, u64);

/// Waits for something after `done` and for its window; `None` when closed and all is on disk.
fn next_batch(shared: &Shared, done: u64) -> Option<Batch> {
    let mut writer = shared.writer();
    while writer.next - 1 == done && !writer.closing {
        writer.syncer_idle = true;
        writer = wait_for_work(shared, writer);
    }
    if shared.settings.durability == Durability::Group && !writer.closing {
        let window = shared.settings.group_window;
        let waited = shared
            .work
            .wait_timeout_while(writer, window, |w| !w.closing);
        writer = waited.unwrap_or_else(PoisonError::into_inner).0;
    }
    let upto = writer.next - 1;
    if writer.stopped.is_some() || upto == done {
        return None;
    }
    // Segments before this one were synced when it was made.
    Some((Arc::clone(&writer.file), upto))
}

fn wait_for_work<'a>(shared: &Shared, writer: MutexGuard<'a, Writer>) -> MutexGuard<'a, Writer> {
    let woken = shared.work.wait(writer);
    woken.unwrap_or_else(PoisonError::into_inner)
}
