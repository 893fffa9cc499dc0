//! The report on policies that were played on an outcome table.
//!
//! Invariants: every policy met the same streams. The means are over counted steps alone: rows that are
//! given away are in none.
//!
//! Not here: the streams (`stream`), the play (`play`), what is made of every arm's outcome (`judge`), several
//! reports together (`sweep`), the report as text (`outcomes_text`).
//!
//! Source: SCIENCE 5 (the prequential protocol).

use super::baselines::{Baselines, Hull};
use super::bench::{Bench, CostSource};
use super::change::ChangeReport;
use super::curve::{Curve, Pieces};
use super::drift::Drift;
use super::error::Error;
use super::joining::Onboarding;
use super::judge::{Judge, Judged, Total};
use super::parallel::in_parallel;
use super::play::play;
use super::recovery::Recovery;
use super::run::{Played, Run, Spread};
use super::spend::{Budget, Spending};
use super::stream::{Plan, StreamParams};
use super::sweep::Sweep;
use super::{Progress, Watch};
use crate::bandit::Policy;
use crate::feature::DIM;
use crate::table::LeftOut;
use serde::Serialize;

/// How a table is played.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// Streams, with seeds 0, 1, ...
    pub seeds: u64,
    /// Exploration floor of policies that learn, of all arms together (`bandit::floors`).
    pub floor: f64,
    /// What policies that learn may spend; absent: all that they like.
    pub budget: Option<Budget>,
    /// What is done to the streams.
    pub stream: StreamParams,
    /// The policy that others are held against, prompt by prompt; played too if it is not among them.
    pub incumbent: Option<Policy>,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            seeds: 5,
            floor: 0.02,
            budget: None,
            stream: StreamParams::default(),
            incumbent: None,
        }
    }
}

/// One policy over all seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyReport {
    /// Its specification.
    pub policy: String,
    /// Reward over the first 1,000 counted steps.
    pub first_1000: Option<Spread>,
    /// Reward over the first 5,000 counted steps.
    pub first_5000: Option<Spread>,
    /// Reward over the counted steps after the first 1,000 prompts of the stream, given-away ones among
    /// these.
    pub after_1000: Option<Spread>,
    /// Reward over all steps.
    pub all: Spread,
    /// Reward over the last fifth.
    pub last_fifth: Spread,
    /// Score over all steps.
    pub score: Spread,
    /// Cost over all steps in USD.
    pub cost_usd: Option<Spread>,
    /// Reward expected under the pmfs.
    pub expected: Spread,
    /// Score of the static mix of fixed arms at the policy's mean cost. None with a drift: the mixes are
    /// of the table as it stands.
    pub hull_score: Option<f64>,
    /// What was spent and earned, held against the budget.
    pub spending: Option<Spending>,
    /// Reward before the drift's change.
    pub before_change: Option<Spread>,
    /// Reward from the drift's change on.
    pub after_change: Option<Spread>,
    /// What an arm's drop took, and when it was regained, where a loss shows.
    pub recovery: Option<Recovery>,
    /// What became of an arm that joined.
    pub onboarding: Option<Onboarding>,
    /// Reward and shares over consecutive pieces of the stream.
    pub curve: Curve,
    /// What full information says of it.
    pub judged: Judged,
    /// Each seed.
    pub runs: Vec<Run>,
}

