//! The log itself: whether its probabilities are true, and what was left out.

use super::outcome::shown;
use crate::replay::{PropensityCheck, TrafficReport};
use crate::report::figure::{Figure, source};
use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, count, figure, interval};
use crate::report::section::calibrated;
use crate::report::svg::{Bar, bars};
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

const READING: &str = "Calibration: every judgement rests on the logged probabilities. A bar is how often an arm was \
    drawn; the hollow diamond is how often it should have been, by the probabilities as they were logged.";

pub(super) fn log(report: &TrafficReport, writer: &mut Writer) -> Element {
    Element::new("section")
        .set("id", "log")
        .add(Element::new("h2").text("The log they were judged on"))
        .add(calibration(&report.propensities, writer))
        .add(left_out(report, writer))
        .add_all(wanted(report))
        .add_all(lift(report, writer))
}

fn calibration(found: &PropensityCheck, writer: &mut Writer) -> Element {
    let shape = Figure {
        title: "Were arms drawn as often as was logged?",
        reading: READING,
        source: "propensities",
    };
    let arms = found.arms.iter().zip(&found.calibration.arms);
    let arms = arms.map(|(name, arm)| Bar {
        label: name.to_string(),
        count: arm.observed,
        expected: Some(arm.expected),
    });
    let arms: Vec<Bar> = arms.collect();
    let drawn = shape.draw(
        writer,
        |_, size| bars(&arms, size),
        |writer| numbers(found, writer),
    );
    drawn.class("square").add(said(found, writer))
}

fn numbers(found: &PropensityCheck, writer: &mut Writer) -> Element {
    let columns = vec![
        Column::Text("Arm"),
        Column::Number("Drawn"),
        Column::Number("Expected"),
        Column::Number("Off, in standard deviations"),
    ];
    let mut table = Table::new(writer, "Arms drawn and expected", columns);
    for (name, arm) in found.arms.iter().zip(&found.calibration.arms) {
        table.row(vec![
            Node::Text(name.to_string()),
            figure(Unit::Count, arm.observed).into(),
            figure(Unit::Count, arm.expected).into(),
            figure(Unit::Statistic, arm.z).into(),
        ]);
    }
    table.boxed()
}

fn said(found: &PropensityCheck, writer: &mut Writer) -> Element {
    let counts = &found.calibration;
    let mut said = Element::new("p")
        .add(count(counts.draws))
        .add_all(writer.say(" draws: chi-square "))
        .add(figure(Unit::Statistic, counts.chi_square))
        .text(" on ")
        .add(count(counts.degrees))
        .add_all(writer.say(" degrees of freedom, p "))
        .text(if counts.p_value < 0.001 { "" } else { "= " })
        .add(figure(Unit::Chance, counts.p_value))
        .text(". ")
        .add(writer.element("b", calibrated(counts.p_value)));
    if counts.impossible > 0 {
        said = said
            .text(" Draws of an arm whose logged probability was zero: ")
            .add(count(counts.impossible))
            .text(".");
    }
    said.text(" Worked out again from what the log keeps: ")
        .add(count(found.recomputed))
        .text(" draws, of which equal: ")
        .add(count(found.equal))
        .text(". Could not be read: ")
        .add(count(found.unreadable))
        .text(".")
}

fn left_out(report: &TrafficReport, writer: &mut Writer) -> Element {
    let rows = [
        (
            "Pinned or without exploration",
            report.deterministic,
            "Chance had no part in them: they say nothing of what else might have come.",
        ),
        (
            "Held out for the baseline",
            report.held_out,
            "Candidates are judged on what the router chose. What the router gained over these is told below, if anything is known.",
        ),
        (
            "Without an outcome",
            report.unobserved,
            "No signal has come, or not one that the scorecard needs.",
        ),
        (
            "Without their draw",
            report.orphaned,
            "They inherit a choice that was made before this log begins.",
        ),
    ];
    let columns = vec![
        Column::Text("Left out"),
        Column::Number("Decisions"),
        Column::Text("Why"),
    ];
    let mut table = Table::new(writer, "What was left out", columns);
    for (name, decisions, why) in rows {
        table.row(vec![
            writer.element("span", name).into(),
            count(decisions).into(),
            writer.element("span", why).into(),
        ]);
    }
    let all = Element::new("p")
        .text("Used: ")
        .add(count(report.used))
        .text(" of ")
        .add(count(report.rows))
        .text(" decisions.");
    Element::new("div")
        .class("block")
        .add(Element::new("h4").text("What was left out, and why"))
        .add(all)
        .add(table.cards())
        .add(source(
            "used, deterministic, held_out, unobserved, orphaned",
        ))
}

/// The signals for want of which there is no outcome.
fn wanted(report: &TrafficReport) -> Option<Element> {
    let items = report.wanted.iter().map(|wanted| {
        Element::new("li")
            .add(Element::new("code").text(&wanted.signal))
            .text(": ")
            .add(count(wanted.decisions))
            .text(" decisions")
    });
    let items: Vec<Element> = items.collect();
    let block = Element::new("div")
        .class("block")
        .add(Element::new("h4").text("Signals that have not come"))
        .add(Element::new("ul").class("caveats").add_all(items))
        .add(source("wanted"));
    (!report.wanted.is_empty()).then_some(block)
}

fn lift(report: &TrafficReport, writer: &mut Writer) -> Option<Element> {
    let lift = report.lift.as_ref()?;
    let said = Element::new("p")
        .add_all(writer.say("By the decisions that were held out, the router gained "))
        .add(interval(Unit::Difference, &shown(&lift.difference)))
        .add_all(writer.say(" in utility over the baseline, which got "))
        .add(interval(Unit::Points, &shown(&lift.holdout)))
        .text(".");
    let block = Element::new("div")
        .class("block")
        .add(Element::new("h4").text("What the router gained over the baseline"))
        .add(said)
        .add(source("lift"));
    Some(block)
}
