//! Curves: a chart for each policy, all over one range, so that they compare.
//!
//! Invariants: fixed arms, which do not learn, have a chart only where nothing else was played.

use super::table::give_or_take;
use crate::replay::{Budget, OutcomesReport, PolicyReport};
use crate::report::figure::Figure;
use crate::report::markup::{Element, Node};
use crate::report::number::{Unit, count, figure};
use crate::report::svg::{Band, band, reach};
use crate::report::table::{Column, Table};
use crate::report::writer::Writer;

const REWARD: &str = "Mean reward in each of up to fifty equal pieces of the stream, against the steps done at its \
    end; higher is better. The band is one standard deviation over streams to either side. The dashed line is \
    the best single arm, known in hindsight. All charts have one range; fixed arms, which do not learn, are in \
    the table alone.";

const SPENT: &str = "Mean cost of a request from the first step on, against the steps done. The band is one standard \
    deviation over streams to either side. The dashed line is the budget: a policy that learns should end on \
    it or below. What each spent, those that heed no budget too, is in the table.";

/// Reward over steps, beside the best single arm's.
pub(super) fn reward(report: &OutcomesReport, path: &str, writer: &mut Writer) -> Element {
    let source = format!("{path}.policies[].curve, {path}.baselines.best_single");
    let shape = Figure {
        title: "Reward while they learned",
        reading: REWARD,
        source: &source,
    };
    let best = &report.baselines.best_single;
    let level = Level {
        value: best.reward,
        said: Element::new("p")
            .text("Dashed: best single arm, ")
            .add(writer.arm(best.arm.as_str()))
            .text(", ")
            .add(figure(Unit::Points, best.reward)),
    };
    let curves = curves(report, |policy| {
        Some((&policy.curve.reward[..], &policy.curve.reward_sd[..]))
    });
    draw(shape, writer, level, &curves, (Unit::Points, "reward"))
}

/// Cost of a request so far, beside the budget.
pub(super) fn spent(
    report: &OutcomesReport,
    budget: Budget,
    path: &str,
    writer: &mut Writer,
) -> Element {
    let source = format!("{path}.policies[].curve.spent_usd, {path}.budget");
    let shape = Figure {
        title: "Spend against the budget",
        reading: SPENT,
        source: &source,
    };
    let level = Level {
        value: budget.request_usd,
        said: Element::new("p")
            .text("Dashed: budget, ")
            .add(figure(Unit::Money, budget.request_usd))
            .text(" a request"),
    };
    let curves = curves(report, |policy| {
        let heeds = policy.policy != "uniform";
        let spent = policy.curve.spent_usd.as_ref().filter(|_| heeds)?;
        Some((&spent.mean[..], &spent.sd[..]))
    });
    draw(
        shape,
        writer,
        level,
        &curves,
        (Unit::Money, "USD a request"),
    )
}

/// What curves are held against, and how that is said.
struct Level {
    value: f64,
    said: Element,
}

/// One policy's curve.
struct Drawn<'a> {
    policy: &'a str,
    steps: &'a [usize],
    mean: &'a [f64],
    /// Absent for a single stream: a band of none would look like certainty.
    sd: Option<&'a [f64]>,
}

/// Those of the policies that learn, or of all where none does.
fn curves<'a>(
    report: &'a OutcomesReport,
    values: impl Fn(&'a PolicyReport) -> Option<(&'a [f64], &'a [f64])>,
) -> Vec<Drawn<'a>> {
    let learns = |policy: &PolicyReport| !policy.policy.starts_with("fixed:");
    let some = report.policies.iter().any(learns);
    let shown = report
        .policies
        .iter()
        .filter(|policy| !some || learns(policy));
    let drawn = shown.filter_map(|policy| {
        let (mean, sd) = values(policy)?;
        Some(Drawn {
            policy: &policy.policy,
            steps: &policy.curve.until,
            mean,
            sd: (policy.runs.len() > 1).then_some(sd),
        })
    });
    drawn.collect()
}

fn draw(
    shape: Figure<'_>,
    writer: &mut Writer,
    level: Level,
    curves: &[Drawn<'_>],
    said: (Unit, &str),
) -> Element {
    let bands = curves.iter().map(|drawn| Band {
        steps: drawn.steps,
        mean: drawn.mean,
        sd: drawn.sd,
        level: Some(level.value),
    });
    let bands: Vec<Band<'_>> = bands.collect();
    let range = reach(&bands);
    let charts = curves.iter().zip(&bands);
    let charts = charts.map(|(drawn, one)| (drawn.policy.to_owned(), band(one, range, said)));
    let charts = charts.collect();
    shape.many(writer, Some(level.said), charts, |writer| {
        numbers(curves, said.0, shape.title, writer)
    })
}

/// The curves as a table.
fn numbers(curves: &[Drawn<'_>], unit: Unit, caption: &str, writer: &mut Writer) -> Element {
    let names = curves
        .iter()
        .map(|drawn| Column::Named(drawn.policy.to_owned()));
    let columns = [Column::Number("Steps")].into_iter().chain(names).collect();
    let mut table = Table::new(writer, caption, columns);
    let steps = curves.first().map_or(&[][..], |drawn| drawn.steps);
    for (at, until) in steps.iter().enumerate() {
        let mut cells: Vec<Node> = vec![count(*until).into()];
        for drawn in curves {
            let mean = drawn.mean.get(at).copied();
            let sd = drawn.sd.and_then(|sd| sd.get(at)).copied();
            cells.push(give_or_take(unit, mean, sd).into());
        }
        table.row(cells);
    }
    table.boxed()
}
