//! Money by day: as bars of stacked parts, or as values with their intervals.
//!
//! Invariants: bars start at nothing, keep the order of the parts, the first at the bottom, and share one scale;
//! parts are parted by a line of the paper's colour; a day without a value has none drawn; a rule stands at nothing.

use super::axis;
use super::chart::Chart;
use super::label::Area;
use super::scale::Scale;
use super::shape::{Anchor, circle, line, text, through};
use crate::report::markup::Element;
use crate::report::model::Interval;
use crate::report::number::Unit;

/// Room between the dates below a chart.
const DATE: f64 = 84.0;

/// One part of every day's bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Part {
    /// Its colour.
    pub(crate) class: &'static str,
    /// Dollars of each day.
    pub(crate) usd: Vec<f64>,
}

/// Bars of stacked parts.
pub(crate) fn stacks(days: &[String], parts: &[Part], size: f64) -> Option<Chart> {
    let at = |part: &Part, day: usize| part.usd.get(day).copied().unwrap_or(0.0).max(0.0);
    let sum = |day: usize| parts.iter().map(|part| at(part, day)).sum::<f64>();
    let most = (0..days.len()).map(sum).fold(0.0, f64::max);
    if most <= 0.0 || !most.is_finite() {
        return None;
    }
    let (mut chart, plot) = framed(size);
    let y = Scale::new(0.0, most).onto(plot.bottom, plot.top);
    chart.draw_all(axis::left(&y, &plot, Unit::Money, "USD a day"));
    let half = (half(days, &plot) * 0.8).max(0.3);
    for day in 0..days.len() {
        let x = middle(days, &plot, day);
        let mut below = 0.0;
        for part in parts {
            let high = below + at(part, day);
            if let (true, Some((low, top))) = (high > below, y.at(below).zip(y.at(high))) {
                let (left, right) = (x - half, x + half);
                let corners = [(left, low), (left, top), (right, top), (right, low)];
                let path = Element::new("path").set("d", format_args!("{}Z", through(&corners)));
                chart.draw(path.class("area").class(part.class));
            }
            below = high;
        }
    }
    chart.draw_all(dates(days, &plot));
    Some(chart)
}

/// Values with their intervals, dollars.
pub(crate) fn spans(days: &[String], values: &[Option<Interval>], size: f64) -> Option<Chart> {
    let known = values.iter().flatten();
    if known.clone().count() == 0 {
        return None;
    }
    let ends = known.flat_map(|found| [found.value, found.lower, found.upper]);
    let (mut chart, plot) = framed(size);
    let y = Scale::over(ends.chain([0.0])).onto(plot.bottom, plot.top);
    chart.draw_all(axis::left(&y, &plot, Unit::MoneyDifference, "USD a day"));
    if let Some(zero) = y.at(0.0) {
        chart.draw(line((plot.left, zero), (plot.right, zero)).class("rule"));
    }
    for (day, found) in values.iter().enumerate().take(days.len()) {
        let x = middle(days, &plot, day);
        let places = found
            .as_ref()
            .and_then(|found| Some([y.at(found.value)?, y.at(found.lower)?, y.at(found.upper)?]));
        if let Some([value, lower, upper]) = places {
            let whisker = line((x, lower), (x, upper)).class("whisker");
            chart.draw(whisker.class("router"));
            chart.draw(circle((x, value), 3.0).class("dot").class("router"));
        }
    }
    chart.draw_all(dates(days, &plot));
    Some(chart)
}

fn framed(size: f64) -> (Chart, Area) {
    let chart = Chart::new(size, 240.0);
    let plot = chart.inside(64.0, 12.0, 22.0, 26.0);
    (chart, plot)
}

/// Half the room of a day.
fn half(days: &[String], plot: &Area) -> f64 {
    (plot.right - plot.left) / days.len().max(1) as f64 / 2.0
}

fn middle(days: &[String], plot: &Area, day: usize) -> f64 {
    plot.left + half(days, plot) * (2.0 * day as f64 + 1.0)
}

/// As many dates as fit, and the axis.
fn dates(days: &[String], plot: &Area) -> Vec<Element> {
    let fit = ((plot.right - plot.left) / DATE).max(1.0);
    let step = (days.len() as f64 / fit).ceil().max(1.0) as usize;
    let mut drawn = vec![line((plot.left, plot.bottom), (plot.right, plot.bottom)).class("axis")];
    for (day, date) in days.iter().enumerate().step_by(step) {
        let x = middle(days, plot, day);
        drawn.push(line((x, plot.bottom), (x, plot.bottom + 4.0)).class("axis"));
        // At the edges of the plot a date would hang over.
        let (low, high) = (DATE / 2.0 - 8.0, plot.right - DATE / 2.0 + 14.0);
        let place = (x.clamp(low, high.max(low)), plot.bottom + 16.0);
        drawn.push(text(place, Anchor::Middle, date).class("tick"));
    }
    drawn
}

#[cfg(test)]
mod tests {
    use super::*;

    fn days(n: usize) -> Vec<String> {
        (0..n).map(|day| format!("2026-05-{day:02}")).collect()
    }

    fn part(class: &'static str, usd: &[f64]) -> Part {
        Part {
            class,
            usd: usd.to_vec(),
        }
    }

    #[test]
    fn a_part_of_nothing_is_not_drawn_and_dates_that_do_not_fit_are_left_out() {
        let parts = [part("a0", &[1.0, 2.0]), part("a1", &[0.0, 3.0])];
        let text = stacks(&days(2), &parts, 560.0)
            .unwrap()
            .element(1, "", "")
            .to_string();
        assert_eq!(text.matches("class=\"area a0\"").count(), 2);
        assert_eq!(text.matches("class=\"area a1\"").count(), 1);
        let many = [part("a0", &[1.0; 90])];
        let text = stacks(&days(90), &many, 330.0)
            .unwrap()
            .element(1, "", "")
            .to_string();
        assert!(text.matches("2026-05-").count() <= 4, "{text}");
    }

    #[test]
    fn a_stack_of_nothing_and_spans_of_nothing_are_no_chart() {
        assert!(stacks(&[], &[], 560.0).is_none());
        assert!(stacks(&days(2), &[part("a0", &[0.0, f64::NAN])], 560.0).is_none());
        assert!(spans(&days(2), &[None, None], 560.0).is_none());
    }

    #[test]
    fn a_day_without_a_value_has_no_whisker_and_nothing_is_marked() {
        let found = Interval {
            value: 2.0,
            lower: -1.0,
            upper: 5.0,
        };
        let values = [Some(found), None, Some(found)];
        let text = spans(&days(3), &values, 560.0)
            .unwrap()
            .element(1, "", "")
            .to_string();
        assert_eq!(text.matches("whisker").count(), 2);
        assert_eq!(text.matches("class=\"rule\"").count(), 1);
    }
}
