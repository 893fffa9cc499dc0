//! The arms: what each is and how much it was used.

use crate::report::figure::source;
use crate::report::markup::{Element, Node};
use crate::report::model::Team;
use crate::report::number::{Unit, figure, interval};
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

pub(crate) fn arms(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let columns = vec![
        Column::Text("Arm"),
        Column::Text("What it is"),
        Column::Number("Quality"),
        Column::Number("Cost of a request"),
        Column::Number("Share of all requests"),
        Column::Number("First fifth"),
        Column::Number("Last fifth"),
    ];
    let caption = format!("The arms of team {}", team.name);
    let reading = "Quality and cost are as if the arm had taken every request. The first and the last fifth of the \
        requests show what was learned.";
    let opening = writer.element("p", reading).class("reading");
    let mut table = Table::new(writer, caption, columns);
    for row in &team.arms {
        table.row(vec![
            writer.arm(&row.arm).into(),
            Node::Text(row.note.clone()),
            interval(Unit::Points, &row.point.quality).into(),
            interval(Unit::Money, &row.point.cost_usd).into(),
            figure(Unit::Share, row.share).into(),
            figure(Unit::Share, row.first_fifth).into(),
            figure(Unit::Share, row.last_fifth).into(),
        ]);
    }
    Element::new("div")
        .class("block")
        .add(Element::new("h4").text("The arms"))
        .add(opening)
        .add(table.cards())
        .add(source(&format!("{path}.arms")))
}
