//! Lines over the number of requests, each labelled at its end.
//!
//! Invariants: a gap in a series is a gap in its line; a lone point is a dot; lines differ by their dash
//! and their label, not by colour alone.

use super::axis;
use super::chart::Chart;
use super::label::{Area, LINE, spread, width, wrap};
use super::mark::Marks;
use super::scale::Scale;
use super::shape::{Anchor, circle, line as straight, text, through};
use crate::report::markup::Element;
use crate::report::model::Series;
use crate::report::number::Unit;
use crate::report::palette::{DASHES, Palette};

const LEFT: f64 = 40.0;

/// Lines of a series; the first is the router's and drawn strongest.
pub(crate) fn line(series: &Series, palette: &Palette, size: f64, name: &str) -> Option<Chart> {
    let values = series.lines.iter().flat_map(|(_, v)| v.iter().flatten());
    let finite: Vec<f64> = values.copied().filter(|v| v.is_finite()).collect();
    if finite.is_empty() {
        return None;
    }
    let longest = series.lines.iter().map(|(name, _)| width(name));
    let right = longest.fold(0.0, f64::max).clamp(40.0, 60.0 + size * 0.17) + 14.0;
    let x = requests(series, LEFT, size - right);
    let marks = Marks::new(&series.marks, &x, LEFT, size);
    let top = LINE + 6.0 + marks.height();
    let mut chart = Chart::new(size, top + 210.0 + axis::BOTTOM);
    let plot = chart.inside(LEFT, right, top + 6.0, axis::BOTTOM);
    let y = Scale::over(finite).onto(plot.bottom, plot.top);
    chart.draw_all(axis::left(&y, &plot, Unit::Points, name));
    chart.draw_all(axis::bottom(&x, &plot, Unit::Count, "requests"));
    chart.draw_all(marks.draw(&plot, LINE + 4.0));
    // The router's line comes last, on top of the others.
    for (at, (name, values)) in series.lines.iter().enumerate().rev() {
        let class = class_of(palette, at, name);
        for run in runs(&series.requests, values, &x, &y) {
            let element = match run.as_slice() {
                [alone] => circle(*alone, 2.5).class("dot"),
                points => Element::new("path")
                    .set("d", through(points))
                    .class("line")
                    .class(DASHES[at % DASHES.len()]),
            };
            chart.draw(element.class(class));
        }
    }
    chart.draw_all(ends(series, palette, &x, &y, &plot, right));
    Some(chart)
}

/// The axis of requests made, over the plot.
pub(super) fn requests(series: &Series, left: f64, right: f64) -> Scale {
    let first = series.requests.iter().min().copied().unwrap_or(0) as f64;
    let last = series.requests.iter().max().copied().unwrap_or(0) as f64;
    Scale::new(first, last).onto(left, right)
}

fn class_of(palette: &Palette, at: usize, name: &str) -> &'static str {
    match palette.arm(name) {
        _ if at == 0 => "router",
        Some(class) => class,
        None => "reference",
    }
}

/// Points without a gap between them.
fn runs(requests: &[usize], values: &[Option<f64>], x: &Scale, y: &Scale) -> Vec<Vec<(f64, f64)>> {
    let mut runs = vec![Vec::new()];
    for (at, value) in requests.iter().zip(values) {
        let place = value.and_then(|v| Some((x.at(*at as f64)?, y.at(v)?)));
        match (place, runs.last_mut()) {
            (Some(place), Some(run)) => run.push(place),
            (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
            _ => {}
        }
    }
    runs.retain(|run| !run.is_empty());
    runs
}

/// Labels right of the plot, each at the end of its line.
fn ends(
    series: &Series,
    palette: &Palette,
    x: &Scale,
    y: &Scale,
    plot: &Area,
    room: f64,
) -> Vec<Element> {
    let mut found = Vec::new();
    for (at, (name, values)) in series.lines.iter().enumerate() {
        let runs = runs(&series.requests, values, x, y);
        if let Some(end) = runs.last().and_then(|run| run.last()) {
            found.push((class_of(palette, at, name), *end, wrap(name, room - 12.0)));
        }
    }
    let wanted: Vec<(f64, f64)> = found
        .iter()
        .map(|(_, (_, y), lines)| (*y, lines.len() as f64 * LINE))
        .collect();
    let places = spread(&wanted, plot.top - 6.0, plot.bottom + 20.0);
    let mut drawn = Vec::new();
    for ((class, end, lines), middle) in found.into_iter().zip(places) {
        drawn.push(straight(end, (plot.right + 10.0, middle)).class("leader"));
        let first = middle - (lines.len() as f64 - 1.0) * LINE / 2.0 + 4.0;
        for (row, words) in lines.iter().enumerate() {
            let at = (plot.right + 12.0, first + row as f64 * LINE);
            drawn.push(text(at, Anchor::Start, words).class("label").class(class));
        }
    }
    drawn
}
