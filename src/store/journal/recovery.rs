//! What opening finds: every record checked, a torn tail cut.
//!
//! Invariants: as in [`super`]; nothing is changed on disk before everything older was found whole.
//!
//! Not here: repair of damage in the middle. There is none: restore a copy, or start anew.

use super::frame::{Scanner, Step};
use super::segment::{self, Footprint, HEADER, Position};
use crate::store::Error;
use crate::store::disk::{Disk, DiskFile};
use crate::store::index::Known;
use crate::store::record::Record;
use crate::unit::Timestamp;
use std::sync::Arc;

/// Bytes read at a time.
const CHUNK: usize = 1 << 20;

/// What opening found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recovery {
    /// Records read.
    pub records: u64,
    /// Segments read.
    pub segments: usize,
    /// Whole records that do not decode: passed over, the same at every reading, and left in place.
    pub undecodable: u64,
    /// Bytes of a torn tail that were cut: records that were never acknowledged (mode sync) or fell
    /// in the last window (mode group).
    pub truncated_bytes: u64,
}

/// Where the journal ends.
pub(super) struct End {
    pub(super) firsts: Vec<u64>,
    pub(super) file: Arc<dyn DiskFile>,
    pub(super) first: u64,
    pub(super) next: u64,
    pub(super) tail: u64,
    pub(super) capacity: u64,
}

/// Where to start reading, given what is known. By default nothing is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Start<'a> {
    /// What is known: it was on disk, so that a journal that ends before it is damaged, not torn.
    pub known: Option<&'a Known>,
    /// Whether what comes before it is shown all the same.
    pub all: bool,
}

/// Shows a record, or that there is one that does not decode.
type Visit<'a> = &'a mut dyn FnMut(Footprint, Option<Record>);

pub(super) fn recover(
    disk: &dyn Disk,
    segment_bytes: u64,
    start: Start<'_>,
    now: Timestamp,
    visit: Visit<'_>,
) -> Result<(End, Recovery), Error> {
    let firsts = segments(disk)?;
    if let Some(&newest) = firsts.last() {
        sync(disk, newest)?;
    }
    let mut undecodable = 0;
    let (next, newest) = match start.known.filter(|_| !start.all) {
        Some(known) => walk_on(disk, &firsts, known, &mut undecodable, visit)?,
        None => walk(disk, &firsts, 1, &mut undecodable, visit)?,
    };
    if let (Some(known), Some(newest)) = (start.known, &newest)
        && next <= known.last.position.sequence
    {
        return Err(Error::Corrupt {
            file: segment::name(newest.first),
            offset: newest.tail,
        });
    }
    let mut recovery = Recovery {
        undecodable,
        records: next - 1,
        segments: firsts.len(),
        truncated_bytes: 0,
    };
    let Some(Newest { file, first, tail }) = newest else {
        let end = End {
            firsts: vec![1],
            file: segment::create(disk, 1, segment_bytes, now)?,
            first: 1,
            next,
            tail: HEADER,
            capacity: segment_bytes,
        };
        return Ok((end, recovery));
    };
    let name = segment::name(first);
    let (capacity, truncated_bytes) = clear_tail(&*file, &name, tail, segment_bytes)?;
    recovery.truncated_bytes = truncated_bytes;
    let end = End {
        firsts,
        file,
        first,
        next,
        tail,
        capacity,
    };
    Ok((end, recovery))
}

/// Shows every record of a journal that another process may be writing, and changes nothing: neither
/// lock nor repair. Ends where the journal ends for now; returns the number of records.
pub fn scan(disk: &dyn Disk, visit: &mut dyn FnMut(Position, Record)) -> Result<u64, Error> {
    let firsts = begun(disk)?;
    let mut visit = |footprint: Footprint, record| {
        if let Some(record) = record {
            visit(footprint.position, record);
        }
    };
    let (next, _) = walk(disk, &firsts, 1, &mut 0, &mut visit)?;
    Ok(next - 1)
}

/// Names of the segments, oldest first; all but the last get no more records.
pub fn segments_begun(disk: &dyn Disk) -> Result<Vec<String>, Error> {
    Ok(begun(disk)?.into_iter().map(segment::name).collect())
}

