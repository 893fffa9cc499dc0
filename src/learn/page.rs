//! Pages of the ledger: entries that follow each other in the journal, at hand or on disk.
//!
//! Invariants: a page that is full never gets another entry; one that is not is at hand; what lies on disk is
//! what is at hand unless it has changed since, and then it has no place; what is read back is checked as a
//! checkpoint is, and what does not pass is damage ([`store::Error::Page`]).
//!
//! Not here: which page an entry is in (`ledger`), the files (`store::Pages`), when pages leave (`paging`).

use super::entry::Entry;
use crate::id::DecisionId;
use crate::store::{self, Pages, Place};
use crate::unit::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Entries of a page: some 4 KB on disk. Tests have pages of two, so that few decisions make many.
pub(super) const PAGE: u64 = if cfg!(test) { 2 } else { 32 };

/// Where pages that are not at hand lie.
pub trait Shelf {
    /// What was put there. An error but for [`store::Error::Page`] is worth another try.
    fn page(&self, place: Place) -> Result<Vec<u8>, store::Error>;
    /// Puts a page there; it is durable when the next checkpoint is.
    fn put(&self, payload: &[u8]) -> Result<Place, store::Error>;
}

impl Shelf for Pages {
    fn page(&self, place: Place) -> Result<Vec<u8>, store::Error> {
        self.read(place)
    }

    fn put(&self, payload: &[u8]) -> Result<Place, store::Error> {
        self.write(payload)
    }
}

/// The entries themselves.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Sheet {
    ids: Vec<DecisionId>,
    entries: Vec<Entry>,
}

/// A page, and what is known of it without reading it.
#[derive(Debug, Clone)]
pub(super) struct Page {
    /// The lowest and the highest [`head`] of its ids.
    pub(super) heads: (u64, u64),
    /// The lowest of it and all later pages, the highest of it and all earlier ones.
    pub(super) reach: (u64, u64),
    /// When its first decision was made.
    pub(super) time: Timestamp,
    place: Option<Place>,
    sheet: Option<Box<Sheet>>,
    /// When it was last asked for.
    used: u64,
}

/// The part of an id that pages are found by: the time it was minted at, and some chance.
pub(super) fn head(id: DecisionId) -> u64 {
    (id.as_u128() >> 64) as u64
}

impl Page {
    pub(super) fn new(id: DecisionId, time: Timestamp) -> Self {
        let heads = (head(id), head(id));
        let room = PAGE as usize;
        let sheet = Sheet {
            ids: Vec::with_capacity(room),
            entries: Vec::with_capacity(room),
        };
        Self {
            heads,
            reach: heads,
            time,
            place: None,
            sheet: Some(Box::new(sheet)),
            used: 0,
        }
    }

    /// Adds an entry to a page that is not full.
    pub(super) fn push(&mut self, id: DecisionId, entry: Entry, now: u64) {
        let head = head(id);
        self.heads = (self.heads.0.min(head), self.heads.1.max(head));
        self.used = now;
        self.place = None;
        if let Some(sheet) = &mut self.sheet {
            sheet.ids.push(id);
            sheet.entries.push(entry);
        }
    }

    pub(super) fn spans(&self, head: u64) -> bool {
        self.heads.0 <= head && head <= self.heads.1
    }

    pub(super) fn is_at_hand(&self) -> bool {
        self.sheet.is_some()
    }

    pub(super) fn used(&self) -> u64 {
        self.used
    }

    /// Where its content lies, unless it has changed since it was put there.
    pub(super) fn place(&self) -> Option<Place> {
        self.place
    }

    /// Nothing more will be added.
    fn is_full(&self) -> bool {
        self.sheet
            .as_ref()
            .is_none_or(|sheet| sheet.ids.len() as u64 >= PAGE)
    }

    /// The place of an id, if the page is at hand and has it.
    pub(super) fn slot_of(&self, id: DecisionId) -> Option<usize> {
        let sheet = self.sheet.as_ref()?;
        sheet.ids.iter().position(|own| *own == id)
    }

    pub(super) fn id(&self, slot: usize) -> Option<DecisionId> {
        self.sheet.as_ref()?.ids.get(slot).copied()
    }

    pub(super) fn entry(&self, slot: usize) -> Option<&Entry> {
        self.sheet.as_ref()?.entries.get(slot)
    }

    /// An entry that is about to change.
    pub(super) fn entry_mut(&mut self, slot: usize, now: u64) -> Option<&mut Entry> {
        let entry = self.sheet.as_mut()?.entries.get_mut(slot)?;
        self.used = now;
        self.place = None;
        Some(entry)
    }

    /// Has it at hand; whether it had to be read.
    pub(super) fn bring(
        &mut self,
        targets: &[usize],
        now: u64,
        shelf: &dyn Shelf,
    ) -> Result<bool, store::Error> {
        self.used = now;
        let (None, Some(place)) = (&self.sheet, self.place) else {
            return Ok(false);
        };
        self.sheet = Some(Box::new(read(place, targets, shelf)?));
        Ok(true)
    }

    /// A copy of its entries, wherever they lie.
    pub(super) fn copy(
        &self,
        targets: &[usize],
        shelf: &dyn Shelf,
    ) -> Result<Vec<(DecisionId, Entry)>, store::Error> {
        let sheet = match (&self.sheet, self.place) {
            (Some(sheet), _) => Sheet::clone(sheet),
            (None, Some(place)) => read(place, targets, shelf)?,
            (None, None) => Sheet::default(),
        };
        Ok(sheet.ids.into_iter().zip(sheet.entries).collect())
    }

