//! Reports that people read: one document, as JSON for machines and as a self-contained page.
//!
//! Invariants: every number on the page is in the JSON beside it; nothing is fetched when the page is
//! opened; no figure is worked out here, only laid out.
//!
//! Not here: where the numbers come from (`replay`, `demo`).

mod markup;
mod model;
mod number;
mod page;

pub use model::{
    ArmRow, Calibration, CalibrationBin, Candidate, DataCard, Document, Event, Finding, Interval,
    Judged, Point, Reference, Series, SignalCell, Slice, Statement, Step, Team, Term,
};
