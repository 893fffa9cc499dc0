//! Reports that people read: one document, as JSON for machines and as a self-contained page.
//!
//! Invariants: every number on the page is in the JSON beside it; nothing is fetched when the page is
//! opened and nothing runs; no figure is worked out here, only laid out; no name in the document can
//! break the page.
//!
//! The page is built as a tree (`markup`) that escapes by construction and that tests can walk; there
//! is no template language, and charts are hand-sized SVG, since each is laid out for the width at
//! which it will be seen.
//!
//! Four pages: the demonstration's ([`Document`]), that of policies on an outcome table (`Learned`), that of
//! candidates on recorded traffic (`Judgement`), and that of what was spent ([`Spending`]).
//!
//! Not here: where the numbers come from (`replay`, `demo`, `spend`).

mod figure;
mod glossary;
#[cfg(feature = "analytics")]
mod judgement;
#[cfg(feature = "analytics")]
mod learned;
mod markup;
mod model;
mod number;
mod page;
mod palette;
mod section;
mod spending;
mod svg;
mod table;
#[cfg(test)]
mod trial;
mod vocabulary;
mod writer;

#[cfg(feature = "analytics")]
pub use judgement::Judgement;
#[cfg(feature = "analytics")]
pub use learned::Learned;
pub use model::{
    ArmRow, Calibration, CalibrationBin, Candidate, DataCard, Details, Document, Event, Finding,
    Interval, Judged, Point, Reference, Series, SignalCell, Slice, Statement, Step, Team, Term,
};
pub use spending::Spending;
