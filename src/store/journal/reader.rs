//! Reading records back: in order from a sequence, or one at a position.
//!
//! A reader sees a record as soon as the operating system has it. In mode sync it may thus see one
//! that is not yet on disk and has not been acknowledged; who keeps what it made of records (a
//! checkpoint) waits for [`super::Journal::on_disk`] first, or a power cut could leave it ahead of
//! the journal.
//!
//! Invariants: damage is an error and the reader stays where it is. One record is passed over, told and
//! counted: one that is whole by its checksum and does not decode, since no later try and no other copy
//! would do better (a build wrote what none can read).

use super::append::Shared;
use super::frame::{PREFIX, Scanner, Step};
use super::segment::{self, HEADER, Position};
use crate::store::Error;
use crate::store::record::Record;
use std::sync::Arc;

/// Bytes read at a time.
const CHUNK: usize = 64 * 1024;

/// Enough for most single records.
const ONE: usize = 4 * 1024;

/// A place in the journal that moves forward.
#[derive(Debug)]
pub struct Reader {
    shared: Arc<Shared>,
    next: u64,
    undecodable: u64,
    /// First sequence of the segment being read, and the scan of it.
    segment: Option<(u64, Scanner)>,
    /// A record at or before the first one to read: the scan for that starts here.
    near: Option<Position>,
}

impl Reader {
    pub(super) fn new(shared: Arc<Shared>, from: u64, near: Option<Position>) -> Self {
        Self {
            shared,
            next: from.max(1),
            undecodable: 0,
            segment: None,
            near,
        }
    }

    /// Sequence of the record that [`Reader::next`] gives.
    pub fn sequence(&self) -> u64 {
        self.next
    }

    /// How many whole records were passed over because they do not decode.
    pub fn undecodable(&self) -> u64 {
        self.undecodable
    }

    /// The next record; `None` where the journal ends for now.
    #[expect(
        clippy::should_implement_trait,
        reason = "the end is not final, as an iterator's is"
    )]
    pub fn next(&mut self) -> Result<Option<(Position, Record)>, Error> {
        while self.next <= self.shared.written() {
            match self.read_next() {
                Err(Error::Undecodable { sequence, version }) => {
                    tracing::error!(
                        sequence,
                        version,
                        "a record that does not decode is passed over"
                    );
                    self.undecodable += 1;
                    // The scan stands behind it.
                    self.next += 1;
                }
                read => return read.map(Some),
            }
        }
        Ok(None)
    }

    /// The record that is known to be there.
    fn read_next(&mut self) -> Result<(Position, Record), Error> {
        let sequence = self.next;
        let mut moved = false;
        loop {
            let (first, scanner) = match &mut self.segment {
                Some(segment) => segment,
                empty => empty.insert(start(&self.shared, sequence, self.near)?),
            };
            let (first, offset) = (*first, scanner.offset());
            let failed = |e| Error::io("read", &segment::name(first), e);
            match scanner.next(sequence).map_err(failed)? {
                Step::Payload(payload) => {
                    let offset = u32::try_from(offset).unwrap_or(u32::MAX);
                    let record = Record::decode(payload, sequence)?;
                    self.next += 1;
                    return Ok((Position { sequence, offset }, record));
                }
                Step::End | Step::Invalid if !moved => {
                    // The segment is full and the record is in the next one.
                    moved = true;
                    self.segment = None;
                }
                Step::End | Step::Invalid => {
                    let file = segment::name(first);
                    return Err(Error::Corrupt { file, offset });
                }
            }
        }
    }

    /// Appends at most `max` records to `out`, up to the end for now; tells how many.
    pub fn read(&mut self, max: usize, out: &mut Vec<(Position, Record)>) -> Result<usize, Error> {
        let before = out.len();
        while out.len() - before < max {
            match self.next()? {
                Some(record) => out.push(record),
                None => break,
            }
        }
        Ok(out.len() - before)
    }

    /// Waits until [`Reader::next`] has a record.
    pub async fn ready(&self) {
        self.shared.newer_than(self.next - 1).await;
    }
}

/// A scan that stands before record `sequence`.
fn start(shared: &Shared, sequence: u64, near: Option<Position>) -> Result<(u64, Scanner), Error> {
    let (first, file) = shared.segment_of(sequence)?;
    let near = near.filter(|near| (first..=sequence).contains(&near.sequence));
    let (from, offset) = near.map_or((first, HEADER), |near| (near.sequence, near.offset.into()));
    let mut scanner = Scanner::new(file, offset, CHUNK);
    for skipped in from..sequence {
        let offset = scanner.offset();
        let file = || segment::name(first);
        match scanner
            .next(skipped)
            .map_err(|e| Error::io("read", &file(), e))?
        {
            Step::Payload(_) => {}
            Step::End | Step::Invalid => {
                return Err(Error::Corrupt {
                    file: file(),
                    offset,
                });
            }
        }
    }
    Ok((first, scanner))
}

/// The record at `position`.
pub(super) fn at(shared: &Shared, position: Position) -> Result<Record, Error> {
    let Position { sequence, offset } = position;
    if sequence > shared.written() || (offset as usize) < PREFIX {
        return Err(Error::NoRecord { sequence });
    }
    let (first, file) = shared.segment_of(sequence)?;
    let mut scanner = Scanner::new(file, u64::from(offset), ONE);
    let name = segment::name(first);
    match scanner
        .next(sequence)
        .map_err(|e| Error::io("read", &name, e))?
    {
        Step::Payload(payload) => Record::decode(payload, sequence),
        Step::End | Step::Invalid => Err(Error::Corrupt {
            file: name,
            offset: offset.into(),
        }),
    }
}
