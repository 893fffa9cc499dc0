//! A chart: its size, what is drawn on it and what it says to someone who cannot see it.

use super::label::Area;
use super::shape::At;
use crate::report::markup::Element;

/// A chart laid out for one width.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) drawn: Vec<Element>,
}

impl Chart {
    /// Laid out for a wide screen or paper.
    pub(crate) const WIDE: f64 = 560.0;
    /// Laid out for a telephone.
    pub(crate) const NARROW: f64 = 330.0;
    /// One of many side by side.
    pub(crate) const SMALL: f64 = 250.0;

    pub(super) fn new(width: f64, height: f64) -> Self {
        Self {
            width,
            height,
            drawn: Vec::new(),
        }
    }

    pub(super) fn draw(&mut self, element: Element) {
        self.drawn.push(element);
    }

    pub(super) fn draw_all(&mut self, elements: impl IntoIterator<Item = Element>) {
        self.drawn.extend(elements);
    }

    /// The chart as an element; `id` is unique on the page.
    pub(crate) fn element(self, id: usize, title: &str, description: &str) -> Element {
        let (title_id, description_id) = (format!("chart-{id}"), format!("chart-{id}-says"));
        Element::new("svg")
            .class("chart")
            .set(
                "viewBox",
                format_args!("0 0 {} {}", At(self.width), At(self.height)),
            )
            .set("role", "img")
            .set(
                "aria-labelledby",
                format_args!("{title_id} {description_id}"),
            )
            .add(Element::new("title").set("id", &title_id).text(title))
            .add(
                Element::new("desc")
                    .set("id", &description_id)
                    .text(description),
            )
            .add_all(self.drawn)
    }

    /// The chart as a decoration of the text beside it, which says the same.
    pub(crate) fn beside_text(self) -> Element {
        Element::new("svg")
            .set(
                "viewBox",
                format_args!("0 0 {} {}", At(self.width), At(self.height)),
            )
            .set("width", At(self.width))
            .set("height", At(self.height))
            .set("aria-hidden", "true")
            .add_all(self.drawn)
    }

    /// The part of it inside these margins.
    pub(super) fn inside(&self, left: f64, right: f64, top: f64, bottom: f64) -> Area {
        Area {
            left,
            right: self.width - right,
            top,
            bottom: self.height - bottom,
        }
    }
}
