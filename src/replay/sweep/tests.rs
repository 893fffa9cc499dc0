//! Figures of tables that can be worked out by hand, and of a public one against brute force.

use super::*;
use crate::bandit::Policy;
use crate::replay::outcomes::tests::go_on;
use crate::replay::{Bench, Params, outcomes};
use crate::table::{Columns, OutcomeTable};
use std::path::Path;

/// Two arms: a costs 1 and scores 0.5, b costs 3 and scores 0.75.
const SMALL: &str = "prompt_id,model,score,cost_usd
p1,a,1,1\np1,b,0,3\np2,a,1,1\np2,b,1,3\np3,a,0,1\np3,b,1,3\np4,a,0,1\np4,b,1,3\n";

fn small() -> OutcomeTable {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("small.csv");
    std::fs::write(&file, SMALL).unwrap();
    OutcomeTable::read(&file, &Columns::default()).unwrap()
}

fn reports(table: &OutcomeTable, specs: &[String]) -> Vec<OutcomesReport> {
    let policies: Vec<Policy> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    let params = Params {
        seeds: 1,
        ..Params::default()
    };
    let report = |lambda| {
        let bench = Bench::rewards_only(table, lambda).unwrap();
        outcomes(&bench, &policies, &params, &go_on).unwrap()
    };
    [0.0, 0.3].map(report).into()
}

fn near(found: Option<f64>, expected: f64) {
    assert!(
        (found.unwrap() - expected).abs() < 1e-12,
        "{found:?} is not {expected}"
    );
}

/// A report whose first policy has these means, and gives b this share.
fn moved(report: &OutcomesReport, cost_usd: f64, score: f64, strong: f64) -> OutcomesReport {
    let mut report = report.clone();
    let policy = &mut report.policies[0];
    policy.score.mean = score;
    policy.cost_usd.as_mut().unwrap().mean = cost_usd;
    policy.judged.shares = vec![1.0 - strong, strong];
    report
}

#[test]
fn figures_of_two_arms_are_those_worked_out_by_hand() {
    let played = reports(&small(), &["fixed:arm=a".into(), "fixed:arm=b".into()]);
    // A router that is at (1.2, 0.65) with a tenth of strong calls and at (2.8, 0.8) with nine tenths.
    let moved = [
        moved(&played[0], 1.2, 0.65, 0.1),
        moved(&played[1], 2.8, 0.8, 0.9),
    ];
    let sweep = Sweep::of(&moved).unwrap();
    assert_eq!(sweep.best_single.arm.as_str(), "b");
    near(Some(sweep.most_usd), 3.0);
    // Fixed arms: from 0.5 to 0.75 over 1 to 3 USD: 0.625 in the mean, an area of 1.25.
    near(sweep.fixed_arms.aiq_paper, 0.625);
    near(Some(sweep.fixed_arms.aiq_code), 1.25 / 3.0);
    let router = &sweep.policies[0];
    // 1.6 USD at 0.725, 0.2 USD at 0.8: an area of 1.32.
    near(router.aiq.aiq_paper, 1.32 / 1.8);
    near(Some(router.aiq.aiq_code), 1.32 / 3.0);
    // The arms' over 1.2 to 3 USD: from 0.525 to 0.75.
    near(router.gain_over_hull, 1.32 / 1.8 - 0.6375);
    near(router.perf_gain, 0.8 / 0.75 - 1.0);
    near(router.cost_save, 1.0 - 2.8 / 3.0);
    near(router.pareto_dist, 0.0);
    let Some(StrongCalls::Known {
        pgr,
        apgr,
        cpt_50,
        cpt_80,
    }) = &router.strong_calls
    else {
        panic!("{router:?}");
    };
    // PGR 0.6 at 10 %, 1.2 at 90 %, and 1 at 100 %: between, 0.075 more for each 10 %.
    near(pgr.first().copied(), 0.6);
    near(pgr.get(4).copied(), 0.9);
    near(pgr.last().copied(), 1.0);
    near(Some(*apgr), (9.0 * 0.9 + 1.0) / 10.0);
    near(Some(*cpt_50), 0.1 * 0.5 / 0.6);
    near(Some(*cpt_80), 0.1 + 0.8 * 0.2 / 0.6);
    // A fixed arm is one point: b is the dearest of all, where AIQ is of no range.
    let fixed = &sweep.policies[1];
    assert_eq!((fixed.aiq.aiq_paper, fixed.aiq.aiq_code), (None, 0.0));
    near(fixed.cost_save, 0.0);
    // It is dominated: of the axes (1 to 3 USD, 0.5 to 0.8) it is a tenth and a sixth off.
    near(fixed.pareto_dist, 0.1_f64.hypot(1.0 / 6.0));
    let Some(StrongCalls::Refused { refused }) = &fixed.strong_calls else {
        panic!("{fixed:?}");
    };
    assert!(refused.contains("from 1.000 to 1.000"), "{refused}");
}

