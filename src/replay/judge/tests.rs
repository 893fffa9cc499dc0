//! Figures of a small table that can be worked out by hand, and how policies are held against rivals.

use crate::bandit::Policy;
use crate::replay::outcomes::tests::{go_on, made};
use crate::replay::{Bench, OutcomesReport, Params, StreamParams, outcomes};
use crate::table::{Columns, OutcomeTable};

/// Four prompts of two tasks. Mean scores: a 0.5, b 0.75; best of each prompt 1; costs 1 and 3.
const SMALL: &str = "prompt_id,task,prompt,model,score,cost_usd
p1,sum,x,a,1,1\np1,sum,x,b,0,3\np2,sum,xx,a,1,1\np2,sum,xx,b,1,3
p3,verse,xxx,a,0,1\np3,verse,xxx,b,1,3\np4,verse,xxxx,a,0,1\np4,verse,xxxx,b,1,3\n";

fn table(csv: &str) -> OutcomeTable {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("small.csv");
    std::fs::write(&file, csv).unwrap();
    OutcomeTable::read(&file, &Columns::default()).unwrap()
}

fn play(table: &OutcomeTable, lambda: f64, specs: &[&str], params: &Params) -> OutcomesReport {
    let bench = Bench::rewards_only(table, lambda).unwrap();
    let policies: Vec<Policy> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
    outcomes(&bench, &policies, params, &go_on).unwrap()
}

fn near(found: f64, expected: f64) {
    assert!(
        (found - expected).abs() < 1e-12,
        "{found} is not {expected}"
    );
}

#[test]
fn figures_of_four_prompts_are_those_worked_out_by_hand() {
    let params = Params {
        seeds: 2,
        ..Params::default()
    };
    let report = play(&table(SMALL), 0.0, &["fixed:arm=a", "fixed:arm=b"], &params);
    let a = &report.policies[0].judged;
    near(a.regret, 0.5);
    near(a.oracle_gap_closed.unwrap(), -1.0);
    near(a.gain_over_hull.unwrap(), 0.0);
    assert_eq!(a.shares, [1.0, 0.0]);
    let versus = a.against_best_single.as_ref().unwrap();
    assert_eq!((versus.rival.as_str(), versus.prompts), ("b", 4));
    // Differences 1, 0, -1, -1: mean -0.25, variance 2.75 / 3, over 4.
    near(versus.score.value, -0.25);
    near(versus.score.standard_error, (2.75_f64 / 12.0).sqrt());
    near(versus.cost_usd.unwrap().value, -2.0);
    assert_eq!(versus.reward, versus.score);
    assert!(a.against_incumbent.is_none() && a.against_seed_rows_best.is_none());
    let b = &report.policies[1].judged;
    let same = b.against_best_single.as_ref().unwrap().reward;
    assert_eq!((same.value, same.upper, same.p_value), (0.0, 0.0, 1.0));
    near(b.oracle_gap_closed.unwrap(), 0.0);
    let slices = &a.slices.as_ref().unwrap().slices;
    let named: Vec<&str> = slices.iter().map(|slice| slice.name.as_str()).collect();
    let lengths = [1, 2, 3, 4].map(|n| format!("{n} to {n} characters"));
    assert_eq!(named[..2], ["sum", "verse"]);
    assert_eq!(named[2..], lengths);
    near(slices[0].difference.unwrap().value, 0.5);
    near(slices[1].difference.unwrap().value, -1.0);
    assert!(
        slices
            .iter()
            .all(|slice| !slice.differs && slice.adjusted_p.is_none())
    );
}

#[test]
fn the_weight_of_cost_is_in_rewards_and_not_in_scores() {
    // The dearest arm's mean is 3: a loses 0.1, b 0.3.
    let params = Params::default();
    let report = play(&table(SMALL), 0.3, &["fixed:arm=a"], &params);
    let judged = &report.policies[0].judged;
    let versus = judged.against_best_single.as_ref().unwrap();
    near(versus.score.value, -0.25);
    near(versus.reward.value, -0.05);
    // The oracle takes a, a, b, b.
    near(judged.regret, 0.8 - 0.4);
}

