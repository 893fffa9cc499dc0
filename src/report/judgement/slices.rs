//! The difference task by task.

use super::outcome::shown;
use crate::replay::CandidateReport;
use crate::report::figure::source;
use crate::report::markup::{Element, Node};
use crate::report::model::Interval;
use crate::report::number::{Unit, count, figure};
use crate::report::svg::Cell;
use crate::report::table::{Column, Table};
use crate::report::writer::{Writer, interval_or};

const READING: &str = "The difference in utility of each task's decisions: right of the upright line the candidate has \
    more. Differs: of all tasks that are said to, at most one in ten does not; nothing is said of tasks with fewer than \
    50 decisions.";

pub(super) fn slices(candidate: &CandidateReport, path: &str, writer: &mut Writer) -> Element {
    let block = Element::new("div")
        .class("block")
        .add(Element::new("h4").text("Task by task"));
    if candidate.slices.is_empty() {
        let none = "These decisions have no task.";
        return block.add(Element::new("p").class("none").text(none));
    }
    let found: Vec<Option<Interval>> = candidate
        .slices
        .iter()
        .map(|slice| slice.difference.as_ref().map(shown))
        .collect();
    let values = found
        .iter()
        .flatten()
        .flat_map(|d| [d.value, d.lower, d.upper]);
    let cell = Cell::over(Unit::Difference, values, Some(0.0));
    let mut columns = vec![
        Column::Text("Task"),
        Column::Number("Decisions"),
        Column::Number("Effective sample size"),
        Column::Number("Difference"),
        Column::Text("Differs"),
    ];
    // Without a single difference there is nothing to draw, nor a scale to draw it on.
    let is_drawn = found.iter().any(Option::is_some);
    if is_drawn {
        columns.insert(3, Column::Drawn("Difference, drawn", cell.head()));
    }
    let reading = writer.element("p", READING).class("reading");
    let mut table = Table::new(writer, "Tasks", columns);
    for (slice, difference) in candidate.slices.iter().zip(&found) {
        let differs = match (slice.differs, difference) {
            (_, None) => "\u{2013}",
            (true, _) => "yes",
            (false, _) => "not shown",
        };
        let mut row: Vec<Node> = vec![
            Node::Text(slice.name.clone()),
            count(slice.rows).into(),
            figure(Unit::Count, slice.effective_sample_size).into(),
            interval_or(Unit::Difference, difference.as_ref(), "too few").into(),
            Node::Text(differs.to_owned()),
        ];
        if is_drawn {
            row.insert(3, cell.draw("router", difference.as_ref(), None).into());
        }
        table.row(row);
    }
    block
        .add(reading)
        .add_all(worst(candidate))
        .add(table.cards())
        .add(source(&format!("{path}.slices")))
}

/// The one that speaks most against it.
fn worst(candidate: &CandidateReport) -> Option<Element> {
    let name = candidate.worst_slice.as_ref()?;
    let said = Element::new("p")
        .text("Worst: ")
        .add(Element::new("b").text(name))
        .text(", the task where the upper end of the interval is lowest.");
    Some(said)
}
