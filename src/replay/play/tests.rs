//! What a policy has been told when it chooses. The table is that of `outcomes`.

use super::*;
use crate::feature::Extractor;
use crate::replay::bench::Bench;
use crate::replay::outcomes::tests::{go_on, made};
use crate::replay::stream::{Plan, StreamParams};
use crate::replay::{Budget, OutcomesReport, Params, outcomes};

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
    let mut player = Player::new(&stream, &policy, 0.02, None).unwrap();
    player.seed().unwrap();
    let mut learned = vec![player.learner.rows()];
    for step in stream.played().take(steps) {
        let pmf = player.pmf(step).unwrap();
        let chosen = pmf.draw(stream.draw(step));
        player.chose(step, chosen, &pmf).unwrap();
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
    let mut player = Player::new(&stream, &policy, 0.02, None).unwrap();
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

/// What is left of a budget of 3 USD a request after 50 choices, and what those did cost.
fn left(delay: usize, missing: f64) -> (f64, f64) {
    let bench = Bench::new(&made(60, true), 0.0, &Extractor::shipped().unwrap(), true).unwrap();
    let params = StreamParams {
        delay,
        missing,
        ..plain()
    };
    let plan = Plan::new(&bench, &params).unwrap();
    let (stream, policy) = (plan.stream(0), Policy::Greedy);
    let mut player = Player::new(&stream, &policy, 0.02, Some(3.0)).unwrap();
    let mut spent = 0.0;
    for step in stream.played().take(50) {
        let pmf = player.pmf(step).unwrap();
        let chosen = pmf.draw(stream.draw(step));
        player.chose(step, chosen, &pmf).unwrap();
        spent += bench.costs(step.prompt).unwrap()[chosen];
    }
    (player.purse.unwrap().balance_usd(), spent)
}

#[test]
fn a_budget_pays_what_was_spent_and_what_is_expected_until_it_is_known() {
    let (left_at_once, spent) = left(0, 0.0);
    assert!((left_at_once - (150.0 - spent)).abs() < 1e-9);
    // Nothing has come: every arm is taken to cost a request's budget.
    let (left_unknown, spent) = left(1000, 0.0);
    assert!(
        left_unknown.abs() < 1e-9 && (spent - 150.0).abs() > 10.0,
        "{left_unknown} {spent}"
    );
    // Costs of 1, 2 and 10 USD are soon foretold: what has not come yet is near what it will be.
    let (left_late, spent) = left(5, 0.0);
    assert!(
        (left_late - (150.0 - spent)).abs() < 30.0,
        "{left_late} {spent}"
    );
    let (left_some, spent) = left(0, 0.3);
    assert!(
        (left_some - (150.0 - spent)).abs() < 30.0,
        "{left_some} {spent}"
    );
}

#[test]
fn policies_keep_a_budget_and_earn_more_than_a_mix_of_fixed_arms() {
    // Fixed arms: a and b score 0.5 for 1 and 2 USD, c 0.8 for 10. The right one of a and b scores 0.9.
    let bench = Bench::new(&made(1500, true), 0.0, &Extractor::shipped().unwrap(), true).unwrap();
    let budget = |request_usd| Budget {
        request_usd,
        first: 1000,
    };
    let played = |spec: &str, request_usd: f64| {
        let params = Params {
            seeds: 2,
            budget: Some(budget(request_usd)),
            ..Params::default()
        };
        let report = outcomes(&bench, &[spec.parse().unwrap()], &params, &go_on).unwrap();
        report
            .policies
            .into_iter()
            .next()
            .unwrap()
            .spending
            .unwrap()
    };
    let spending = played("linear-thompson", 1.9);
    let (first, all) = (spending.first.unwrap(), spending.all.unwrap());
    assert_eq!((first.steps, all.steps), (1000, 1500));
    assert!(all.is_within() && first.spend.mean < 1.02, "{all:?}");
    // A tenth of the way from a to c: 0.53.
    assert!((all.hull_score.unwrap() - 0.53).abs() < 1e-9);
    assert!(all.above_hull.unwrap() > 0.2, "{all:?}");
    assert!((all.cost_usd.mean - 1.9 * all.spend.mean).abs() < 1e-9);
    // Who knows no budget does what it does.
    let fixed = played("fixed:arm=c", 1.9).all.unwrap();
    assert!(!fixed.is_within() && (fixed.spend.mean - 10.0 / 1.9).abs() < 1e-9);
    assert!((fixed.score.mean - 0.8).abs() < 1e-9);
    // Nothing is as cheap as that.
    assert_eq!(played("fixed:arm=a", 0.5).all.unwrap().hull_score, None);
}

#[test]
fn a_budget_without_costs_beside_a_weight_or_out_of_range_is_refused() {
    let refused = |cost: bool, lambda: f64, request_usd: f64| {
        let bench = Bench::rewards_only(&made(4, cost), lambda).unwrap();
        let params = Params {
            budget: Some(Budget {
                request_usd,
                first: 10,
            }),
            ..Params::default()
        };
        outcomes(&bench, &[Policy::Greedy], &params, &go_on).unwrap_err()
    };
    assert!(matches!(
        refused(false, 0.0, 2.0),
        Error::BudgetWithoutCost { .. }
    ));
    assert!(matches!(
        refused(true, 0.1, 2.0),
        Error::BudgetAndLambda { .. }
    ));
    for request_usd in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        let error = refused(true, 0.0, request_usd);
        assert!(
            matches!(
                error,
                Error::Setting {
                    field: "budget",
                    ..
                }
            ),
            "{error}"
        );
    }
}

#[test]
fn an_arm_that_joins_is_chosen_and_taught_from_then_on_and_no_sooner() {
    let bench = bench(400);
    let params = StreamParams {
        drift: Some("join=0.75:b".parse().unwrap()),
        seed_rows: 10,
        ..plain()
    };
    let plan = Plan::new(&bench, &params).unwrap();
    let (stream, policy) = (plan.stream(0), Policy::Greedy);
    let mut player = Player::new(&stream, &policy, 0.1, None).unwrap();
    player.seed().unwrap();
    assert_eq!(player.learner.rows(), 10.0 * 2.0);
    for step in stream.played() {
        let pmf = player.pmf(step).unwrap();
        assert_eq!(pmf.as_slice()[1] == 0.0, step.index < 300, "{step:?}");
        let chosen = pmf.draw(stream.draw(step));
        player.chose(step, chosen, &pmf).unwrap();
    }
    // Good at half of the tasks, so it is taken up; another stays the best before it is there.
    let report = report(&bench, "linear-thompson", params);
    let onboarding = report.policies[0].onboarding.unwrap();
    assert!(onboarding.share.mean > 0.1, "{onboarding:?}");
    let change = report.change.unwrap();
    assert_eq!((change.at, change.arm.unwrap().as_str()), (300, "b"));
    assert_ne!(change.best_before.unwrap().arm.as_str(), "b");
}
