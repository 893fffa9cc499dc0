//! What was spent, and what was saved, as tables.

use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, count, figure, nano, nano_interval};
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;
use crate::spend::{Dimension, Labels, Money, Saved, Side, Spent, Sums};

/// How to read what was spent.
pub(super) const READING: &str = "A request counts on the day it was made, an attempt on the day it ended. Input \
    holds the cached tokens; cached is their share where the provider tells it. Estimated: the share of the money \
    whose tokens the provider did not tell. Narrowed: requests for which a budget kept an arm out.";

/// How to read what was saved.
pub(super) const SAVED: &str = "Episodes that a hash held out for the baseline cost so much, the router's so much: \
    saved is the difference, for each episode and for all of the router's, with its 95 % interval. Where the \
    interval holds nothing, nothing is shown to be saved. Each row's interval stands alone.";

const NUMBERS: [&str; 9] = [
    "Requests",
    "Attempts",
    "Failed",
    "Input",
    "Cached",
    "Output",
    "Spent",
    "Estimated",
    "Narrowed",
];

/// A row for each group, and one for all.
pub(super) fn spent(spent: &Spent, writer: &mut Writer) -> Table {
    let labels = spent.by.iter().map(|d| Column::Text(head(*d)));
    let labels: Vec<Column> = match spent.by.is_empty() {
        true => vec![Column::Text("Sum")],
        false => labels.collect(),
    };
    let names = labels.len();
    let columns = labels.into_iter().chain(NUMBERS.map(Column::Number));
    let mut table = Table::new(writer, "What was spent", columns.collect());
    if !spent.by.is_empty() {
        for row in &spent.rows {
            let mut cells = said(&row.labels, &spent.by, writer);
            cells.extend(sums(&row.sums, row.cached_input_share, row.estimated_share));
            table.row(cells);
        }
    }
    let all = (0..names).map(|at| Node::Text(if at == 0 { "total" } else { "" }.to_owned()));
    let mut cells: Vec<Node> = all.collect();
    cells.extend(sums(
        &spent.total,
        spent.cached_input_share,
        spent.estimated_share,
    ));
    table.row(cells);
    table
}

fn head(dimension: Dimension) -> &'static str {
    match dimension {
        Dimension::Team => "Team",
        Dimension::Key => "Key",
        Dimension::Task => "Task",
        Dimension::Arm => "Arm",
        Dimension::Day => "Day",
    }
}

fn said(labels: &Labels, by: &[Dimension], writer: &Writer) -> Vec<Node> {
    let one = |dimension: &Dimension| match dimension {
        Dimension::Arm => writer.arm(labels.words(*dimension)).into(),
        other => Node::Text(labels.words(*other).to_owned()),
    };
    by.iter().map(one).collect()
}

fn sums(sums: &Sums, cached: Option<f64>, estimated: Option<f64>) -> Vec<Node> {
    let number = |value: u64| count(usize::try_from(value).unwrap_or(usize::MAX)).into();
    let share = |share: Option<f64>| match share {
        Some(share) => figure(Unit::Share, share).into(),
        None => none("\u{2013}").into(),
    };
    vec![
        number(sums.requests),
        number(sums.attempts),
        number(sums.failed_attempts),
        number(sums.input_tokens),
        share(cached),
        number(sums.output_tokens),
        nano(Unit::Money, sums.spent_nano_usd).into(),
        share(estimated),
        number(sums.narrowed_requests),
    ]
}

fn none(text: &str) -> Element {
    Element::new("span").class("none").text(text)
}

/// A row for each comparison.
pub(super) fn saved(spent: &Spent, writer: &mut Writer) -> Table {
    let apart = [Dimension::Key, Dimension::Task, Dimension::Day];
    let apart = apart.into_iter().filter(|d| spent.by.contains(d));
    let by: Vec<Dimension> = [Dimension::Team].into_iter().chain(apart).collect();
    let labels = by.iter().map(|d| Column::Text(head(*d)));
    let numbers = [
        "Episodes",
        "Requests",
        "Cost",
        "Held out",
        "Requests held out",
        "Cost held out",
        "Saved an episode",
        "Saved in all",
    ];
    let columns = labels
        .chain([Column::Text("Baseline")])
        .chain(numbers.map(Column::Number));
    let mut table = Table::new(writer, "What the router saved", columns.collect());
    for saved in &spent.saved {
        let mut cells = said(&saved.labels, &by, writer);
        if saved.compared.is_none() {
            cells.truncate(1);
            cells.extend(by.iter().skip(1).map(|_| Node::Text(String::new())));
        }
        cells.push(match &saved.baseline {
            Some(arm) => writer.arm(arm).into(),
            None => none("\u{2013}").into(),
        });
        let compared = saved.compared.as_ref();
        cells.extend(side(compared.map(|c| &c.router)));
        cells.extend(side(compared.map(|c| &c.held_out)));
        cells.push(money(saved, saved.episode.as_ref(), "\u{2013}"));
        cells.push(money(saved, saved.total.as_ref(), &saved.words()));
        table.row(cells);
    }
    table
}

fn side(side: Option<&Side>) -> [Node; 3] {
    let Some(side) = side else {
        return std::array::from_fn(|_| none("\u{2013}").into());
    };
    let number = |value: u64| count(usize::try_from(value).unwrap_or(usize::MAX)).into();
    [
        number(side.episodes),
        number(side.requests),
        nano(Unit::Money, side.spent_nano_usd).into(),
    ]
}

fn money(saved: &Saved, money: Option<&Money>, otherwise: &str) -> Node {
    match money.filter(|_| saved.words().is_empty()) {
        Some(found) => nano_interval(Unit::MoneyDifference, found.ends()).into(),
        None => none(otherwise).into(),
    }
}
