//! Charts, drawn by hand as SVG: each is laid out for the width at which it will be seen.
//!
//! Invariants: a value that is not finite draws nothing; every coordinate is finite and has one
//! decimal; a chart of nothing is none at all; colour never says anything alone (labels, dashes or
//! order say it too); text is never smaller than the width was chosen for.
//!
//! Not here: what is drawn (`section`), colours (`style.css`).
//!
//! Units: the SVG's own, about a CSS pixel where the chart is seen at the width it was laid out for.

mod area;
mod axis;
#[cfg(feature = "analytics")]
mod band;
#[cfg(feature = "analytics")]
mod bars;
mod chart;
#[cfg(feature = "analytics")]
mod course;
mod days;
mod diagonal;
mod icon;
mod label;
mod line;
mod mark;
mod range;
mod scale;
mod scatter;
mod shape;

pub(crate) use area::{area, small_area};
#[cfg(feature = "analytics")]
pub(crate) use band::{Band, band, reach};
#[cfg(feature = "analytics")]
pub(crate) use bars::{Bar, bars};
pub(crate) use chart::Chart;
#[cfg(feature = "analytics")]
pub(crate) use course::{Moment, course};
pub(crate) use days::{Part, spans, stacks};
pub(crate) use diagonal::diagonal;
pub(crate) use icon::icon;
pub(crate) use line::line;
pub(crate) use range::{Cell, Row, rows};
pub(crate) use scatter::scatter;
