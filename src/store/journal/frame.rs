//! One record in a segment: sealing it for the disk, and finding it again.
//!
//! Invariants: a frame passes only at its own sequence; [`Scanner::next`] never reads past what it
//! was asked for and leaves its place where it was unless a frame passed.
//!
//! Not here: files and which of them (`append`, `reader`).

use crate::store::Error;
use crate::store::disk::DiskFile;
use crate::store::record::{MAX_BYTES, Record};
use crc32fast::Hasher;
use std::io;
use std::sync::Arc;

/// Bytes before the payload.
pub(super) const PREFIX: usize = 8;

/// A record ready to be written but for its sequence, which only the writer's turn tells.
pub(super) struct Frame {
    bytes: Vec<u8>,
    /// Over the payload and its length: all the work that needs no turn.
    hasher: Hasher,
}

impl Frame {
    pub(super) fn new(record: &Record) -> Result<Self, Error> {
        // Most records are 0.3 to 2 KB.
        let mut bytes = Vec::with_capacity(2048);
        bytes.extend_from_slice(&[0; PREFIX]);
        let mut bytes = record.encode_after(bytes)?;
        let payload = bytes.len() - PREFIX;
        let length = u32::try_from(payload).map_err(|_| Error::TooLarge {
            bytes: payload,
            limit: MAX_BYTES,
        })?;
        bytes[..4].copy_from_slice(&length.to_le_bytes());
        let hasher = checksum(&bytes[PREFIX..], length);
        Ok(Self { bytes, hasher })
    }

    pub(super) fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Its checksum, once it is sealed.
    pub(super) fn crc(&self) -> u32 {
        crc_of(&self.bytes)
    }

    /// The bytes as record `sequence`.
    pub(super) fn seal(&mut self, sequence: u64) -> &[u8] {
        let mut hasher = self.hasher.clone();
        hasher.update(&sequence.to_le_bytes());
        self.bytes[4..PREFIX].copy_from_slice(&hasher.finalize().to_le_bytes());
        &self.bytes
    }
}

/// The checksum that a frame says of itself.
fn crc_of(frame: &[u8]) -> u32 {
    let crc = frame.get(4..).and_then(|rest| rest.first_chunk());
    crc.map_or(0, |crc| u32::from_le_bytes(*crc))
}

fn checksum(payload: &[u8], length: u32) -> Hasher {
    let mut hasher = Hasher::new();
    hasher.update(payload);
    hasher.update(&length.to_le_bytes());
    hasher
}

/// What stands at a place of a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    /// A whole frame of this many bytes.
    Frame(usize),
    /// A frame of this many bytes that goes on past the slice.
    Part(usize),
    /// The end of what was written.
    End,
    /// Nothing that was written whole.
    Invalid,
}

fn find(bytes: &[u8], sequence: u64) -> Found {
    let Some(([length, crc], rest)) = bytes.split_first_chunk::<PREFIX>().map(|(prefix, rest)| {
        let word = |at: usize| {
            u32::from_le_bytes([prefix[at], prefix[at + 1], prefix[at + 2], prefix[at + 3]])
        };
        ([word(0), word(4)], rest)
    }) else {
        return Found::Part(PREFIX);
    };
    let payload_len = length as usize;
    if length == 0 {
        return Found::End;
    }
    if payload_len > MAX_BYTES {
        return Found::Invalid;
    }
    let Some(payload) = rest.get(..payload_len) else {
        return Found::Part(PREFIX + payload_len);
    };
    let mut hasher = checksum(payload, length);
    hasher.update(&sequence.to_le_bytes());
    if hasher.finalize() == crc {
        Found::Frame(PREFIX + payload_len)
    } else {
        Found::Invalid
    }
}

/// What a scan came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// The payload of the next record.
    Payload(&'a [u8]),
    /// The end of what was written, or of the file.
    End,
    /// Bytes that are no whole record.
    Invalid,
}

/// Walks the frames of one segment in order.
#[derive(Debug)]
pub(super) struct Scanner {
    file: Arc<dyn DiskFile>,
    /// Where the next frame starts.
    offset: u64,
    buffer: Vec<u8>,
    /// Bytes of `buffer` already walked.
    walked: usize,
    chunk: usize,
    /// Checksum of the frame that passed last.
    crc: u32,
}

impl Scanner {
    pub(super) fn new(file: Arc<dyn DiskFile>, offset: u64, chunk: usize) -> Self {
        Self {
            file,
            offset,
            buffer: Vec::new(),
            walked: 0,
            chunk,
            crc: 0,
        }
    }

    /// Where the next frame starts.
    pub(super) fn offset(&self) -> u64 {
        self.offset
    }

    /// Checksum of the frame that passed last.
    pub(super) fn crc(&self) -> u32 {
        self.crc
    }

    /// The frame at the present place, if it is record `sequence`.
    pub(super) fn next(&mut self, sequence: u64) -> io::Result<Step<'_>> {
        let mut found = find(&self.buffer[self.walked..], sequence);
        let mut wanted = self.chunk;
        // The buffer may be older than the file: look again before believing anything but a frame.
        while !matches!(found, Found::Frame(_)) {
            if let Found::Part(needed) = found {
                wanted = wanted.max(needed);
            }
            let at_end = self.fill(wanted)?;
            found = find(&self.buffer, sequence);
            match found {
                // Fewer zeros than a prefix may be left at the end of a full segment.
                Found::Part(_) if at_end && self.buffer.iter().all(|b| *b == 0) => {
                    return Ok(Step::End);
                }
                Found::Part(_) if at_end => return Ok(Step::Invalid),
                Found::Part(_) | Found::Frame(_) => {}
                Found::End => return Ok(Step::End),
                Found::Invalid => return Ok(Step::Invalid),
            }
        }
        let Found::Frame(len) = found else {
            return Ok(Step::Invalid);
        };
        self.crc = crc_of(&self.buffer[self.walked..]);
        let payload = self.walked + PREFIX..self.walked + len;
        self.walked += len;
        self.offset += len as u64;
        Ok(Step::Payload(&self.buffer[payload]))
    }

    /// Reads `wanted` bytes from the present place; tells whether the file ended before that.
    fn fill(&mut self, wanted: usize) -> io::Result<bool> {
        self.buffer.resize(wanted, 0);
        self.walked = 0;
        let read = self.file.read_at(&mut self.buffer, self.offset)?;
        self.buffer.truncate(read);
        Ok(read < wanted)
    }
}
