//! The page on policies that were played on an outcome table: how each learned, what it spent, what it came to.
//!
//! Invariants: as of all reports: every number is one of the JSON beside the page, which is that of
//! `replay outcomes --format json`; none is worked out here.
//!
//! Not here: the play and its figures (`replay`), writing the two files (the command line).

mod figures;
mod page;
mod table;
#[cfg(test)]
mod tests;

pub use page::Learned;