#[test]
fn a_policy_is_held_against_itself_and_an_incumbent_that_is_not_asked_for_is_played() {
    let table = made(200, true);
    let params = Params {
        seeds: 2,
        incumbent: Some(Policy::Uniform),
        ..Params::default()
    };
    let report = play(&table, 0.1, &["fixed:arm=a"], &params);
    let names: Vec<&str> = report.policies.iter().map(|p| p.policy.as_str()).collect();
    assert_eq!(names, ["fixed:arm=a", "uniform"]);
    assert_eq!(report.incumbent.as_deref(), Some("uniform"));
    let [fixed, uniform] = [0, 1].map(|at| &report.policies[at]);
    let own = uniform.judged.against_incumbent.as_ref().unwrap();
    assert_eq!((own.reward.value, own.reward.p_value), (0.0, 1.0));
    let versus = fixed.judged.against_incumbent.as_ref().unwrap();
    near(versus.reward.value, fixed.all.mean - uniform.all.mean);
    near(versus.score.value, fixed.score.mean - uniform.score.mean);
    let cost = fixed.cost_usd.unwrap().mean - uniform.cost_usd.unwrap().mean;
    near(versus.cost_usd.unwrap().value, cost);
    assert!(versus.reward.lower < versus.reward.value && versus.reward.value < versus.reward.upper);
    let slices = fixed.judged.slices.as_ref().unwrap();
    assert_eq!(slices.rival, "uniform");
    // It is right on sums, wrong on verses.
    assert_eq!(slices.slices[slices.worst.unwrap()].name, "verse");
    assert!(slices.slices[0].differs && slices.slices[0].difference.unwrap().value > 0.0);
}

#[test]
fn the_best_of_the_rows_given_away_is_a_rival_where_there_are_any() {
    // One row is given away in each stream: on p1 it is a, else b (or a, the first of equals, on p2).
    let params = Params {
        seeds: 20,
        stream: StreamParams {
            seed_rows: 1,
            ..StreamParams::default()
        },
        ..Params::default()
    };
    let table = table(SMALL);
    let report = play(&table, 0.0, &["fixed:arm=b"], &params);
    let judged = &report.policies[0].judged;
    let bench = Bench::rewards_only(&table, 0.0).unwrap();
    let mut expected = 0.0;
    for seed in 0..20 {
        let order = bench.order(seed);
        let arm = usize::from(order[0] >= 2);
        let rest = order[1..].iter().map(|p| bench.scores(*p));
        expected += rest.map(|scores| scores[1] - scores[arm]).sum::<f64>() / 60.0;
    }
    let versus = judged.against_seed_rows_best.as_ref().unwrap();
    near(versus.reward.value, expected);
    near(
        judged.against_best_single.as_ref().unwrap().reward.value,
        0.0,
    );
    assert!(report.to_string().contains("above seed rows' best"));
}

#[test]
fn the_text_names_rivals_intervals_and_slices() {
    let table = made(200, true);
    let params = Params {
        seeds: 1,
        incumbent: Some("fixed:arm=a".parse().unwrap()),
        ..Params::default()
    };
    // Chance does not learn, and has no line of slices.
    let report = play(&table, 0.0, &["uniform"], &params);
    let text = report.to_string();
    assert!(
        text.contains("best single arm, in hindsight: c; incumbent: fixed:arm=a"),
        "{text}"
    );
    let judged = &report.policies[0].judged;
    let reward = judged.against_best_single.as_ref().unwrap().reward;
    let shown = format!(
        "{:+.4} [{:+.4}, {:+.4}]",
        reward.value, reward.lower, reward.upper
    );
    assert!(text.contains(&shown), "{text}");
    assert!(!text.contains("slices of 50"), "{text}");
}
