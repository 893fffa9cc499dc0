//! The ledger: what has been learned from each recent decision, so that a late signal, a correction
//! or a retraction changes exactly what the first one did, and a missing signal takes its value at
//! its closing time.
//!
//! Entries stand in pages, most of them on disk: a page is brought before a step touches its entries, and leaves
//! between records. A page is found by the time that its decisions' ids were minted at, which is nearly the
//! journal's order; where many ids are of one millisecond, or a clock was set back, more pages are looked through.
//!
//! Invariants: entries stand in journal order; each (entry, group) closes once; at most
//! `Limits::open` entries, the oldest leave first; everything here is in the checkpoint, or in a page that it
//! names. What is asked of an entry whose page was not brought is as if it were unknown: whoever asks brings it
//! first, and a page that cannot be brought is an error with nothing changed.
//!
//! Not here: what a signal is worth (`scorecard`), the regressions (`bandit`), when pages leave (`paging`).

mod pages;

use super::episodes::Episodes;
use super::page::{PAGE, Page, Shelf, head};
use super::told::Told;
use crate::id::{DecisionId, Name};
use crate::store;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;
use std::ops::Range;
use std::time::Duration;

pub(super) use super::entry::{Entry, Learned};

/// Bounds of the ledger.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// How long after the last of its signals has closed a decision may still change what is learned:
    /// for corrections and retractions. Later feedback is late.
    pub grace: Duration,
    /// Most decisions kept (some 100 bytes each on disk, before feedback; in memory 4, and 45 of its episode).
    pub open: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            grace: Duration::from_secs(7 * 24 * 3600),
            open: 1_000_000,
        }
    }
}

/// Recent decisions of one team, in journal order. Each has a number: that of the one before it and 1.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub(super) struct Ledger {
    /// How many targets each group has.
    targets: Vec<usize>,
    /// Of `PAGE` entries each, from the one with number `left` on.
    pages: VecDeque<Page>,
    /// Entries that have left, and so the number of the oldest that is here.
    left: u64,
    /// The number of the next one.
    next: u64,
    /// Those that left to make room before all their signals had closed.
    crowded_out: u64,
    /// When the oldest was decided.
    oldest: Option<Timestamp>,
    /// For each group, the next entry to close.
    to_close: Vec<Front>,
    episodes: Episodes,
    /// Pages at hand.
    #[serde(skip)]
    at_hand: usize,
    /// What pages that are asked for now are marked with.
    #[serde(skip)]
    now: u64,
}

/// An entry by its number, and its time if it is there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
struct Front {
    number: u64,
    time: Option<Timestamp>,
}

/// What a checkpoint holds of a ledger, in the same order.
#[derive(Deserialize)]
struct Kept {
    targets: Vec<usize>,
    pages: VecDeque<Page>,
    left: u64,
    next: u64,
    crowded_out: u64,
    oldest: Option<Timestamp>,
    to_close: Vec<Front>,
    episodes: Episodes,
}

impl From<Kept> for Ledger {
    fn from(kept: Kept) -> Self {
        let mut ledger = Self {
            at_hand: kept.pages.iter().filter(|p| p.is_at_hand()).count(),
            targets: kept.targets,
            pages: kept.pages,
            left: kept.left,
            next: kept.next,
            crowded_out: kept.crowded_out,
            oldest: kept.oldest,
            to_close: kept.to_close,
            episodes: kept.episodes,
            now: 0,
        };
        let mut above = 0;
        for page in &mut ledger.pages {
            above = page.heads.1.max(above);
            page.reach.1 = above;
        }
        let mut below = u64::MAX;
        for page in ledger.pages.iter_mut().rev() {
            below = page.heads.0.min(below);
            page.reach.0 = below;
        }
        ledger
    }
}

impl Ledger {
    /// For groups of so many targets each.
    pub(super) fn new(targets: Vec<usize>) -> Self {
        Self {
            to_close: vec![Front::default(); targets.len()],
            targets,
            ..Self::default()
        }
    }

    /// Pages that are asked for from now on are marked with `now`, which never falls.
    pub(super) fn at(&mut self, now: u64) {
        self.now = now;
    }

