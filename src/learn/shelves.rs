//! Shelves: the page files that checkpoints speak of, and what a checkpoint holds.
//!
//! A checkpoint holds the fingerprint of the parameters, which files the one before it speaks of, and the learner
//! with the places of its pages; of a team's newest page, while it is not full, the entries themselves.
//!
//! Invariants: pages are on disk before the checkpoint that speaks of them has its name; the files of the two
//! newest checkpoints stay, and those of one that may have its name though writing it failed; others are let go of,
//! whether a checkpoint is written or fails. At a start nothing is read of a page; that its file is there and long
//! enough is asked.
//! Space: when a checkpoint is written, each file that was not written since the one before it is emptied where less
//! than half of it is in use, so that pages take at most twice what is open, twice what was open at the checkpoint
//! before, and what was written since that one.
//!
//! Not here: the files' bytes (`store::Pages`), when a checkpoint is due (`follow`).

use super::learner::{Learner, Params};
use crate::store::{self, Checkpoints, Pages, Place, Store, Unfit};
use std::collections::{BTreeMap, BTreeSet};
use std::io;

/// Why a checkpoint that is sound cannot serve.
const ANOTHER: &str = "a checkpoint was learned under another configuration or by another build";

/// Most files; each is held open.
const FILES: usize = if cfg!(test) { 4 } else { 64 };

/// Bytes of a file after which another one is begun, and little used ones are emptied.
const LONG: u64 = if cfg!(test) { 4096 } else { 64 << 20 };

/// Files by their numbers.
type Files = BTreeSet<u64>;

/// A checkpoint's sequence, and the files that it speaks of.
type Spoken = (u64, Files);

/// The page files of one learner.
#[derive(Debug)]
pub(super) struct Shelves {
    pages: Pages,
    newest: Option<Spoken>,
    before: Option<Spoken>,
    /// Files of the newest checkpoint that may be there though writing it failed.
    unsure: Files,
}

impl Shelves {
    pub(super) fn new(pages: Pages) -> Self {
        Self {
            pages,
            newest: None,
            before: None,
            unsure: Files::new(),
        }
    }

    pub(super) fn pages(&self) -> &Pages {
        &self.pages
    }

    /// Begins another file if this one is long, and removes what nobody speaks of any more.
    pub(super) fn turn(&mut self, learner: &mut Learner) -> Result<(), store::Error> {
        if self.pages.drafted() < LONG {
            return Ok(());
        }
        let put = self.put(learner);
        self.retain(files(learner));
        put
    }

    /// Puts on disk what is not there of the learner's pages. Each try may begin a file: whoever calls it lets go of
    /// what is not spoken of, also where it fails.
    fn put(&self, learner: &mut Learner) -> Result<(), store::Error> {
        let little_used = self.little_used(learner);
        learner.save(&little_used, &self.pages)?;
        self.pages.sync()
    }

    /// Files of which less than half is in use, that are not to be relied on, or that are too many.
    fn little_used(&self, learner: &Learner) -> Files {
        let mut used: BTreeMap<u64, u64> = BTreeMap::new();
        for place in learner.places() {
            *used.entry(place.file).or_default() += place.bytes();
        }
        let sizes: BTreeMap<u64, u64> = self.pages.files().into_iter().collect();
        let little = |(file, used): (&u64, &u64)| {
            let size = sizes.get(file)?;
            (used * 2 < *size || self.pages.is_doubtful(*file)).then_some(*file)
        };
        let mut found: Files = used.iter().filter_map(little).collect();
        let mut others: Vec<(u64, u64)> = used.into_iter().map(|(f, used)| (used, f)).collect();
        others.retain(|(_, file)| sizes.contains_key(file) && !found.contains(file));
        others.sort_unstable();
        let many = others.len() >= FILES;
        let most = others.len().saturating_sub(FILES / 2);
        found.extend(others.iter().take(most).filter(|_| many).map(|(_, f)| *f));
        found
    }

    /// Writes a checkpoint with all pages that it speaks of; its own bytes.
    pub(super) fn checkpoint(
        &mut self,
        learner: &mut Learner,
        params: &Params,
        checkpoints: &Checkpoints,
    ) -> Result<usize, store::Error> {
        let written = self.write(learner, params, checkpoints);
        // What was written is spoken of; what was not is the learner's own still.
        let own = written.as_ref().err().map(|_| files(learner));
        self.retain(own.unwrap_or_default());
        written
    }

    /// As [`Shelves::checkpoint`], but what is not spoken of any more stays.
    fn write(
        &mut self,
        learner: &mut Learner,
        params: &Params,
        checkpoints: &Checkpoints,
    ) -> Result<usize, store::Error> {
        self.put(learner)?;
        let sequence = learner.sequence();
        let before = [&self.newest, &self.before]
            .into_iter()
            .flatten()
            .find(|(at, _)| *at < sequence)
            .cloned();
        let held = (params.fingerprint(), &before, &*learner);
        let files = files(learner);
        let fallback = before.as_ref().map(|(at, _)| *at);
        let saved = checkpoints.save(sequence, fallback, |to| {
            let encoded = postcard::to_io(&held, to);
            encoded.map(drop).map_err(io::Error::other)
        });
        if saved.is_err() && checkpoints.may_have(sequence) {
            self.unsure = files;
            return saved;
        }
        let bytes = saved?;
        self.unsure.clear();
        (self.newest, self.before) = (Some((sequence, files)), before);
        Ok(bytes)
    }

