//! Shares stacked over the number of requests.
//!
//! Invariants: bands touch and keep the order of the series, the first at the bottom; a point at which
//! nothing is known is a gap in all of them; bands are parted by a line of the paper's colour and
//! labelled where they are, so that colour is not needed.

use super::axis;
use super::chart::Chart;
use super::label::{Area, FONT, LINE, shorten, spread, width};
use super::line::requests;
use super::mark::{Marks, upright};
use super::scale::Scale;
use super::shape::{Anchor, line, text, through};
use crate::report::markup::Element;
use crate::report::model::Series;
use crate::report::number::Unit;
use crate::report::palette::Palette;

/// A band: at each point (x, lower y, upper y), in runs without a gap.
struct Band<'a> {
    name: &'a str,
    class: &'static str,
    runs: Vec<Vec<(f64, f64, f64)>>,
}

/// Shares with their names at the right end.
pub(crate) fn area(series: &Series, palette: &Palette, size: f64) -> Option<Chart> {
    let longest = series.lines.iter().map(|(name, _)| width(name));
    let right = longest.fold(0.0, f64::max).clamp(30.0, 50.0 + size * 0.1) + 14.0;
    let left = 44.0;
    let x = requests(series, left, size - right);
    let marks = Marks::new(&series.marks, &x, left, size);
    let top = 6.0 + marks.height();
    let mut chart = Chart::new(size, top + 200.0 + axis::BOTTOM);
    let plot = chart.inside(left, right, top + 4.0, axis::BOTTOM);
    let y = Scale::new(0.0, 1.0).onto(plot.bottom, plot.top);
    let bands = bands(series, palette, &x, &y);
    if bands.iter().all(|b| b.runs.is_empty()) {
        return None;
    }
    chart.draw_all(axis::left(&y, &plot, Unit::Share, ""));
    chart.draw_all(bands.iter().flat_map(polygons));
    chart.draw_all(axis::bottom(&x, &plot, Unit::Count, "requests"));
    chart.draw_all(marks.draw(&plot, 2.0));
    chart.draw_all(ends(&bands, &plot, right));
    Some(chart)
}

/// The same as one of many: names inside the bands, where they fit.
pub(crate) fn small_area(series: &Series, palette: &Palette) -> Option<Chart> {
    let mut chart = Chart::new(Chart::SMALL, 130.0);
    let plot = chart.inside(40.0, 18.0, 8.0, 22.0);
    let x = requests(series, plot.left, plot.right);
    let y = Scale::new(0.0, 1.0).onto(plot.bottom, plot.top);
    let bands = bands(series, palette, &x, &y);
    if bands.iter().all(|b| b.runs.is_empty()) {
        return None;
    }
    chart.draw_all(axis::left(&y, &plot, Unit::Share, ""));
    chart.draw_all(bands.iter().flat_map(polygons));
    // The word under the axis is on the big chart; here the ticks are enough.
    chart.draw_all(axis::bottom(&x, &plot, Unit::Count, ""));
    let marks = series.marks.iter().map(|(at, _)| *at as f64);
    let marks: Vec<f64> = marks
        .filter(|at| x.holds(*at))
        .filter_map(|at| x.at(at))
        .collect();
    chart.draw_all(marks.iter().flat_map(|x| upright(*x, plot.top, &plot)));
    chart.draw_all(bands.iter().filter_map(|band| inside(band, &marks)));
    Some(chart)
}

