//! A file that is written from front to back, a buffer at a time: what is encoded into it is never whole in memory.
//!
//! Invariants: the first error is the one that is told, at the end too: whoever encodes may pass it on as another.
//!
//! Not here: what is written (`checkpoint`).

use super::disk::DiskFile;
use std::io;

/// Bytes gathered before they are written.
const CHUNK: usize = 64 * 1024;

/// Bytes on their way into a file, and their checksum.
pub(super) struct Sink<'a> {
    file: &'a dyn DiskFile,
    /// Where `waiting` goes.
    at: u64,
    waiting: Vec<u8>,
    crc: crc32fast::Hasher,
    failed: Option<io::Error>,
}

impl<'a> Sink<'a> {
    /// Writes from `at` on; the checksum goes on from `crc`.
    pub(super) fn new(file: &'a dyn DiskFile, at: u64, crc: crc32fast::Hasher) -> Self {
        Self {
            file,
            at,
            waiting: Vec::with_capacity(CHUNK),
            crc,
            failed: None,
        }
    }

    /// Writes what waits; the first byte after all that was written, and the checksum.
    pub(super) fn finish(mut self) -> io::Result<(u64, u32)> {
        let written = io::Write::flush(&mut self);
        match self.failed {
            Some(first) => Err(first),
            None => written.map(|()| (self.at, self.crc.finalize())),
        }
    }
}

impl io::Write for Sink<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.waiting.extend_from_slice(bytes);
        if self.waiting.len() >= CHUNK {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.failed.is_some() {
            return Err(io::Error::other("an earlier write failed"));
        }
        self.crc.update(&self.waiting);
        if let Err(error) = self.file.write_at(&self.waiting, self.at) {
            let kind = error.kind();
            self.failed = Some(error);
            return Err(kind.into());
        }
        self.at += self.waiting.len() as u64;
        self.waiting.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::disk::Disk;
    use crate::store::simulated::SimulatedDisk;
    use proptest::prelude::*;
    use std::io::Write;

    proptest! {
        #[test]
        fn the_file_and_the_checksum_are_those_of_the_bytes_whatever_the_pieces(
            pieces in prop::collection::vec(0_usize..100_000, 0..6),
        ) {
            let disk = SimulatedDisk::new();
            let file = disk.create("f", 0).unwrap();
            let mut sink = Sink::new(&*file, 3, crc32fast::Hasher::new());
            let mut all = Vec::new();
            for (n, length) in pieces.into_iter().enumerate() {
                let piece: Vec<u8> = (0..length).map(|i| (i * 7 + n) as u8).collect();
                sink.write_all(&piece).unwrap();
                all.extend(piece);
            }
            let (end, crc) = sink.finish().unwrap();
            prop_assert_eq!(end, 3 + all.len() as u64);
            prop_assert_eq!(crc, crc32fast::hash(&all));
            prop_assert!(disk.read("f").unwrap().get(3..).unwrap_or_default() == all);
        }
    }
}