    pub(super) fn open(&mut self, id: DecisionId, entry: Entry) {
        let (number, time) = (self.next, entry.time);
        if let Some(name) = &entry.episode {
            self.episodes.joined(name, number, &entry.arm, entry.draw);
        }
        if number.is_multiple_of(PAGE) {
            self.pages.push_back(Page::new(id, time));
            self.at_hand += 1;
        }
        if let Some(page) = self.pages.back_mut() {
            page.push(id, entry, self.now);
        }
        self.next += 1;
        self.reach(head(id));
        let waits = |front: &&mut Front| front.number == number;
        self.to_close
            .iter_mut()
            .filter(waits)
            .for_each(|front| front.time = Some(time));
        if self.left == number {
            self.oldest = Some(time);
        }
    }

    /// Keeps the reaches of pages right when the newest got an id of this head.
    fn reach(&mut self, head: u64) {
        let before = self.pages.len().checked_sub(2);
        let above = before.and_then(|i| self.pages.get(i)).map(|p| p.reach.1);
        if let Some(newest) = self.pages.back_mut() {
            newest.reach.1 = above.unwrap_or(0).max(newest.heads.1);
        }
        let mut pages = self.pages.iter_mut().rev();
        if let Some(newest) = pages.next() {
            newest.reach.0 = newest.heads.0;
        }
        for page in pages {
            if page.reach.0 <= head {
                break;
            }
            page.reach.0 = head;
        }
    }

    /// The pages among which all stand that may have an id of this head.
    fn around(&self, head: u64) -> Range<usize> {
        let from = self.pages.partition_point(|page| page.reach.1 < head);
        let to = self.pages.partition_point(|page| page.reach.0 <= head);
        from..to
    }

    /// The index of the page of an entry and its place there.
    fn place_of(&self, number: u64) -> Option<(usize, usize)> {
        let index = (number / PAGE).checked_sub(self.left / PAGE)?;
        Some((usize::try_from(index).ok()?, (number % PAGE) as usize))
    }

    fn number_of(&self, index: usize, slot: usize) -> u64 {
        (self.left / PAGE + index as u64) * PAGE + slot as u64
    }

    fn bring_page(&mut self, index: usize, shelf: &dyn Shelf) -> Result<(), store::Error> {
        if let Some(page) = self.pages.get_mut(index) {
            self.at_hand += usize::from(page.bring(&self.targets, self.now, shelf)?);
        }
        Ok(())
    }

    /// Has at hand what is known of a decision.
    pub(super) fn bring(&mut self, id: DecisionId, shelf: &dyn Shelf) -> Result<(), store::Error> {
        let head = head(id);
        for index in self.around(head).rev() {
            if self.pages.get(index).is_some_and(|p| p.spans(head)) {
                self.bring_page(index, shelf)?;
            }
        }
        Ok(())
    }

    /// Has an entry at hand; its decision, if it is still here.
    pub(super) fn bring_number(
        &mut self,
        number: u64,
        shelf: &dyn Shelf,
    ) -> Result<Option<DecisionId>, store::Error> {
        let live = (self.left..self.next).contains(&number);
        let Some((index, slot)) = self.place_of(number).filter(|_| live) else {
            return Ok(None);
        };
        self.bring_page(index, shelf)?;
        Ok(self.pages.get(index).and_then(|page| page.id(slot)))
    }

    /// Has the draws of an episode at hand, oldest first.
    pub(super) fn bring_draws(
        &mut self,
        episode: &Name,
        shelf: &dyn Shelf,
    ) -> Result<Vec<DecisionId>, store::Error> {
        let mut draws = Vec::new();
        for number in self.episodes.numbers(episode, true) {
            draws.extend(self.bring_number(number, shelf)?);
        }
        Ok(draws)
    }

    /// Where a decision stands, if its page is at hand: index of the page and place in it.
    fn find(&self, id: DecisionId) -> Option<(usize, usize)> {
        let head = head(id);
        let mut around = self.around(head).rev();
        let found = around.find_map(|index| {
            let page = self.pages.get(index).filter(|page| page.spans(head))?;
            Some((index, page.slot_of(id)?))
        });
        found.filter(|(index, slot)| self.number_of(*index, *slot) >= self.left)
    }

    pub(super) fn get(&self, id: DecisionId) -> Option<&Entry> {
        let (index, slot) = self.find(id)?;
        self.pages.get(index)?.entry(slot)
    }

    /// An entry that is about to change.
    pub(super) fn get_mut(&mut self, id: DecisionId) -> Option<&mut Entry> {
        let (index, slot) = self.find(id)?;
        let now = self.now;
        self.pages.get_mut(index)?.entry_mut(slot, now)
    }

    pub(super) fn knows(&self, id: DecisionId) -> bool {
        self.find(id).is_some()
    }

