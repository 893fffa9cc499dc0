//! What came out for a candidate, in a word and a sentence.
//!
//! Invariants: Yes only where every condition holds; No only where utility is lower by the interval that the terms ask
//! for.

use super::refused;
use crate::ope::Estimate;
use crate::replay::{CandidateReport, TrafficReport};
use crate::report::markup::{Element, Node};
use crate::report::model::{Finding, Interval};
use crate::report::number::{Unit, figure, interval};
use crate::report::svg::icon;
use crate::report::writer::Writer;

/// An estimate as pages show it.
pub(super) fn shown(found: &Estimate) -> Interval {
    Interval {
        value: found.value,
        lower: found.lower,
        upper: found.upper,
    }
}

/// A sign with its word.
pub(super) fn sign(finding: Finding, word: &'static str) -> Element {
    let (class, icon) = (class(finding), icon(finding));
    Element::new("span")
        .class("finding")
        .class(class)
        .add(icon)
        .add(Element::new("b").text(word))
}

fn class(finding: Finding) -> &'static str {
    match finding {
        Finding::Shown => "shown",
        Finding::Contradicted => "contradicted",
        Finding::Undecided => "undecided",
        Finding::Refused => "refused",
        Finding::Note => "note",
    }
}

/// Which of the five it is.
pub(super) fn finding(candidate: &CandidateReport, report: &TrafficReport) -> Finding {
    match &candidate.gate {
        _ if candidate.refusal.is_some() => Finding::Refused,
        None => Finding::Note,
        Some(_) if report.incumbent_refusal.is_some() => Finding::Refused,
        Some(gate) if gate.promote => Finding::Shown,
        Some(_) if is_worse(candidate, report.terms.peeking) => Finding::Contradicted,
        Some(_) => Finding::Undecided,
    }
}

/// Its word.
pub(super) fn badge(finding: Finding) -> Element {
    let word = match finding {
        Finding::Shown => "Yes",
        Finding::Contradicted => "No: worse",
        Finding::Undecided => "Not shown",
        Finding::Refused => "Cannot know",
        Finding::Note => "Incumbent",
    };
    sign(finding, word)
}

/// What the words mean.
pub(super) const KEY: &str = "Yes: it may take the incumbent's place. No: its utility is shown to be lower. Not shown: a \
    condition does not hold on this log. Cannot know: refused, the log has too little on it or is faulty. Two numbers \
    in brackets: a 95 % interval.";

fn is_worse(candidate: &CandidateReport, peeking: bool) -> bool {
    let utility = candidate.measures.iter().find(|m| m.name == "utility");
    let Some(utility) = utility else { return false };
    let below = |found: Option<f64>| found.is_some_and(|upper| upper < 0.0);
    match peeking {
        true => below(utility.anytime.map(|bounds| bounds.upper)),
        false => {
            below(utility.difference.map(|d| d.upper)) && below(utility.stabilised.map(|d| d.upper))
        }
    }
}

/// What came out, in a sentence or three.
pub(super) fn sentence(
    candidate: &CandidateReport,
    finding: Finding,
    writer: &mut Writer,
) -> Element {
    let said = Element::new("p");
    if let Some(refusal) = &candidate.refusal {
        return said
            .text("The log cannot tell: ")
            .add_all(refused::reason(&refusal.reason));
    }
    let said = match finding {
        Finding::Note => {
            let opening = "This is what the others are held against. Its utility: ";
            let value = candidate.doubly_robust.iter();
            let value = value.map(|found| interval(Unit::Points, &shown(found)));
            return said.add_all(writer.say(opening)).add_all(value).text(".");
        }
        Finding::Shown => {
            let opening = "It may take the incumbent's place: every condition holds.";
            said.add_all(writer.say(opening))
        }
        Finding::Refused => {
            let opening = "The log cannot tell: it cannot answer for the incumbent.";
            return said.add_all(writer.say(opening));
        }
        Finding::Contradicted => {
            let opening = "It may not take the incumbent's place: its utility is lower.";
            said.add_all(writer.say(opening))
        }
        _ => said.add_all(lacking(candidate, writer)),
    };
    let mut said = said;
    if let Some(difference) = &candidate.difference {
        said = said
            .add_all(writer.say(" Difference in utility: "))
            .add(interval(Unit::Difference, &shown(difference)))
            .text(".");
    }
    let effect = candidate.detectable_effect;
    match effect.filter(|_| finding == Finding::Undecided) {
        Some(effect) => said
            .text(" This log would show one of ")
            .add(figure(Unit::Points, effect))
            .text(" or more four times in five, if it were asked once, of this candidate alone."),
        None => said,
    }
}

/// The conditions that do not hold.
fn lacking(candidate: &CandidateReport, writer: &mut Writer) -> Vec<Node> {
    let conditions = candidate.gate.iter().flat_map(|gate| &gate.conditions);
    let mut said = writer.say("Not enough for the incumbent's place. What is not shown: ");
    for (at, one) in conditions.filter(|one| !one.holds).enumerate() {
        if at > 0 {
            said.push(Node::Text("; ".to_owned()));
        }
        said.push(Element::new("b").text(&one.asks).into());
    }
    said.push(Node::Text(".".to_owned()));
    said
}