    /// Removes the files that neither checkpoint speaks of, nor are named.
    fn retain(&self, mut named: Files) {
        named.extend(&self.unsure);
        let spoken = [&self.newest, &self.before].into_iter().flatten();
        named.extend(spoken.flat_map(|(_, files)| files));
        self.pages.retain(&named);
    }
}

/// What no checkpoint speaks of is of use to nobody else.
impl Drop for Shelves {
    fn drop(&mut self) {
        self.retain(Files::new());
    }
}

fn files(learner: &Learner) -> Files {
    learner.places().map(|place| place.file).collect()
}

/// The learner of the newest checkpoint that fits the parameters, is whole, and does not speak of the page file
/// that is damaged, with its files; what no checkpoint speaks of is removed, if it is known of all of them what they
/// speak of. Newer ones are set aside, or passed over where they only cannot be read now, and told of.
pub(super) fn restored(
    store: &Store,
    checkpoints: &Checkpoints,
    params: &Params,
    damaged: Option<&str>,
) -> (Option<Learner>, Shelves) {
    let newest = store.journal().newest();
    let loaded = checkpoints.load(newest, |sequence, blob| {
        let (learner, before) = read(sequence, blob, params)?;
        let shelves = shelved(&learner, before, checkpoints.pages(), damaged)?;
        Ok((learner, shelves))
    });
    for refused in &loaded.refused {
        let (file, reason) = (&refused.file, &refused.reason);
        if reason == ANOTHER && refused.aside {
            tracing::warn!(
                file,
                "{ANOTHER}: set aside, and learned anew from the journal"
            );
            continue;
        }
        tracing::error!(
            file,
            reason,
            set_aside = refused.aside,
            "a checkpoint cannot serve; what it lacks is learned from the journal"
        );
    }
    let known = loaded.refused.iter().all(|refused| refused.aside);
    let (learner, shelves) = loaded.state.unzip();
    let shelves = shelves.unwrap_or_else(|| Shelves::new(checkpoints.pages()));
    let spoken = [&shelves.newest, &shelves.before].into_iter().flatten();
    let spoken: Files = spoken.flat_map(|(_, files)| files).copied().collect();
    if known {
        shelves.pages.sweep(&spoken);
    }
    (learner, shelves)
}

/// The learner that a checkpoint holds and what the one before it speaks of, or why it cannot serve.
fn read(sequence: u64, blob: &[u8], params: &Params) -> Result<(Learner, Option<Spoken>), Unfit> {
    // First alone: a state of another layout may not even decode.
    let (fingerprint, rest) = postcard::take_from_bytes::<u64>(blob).map_err(unsound)?;
    if fingerprint != params.fingerprint() {
        return Err(Unfit::Never(ANOTHER.to_owned()));
    }
    let held = postcard::take_from_bytes::<(Option<Spoken>, Learner)>(rest);
    let (held, rest) = held.map_err(unsound)?;
    let (before, mut learner) = held;
    if !rest.is_empty() || learner.sequence() != sequence {
        return Err(unsound("its content is not what its header says"));
    }
    learner.validate(params).map_err(unsound)?;
    learner.rescore(params);
    Ok((learner, before))
}

/// A checkpoint whose content does not hold.
fn unsound(reason: impl std::fmt::Display) -> Unfit {
    Unfit::Never(reason.to_string())
}

/// The page files of a learner that was read, open; or why they cannot serve.
fn shelved(
    learner: &Learner,
    before: Option<Spoken>,
    pages: Pages,
    damaged: Option<&str>,
) -> Result<Shelves, Unfit> {
    let mut ends: BTreeMap<u64, u64> = BTreeMap::new();
    for place in learner.places() {
        let end = ends.entry(place.file).or_default();
        *end = place.end().max(*end);
    }
    for (file, end) in &ends {
        if damaged.is_some_and(|damaged| damaged == Place::file_name(*file)) {
            return Err(unsound(format!("{} is damaged", Place::file_name(*file))));
        }
        pages.open(*file, *end)?;
    }
    for file in before.iter().flat_map(|(_, files)| files) {
        if !ends.contains_key(file) {
            // So that it is removed in time; whether it can serve is asked when it must.
            let _ = pages.open(*file, 0);
        }
    }
    Ok(Shelves {
        pages,
        newest: Some((learner.sequence(), ends.into_keys().collect())),
        before,
        unsure: Files::new(),
    })
}

#[cfg(test)]
mod tests;
