//! What all sections share: the colours of arms, the terms already explained, ids.
//!
//! Invariants: an id is given once.

use super::glossary::Glossary;
use super::markup::{Element, Node};
#[cfg(feature = "analytics")]
use super::model::Term;
use super::model::{Document, Interval};
use super::number::{self, Unit};
use super::palette::Palette;

/// Writes a page from its beginning to its end, so that "first" means first on the page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Writer {
    pub(crate) palette: Palette,
    pub(crate) glossary: Glossary,
    ids: usize,
}

impl Writer {
    pub(crate) fn new(document: &Document) -> Self {
        Self {
            palette: Palette::new(document),
            glossary: Glossary::new(&document.terms),
            ids: 0,
        }
    }

    /// For a page that is about these arms, and explains no words of its own.
    pub(crate) fn of_arms(arms: impl Iterator<Item = String>) -> Self {
        Self {
            palette: Palette::of(arms),
            glossary: Glossary::new(&[]),
            ids: 0,
        }
    }

    /// For a page without colours that explains these words besides the page's own.
    #[cfg(feature = "analytics")]
    pub(crate) fn of_terms(terms: &[Term]) -> Self {
        Self {
            palette: Palette::of(std::iter::empty()),
            glossary: Glossary::new(terms),
            ids: 0,
        }
    }

    /// A number for an id.
    pub(crate) fn id(&mut self) -> usize {
        self.ids += 1;
        self.ids
    }

    /// Text with its terms linked.
    pub(crate) fn say(&mut self, text: &str) -> Vec<Node> {
        self.glossary.link(text)
    }

    /// The same as an element.
    pub(crate) fn element(&mut self, tag: &'static str, text: &str) -> Element {
        Element::new(tag).add_all(self.say(text))
    }

    /// An arm's name with its colour.
    pub(crate) fn arm(&self, name: &str) -> Element {
        let class = self.palette.arm(name).unwrap_or("reference");
        let swatch = Element::new("i").class("swatch").class(class);
        Element::new("span")
            .class("arm")
            .add(swatch)
            .add(Element::new("b").text(name))
    }

    /// The colours of all these arms.
    pub(crate) fn key<'a>(&self, names: impl IntoIterator<Item = &'a str>) -> Element {
        let items = names
            .into_iter()
            .map(|n| Element::new("li").add(self.arm(n)));
        Element::new("ul").class("key").add_all(items)
    }
}

/// An interval, or words where there is none.
pub(crate) fn interval_or(unit: Unit, found: Option<&Interval>, otherwise: &str) -> Element {
    match found {
        Some(found) => number::interval(unit, found),
        None => Element::new("span").class("none").text(otherwise),
    }
}

/// A value, or words where there is none.
pub(crate) fn value_or(unit: Unit, found: Option<f64>, otherwise: &str) -> Element {
    match found {
        Some(value) => number::figure(unit, value),
        None => Element::new("span").class("none").text(otherwise),
    }
}
