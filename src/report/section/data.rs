//! What was noticed on the way, what the numbers were made from, what was done.

use crate::report::figure::{nothing, source};
use crate::report::markup::{Element, Node};
use crate::report::model::Document;
use crate::report::number::{Unit, count, figure};
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

/// Events in the order in which they were noticed.
pub(crate) fn events(document: &Document, writer: &mut Writer) -> Element {
    let section = Element::new("section")
        .set("id", "events")
        .add(Element::new("h2").text("What was noticed on the way"));
    if document.events.is_empty() {
        return section.add(Element::new("p").text("Nothing."));
    }
    let columns = vec![
        Column::Text("Team"),
        Column::Number("Requests made"),
        Column::Text("What was noticed"),
        Column::Text("What truly happened"),
    ];
    let mut table = Table::new(writer, "Events", columns);
    for event in &document.events {
        let truth = event.truth.as_deref().unwrap_or("not known");
        table.row(vec![
            Node::Text(event.team.clone()),
            count(event.requests).into(),
            writer.element("span", &event.text).into(),
            writer.element("span", truth).into(),
        ]);
    }
    section.add(table.cards()).add(source("events"))
}

/// The data card.
pub(crate) fn card(document: &Document, writer: &mut Writer) -> Element {
    let data = &document.data;
    let mut section = Element::new("section")
        .set("id", "data")
        .add(Element::new("h2").text("The data"))
        .add(Element::new("p").class("lede").text(&data.name));
    if data.simulated {
        section = section.add(simulated(writer));
    }
    let facts = data.facts.iter().map(|(name, value)| {
        Element::new("div")
            .add(Element::new("dt").text(name))
            .add(Element::new("dd").text(value))
    });
    let caveats: Vec<Element> = data
        .caveats
        .iter()
        .map(|c| writer.element("li", c))
        .collect();
    section
        .add(Element::new("dl").class("facts").add_all(facts))
        .add(Element::new("ul").class("caveats").add_all(caveats))
        .add(source("data"))
}

/// Said at the top and again on the card, in words that nobody overlooks.
pub(crate) fn simulated(writer: &mut Writer) -> Element {
    let word = Element::new("b").text("SIMULATED.");
    let rest = " Arms, prices and outcomes were made by a generator. Nothing here was measured on a real model.";
    Element::new("p")
        .class("simulated")
        .add(word)
        .add_all(writer.say(rest))
}

/// Steps with their time.
pub(crate) fn steps(document: &Document, writer: &mut Writer) -> Element {
    let section = Element::new("section")
        .set("id", "steps")
        .add(Element::new("h2").text("What was done"));
    if document.steps.is_empty() {
        return section.add(nothing());
    }
    let columns = vec![
        Column::Text("Step"),
        Column::Text("How it went"),
        Column::Number("Time"),
    ];
    let mut table = Table::new(writer, "Steps", columns);
    for step in &document.steps {
        table.row(vec![
            Node::Text(step.name.clone()),
            writer.element("span", &step.outcome).into(),
            figure(Unit::Seconds, step.seconds).into(),
        ]);
    }
    section.add(table.cards()).add(source("steps"))
}
