//! What else follows from the journal's records, kept with the index so that opening need not read all of them.
//!
//! Not here: what it is (accounts, versions: whoever opens the store knows), where it is kept (`index`).

use super::record::Record;
use std::fmt::Debug;

/// Something that the journal's records add up to.
pub trait Digest: Send + Debug {
    /// Goes on from what [`Copied::bytes`] told at an earlier place of the same journal; false where it cannot.
    /// It then knows nothing, and is shown every record from the first.
    fn restore(&mut self, bytes: &[u8]) -> bool;

    /// Takes in the next record, in journal order.
    fn take(&mut self, record: &Record);

    /// A copy of all that it knows. It is asked while appenders wait: what takes time is left to
    /// [`Copied::bytes`].
    fn copied(&self) -> Box<dyn Copied>;
}

/// What a digest knew at one place of the journal.
pub trait Copied: Send + Sync + Debug {
    /// All of it, as [`Digest::restore`] reads it: asked by the thread that writes files, while nobody waits.
    fn bytes(&self) -> Vec<u8>;
}

/// As they are.
impl Copied for Vec<u8> {
    fn bytes(&self) -> Vec<u8> {
        self.clone()
    }
}

/// Nothing else.
impl Digest for () {
    fn restore(&mut self, _: &[u8]) -> bool {
        true
    }

    fn take(&mut self, _: &Record) {}

    fn copied(&self) -> Box<dyn Copied> {
        Box::new(Vec::<u8>::new())
    }
}
