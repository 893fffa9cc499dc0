//! How the difference in utility stood as the log grew.

use super::outcome::shown;
use crate::replay::CandidateReport;
use crate::report::figure::Figure;
use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, count, ends, interval};
use crate::report::svg;
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

const READING: &str = "The line is the difference in utility as it stood after so many decisions; the band is its plain \
    interval, good for one look; the dashed lines are the bounds at every peek, where every episode has one draw \
    and they are near enough to be drawn. Above the level line the candidate has more.";

pub(super) fn course(candidate: &CandidateReport, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.course");
    let shape = Figure {
        title: "The difference as the log grew",
        reading: READING,
        source: &source,
    };
    let moments = candidate.course.iter().map(|point| svg::Moment {
        decisions: point.decisions,
        difference: shown(&point.difference),
        anytime: point.anytime.map(|bounds| (bounds.lower, bounds.upper)),
    });
    let moments: Vec<svg::Moment> = moments.collect();
    let said = (Unit::Difference, "difference in utility");
    shape.draw(
        writer,
        |_, size| svg::course(&moments, size, said),
        |writer| numbers(&moments, writer),
    )
}

fn numbers(moments: &[svg::Moment], writer: &mut Writer) -> Element {
    let columns = vec![
        Column::Number("Decisions"),
        Column::Number("Difference"),
        Column::Number("At every peek"),
    ];
    let mut table = Table::new(writer, "The difference as the log grew", columns);
    for at in moments {
        let bounds: Node = match at.anytime {
            Some((lower, upper)) => ends(Unit::Difference, lower, upper).into(),
            None => Node::Text("\u{2013}".to_owned()),
        };
        table.row(vec![
            count(at.decisions).into(),
            interval(Unit::Difference, &at.difference).into(),
            bounds,
        ]);
    }
    table.boxed()
}
