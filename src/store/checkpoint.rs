//! What the learner has learned up to a sequence, as files.
//!
//! Files and not sled: a checkpoint is megabytes, written whole and read whole; sled would copy it
//! through its log and cache, and its flush is no fsync.
//!
//! Layout of `checkpoint-{sequence}.bin`: magic 8 | version u32 | sequence u64 | crc32 of the blob
//! and of what stands before u32 | blob. Little-endian.
//!
//! Invariants: a file has its name only when all of it is on disk; the newest is kept, and the one that its writer
//! would fall back on; one that does not hold, or that its reader refuses, is set aside as `.bad`, never deleted, and
//! the one before serves; one that only cannot be read now is passed over and keeps its name; loading never fails.
//! A checkpoint only saves time: without any, the journal is read from the start to the same bits.
//!
//! Not here: what is in the blob, and whether it can serve (`learn`); the pages that it speaks of (`pages`).

use super::disk::{Disk, DiskFile};
use super::sink::Sink;
use super::{Error, Pages};
use std::io;
use std::sync::Arc;

const MAGIC: &[u8; 8] = b"BWCHKPNT";
const VERSION: u32 = 1;
const HEADER: usize = 24;

/// Checkpoints on a disk.
#[derive(Debug, Clone)]
pub struct Checkpoints {
    disk: Arc<dyn Disk>,
}

/// What loading found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loaded<T> {
    /// What was made of the newest checkpoint that serves.
    pub state: Option<T>,
    /// Newer ones that do not, newest first.
    pub refused: Vec<Refused>,
}

/// A checkpoint that does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The file as it is named now: `.bad` where it could be set aside.
    pub file: String,
    /// What is wrong with it.
    pub reason: String,
    /// Whether it was set aside. Else a later start meets it again, and what it speaks of must stay.
    pub aside: bool,
}

/// Why a checkpoint does not serve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unfit {
    /// It never will: it is set aside.
    Never(String),
    /// It cannot be asked now: it is passed over.
    Now(String),
}

/// Of what was said when a file that it needs was opened or read: one that is not there is gone for good.
impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        let reason = error.to_string();
        match &error {
            Error::Io { source, .. } if source.kind() != io::ErrorKind::NotFound => {
                Self::Now(reason)
            }
            _ => Self::Never(reason),
        }
    }
}

impl Checkpoints {
    /// Checkpoints on `disk`.
    pub fn new(disk: Arc<dyn Disk>) -> Self {
        Self { disk }
    }

    /// Page files beside them, of one writer.
    pub fn pages(&self) -> Pages {
        Pages::new(Arc::clone(&self.disk))
    }

    /// Saves what was learned up to `sequence`, as `encode` writes it, and removes the older ones but `fallback`, or
    /// but the newest of them where that is not there: one whose saving failed may be among them. The bytes of the
    /// blob. First wait for `Journal::on_disk(sequence)`: a checkpoint must never be ahead of the journal. Blocks for
    /// a sync: not for the request path.
    pub fn save(
        &self,
        sequence: u64,
        fallback: Option<u64>,
        encode: impl Fn(&mut dyn io::Write) -> io::Result<()>,
    ) -> Result<usize, Error> {
        let name = name(sequence);
        let failed = |e| Error::io("write", &name, e);
        let mut length = 0;
        let mut write = |file: &dyn DiskFile| {
            length = written(file, sequence, &encode)?;
            Ok(())
        };
        self.disk.replace_with(&name, &mut write).map_err(failed)?;
        // Only space: the next save tries again.
        let mut older = self.newest_first().unwrap_or_default();
        older.retain(|old| *old < sequence);
        let fallback = fallback.filter(|fallback| older.contains(fallback));
        let kept = fallback.or_else(|| older.first().copied());
        for old in older.into_iter().filter(|old| Some(*old) != kept) {
            let _ = self.disk.remove(&self::name(old));
        }
        Ok(length)
    }

    /// Whether there is one, or may be: of one whose saving failed, whether a start could find it.
    pub fn may_have(&self, sequence: u64) -> bool {
        let there = self.newest_first();
        there.map_or(true, |there| there.contains(&sequence))
    }

