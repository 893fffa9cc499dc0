//! Which arms the router chose, over time and by task.

use super::learning::numbers;
use crate::report::figure::Figure;
use crate::report::markup::Element;
use crate::report::model::Team;
use crate::report::number::Unit;
use crate::report::svg::{area, small_area};
use crate::report::writer::Writer;

const OVERALL: &str = "Each arm's share of a window of requests that ends there. The names stand where the bands \
    end.";
const BY_TASK: &str = "The same for each task by itself, since an arm may be good at one thing only. Upright lines \
    are the events named in the picture of all requests.";

pub(crate) fn overall(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.shares");
    let shape = Figure {
        title: "Which arms it chose",
        reading: OVERALL,
        source: &source,
    };
    shape.draw(
        writer,
        |writer, size| area(&team.shares, &writer.palette, size),
        |writer| {
            let caption = format!("Shares by window, team {}", team.name);
            numbers(&team.shares, Unit::Share, caption, writer)
        },
    )
}

pub(crate) fn by_task(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.task_shares");
    let shape = Figure {
        title: "Which arms it chose for each task",
        reading: BY_TASK,
        source: &source,
    };
    let one = |(task, series): &(String, _)| (task.clone(), small_area(series, &writer.palette));
    let charts = team.task_shares.iter().map(one).collect();
    let key = writer.key(team.shares.lines.iter().map(|(name, _)| name.as_str()));
    shape.many(writer, Some(key), charts, |writer| {
        let mut tables = Element::new("div");
        for (task, series) in &team.task_shares {
            let caption = format!("Shares by window, team {}, task {task}", team.name);
            tables = tables.add(Element::new("h5").text(task));
            tables = tables.add(numbers(series, Unit::Share, caption, writer));
        }
        tables
    })
}
