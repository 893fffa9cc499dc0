//! Paging: which pages of all teams' ledgers are at hand, and what is written of them.
//!
//! Invariants: after a record at most [`AT_HAND`] pages are at hand and those that it touched, and one of each
//! team; nothing that is learned depends on which. What [`Learner::bytes`] gives is a function of the records and
//! the parameters alone.
//!
//! Not here: how a page is found and read (`ledger`), the files (`shelves`).

use super::entry::Entry;
use super::learner::{Learner, Params};
use super::page::Shelf;
use crate::store::{self, Place};
use std::collections::BTreeSet;

/// Pages at hand in all: 4,096 decisions, some 1.2 MB. Where more come, a quarter leaves. Tests have two.
pub(super) const AT_HAND: usize = if cfg!(test) { 2 } else { 128 };

impl Learner {
    /// Lets the pages go that were not asked for lately, if there are too many at hand.
    pub(super) fn let_go(&mut self, shelf: &dyn Shelf) -> Result<(), store::Error> {
        let ledgers = self.teams.values().map(|team| &team.ledger);
        if ledgers.clone().map(|l| l.at_hand()).sum::<usize>() <= AT_HAND {
            return Ok(());
        }
        let mut marks: Vec<u64> = ledgers.flat_map(|ledger| ledger.marks()).collect();
        marks.sort_unstable();
        let last = marks.len().saturating_sub(AT_HAND * 3 / 4 + 1);
        let mark = marks.get(last).copied().unwrap_or_default();
        self.teams
            .values_mut()
            .try_for_each(|team| team.ledger.let_go(mark, shelf))
    }

    /// Puts on the shelf what has changed, and anew what lies in the files named.
    pub(super) fn save(
        &mut self,
        files: &BTreeSet<u64>,
        shelf: &dyn Shelf,
    ) -> Result<(), store::Error> {
        self.teams
            .values_mut()
            .try_for_each(|team| team.ledger.save(files, shelf))
    }

    /// Where pages lie.
    pub(super) fn places(&self) -> impl Iterator<Item = Place> {
        self.teams.values().flat_map(|team| team.ledger.places())
    }

    /// All that was learned, as bytes, wherever it lies: equal states give equal bytes. `None` if it cannot be
    /// encoded, which no state that was learned is known to do.
    pub(super) fn bytes(
        &self,
        params: &Params,
        shelf: &dyn Shelf,
    ) -> Result<Option<Vec<u8>>, store::Error> {
        let mut learner = self.clone();
        let mut encoded = Ok(Vec::new());
        for (name, team) in &self.teams {
            let Some(copy) = learner.teams.get_mut(name) else {
                continue;
            };
            let told = params.teams.get(name);
            copy.ledger.emptied(shelf, |number, id, mut entry: Entry| {
                if let Some(told) = told {
                    team.drop_stale(&mut entry.trial, told);
                }
                let bytes = std::mem::replace(&mut encoded, Ok(Vec::new()));
                encoded = bytes.and_then(|b| postcard::to_extend(&(number, id, entry), b));
            })?;
        }
        let whole = encoded.and_then(|entries| {
            let head = (params.fingerprint(), &learner, entries);
            postcard::to_allocvec(&head)
        });
        Ok(whole.ok())
    }
}

#[cfg(test)]
mod tests;
