//! The few shapes that charts are made of.
//!
//! Invariants: a coordinate is finite and has at most one decimal; one that is not finite becomes 0,
//! though callers leave such points out.

use crate::report::markup::Element;
use std::fmt::{self, Display, Write};

/// A coordinate as SVG reads it.
pub(super) struct At(pub(super) f64);

impl Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let tenths = (self.0 * 10.0).round();
        // Adding zero turns -0 into 0.
        let value = if tenths.is_finite() {
            tenths / 10.0 + 0.0
        } else {
            0.0
        };
        value.fmt(f)
    }
}

pub(super) fn line((x1, y1): (f64, f64), (x2, y2): (f64, f64)) -> Element {
    Element::new("line")
        .set("x1", At(x1))
        .set("y1", At(y1))
        .set("x2", At(x2))
        .set("y2", At(y2))
}

pub(super) fn circle((x, y): (f64, f64), radius: f64) -> Element {
    Element::new("circle")
        .set("cx", At(x))
        .set("cy", At(y))
        .set("r", At(radius))
}

/// A square on its corner.
pub(super) fn diamond((x, y): (f64, f64), radius: f64) -> Element {
    let corners = [
        (x, y - radius),
        (x + radius, y),
        (x, y + radius),
        (x - radius, y),
    ];
    Element::new("path").set("d", format_args!("{}Z", through(&corners)))
}

/// Where a text is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

pub(super) fn text((x, y): (f64, f64), anchor: Anchor, content: impl Display) -> Element {
    let element = Element::new("text").set("x", At(x)).set("y", At(y));
    let element = match anchor {
        Anchor::Start => element,
        Anchor::Middle => element.set("text-anchor", "middle"),
        Anchor::End => element.set("text-anchor", "end"),
    };
    element.text(content)
}

/// A path's data: straight lines through `points`.
pub(super) fn through(points: &[(f64, f64)]) -> String {
    let mut data = String::new();
    for (at, (x, y)) in points.iter().enumerate() {
        let letter = if at == 0 { 'M' } else { 'L' };
        // Writing to a String cannot fail.
        let _ = write!(data, "{letter}{} {}", At(*x), At(*y));
    }
    data
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_are_short_and_always_finite() {
        let shown = |v: f64| At(v).to_string();
        assert_eq!(shown(1.26), "1.3");
        assert_eq!(shown(-0.01), "0");
        assert_eq!(shown(f64::NAN), "0");
        assert_eq!(shown(f64::INFINITY), "0");
    }

    #[test]
    fn a_path_starts_with_a_move() {
        assert_eq!(through(&[(0.0, 1.0), (2.5, 3.0)]), "M0 1L2.5 3");
        assert_eq!(through(&[]), "");
    }
}