/// Policies on one table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomesReport {
    /// The table.
    pub table: String,
    /// Prompts played, or given away: those of a stream.
    pub prompts: usize,
    /// Prompts left out for want of a score of some arm.
    pub dropped: usize,
    /// Arms left out.
    pub left_out: Vec<LeftOut>,
    /// Weight of cost.
    pub lambda: f64,
    /// What policies that learn might spend.
    pub budget: Option<Budget>,
    /// Where costs come from.
    pub cost_source: CostSource,
    /// The cost that lambda is counted in, USD.
    pub reference_cost_usd: Option<f64>,
    /// Exploration floor of policies that learn.
    pub floor: f64,
    /// Whether the task was part of the context.
    pub task_label: bool,
    /// What made the contexts.
    pub feature_set: String,
    /// Length of a context.
    pub dim: usize,
    /// What was done to the streams.
    pub stream: StreamParams,
    /// What a drift changed.
    pub change: Option<ChangeReport>,
    /// What needs no router, over the whole table as it stands, without drift.
    pub baselines: Baselines,
    /// The policy that others are held against, if one was named.
    pub incumbent: Option<String>,
    /// The policies, in the order asked.
    pub policies: Vec<PolicyReport>,
    /// In the last of several reports (prices of cost, or budgets): all of them together.
    pub sweep: Option<Sweep>,
}

/// Plays every policy on every stream, on as many threads as there are cores.
pub fn outcomes(
    bench: &Bench,
    policies: &[Policy],
    params: &Params,
    watch: &Watch<'_>,
) -> Result<OutcomesReport, Error> {
    check(params)?;
    check_budget(bench, params)?;
    let plan = Plan::new(bench, &params.stream)?;
    let asked = policies.iter().chain(missing(policies, params));
    let policies: Vec<&Policy> = asked.collect();
    let jobs: Vec<(usize, u64)> = (0..policies.len())
        .flat_map(|policy| (0..params.seeds).map(move |seed| (policy, seed)))
        .collect();
    let run = |(policy, seed): (usize, u64)| match policies.get(policy) {
        Some(policy) => play(&plan.stream(seed), policy, params),
        None => Err(Error::Stopped),
    };
    let played = in_parallel(&jobs, run, watch)?;
    let seeds = usize::try_from(params.seeds).unwrap_or(usize::MAX);
    let played: Vec<&[Played]> = played.chunks(seeds).collect();
    let judged = judged(&plan, &policies, &played, params, watch)?;
    let reports = policies.iter().zip(&played).zip(judged);
    let reports = reports
        .map(|((policy, own), judged)| PolicyReport::new(policy, own, judged, &plan, params));
    let drift = params.stream.drift.as_ref();
    Ok(OutcomesReport {
        table: bench.name().to_owned(),
        prompts: plan.len(),
        dropped: bench.dropped(),
        left_out: bench.left_out().to_vec(),
        lambda: bench.lambda(),
        budget: params.budget,
        cost_source: bench.cost_source(),
        reference_cost_usd: bench.reference_cost_usd(),
        floor: params.floor,
        task_label: bench.task_label(),
        feature_set: bench.feature_set().to_owned(),
        dim: DIM,
        stream: params.stream.clone(),
        change: drift.and_then(|drift| ChangeReport::of(&plan, drift, params.seeds)),
        baselines: bench.baselines().clone(),
        incumbent: params.incumbent.as_ref().map(ToString::to_string),
        policies: reports.collect(),
        sweep: None,
    })
}

/// The incumbent, if it is not played anyway.
fn missing<'a>(policies: &[Policy], params: &'a Params) -> Option<&'a Policy> {
    let incumbent = params.incumbent.as_ref();
    incumbent.filter(|incumbent| !policies.contains(incumbent))
}

/// What full information says of each policy.
fn judged(
    plan: &Plan<'_>,
    policies: &[&Policy],
    played: &[&[Played]],
    params: &Params,
    watch: &Watch<'_>,
) -> Result<Vec<Judged>, Error> {
    let judge = Judge::new(plan, params.seeds);
    let totals: Vec<Vec<Total>> = played.iter().map(|own| judge.totals(own)).collect();
    let named = params.incumbent.as_ref().and_then(|incumbent| {
        let place = policies.iter().position(|policy| *policy == incumbent)?;
        Some((incumbent.to_string(), totals.get(place)?))
    });
    let incumbent = named
        .as_ref()
        .map(|(name, own)| (name.as_str(), own.as_slice()));
    let jobs: Vec<usize> = (0..played.len()).collect();
    let one = |at: usize| match (totals.get(at), played.get(at)) {
        (Some(own), Some(played)) => Ok(judge.judge(own, played, incumbent)),
        _ => Err(Error::Stopped),
    };
    // All is played by now, but the caller may still stop it.
    let runs = played.iter().map(|own| own.len()).sum();
    let done = Progress {
        done: runs,
        total: Some(runs),
    };
    in_parallel(&jobs, one, &|_| watch(done))
}

