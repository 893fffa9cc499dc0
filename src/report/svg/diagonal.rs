//! Calibration: what was drawn against what was logged, on the diagonal if the probabilities are true.

use super::axis;
use super::chart::Chart;
use super::label::LINE;
use super::scale::Scale;
use super::shape::{Anchor, circle, line, text};
use crate::report::model::CalibrationBin;
use crate::report::number::Unit;

/// Bins on the unit square, each with its interval.
pub(crate) fn diagonal(bins: &[CalibrationBin], size: f64) -> Option<Chart> {
    let side = size.min(380.0);
    let mut chart = Chart::new(side, side * 0.72 + LINE + axis::BOTTOM);
    let plot = chart.inside(44.0, 22.0, LINE + 10.0, axis::BOTTOM);
    let x = Scale::new(0.0, 1.0).onto(plot.left, plot.right);
    let y = Scale::new(0.0, 1.0).onto(plot.bottom, plot.top);
    chart.draw_all(axis::left(&y, &plot, Unit::Share, "share drawn"));
    chart.draw_all(axis::bottom(&x, &plot, Unit::Share, "logged probability"));
    chart.draw(line((plot.left, plot.bottom), (plot.right, plot.top)).class("hull"));
    // Just above the line's upper end, where no bin can be.
    let said = text(
        (plot.left + 8.0, plot.top + 12.0),
        Anchor::Start,
        "on the line: true",
    );
    chart.draw(said.class("said"));
    let mut any = false;
    for bin in bins {
        let Some(at) = x.at(bin.logged).zip(y.at(bin.drawn.value)) else {
            continue;
        };
        any = true;
        let (low, high) = (y.at(bin.drawn.lower), y.at(bin.drawn.upper));
        if let Some((low, high)) = low.zip(high) {
            chart.draw(
                line((at.0, low), (at.0, high))
                    .class("whisker")
                    .class("router"),
            );
        }
        chart.draw(circle(at, 3.5).class("dot").class("router"));
    }
    any.then_some(chart)
}
