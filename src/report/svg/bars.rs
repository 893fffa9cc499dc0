//! Counts as bars, one under the other, each beside what was expected where something was.
//!
//! Invariants: all bars of a chart start at nothing and share one scale; the count stands at the right of every
//! bar, so that there is no axis to read; what was expected is a hollow diamond.

use super::chart::Chart;
use super::label::{shorten, width};
use super::scale::Scale;
use super::shape::{Anchor, diamond, line, text};
use crate::report::markup::Element;
use crate::report::number::{Unit, write};

/// From one bar to the next.
const ROW: f64 = 26.0;

/// One bar.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Bar {
    /// What is counted.
    pub(crate) label: String,
    /// How many.
    pub(crate) count: f64,
    /// How many there should be.
    pub(crate) expected: Option<f64>,
}

/// Bars in this order.
pub(crate) fn bars(bars: &[Bar], size: f64) -> Option<Chart> {
    let values = bars
        .iter()
        .flat_map(|bar| [Some(bar.count), bar.expected])
        .flatten();
    let most = values.filter(|v| v.is_finite()).fold(0.0, f64::max);
    if most <= 0.0 {
        return None;
    }
    let size = size.min(460.0);
    let widest = |texts: &mut dyn Iterator<Item = String>| {
        texts.map(|text| width(&text)).fold(0.0, f64::max)
    };
    let count = |bar: &Bar| write(Unit::Count, bar.count);
    let left = widest(&mut bars.iter().map(|bar| bar.label.clone())).min(size * 0.35) + 10.0;
    let right = widest(&mut bars.iter().map(count)) + 14.0;
    let mut chart = Chart::new(size, bars.len() as f64 * ROW + 6.0);
    let plot = chart.inside(left, right, 3.0, 3.0);
    let x = Scale::new(0.0, most).onto(plot.left, plot.right);
    for (at, bar) in bars.iter().enumerate() {
        let y = plot.top + (at as f64 + 0.5) * ROW;
        let name = shorten(&bar.label, left - 10.0);
        chart.draw(text((left - 8.0, y + 4.0), Anchor::End, name));
        if let Some(end) = x.at(bar.count) {
            chart.draw(filled((plot.left, y - 8.0), (end, y + 8.0)));
        }
        if let Some(place) = bar.expected.and_then(|expected| x.at(expected)) {
            chart.draw(diamond((place, y), 6.0).class("truth"));
        }
        chart.draw(text((size - 2.0, y + 4.0), Anchor::End, count(bar)).class("tick"));
    }
    chart.draw(line((plot.left, plot.top), (plot.left, plot.bottom)).class("axis"));
    Some(chart)
}

/// A filled rectangle.
fn filled((left, top): (f64, f64), (right, bottom): (f64, f64)) -> Element {
    let corners = [(left, top), (right, top), (right, bottom), (left, bottom)];
    let path = format!("{}Z", super::shape::through(&corners));
    Element::new("path")
        .set("d", path)
        .class("area")
        .class("a0")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bar(count: f64, expected: Option<f64>) -> Bar {
        let label = "an arm of a name that is far too long for its room".to_owned();
        Bar {
            label,
            count,
            expected,
        }
    }

    #[test]
    fn bars_start_at_nothing_and_share_a_scale_with_what_was_expected() {
        let chart = bars(&[bar(10.0, Some(20.0)), bar(0.0, None)], 330.0).unwrap();
        let text = chart.element(1, "", "").to_string();
        assert_eq!(text.matches("class=\"area a0\"").count(), 2);
        assert_eq!(text.matches("truth").count(), 1);
        assert!(text.contains("\u{2026}") && text.contains(">10<"), "{text}");
    }

    #[test]
    fn bars_of_nothing_are_no_chart() {
        assert!(bars(&[], 330.0).is_none());
        assert!(bars(&[bar(0.0, None), bar(f64::NAN, None)], 330.0).is_none());
    }
}