    /// Puts on the shelf what is not there, if it is full.
    pub(super) fn save(&mut self, shelf: &dyn Shelf) -> Result<(), store::Error> {
        if let (Some(sheet), None) = (&self.sheet, self.place)
            && self.is_full()
            // What cannot be encoded, as no state is known to be, stays.
            && let Ok(payload) = postcard::to_allocvec(&**sheet)
        {
            self.place = Some(shelf.put(&payload)?);
        }
        Ok(())
    }

    /// Puts it into another file.
    pub(super) fn shift(&mut self, shelf: &dyn Shelf) -> Result<(), store::Error> {
        if let Some(place) = self.place {
            self.place = Some(shelf.put(&shelf.page(place)?)?);
        }
        Ok(())
    }

    /// Leaves, where it can be read back; whether it has left.
    pub(super) fn leave(&mut self, shelf: &dyn Shelf) -> Result<bool, store::Error> {
        self.save(shelf)?;
        let leaves = self.sheet.is_some() && self.place.is_some();
        if leaves {
            self.sheet = None;
        }
        Ok(leaves)
    }

    /// Whether it can serve: asked of what was read from disk.
    pub(super) fn is_whole(&self, targets: &[usize]) -> bool {
        let sheet = self.sheet.as_ref();
        let sound = |sheet: &Sheet| {
            sheet.ids.len() == sheet.entries.len()
                && sheet.ids.len() as u64 <= PAGE
                && sheet.entries.iter().all(|entry| entry.is_whole(targets))
        };
        self.heads.0 <= self.heads.1 && sheet.map_or(self.place.is_some(), |sheet| sound(sheet))
    }

    /// How many entries it has, live or not; a page on disk is full.
    pub(super) fn len(&self) -> u64 {
        let sheet = self.sheet.as_ref();
        sheet.map_or(PAGE, |sheet| sheet.ids.len() as u64)
    }
}

fn read(place: Place, targets: &[usize], shelf: &dyn Shelf) -> Result<Sheet, store::Error> {
    let payload = shelf.page(place)?;
    let sheet = postcard::from_bytes::<Sheet>(&payload).map_err(|_| place.damaged())?;
    let full = [sheet.ids.len(), sheet.entries.len()] == [PAGE as usize; 2];
    let whole = full && sheet.entries.iter().all(|entry| entry.is_whole(targets));
    whole.then_some(sheet).ok_or_else(|| place.damaged())
}

/// What a checkpoint holds of a page: where it lies, or its entries if it lies nowhere.
type Kept<S> = ((u64, u64), Timestamp, Option<Place>, Option<S>);

impl Serialize for Page {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let sheet = self.sheet.as_deref().filter(|_| self.place.is_none());
        let kept: Kept<&Sheet> = (self.heads, self.time, self.place, sheet);
        kept.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Page {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (heads, time, place, sheet) = Kept::<Box<Sheet>>::deserialize(deserializer)?;
        Ok(Self {
            heads,
            reach: heads,
            time,
            place,
            sheet,
            used: 0,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{Drawer, Maker, name};
    use super::*;
    use crate::store::Position;

    const TARGETS: [usize; 1] = [1];

    /// A page of so many entries.
    fn page(entries: u64) -> Page {
        let mut maker = Maker::new();
        let mut made = None;
        for sequence in 1..=entries {
            let decision = maker.decision(None);
            let at = Position {
                sequence,
                offset: 0,
            };
            let entry = Entry::new(&decision, &name("a"), at, None);
            let page = made.get_or_insert_with(|| Page::new(decision.id, decision.time));
            page.push(decision.id, entry, sequence);
        }
        made.unwrap()
    }

    #[test]
    fn a_full_page_leaves_and_comes_back_and_one_that_is_not_full_stays() {
        let mut full = page(PAGE);
        let before = full.entry(1).cloned();
        assert!(full.leave(&Drawer).unwrap());
        assert!(full.entry(1).is_none() && full.place().is_some());
        assert!(full.bring(&TARGETS, 9, &Drawer).unwrap());
        assert_eq!(full.entry(1).cloned(), before);
        assert!(!full.bring(&TARGETS, 9, &Drawer).unwrap());
        let mut half = page(PAGE - 1);
        assert!(!half.leave(&Drawer).unwrap());
        assert!(half.is_at_hand() && half.place().is_none());
    }

    #[test]
    fn what_changes_is_put_on_the_shelf_anew_and_what_does_not_is_not() {
        let mut page = page(PAGE);
        page.save(&Drawer).unwrap();
        let first = page.place();
        page.save(&Drawer).unwrap();
        assert_eq!(page.place(), first);
        page.entry_mut(0, 5).unwrap().closed = 1;
        assert_eq!(page.place(), None);
        page.leave(&Drawer).unwrap();
        assert_ne!(page.place(), first);
        page.bring(&TARGETS, 6, &Drawer).unwrap();
        assert_eq!(page.entry(0).unwrap().closed, 1);
    }

    #[test]
    fn what_does_not_fit_the_scorecard_is_damage() {
        let mut page = page(PAGE);
        page.entry_mut(0, 5).unwrap().learned = vec![Default::default(); 3];
        page.leave(&Drawer).unwrap();
        let place = page.place().unwrap();
        let error = page.bring(&TARGETS, 6, &Drawer).unwrap_err().to_string();
        assert_eq!(error, place.damaged().to_string());
        assert!(!page.is_at_hand());
    }
}