    /// The newest checkpoint that holds, is not after `newest_sequence`, the end of the journal, and
    /// that `read`, given its sequence and blob, can make something of. Those that are newer are set
    /// aside, or passed over; one of the same name that was set aside before is replaced.
    pub fn load<T>(
        &self,
        newest_sequence: u64,
        mut read: impl FnMut(u64, &[u8]) -> Result<T, Unfit>,
    ) -> Loaded<T> {
        let mut refused = Vec::new();
        let sequences = self.newest_first().unwrap_or_else(|error| {
            refused.push(Refused {
                file: "checkpoint-*.bin".to_owned(),
                reason: error.to_string(),
                aside: false,
            });
            Vec::new()
        });
        for sequence in sequences {
            let opened = self.blob(sequence, newest_sequence);
            match opened.and_then(|blob| read(sequence, &blob)) {
                Ok(state) => {
                    let state = Some(state);
                    return Loaded { state, refused };
                }
                Err(Unfit::Never(reason)) => refused.push(self.set_aside(sequence, reason)),
                Err(Unfit::Now(reason)) => refused.push(Refused {
                    file: name(sequence),
                    reason,
                    aside: false,
                }),
            }
        }
        Loaded {
            state: None,
            refused,
        }
    }

    fn blob(&self, sequence: u64, newest_sequence: u64) -> Result<Vec<u8>, Unfit> {
        if sequence > newest_sequence {
            let reason = format!("the journal ends before it, at {newest_sequence}");
            return Err(Unfit::Never(reason));
        }
        let name = name(sequence);
        let bytes = self.disk.read(&name);
        let opened = open(bytes.map_err(|e| Error::io("read", &name, e))?, sequence);
        let unsound = || Unfit::Never("its header or its checksum does not hold".to_owned());
        opened.ok_or_else(unsound)
    }

    /// Where it cannot be renamed it is passed over all the same.
    fn set_aside(&self, sequence: u64, mut reason: String) -> Refused {
        let (name, aside) = (name(sequence), format!("{}.bad", name(sequence)));
        let renamed = self.disk.rename(&name, &aside);
        if let Err(error) = &renamed {
            reason.push_str(&format!("; nor can it be set aside: {error}"));
        }
        let done = renamed.is_ok();
        Refused {
            file: if done { aside } else { name },
            reason,
            aside: done,
        }
    }

    fn newest_first(&self) -> Result<Vec<u64>, Error> {
        let names = self.disk.list();
        let names = names.map_err(|e| Error::io("list", "the data directory", e))?;
        let mut sequences: Vec<u64> = names.iter().filter_map(|name| sequence_of(name)).collect();
        sequences.sort_unstable_by(|a, b| b.cmp(a));
        Ok(sequences)
    }
}

fn name(sequence: u64) -> String {
    format!("checkpoint-{sequence:020}.bin")
}

fn sequence_of(name: &str) -> Option<u64> {
    let digits = name.strip_prefix("checkpoint-")?.strip_suffix(".bin")?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}

/// Writes a checkpoint; the bytes of its blob.
fn written(
    file: &dyn DiskFile,
    sequence: u64,
    encode: impl Fn(&mut dyn io::Write) -> io::Result<()>,
) -> io::Result<usize> {
    let mut header = Vec::with_capacity(HEADER);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&VERSION.to_le_bytes());
    header.extend_from_slice(&sequence.to_le_bytes());
    let mut crc = crc32fast::Hasher::new();
    crc.update(&header);
    let mut sink = Sink::new(file, HEADER as u64, crc);
    let encoded = encode(&mut sink);
    // A write that failed says more than what the encoder made of it.
    let (end, crc) = sink.finish()?;
    encoded?;
    header.extend_from_slice(&crc.to_le_bytes());
    file.write_at(&header, 0)?;
    usize::try_from(end).map_or(Ok(usize::MAX), |end| Ok(end - HEADER))
}

fn checksum(head: &[u8], blob: &[u8]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    hasher.update(head);
    hasher.update(blob);
    hasher.finalize()
}

