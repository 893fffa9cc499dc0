//! All candidates in one table.

use super::outcome::{badge, finding, shown};
use crate::replay::TrafficReport;
use crate::report::figure::source;
use crate::report::markup::Element;
use crate::report::number::{Unit, figure};
use crate::report::svg::Cell;
use crate::report::table::{Column, Table};
use crate::report::writer::{Writer, interval_or};

const READING: &str = "What each candidate would have got, in mean utility a decision: a dot is the doubly robust \
    estimate, the thin line through it its interval; the upright line is what was logged. The difference is to the \
    incumbent, on the same decisions, so its interval is narrower than those of the two.";

/// A candidate's address on the page.
pub(super) fn link(at: usize, name: &str) -> Element {
    Element::new("a")
        .set("href", format_args!("#candidate-{at}"))
        .add(Element::new("code").text(name))
}

pub(super) fn candidates(report: &TrafficReport, writer: &mut Writer) -> Element {
    let estimates = report.candidates.iter().filter_map(|c| c.doubly_robust);
    let values = estimates.flat_map(|found| [found.value, found.lower, found.upper]);
    let logged = report.logged.map(|logged| logged.value);
    let cell = Cell::over(Unit::Points, values, logged);
    let columns = vec![
        Column::Text("Candidate"),
        Column::Drawn("Utility, drawn", cell.head()),
        Column::Number("Utility"),
        Column::Number("Difference"),
        Column::Number("Effective sample size"),
        Column::Text("In the incumbent's place?"),
    ];
    let mut table = Table::new(writer, "Candidates", columns);
    for (at, candidate) in report.candidates.iter().enumerate() {
        let estimate = candidate.doubly_robust.as_ref().map(shown);
        // The incumbent's to itself is none.
        let difference = candidate.difference.filter(|_| candidate.gate.is_some());
        let difference = difference.as_ref().map(shown);
        let none = match candidate.refusal {
            Some(_) => "refused",
            None => "\u{2013}",
        };
        table.row(vec![
            link(at, &candidate.candidate).into(),
            cell.draw("router", estimate.as_ref(), None).into(),
            interval_or(Unit::Points, estimate.as_ref(), none).into(),
            interval_or(Unit::Difference, difference.as_ref(), none).into(),
            figure(Unit::Count, candidate.overlap.effective_sample_size).into(),
            badge(finding(candidate, report)).into(),
        ]);
    }
    Element::new("section")
        .set("id", "candidates")
        .add(Element::new("h2").text("The candidates side by side"))
        .add(writer.element("p", READING).class("reading"))
        .add(table.cards())
        .add(source("candidates[], logged"))
}
