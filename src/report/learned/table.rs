//! What each policy came to, all of them, fixed arms too.

use crate::replay::{Kept, OutcomesReport, PolicyReport, Spread};
use crate::report::markup::{Element, Node};
use crate::report::model::Interval;
use crate::report::number::{Unit, figure, interval};
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

/// How to read it.
pub(super) fn reading(report: &OutcomesReport) -> &'static str {
    match report.budget {
        Some(_) => {
            "Means over streams, give or take one standard deviation. Spend is in budgets: 1 is all of it. The \
             mix is the best static mix of fixed arms that costs the budget, known in hindsight; below zero, it \
             would have been better. Over: more than the budget was spent, so there is no comparison."
        }
        None => {
            "Means over streams, give or take one standard deviation. Reward is score less what the cost counts. \
             Above best single: reward more than the arm that is best in hindsight, prompt by prompt, with its 95 % \
             interval over prompts. The mix is the best static mix of fixed arms at the policy's cost, known in \
             hindsight."
        }
    }
}

/// A row for each policy.
pub(super) fn table(report: &OutcomesReport, writer: &mut Writer) -> Table {
    let names: &[&'static str] = match report.budget {
        Some(_) => &[
            "Score",
            "Cost of a request",
            "Spend",
            "Most of a stream",
            "Above the mix",
        ],
        None => &[
            "Reward",
            "Above best single",
            "Last fifth",
            "Score",
            "Cost of a request",
            "Score of the mix",
        ],
    };
    let columns = names.iter().map(|name| Column::Number(name));
    let columns = [Column::Text("Policy")]
        .into_iter()
        .chain(columns)
        .collect();
    let mut table = Table::new(writer, "What each policy came to", columns);
    for policy in &report.policies {
        let mut cells = vec![Node::Text(policy.policy.clone())];
        let several = policy.runs.len() > 1;
        cells.extend(match report.budget {
            Some(_) => kept(policy, several),
            None => earned(policy, several),
        });
        table.row(cells);
    }
    table
}

fn earned(policy: &PolicyReport, several: bool) -> Vec<Node> {
    let points = |found: Spread| spread(Unit::Points, Some(found), several);
    vec![
        points(policy.all),
        above_single(policy),
        points(policy.last_fifth),
        points(policy.score),
        spread(Unit::Money, policy.cost_usd, several),
        give_or_take(Unit::Points, policy.hull_score, None).into(),
    ]
}

/// Reward more than the best single arm's, with its interval.
fn above_single(policy: &PolicyReport) -> Node {
    match &policy.judged.against_best_single {
        Some(versus) => interval(
            Unit::Difference,
            &Interval {
                value: versus.reward.value,
                lower: versus.reward.lower,
                upper: versus.reward.upper,
            },
        )
        .into(),
        None => give_or_take(Unit::Difference, None, None).into(),
    }
}

/// Under a budget, over all steps.
fn kept(policy: &PolicyReport, several: bool) -> Vec<Node> {
    let kept = policy.spending.as_ref().and_then(|spending| spending.all);
    let of = |value: fn(Kept) -> Spread| kept.map(value);
    vec![
        spread(Unit::Points, Some(policy.score), several),
        spread(Unit::Money, policy.cost_usd, several),
        spread(Unit::Points, of(|kept| kept.spend), several),
        give_or_take(Unit::Points, kept.map(|kept| kept.most), None).into(),
        above(kept),
    ]
}

/// Who spent more than the budget is not compared with what keeps it.
fn above(kept: Option<Kept>) -> Node {
    match kept {
        Some(kept) if !kept.is_within() => Element::new("span").class("none").text("over").into(),
        kept => give_or_take(Unit::Difference, kept.and_then(|k| k.above_hull), None).into(),
    }
}

fn spread(unit: Unit, found: Option<Spread>, several: bool) -> Node {
    let sd = found.map(|found| found.sd).filter(|_| several);
    give_or_take(unit, found.map(|found| found.mean), sd).into()
}

/// A value and its standard deviation; of one stream there is none.
pub(super) fn give_or_take(unit: Unit, value: Option<f64>, sd: Option<f64>) -> Element {
    let Some(value) = value else {
        return Element::new("span").class("none").text("\u{2013}");
    };
    let whole = Element::new("span")
        .class("figure")
        .add(figure(unit, value));
    match sd {
        Some(sd) => whole.text(" ").add(
            Element::new("span")
                .class("range")
                .text("\u{b1}\u{a0}")
                .add(figure(unit, sd)),
        ),
        None => whole,
    }
}
