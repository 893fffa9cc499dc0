//! Quality against cost: the picture that says whether routing paid.

use crate::report::figure::Figure;
use crate::report::markup::{Element, Node};
use crate::report::model::{Point, Team};
use crate::report::number::{Unit, figure, interval};
use crate::report::svg::scatter;
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

const READING: &str = "Up is better, left is cheaper. A circle is a fixed arm, as if it had taken every request; \
    the diamond is the router. Thin lines are intervals. The dashed line is the hull: what a static mix of two \
    arms gives at each cost. Above the line, routing gave better outcomes than mixing at that cost.";

pub(crate) fn frontier(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.router, {path}.arms, {path}.hull");
    let shape = Figure {
        title: "Quality against cost",
        reading: READING,
        source: &source,
    };
    shape.draw(
        writer,
        |writer, size| scatter(team, &writer.palette, size),
        |writer| numbers(team, writer),
    )
}

fn numbers(team: &Team, writer: &mut Writer) -> Element {
    let columns = vec![
        Column::Text("Point"),
        Column::Number("Quality"),
        Column::Number("Cost of a request"),
        Column::Number("Reward"),
    ];
    let caption = format!("Quality and cost, team {}", team.name);
    let mut table = Table::new(writer, caption, columns);
    let cells = |name: Node, point: &Point| {
        vec![
            name,
            interval(Unit::Points, &point.quality).into(),
            interval(Unit::Money, &point.cost_usd).into(),
            interval(Unit::Points, &point.reward).into(),
        ]
    };
    table.row(cells(Node::Text("the router".into()), &team.router));
    for row in &team.arms {
        table.row(cells(writer.arm(&row.arm).into(), &row.point));
    }
    for (cost, quality) in &team.hull {
        let none = || Node::Text(String::new());
        table.row(vec![
            Node::Text("a corner of the hull".into()),
            figure(Unit::Points, *quality).into(),
            figure(Unit::Money, *cost).into(),
            none(),
        ]);
    }
    table.boxed()
}