impl PolicyReport {
    fn new(
        policy: &Policy,
        played: &[Played],
        judged: Judged,
        plan: &Plan<'_>,
        params: &Params,
    ) -> Self {
        let runs: Vec<Run> = played.iter().map(|played| played.run).collect();
        let over = |value: &dyn Fn(&Run) -> f64| Spread::of(runs.iter().map(value));
        let part = |value: fn(&Run) -> Option<f64>| {
            let found: Option<Vec<f64>> = runs.iter().map(value).collect();
            found.map(|values| Spread::of(values.into_iter()))
        };
        let cost_usd = part(|run| run.cost_usd);
        let pieces: Vec<&Pieces> = played.iter().map(|played| &played.pieces).collect();
        Self {
            policy: policy.to_string(),
            first_1000: part(|run| run.first_1000),
            first_5000: part(|run| run.first_5000),
            after_1000: part(|run| run.after_1000),
            all: over(&|run| run.all),
            last_fifth: over(&|run| run.last_fifth),
            score: over(&|run| run.score),
            cost_usd,
            expected: over(&|run| run.expected),
            hull_score: hull(plan)
                .zip(cost_usd)
                .and_then(|(hull, cost)| hull.at(cost.mean)),
            spending: params
                .budget
                .map(|budget| Spending::of(budget, &runs, plan.counted(), hull(plan))),
            before_change: part(|run| run.before_change),
            after_change: part(|run| run.after_change),
            recovery: recovery(played, plan),
            onboarding: Onboarding::of(runs.iter().map(|run| run.joined)),
            curve: Curve::of(&pieces, plan.bench().arms()),
            judged,
            runs,
        }
    }
}

/// The static mixes that a policy's score may be held against.
fn hull<'a>(plan: &Plan<'a>) -> Option<&'a Hull> {
    let hull = plan.bench().baselines().hull.as_ref();
    hull.filter(|_| plan.change().is_none())
}

/// How a policy took an arm's drop.
fn recovery(played: &[Played], plan: &Plan<'_>) -> Option<Recovery> {
    plan.dropped()?;
    let at = plan.change()?.checked_sub(plan.seed_rows())?;
    let rewards: Vec<&[f64]> = played.iter().map(|p| p.rewards.as_slice()).collect();
    Recovery::of(&rewards, at)
}

/// A budget needs costs, and finds their weight itself.
fn check_budget(bench: &Bench, params: &Params) -> Result<(), Error> {
    let Some(budget) = params.budget else {
        return Ok(());
    };
    budget.check()?;
    if matches!(params.stream.drift, Some(Drift::Join { .. })) {
        return Err(Error::BudgetAndJoin {
            budget_usd: budget.request_usd,
        });
    }
    let budget_usd = budget.request_usd;
    let lambda = bench.lambda();
    if lambda > 0.0 {
        return Err(Error::BudgetAndLambda { lambda, budget_usd });
    }
    if bench.cost_source() == CostSource::Absent {
        return Err(Error::BudgetWithoutCost { budget_usd });
    }
    Ok(())
}