/// First sequences of the segments, but of one that is being made at this moment.
fn begun(disk: &dyn Disk) -> Result<Vec<u64>, Error> {
    let mut firsts = listed(disk)?;
    if let Some(&first) = firsts.last() {
        let name = segment::name(first);
        let file = disk.open(&name).map_err(|e| Error::io("open", &name, e))?;
        if !segment::header_holds(&*file, first)? {
            firsts.pop();
        }
    }
    Ok(firsts)
}

/// Whether the journal is the one that something is known of: false where it has no segment.
pub(super) fn holds(disk: &dyn Disk, known: &Known) -> Result<bool, Error> {
    let Footprint { position, crc, .. } = known.last;
    let firsts = listed(disk)?;
    let after = firsts.partition_point(|first| *first <= position.sequence);
    let Some(first) = after.checked_sub(1).and_then(|at| firsts.get(at)) else {
        return Ok(false);
    };
    let name = segment::name(*first);
    let file = disk.open(&name).map_err(|e| Error::io("open", &name, e))?;
    let mut scanner = Scanner::new(file, position.offset.into(), known.last.length as usize);
    let step = scanner.next(position.sequence);
    let passed = matches!(
        step.map_err(|e| Error::io("read", &name, e))?,
        Step::Payload(_)
    );
    match passed && scanner.crc() == crc {
        true => Ok(true),
        false => Err(Error::Corrupt {
            file: name,
            offset: position.offset.into(),
        }),
    }
}

/// What is read may be with the operating system only, and so may the segment's name; whoever is shown it takes it
/// as kept.
fn sync(disk: &dyn Disk, first: u64) -> Result<(), Error> {
    let name = segment::name(first);
    let file = disk.open(&name).map_err(|e| Error::io("open", &name, e))?;
    let synced = file.sync_data().and_then(|()| disk.sync_dir());
    synced.map_err(|e| Error::io("sync", &name, e))
}

/// The newest segment and where its records end.
struct Newest {
    file: Arc<dyn DiskFile>,
    first: u64,
    tail: u64,
}

/// Shows the records behind the last one that is known. Of the segments before that nothing is read; they must be
/// there.
fn walk_on(
    disk: &dyn Disk,
    firsts: &[u64],
    known: &Known,
    undecodable: &mut u64,
    visit: Visit<'_>,
) -> Result<(u64, Option<Newest>), Error> {
    let missing = known.segments.iter().find(|first| !firsts.contains(first));
    if let Some(&expected) = missing {
        let found = firsts.iter().copied().find(|first| *first > expected);
        let found = found.unwrap_or(known.last.position.sequence + 1);
        return Err(Error::Missing { expected, found });
    }
    let mut next = known.last.position.sequence + 1;
    let after = firsts.partition_point(|first| *first < next);
    let (&[.., first], later) = firsts.split_at(after) else {
        return Err(Error::NoRecord { sequence: 1 });
    };
    let name = segment::name(first);
    let file = disk.open(&name).map_err(|e| Error::io("open", &name, e))?;
    let from = known.last.end();
    let (tail, torn) = read_segment(&file, &name, from, (&mut next, undecodable), visit)?;
    if torn && !later.is_empty() {
        return Err(Error::Corrupt {
            file: name,
            offset: tail,
        });
    }
    let (next, newest) = walk(disk, later, next, undecodable, visit)?;
    Ok((next, newest.or(Some(Newest { file, first, tail }))))
}

/// Shows the records of these segments, of which the first starts with record `next` and only the last may be torn;
/// returns the sequence after the last record.
fn walk(
    disk: &dyn Disk,
    firsts: &[u64],
    mut next: u64,
    undecodable: &mut u64,
    visit: Visit<'_>,
) -> Result<(u64, Option<Newest>), Error> {
    let mut newest = None;
    for (index, &first) in firsts.iter().enumerate() {
        if first != next {
            return Err(gap(next, first));
        }
        let name = segment::name(first);
        let file = disk.open(&name).map_err(|e| Error::io("open", &name, e))?;
        let damaged = |file, offset| Err(Error::Corrupt { file, offset });
        if !segment::header_holds(&*file, first)? {
            return damaged(name, 0);
        }
        let (tail, torn) = read_segment(&file, &name, HEADER, (&mut next, undecodable), visit)?;
        if torn && index + 1 < firsts.len() {
            return damaged(name, tail);
        }
        newest = Some(Newest { file, first, tail });
    }
    Ok((next, newest))
}