    pub(super) fn knows_episode(&self, episode: &Name) -> bool {
        self.episodes.knows(episode)
    }

    /// Numbers of the decisions of an episode, oldest first.
    pub(super) fn numbers(&self, episode: &Name) -> Vec<u64> {
        self.episodes.numbers(episode, false)
    }

    /// Keeps what was said of an episode that has decisions here.
    pub(super) fn tell(&mut self, episode: &Name, told: &Told) {
        self.episodes.tell(episode, told);
    }

    /// What was said of an episode.
    pub(super) fn told(&self, episode: &Name) -> Option<&Told> {
        self.episodes.told(episode)
    }

    /// Notes that an episode is closed.
    pub(super) fn close_episode(&mut self, episode: &Name) {
        self.episodes.close(episode);
    }

    pub(super) fn is_closed(&self, episode: &Name) -> bool {
        self.episodes.is_closed(episode)
    }

    /// Whether a decision is its arm's first draw of its episode; without an episode it is.
    pub(super) fn leads(&self, id: DecisionId) -> bool {
        let Some((index, slot)) = self.find(id) else {
            return false;
        };
        let entry = self.pages.get(index).and_then(|page| page.entry(slot));
        let episode = entry.and_then(|entry| entry.episode.as_ref());
        let number = self.number_of(index, slot);
        episode.is_none_or(|episode| self.episodes.leads(episode, number))
    }

    /// When an entry was decided, if its page is at hand or it is the first of it.
    fn time_of(&self, number: u64) -> Option<Timestamp> {
        let live = (self.left..self.next).contains(&number);
        let (index, slot) = self.place_of(number).filter(|_| live)?;
        let page = self.pages.get(index)?;
        page.entry(slot).map_or(Some(page.time), |e| Some(e.time))
    }

    /// The next decision whose group `group` is due at `now`, given how long the group stays open, at hand.
    /// The same one again until [`Ledger::passed`].
    pub(super) fn due(
        &mut self,
        group: usize,
        open_for: Duration,
        now: Timestamp,
        shelf: &dyn Shelf,
    ) -> Result<Option<DecisionId>, store::Error> {
        let front = self.to_close.get(group);
        let due = |front: &&Front| front.time.is_some_and(|t| t.after(open_for) <= now);
        match front.filter(due) {
            Some(front) => self.bring_number(front.number, shelf),
            None => Ok(None),
        }
    }

    /// The decision that was due has closed.
    pub(super) fn passed(&mut self, group: usize) {
        let number = self.to_close.get(group).map(|front| front.number + 1);
        let time = number.and_then(|number| self.time_of(number));
        if let (Some(front), Some(number)) = (self.to_close.get_mut(group), number) {
            *front = Front { number, time };
        }
    }

    /// Lets go of entries older than `window` or over the count of `open`. Whether one of them was the first that
    /// had to make room before all its signals had closed.
    pub(super) fn evict(
        &mut self,
        window: Duration,
        open: usize,
        now: Timestamp,
        shelf: &dyn Shelf,
    ) -> Result<bool, store::Error> {
        let before = self.crowded_out;
        while let Some(time) = self.oldest {
            if time.after(window) > now && self.next - self.left <= open as u64 {
                break;
            }
            self.bring_page(0, shelf)?;
            self.leave();
        }
        Ok(before == 0 && self.crowded_out > 0)
    }

    /// The oldest entry, whose page is at hand, leaves.
    fn leave(&mut self) {
        let (number, groups) = (self.left, self.to_close.len());
        let page = self.pages.front();
        let entry = page.and_then(|page| page.entry((number % PAGE) as usize));
        let closed = |g: usize| entry.is_none_or(|e| e.closed & (1 << g) != 0);
        self.crowded_out += u64::from(!(0..groups).all(closed));
        if let Some(episode) = entry.and_then(|entry| entry.episode.as_ref()) {
            self.episodes.left(episode, number);
        }
        self.left += 1;
        if self.left.is_multiple_of(PAGE) {
            let gone = self.pages.pop_front();
            self.at_hand -= usize::from(gone.is_some_and(|page| page.is_at_hand()));
        }
        self.oldest = self.time_of(self.left);
        let oldest = Front {
            number: self.left,
            time: self.oldest,
        };
        let behind = |front: &&mut Front| front.number < oldest.number;
        self.to_close
            .iter_mut()
            .filter(behind)
            .for_each(|front| *front = oldest);
    }

