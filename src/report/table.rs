//! Tables that stay readable on a telephone: as cards where they are few, in a box of their own where
//! they are long.
//!
//! Invariants: every row has a cell for each column; the first cell names the row; each cell knows its
//! column's name, so that a card can say it.

use super::markup::{Element, Node};
use super::writer::Writer;

/// A column's name and what it holds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Column {
    /// Words.
    Text(&'static str),
    /// Words of the document, which may be anything.
    Named(String),
    /// A number.
    Number(&'static str),
    /// Small drawings, and the scale of all of them.
    Drawn(&'static str, Element),
}

impl Column {
    fn name(&self) -> &str {
        match self {
            Self::Text(name) | Self::Number(name) | Self::Drawn(name, _) => name,
            Self::Named(name) => name,
        }
    }

    fn class(&self) -> &'static str {
        match self {
            Self::Text(_) => "words",
            Self::Named(_) | Self::Number(_) => "number",
            Self::Drawn(..) => "drawn",
        }
    }
}

/// A table being written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    caption: String,
    columns: Vec<Column>,
    head: Element,
    rows: Vec<Element>,
}

impl Table {
    /// With a caption for those who hear it.
    pub(crate) fn new(
        writer: &mut Writer,
        caption: impl Into<String>,
        columns: Vec<Column>,
    ) -> Self {
        let mut head = Element::new("tr").set("role", "row");
        for column in &columns {
            let mut cell = Element::new("th")
                .class(column.class())
                .set("scope", "col")
                .set("role", "columnheader")
                .add_all(writer.say(column.name()));
            if let Column::Drawn(_, scale) = column {
                cell = cell.add(scale.clone());
            }
            head = head.add(cell);
        }
        Self {
            caption: caption.into(),
            columns,
            head,
            rows: Vec::new(),
        }
    }

    /// Adds a row: a cell for each column.
    pub(crate) fn row(&mut self, cells: Vec<Node>) {
        let mut row = Element::new("tr").set("role", "row");
        for (at, (cell, column)) in cells.into_iter().zip(&self.columns).enumerate() {
            let one = if at == 0 {
                Element::new("th")
                    .set("scope", "row")
                    .set("role", "rowheader")
            } else {
                let named = Element::new("td").set("role", "cell");
                named.set("data-label", column.name())
            };
            row = row.add(one.class(column.class()).add(cell));
        }
        self.rows.push(row);
    }

    /// As a table whose rows become cards on a narrow screen.
    pub(crate) fn cards(self) -> Element {
        self.element().class("cards")
    }

    /// As a table in a box that scrolls sideways if it must.
    pub(crate) fn boxed(self) -> Element {
        let name = self.caption.clone();
        // Focusable, so that a keyboard can scroll it.
        Element::new("div")
            .class("box")
            .set("role", "region")
            .set("tabindex", "0")
            .set("aria-label", name)
            .add(self.element())
    }

    fn element(self) -> Element {
        let head = Element::new("thead").set("role", "rowgroup").add(self.head);
        let body = Element::new("tbody")
            .set("role", "rowgroup")
            .add_all(self.rows);
        Element::new("table")
            .set("role", "table")
            .add(Element::new("caption").text(self.caption))
            .add(head)
            .add(body)
    }
}