fn bands<'a>(series: &'a Series, palette: &Palette, x: &Scale, y: &Scale) -> Vec<Band<'a>> {
    let known = |at: usize| {
        let values = series.lines.iter().filter_map(|(_, v)| v.get(at).copied()?);
        values.into_iter().any(f64::is_finite)
    };
    let mut below = vec![0.0; series.requests.len()];
    let mut bands = Vec::new();
    for (name, values) in &series.lines {
        let mut runs = vec![Vec::new()];
        for (at, (requests, below)) in series.requests.iter().zip(&mut below).enumerate() {
            let share = values.get(at).copied().flatten().unwrap_or(0.0);
            let share = if share.is_finite() {
                share.max(0.0)
            } else {
                0.0
            };
            let (low, high) = (*below, *below + share);
            *below = high;
            let place = x.at(*requests as f64).zip(y.at(low)).zip(y.at(high));
            match (place.filter(|_| known(at)), runs.last_mut()) {
                (Some(((x, low), high)), Some(run)) => run.push((x, low, high)),
                (None, Some(run)) if !run.is_empty() => runs.push(Vec::new()),
                _ => {}
            }
        }
        runs.retain(|run| !run.is_empty());
        bands.push(Band {
            name,
            class: palette.arm(name).unwrap_or("reference"),
            runs,
        });
    }
    bands
}

/// A band's filled shapes; a run of one point is a narrow bar.
fn polygons(band: &Band<'_>) -> Vec<Element> {
    let one = |run: &Vec<(f64, f64, f64)>| {
        let run = match run.as_slice() {
            [(x, low, high)] => vec![(x - 3.0, *low, *high), (x + 3.0, *low, *high)],
            points => points.to_vec(),
        };
        let lower = run.iter().rev().map(|(x, low, _)| (*x, *low));
        let outline: Vec<(f64, f64)> = run
            .iter()
            .map(|(x, _, high)| (*x, *high))
            .chain(lower)
            .collect();
        Element::new("path")
            .set("d", format_args!("{}Z", through(&outline)))
            .class("area")
            .class(band.class)
    };
    band.runs.iter().map(one).collect()
}

/// Names right of the plot, each at its band's end.
fn ends(bands: &[Band<'_>], plot: &Area, room: f64) -> Vec<Element> {
    let last = |band: &Band<'_>| band.runs.last()?.last().copied();
    let found: Vec<_> = bands.iter().filter_map(|b| Some((b, last(b)?))).collect();
    let wanted: Vec<(f64, f64)> = found
        .iter()
        .map(|(_, (_, low, high))| ((low + high) / 2.0, LINE))
        .collect();
    let places = spread(&wanted, plot.top - 6.0, plot.bottom + 6.0);
    let mut drawn = Vec::new();
    for (((band, (x, ..)), (wanted, _)), middle) in found.iter().zip(&wanted).zip(places) {
        let name = shorten(band.name, room - 12.0);
        let from = (*x + 1.0, *wanted);
        drawn.push(line(from, (plot.right + 10.0, middle)).class("leader"));
        let label = text((plot.right + 12.0, middle + 4.0), Anchor::Start, name);
        drawn.push(label.class("label").class(band.class));
    }
    drawn
}

/// The band's name where the band is thickest along the whole name, if it fits anywhere beside the
/// marks.
fn inside(band: &Band<'_>, marks: &[f64]) -> Option<Element> {
    let half = width(band.name) / 2.0 + 3.0;
    let mut best: Option<(f64, f64, f64)> = None;
    for run in &band.runs {
        let (Some((first, ..)), Some((last, ..))) = (run.first(), run.last()) else {
            continue;
        };
        // The band between two points counts too, so the neighbours outside the name are asked.
        let reach = half + (last - first) / run.len() as f64;
        for (middle, ..) in run {
            let crossed = marks.iter().any(|mark| (mark - middle).abs() < half);
            if crossed || middle - half < *first || middle + half > *last {
                continue;
            }
            let under = run.iter().filter(|(x, ..)| (x - middle).abs() <= reach);
            let none = (f64::INFINITY, f64::NEG_INFINITY);
            let (low, high) = under.fold(none, |(low, high), p| (low.min(p.1), high.max(p.2)));
            if low - high > best.map_or(FONT + 2.0, |b| b.2) {
                best = Some((*middle, (low + high) / 2.0, low - high));
            }
        }
    }
    let (x, y, _) = best?;
    Some(text((x, y + 4.0), Anchor::Middle, band.name).class("inside"))
}
