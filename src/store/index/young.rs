//! Keys of the newest records, in memory until there are enough of them for a file.
//!
//! Invariants: records come in journal order, each once.
//!
//! Not here: files (`run`).

use super::key::{Key, TABLES, Table};
use crate::store::journal::{Footprint, Position};
use crate::store::record::Record;
use crate::unit::Timestamp;
use std::collections::HashMap;

/// A place in the journal is kept for one record of so many: whoever reads on from a record starts there.
const MARK_EVERY: u64 = 256;

/// A key and the record that it leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) bits: u64,
    pub(super) at: Position,
}

/// What is known of a stretch of the journal as a whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct Span {
    /// Its first record.
    pub(super) first: u64,
    /// Its last one, as it lies in its segment.
    pub(super) last: Footprint,
    /// Time of the earliest record.
    pub(super) oldest: Timestamp,
    /// Time of the latest one.
    pub(super) newest: Timestamp,
    /// Records to start reading at.
    pub(super) marks: Vec<Position>,
}

impl Span {
    fn at(footprint: Footprint, time: Timestamp) -> Self {
        Self {
            first: footprint.position.sequence,
            last: footprint,
            oldest: time,
            newest: time,
            marks: vec![footprint.position],
        }
    }

    fn take(&mut self, footprint: Footprint, time: Timestamp) {
        self.last = footprint;
        self.oldest = self.oldest.min(time);
        self.newest = self.newest.max(time);
        if footprint.position.sequence.is_multiple_of(MARK_EVERY) {
            self.marks.push(footprint.position);
        }
    }

    /// This and the stretch right after it.
    pub(super) fn joined(mut self, next: &Self) -> Self {
        self.last = next.last;
        self.oldest = self.oldest.min(next.oldest);
        self.newest = self.newest.max(next.newest);
        self.marks.extend(&next.marks);
        self
    }

    /// The nearest place to start at to read record `sequence`.
    pub(super) fn mark(&self, sequence: u64) -> Option<Position> {
        let after = self.marks.partition_point(|mark| mark.sequence <= sequence);
        self.marks.get(after.checked_sub(1)?).copied()
    }
}

/// Keys of one table.
#[derive(Debug, Default)]
struct Column {
    /// In journal order, each with the number of the one before with the same key.
    entries: Vec<(Entry, Option<u32>)>,
    /// Number of the newest of each key.
    newest: HashMap<u64, u32>,
}

impl Column {
    fn put(&mut self, entry: Entry) {
        let number = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let before = self.newest.insert(entry.bits, number);
        self.entries.push((entry, before));
    }

    fn newest_first(&self, bits: u64) -> impl Iterator<Item = Position> {
        let entry = |number: &u32| self.entries.get(*number as usize);
        let newest = self.newest.get(&bits).and_then(entry);
        let before = move |(_, before): &&(Entry, Option<u32>)| before.as_ref().and_then(entry);
        std::iter::successors(newest, before).map(|(entry, _)| entry.at)
    }
}

/// Keys of the newest records.
#[derive(Debug, Default)]
pub(super) struct Young {
    columns: [Column; TABLES],
    span: Option<Span>,
    records: usize,
}

impl Young {
    /// `now`: the time of the latest record so far.
    pub(super) fn take(&mut self, footprint: Footprint, record: Option<&Record>, now: Timestamp) {
        let time = record.map_or(now, Record::time);
        match &mut self.span {
            Some(span) => span.take(footprint, time),
            empty => *empty = Some(Span::at(footprint, time)),
        }
        self.records += 1;
        let Some(record) = record else {
            return;
        };
        Key::each(record, &mut |Key { table, bits }| {
            let at = footprint.position;
            if let Some(column) = self.columns.get_mut(table as usize) {
                column.put(Entry { bits, at });
            }
        });
    }

    /// Records taken in.
    pub(super) fn records(&self) -> usize {
        self.records
    }

    /// Decisions among them.
    pub(super) fn decisions(&self) -> usize {
        let ids = self.columns.get(Table::Ids as usize);
        ids.map_or(0, |ids| ids.entries.len())
    }

    /// `None` where there are none.
    pub(super) fn span(&self) -> Option<&Span> {
        self.span.as_ref()
    }

    /// Where a key leads, newest first.
    pub(super) fn newest_first(&self, key: Key) -> impl Iterator<Item = Position> {
        let column = self.columns.get(key.table as usize);
        column
            .into_iter()
            .flat_map(move |column| column.newest_first(key.bits))
    }

    /// The entries of a table, by key and then in journal order.
    pub(super) fn sorted(&self, table: Table) -> Vec<Entry> {
        let column = self.columns.get(table as usize);
        let entries = column.into_iter().flat_map(|column| &column.entries);
        let mut sorted: Vec<Entry> = entries.map(|(entry, _)| *entry).collect();
        sorted.sort_unstable();
        sorted
    }
}
