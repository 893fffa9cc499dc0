//! One candidate: what came out, and all that it rests on.

use super::outcome::{badge, finding, sentence, shown, sign};
use super::{course, measures, refused, slices, weights};
use crate::replay::{CandidateReport, Condition, Gate, TrafficReport};
use crate::report::figure::source;
use crate::report::markup::{Element, Node};
use crate::report::model::Finding;
use crate::report::number::{Unit, count, ends, figure, interval};
use crate::report::svg::Cell;
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

const GATE: &str = "Each condition holds where its bound is above what is asked. The bound is the end of an interval that \
    is wrong with the chance named below the table, the stricter of the plain and the stabilised one.";

const PEEKING: &str = "Each condition holds where its bound is above what is asked. The bounds hold at every peek, but for \
    the chance named below the table.";

pub(super) fn candidate(report: &TrafficReport, at: usize, writer: &mut Writer) -> Option<Element> {
    let candidate = report.candidates.get(at)?;
    let path = format!("candidates[{at}]");
    let found = finding(candidate, report);
    let heading = Element::new("h2").add(Element::new("code").text(&candidate.candidate));
    let section = Element::new("section")
        .set("id", format_args!("candidate-{at}"))
        .add(heading)
        .add(Element::new("p").add(badge(found)))
        .add(sentence(candidate, found, writer))
        .add_all(passed_over(candidate));
    let Some(refusal) = &candidate.refusal else {
        let gate = candidate.gate.as_ref();
        let gate = gate.map(|found| conditions(found, report.terms.peeking, &path, writer));
        let section = section
            .add_all(gate)
            .add(estimators(candidate, &path, writer))
            .add(measures::measures(candidate, &path, writer));
        let differs = candidate.gate.is_some();
        let course = differs.then(|| course::course(candidate, &path, writer));
        let slices = differs.then(|| slices::slices(candidate, &path, writer));
        let section = section.add_all(course).add_all(slices);
        return Some(section.add(weights::weights(candidate, &path, writer)));
    };
    let section = section
        .add(refused::remedy(refusal, writer))
        .add_all(bounds(candidate, writer));
    Some(section.add(weights::weights(candidate, &path, writer)))
}

fn passed_over(candidate: &CandidateReport) -> Option<Element> {
    let said = Element::new("p")
        .add(count(candidate.not_applicable))
        .text(" decisions were passed over: its arm could not be chosen in their episode.");
    (candidate.not_applicable > 0).then_some(said)
}

/// What is known although it was refused.
fn bounds(candidate: &CandidateReport, writer: &mut Writer) -> Option<Element> {
    let bounds = candidate.bounds.as_ref()?;
    let said =
        Element::new("p")
            .add_all(writer.say(
                "Whatever the arms that were never drawn are worth, its utility lies between ",
            ))
            .add(ends(Unit::Points, bounds.lower, bounds.upper))
            .text(".");
    Some(said)
}

fn conditions(gate: &Gate, peeking: bool, path: &str, writer: &mut Writer) -> Element {
    let reading = if peeking { PEEKING } else { GATE };
    let reading = writer.element("p", reading).class("reading");
    let columns = vec![
        Column::Text("Condition"),
        Column::Text("Holds"),
        Column::Number("Bound"),
        Column::Number("Must be above"),
    ];
    let mut table = Table::new(writer, "Conditions", columns);
    for condition in &gate.conditions {
        table.row(row(condition));
    }
    let chance = Element::new("p")
        .class("reading")
        .text("Chance that one condition holds wrongly: ")
        .add(figure(Unit::Chance, gate.miss))
        .text(" at most.");
    Element::new("div")
        .class("block")
        .add(Element::new("h4").text("May it take the incumbent's place?"))
        .add(reading)
        .add(table.cards())
        .add(chance)
        .add(source(&format!("{path}.gate")))
}

fn row(condition: &Condition) -> Vec<Node> {
    let holds = match condition.holds {
        true => sign(Finding::Shown, "yes"),
        false => sign(Finding::Undecided, "not shown"),
    };
    let asks = match &condition.why {
        Some(why) => format!("{} ({why})", condition.asks),
        None => condition.asks.clone(),
    };
    let number = |value: Option<f64>| match value {
        Some(value) => figure(Unit::Bound, value),
        None => Element::new("span").class("none").text("\u{2013}"),
    };
    vec![
        Node::Text(asks),
        holds.into(),
        number(condition.bound).into(),
        number(condition.least).into(),
    ]
}

const ESTIMATORS: &str = "The same question answered in four ways. The first is the headline; where they lie far apart, \
    the weights are to blame, or the logged probabilities.";

fn estimators(candidate: &CandidateReport, path: &str, writer: &mut Writer) -> Element {
    let named = [
        ("doubly robust", candidate.doubly_robust),
        ("stabilised", candidate.stabilised),
        ("self-normalised", candidate.snips),
        ("inverse propensity scoring", candidate.ips),
    ];
    let found = named
        .iter()
        .filter_map(|(name, found)| Some((*name, shown(found.as_ref()?))));
    let found: Vec<_> = found.collect();
    let values = found.iter().flat_map(|(_, f)| [f.value, f.lower, f.upper]);
    let cell = Cell::over(Unit::Points, values, None);
    let reading = writer.element("p", ESTIMATORS).class("reading");
    let columns = vec![
        Column::Text("Estimator"),
        Column::Drawn("Utility, drawn", cell.head()),
        Column::Number("Utility"),
    ];
    let mut table = Table::new(writer, "Utility by each estimator", columns);
    for (name, value) in &found {
        table.row(vec![
            writer.element("span", name).into(),
            cell.draw("router", Some(value), None).into(),
            interval(Unit::Points, value).into(),
        ]);
    }
    let keys = ["doubly_robust", "stabilised", "snips", "ips"].map(|key| format!("{path}.{key}"));
    Element::new("div")
        .class("block")
        .add(Element::new("h4").text("Its utility, by each estimator"))
        .add(reading)
        .add(table.cards())
        .add(source(&keys.join(", ")))
}
