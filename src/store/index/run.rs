//! A file of sorted keys: the index of one stretch of the journal, which never changes.
//!
//! Layout of `index-{first}-{last}.run`, little-endian:
//!
//! ```text
//! header  magic 8 | format u32 | place of the rest u64 | its length u32 | its crc32 u32 | crc32 of these u32
//! tables  entries of 16 bytes: key u64 | sequence, less that of the first record u32 | place in its segment u32
//! filter  of the last table's keys
//! rest    postcard of Rest
//! ```
//!
//! Entries stand in blocks of 256, each with its crc in the rest, and its first key: a key is found with one read
//! of 4 KiB. In memory stand the rest and the filter: 1.5 bytes a key of the last table, and 16 for each
//! 256 entries of every table and 256 records.
//!
//! Invariants: a file has its name only when all of it is on disk; damage is told as [`Error::IndexDamaged`], never
//! taken for an answer.
//!
//! Not here: writing one (`draft`), which there are (`index`).

use super::filter::Filter;
use super::key::{Key, TABLES, Table};
use super::young::{Entry, Span};
use crate::id::Name;
use crate::store::Error;
use crate::store::disk::{Disk, DiskFile};
use crate::store::journal::Position;
use crate::store::record::Control;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

pub(super) const MAGIC: &[u8; 8] = b"BWINDEX\0";
pub(super) const FORMAT: u32 = 2;
pub(super) const HEADER: usize = 32;

/// Bytes of an entry.
pub(super) const ENTRY: usize = 16;
/// Entries of a block.
pub(super) const BLOCK: usize = 256;

/// A stretch of bytes in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent {
    pub(super) at: u64,
    pub(super) len: u32,
    pub(super) crc: u32,
}

/// One table: its entries from `at`, block by block.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Shape {
    pub(super) at: u64,
    pub(super) len: usize,
    pub(super) blocks: Vec<Block>,
}

/// 256 entries, or what is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Block {
    pub(super) first: u64,
    pub(super) crc: u32,
}

/// What stands beside the stretch itself: the same in the newest file as it was in the journal then.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Beside {
    /// Each team's pin and freeze.
    pub(super) controls: BTreeMap<Name, Control>,
    /// First sequences of the journal's segments.
    pub(super) segments: Vec<u64>,
    /// First record that is looked up: what comes before was let go of.
    pub(super) oldest: u64,
    /// See [`crate::store::Digest`].
    pub(super) digest: Vec<u8>,
}

/// All but the entries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Rest {
    pub(super) span: Span,
    pub(super) tables: [Shape; TABLES],
    pub(super) filter: Extent,
    pub(super) beside: Beside,
}

/// A file, open.
#[derive(Debug)]
pub(super) struct Run {
    pub(super) name: String,
    file: Arc<dyn DiskFile>,
    pub(super) span: Span,
    pub(super) tables: [Shape; TABLES],
    filter: Filter,
}

/// Name of the file of records `first` to `last`. Sorts in journal order.
pub(super) fn name(first: u64, last: u64) -> String {
    format!("index-{first:020}-{last:020}.run")
}

/// First and last sequence of a file, from its name.
pub(super) fn span_of(name: &str) -> Option<(u64, u64)> {
    let numbers = name.strip_prefix("index-")?.strip_suffix(".run")?;
    let (first, last) = numbers.split_once('-')?;
    let number = |digits: &str| (digits.len() == 20).then(|| digits.parse().ok()).flatten();
    Some((number(first)?, number(last)?))
}

impl Run {
    /// Opens a file; what stands beside it too. What is not whole is told as damage.
    pub(super) fn open(disk: &dyn Disk, name: String) -> Result<(Self, Beside), Error> {
        let damaged = || Error::IndexDamaged { file: name.clone() };
        let failed = |e| Error::io("read", &name, e);
        let file = disk.open(&name).map_err(|e| Error::io("open", &name, e))?;
        let mut header = [0; HEADER];
        file.read_at(&mut header, 0).map_err(failed)?;
        let rest = rest_of(&header).ok_or_else(damaged)?;
        let rest = read(&*file, rest).map_err(failed)?.ok_or_else(damaged)?;
        let rest = postcard::from_bytes::<Rest>(&rest).map_err(|_| damaged())?;
        if span_of(&name) != Some((rest.span.first, rest.span.last.position.sequence)) {
            return Err(damaged());
        }
        let filter = read(&*file, rest.filter)
            .map_err(failed)?
            .ok_or_else(damaged)?;
        let run = Self {
            file,
            span: rest.span,
            tables: rest.tables,
            filter: Filter::read(&filter),
            name,
        };
        Ok((run, rest.beside))
    }

