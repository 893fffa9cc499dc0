//! The sections of the page, in its order; each file says one thing.
//!
//! Invariants: a section shows numbers of the document and works out none.
//!
//! Not here: how a chart is drawn (`svg`), how a number is written (`number`).

mod arms;
mod calibration;
mod candidates;
mod data;
mod frontier;
mod learning;
mod references;
mod shares;
mod signals;
mod slices;
mod team;
mod verdict;

#[cfg(feature = "analytics")]
pub(super) use calibration::calibrated;
pub(super) use data::{card, events, simulated, steps};
pub(super) use team::team;
pub(super) use verdict::{command, verdict};
