//! The frame: what was asked and what came out, the candidates side by side and one by one, the log, words.

use super::outcome::{KEY, badge, finding, sentence, shown};
use super::{candidate, candidates, log, words};
use crate::replay::{Aim, TrafficReport};
use crate::report::figure::source;
use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, count, ends, figure, interval};
use crate::report::page::{foot, head, whole};
use crate::report::writer::Writer;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// A report on recorded traffic as a page.
#[derive(Debug, Clone, Copy)]
pub struct Judgement<'a> {
    /// What the log says.
    pub report: &'a TrafficReport,
    /// What the log is called.
    pub traffic: &'a str,
    /// Name of the file beside the page that has the report as JSON.
    pub json: &'a str,
}

impl Judgement<'_> {
    /// One self-contained page.
    pub fn html(&self) -> String {
        whole(&self.page())
    }

    pub(super) fn page(&self) -> Element {
        let title = format!("Candidates on {}", self.traffic);
        let mut writer = Writer::of_terms(&words::terms());
        let writer = &mut writer;
        let header = self.header(&title, writer);
        let mut main = Element::new("main")
            .add(asked(self.report, writer))
            .add(candidates::candidates(self.report, writer));
        for at in 0..self.report.candidates.len() {
            main = main.add_all(candidate::candidate(self.report, at, writer));
        }
        let main = main.add(log::log(self.report, writer));
        let terms = Element::new("section")
            .set("id", "terms")
            .add(Element::new("h2").text("Words used here"))
            .add(writer.glossary.clone().list(&[]));
        let body = Element::new("body")
            .add(header)
            .add(main.add(terms))
            .add(foot(self.json, VERSION));
        let html = Element::new("html").set("lang", "en");
        html.add(head(&title, VERSION)).add(body)
    }

    fn header(&self, title: &str, writer: &mut Writer) -> Element {
        let fixed = |(to, name): (&str, &str)| {
            let link = Element::new("a").set("href", format_args!("#{to}"));
            Element::new("li").add(link.text(name))
        };
        let one = self.report.candidates.iter().enumerate();
        let one = one.map(|(at, c)| Element::new("li").add(candidates::link(at, &c.candidate)));
        let first = [("asked", "What came out"), ("candidates", "Side by side")];
        let last = [("log", "The log"), ("terms", "Words used here")];
        let links = first
            .map(fixed)
            .into_iter()
            .chain(one)
            .chain(last.map(fixed));
        let contents = Element::new("nav")
            .set("aria-label", "Contents")
            .add(Element::new("ul").add_all(links));
        let lede = "None of these candidates had to run: what each would have got is judged from recorded decisions, \
            by the probabilities with which they were drawn. What the log cannot know is refused.";
        Element::new("header")
            .add(Element::new("h1").text(title))
            .add(writer.element("p", lede).class("lede"))
            .add(contents)
    }
}

/// What was asked, and in a sentence each what came out.
fn asked(report: &TrafficReport, writer: &mut Writer) -> Element {
    let mut list = Element::new("ol").class("verdict");
    for (at, candidate) in report.candidates.iter().enumerate() {
        let found = finding(candidate, report);
        let said = sentence(candidate, found, writer);
        let named = Element::new("div")
            .add(candidates::link(at, &candidate.candidate))
            .add(said);
        list = list.add(Element::new("li").add(badge(found)).add(named));
    }
    Element::new("section")
        .set("id", "asked")
        .add(Element::new("h2").text("What was asked, and what came out"))
        .add(facts(report, writer))
        .add(list)
        .add(writer.element("p", KEY).class("reading"))
        .add(source("terms, incumbent, used, rows, logged, candidates[]"))
}

/// What was asked.
fn facts(report: &TrafficReport, writer: &mut Writer) -> Element {
    let terms = &report.terms;
    let said = |text: &str, writer: &mut Writer| writer.element("dd", text);
    let aim = match terms.aim {
        Aim::Utility => "more utility",
        Aim::Saving => "less cost, by 5 % at least, at equal quality",
    };
    let looks = match terms.peeking {
        true => "now and then: bounds hold at every peek",
        false => "once, at an end that was set beforehand",
    };
    let question = "May a candidate take the incumbent's place?";
    let log = Element::new("dd")
        .add(count(report.used))
        .text(" of ")
        .add(count(report.rows))
        .add_all(writer.say(" decisions, in "))
        .add(count(report.draws))
        .add_all(writer.say(" draws"));
    let mut facts = vec![
        ("Question", said(question, writer)),
        (
            "Incumbent",
            Element::new("dd").add(Element::new("code").text(&report.incumbent)),
        ),
        ("Wanted", said(aim, writer)),
        ("Looked at", said(looks, writer)),
        ("Decisions used", log),
    ];
    if let Some(refusal) = &report.incumbent_refusal {
        let value = Element::new("dd").text("the log cannot answer for it: ");
        facts.push(("Of the incumbent", value.text(refusal)));
    }
    if let Some(logged) = &report.logged {
        let value = Element::new("dd").add(interval(Unit::Points, &shown(logged)));
        facts.push(("Utility as logged", value));
    }
    if !terms.guards.is_empty() {
        facts.push(("Signal guards", guards(report)));
    }
    let scale = &terms.utility;
    let scale = Element::new("dd").add(ends(Unit::Points, scale.lower, scale.upper));
    facts.push(("Scale of utility", scale));
    let mut list = Element::new("dl").class("facts");
    for (name, value) in facts {
        let name = writer.element("dt", name);
        list = list.add(Element::new("div").add(name).add(value));
    }
    list
}

/// What must not get worse, and by how much it may.
fn guards(report: &TrafficReport) -> Element {
    let mut said = Element::new("dd");
    for (at, guard) in report.terms.guards.iter().enumerate() {
        let way = if guard.margin < 0.0 {
            " may fall by less than its margin, "
        } else {
            " may rise by less than its margin, "
        };
        let between = if at == 0 { "" } else { "; " };
        let name: Node = Element::new("code").text(&guard.signal).into();
        said = said
            .text(between)
            .add(name)
            .text(way)
            .add(figure(Unit::Difference, guard.margin));
    }
    said
}
