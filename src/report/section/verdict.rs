//! What was found, first; and how to find it again.

use crate::report::markup::Element;
use crate::report::model::{Document, Finding, Statement};
use crate::report::svg::icon;
use crate::report::writer::Writer;

/// Each kind of finding: class and meaning.
fn words(finding: Finding) -> (&'static str, &'static str) {
    match finding {
        Finding::Shown => ("shown", "the figures are for it"),
        Finding::Contradicted => ("contradicted", "the figures are against it"),
        Finding::Undecided => ("undecided", "the figures do not tell"),
        Finding::Refused => ("refused", "nothing on record could tell"),
        Finding::Note => ("note", "said for the reader's sake"),
    }
}

fn badge(finding: Finding) -> Element {
    Element::new("span")
        .class("finding")
        .class(words(finding).0)
        .add(icon(finding))
        .add(Element::new("b").text(finding.word()))
}

fn list(statements: &[Statement], writer: &mut Writer) -> Element {
    let items = statements.iter().map(|statement| {
        let item = Element::new("li").add(badge(statement.finding));
        item.add(writer.element("p", &statement.text))
    });
    let items: Vec<Element> = items.collect();
    Element::new("ol").class("verdict").add_all(items)
}

/// What the findings mean, in the order in which they are met, and what stands in brackets.
fn key(document: &Document, writer: &mut Writer) -> Element {
    let details = document.details.iter().flat_map(|part| &part.statements);
    let mut used: Vec<Finding> = Vec::new();
    let mut key = Element::new("p").class("reading").class("key-words");
    for Statement { finding, .. } in document.verdict.iter().chain(details) {
        if used.contains(finding) {
            continue;
        }
        key = key
            .add(Element::new("b").text(finding.word()))
            .text(format_args!(": {}; ", words(*finding).1));
        used.push(*finding);
    }
    key.add_all(writer.say("two numbers in brackets: a 95 % interval."))
}

/// The answers, and what they rest on.
pub(crate) fn verdict(document: &Document, writer: &mut Writer) -> Element {
    let mut section = Element::new("section")
        .set("id", "verdict")
        .add(Element::new("h2").text("What was found"))
        .add(writer.element("p", &document.summary))
        .add_all(document.verdict.is_empty().then(nothing_found))
        .add(list(&document.verdict, writer))
        .add(key(document, writer));
    for part in &document.details {
        let heading = format!("In detail: {}", part.about);
        section = section
            .add(Element::new("h4").text(heading))
            .add(list(&part.statements, writer).class("details"));
    }
    section
}

fn nothing_found() -> Element {
    Element::new("p").text("Nothing.")
}

/// The exact command.
pub(crate) fn command(document: &Document) -> Element {
    let code = Element::new("code").text(&document.command);
    Element::new("section")
        .set("id", "again")
        .add(Element::new("h2").text("Make it again"))
        .add(Element::new("pre").set("tabindex", "0").add(code))
}
