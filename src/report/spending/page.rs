//! The frame: charts, what was spent, what was saved, what to know.

use super::{figures, table};
use crate::report::figure::source;
use crate::report::markup::Element;
use crate::report::number::{Unit, nano};
use crate::report::page::{foot, head, whole};
use crate::report::writer::Writer;
use crate::spend::Spent;
use std::collections::BTreeMap;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A report on what was spent as a page.
#[derive(Debug, Clone, Copy)]
pub struct Spending<'a> {
    /// What was spent.
    pub spent: &'a Spent,
    /// Name of the file beside the page that has it as JSON.
    pub json: &'a str,
}

impl Spending<'_> {
    /// One self-contained page.
    pub fn html(&self) -> String {
        whole(&self.page())
    }

    pub(super) fn page(&self) -> Element {
        let spent = self.spent;
        let title = format!("Spent: {}", spent.stretch());
        let mut writer = Writer::of_arms(arms(spent).into_iter());
        let writer = &mut writer;
        let main = Element::new("main")
            .add(section("days", "Day by day").add(figures::days(spent, writer)))
            .add(
                section("rows", "What was spent")
                    .add(writer.element("p", table::READING).class("reading"))
                    .add(table::spent(spent, writer).boxed())
                    .add(source("rows, total")),
            )
            .add(saved(spent, writer))
            .add(notes(spent));
        let terms = section("terms", "Words used here").add(writer.glossary.clone().list(&[]));
        let body = Element::new("body")
            .add(header(&title, spent))
            .add(main.add(terms))
            .add(foot(self.json, VERSION));
        let html = Element::new("html").set("lang", "en");
        html.add(head(&title, VERSION)).add(body)
    }
}

/// The arms, those first on which most was spent.
pub(super) fn arms(spent: &Spent) -> Vec<String> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for day in &spent.days {
        let sum = sums.entry(&day.arm).or_default();
        *sum = sum.saturating_add(day.spent_nano_usd);
    }
    let mut arms: Vec<(&str, i64)> = sums.into_iter().collect();
    arms.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    arms.into_iter().map(|(arm, _)| arm.to_owned()).collect()
}

fn section(id: &str, title: &str) -> Element {
    let section = Element::new("section").set("id", id);
    section.add(Element::new("h2").text(title))
}

fn header(title: &str, spent: &Spent) -> Element {
    let mut said = Element::new("p")
        .class("lede")
        .add(nano(Unit::Money, spent.total.spent_nano_usd))
        .text(format!(" were spent, days in {}", spent.zone));
    if let Some(team) = &spent.team {
        said = said.text(format!(", by team {team}"));
    }
    let link = |(to, name): (&str, &str)| {
        let link = Element::new("a").set("href", format_args!("#{to}"));
        Element::new("li").add(link.text(name))
    };
    let links = [
        ("days", "Day by day"),
        ("rows", "What was spent"),
        ("saved", "What the router saved"),
        ("notes", "What to know"),
        ("terms", "Words used here"),
    ];
    let contents = Element::new("nav")
        .set("aria-label", "Contents")
        .add(Element::new("ul").add_all(links.map(link)));
    Element::new("header")
        .add(Element::new("h1").text(title))
        .add(said.text("."))
        .add(contents)
}

fn saved(spent: &Spent, writer: &mut Writer) -> Element {
    section("saved", "What the router saved")
        .add(writer.element("p", table::SAVED).class("reading"))
        .add(table::saved(spent, writer).boxed())
        .add(source("saved"))
        .add_all(figures::saved(spent, writer))
}

fn notes(spent: &Spent) -> Element {
    let notes = spent.notes().into_iter();
    let notes = notes.map(|note| Element::new("li").text(note));
    let list = Element::new("ul").class("caveats").add_all(notes);
    section("notes", "What to know").add(list)
}
