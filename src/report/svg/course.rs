//! A difference as a log grew, with two intervals: the plain one as a band, the one at every peek as dashed lines.
//!
//! Invariants: no difference has a line of its own; the vertical scale is that of the later four fifths of intervals and
//! the last quarter of bounds. Intervals beyond it are drawn at its edge and bounds not at all: the first ones, of a
//! handful of decisions, may be anything.

use super::axis;
use super::chart::Chart;
use super::label::{FONT, width};
use super::scale::Scale;
use super::shape::{line, through};
use crate::report::markup::Element;
use crate::report::model::Interval;
use crate::report::number::{Unit, tick};

/// How it stood.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Moment {
    /// Decisions so far.
    pub(crate) decisions: usize,
    /// The difference.
    pub(crate) difference: Interval,
    /// Lower and upper bound at every peek.
    pub(crate) anytime: Option<(f64, f64)>,
}

/// The chart; `name` says what is measured.
pub(crate) fn course(moments: &[Moment], size: f64, (unit, name): (Unit, &str)) -> Option<Chart> {
    let last = moments.last()?;
    let mut chart = Chart::new(size, 250.0);
    let range = reach(moments, last);
    let (ticks, step) = range.ticks(4);
    let widest = ticks.iter().map(|value| width(&tick(unit, *value, step)));
    let left = widest.fold(24.0, f64::max) + 10.0;
    let plot = chart.inside(left, 18.0, FONT + 12.0, axis::BOTTOM);
    let x = Scale::new(0.0, last.decisions as f64).onto(plot.left, plot.right);
    let y = range.onto(plot.bottom, plot.top);
    chart.draw_all(axis::left(&y, &plot, unit, name));
    chart.draw_all(axis::bottom(&x, &plot, Unit::Count, "decisions"));
    let place = |value: &dyn Fn(&Moment) -> Option<f64>| {
        let place = |at: &Moment| Some((x.at(at.decisions as f64)?, y.at(value(at)?)?));
        moments.iter().filter_map(place).collect::<Vec<_>>()
    };
    let mut outline = place(&|at| Some(at.difference.lower));
    outline.extend(place(&|at| Some(at.difference.upper)).into_iter().rev());
    let around = Element::new("path").set("d", format_args!("{}Z", through(&outline)));
    chart.draw(around.class("spread").class("a0"));
    if let Some(nothing) = y.at(0.0) {
        chart.draw(line((plot.left, nothing), (plot.right, nothing)).class("rule"));
    }
    for bound in [
        place(&|at| {
            at.anytime
                .map(|bounds| bounds.0)
                .filter(|v| range.holds(*v))
        }),
        place(&|at| {
            at.anytime
                .map(|bounds| bounds.1)
                .filter(|v| range.holds(*v))
        }),
    ] {
        let path = Element::new("path").set("d", through(&bound));
        chart.draw(path.class("hull"));
    }
    let path = Element::new("path").set("d", through(&place(&|at| Some(at.difference.value))));
    chart.draw(path.class("line").class("a0"));
    Some(chart)
}

/// The values that count for the scale.
fn reach(moments: &[Moment], last: &Moment) -> Scale {
    let later = moments
        .iter()
        .filter(|at| at.decisions * 5 >= last.decisions);
    let plain = later.flat_map(|at| [at.difference.lower, at.difference.upper]);
    let last_ones = moments
        .iter()
        .filter(|at| at.decisions * 4 >= last.decisions * 3);
    let bounds = last_ones.filter_map(|at| at.anytime);
    let bounds = bounds.flat_map(|(lower, upper)| [lower, upper]);
    Scale::over(plain.chain(bounds).chain([0.0]))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(decisions: usize, value: f64, anytime: Option<(f64, f64)>) -> Moment {
        let (lower, upper) = (value - 0.1, value + 0.1);
        Moment {
            decisions,
            difference: Interval {
                value,
                lower,
                upper,
            },
            anytime,
        }
    }

    fn drawn(moments: &[Moment]) -> String {
        let chart = course(moments, 560.0, (Unit::Difference, "utility")).unwrap();
        chart.element(1, "", "").to_string()
    }

    #[test]
    fn a_course_is_a_band_a_line_two_bounds_and_no_difference() {
        let text = drawn(&[
            moment(10, 0.3, Some((-1.0, 1.0))),
            moment(100, 0.1, Some((-0.2, 0.4))),
        ]);
        for (part, times) in [("spread", 1), ("hull", 2), ("rule", 1), ("line a0", 1)] {
            let class = format!("class=\"{part}");
            assert_eq!(text.matches(&class).count(), times, "{part}: {text}");
        }
    }

    #[test]
    fn a_wild_beginning_does_not_flatten_the_rest() {
        let calm = [moment(50, 0.1, None), moment(100, 0.1, None)];
        let wild = [moment(1, 900.0, None), calm[0], calm[1]];
        let ticks = |text: &str| {
            let ticks = text.split("class=\"tick\"").skip(1);
            let label = |tick: &str| tick.split('<').next().unwrap().to_owned();
            ticks.map(label).collect::<Vec<_>>()
        };
        assert_eq!(ticks(&drawn(&calm)), ticks(&drawn(&wild)));
        assert!(course(&[], 560.0, (Unit::Difference, "")).is_none());
    }

    #[test]
    fn what_has_no_place_is_not_drawn() {
        let text = drawn(&[moment(1, f64::NAN, None), moment(2, 0.1, None)]);
        assert!(!text.contains("NaN"), "{text}");
    }
}
