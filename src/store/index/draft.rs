//! Writing a file of sorted keys: from memory, or from several files into one.
//!
//! Invariants: entries are pushed table by table, in order; the file gets its name last.
//!
//! Not here: the layout (`run`).

use super::filter::Filter;
use super::key::{TABLES, Table};
use super::run::{
    self, BLOCK, Beside, Block, ENTRY, Extent, FORMAT, HEADER, MAGIC, Rest, Run, Shape,
};
use super::young::{Entry, Span, Young};
use crate::store::Error;
use crate::store::disk::{Disk, DiskFile};
use std::sync::Arc;

/// The tables, in the order in which they are written.
const ALL: [Table; TABLES] = [Table::Ids, Table::Followed, Table::Teams, Table::Names];

/// Bytes gathered before they are written.
const CHUNK: usize = 64 * 1024;

/// Writes the keys of a stretch of the journal.
pub(super) fn write(
    disk: &dyn Disk,
    (young, span): (&Young, &Span),
    beside: Beside,
) -> Result<Run, Error> {
    let names = young.sorted(Table::Names);
    drafted(disk, span.clone(), (names.len(), beside), |draft| {
        for table in [Table::Ids, Table::Followed, Table::Teams] {
            draft.begin();
            young.sorted(table).iter().try_for_each(|e| draft.push(e))?;
        }
        draft.begin();
        names.iter().try_for_each(|entry| draft.push(entry))
    })
}

/// Writes one file for several, oldest first, each right after the one before.
pub(super) fn merge(disk: &dyn Disk, runs: &[Arc<Run>], beside: Beside) -> Result<Run, Error> {
    let spans = runs.iter().map(|run| run.span.clone());
    let span = spans.reduce(|span, next| span.joined(&next));
    let span = span.ok_or(Error::Closed)?;
    let names = runs.iter().map(|run| run.tables[Table::Names as usize].len);
    drafted(disk, span, (names.sum(), beside), |draft| {
        ALL.iter().try_for_each(|table| draft.merged(runs, *table))
    })
}

/// A file that is filled by `fill`: of one that fails nothing is left.
fn drafted(
    disk: &dyn Disk,
    span: Span,
    (names, beside): (usize, Beside),
    fill: impl FnOnce(&mut Draft<'_>) -> Result<(), Error>,
) -> Result<Run, Error> {
    let mut draft = Draft::new(disk, &span, names)?;
    let unfinished = unfinished(&draft.name);
    let filled = fill(&mut draft).and_then(|()| draft.finish(span, beside));
    filled.inspect_err(|_| {
        // Only space: the next start tries again.
        let _ = disk.remove(&unfinished);
    })
}

/// A place in a table of a file.
struct Cursor<'a> {
    run: &'a Run,
    table: Table,
    entry: Entry,
    block: std::vec::IntoIter<Entry>,
    next: usize,
    done: bool,
}

impl<'a> Cursor<'a> {
    /// At the first entry; `None` where there is none.
    fn start(run: &'a Run, table: Table) -> Result<Option<Self>, Error> {
        if run.tables[table as usize].len == 0 {
            return Ok(None);
        }
        let mut block = run.block(table, 0)?.into_iter();
        let Some(entry) = block.next() else {
            return Ok(None);
        };
        Ok(Some(Self {
            run,
            table,
            entry,
            block,
            next: 1,
            done: false,
        }))
    }

    /// Goes on to the next entry; whether there is one.
    fn step(&mut self) -> Result<bool, Error> {
        let mut next = self.block.next();
        if next.is_none() && self.next < self.run.tables[self.table as usize].blocks.len() {
            self.block = self.run.block(self.table, self.next)?.into_iter();
            self.next += 1;
            next = self.block.next();
        }
        match next {
            Some(entry) => self.entry = entry,
            None => self.done = true,
        }
        Ok(!self.done)
    }
}

/// A file in the making.
struct Draft<'a> {
    disk: &'a dyn Disk,
    name: String,
    file: Arc<dyn DiskFile>,
    /// Sequence of the first record.
    first: u64,
    /// Where `waiting` goes.
    at: u64,
    waiting: Vec<u8>,
    tables: Vec<Shape>,
    /// Of the last table.
    filter: Filter,
}

