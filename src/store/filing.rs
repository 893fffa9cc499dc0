//! The thread that writes the index's files, while there are any to write.
//!
//! Invariants: one at a time; a file is written only of what is on disk in the journal.
//!
//! Not here: what is in a file (`index`).

use super::behind::stand_behind;
use super::index::Index;
use super::journal::OnDisk;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// How far the thread stands behind those that serve, as `nice` counts: a file takes some 5 ms of a core (by sampling, at
/// 9,500 calls a second: 0.6 % of it), and has a second even then.
const BEHIND: i32 = 10;

/// Writes files, or waits to be asked.
#[derive(Debug, Default)]
pub(super) struct Filing {
    /// Whether the thread will look again whether something waits.
    running: Arc<Mutex<bool>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Filing {
    /// Something waits for its file.
    pub(super) fn start(&self, index: &Arc<Index>, on_disk: OnDisk) {
        let mut running = lock(&self.running);
        if *running {
            return;
        }
        let (index, flag) = (Arc::clone(index), Arc::clone(&self.running));
        let thread = std::thread::Builder::new().name("index-files".to_owned());
        match thread.spawn(move || run(&index, on_disk, &flag)) {
            // The one before has ended.
            Ok(thread) => drop(lock(&self.thread).replace(thread)),
            Err(error) => return tracing::warn!(%error, "the index's files wait: no thread"),
        }
        *running = true;
    }
}

impl Drop for Filing {
    /// Waits until nothing is being written: the disk is let go of then.
    fn drop(&mut self) {
        if let Some(thread) = lock(&self.thread).take() {
            // What it did not write is made again at the next start.
            let _ = thread.join();
        }
    }
}

fn run(index: &Index, mut on_disk: OnDisk, running: &Mutex<bool>) {
    stand_behind(BEHIND);
    while let Some(last) = waiting(index, running) {
        if let Err(error) = on_disk.wait(last).and_then(|()| index.write_file()) {
            tracing::warn!(%error, "the index's files wait; the next one is tried with them");
            *lock(running) = false;
            return;
        }
    }
}

/// The last record of those that wait longest; if there are none, that is said before anybody can add some.
fn waiting(index: &Index, running: &Mutex<bool>) -> Option<u64> {
    let mut running = lock(running);
    let waiting = index.waiting();
    *running = waiting.is_some();
    waiting
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
