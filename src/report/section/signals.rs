//! What came back: each signal, arm by arm.

use crate::report::figure::Figure;
use crate::report::markup::{Element, Node};
use crate::report::model::Team;
use crate::report::number::{Unit, count};
use crate::report::svg::{Row, rows};
use crate::report::table::{Column, Table};
use crate::report::writer::{Writer, interval_or};

const READING: &str = "The mean of each signal for each arm, on the scorecard's scale from 0 (worst) to 1 (best), of \
    the requests that the arm got: easy ones may have gone to cheap arms, so this is no fair race between arms.";

pub(crate) fn signals(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.signals");
    let shape = Figure {
        title: "What came back",
        reading: READING,
        source: &source,
    };
    let mut names: Vec<&str> = Vec::new();
    for cell in &team.signals {
        if !names.contains(&cell.signal.as_str()) {
            names.push(&cell.signal);
        }
    }
    let panel = |name: &&str| {
        let cells = team.signals.iter().filter(|cell| cell.signal == *name);
        let drawn: Vec<Row<'_>> = cells
            .map(|cell| Row {
                name: &cell.arm,
                class: writer.palette.arm(&cell.arm).unwrap_or("reference"),
                value: cell.mean.as_ref(),
            })
            .collect();
        ((*name).to_owned(), rows(&drawn))
    };
    let charts = names.iter().map(panel).collect();
    shape.many(writer, None, charts, |writer| numbers(team, writer))
}

fn numbers(team: &Team, writer: &mut Writer) -> Element {
    let columns = vec![
        Column::Text("Signal"),
        Column::Text("Arm"),
        Column::Number("Mean"),
        Column::Number("Decisions reported"),
        Column::Number("Silence, taken as said"),
        Column::Number("Still unknown"),
    ];
    let caption = format!("Signals of team {}", team.name);
    let mut table = Table::new(writer, caption, columns);
    for cell in &team.signals {
        table.row(vec![
            Node::Text(cell.signal.clone()),
            writer.arm(&cell.arm).into(),
            interval_or(Unit::Points, cell.mean.as_ref(), "never seen").into(),
            count(cell.seen).into(),
            count(cell.assumed).into(),
            count(cell.unknown).into(),
        ]);
    }
    table.boxed()
}
