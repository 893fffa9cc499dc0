//! A disk in memory that fails on purpose: for tests of what survives.
//!
//! It is stricter than a real one: nothing unsynced survives [`SimulatedDisk::crash`], names neither.
//! [`SimulatedDisk::crash_torn`] keeps a random part of it, as a real disk might.
//!
//! Invariants: every handle, of the disk or of a file, taken before a crash never works again (its
//! process is gone), but for the one through which the test cut the power; faults are set by the
//! test and hold until it lifts them.

use super::disk::{Disk, DiskFile};
use rand::{Rng, RngExt};
use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// A disk in memory. Clones are the same disk.
#[derive(Debug, Default)]
pub struct SimulatedDisk {
    state: Arc<Mutex<State>>,
    /// The life that this handle belongs to.
    life: AtomicU64,
}

impl Clone for SimulatedDisk {
    fn clone(&self) -> Self {
        Self {
            state: Arc::clone(&self.state),
            life: AtomicU64::new(self.life.load(Ordering::Acquire)),
        }
    }
}

#[derive(Debug, Default)]
struct State {
    files: Vec<Content>,
    names: BTreeMap<String, usize>,
    durable_names: BTreeMap<String, usize>,
    /// Counts crashes: handles of an earlier life are dead.
    life: u64,
    /// Bytes that may still be written or set aside; no limit if absent.
    room: Option<u64>,
    sync_fails: bool,
    /// Reads of file content that may still succeed; no limit if absent.
    reads: Option<u64>,
    /// Files of which no content can be read.
    unreadable: BTreeSet<usize>,
    /// Syncs of names that may still succeed; no limit if absent.
    dir_syncs: Option<u64>,
    syncs: u64,
}

#[derive(Debug, Default)]
struct Content {
    seen: Vec<u8>,
    durable: Vec<u8>,
    unsynced: Vec<Change>,
}

#[derive(Debug, Clone)]
enum Change {
    Write { offset: usize, bytes: Vec<u8> },
    Resize(usize),
}

impl Change {
    fn apply(&self, content: &mut Vec<u8>) {
        match self {
            Self::Write { offset, bytes } => {
                let end = offset + bytes.len();
                if content.len() < end {
                    content.resize(end, 0);
                }
                content[*offset..end].copy_from_slice(bytes);
            }
            Self::Resize(len) => content.resize(*len, 0),
        }
    }
}

impl Content {
    fn change(&mut self, change: Change) {
        change.apply(&mut self.seen);
        self.unsynced.push(change);
    }

    fn sync(&mut self) {
        for change in self.unsynced.drain(..) {
            change.apply(&mut self.durable);
        }
    }
}

impl SimulatedDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, if this handle's process still lives.
    fn alive(&self) -> io::Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.life == self.life.load(Ordering::Acquire) {
            Ok(state)
        } else {
            Err(gone())
        }
    }

    /// Power is cut: everything not synced is gone, and so is every other handle.
    pub fn crash(&self) {
        self.lose(Vec::clear);
    }

    /// Power is cut: of what was not synced each change survives with even odds, possibly in part
    /// (later ones without earlier ones too, as disks reorder).
    pub fn crash_torn(&self, rng: &mut impl Rng) {
        self.lose(|unsynced| {
            unsynced.retain(|_| rng.random_bool(0.5));
            for change in unsynced {
                if let Change::Write { bytes, .. } = change
                    && rng.random_bool(0.5)
                {
                    bytes.truncate(rng.random_range(0..=bytes.len()));
                }
            }
        });
    }

    fn lose(&self, mut keep: impl FnMut(&mut Vec<Change>)) {
        let mut state = self.state();
        let state = &mut *state;
        state.life += 1;
        self.life.store(state.life, Ordering::Release);
        state.names = state.durable_names.clone();
        for content in &mut state.files {
            keep(&mut content.unsynced);
            content.sync();
            content.seen = content.durable.clone();
        }
    }

    /// From now on only `bytes` more can be written or set aside; `None` lifts the limit.
    pub fn set_room(&self, bytes: Option<u64>) {
        self.state().room = bytes;
    }

    /// Whether syncs fail from now on.
    pub fn set_sync_fails(&self, fails: bool) {
        self.state().sync_fails = fails;
    }

    /// From now on only so many reads of file content succeed; `None` lifts the limit.
    pub fn set_reads(&self, reads: Option<u64>) {
        self.state().reads = reads;
    }

    /// Whether reads of a file's content fail from now on, whatever its name: a bad sector.
    pub fn set_unreadable(&self, name: &str, unreadable: bool) {
        let mut state = self.state();
        if let Some(&file) = state.names.get(name) {
            match unreadable {
                true => state.unreadable.insert(file),
                false => state.unreadable.remove(&file),
            };
        }
    }

    /// From now on only so many syncs of names succeed; `None` lifts the limit.
    pub fn set_dir_syncs(&self, syncs: Option<u64>) {
        self.state().dir_syncs = syncs;
    }

    /// Syncs of file content so far.
    pub fn syncs(&self) -> u64 {
        self.state().syncs
    }

    /// Overwrites bytes of a file, durably: damage.
    pub fn damage(&self, name: &str, offset: usize, bytes: &[u8]) {
        let mut state = self.state();
        if let Some(&file) = state.names.get(name) {
            let content = &mut state.files[file];
            content.change(Change::Write {
                offset,
                bytes: bytes.to_vec(),
            });
            content.sync();
        }
    }

    fn handle(&self, file: usize) -> Arc<dyn DiskFile> {
        Arc::new(SimulatedFile {
            disk: self.clone(),
            file,
        })
    }
}