fn gap(expected: u64, found: u64) -> Error {
    if found > expected {
        return Error::Missing { expected, found };
    }
    Error::Corrupt {
        file: segment::name(found),
        offset: 0,
    }
}

/// First sequences of the segments, rising.
fn listed(disk: &dyn Disk) -> Result<Vec<u64>, Error> {
    let names = disk
        .list()
        .map_err(|e| Error::io("list", "the data directory", e))?;
    let mut firsts: Vec<u64> = names
        .iter()
        .filter_map(|name| segment::first_of(name))
        .collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// First sequences of the segments. A newest one whose making was cut short is removed.
fn segments(disk: &dyn Disk) -> Result<Vec<u64>, Error> {
    let mut firsts = listed(disk)?;
    if let Some(&first) = firsts.last() {
        let name = segment::name(first);
        let file = disk.open(&name).map_err(|e| Error::io("open", &name, e))?;
        // Records come only after the header is on disk: without a header, all must be zeros.
        if !segment::header_holds(&*file, first)? && written_bytes(&*file, &name, HEADER)? == 0 {
            disk.remove(&name)
                .map_err(|e| Error::io("remove", &name, e))?;
            firsts.pop();
        }
    }
    Ok(firsts)
}

/// Shows the records of one segment from `from` on; returns where they end, and whether something is left there.
fn read_segment(
    file: &Arc<dyn DiskFile>,
    name: &str,
    from: u64,
    (next, undecodable): (&mut u64, &mut u64),
    visit: Visit<'_>,
) -> Result<(u64, bool), Error> {
    let mut scanner = Scanner::new(Arc::clone(file), from, CHUNK);
    loop {
        let offset = scanner.offset();
        match scanner
            .next(*next)
            .map_err(|e| Error::io("read", name, e))?
        {
            Step::Payload(payload) => {
                let decoded = Record::decode(payload, *next);
                let footprint = Footprint {
                    position: Position {
                        sequence: *next,
                        offset: u32::try_from(offset).unwrap_or(u32::MAX),
                    },
                    length: u32::try_from(scanner.offset() - offset).unwrap_or(u32::MAX),
                    crc: scanner.crc(),
                };
                match decoded {
                    Ok(record) => visit(footprint, Some(record)),
                    Err(Error::Undecodable { sequence, version }) => {
                        tracing::error!(
                            sequence,
                            version,
                            "a record that does not decode is passed over"
                        );
                        *undecodable += 1;
                        visit(footprint, None);
                    }
                    Err(error) => return Err(error),
                }
                *next += 1;
            }
            Step::End => return Ok((offset, false)),
            Step::Invalid => return Ok((offset, true)),
        }
    }
}

/// Cuts what stands after `tail` and sets the space aside anew; returns capacity and bytes cut.
fn clear_tail(
    file: &dyn DiskFile,
    name: &str,
    tail: u64,
    segment_bytes: u64,
) -> Result<(u64, u64), Error> {
    let truncated = written_bytes(file, name, tail)?;
    let failed = |operation| move |e| Error::io(operation, name, e);
    if truncated > 0 {
        file.set_len(tail).map_err(failed("truncate"))?;
    }
    let wanted = segment_bytes.max(tail);
    let capacity = match file.allocate(wanted).map_err(failed("extend")) {
        Ok(()) => wanted,
        // A full disk must not keep a server from reading: the next append asks again.
        Err(Error::Full { .. }) => tail,
        Err(error) => return Err(error),
    };
    // Always: what was read may be with the operating system only, and whoever reads it takes it as
    // kept. And before anything is appended, or a stale frame behind a new one might pass later.
    file.sync_data().map_err(failed("sync"))?;
    Ok((capacity, truncated))
}

/// Bytes from `from` to the last one that is not zero.
fn written_bytes(file: &dyn DiskFile, name: &str, from: u64) -> Result<u64, Error> {
    let mut buffer = vec![0; CHUNK];
    let (mut offset, mut end) = (from, from);
    loop {
        let read = file
            .read_at(&mut buffer, offset)
            .map_err(|e| Error::io("read", name, e))?;
        if let Some(last) = buffer[..read].iter().rposition(|byte| *byte != 0) {
            end = offset + last as u64 + 1;
        }
        offset += read as u64;
        if read < buffer.len() {
            return Ok(end - from);
        }
    }
}
