//! The page on candidates that were judged on a log: whether one may take the incumbent's place, and all that this
//! rests on.
//!
//! Invariants: as of all reports: every number is one of the JSON beside the page, which is that of
//! `replay traffic --format json`; none is worked out here. A candidate that was refused has a section as the others
//! have, with the reason first.
//!
//! Not here: the judgement (`replay`), writing the two files (the command line).

mod candidate;
mod candidates;
mod course;
mod log;
mod measures;
mod outcome;
mod page;
mod refused;
mod slices;
#[cfg(test)]
mod tests;
mod weights;
mod words;

pub use page::Judgement;
