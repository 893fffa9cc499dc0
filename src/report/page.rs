//! The page: one file, nothing fetched, no script.
//!
//! Invariants: the content policy forbids everything but this page's own style sheet, which it names
//! by its hash; so even a mistake in escaping could run nothing and fetch nothing.
//!
//! Source: Content Security Policy Level 3, 2.3.1 (`hash-source`).

use super::markup::{Element, Node};
use super::model::Document;
use super::section;
use super::writer::Writer;
use sha2::{Digest, Sha256};

/// The look of it.
pub(super) const STYLE: &str = include_str!("style.css");

impl Document {
    /// The report for machines.
    pub fn json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// The report for people: one self-contained page that refers to the JSON beside it as
    /// `report.json`.
    pub fn html(&self) -> String {
        whole(&self.page())
    }

    pub(super) fn page(&self) -> Element {
        let mut writer = Writer::new(self);
        let writer = &mut writer;
        let header = header(self, writer);
        let mut main = Element::new("main")
            .add(section::verdict(self, writer))
            .add(section::command(self));
        for (at, team) in self.teams.iter().enumerate() {
            main = main.add(section::team(team, at, writer));
        }
        main = main
            .add(section::events(self, writer))
            .add(section::card(self, writer))
            .add(section::steps(self, writer));
        let terms = Element::new("section")
            .set("id", "terms")
            .add(Element::new("h2").text("Words used here"))
            .add(writer.glossary.clone().list(&self.terms));
        let body = Element::new("body")
            .add(header)
            .add(main.add(terms))
            .add(footer(self));
        let html = Element::new("html").set("lang", "en");
        html.add(head(&self.title, &self.version)).add(body)
    }
}

/// A page as a file.
pub(super) fn whole(page: &Element) -> String {
    format!("<!doctype html>\n{page}\n")
}

/// What a page says of itself: its policy, its title, its look.
pub(super) fn head(title: &str, version: &str) -> Element {
    let meta = |name: &'static str, content: String| {
        Element::new("meta")
            .set("name", name)
            .set("content", content)
    };
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; base-uri 'none'; form-action 'none'",
        base64(&Sha256::digest(STYLE))
    );
    let policy = Element::new("meta")
        .set("http-equiv", "Content-Security-Policy")
        .set("content", policy);
    Element::new("head")
        .add(Element::new("meta").set("charset", "utf-8"))
        .add(policy)
        .add(meta(
            "viewport",
            "width=device-width, initial-scale=1".into(),
        ))
        .add(meta("color-scheme", "light dark".into()))
        .add(meta("generator", format!("Bellwether {version}")))
        .add(Element::new("title").text(title))
        .add(Element::new("style").add(Node::Style(STYLE)))
}

fn header(document: &Document, writer: &mut Writer) -> Element {
    let mut header = Element::new("header").add(Element::new("h1").text(&document.title));
    if document.data.simulated {
        header = header.add(section::simulated(writer));
    }
    let link = |to: String, name: String| {
        let link = Element::new("a")
            .set("href", format_args!("#{to}"))
            .text(name);
        Element::new("li").add(link)
    };
    let fixed = |(to, name): (&str, &str)| link(to.into(), name.into());
    let teams = document.teams.iter().enumerate();
    let links = [("verdict", "What was found"), ("again", "Make it again")]
        .map(fixed)
        .into_iter()
        .chain(teams.map(|(at, t)| link(format!("team-{at}"), format!("Team {}", t.name))))
        .chain(
            [
                ("events", "What was noticed"),
                ("data", "The data"),
                ("steps", "What was done"),
                ("terms", "Words used here"),
            ]
            .map(fixed),
        );
    let contents = Element::new("nav")
        .set("aria-label", "Contents")
        .add(Element::new("ul").add_all(links));
    header
        .add(writer.element("p", &document.introduction).class("lede"))
        .add(contents)
}

fn footer(document: &Document) -> Element {
    let json = Element::new("a")
        .set("href", "report.json")
        .text("report.json");
    let said = Element::new("p")
        .text("Every number on this page is in ")
        .add(json)
        .text(" beside it, unrounded; nothing is worked out here but places and rounding. Made by Bellwether ")
        .text(&document.version)
        .text(".");
    Element::new("footer").add(said)
}

/// The foot of a page whose numbers lie beside it, in the file of this name.
pub(super) fn foot(json: &str, version: &str) -> Element {
    let link = Element::new("a").set("href", address(json)).text(json);
    let said = Element::new("p")
        .text("Every number on this page is in ")
        .add(link)
        .text(" beside it, unrounded. Made by Bellwether ")
        .text(version)
        .text(".");
    Element::new("footer").add(said)
}

/// A file's name as an address of what lies beside the page.
fn address(name: &str) -> String {
    let mut address = "./".to_owned();
    for byte in name.bytes() {
        match byte {
            b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'-' | b'_' => {
                address.push(char::from(byte))
            }
            _ => address.push_str(&format!("%{byte:02X}")),
        }
    }
    address
}

/// RFC 4648, section 4.
fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in bytes.chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let letter = LETTERS[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        let check = |bytes: &str, expected| assert_eq!(base64(bytes.as_bytes()), expected);
        check("", "");
        check("f", "Zg==");
        check("fo", "Zm8=");
        check("foobar", "Zm9vYmFy");
    }
}