    /// Its last record.
    pub(super) fn last(&self) -> u64 {
        self.span.last.position.sequence
    }

    /// Records that it speaks of.
    pub(super) fn records(&self) -> u64 {
        self.last() + 1 - self.span.first
    }

    /// Decisions in it.
    pub(super) fn decisions(&self) -> usize {
        self.tables[Table::Ids as usize].len
    }

    /// Puts where a key leads into `found`, newest first, from before record `before` on, until that holds `most`.
    pub(super) fn find(
        &self,
        key: Key,
        before: u64,
        most: usize,
        found: &mut Vec<Position>,
    ) -> Result<(), Error> {
        if key.table == Table::Names && !self.filter.may_have(key.bits) {
            return Ok(());
        }
        let shape = &self.tables[key.table as usize];
        // The last block that may hold it, and those before as long as the key goes on.
        let after = shape
            .blocks
            .partition_point(|block| block.first <= key.bits);
        for number in (0..after).rev() {
            let block = self.block(key.table, number)?;
            let end = block.partition_point(|e| (e.bits, e.at.sequence) < (key.bits, before));
            for entry in block[..end].iter().rev() {
                if entry.bits != key.bits || found.len() >= most {
                    return Ok(());
                }
                found.push(entry.at);
            }
        }
        Ok(())
    }

    /// Entries of a table's block.
    pub(super) fn block(&self, table: Table, number: usize) -> Result<Vec<Entry>, Error> {
        let damaged = || Error::IndexDamaged {
            file: self.name.clone(),
        };
        let shape = &self.tables[table as usize];
        let block = shape.blocks.get(number).ok_or_else(damaged)?;
        let entries = shape.len.saturating_sub(number * BLOCK).min(BLOCK);
        let mut bytes = vec![0; entries * ENTRY];
        let at = shape.at + (number * BLOCK * ENTRY) as u64;
        let read = self.file.read_at(&mut bytes, at);
        let read = read.map_err(|e| Error::io("read", &self.name, e))?;
        if read < bytes.len() || crc32fast::hash(&bytes) != block.crc {
            return Err(damaged());
        }
        let (entries, _) = bytes.as_chunks::<ENTRY>();
        Ok(entries.iter().map(|e| decode(e, self.span.first)).collect())
    }
}

/// Where the rest is, if the header holds.
fn rest_of(header: &[u8; HEADER]) -> Option<Extent> {
    let (covered, crc) = header.split_at(HEADER - 4);
    if crc != crc32fast::hash(covered).to_le_bytes() || !covered.starts_with(MAGIC) {
        return None;
    }
    let word = |at: usize| Some(u32::from_le_bytes(*covered.get(at..)?.first_chunk()?));
    if word(8)? != FORMAT {
        return None;
    }
    Some(Extent {
        at: u64::from_le_bytes(*covered.get(12..)?.first_chunk()?),
        len: word(20)?,
        crc: word(24)?,
    })
}

/// The bytes of an extent, if they are the right ones.
fn read(file: &dyn DiskFile, extent: Extent) -> std::io::Result<Option<Vec<u8>>> {
    if extent.at.saturating_add(extent.len.into()) > file.size()? {
        return Ok(None);
    }
    let mut bytes = vec![0; extent.len as usize];
    let read = file.read_at(&mut bytes, extent.at)?;
    let whole = read == bytes.len() && crc32fast::hash(&bytes) == extent.crc;
    Ok(whole.then_some(bytes))
}

pub(super) fn encode(entry: &Entry, first: u64) -> [u8; ENTRY] {
    let mut bytes = [0; ENTRY];
    // A file holds far fewer records than 32 bits count.
    let after = u32::try_from(entry.at.sequence - first).unwrap_or(u32::MAX);
    bytes[..8].copy_from_slice(&entry.bits.to_le_bytes());
    bytes[8..12].copy_from_slice(&after.to_le_bytes());
    bytes[12..].copy_from_slice(&entry.at.offset.to_le_bytes());
    bytes
}

fn decode(bytes: &[u8; ENTRY], first: u64) -> Entry {
    let bits = u64::from_le_bytes(std::array::from_fn(|i| bytes[i]));
    let word = |at: usize| u32::from_le_bytes(std::array::from_fn(|i| bytes[at + i]));
    Entry {
        bits,
        at: Position {
            sequence: first + u64::from(word(8)),
            offset: word(12),
        },
    }
}
