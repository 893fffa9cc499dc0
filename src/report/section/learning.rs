//! How reward grew while the router learned.

use crate::report::figure::Figure;
use crate::report::markup::{Element, Node};
use crate::report::model::{Series, Team};
use crate::report::number::{Unit, count};
use crate::report::svg::line;
use crate::report::table::{Column, Table};
use crate::report::writer::{Writer, value_or};

const READING: &str = "Each point is the mean reward of a window of requests that ends there; higher is better. \
    The thick line is the router; the others had the same requests.";

pub(crate) fn learning(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.learning");
    let shape = Figure {
        title: "Reward while it learned",
        reading: READING,
        source: &source,
    };
    shape.draw(
        writer,
        |writer, size| line(&team.learning, &writer.palette, size, "reward"),
        |writer| {
            let caption = format!("Reward by window, team {}", team.name);
            numbers(&team.learning, Unit::Points, caption, writer)
        },
    )
}

/// A series as a table, with what happened in its last column.
pub(super) fn numbers(
    series: &Series,
    unit: Unit,
    caption: String,
    writer: &mut Writer,
) -> Element {
    let names = series
        .lines
        .iter()
        .map(|(name, _)| Column::Named(name.clone()));
    let columns = [Column::Number("Requests made")]
        .into_iter()
        .chain(names)
        .collect();
    let mut table = Table::new(writer, caption, columns);
    for (at, requests) in series.requests.iter().enumerate() {
        let mut cells: Vec<Node> = vec![count(*requests).into()];
        for (_, values) in &series.lines {
            let value = values.get(at).copied().flatten();
            cells.push(value_or(unit, value, "\u{2013}").into());
        }
        table.row(cells);
    }
    let mut whole = Element::new("div").add(table.boxed());
    if !series.marks.is_empty() {
        let mark = |(at, said): &(usize, String)| {
            let item = Element::new("li").text("After ").add(count(*at));
            item.text(" requests: ").text(said)
        };
        let marks = series.marks.iter().map(mark);
        whole = whole.add(Element::new("ul").add_all(marks));
    }
    whole
}