/// The blob, if all of it is right.
fn open(mut bytes: Vec<u8>, sequence: u64) -> Option<Vec<u8>> {
    let (header, blob) = bytes.split_first_chunk::<HEADER>()?;
    let (head, crc) = header.split_at(20);
    let right = head.starts_with(MAGIC)
        && head[8..12] == VERSION.to_le_bytes()
        && head[12..20] == sequence.to_le_bytes()
        && crc == checksum(head, blob).to_le_bytes();
    right.then(|| bytes.split_off(HEADER))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::simulated::SimulatedDisk;

    fn saved(sequences: &[u64]) -> (SimulatedDisk, Checkpoints) {
        let disk = SimulatedDisk::new();
        let checkpoints = Checkpoints::new(Arc::new(disk.clone()));
        for sequence in sequences {
            checkpoints
                .save(*sequence, None, |to| to.write_all(&sequence.to_le_bytes()))
                .unwrap();
        }
        (disk, checkpoints)
    }

    fn check(checkpoints: &Checkpoints, journal_end: u64, expected: Option<u64>, aside: usize) {
        let loaded = checkpoints.load(journal_end, |sequence, blob| {
            assert_eq!(blob, sequence.to_le_bytes());
            Ok(sequence)
        });
        assert_eq!(loaded.state, expected);
        assert_eq!(loaded.refused.len(), aside, "{:?}", loaded.refused);
    }

    #[test]
    fn the_newest_serves_and_two_are_kept() {
        let (disk, checkpoints) = saved(&[10, 20, 30]);
        check(&checkpoints, 30, Some(30), 0);
        assert_eq!(disk.list().unwrap(), [name(20), name(30)]);
    }

    #[test]
    fn a_checkpoint_survives_a_power_cut_at_once() {
        let (disk, _) = saved(&[10]);
        disk.crash();
        check(&Checkpoints::new(Arc::new(disk)), 10, Some(10), 0);
    }

    #[test]
    fn a_damaged_one_is_set_aside_and_the_one_before_serves() {
        for byte in 0..HEADER + 8 {
            let (disk, checkpoints) = saved(&[10, 20]);
            let flipped = !disk.read(&name(20)).unwrap()[byte];
            disk.damage(&name(20), byte, &[flipped]);
            check(&checkpoints, 20, Some(10), 1);
            check(&checkpoints, 20, Some(10), 0);
        }
    }

    #[test]
    fn one_ahead_of_the_journal_is_set_aside() {
        let (_, checkpoints) = saved(&[10, 20]);
        check(&checkpoints, 19, Some(10), 1);
    }

    #[test]
    fn one_that_its_reader_refuses_is_set_aside_and_the_one_before_serves() {
        let (disk, checkpoints) = saved(&[10, 20]);
        let loaded = checkpoints.load(20, |sequence, _| match sequence {
            20 => Err(Unfit::Never("not mine".to_owned())),
            _ => Ok(sequence),
        });
        let refused = Refused {
            file: format!("{}.bad", name(20)),
            reason: "not mine".to_owned(),
            aside: true,
        };
        assert_eq!(loaded.state, Some(10));
        assert_eq!(loaded.refused, [refused]);
        let kept = disk.read(&format!("{}.bad", name(20))).unwrap();
        assert_eq!(kept[HEADER..], 20_u64.to_le_bytes());
    }

    #[test]
    fn a_disk_that_reads_nothing_loads_nothing_and_is_no_error() {
        let (disk, checkpoints) = saved(&[10, 20]);
        disk.set_reads(Some(0));
        check(&checkpoints, 20, None, 2);
    }

    #[test]
    fn one_that_cannot_be_read_now_is_passed_over_and_serves_when_it_can() {
        let (disk, checkpoints) = saved(&[10, 20]);
        disk.set_unreadable(&name(20), true);
        check(&checkpoints, 20, Some(10), 1);
        check(&checkpoints, 20, Some(10), 1);
        disk.set_unreadable(&name(20), false);
        let loaded = checkpoints.load(20, |sequence, _| match sequence {
            20 => Err(Unfit::Now("too many files".to_owned())),
            _ => Ok(sequence),
        });
        assert_eq!(loaded.state, Some(10));
        assert!(!loaded.refused[0].aside);
        check(&checkpoints, 20, Some(20), 0);
    }

    #[test]
    fn one_whose_saving_failed_does_not_push_out_the_one_to_fall_back_on() {
        let (disk, checkpoints) = saved(&[10, 20]);
        disk.set_dir_syncs(Some(0));
        assert!(
            checkpoints
                .save(30, Some(20), |to| to.write_all(b"unsure"))
                .is_err()
        );
        assert!(checkpoints.may_have(30) && !checkpoints.may_have(40));
        disk.set_dir_syncs(None);
        checkpoints
            .save(40, Some(20), |to| to.write_all(b"sure"))
            .unwrap();
        assert_eq!(disk.list().unwrap(), [name(20), name(40)]);
    }

    #[test]
    fn a_full_disk_keeps_the_old_one() {
        let (disk, checkpoints) = saved(&[10]);
        disk.set_room(Some(30));
        assert!(matches!(
            checkpoints.save(20, Some(10), |to| to.write_all(&[1; 100])),
            Err(Error::Full { .. })
        ));
        check(&checkpoints, 20, Some(10), 0);
        assert_eq!(disk.list().unwrap(), [name(10)]);
    }

    #[test]
    fn without_any_there_is_none() {
        let (_, checkpoints) = saved(&[]);
        check(&checkpoints, 5, None, 0);
    }
}
