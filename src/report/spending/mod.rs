//! The page on what was spent: by arm and day as a chart, by what was asked for as a table, and what the router saved.
//!
//! Invariants: as of all reports: every number is one of the JSON beside the page, which is that of
//! `report spend --format json`, money in nano-dollars; none is worked out here.
//!
//! Not here: the figures (`spend`), writing the two files (the command line).

mod figures;
mod page;
mod table;
#[cfg(test)]
mod tests;

pub use page::Spending;
