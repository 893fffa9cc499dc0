//! Axes: few round ticks, a faint grid, the name of the quantity in words.

use super::label::{Area, FONT};
use super::scale::Scale;
use super::shape::{Anchor, line, text};
use crate::report::markup::Element;
use crate::report::number::{Unit, tick};

/// Room that the ticks and the name of a bottom axis take.
pub(super) const BOTTOM: f64 = 40.0;

/// Ticks below the plot, and what they count.
pub(super) fn bottom(scale: &Scale, plot: &Area, unit: Unit, name: &str) -> Vec<Element> {
    let wanted = ((plot.right - plot.left) / 60.0).max(2.0) as usize;
    let mut drawn = vec![line((plot.left, plot.bottom), (plot.right, plot.bottom)).class("axis")];
    if !name.is_empty() {
        let said = text((plot.right, plot.bottom + 32.0), Anchor::End, name);
        drawn.push(said.class("name"));
    }
    let (ticks, step) = scale.ticks(wanted);
    for value in ticks {
        // There is no half request.
        if unit == Unit::Count && (value - value.round()).abs() > 1e-6 {
            continue;
        }
        let Some(x) = scale.at(value) else { continue };
        drawn.push(line((x, plot.bottom), (x, plot.bottom + 4.0)).class("axis"));
        let label = text(
            (x, plot.bottom + 16.0),
            Anchor::Middle,
            tick(unit, value, step),
        );
        drawn.push(label.class("tick"));
    }
    drawn
}

/// Ticks left of the plot with grid lines across it, and what they measure above.
pub(super) fn left(scale: &Scale, plot: &Area, unit: Unit, name: &str) -> Vec<Element> {
    let wanted = ((plot.bottom - plot.top) / 45.0).max(2.0) as usize;
    let mut drawn = Vec::new();
    if !name.is_empty() {
        drawn.push(text((0.0, FONT), Anchor::Start, name).class("name"));
    }
    let (ticks, step) = scale.ticks(wanted);
    for value in ticks {
        let Some(y) = scale.at(value) else { continue };
        drawn.push(line((plot.left, y), (plot.right, y)).class("grid"));
        let label = tick(unit, value, step);
        drawn.push(text((plot.left - 6.0, y + 4.0), Anchor::End, label).class("tick"));
    }
    drawn
}
