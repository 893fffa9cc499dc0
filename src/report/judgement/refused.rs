//! Why a log cannot answer, and what would make it answer.

use crate::ope::Refusal;
use crate::replay::Refused;
use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, count, figure};
use crate::report::writer::Writer;

fn text(text: &str) -> Node {
    Node::Text(text.to_owned())
}

/// The reason, as what follows a colon.
pub(super) fn reason(refusal: &Refusal) -> Vec<Node> {
    match *refusal {
        Refusal::NoRows => vec![text(
            "there is no decision that was drawn by chance and has an outcome.",
        )],
        Refusal::EffectiveSampleSize { found, least, .. } => vec![
            text("its effective sample size here is "),
            figure(Unit::Count, found).into(),
            text(" decisions; "),
            figure(Unit::Count, least).into(),
            text(" are asked for."),
        ],
        Refusal::Calibration { p_value, .. } => vec![
            text("arms were not drawn as often as was logged (chance of that: "),
            figure(Unit::Chance, p_value).into(),
            text("), so the logged probabilities are wrong."),
        ],
        Refusal::MeanWeight { mean, z, .. } => vec![
            text("its mean weight is "),
            figure(Unit::Points, mean).into(),
            text(", "),
            figure(Unit::Statistic, z).into(),
            text(
                " standard errors from 1: the logged probabilities are not those that drew, or too few draws are like it.",
            ),
        ],
        Refusal::Support { mass, .. } => vec![
            figure(Unit::Share, mass).into(),
            text(" of its probability is on arms that were never drawn here."),
        ],
    }
}

/// What would make it answerable.
pub(super) fn remedy(refused: &Refused, writer: &mut Writer) -> Element {
    let said = Element::new("p").add(Element::new("b").text("What would help: "));
    let said = match refused.reason {
        Refusal::NoRows => {
            said.text("decisions that were drawn with exploration and have an outcome.")
        }
        Refusal::EffectiveSampleSize { rows_needed, .. } if rows_needed.is_finite() => said
            .text("about ")
            .add(figure(Unit::Count, rows_needed))
            .add_all(
                writer.say(" decisions like these, or a candidate nearer to the logged policy."),
            ),
        Refusal::EffectiveSampleSize { .. } => said
            .text("exploration of the arms that it would use: what it would do was never drawn."),
        Refusal::Calibration { .. } | Refusal::MeanWeight { .. } => {
            said.text("a log that keeps all probabilities of every draw, exactly as they drew.")
        }
        Refusal::Support { .. } => {
            said.text("exploration with a floor for those arms, and a log of that.")
        }
    };
    let Some((first, others)) = refused.wanted.split_first() else {
        return said;
    };
    let mut said = said.text(" Left out for want of signals: ");
    for (at, wanted) in std::iter::once(first).chain(others).enumerate() {
        let between = if at == 0 { "" } else { ", " };
        said = said
            .text(between)
            .add(Element::new("code").text(&wanted.signal))
            .text(" (")
            .add(count(wanted.decisions))
            .text(" decisions)");
    }
    said.text(
        ". Send them, or say in the scorecard what a missing one means and let its closing time come.",
    )
}