    /// When the first group still open will close, for whoever keeps time.
    pub(super) fn next_closing(&self, open_for: impl Fn(usize) -> Duration) -> Option<Timestamp> {
        let fronts = self.to_close.iter().enumerate();
        let due = fronts.filter_map(|(group, front)| Some(front.time?.after(open_for(group))));
        due.min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::{Drawer, HOUR, Maker, name};
    use crate::store::Position;

    #[test]
    fn a_decision_that_makes_room_before_it_closes_is_told_of_once() {
        let (mut ledger, mut maker) = (Ledger::new(vec![1, 1]), Maker::new());
        let mut open = |ledger: &mut Ledger, closed: u32| {
            let decision = maker.decision(None);
            let at = Position {
                sequence: 1,
                offset: 0,
            };
            let mut entry = Entry::new(&decision, &name("a"), at, None);
            entry.closed = closed;
            ledger.open(decision.id, entry);
            ledger.evict(HOUR, 2, decision.time, &Drawer).unwrap()
        };
        // The first two leave closed; of the others, one group was still open.
        let told: Vec<bool> = [0b11, 0b11, 0b01, 0b10, 0b01, 0b01, 0b01]
            .into_iter()
            .map(|closed| open(&mut ledger, closed))
            .collect();
        let first = [false, false, false, false, true, false, false];
        assert_eq!(told, first);
        assert_eq!((ledger.crowded_out, ledger.next - ledger.left), (3, 2));
    }

    /// A ledger of decisions whose ids were minted so many milliseconds after the start each.
    fn minted(millis: &[u64]) -> (Ledger, Vec<DecisionId>) {
        let (mut ledger, mut maker) = (Ledger::new(vec![1]), Maker::new());
        let start = maker.now;
        let ids = millis.iter().zip(1..).map(|(millis, sequence)| {
            maker.now = start.after(Duration::from_millis(*millis));
            let decision = maker.decision(None);
            let at = Position {
                sequence,
                offset: 0,
            };
            let entry = Entry::new(&decision, &name("a"), at, None);
            ledger.at(sequence);
            ledger.open(decision.id, entry);
            decision.id
        });
        let ids = ids.collect();
        (ledger, ids)
    }

    /// Every decision is found by its id and is the right one, wherever its page lies; `left` are not.
    fn check(ledger: &mut Ledger, ids: &[DecisionId], left: usize) {
        for (index, id) in ids.iter().enumerate() {
            ledger.let_go(u64::MAX, &Drawer).unwrap();
            ledger.bring(*id, &Drawer).unwrap();
            let found = ledger.get(*id).map(|entry| entry.position.sequence);
            let expected = (index >= left).then_some(index as u64 + 1);
            assert_eq!(found, expected, "{index}");
        }
    }

    #[test]
    fn a_decision_is_found_whatever_the_clock_did_before_and_after_a_restart() {
        for millis in [
            vec![0; 9],
            (0..40).collect(),
            vec![5, 4, 9, 2, 2, 8, 1, 30, 3, 29, 0, 7],
            (0..20).chain(3..11).chain(0..3).collect(),
        ] {
            let (mut ledger, ids) = minted(&millis);
            check(&mut ledger, &ids, 0);
            let bytes = postcard::to_allocvec(&ledger).unwrap();
            let mut restored: Ledger = postcard::from_bytes(&bytes).unwrap();
            assert!(restored.is_whole(&[1]) && !restored.is_whole(&[2]));
            check(&mut restored, &ids, 0);
            let now = Timestamp::from_micros(0);
            for ledger in [&mut ledger, &mut restored] {
                ledger.evict(HOUR, 4, now, &Drawer).unwrap();
                check(ledger, &ids, ids.len() - 4);
                assert!(ledger.is_whole(&[1]));
            }
        }
    }

    #[test]
    fn what_leaves_is_the_least_lately_used_and_a_page_in_use_or_not_full_stays() {
        let (mut ledger, ids) = minted(&[0, 1, 2, 3, 4, 5, 6]);
        assert_eq!(ledger.at_hand(), 4);
        ledger.let_go(4, &Drawer).unwrap();
        assert_eq!(ledger.marks().collect::<Vec<_>>(), [6, 7]);
        ledger.at(9);
        ledger.bring(ids[0], &Drawer).unwrap();
        ledger.let_go(8, &Drawer).unwrap();
        assert_eq!(ledger.marks().collect::<Vec<_>>(), [9, 7]);
        assert_eq!(ledger.at_hand(), 2);
    }
}
