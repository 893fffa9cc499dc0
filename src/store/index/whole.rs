//! The index as a whole: keys in memory, then in files.
//!
//! Not here: what is in a file (`run`), the questions (`crate::store::look`).

use super::key::Key;
use super::run::{self, Beside, Run};
use super::young::{Span, Young};
use crate::id::Name;
use crate::store::Error;
use crate::store::digest::{Copied, Digest};
use crate::store::disk::Disk;
use crate::store::journal::{Footprint, Journal, Position};
use crate::store::record::{Control, Record};
use crate::unit::Timestamp;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

/// Bounds of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a decision is found, as long as no more than `decisions` are newer.
    pub window: Duration,
    /// Decisions in files after which the oldest file goes, whatever its age.
    pub decisions: usize,
    /// How long a request id is known, within the same bound.
    pub request_window: Duration,
    /// Records in memory before they become a file.
    pub run_records: usize,
}

impl Default for Settings {
    fn default() -> Self {
        const HOUR: u64 = 60 * 60;
        Self {
            window: Duration::from_secs(7 * 24 * HOUR),
            decisions: 1_000_000,
            request_window: Duration::from_secs(24 * HOUR),
            run_records: 16 * 1024,
        }
    }
}

/// What is looked up by key.
#[derive(Debug)]
pub struct Index {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) settings: Settings,
    /// Taken before `state`.
    digest: Mutex<Digested>,
    state: RwLock<State>,
}

#[derive(Debug)]
struct Digested {
    digest: Box<dyn Digest>,
    /// Last record that it knows.
    last: u64,
}

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) young: Young,
    /// Records that wait for their file, oldest first.
    pub(super) full: Vec<Arc<Full>>,
    /// Oldest first, each right after the one before.
    pub(super) runs: Arc<Vec<Arc<Run>>>,
    controls: BTreeMap<Name, Control>,
    /// First sequences of the journal's segments.
    segments: Vec<u64>,
    /// Time of the latest record.
    pub(super) newest: Timestamp,
    /// Last record taken in.
    last: u64,
    /// Small files are merged no more: one is damaged.
    pub(super) damaged: bool,
}

/// As many records as make a file.
#[derive(Debug)]
pub(super) struct Full {
    pub(super) young: Young,
    pub(super) span: Span,
    /// But for the digest's bytes.
    pub(super) beside: Beside,
    pub(super) digest: Box<dyn Copied>,
}

/// Where the journal is read on from, what came before being known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// The last record that is known.
    pub last: Footprint,
    /// First sequences of the segments up to it.
    pub segments: Vec<u64>,
}

impl State {
    /// What the files know.
    fn known(&self) -> Option<Known> {
        let run = self.runs.last()?;
        Some(Known {
            last: run.span.last,
            segments: self.segments.clone(),
        })
    }

    fn take(&mut self, footprint: Footprint, record: Option<&Record>) {
        self.last = footprint.position.sequence;
        self.newest = record.map_or(self.newest, |record| self.newest.max(record.time()));
        if footprint.is_first_of_segment() {
            self.segments.push(self.last);
        }
        if let Some(Record::Control { team, control, .. }) = record {
            self.controls.insert(team.clone(), control.clone());
        }
        self.young.take(footprint, record, self.newest);
    }

    /// What is in memory waits for its file from here on.
    fn fill(&mut self, digest: Box<dyn Copied>) {
        let young = std::mem::take(&mut self.young);
        let Some(span) = young.span().cloned() else {
            return;
        };
        let beside = Beside {
            controls: self.controls.clone(),
            segments: self.segments.clone(),
            oldest: 1,
            digest: Vec::new(),
        };
        let full = Full {
            young,
            span,
            beside,
            digest,
        };
        self.full.push(Arc::new(full));
    }
}

impl Index {
    /// What the files on `disk` know, if they are whole and each follows on another; else nothing, and they are made
    /// anew. An error where they cannot be read, or where the journal lacks a record that they know was on disk.
    pub fn open(
        disk: Arc<dyn Disk>,
        settings: Settings,
        digest: Box<dyn Digest>,
    ) -> Result<Self, Error> {
        let digest = Mutex::new(Digested { digest, last: 0 });
        let index = Self {
            disk,
            settings,
            digest,
            state: RwLock::default(),
        };
        match index.load() {
            Ok((state, beside)) => index.go_on(state, &beside)?,
            Err(error @ Error::IndexDamaged { .. }) => index.forget(&error.to_string()),
            Err(error) => return Err(error),
        }
        Ok(index)
    }

    /// Goes on from the files, if the journal is the one that they speak of; the digest too, if it can.
    fn go_on(&self, state: State, beside: &Beside) -> Result<(), Error> {
        let Some(known) = state.known() else {
            return Ok(());
        };
        let held = Journal::holds(&*self.disk, &known).inspect_err(|error| {
            let last = known.last.position.sequence;
            let hint = "put it back; or, where an older copy was put back, remove index-*.run";
            tracing::error!(%error, last, hint, "the journal lacks a record that was on disk");
        });
        if !held? {
            self.forget("there is no journal that it was made of");
            return Ok(());
        }
        let mut digested = self.digest();
        if digested.digest.restore(&beside.digest) {
            digested.last = state.last;
        }
        *self.write() = state;
        Ok(())
    }

    /// Nothing is known: all is made anew from the journal.
    fn forget(&self, reason: &str) {
        tracing::warn!(reason, "the index is made anew from the journal");
        let files = self.files().unwrap_or_default();
        files.iter().for_each(|name| self.remove(name));
    }

