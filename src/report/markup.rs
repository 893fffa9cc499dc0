//! HTML and SVG that cannot be broken by what is written into it.
//!
//! Invariants: every tag and attribute name is a literal of this program; every text and every
//! attribute value is escaped on the way out; the only unescaped text is a literal style sheet.
//! Control characters and those that turn the direction of text round come out as U+FFFD.
//!
//! Not here: what the page says (`section`), how it looks (`style.css`).
//!
//! Source: HTML Living Standard, 13.3 (what must be escaped where).

use std::fmt::{self, Display, Write};

/// Elements that have no end tag.
const VOID: [&str; 5] = ["meta", "br", "hr", "link", "col"];

/// An element with all that is in it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Element {
    tag: &'static str,
    classes: Vec<&'static str>,
    attributes: Vec<(&'static str, String)>,
    children: Vec<Node>,
}

/// Something inside an element.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Node {
    /// Another element.
    Element(Element),
    /// Text, not yet escaped.
    Text(String),
    /// A style sheet of this program.
    Style(&'static str),
}

impl Element {
    pub(crate) fn new(tag: &'static str) -> Self {
        Self {
            tag,
            classes: Vec::new(),
            attributes: Vec::new(),
            children: Vec::new(),
        }
    }

    /// Sets an attribute.
    pub(crate) fn set(mut self, name: &'static str, value: impl Display) -> Self {
        self.attributes.push((name, value.to_string()));
        self
    }

    /// Adds a class: a literal, so that no name of the document can become one.
    pub(crate) fn class(mut self, name: &'static str) -> Self {
        self.classes.push(name);
        self
    }

    /// Adds text.
    pub(crate) fn text(self, text: impl Display) -> Self {
        self.add(Node::Text(text.to_string()))
    }

    /// Adds one child.
    pub(crate) fn add(mut self, child: impl Into<Node>) -> Self {
        self.children.push(child.into());
        self
    }

    /// Adds children.
    pub(crate) fn add_all<T: Into<Node>>(mut self, children: impl IntoIterator<Item = T>) -> Self {
        self.children.extend(children.into_iter().map(Into::into));
        self
    }
}

impl From<Element> for Node {
    fn from(element: Element) -> Self {
        Self::Element(element)
    }
}

impl Display for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}", self.tag)?;
        if !self.classes.is_empty() {
            write!(f, " class=\"{}\"", self.classes.join(" "))?;
        }
        for (name, value) in &self.attributes {
            write!(f, " {name}=\"{}\"", Escaped(value))?;
        }
        f.write_char('>')?;
        if VOID.contains(&self.tag) {
            return Ok(());
        }
        for child in &self.children {
            match child {
                Node::Element(element) => element.fmt(f)?,
                Node::Text(text) => Escaped(text).fmt(f)?,
                Node::Style(css) => f.write_str(css)?,
            }
        }
        write!(f, "</{}>", self.tag)
    }
}

/// Text made harmless, in content and between double quotes alike.
struct Escaped<'a>(&'a str);

impl Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '"' => f.write_str("&quot;")?,
                '\'' => f.write_str("&#39;")?,
                '\n' | '\t' => f.write_char(c)?,
                c if c.is_control() || turns_direction(c) => f.write_char('\u{fffd}')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// Characters that make what follows read the other way round, so that a name could disguise itself.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
impl Element {
    /// Every element, this one first, in the order of the page.
    pub(crate) fn walk<'a>(&'a self, see: &mut impl FnMut(&'a Element)) {
        see(self);
        for child in &self.children {
            if let Node::Element(element) = child {
                element.walk(see);
            }
        }
    }

    pub(crate) fn tag(&self) -> &'static str {
        self.tag
    }

    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(n, _)| *n == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn has_class(&self, name: &str) -> bool {
        self.classes.contains(&name)
    }

    pub(crate) fn children(&self) -> &[Node] {
        &self.children
    }

    /// All text in it, nothing between.
    pub(crate) fn plain(&self) -> String {
        let text = |node: &Node| match node {
            Node::Element(element) => element.plain(),
            Node::Text(text) => text.clone(),
            Node::Style(_) => String::new(),
        };
        self.children.iter().map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(element: Element, expected: &str) {
        assert_eq!(element.to_string(), expected);
    }

    #[test]
    fn text_and_attributes_are_escaped() {
        let hostile = "<script>alert('1')</script>&\"";
        let safe = "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;&quot;";
        check(
            Element::new("p").set("title", hostile).text(hostile),
            &format!("<p title=\"{safe}\">{safe}</p>"),
        );
    }

    #[test]
    fn a_void_element_has_no_end_and_others_always_do() {
        check(
            Element::new("meta").set("charset", "utf-8"),
            "<meta charset=\"utf-8\">",
        );
        check(
            Element::new("ul").add_all([Element::new("li").text(1), Element::new("li")]),
            "<ul><li>1</li><li></li></ul>",
        );
    }

    #[test]
    fn characters_that_disguise_a_name_are_shown() {
        check(
            Element::new("b").text("a\u{202e}b\0c\nd"),
            "<b>a\u{fffd}b\u{fffd}c\nd</b>",
        );
    }
}
