//! Trials of the whole page on made-up reports.

mod page;
mod sample;
mod sight;
mod team;
