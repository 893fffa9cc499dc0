//! The journal: an append-only list of records, the only truth.
//!
//! Layout: files `journal-{first sequence}.log`, set aside whole and filled in order. A file is a
//! header and frames:
//!
//! ```text
//! header  magic 8 | format u32 | first sequence u64 | creation time i64 | crc32 of these u32
//! frame   length u32 | crc32 u32 of (payload, length, sequence) | payload
//! ```
//!
//! little-endian; a length of 0 ends the file. The sequence is not stored: it is the header's plus
//! the place in the file, and the checksum covers it, so that stale bytes of another place or life
//! never pass for a record.
//!
//! Invariants: sequences are 1, 2, 3, ...; before the first record of a new file every byte of the
//! one before is on disk, so only the newest file can be torn; a torn tail is cut and zeroed at open
//! before anything is appended; damage anywhere else is an error, never skipped; a whole
//! record that does not decode is passed over, told and counted, and keeps its number; one of a newer
//! build's layout is an error; a failed write
//! keeps nothing and the place is used again; a failed sync breaks the journal until a restart.
//!
//! Not here: what records mean, look-up by key ([`super::index`]), export of old files.

mod append;
#[cfg(test)]
mod fault_tests;
mod frame;
mod reader;
#[cfg(test)]
mod reader_tests;
mod recovery;
mod segment;
mod sync;
#[cfg(test)]
mod tests;

pub use append::Journal;
pub use reader::Reader;
pub use recovery::{Recovery, Start, scan, segments_begun};
pub use segment::{Durability, Footprint, Position, Settings};
pub use sync::OnDisk;
