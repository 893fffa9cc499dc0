//! What would change, in every measure.

use super::outcome::shown;
use crate::replay::{Anytime, CandidateReport, Measure};
use crate::report::figure::{nothing, source};
use crate::report::markup::{Element, Node};
use crate::report::model::Interval;
use crate::report::number::{Unit, count, ends, figure};
use crate::report::svg::Cell;
use crate::report::table::{Column, Table};
use crate::report::writer::{Writer, interval_or};

const READING: &str = "What each measure would be under the candidate, and the difference, each in its own unit: utility \
    and quality in points, cost in dollars a decision, latency in milliseconds, signals as they were reported. Drawn, \
    each is on a scale of its own around the upright line, which is no difference. Stabilised: the same allowing \
    for a router that learned. At every peek: bounds that hold however often one looks, for measures that have a scale.";

const VALUES: &str = "What each measure is under the incumbent, in its own unit: utility and quality in points, cost in \
    dollars a decision, latency in milliseconds, signals as they were reported.";

/// The units of a measure's values and of their difference.
pub(super) fn units(measure: &str) -> (Unit, Unit) {
    match measure {
        "cost_usd" => (Unit::Money, Unit::MoneyDifference),
        "latency_ms" => (Unit::Millis, Unit::MillisDifference),
        _ => (Unit::Points, Unit::Difference),
    }
}

pub(super) fn measures(candidate: &CandidateReport, path: &str, writer: &mut Writer) -> Element {
    let title = match candidate.gate {
        Some(_) => "What would change, measure by measure",
        None => "Measure by measure",
    };
    let block = Element::new("div")
        .class("block")
        .add(Element::new("h4").text(title));
    if candidate.measures.is_empty() {
        return block.add(nothing());
    }
    let mut columns = vec![
        Column::Text("Measure"),
        Column::Number("Decisions"),
        Column::Number("Under the candidate"),
        Column::Drawn("Difference, drawn", Element::new("span")),
        Column::Number("Difference"),
        Column::Number("Stabilised"),
        Column::Number("At every peek"),
    ];
    // The incumbent has no difference to itself.
    let (reading, shown) = match candidate.gate {
        Some(_) => (READING, columns.len()),
        None => (VALUES, 3),
    };
    columns.truncate(shown);
    let reading = writer.element("p", reading).class("reading");
    let mut table = Table::new(writer, "Measures", columns);
    for measure in &candidate.measures {
        let mut cells = row(measure);
        cells.truncate(shown);
        table.row(cells);
    }
    block
        .add(reading)
        .add(table.cards())
        .add(source(&format!("{path}.measures")))
}

fn row(measure: &Measure) -> Vec<Node> {
    let (value, apart) = units(&measure.name);
    let difference = measure.difference.as_ref().map(shown);
    let interval = |unit, found: Option<Interval>| interval_or(unit, found.as_ref(), "too few");
    vec![
        Element::new("code").text(&measure.name).into(),
        count(measure.rows).into(),
        interval(value, measure.value.as_ref().map(shown)).into(),
        drawn(apart, difference.as_ref()).into(),
        interval(apart, difference).into(),
        interval(apart, measure.stabilised.as_ref().map(shown)).into(),
        peek(apart, measure.anytime.as_ref()).into(),
    ]
}

/// Around no difference, which is in the middle.
fn drawn(unit: Unit, difference: Option<&Interval>) -> Element {
    let reach = difference.map_or(0.0, |d| d.lower.abs().max(d.upper.abs()));
    Cell::over(unit, [-reach, reach], Some(0.0)).draw("router", difference, None)
}

fn peek(unit: Unit, bounds: Option<&Anytime>) -> Element {
    let Some(bounds) = bounds else {
        return Element::new("span").class("none").text("\u{2013}");
    };
    let said = ends(unit, bounds.lower, bounds.upper);
    match bounds.cut > 0.0 {
        true => said.add(
            Element::new("span")
                .class("range")
                .text(" (")
                .add(figure(Unit::Share, bounds.cut))
                .text(" cut)"),
        ),
        false => said,
    }
}