impl<'a> Draft<'a> {
    fn new(disk: &'a dyn Disk, span: &Span, names: usize) -> Result<Self, Error> {
        let name = run::name(span.first, span.last.position.sequence);
        let unfinished = unfinished(&name);
        let file = disk.create(&unfinished, 0);
        let file = file.map_err(|e| Error::io("create", &unfinished, e))?;
        Ok(Self {
            disk,
            name,
            file,
            first: span.first,
            at: HEADER as u64,
            waiting: Vec::with_capacity(CHUNK + BLOCK * ENTRY),
            tables: Vec::with_capacity(TABLES),
            filter: Filter::of(names),
        })
    }

    /// The next table, from those of several files.
    fn merged(&mut self, runs: &[Arc<Run>], table: Table) -> Result<(), Error> {
        self.begin();
        let mut cursors = Vec::with_capacity(runs.len());
        for run in runs {
            cursors.extend(Cursor::start(run, table)?);
        }
        // Each time the least of the next entries: there are a handful of files.
        while let Some(least) = cursors.iter_mut().min_by_key(|cursor| cursor.entry) {
            self.push(&least.entry)?;
            if !least.step()? {
                cursors.retain(|cursor| !cursor.done);
            }
        }
        Ok(())
    }

    /// Goes on with the next table.
    fn begin(&mut self) {
        self.tables.push(Shape {
            at: self.at + self.waiting.len() as u64,
            ..Shape::default()
        });
    }

    fn push(&mut self, entry: &Entry) -> Result<(), Error> {
        if self.tables.len() == TABLES {
            self.filter.put(entry.bits);
        }
        if let Some(shape) = self.tables.last_mut() {
            let bytes = run::encode(entry, self.first);
            if shape.len.is_multiple_of(BLOCK) {
                shape.blocks.push(Block {
                    first: entry.bits,
                    crc: 0,
                });
            }
            if let Some(block) = shape.blocks.last_mut() {
                // Of all bytes of the block so far, as one hash over them would be.
                let mut hasher = crc32fast::Hasher::new_with_initial(block.crc);
                hasher.update(&bytes);
                block.crc = hasher.finalize();
            }
            shape.len += 1;
            self.waiting.extend_from_slice(&bytes);
        }
        match self.waiting.len() < CHUNK {
            true => Ok(()),
            false => self.flush(),
        }
    }

    fn flush(&mut self) -> Result<(), Error> {
        let written = self.file.write_at(&self.waiting, self.at);
        written.map_err(|e| Error::io("write", &self.name, e))?;
        self.at += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }

    /// Writes more bytes, and tells where they are.
    fn extent(&mut self, bytes: &[u8]) -> Result<Extent, Error> {
        self.flush()?;
        let extent = Extent {
            at: self.at,
            len: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
            crc: crc32fast::hash(bytes),
        };
        self.waiting.extend_from_slice(bytes);
        self.flush()?;
        Ok(extent)
    }

    fn finish(mut self, span: Span, beside: Beside) -> Result<Run, Error> {
        let filter = self.filter.bytes();
        let filter = self.extent(&filter)?;
        let mut tables = std::mem::take(&mut self.tables).into_iter();
        let tables = std::array::from_fn(|_| tables.next().unwrap_or_default());
        let rest = Rest {
            span,
            tables,
            filter,
            beside,
        };
        // Growing a Vec is the only step that could fail, and it aborts instead.
        let rest = postcard::to_allocvec(&rest).unwrap_or_default();
        let rest = self.extent(&rest)?;
        let failed = |e| Error::io("write", &self.name, e);
        self.file.write_at(&header(rest), 0).map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        let renamed = self.disk.rename(&unfinished(&self.name), &self.name);
        renamed.map_err(failed)?;
        self.disk.sync_dir().map_err(failed)?;
        let (run, _) = Run::open(self.disk, self.name)?;
        Ok(run)
    }
}

/// Its name until it is finished.
fn unfinished(name: &str) -> String {
    format!("{name}.tmp")
}

fn header(rest: Extent) -> [u8; HEADER] {
    let mut bytes = [0; HEADER];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..20].copy_from_slice(&rest.at.to_le_bytes());
    bytes[20..24].copy_from_slice(&rest.len.to_le_bytes());
    bytes[24..28].copy_from_slice(&rest.crc.to_le_bytes());
    let crc = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}
