//! A chart with its title, how to read it, its numbers, and where they are in the JSON.
//!
//! Invariants: a chart is drawn once for wide and once for narrow screens, of which one is shown; its
//! numbers are in a table behind it.

use super::markup::Element;
use super::svg::Chart;
use super::writer::Writer;

/// What stands around a chart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Figure<'a> {
    /// Its title.
    pub(crate) title: &'a str,
    /// How to read it.
    pub(crate) reading: &'a str,
    /// Where its numbers are in the JSON.
    pub(crate) source: &'a str,
}

impl Figure<'_> {
    /// A chart laid out by `draw` for the width that it is given.
    pub(crate) fn draw(
        self,
        writer: &mut Writer,
        draw: impl Fn(&Writer, f64) -> Option<Chart>,
        numbers: impl FnOnce(&mut Writer) -> Element,
    ) -> Element {
        let mut figure = self.open(writer);
        let sizes = [(Chart::WIDE, "wide"), (Chart::NARROW, "narrow")];
        let charts: Vec<Element> = sizes
            .into_iter()
            .filter_map(|(size, class)| {
                let chart = draw(writer, size)?;
                Some(
                    chart
                        .element(writer.id(), self.title, self.reading)
                        .class(class),
                )
            })
            .collect();
        if charts.is_empty() {
            return figure.add(nothing());
        }
        figure = figure.add_all(charts);
        let numbers = numbers(writer);
        figure.add(self.details(numbers))
    }

    /// Many small charts side by side, each with a name, under a key of their colours if need be.
    pub(crate) fn many(
        self,
        writer: &mut Writer,
        key: Option<Element>,
        charts: Vec<(String, Option<Chart>)>,
        numbers: impl FnOnce(&mut Writer) -> Element,
    ) -> Element {
        let figure = self.open(writer);
        if charts.is_empty() {
            return figure.add(nothing());
        }
        let panels: Vec<Element> = charts
            .into_iter()
            .map(|(name, chart)| {
                let title = format!("{}: {name}", self.title);
                let panel = Element::new("div").class("panel");
                let panel = panel.add(Element::new("h5").text(&name));
                match chart {
                    Some(chart) => panel.add(chart.element(writer.id(), &title, self.reading)),
                    None => panel.add(nothing()),
                }
            })
            .collect();
        let numbers = numbers(writer);
        figure
            .add_all(key)
            .add(Element::new("div").class("panels").add_all(panels))
            .add(self.details(numbers))
    }

    fn open(self, writer: &mut Writer) -> Element {
        let caption = Element::new("figcaption")
            .add(Element::new("h4").text(self.title))
            .add(writer.element("p", self.reading));
        Element::new("figure").add(caption)
    }

    fn details(self, numbers: Element) -> Element {
        Element::new("details")
            .add(Element::new("summary").text("The numbers"))
            .add(numbers)
            .add(source(self.source))
    }
}

/// Where numbers are in the JSON.
pub(crate) fn source(path: &str) -> Element {
    Element::new("p")
        .class("source")
        .text("In the JSON: ")
        .add(Element::new("code").text(path))
}

/// Said in place of a chart without points.
pub(crate) fn nothing() -> Element {
    Element::new("p")
        .class("none")
        .text("Nothing to draw: there are no values.")
}