fn check(params: &Params) -> Result<(), Error> {
    let refuse = |field, value, allowed| {
        Err(Error::Setting {
            field,
            value,
            allowed,
        })
    };
    if !(1..=1000).contains(&params.seeds) {
        return refuse("seeds", params.seeds as f64, "1 to 1000");
    }
    if !(0.0..=1.0).contains(&params.floor) {
        return refuse("floor", params.floor, "0 to 1");
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::feature::Extractor;
    use crate::replay::Progress;
    use crate::table::{Columns, OutcomeTable};
    use std::fmt::Write;
    use std::ops::ControlFlow;
    use std::path::Path;

    pub(in crate::replay) fn go_on(_: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Two tasks and three arms; which arm is right depends on the task; the dear one is never bad.
    pub(in crate::replay) fn made(prompts: usize, cost: bool) -> OutcomeTable {
        let mut csv = "prompt_id,task,prompt,model,score,cost_usd\n".to_owned();
        for i in 0..prompts {
            let (task, right) = [("sum", "a"), ("verse", "b")][i % 2];
            for (arm, usd) in [("a", 1.0), ("b", 2.0), ("c", 10.0)] {
                // Nine of ten right for the right arm, one of ten for the other, eight for the dear.
                let hit = (i / 2 * 7 + arm.len() * 3) % 10;
                let score = match arm {
                    "c" => hit < 8,
                    _ if arm == right => hit < 9,
                    _ => hit < 1,
                };
                let usd = if cost { usd.to_string() } else { String::new() };
                writeln!(
                    csv,
                    "p{i:04},{task},text {i},{arm},{},{usd}",
                    u8::from(score)
                )
                .unwrap();
            }
        }
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("made.csv");
        std::fs::write(&file, csv).unwrap();
        OutcomeTable::read(&file, &Columns::default()).unwrap()
    }

    fn play_all(table: &OutcomeTable, lambda: f64, specs: &[&str], seeds: u64) -> OutcomesReport {
        let extractor = Extractor::shipped().unwrap();
        let bench = Bench::new(table, lambda, &extractor, true).unwrap();
        play_on(&bench, specs, seeds)
    }

    fn play_on(bench: &Bench, specs: &[&str], seeds: u64) -> OutcomesReport {
        let policies: Vec<Policy> = specs.iter().map(|spec| spec.parse().unwrap()).collect();
        let params = Params {
            seeds,
            ..Params::default()
        };
        outcomes(bench, &policies, &params, &go_on).unwrap()
    }

    /// The expected reward of uniform and of every fixed arm is the table's own mean.
    fn check(table: &OutcomeTable, lambda: f64) {
        let fixed = table.arms.iter().map(|arm| format!("fixed:arm={arm}"));
        let specs: Vec<String> = std::iter::once("uniform".to_owned()).chain(fixed).collect();
        let specs: Vec<&str> = specs.iter().map(String::as_str).collect();
        // Neither looks at contexts, which are slow to make.
        let bench = Bench::rewards_only(table, lambda).unwrap();
        let report = play_on(&bench, &specs, 1);
        let arms = report.baselines.arms.iter().map(|arm| arm.reward);
        let means = std::iter::once(report.baselines.random).chain(arms);
        for (policy, mean) in report.policies.iter().zip(means) {
            for run in &policy.runs {
                assert!(
                    (run.expected - mean).abs() < 1e-9,
                    "{} {}: {} is not {mean}",
                    report.table,
                    policy.policy,
                    run.expected
                );
            }
            if policy.policy.starts_with("fixed") {
                assert!((policy.all.mean - mean).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn expected_rewards_of_uniform_and_fixed_are_the_tables_own_means() {
        check(&made(200, true), 0.1);
        check(&made(200, false), 0.0);
    }

    #[test]
    fn and_so_they_are_on_public_tables() {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/datasets");
        for name in [
            "paretobandit_k4",
            "routerbench_subset",
            "llmrouter_mix",
            "routellm_binary",
        ] {
            let file = format!("{dir}/{name}.parquet");
            if !Path::new(&file).exists() {
                println!("skipped: ../shared/datasets/{name}.parquet is absent");
                continue;
            }
            let table = OutcomeTable::read(Path::new(&file), &Columns::default()).unwrap();
            check(&table, 0.0);
            check(&table, 0.3);
        }
    }

    #[test]
    fn policies_that_learn_find_the_right_arm_of_each_task() {
        let specs = [
            "linear-thompson",
            "square-cb",
            "lin-ucb",
            "epsilon-greedy",
            "greedy",
        ];
        let report = play_all(&made(1000, true), 0.0, &specs, 1);
        let best = report.baselines.best_single.reward;
        assert!((report.baselines.per_task_best - 0.9).abs() < 1e-9);
        for policy in &report.policies {
            // Best single 0.8, best per task 0.9; 2 % floors and 10 % of epsilon-greedy cost most.
            let late = policy.last_fifth.mean;
            assert!(late > best, "{}: {late} of {best}", policy.policy);
            assert!(policy.first_1000 == Some(policy.all) && policy.first_5000.is_none());
        }
    }

    #[test]
    fn a_report_is_the_same_however_often_it_is_made() {
        let table = made(120, true);
        let specs = ["linear-thompson", "uniform"];
        let (a, b) = (
            play_all(&table, 0.1, &specs, 3),
            play_all(&table, 0.1, &specs, 3),
        );
        assert_eq!(a, b);
        assert_ne!(a.policies[0].runs[0].all, a.policies[0].runs[1].all);
        let json = serde_json::to_value(&a).unwrap();
        assert_eq!(json["policies"][0]["runs"][2]["seed"], 2);
        let text = a.to_string();
        assert!(
            text.contains("made: 120 prompts (0 left out), 3 arms, lambda 0.1"),
            "{text}"
        );
    }

    #[test]
    fn the_order_of_a_stream_is_that_of_sha256() {
        let bench = Bench::rewards_only(&made(6, false), 0.0).unwrap();
        // printf '0|made|p0003' | sha256sum, and so on, sorted.
        assert_eq!(bench.order(0), ORDER_0);
        assert_eq!(bench.order(1), ORDER_1);
    }

    const ORDER_0: [usize; 6] = [4, 1, 5, 0, 2, 3];
    const ORDER_1: [usize; 6] = [0, 5, 3, 1, 2, 4];

    #[test]
    fn cost_that_counts_must_be_there() {
        let error = Bench::rewards_only(&made(4, false), 0.1).unwrap_err();
        assert_eq!(
            error.to_string(),
            "lambda is 0.1 but arm a has no cost on prompt p0000: allowed lambda 0, or a table with cost_usd in every row"
        );
        let bench = Bench::rewards_only(&made(4, false), 0.0).unwrap();
        assert_eq!(bench.cost_source(), CostSource::Absent);
        let error = Bench::rewards_only(&made(4, true), f64::NAN).unwrap_err();
        assert_eq!(
            error.to_string(),
            "lambda is NaN: allowed finite and at least 0"
        );
    }

    #[test]
    fn settings_out_of_range_and_an_unknown_arm_are_refused() {
        let bench = Bench::rewards_only(&made(4, true), 0.0).unwrap();
        let fails = |spec: &str, params: Params| {
            let policy: Policy = spec.parse().unwrap();
            outcomes(&bench, &[policy], &params, &go_on)
                .unwrap_err()
                .to_string()
        };
        let params = Params::default;
        assert_eq!(
            fails(
                "uniform",
                Params {
                    seeds: 0,
                    ..params()
                }
            ),
            "seeds is 0: allowed 1 to 1000"
        );
        assert_eq!(
            fails(
                "uniform",
                Params {
                    floor: 2.0,
                    ..params()
                }
            ),
            "floor is 2: allowed 0 to 1"
        );
        let error = fails("fixed:arm=z", params());
        assert!(error.contains("arm z"), "{error}");
    }

    #[test]
    fn a_caller_may_stop_it() {
        let bench = Bench::rewards_only(&made(50, true), 0.0).unwrap();
        let params = Params {
            seeds: 1000,
            ..Params::default()
        };
        let stop = |progress: Progress| {
            assert_eq!(progress.total, Some(1000));
            ControlFlow::Break(())
        };
        let error = outcomes(&bench, &[Policy::Uniform], &params, &stop).unwrap_err();
        assert!(matches!(error, Error::Stopped));
    }
}
