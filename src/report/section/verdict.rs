//! What was found, first; and how to find it again.

use crate::report::markup::Element;
use crate::report::model::{Document, Finding};
use crate::report::svg::icon;
use crate::report::writer::Writer;

/// Each kind of finding: class, word, meaning.
fn words(finding: Finding) -> (&'static str, &'static str, &'static str) {
    match finding {
        Finding::Shown => ("shown", "Shown", "the evidence is for it"),
        Finding::Contradicted => ("contradicted", "Contradicted", "the evidence is against it"),
        Finding::Undecided => (
            "undecided",
            "Undecided",
            "the evidence is too thin either way",
        ),
        Finding::Refused => ("refused", "Cannot be known", "nothing on record could tell"),
        Finding::Note => ("note", "Note", "said for the reader's sake"),
    }
}

fn badge(finding: Finding) -> Element {
    let (class, word, _) = words(finding);
    Element::new("span")
        .class("finding")
        .class(class)
        .add(icon(finding))
        .add(Element::new("b").text(word))
}

/// The verdict with its findings in words.
pub(crate) fn verdict(document: &Document, writer: &mut Writer) -> Element {
    let mut list = Element::new("ol").class("verdict");
    let mut used: Vec<Finding> = Vec::new();
    for statement in &document.verdict {
        if !used.contains(&statement.finding) {
            used.push(statement.finding);
        }
        let item = Element::new("li").add(badge(statement.finding));
        list = list.add(item.add(writer.element("p", &statement.text)));
    }
    let mut key = Element::new("p").class("reading");
    for (at, finding) in used.into_iter().enumerate() {
        let (_, word, meaning) = words(finding);
        let end = if at == 0 { "" } else { "; " };
        key = key
            .text(end)
            .add(Element::new("b").text(word))
            .text(": ")
            .text(meaning);
    }
    Element::new("section")
        .set("id", "verdict")
        .add(Element::new("h2").text("What was found"))
        .add_all(document.verdict.is_empty().then(nothing_found))
        .add(list)
        .add(key)
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