    /// The files of the disk, and what stands beside the newest.
    fn load(&self) -> Result<(State, Beside), Error> {
        let mut runs: Vec<Arc<Run>> = Vec::new();
        let mut beside = Beside::default();
        for name in self.files()? {
            let Some((first, last)) = run::span_of(&name) else {
                continue;
            };
            match runs.last().map(|run| run.last()) {
                // It went into the one before, and the power went before it was removed.
                Some(before) if last <= before => {
                    self.remove(&name);
                    continue;
                }
                Some(before) if first != before + 1 => {
                    return Err(Error::IndexDamaged { file: name });
                }
                _ => {}
            }
            let (run, stood) = Run::open(&*self.disk, name)?;
            (beside, _) = (stood, runs.push(Arc::new(run)));
        }
        let first = runs.first().map(|run| (run.span.first, &run.name));
        if let Some((_, name)) = first.filter(|(first, _)| *first > beside.oldest) {
            return Err(Error::IndexDamaged { file: name.clone() });
        }
        let state = State {
            newest: runs
                .iter()
                .map(|run| run.span.newest)
                .max()
                .unwrap_or_default(),
            last: runs.last().map_or(0, |run| run.last()),
            runs: Arc::new(runs),
            controls: beside.controls.clone(),
            segments: beside.segments.clone(),
            ..State::default()
        };
        Ok((state, beside))
    }

    /// What the files know of the journal.
    pub fn known(&self) -> Option<Known> {
        self.read().known()
    }

    /// Whether the digest knows as much: else it must be shown all records. [`Index::take`] passes over what is known.
    pub fn has_digest(&self) -> bool {
        let digested = self.digest().last;
        digested == self.read().last
    }

    /// Takes in the next record of the journal (`None`: one that does not decode); whether there are enough now for a
    /// file.
    pub fn take(&self, footprint: Footprint, record: Option<&Record>) -> bool {
        let sequence = footprint.position.sequence;
        let mut digested = self.digest();
        if sequence > digested.last {
            if let Some(record) = record {
                digested.digest.take(record);
            }
            digested.last = sequence;
        }
        let (last, records) = {
            let state = self.read();
            (state.last, state.young.records())
        };
        if sequence <= last {
            return false;
        }
        // Nobody else takes: whoever looks something up need not wait for the copy.
        let fills = records + 1 >= self.settings.run_records;
        let digest = fills.then(|| digested.digest.copied());
        let mut state = self.write();
        state.take(footprint, record);
        match digest {
            Some(digest) => state.fill(digest),
            None => return false,
        }
        true
    }

    /// Where a key leads, newest first, from before record `before` on; at most so many. Files are read while
    /// nobody waits.
    pub fn find(&self, key: Key, before: u64, most: usize) -> Result<Vec<Position>, Error> {
        let of = |young: &Young, found: &mut Vec<Position>| {
            let earlier = young.newest_first(key).filter(|at| at.sequence < before);
            found.extend(earlier.take(most - found.len()));
        };
        let mut found = Vec::new();
        let (full, runs) = {
            let state = self.read();
            of(&state.young, &mut found);
            (state.full.clone(), Arc::clone(&state.runs))
        };
        full.iter()
            .rev()
            .for_each(|full| of(&full.young, &mut found));
        for run in runs.iter().rev() {
            if found.len() >= most {
                break;
            }
            if run.span.first < before {
                let read = run.find(key, before, most, &mut found);
                read.inspect_err(|error| self.set_aside(error))?;
            }
        }
        Ok(found)
    }

    /// A file that is damaged is missing at the next start, which makes all of them anew.
    pub(super) fn set_aside(&self, error: &Error) {
        if let Error::IndexDamaged { file } = error {
            let renamed = self.disk.rename(file, &format!("{file}.bad")).is_ok();
            tracing::error!(%error, renamed, "restart to make the index anew from the journal");
        }
    }

    /// A team's pin and freeze.
    pub fn control(&self, team: &Name) -> Control {
        self.read().controls.get(team).cloned().unwrap_or_default()
    }

    /// Whether something of that time is still found.
    pub fn is_young(&self, time: Timestamp) -> bool {
        time >= self.read().newest.before(self.settings.window)
    }

    /// Whether a request id of that time is still known.
    pub fn knows_requests_of(&self, time: Timestamp) -> bool {
        time >= self.read().newest.before(self.settings.request_window)
    }

    /// The first record of the earliest stretch that may have something of `time` or later.
    pub fn since(&self, time: Timestamp) -> u64 {
        let state = self.read();
        let spans = state.runs.iter().map(|run| &run.span);
        let mut spans = spans.chain(state.full.iter().map(|full| &full.span));
        let first = spans.find(|span| span.newest >= time);
        let first = first.or(state.young.span());
        first.map_or(state.last + 1, |span| span.first)
    }

    /// The nearest place at which a reader of record `sequence` can start.
    pub fn mark(&self, sequence: u64) -> Option<Position> {
        let state = self.read();
        let runs = state.runs.iter().map(|run| &run.span);
        let spans = runs.chain(state.full.iter().map(|full| &full.span));
        let mut spans = spans.chain(state.young.span()).rev();
        spans.find(|span| span.first <= sequence)?.mark(sequence)
    }

    fn digest(&self) -> MutexGuard<'_, Digested> {
        self.digest.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn read(&self) -> RwLockReadGuard<'_, State> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}
