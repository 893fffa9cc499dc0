//! The page: one file, nothing fetched, no script.

use super::markup::{Element, Node};
use super::model::Document;

/// The look of it.
const STYLE: &str = include_str!("style.css");

impl Document {
    /// The report for machines.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// The report for people: one self-contained page.
    pub fn html(&self) -> String {
        let verdict = self
            .verdict
            .iter()
            .map(|s| Element::new("li").text(&s.text));
        let body = Element::new("body")
            .add(Element::new("h1").text(&self.title))
            .add(Element::new("p").text(&self.summary))
            .add(Element::new("ol").add_all(verdict));
        let head = Element::new("head")
            .add(Element::new("meta").set("charset", "utf-8"))
            .add(Element::new("title").text(&self.title))
            .add(Element::new("style").add(Node::Style(STYLE)));
        let page = Element::new("html").set("lang", "en").add(head).add(body);
        format!("<!doctype html>\n{page}\n")
    }
}
