//! Pages of a ledger that come and go.
//!
//! Invariants: no entry changes here; what is given of the entries is the same wherever they lie.
//!
//! Not here: how an entry is found (`ledger`), when which page leaves (`paging`).

use super::{Entry, Ledger};
use crate::id::DecisionId;
use crate::learn::page::{PAGE, Page, Shelf};
use crate::store::{self, Place};
use std::collections::BTreeSet;

impl Ledger {
    /// How many pages are at hand.
    pub(in crate::learn) fn at_hand(&self) -> usize {
        self.at_hand
    }

    /// When each page at hand was last asked for.
    pub(in crate::learn) fn marks(&self) -> impl Iterator<Item = u64> {
        let at_hand = self.pages.iter().filter(|page| page.is_at_hand());
        at_hand.map(Page::used)
    }

    /// Lets go of the pages that were not asked for since `mark`.
    pub(in crate::learn) fn let_go(
        &mut self,
        mark: u64,
        shelf: &dyn Shelf,
    ) -> Result<(), store::Error> {
        for page in &mut self.pages {
            if page.is_at_hand() && page.used() <= mark {
                self.at_hand -= usize::from(page.leave(shelf)?);
            }
        }
        Ok(())
    }

    /// Puts on the shelf what has changed, and anew what lies in the files named.
    pub(in crate::learn) fn save(
        &mut self,
        files: &BTreeSet<u64>,
        shelf: &dyn Shelf,
    ) -> Result<(), store::Error> {
        for page in &mut self.pages {
            page.save(shelf)?;
            if page.place().is_some_and(|at| files.contains(&at.file)) {
                page.shift(shelf)?;
            }
        }
        Ok(())
    }

    /// Where its pages lie.
    pub(in crate::learn) fn places(&self) -> impl Iterator<Item = Place> {
        self.pages.iter().filter_map(Page::place)
    }

    /// Gives its entries, oldest first, each with its number, and keeps none; wherever they lay, the same.
    pub(in crate::learn) fn emptied(
        &mut self,
        shelf: &dyn Shelf,
        mut give: impl FnMut(u64, DecisionId, Entry),
    ) -> Result<(), store::Error> {
        let first = self.left / PAGE * PAGE;
        for (page, start) in self.pages.drain(..).zip((first..).step_by(PAGE as usize)) {
            let entries = page.copy(&self.targets, shelf)?;
            for ((id, entry), number) in entries.into_iter().zip(start..) {
                if number >= self.left {
                    give(number, id, entry);
                }
            }
        }
        Ok(())
    }

    /// Whether it fits a scorecard whose groups have `targets` targets: asked of what was read from disk.
    pub(in crate::learn) fn is_whole(&self, targets: &[usize]) -> bool {
        let numbers = self.left..=self.next;
        let start = self.left / PAGE * PAGE;
        let lengths = self.pages.iter().map(Page::len).sum::<u64>();
        let newest = self.pages.len().saturating_sub(1);
        let full = |(i, page): (usize, &Page)| i == newest || page.len() == PAGE;
        self.targets == targets
            && self.to_close.len() == targets.len()
            && self.left <= self.next
            && start.checked_add(lengths) == Some(self.next)
            && self.pages.iter().enumerate().all(full)
            && self.pages.iter().all(|page| page.is_whole(targets))
            && self.to_close.iter().all(|f| numbers.contains(&f.number))
            && self.episodes.are_whole(self.left, self.next)
    }
}