/// Takes `wanted` bytes of room; returns how many there were.
fn take_room(room: &mut Option<u64>, wanted: u64) -> u64 {
    match room {
        None => wanted,
        Some(left) => {
            let taken = wanted.min(*left);
            *left -= taken;
            taken
        }
    }
}

fn gone() -> io::Error {
    io::Error::other("handle of a process that is gone")
}

fn full() -> io::Error {
    io::ErrorKind::StorageFull.into()
}

impl Disk for SimulatedDisk {
    fn list(&self) -> io::Result<Vec<String>> {
        Ok(self.alive()?.names.keys().cloned().collect())
    }

    fn create(&self, name: &str, len: u64) -> io::Result<Arc<dyn DiskFile>> {
        let mut state = self.alive()?;
        if state.room.is_some_and(|room| room < len) {
            return Err(full());
        }
        take_room(&mut state.room, len);
        let file = state.files.len();
        let mut content = Content::default();
        content.change(Change::Resize(
            usize::try_from(len).map_err(io::Error::other)?,
        ));
        state.files.push(content);
        state.names.insert(name.to_owned(), file);
        Ok(self.handle(file))
    }

    fn open(&self, name: &str) -> io::Result<Arc<dyn DiskFile>> {
        let state = self.alive()?;
        let file = *state.names.get(name).ok_or(io::ErrorKind::NotFound)?;
        Ok(self.handle(file))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let removed = self.alive()?.names.remove(name);
        removed.map(|_| ()).ok_or(io::ErrorKind::NotFound.into())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut state = self.alive()?;
        let file = state.names.remove(from).ok_or(io::ErrorKind::NotFound)?;
        state.names.insert(to.to_owned(), file);
        Ok(())
    }

    fn sync_dir(&self) -> io::Result<()> {
        let mut state = self.alive()?;
        if state.sync_fails || state.dir_syncs == Some(0) {
            return Err(io::Error::other("simulated sync failure"));
        }
        state.dir_syncs = state.dir_syncs.map(|left| left - 1);
        state.durable_names = state.names.clone();
        Ok(())
    }
}

#[derive(Debug)]
struct SimulatedFile {
    disk: SimulatedDisk,
    file: usize,
}

impl SimulatedFile {
    fn with<T>(&self, work: impl FnOnce(&mut State) -> io::Result<T>) -> io::Result<T> {
        work(&mut *self.disk.alive()?)
    }
}

impl DiskFile for SimulatedFile {
    fn size(&self) -> io::Result<u64> {
        self.with(|state| Ok(state.files[self.file].seen.len() as u64))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.with(|state| {
            if state.reads == Some(0) || state.unreadable.contains(&self.file) {
                return Err(io::Error::other("simulated read failure"));
            }
            state.reads = state.reads.map(|left| left - 1);
            let seen = &state.files[self.file].seen;
            let from = seen.get(offset..).unwrap_or_default();
            let read = from.len().min(buffer.len());
            buffer[..read].copy_from_slice(&from[..read]);
            Ok(read)
        })
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        let offset = usize::try_from(offset).map_err(io::Error::other)?;
        self.with(|state| {
            let room = take_room(&mut state.room, bytes.len() as u64);
            let fitting = usize::try_from(room).unwrap_or(bytes.len());
            state.files[self.file].change(Change::Write {
                offset,
                bytes: bytes[..fitting].to_vec(),
            });
            if fitting == bytes.len() {
                Ok(())
            } else {
                Err(full())
            }
        })
    }

    fn sync_data(&self) -> io::Result<()> {
        self.with(|state| {
            state.syncs += 1;
            if state.sync_fails {
                return Err(io::Error::other("simulated sync failure"));
            }
            state.files[self.file].sync();
            Ok(())
        })
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.with(|state| {
            state.files[self.file].change(Change::Resize(len));
            Ok(())
        })
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        let len = usize::try_from(len).map_err(io::Error::other)?;
        self.with(|state| {
            let have = state.files[self.file].seen.len();
            let wanted = len.saturating_sub(have) as u64;
            if state.room.is_some_and(|room| room < wanted) {
                return Err(full());
            }
            take_room(&mut state.room, wanted);
            if wanted > 0 {
                state.files[self.file].change(Change::Resize(len));
            }
            Ok(())
        })
    }
}
