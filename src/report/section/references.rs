//! The router against what could have been done instead.

use crate::report::figure::{nothing, source};
use crate::report::markup::{Element, Node};
use crate::report::model::{Interval, Team};
use crate::report::number::{Unit, interval};
use crate::report::svg::Cell;
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

pub(crate) fn references(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let block = Element::new("div")
        .class("block")
        .add(Element::new("h4").text("Against what could have been done instead"));
    if team.references.is_empty() {
        return block.add(nothing());
    }
    let said = writer
        .element("p", "The router's own reward was ")
        .class("reading");
    let opening = said.add(interval(Unit::Points, &team.router.reward)).add_all(writer.say(
        ". The difference is the router's reward less the other's, on the same requests: right of the line the \
         router earned more.",
    ));
    let ends = |i: &Interval| [i.value, i.lower, i.upper];
    let values = team.references.iter().flat_map(|r| ends(&r.difference));
    let cell = Cell::over(Unit::Difference, values, Some(0.0));
    let columns = vec![
        Column::Text("Instead of the router"),
        Column::Text("What it means"),
        Column::Number("Its reward"),
        Column::Drawn("Difference, drawn", cell.head()),
        Column::Number("Difference"),
    ];
    let caption = format!("The router of team {} against others", team.name);
    let mut table = Table::new(writer, caption, columns);
    for row in &team.references {
        let meaning = writer.element("span", &row.meaning);
        table.row(vec![
            Node::Text(row.name.clone()),
            meaning.into(),
            interval(Unit::Points, &row.reward).into(),
            cell.draw("router", Some(&row.difference), None).into(),
            interval(Unit::Difference, &row.difference).into(),
        ]);
    }
    block
        .add(opening)
        .add(table.cards())
        .add(source(&format!("{path}.router.reward, {path}.references")))
}
