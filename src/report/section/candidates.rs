//! Other policies, judged from the log alone; and those that the log cannot judge.

use crate::report::figure::{nothing, source};
use crate::report::markup::Element;
use crate::report::model::{Candidate, Interval, Judged, Team};
use crate::report::number::{Unit, figure, interval};
use crate::report::svg::Cell;
use crate::report::table::{Column, Table};
use crate::report::writer::{Writer, value_or};

pub(crate) fn candidates(team: &Team, path: &str, writer: &mut Writer) -> Element {
    let block = Element::new("div")
        .class("block")
        .add(Element::new("h4").text("What other policies would have earned, judged from the log"));
    if team.candidates.is_empty() {
        return block.add(nothing());
    }
    let reading = "None of these ran. A dot is the doubly robust estimate from the log, with its interval; a hollow \
        diamond is the truth, where a simulator knows it; the upright line is what the router earned. The difference \
        is the policy's reward less what was logged.";
    let opening = writer.element("p", reading).class("reading");
    block
        .add(opening)
        .add(table(team, writer))
        .add_all(refused(team, writer))
        .add(source(&format!("{path}.candidates, {path}.router.reward")))
}

fn policy(candidate: &Candidate) -> Element {
    Element::new("code").text(&candidate.policy)
}

fn table(team: &Team, writer: &mut Writer) -> Element {
    let ends = |i: &Interval| [i.value, i.lower, i.upper];
    let values = team.candidates.iter().flat_map(|c| {
        let estimate = match &c.judged {
            Judged::Estimated { reward, .. } => Some(ends(reward)),
            Judged::Refused { .. } => None,
        };
        estimate.into_iter().flatten().chain(c.truth)
    });
    let cell = Cell::over(Unit::Points, values, Some(team.router.reward.value));
    let columns = vec![
        Column::Text("Policy"),
        Column::Text("What it means"),
        Column::Drawn("Reward, drawn", cell.head()),
        Column::Number("Reward"),
        Column::Number("Truth"),
        Column::Number("Difference"),
        Column::Number("Effective sample size"),
    ];
    let caption = format!("Other policies for team {}", team.name);
    let mut table = Table::new(writer, caption, columns);
    for candidate in &team.candidates {
        let meaning = writer.element("span", &candidate.meaning);
        let (estimate, reward, difference, size) = match &candidate.judged {
            Judged::Estimated {
                reward,
                difference,
                effective_sample_size,
            } => (
                Some(reward),
                interval(Unit::Points, reward),
                interval(Unit::Difference, difference),
                effective_sample_size,
            ),
            Judged::Refused {
                effective_sample_size,
                ..
            } => (None, refusal(), refusal(), effective_sample_size),
        };
        table.row(vec![
            policy(candidate).into(),
            meaning.into(),
            cell.draw("router", estimate, candidate.truth).into(),
            reward.into(),
            value_or(Unit::Points, candidate.truth, "not known").into(),
            difference.into(),
            figure(Unit::Count, *size).into(),
        ]);
    }
    table.cards()
}

fn refusal() -> Element {
    Element::new("span").class("none").text("refused")
}

/// Why some were refused, and what would make them answerable.
fn refused(team: &Team, writer: &mut Writer) -> Option<Element> {
    let columns = vec![
        Column::Text("Refused"),
        Column::Text("Why the log cannot tell"),
        Column::Text("What would make it answerable"),
    ];
    let mut table = None;
    for candidate in &team.candidates {
        if let Judged::Refused { reason, remedy, .. } = &candidate.judged {
            let caption = format!("Policies that the log of team {} cannot judge", team.name);
            let table = table.get_or_insert_with(|| Table::new(writer, caption, columns.clone()));
            table.row(vec![
                policy(candidate).into(),
                writer.element("span", reason).into(),
                writer.element("span", remedy).into(),
            ]);
        }
    }
    table.map(|t| t.cards().class("refusals"))
}
