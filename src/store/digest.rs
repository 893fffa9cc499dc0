//! What else follows from the journal's records, kept with the index so that opening need not read all of them.
//!
//! Not here: what it is (accounts, versions: whoever opens the store knows), where it is kept (`index`).

use super::record::Record;
use std::fmt::Debug;

/// Something that the journal's records add up to.
pub trait Digest: Send + Debug {
    /// Goes on from what [`Digest::bytes`] told at an earlier place of the same journal; false where it cannot.
    /// It then knows nothing, and is shown every record from the first.
    fn restore(&mut self, bytes: &[u8]) -> bool;

    /// Takes in the next record, in journal order.
    fn take(&mut self, record: &Record);

    /// All that it knows, small: it is asked while appenders wait.
    fn bytes(&self) -> Vec<u8>;
}

/// Nothing else.
impl Digest for () {
    fn restore(&mut self, _: &[u8]) -> bool {
        true
    }

    fn take(&mut self, _: &Record) {}

    fn bytes(&self) -> Vec<u8> {
        Vec::new()
    }
}
