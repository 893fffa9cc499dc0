//! What is looked up by key: which records of the journal a decision, a request id or an episode leads to.
//!
//! Derived from the journal. The keys of the newest records are in memory; every 16,384 records they become a file
//! of sorted keys (`run`), and eight such files one. A look-up asks memory and then file by file, newest first: of a
//! key that is not there a filter in memory says so, and one that is there costs one read of 4 KiB. Beside the keys
//! stands what else a start needs ([`super::Digest`], the operators' controls, the journal's segments), so that
//! opening reads the journal from there only.
//!
//! Why files of our own: keys are of one size and never change, the journal can give them again, and they are
//! written twice, in order. A tree of keyed values would write a page for each of these keys, which lie anywhere in it.
//!
//! Invariants: [`Index::take`] is shown each record once, in journal order; a file never speaks of records that the
//! journal's disk may still lose; whatever is wrong with the files, they are made anew from the journal.
//!
//! Memory, by the sizes of its parts (not measured): some 50 bytes a key of the records that have no file yet (a record
//! has one to six), and 2 bytes a key of the others.
//!
//! Not here: the records themselves (`journal`), the questions and whether a record is the one that was meant
//! (`look`), turns of calls at work (`turn`).

mod draft;
mod filter;
mod key;
mod run;
#[cfg(test)]
mod tests;
mod upkeep;
mod whole;
mod young;

pub use key::{Key, Way};
pub use whole::{Index, Known, Settings};
