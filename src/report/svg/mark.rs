//! Vertical marks: something happened here, said in words above the plot.
//!
//! Invariants: no two labels lie on each other; a label that finds no room on the plot's side of its
//! mark goes to the other side.

use super::label::{Area, FONT, LINE, shorten, width};
use super::scale::Scale;
use super::shape::{Anchor, line, text};
use crate::report::markup::Element;

/// A mark with its place and the row of its label.
#[derive(Debug, Clone, PartialEq)]
struct Placed {
    x: f64,
    start: f64,
    row: usize,
    label: String,
}

/// All marks of a chart, laid out.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Marks(Vec<Placed>);

impl Marks {
    /// Lays labels out in as many rows as they need, between `left` and `right`.
    pub(super) fn new(marks: &[(usize, String)], scale: &Scale, left: f64, right: f64) -> Self {
        let mut placed: Vec<Placed> = Vec::new();
        for (requests, words) in marks {
            let value = *requests as f64;
            let Some(x) = scale.at(value).filter(|_| scale.holds(value)) else {
                continue;
            };
            let label = shorten(words, right - left);
            let long = width(&label);
            let start = (x + 4.0).min(right - long).max(left);
            let free = |row: &usize| {
                placed.iter().filter(|p| p.row == *row).all(|p| {
                    start > p.start + width(&p.label) + FONT || start + long + FONT < p.start
                })
            };
            let row = (0..=placed.len()).find(free).unwrap_or(placed.len());
            placed.push(Placed {
                x,
                start,
                row,
                label,
            });
        }
        Self(placed)
    }

    /// Height that the labels take.
    pub(super) fn height(&self) -> f64 {
        self.0.iter().map(|p| p.row + 1).max().unwrap_or(0) as f64 * LINE
    }

    /// Lines over `plot` from the labels, which begin at `top`; words come last, so that a line behind
    /// them is cut.
    pub(super) fn draw(&self, plot: &Area, top: f64) -> Vec<Element> {
        let base = |p: &Placed| top + p.row as f64 * LINE + FONT - 2.0;
        let lines = self.0.iter().flat_map(|p| {
            // A label that begins left of its mark stands on the line.
            let beside = p.start > p.x;
            let from = base(p) + if beside { 3.0 - FONT } else { 3.0 };
            upright(p.x, from, plot)
        });
        let words = self
            .0
            .iter()
            .map(|p| text((p.start, base(p)), Anchor::Start, &p.label).class("said"));
        lines.chain(words).collect()
    }
}

/// A mark's line, lifted off whatever colour it crosses.
pub(super) fn upright(x: f64, from: f64, plot: &Area) -> [Element; 2] {
    let within = line((x, plot.top), (x, plot.bottom)).class("halo");
    [within, line((x, from), (x, plot.bottom)).class("mark")]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(marks: &[(usize, &str)]) -> Vec<usize> {
        let marks: Vec<(usize, String)> = marks.iter().map(|(at, s)| (*at, (*s).into())).collect();
        let scale = Scale::new(0.0, 1000.0).onto(0.0, 400.0);
        Marks::new(&marks, &scale, 0.0, 400.0)
            .0
            .iter()
            .map(|p| p.row)
            .collect()
    }

    #[test]
    fn labels_share_a_row_only_if_they_do_not_meet() {
        assert_eq!(rows(&[(0, "begin"), (500, "half")]), [0, 0]);
        assert_eq!(
            rows(&[(500, "harbor gets worse"), (520, "alarm: harbor")]),
            [0, 1]
        );
        assert_eq!(rows(&[(990, "at the end"), (995, "too")]), [0, 1]);
    }

    #[test]
    fn a_mark_outside_the_axis_is_left_out() {
        assert_eq!(rows(&[(2000, "never")]), [0_usize; 0]);
    }
}
