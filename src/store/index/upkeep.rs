//! The index's files as they come and go: written when memory holds enough, merged, let go of.
//!
//! A file that cannot be merged is left as it is: it is looked up all the same.
//!
//! Invariants: a file is removed only after one that holds its keys, or that says that they are let go of, is on
//! disk; whatever is cut short is put right at the next start.
//!
//! Not here: what is in a file (`run`, `draft`), the thread that asks for it (`crate::store::filing`).

use super::draft;
use super::run::{self, Run};
use super::whole::{Index, State};
use crate::store::Error;
use std::sync::Arc;

/// Small files that become one.
const FAN: usize = 8;

impl Index {
    /// Names of the index's files, in journal order; drafts that were never finished are removed, and what was
    /// set aside.
    pub(super) fn files(&self) -> Result<Vec<String>, Error> {
        let listed = self.disk.list();
        let mut names = listed.map_err(|e| Error::io("list", "the data directory", e))?;
        names.retain(|name| name.starts_with("index-"));
        for draft in names.extract_if(.., |name| is_waste(name)) {
            self.remove(&draft);
        }
        names.retain(|name| run::span_of(name).is_some());
        // Of two that begin with the same record the longer one first: the other went into it.
        names.sort_by_key(|name| run::span_of(name).map(|(first, last)| (first, u64::MAX - last)));
        Ok(names)
    }

    /// Only space: the next start tries again.
    pub(super) fn remove(&self, name: &str) {
        let _ = self.disk.remove(name);
    }

    /// Last record of those that wait longest for their file; `None` where none wait.
    pub fn waiting(&self) -> Option<u64> {
        let state = self.read();
        let full = state.full.first()?;
        Some(full.span.last.position.sequence)
    }

    /// Writes the file of those that wait longest, and tidies up. They must be on disk in the journal: a file that
    /// is ahead of it would hide what a power cut tore. One caller at a time.
    pub fn write_file(&self) -> Result<(), Error> {
        let Some(full) = self.read().full.first().cloned() else {
            return Ok(());
        };
        // Said before it is done, so that a file that is missing is told from one that was let go of.
        let oldest = self.oldest(full.young.decisions());
        let mut beside = full.beside.clone();
        beside.oldest = oldest;
        beside.digest = full.digest.bytes();
        let run = draft::write(&*self.disk, (&full.young, &full.span), beside)?;
        drop(full);
        let (kept, gone) = self.change(|state| {
            state.full.remove(0);
            let runs = state.runs.iter().cloned().chain([Arc::new(run)]);
            runs.partition::<Vec<_>, _>(|run| run.last() >= oldest)
        });
        gone.iter().for_each(|run| self.remove(&run.name));
        if let Err(error) = self.merge(&kept) {
            tracing::warn!(%error, "files of the index are not merged");
            self.set_aside(&error);
            self.write().damaged |= matches!(error, Error::IndexDamaged { .. });
        }
        Ok(())
    }

    /// The first record that is still looked up: of files that are older than the window, or that come after enough
    /// decisions, none. `newer`: decisions that no file has yet.
    fn oldest(&self, mut newer: usize) -> u64 {
        let state = self.read();
        let oldest = state.newest.before(self.settings.window);
        // From the newest back to the first that goes.
        let mut runs = state.runs.iter().rev();
        let gone = runs.find(|run| {
            let goes = run.span.newest < oldest || newer >= self.settings.decisions;
            newer += run.decisions();
            goes
        });
        let first = state.runs.first().map_or(1, |run| run.span.first);
        gone.map_or(first, |run| run.last() + 1)
    }

    /// Makes one file of the newest small ones once there are enough of them.
    fn merge(&self, runs: &[Arc<Run>]) -> Result<(), Error> {
        let small = |run: &&Arc<Run>| run.records() < (FAN * self.settings.run_records) as u64;
        let small = runs.iter().rev().take_while(small).count();
        let (kept, small) = runs.split_at(runs.len() - small);
        let enough = small.len() >= FAN && !self.read().damaged;
        let Some(last) = small.last().filter(|_| enough) else {
            return Ok(());
        };
        let (_, beside) = Run::open(&*self.disk, last.name.clone())?;
        let merged = Arc::new(draft::merge(&*self.disk, small, beside)?);
        self.change(|_| (kept.iter().cloned().chain([merged]).collect(), ()));
        small.iter().for_each(|run| self.remove(&run.name));
        Ok(())
    }

    /// Puts other files in force; gives them, and what else came of it.
    fn change<T>(
        &self,
        change: impl FnOnce(&mut State) -> (Vec<Arc<Run>>, T),
    ) -> (Arc<Vec<Arc<Run>>>, T) {
        let mut state = self.write();
        let (runs, other) = change(&mut state);
        state.runs = Arc::new(runs);
        (Arc::clone(&state.runs), other)
    }
}

/// Whether a file of the index's names is of no use any more.
fn is_waste(name: &str) -> bool {
    name.ends_with(".run.tmp") || name.ends_with(".run.bad")
}