#[test]
fn the_text_has_the_points_and_says_why_there_is_no_apgr() {
    let played = reports(&small(), &["fixed:arm=a".into(), "uniform".into()]);
    let text = Sweep::of(&played).unwrap().to_string();
    assert!(
        text.contains("1.000000: 0.5000\n"),
        "one point is shown once: {text}"
    );
    assert!(
        text.contains("no APGR: shares of strong calls run from 0.000 to 0.000"),
        "{text}"
    );
    let json = serde_json::to_value(Sweep::of(&played).unwrap()).unwrap();
    assert_eq!(json["policies"][0]["points"][1]["lambda"], 0.3);
    assert!(
        json["policies"][0]["aiq_paper"].is_number() && json["fixed_arms"]["aiq_code"].is_number()
    );
}

#[test]
fn one_report_or_one_without_costs_or_with_a_drift_has_no_sweep() {
    let played = reports(&small(), &["fixed:arm=a".into()]);
    assert!(Sweep::of(&played[..1]).is_none() && Sweep::of(&[]).is_none());
    let mut free = played.clone();
    free[1].policies[0].cost_usd = None;
    assert!(Sweep::of(&free).is_none());
    assert!(Sweep::of(&played).is_some());
}

/// The area under the best mix of any two points, by trying every pair at every cost.
fn brute(points: &[(f64, f64)], most: f64) -> f64 {
    let height = |cost: f64| {
        let mut best = f64::NEG_INFINITY;
        for a in points.iter().filter(|a| a.0 <= cost) {
            best = best.max(a.1);
            for b in points.iter().filter(|b| b.0 > cost) {
                best = best.max(a.1 + (cost - a.0) / (b.0 - a.0) * (b.1 - a.1));
            }
        }
        best
    };
    let mut costs: Vec<f64> = points.iter().map(|p| p.0).chain([most]).collect();
    costs.sort_by(f64::total_cmp);
    let pieces = costs.windows(2);
    pieces
        .map(|c| (c[1] - c[0]) * (height(c[0]) + height(c[1])) / 2.0)
        .sum()
}

#[test]
fn aiq_of_a_public_tables_arms_is_that_of_brute_force() {
    let file = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../shared/datasets/routerbench_subset.parquet"
    );
    if !Path::new(file).exists() {
        println!("skipped: ../shared/datasets/routerbench_subset.parquet is absent");
        return;
    }
    let table = OutcomeTable::read(Path::new(file), &Columns::default()).unwrap();
    let specs: Vec<String> = table
        .arms
        .iter()
        .map(|arm| format!("fixed:arm={arm}"))
        .collect();
    let sweep = Sweep::of(&reports(&table, &specs)).unwrap();
    // Means anew from the table's cells.
    let prompts = table.prompts.len() as f64;
    let mut points = vec![(0.0, 0.0); table.arms.len()];
    for prompt in 0..table.prompts.len() {
        for (point, cell) in points.iter_mut().zip(table.cells(prompt)) {
            point.0 += cell.cost_usd.unwrap() / prompts;
            point.1 += cell.score / prompts;
        }
    }
    let most = points.iter().map(|p| p.0).fold(0.0, f64::max);
    let least = points.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
    let near = |found: f64, expected: f64| {
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    };
    let area = brute(&points, most);
    near(sweep.fixed_arms.aiq_paper.unwrap(), area / (most - least));
    near(sweep.fixed_arms.aiq_code, area / most);
    println!(
        "routerbench_subset, fixed arms: {:?}, most {most:.6} USD",
        sweep.fixed_arms
    );
    for (policy, point) in sweep.policies.iter().zip(&points) {
        near(policy.aiq.aiq_code, (most - point.0) * point.1 / most);
        assert!(policy.gain_over_hull.unwrap() < 1e-9, "{policy:?}");
    }
}
