//! Values with their intervals on one common scale: as rows of a small chart, or as a table's cells.
//!
//! Invariants: all cells of a column share one scale, which its head shows; a truth is a hollow
//! diamond, an estimate a dot.

use super::chart::Chart;
use super::label::{FONT, shorten};
use super::scale::Scale;
use super::shape::{Anchor, circle, diamond, line, text};
use crate::report::markup::Element;
use crate::report::model::Interval;
use crate::report::number::{Unit, tick};

/// A column of a table that shows intervals.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Cell {
    scale: Scale,
    unit: Unit,
    rule: Option<f64>,
}

impl Cell {
    const WIDTH: f64 = 190.0;
    const HEIGHT: f64 = 24.0;
    const MARGIN: f64 = 16.0;

    /// Over all `values`; `rule` is a value to compare with, drawn through every row.
    pub(crate) fn over(
        unit: Unit,
        values: impl IntoIterator<Item = f64>,
        rule: Option<f64>,
    ) -> Self {
        let scale = Scale::over(values.into_iter().chain(rule));
        Self {
            scale: scale.onto(Self::MARGIN, Self::WIDTH - Self::MARGIN),
            unit,
            rule,
        }
    }

    /// The scale, for the column's head.
    pub(crate) fn head(&self) -> Element {
        let mut chart = Chart::new(Self::WIDTH, Self::HEIGHT);
        let (left, right) = self.scale.ends();
        let bottom = Self::HEIGHT - 0.5;
        chart.draw(line((left, bottom), (right, bottom)).class("axis"));
        let (ticks, step) = self.scale.ticks(3);
        for value in ticks {
            let Some(x) = self.scale.at(value) else {
                continue;
            };
            chart.draw(line((x, bottom - 4.0), (x, bottom)).class("axis"));
            let label = tick(self.unit, value, step);
            chart.draw(text((x, bottom - 7.0), Anchor::Middle, label).class("tick"));
        }
        chart.beside_text()
    }

    /// One row: an estimate with its interval, and the truth where it is known.
    pub(crate) fn draw(
        &self,
        class: &'static str,
        interval: Option<&Interval>,
        truth: Option<f64>,
    ) -> Element {
        let mut chart = Chart::new(Self::WIDTH, Self::HEIGHT);
        // Where both are drawn, the truth lies below the estimate, or it would hide it.
        let both = truth.is_some() && interval.is_some();
        let (above, below) = if both { (7.0, 17.0) } else { (12.0, 12.0) };
        if let Some(x) = self.rule.and_then(|rule| self.scale.at(rule)) {
            chart.draw(line((x, 0.0), (x, Self::HEIGHT)).class("rule"));
        }
        chart.draw_all(
            interval
                .into_iter()
                .flat_map(|i| estimate(&self.scale, i, above, class)),
        );
        if let Some(x) = truth.and_then(|truth| self.scale.at(truth)) {
            chart.draw(diamond((x, below), 5.0).class("truth"));
        }
        chart.beside_text()
    }
}

fn estimate(scale: &Scale, found: &Interval, y: f64, class: &'static str) -> Vec<Element> {
    let Some(x) = scale.at(found.value) else {
        return Vec::new();
    };
    let ends = scale.at(found.lower).zip(scale.at(found.upper));
    let (low, high) = ends.unwrap_or((x, x));
    vec![
        line((low, y), (high, y)).class("whisker").class(class),
        circle((x, y), 4.0).class("dot").class(class),
    ]
}

/// One row of a small chart.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Row<'a> {
    /// What it is of.
    pub(crate) name: &'a str,
    /// Its colour.
    pub(crate) class: &'static str,
    /// Its value, if it has one.
    pub(crate) value: Option<&'a Interval>,
}

/// Rows of values between 0 and 1.
pub(crate) fn rows(rows: &[Row<'_>]) -> Option<Chart> {
    if rows.is_empty() {
        return None;
    }
    let (row, left) = (20.0, 66.0);
    let mut chart = Chart::new(Chart::SMALL, rows.len() as f64 * row + 26.0);
    let plot = chart.inside(left, 14.0, 4.0, 22.0);
    let scale = Scale::new(0.0, 1.0).onto(plot.left, plot.right);
    for value in [0.0, 0.5, 1.0] {
        let Some(x) = scale.at(value) else { continue };
        chart.draw(line((x, plot.top), (x, plot.bottom)).class("grid"));
        let label = tick(Unit::Points, value, if value == 0.5 { 0.1 } else { 1.0 });
        chart.draw(text((x, plot.bottom + 15.0), Anchor::Middle, label).class("tick"));
    }
    for (at, one) in rows.iter().enumerate() {
        let y = plot.top + (at as f64 + 0.5) * row;
        let name = shorten(one.name, left - 10.0);
        let label = text((left - 8.0, y + 4.0), Anchor::End, name);
        chart.draw(label.class("label").class(one.class));
        match one.value {
            Some(found) if found.value.is_finite() => {
                chart.draw_all(estimate(&scale, found, y, one.class));
            }
            _ => chart.draw(
                text((plot.left + 4.0, y + FONT / 3.0), Anchor::Start, "not seen").class("said"),
            ),
        }
    }
    Some(chart)
}
