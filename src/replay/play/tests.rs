//! What a policy has been told when it chooses. The table is that of `outcomes`.

use super::*;
use crate::feature::Extractor;
use crate::replay::bench::Bench;
use crate::replay::outcomes::tests::{go_on, made};
use crate::replay::stream::{Plan, StreamParams};
use crate::replay::{OutcomesReport, Params, outcomes};

fn bench(prompts: usize) -> Bench {
    Bench::new(
        &made(prompts, true),
        0.1,
        &Extractor::shipped().unwrap(),
        true,
    )
    .unwrap()
}

fn plain() -> StreamParams {
    StreamParams::default()
}

/// Outcomes learned from before each of the first choices, and afterwards.
fn learned(bench: &Bench, params: &StreamParams, steps: usize) -> Vec<f64> {
    let plan = Plan::new(bench, params).unwrap();
    let stream = plan.stream(0);
    let policy = Policy::Greedy;
    let mut player = Player::new(&stream, &policy, 0.02).unwrap();
    player.seed().unwrap();
    let mut learned = vec![player.learner.rows()];
    for step in stream.played().take(steps) {
        let chosen = player.pmf(step).unwrap().draw(stream.draw(step));
        player.chose(step, chosen).unwrap();
        learned.push(player.learner.rows());
    }
    learned
}

/// With a delay of d, choice number i (from 0) knows of i - d outcomes.
fn check(bench: &Bench, delay: usize) {
    let params = StreamParams { delay, ..plain() };
    let expected: Vec<f64> = (0..=50)
        .map(|i: usize| i.saturating_sub(delay) as f64)
        .collect();
    assert_eq!(learned(bench, &params, 50), expected, "delay {delay}");
}

#[test]
fn an_outcome_is_learned_so_many_steps_after_its_choice() {
    let bench = bench(60);
    check(&bench, 0);
    check(&bench, 1);
    check(&bench, 20);
    check(&bench, 1000);
}

#[test]
fn what_is_lost_is_not_learned_and_delays_nothing_else() {
    let bench = bench(60);
    let params = StreamParams {
        missing: 0.3,
        delay: 5,
        ..plain()
    };
    let plan = Plan::new(&bench, &params).unwrap();
    let stream = plan.stream(0);
    let comes: Vec<bool> = stream.played().map(|step| stream.arrives(step)).collect();
    let expected = |choice: usize| {
        let due = comes.iter().take(choice.saturating_sub(5));
        due.filter(|comes| **comes).count() as f64
    };
    let expected: Vec<f64> = (0..=50).map(expected).collect();
    assert_eq!(learned(&bench, &params, 50), expected);
}

#[test]
fn rows_that_are_given_away_teach_every_arm_at_once() {
    let bench = bench(60);
    let params = StreamParams {
        seed_rows: 40,
        delay: 1000,
        missing: 0.99,
        ..plain()
    };
    assert_eq!(learned(&bench, &params, 0), [40.0 * 3.0]);
    let plan = Plan::new(&bench, &params).unwrap();
    let (stream, policy) = (plan.stream(0), Policy::Greedy);
    let mut player = Player::new(&stream, &policy, 0.02).unwrap();
    assert_eq!(player.learner.forced(), [0, 1, 2]);
    player.seed().unwrap();
    assert!(player.learner.forced().is_empty());
    player.pmf(stream.played().next().unwrap()).unwrap();
    // Rewards of 1 - 0.1, 0.1 - 0.02 or 0.9 - 0.02 by task, 0.8 - 0.1: each arm has its own estimate.
    let [a, b, c] = player.utility[..] else {
        unreachable!()
    };
    assert!((a - b).abs() > 0.2 && (c - 0.7).abs() < 0.2, "{a} {b} {c}");
}

fn report(bench: &Bench, spec: &str, stream: StreamParams) -> OutcomesReport {
    let params = Params {
        seeds: 2,
        stream,
        ..Params::default()
    };
    outcomes(bench, &[spec.parse().unwrap()], &params, &go_on).unwrap()
}

#[test]
fn rows_that_are_given_away_are_in_no_mean() {
    let bench = Bench::rewards_only(&made(1200, true), 0.1).unwrap();
    let params = StreamParams {
        seed_rows: 150,
        ..plain()
    };
    let (some, none) = (
        report(&bench, "fixed:arm=c", params),
        report(&bench, "fixed:arm=c", plain()),
    );
    for (some, none) in some.policies[0].runs.iter().zip(&none.policies[0].runs) {
        let rewards: Vec<f64> = bench
            .order(some.seed)
            .iter()
            .map(|p| bench.rewards(*p)[2])
            .collect();
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
        assert!((some.all - mean(&rewards[150..])).abs() < 1e-12);
        assert!((some.first_1000.unwrap() - mean(&rewards[150..1150])).abs() < 1e-12);
        assert!((some.after_1000.unwrap() - mean(&rewards[1000..])).abs() < 1e-12);
        assert_eq!(some.after_1000, none.after_1000);
    }
    assert_eq!(some.policies[0].curve.until[0], 150 + 21);
}

#[test]
fn a_fixed_arm_that_drops_earns_less_by_what_it_lost_and_another_is_best() {
    let bench = Bench::rewards_only(&made(1200, true), 0.0).unwrap();
    let stream = StreamParams {
        drift: Some("drop=0.5@0.5".parse().unwrap()),
        ..plain()
    };
    let report = report(&bench, "fixed:arm=c", stream);
    let (policy, change) = (&report.policies[0], report.change.unwrap());
    let (before, after) = (policy.before_change.unwrap(), policy.after_change.unwrap());
    assert!((before.mean - 0.8).abs() < 0.05 && (after.mean - 0.4).abs() < 0.03);
    assert!((policy.all.mean - (before.mean + after.mean) / 2.0).abs() < 1e-12);
    assert_eq!((change.at, change.arm.unwrap().as_str()), (600, "c"));
    assert_eq!(change.best_before.unwrap().arm.as_str(), "c");
    assert_ne!(change.best_after.unwrap().arm.as_str(), "c");
    let recovery = policy.recovery.unwrap();
    assert!(
        recovery.lowest < 0.45 && recovery.steps.is_none(),
        "{recovery:?}"
    );
    assert_eq!(policy.hull_score, None);
}
