//! The frame: what was played, a section for each report, words.

use super::{figures, table};
use crate::replay::{CostSource, OutcomesReport};
use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, count, figure};
use crate::report::page::{foot, head, whole};
use crate::report::writer::Writer;

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Reports on one table as a page.
#[derive(Debug, Clone, Copy)]
pub struct Learned<'a> {
    /// One for each lambda or budget; on the page in this order.
    pub reports: &'a [OutcomesReport],
    /// Name of the file beside the page that has them as JSON.
    pub json: &'a str,
}

impl Learned<'_> {
    /// One self-contained page.
    pub fn html(&self) -> String {
        whole(&self.page())
    }

    pub(super) fn page(&self) -> Element {
        let table = self.reports.first().map_or("", |report| &report.table);
        let title = format!("Policies on {table}");
        let arms = self
            .reports
            .iter()
            .flat_map(|report| &report.baselines.arms);
        let mut writer = Writer::of_arms(arms.map(|arm| arm.arm.to_string()));
        let header = self.header(&title, &mut writer);
        let mut main = Element::new("main");
        for (at, report) in self.reports.iter().enumerate() {
            main = main.add(section(report, at, &mut writer));
        }
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
        let link = |(at, report): (usize, &OutcomesReport)| {
            let link = Element::new("a").set("href", format_args!("#play-{at}"));
            Element::new("li").add(weighing(report).into_iter().fold(link, Element::add))
        };
        let links = self.reports.iter().enumerate().map(link);
        let contents = Element::new("nav")
            .set("aria-label", "Contents")
            .add(Element::new("ul").add_all(links));
        let lede = "Every policy met the same prompts in the same orders, one after another, was paid for the arm \
            that it chose, and learned from that arm's outcome alone.";
        Element::new("header")
            .add(Element::new("h1").text(title))
            .add(writer.element("p", lede).class("lede"))
            .add(contents)
    }
}

/// What money counted.
fn weighing(report: &OutcomesReport) -> Vec<Node> {
    let text = |text: &str| Node::Text(text.to_owned());
    match report.budget {
        Some(budget) => vec![
            text("Budget "),
            figure(Unit::Money, budget.request_usd).into(),
            text(" a request"),
        ],
        None => vec![
            text("Lambda "),
            // As it was asked for: rounded it would be another.
            Element::new("data")
                .set("value", report.lambda)
                .text(report.lambda)
                .into(),
        ],
    }
}

fn section(report: &OutcomesReport, at: usize, writer: &mut Writer) -> Element {
    let heading = weighing(report)
        .into_iter()
        .fold(Element::new("h2"), Element::add);
    let path = format!("[{at}]");
    let mut section = Element::new("section")
        .set("id", format_args!("play-{at}"))
        .add(heading)
        .add(facts(report))
        .add(figures::reward(report, &path, writer));
    if let Some(budget) = report.budget {
        section = section.add(figures::spent(report, budget, &path, writer));
    }
    section
        .add(Element::new("h3").text("What each came to"))
        .add(writer.element("p", table::reading(report)).class("reading"))
        .add(table::table(report, writer).cards())
        .add(crate::report::figure::source(&format!("{path}.policies")))
}

/// What was played, in one paragraph.
fn facts(report: &OutcomesReport) -> Element {
    let streams = report
        .policies
        .first()
        .map_or(0, |policy| policy.runs.len());
    let mut said = Element::new("p")
        .add(count(report.prompts))
        .text(" prompts (")
        .add(count(report.dropped))
        .text(format!(" left out), {streams} streams"));
    let stream = &report.stream;
    if stream.seed_rows > 0 {
        said = said
            .text(", of which the first ")
            .add(count(stream.seed_rows))
            .text(" prompts are given away");
    }
    if stream.delay > 0 {
        said = said
            .text(", outcomes ")
            .add(count(stream.delay))
            .text(" steps late");
    }
    if stream.missing > 0.0 {
        said = said
            .text(", ")
            .add(figure(Unit::Share, stream.missing))
            .text(" of them never");
    }
    if let Some(drift) = &stream.drift {
        said = said.text(format!(", drift {drift}"));
    }
    let cost = match report.cost_source {
        CostSource::Recorded => ". Costs are those recorded",
        CostSource::Assumed => ". Costs are assumed from list prices",
        CostSource::Absent => ". There are no costs",
    };
    said = said.text(cost);
    match report
        .reference_cost_usd
        .filter(|_| report.budget.is_none())
    {
        Some(reference) => said
            .text("; a request at the dearest arm's mean, ")
            .add(figure(Unit::Money, reference))
            .text(", loses lambda points."),
        None => said.text("."),
    }
}
