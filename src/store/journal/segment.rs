//! Names, headers and settings of segments, and the position of a record.
//!
//! Not here: what is inside (`frame`), which segments there are (`append`).

use crate::store::Error;
use crate::store::disk::{Disk, DiskFile};
use crate::unit::Timestamp;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a header; the first frame starts here.
pub(super) const HEADER: u64 = 32;

const MAGIC: &[u8; 8] = b"BWJOURNL";
const FORMAT: u32 = 1;

/// When an append counts as done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk: survives a power cut.
    Sync,
    /// When the operating system has it: survives the end of the process. A power cut loses at most
    /// the last window and what one sync takes.
    Group,
}

/// How to keep the journal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// When an append counts as done.
    pub durability: Durability,
    /// Bytes set aside for each segment, 4 KiB to 1 GiB.
    pub segment_bytes: u64,
    /// In mode group: longest wait from a write to the start of its sync, at most 1 s.
    pub group_window: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            durability: Durability::Group,
            segment_bytes: 64 * 1024 * 1024,
            group_window: Duration::from_millis(5),
        }
    }
}

impl Settings {
    pub(super) fn check(&self) -> Result<(), Error> {
        let refuse = |field, value, allowed| {
            Err(Error::Setting {
                field,
                value,
                allowed,
            })
        };
        if !(4096..=1 << 30).contains(&self.segment_bytes) {
            return refuse("segment_bytes", self.segment_bytes, "4096 to 1073741824");
        }
        if self.group_window > Duration::from_secs(1) {
            let micros = u64::try_from(self.group_window.as_micros()).unwrap_or(u64::MAX);
            return refuse("group_window (microseconds)", micros, "0 to 1000000");
        }
        Ok(())
    }
}

/// Where a record is. Ordered as the journal is.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub struct Position {
    /// Its number, from 1.
    pub sequence: u64,
    /// Where its frame starts in its segment, in bytes.
    pub offset: u32,
}

/// A record as it lies in its segment: enough to see that it is still there, and to go on behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Footprint {
    /// Where.
    pub position: Position,
    /// Bytes of its frame.
    pub length: u32,
    /// The frame's checksum.
    pub crc: u32,
}

impl Footprint {
    /// Where the next frame of the segment starts.
    pub(super) fn end(&self) -> u64 {
        u64::from(self.position.offset) + u64::from(self.length)
    }

    /// Whether its segment starts with it.
    pub fn is_first_of_segment(&self) -> bool {
        u64::from(self.position.offset) == HEADER
    }
}

/// File name of the segment whose first record is `first`. Sorts in journal order.
pub(super) fn name(first: u64) -> String {
    format!("journal-{first:020}.log")
}

/// The first sequence of a segment, from its name.
pub(super) fn first_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("journal-")?.strip_suffix(".log")?;
    let whole = digits.len() == 20 && digits.bytes().all(|b| b.is_ascii_digit());
    whole
        .then(|| digits.parse().ok())
        .flatten()
        .filter(|first| *first > 0)
}

fn header(first: u64, created: Timestamp) -> [u8; HEADER as usize] {
    let mut bytes = [0; HEADER as usize];
    bytes[..8].copy_from_slice(MAGIC);
    bytes[8..12].copy_from_slice(&FORMAT.to_le_bytes());
    bytes[12..20].copy_from_slice(&first.to_le_bytes());
    bytes[20..28].copy_from_slice(&created.micros().to_le_bytes());
    let crc = crc32fast::hash(&bytes[..28]);
    bytes[28..].copy_from_slice(&crc.to_le_bytes());
    bytes
}

/// Whether `file` starts with the header of segment `first`. An unknown format is an error.
pub(super) fn header_holds(file: &dyn DiskFile, first: u64) -> Result<bool, Error> {
    let mut bytes = [0; HEADER as usize];
    file.read_at(&mut bytes, 0)
        .map_err(|e| Error::io("read", &name(first), e))?;
    let (covered, crc) = bytes.split_at(28);
    if &covered[..8] != MAGIC || crc != crc32fast::hash(covered).to_le_bytes() {
        return Ok(false);
    }
    let format = covered[8..12]
        .iter()
        .rev()
        .fold(0, |n, b| n << 8 | u32::from(*b));
    if format != FORMAT {
        return Err(Error::Format {
            file: name(first),
            version: format,
        });
    }
    Ok(covered[12..20] == first.to_le_bytes())
}

/// Makes an empty segment, durably: space set aside, header and name on disk.
pub(super) fn create(
    disk: &dyn Disk,
    first: u64,
    bytes: u64,
    created: Timestamp,
) -> Result<Arc<dyn DiskFile>, Error> {
    let name = name(first);
    let made = disk.create(&name, bytes).and_then(|file| {
        file.write_at(&header(first, created), 0)?;
        file.sync_data()?;
        disk.sync_dir()?;
        Ok(file)
    });
    made.map_err(|error| {
        // It holds no record; at open a segment without a header is removed anyway.
        let _ = disk.remove(&name);
        Error::io("create", &name, error)
    })
}
