//! Charts: what was spent each day by arm, and what each team's router saved each day.

use super::page::arms;
use crate::report::figure::Figure;
use crate::report::markup::{Element, Node};
use crate::report::model::Interval;
use crate::report::number::{Unit, nano, nano_interval};
use crate::report::svg::{Part, spans, stacks};
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;
use crate::spend::{Saved, Spent};
use std::collections::BTreeMap;

const DAYS: &str = "What attempts that ended on a day cost, one arm on another, that on which most was spent at the \
    bottom. Days without any are left out.";

const SAVED: &str = "What all of the router's episodes saved that day against the baseline: a dot, and its 95 % \
    interval as a line. Above the rule at nothing the router was cheaper. A day with too few episodes has none.";

/// Spent each day by arm.
pub(super) fn days(spent: &Spent, writer: &mut Writer) -> Element {
    let shape = Figure {
        title: "Spent by day and arm",
        reading: DAYS,
        source: "days",
    };
    let arms = arms(spent);
    let mut by_day: BTreeMap<&str, BTreeMap<&str, i64>> = BTreeMap::new();
    for one in &spent.days {
        let arms = by_day.entry(&one.day).or_default();
        arms.insert(&one.arm, one.spent_nano_usd);
    }
    let dates: Vec<String> = by_day.keys().map(|day| (*day).to_owned()).collect();
    let usd = |arm: &str| {
        let of = |arms: &BTreeMap<&str, i64>| arms.get(arm).copied().unwrap_or(0) as f64 * 1e-9;
        by_day.values().map(of).collect()
    };
    let parts = arms.iter().map(|arm| Part {
        class: writer.palette.arm(arm).unwrap_or("reference"),
        usd: usd(arm),
    });
    let parts: Vec<Part> = parts.collect();
    let key = writer.key(arms.iter().map(String::as_str));
    let figure = shape.draw(
        writer,
        |_, size| stacks(&dates, &parts, size),
        |writer| numbers(spent, writer),
    );
    Element::new("div").add(key).add(figure)
}

fn numbers(spent: &Spent, writer: &mut Writer) -> Element {
    let columns = vec![
        Column::Text("Day"),
        Column::Text("Arm"),
        Column::Number("Spent"),
    ];
    let mut table = Table::new(writer, "Spent by day and arm", columns);
    for one in &spent.days {
        table.row(vec![
            Node::Text(one.day.clone()),
            writer.arm(&one.arm).into(),
            nano(Unit::Money, one.spent_nano_usd).into(),
        ]);
    }
    table.boxed()
}

/// Saved each day, a chart for each team that has a baseline.
pub(super) fn saved(spent: &Spent, writer: &mut Writer) -> Vec<Element> {
    let mut by_team: BTreeMap<&str, Vec<&Saved>> = BTreeMap::new();
    for saved in &spent.saved_days {
        let team = saved.labels.team.as_deref().unwrap_or_default();
        by_team.entry(team).or_default().push(saved);
    }
    let teams = by_team.into_iter();
    teams
        .map(|(team, days)| of_team(team, &days, writer))
        .collect()
}

fn of_team(team: &str, days: &[&Saved], writer: &mut Writer) -> Element {
    let title = format!("Saved each day by the router of team {team}");
    let shape = Figure {
        title: &title,
        reading: SAVED,
        source: "saved_days",
    };
    let date = |saved: &&Saved| saved.labels.day.clone().unwrap_or_default();
    let dates: Vec<String> = days.iter().map(date).collect();
    let value = |saved: &&Saved| {
        let [value, lower, upper] = saved.total?.ends().map(|nano| nano as f64 * 1e-9);
        Some(Interval {
            value,
            lower,
            upper,
        })
    };
    let values: Vec<Option<Interval>> = days.iter().map(value).collect();
    shape.draw(
        writer,
        |_, size| spans(&dates, &values, size),
        |writer| {
            let columns = vec![Column::Text("Day"), Column::Number("Saved")];
            let mut table = Table::new(writer, title.clone(), columns);
            for (day, saved) in dates.iter().zip(days) {
                let cell = match &saved.total {
                    Some(found) => nano_interval(Unit::MoneyDifference, found.ends()),
                    None => Element::new("span").class("none").text(saved.words()),
                };
                table.row(vec![Node::Text(day.clone()), cell.into()]);
            }
            table.boxed()
        },
    )
}
