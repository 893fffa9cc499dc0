//! The team's requests by task.

use crate::report::figure::{nothing, source};
use crate::report::markup::{Element, Node};
use crate::report::model::{Interval, Team};
use crate::report::number::{Unit, count, figure, interval};
use crate::report::svg::Cell;
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

pub(crate) fn slices(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let block = Element::new("div")
        .class("block")
        .add(Element::new("h4").text("Task by task"));
    if team.slices.is_empty() {
        return block.add(nothing());
    }
    let reading = "The favourite took most of the last fifth of the task's requests. The difference is the router's \
        reward less that of the best fixed arm in hindsight for this task: left of the line the router earned less, \
        which is what learning cost.";
    let opening = writer.element("p", reading).class("reading");
    let ends = |i: &Interval| [i.value, i.lower, i.upper];
    let values = team.slices.iter().flat_map(|s| ends(&s.difference));
    let cell = Cell::over(Unit::Difference, values, Some(0.0));
    let columns = vec![
        Column::Text("Task"),
        Column::Number("Requests"),
        Column::Number("Quality"),
        Column::Number("Cost of a request"),
        Column::Text("Favourite at the end"),
        Column::Text("Best in hindsight"),
        Column::Drawn("Difference, drawn", cell.head()),
        Column::Number("Difference"),
    ];
    let caption = format!("Tasks of team {}", team.name);
    let mut table = Table::new(writer, caption, columns);
    for slice in &team.slices {
        let (name, share) = &slice.favourite;
        let favourite = writer.arm(name).text(" ").add(figure(Unit::Share, *share));
        table.row(vec![
            Node::Text(slice.name.clone()),
            count(slice.requests).into(),
            interval(Unit::Points, &slice.router.quality).into(),
            interval(Unit::Money, &slice.router.cost_usd).into(),
            favourite.into(),
            writer.arm(&slice.best_arm).into(),
            cell.draw("router", Some(&slice.difference), None).into(),
            interval(Unit::Difference, &slice.difference).into(),
        ]);
    }
    block
        .add(opening)
        .add(table.cards())
        .add(source(&format!("{path}.slices")))
}
