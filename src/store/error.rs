//! Why the store could not do it.
//!
//! Invariants: cloneable, because one failed sync is told to every caller that waits on it.
//!
//! Not here: sled's errors (`keyed::Error`), the gRPC code of each (`grpc`).

use crate::decision;
use std::io;
use std::sync::Arc;

/// Why the store could not do it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The disk (or the quota) is full. Nothing was kept; a later try may succeed.
    #[error("no space left to write {file}")]
    Full {
        /// The file that could not grow.
        file: String,
    },
    /// The operating system refused.
    #[error("cannot {operation} {file}: {source}")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// The file.
        file: String,
        /// Its answer.
        source: Arc<io::Error>,
    },
    /// A sync to disk failed. What had been written may be lost, and asking again may falsely
    /// succeed, so nothing more is accepted until a restart has read back what is really there.
    #[error("a sync of the journal failed, restart to recover: {source}")]
    Broken {
        /// The answer of the operating system.
        source: Arc<io::Error>,
    },
    /// A record that must be whole is not: the disk changed it, or somebody else did.
    #[error("the journal is damaged in {file} at byte {offset}")]
    Corrupt {
        /// The segment.
        file: String,
        /// Where the first damaged record starts.
        offset: u64,
    },
    /// A file of the index is not what was written.
    #[error("{file} is damaged; a restart makes the index anew from the journal")]
    IndexDamaged {
        /// The file.
        file: String,
    },
    /// A page of the learner's state that must be whole is not.
    #[error("the page at byte {offset} of {file} is damaged")]
    Page {
        /// The file.
        file: String,
        /// Where the page starts, or the file ends before it should.
        offset: u64,
    },
    /// Records are missing between two segments.
    #[error("the journal lacks records {expected} to {}: a segment is missing", found - 1)]
    Missing {
        /// First sequence that is missing.
        expected: u64,
        /// First sequence of the next segment.
        found: u64,
    },
    /// A whole record of a layout that this build does not know.
    #[error(
        "record {sequence} has layout {version}: allowed 1 to {newest}; a newer build wrote it"
    )]
    Layout {
        /// The record.
        sequence: u64,
        /// Its layout.
        version: u8,
        /// Newest layout of this build.
        newest: u8,
    },
    /// A whole record that does not decode.
    #[error("record {sequence} does not decode as layout {version}")]
    Undecodable {
        /// The record.
        sequence: u64,
        /// Its layout.
        version: u8,
    },
    /// A segment of a format that this build does not know.
    #[error("{file} has journal format {version}: allowed 1; a newer build wrote it")]
    Format {
        /// The segment.
        file: String,
        /// Its format.
        version: u32,
    },
    /// A record larger than the journal takes.
    #[error("the record has {bytes} bytes: allowed at most {limit}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        limit: usize,
    },
    /// A decision whose parts contradict each other; it is never written.
    #[error("the decision is not consistent: {0}")]
    Decision(#[from] decision::Error),
    /// A position that no record has.
    #[error("there is no record {sequence}")]
    NoRecord {
        /// The sequence asked for.
        sequence: u64,
    },
    /// A setting out of range.
    #[error("{field} is {value}: allowed {allowed}")]
    Setting {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: u64,
        /// The allowed range.
        allowed: &'static str,
    },
    /// Another process holds the data directory.
    #[error("{path} is in use by another process")]
    Locked {
        /// The lock file.
        path: String,
    },
    /// The journal has been closed.
    #[error("the journal is closed")]
    Closed,
}

impl Error {
    /// Sorts an error of the operating system: out of space, or anything else.
    pub(super) fn io(operation: &'static str, file: &str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full {
                file: file.to_owned(),
            },
            _ => Self::Io {
                operation,
                file: file.to_owned(),
                source: Arc::new(source),
            },
        }
    }
}
