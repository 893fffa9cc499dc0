//! One line with its spread, beside a level: one of many side by side, over the same range of values.
//!
//! Invariants: the line and its band lie inside the plot; a level is dashed and named in the text around the
//! chart; ticks have the room that they need.

use super::axis;
use super::chart::Chart;
use super::label::{FONT, width};
use super::scale::Scale;
use super::shape::{line, through};
use crate::report::markup::Element;
use crate::report::number::{Unit, tick};

/// What is drawn: values at some numbers of steps.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Band<'a> {
    /// Steps done at each point.
    pub(crate) steps: &'a [usize],
    /// The value at each.
    pub(crate) mean: &'a [f64],
    /// How far it varies to either side; absent where there is no telling.
    pub(crate) sd: Option<&'a [f64]>,
    /// What it is held against.
    pub(crate) level: Option<f64>,
}

impl Band<'_> {
    /// (steps, value, least, most) of each point that has a place.
    fn points(&self) -> Vec<(f64, f64, f64, f64)> {
        let points = self.steps.iter().zip(self.mean).enumerate();
        let points = points.map(|(at, (steps, mean))| {
            let sd = self.sd.and_then(|sd| sd.get(at)).copied().unwrap_or(0.0);
            (*steps as f64, *mean, mean - sd, mean + sd)
        });
        let finite = |p: &(f64, f64, f64, f64)| p.2.is_finite() && p.3.is_finite();
        points.filter(finite).collect()
    }
}

/// The range that holds all of them.
pub(crate) fn reach(bands: &[Band<'_>]) -> Scale {
    let values = bands.iter().flat_map(|band| {
        let ends = band
            .points()
            .into_iter()
            .flat_map(|(_, _, low, high)| [low, high]);
        ends.chain(band.level).collect::<Vec<_>>()
    });
    Scale::over(values)
}

/// One of many charts over `range`; `name` says what `unit` measures.
pub(crate) fn band(band: &Band<'_>, range: Scale, (unit, name): (Unit, &str)) -> Option<Chart> {
    let points = band.points();
    let (first, last) = (points.first()?.0, points.last()?.0);
    let mut chart = Chart::new(Chart::SMALL, 178.0);
    let (ticks, step) = range.ticks(3);
    let widest = ticks.iter().map(|value| width(&tick(unit, *value, step)));
    let left = widest.fold(24.0, f64::max) + 10.0;
    let plot = chart.inside(left, 18.0, FONT + 12.0, axis::BOTTOM);
    let x = Scale::new(first, last).onto(plot.left, plot.right);
    let y = range.onto(plot.bottom, plot.top);
    chart.draw_all(axis::left(&y, &plot, unit, name));
    chart.draw_all(axis::bottom(&x, &plot, Unit::Count, "steps"));
    let place = |value: fn(&(f64, f64, f64, f64)) -> f64| {
        let place = move |p: &(f64, f64, f64, f64)| Some((x.at(p.0)?, y.at(value(p))?));
        points.iter().filter_map(place).collect::<Vec<_>>()
    };
    if band.sd.is_some() {
        let mut outline = place(|p| p.2);
        outline.extend(place(|p| p.3).into_iter().rev());
        let around = Element::new("path").set("d", format_args!("{}Z", through(&outline)));
        chart.draw(around.class("spread").class("a0"));
    }
    if let Some(level) = band.level.and_then(|level| y.at(level)) {
        chart.draw(line((plot.left, level), (plot.right, level)).class("hull"));
    }
    let path = Element::new("path").set("d", through(&place(|p| p.1)));
    chart.draw(path.class("line").class("a0"));
    Some(chart)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat<'a>(steps: &'a [usize], mean: &'a [f64], sd: Option<&'a [f64]>) -> Band<'a> {
        let level = Some(0.5);
        Band {
            steps,
            mean,
            sd,
            level,
        }
    }

    #[test]
    fn a_band_is_its_line_its_spread_and_its_level() {
        let spread = flat(&[10, 20], &[0.2, 0.4], Some(&[0.1, 0.1]));
        let drawn = |one: &Band<'_>| {
            let chart = band(one, reach(&[*one]), (Unit::Points, "reward")).unwrap();
            chart.element(1, "", "").to_string()
        };
        let text = drawn(&spread);
        for part in ["spread", "hull", "line a0", "reward", "steps"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let alone = drawn(&Band { sd: None, ..spread });
        assert!(!alone.contains("spread"), "{alone}");
    }

    #[test]
    fn what_has_no_place_is_not_drawn() {
        let none = flat(&[], &[], None);
        assert!(band(&none, reach(&[none]), (Unit::Points, "")).is_none());
        let holes = flat(&[1, 2, 3], &[0.1, f64::NAN, 0.3], None);
        let chart = band(&holes, reach(&[holes]), (Unit::Money, "")).unwrap();
        let text = chart.element(1, "", "").to_string();
        assert!(!text.contains("NaN"), "{text}");
    }
}
