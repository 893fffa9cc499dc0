//! Whether the probabilities that everything rests on are true.

use crate::report::figure::Figure;
use crate::report::markup::Element;
use crate::report::model::{Calibration, Team};
use crate::report::number::{Unit, count, figure, interval};
use crate::report::svg::diagonal;
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

const READING: &str = "Every judgement from the log rests on the logged probabilities. Each point gathers arms that \
    were logged with about the same probability: it lies on the dashed line if they were drawn as often as \
    was logged.";

pub(crate) fn calibration(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.calibration");
    let shape = Figure {
        title: "Calibration: are the logged probabilities true?",
        reading: READING,
        source: &source,
    };
    let found = &team.calibration;
    let drawn = shape.draw(
        writer,
        |_, size| diagonal(&found.bins, size),
        |writer| numbers(found, &team.name, writer),
    );
    drawn.class("square").add(words(found, writer))
}

/// What a p-value of the counts says.
pub(crate) fn calibrated(p_value: f64) -> &'static str {
    match p_value {
        p if p < 0.001 => {
            "Counts like these are all but impossible if the logged probabilities are true: do not trust \
                           what is judged from this log."
        }
        p if p < 0.05 => {
            "Counts this far off come up in fewer than one of twenty true logs: worth a look, no proof."
        }
        p if p.is_finite() => "Nothing here speaks against the logged probabilities.",
        _ => "There were too few draws to test.",
    }
}

fn words(found: &Calibration, writer: &mut Writer) -> Element {
    let verdict = calibrated(found.p_value);
    let said = Element::new("p")
        .add_all(writer.say("Of "))
        .add(count(found.draws))
        .add_all(writer.say(" draws, "))
        .add(count(found.recomputed_equal))
        .add_all(writer.say(
            " had their probabilities worked out again from the journal and found equal. Counts of arms against their \
             logged probabilities: chi-square ",
        ))
        .add(figure(Unit::Statistic, found.chi_square))
        .text(" on ")
        .add(count(found.degrees))
        .add_all(writer.say(" degrees of freedom, p "))
        .text(if found.p_value < 0.001 { "" } else { "= " });
    said.add(figure(Unit::Chance, found.p_value))
        .text(". ")
        .add(writer.element("b", verdict))
}

fn numbers(found: &Calibration, team: &str, writer: &mut Writer) -> Element {
    let columns = vec![
        Column::Number("Logged probability"),
        Column::Number("Share drawn"),
        Column::Number("Pairs of decision and arm"),
    ];
    let mut table = Table::new(writer, format!("Calibration, team {team}"), columns);
    for bin in &found.bins {
        table.row(vec![
            figure(Unit::Points, bin.logged).into(),
            interval(Unit::Points, &bin.drawn).into(),
            count(bin.count).into(),
        ]);
    }
    table.boxed()
}
