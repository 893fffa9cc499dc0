//! Policies played on an outcome table: choose, see that arm's reward, learn, go on.
//!
//! Invariants: a policy that learns keeps the stated floor and starts with forced pulls; one that
//! does not (fixed, uniform) has neither, so its expected reward is the table's own mean. The draw of
//! a step depends on the seed and the prompt alone, so policies are compared on the same luck.
//!
//! Source: SCIENCE 5 (the prequential protocol).

use super::Watch;
use super::baselines::{Baselines, Hull};
use super::bench::{Bench, CostSource};
use super::error::Error;
use super::learner::Learner;
use super::parallel::in_parallel;
use super::run::{Run, Spread, Tally};
use crate::bandit::{Policy, Scores, Scratch, floors};
use crate::feature::DIM;
use crate::route;
use crate::unit::Pmf;
use serde::Serialize;
use xxhash_rust::xxh3::xxh3_64;

/// Uniform pulls of every arm before its statistics count: as many as where it serves.
pub const FORCED_PULLS: usize = route::FORCED_PULLS as usize;

/// How a table is played.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Params {
    /// Streams, with seeds 0, 1, ...
    pub seeds: u64,
    /// Exploration floor of policies that learn, of all arms together (`bandit::floors`).
    pub floor: f64,
}

impl Default for Params {
    fn default() -> Self {
        Self {
            seeds: 5,
            floor: 0.02,
        }
    }
}

/// One policy over all seeds.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicyReport {
    /// Its specification.
    pub policy: String,
    /// Reward over the first 1,000 steps.
    pub first_1000: Option<Spread>,
    /// Reward over the first 5,000 steps.
    pub first_5000: Option<Spread>,
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
    /// Score of the static mix of fixed arms at the policy's mean cost.
    pub hull_score: Option<f64>,
    /// Each seed.
    pub runs: Vec<Run>,
}

/// Policies on one table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OutcomesReport {
    /// The table.
    pub table: String,
    /// Prompts played.
    pub prompts: usize,
    /// Prompts left out for want of a score of some arm.
    pub dropped: usize,
    /// Weight of cost.
    pub lambda: f64,
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
    /// What needs no router.
    pub baselines: Baselines,
    /// The policies, in the order asked.
    pub policies: Vec<PolicyReport>,
}

/// Plays every policy on every stream, on as many threads as there are cores.
pub fn outcomes(
    bench: &Bench,
    policies: &[Policy],
    params: &Params,
    watch: &Watch<'_>,
) -> Result<OutcomesReport, Error> {
    check(params)?;
    let jobs: Vec<(usize, u64)> = (0..policies.len())
        .flat_map(|policy| (0..params.seeds).map(move |seed| (policy, seed)))
        .collect();
    let run = |(policy, seed): (usize, u64)| match policies.get(policy) {
        Some(policy) => play(bench, policy, seed, params.floor),
        None => Err(Error::Stopped),
    };
    let mut runs = in_parallel(&jobs, run, watch)?.into_iter();
    let seeds = usize::try_from(params.seeds).unwrap_or(usize::MAX);
    let report = |policy: &Policy| {
        let own: Vec<Run> = runs.by_ref().take(seeds).collect();
        PolicyReport::new(policy, own, bench.baselines().hull.as_ref())
    };
    Ok(OutcomesReport {
        table: bench.name().to_owned(),
        prompts: bench.prompts(),
        dropped: bench.dropped(),
        lambda: bench.lambda(),
        cost_source: bench.cost_source(),
        reference_cost_usd: bench.reference_cost_usd(),
        floor: params.floor,
        task_label: bench.task_label(),
        feature_set: bench.feature_set().to_owned(),
        dim: DIM,
        baselines: bench.baselines().clone(),
        policies: policies.iter().map(report).collect(),
    })
}

impl PolicyReport {
    fn new(policy: &Policy, runs: Vec<Run>, hull: Option<&Hull>) -> Self {
        let over = |value: &dyn Fn(&Run) -> f64| Spread::of(runs.iter().map(value));
        let part = |value: fn(&Run) -> Option<f64>| {
            let found: Option<Vec<f64>> = runs.iter().map(value).collect();
            found.map(|values| Spread::of(values.into_iter()))
        };
        let cost_usd = part(|run| run.cost_usd);
        Self {
            policy: policy.to_string(),
            first_1000: part(|run| run.first_1000),
            first_5000: part(|run| run.first_5000),
            all: over(&|run| run.all),
            last_fifth: over(&|run| run.last_fifth),
            score: over(&|run| run.score),
            cost_usd,
            expected: over(&|run| run.expected),
            hull_score: hull
                .zip(cost_usd)
                .and_then(|(hull, cost)| hull.at(cost.mean)),
            runs,
        }
    }
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

/// One policy on one stream.
fn play(bench: &Bench, policy: &Policy, seed: u64, floor: f64) -> Result<Run, Error> {
    let arms = bench.arms();
    let learns = !matches!(policy, Policy::Fixed { .. } | Policy::Uniform);
    let (forced_pulls, eps) = if learns {
        (FORCED_PULLS, floor)
    } else {
        (0, 0.0)
    };
    let mut learner = Learner::new(arms.len(), bench.lambda(), forced_pulls)?;
    let mut scratch = Scratch::default();
    let (mut utility, mut sd) = (vec![0.0; arms.len()], vec![0.0; arms.len()]);
    let mut tally = Tally::new(bench.prompts());
    for prompt in bench.order(seed) {
        let x = bench.context(prompt);
        if learns {
            learner.score(x, &mut utility, &mut sd)?;
        }
        let floors = floors(eps, &utility);
        let forced = learner.forced();
        let pmf = if forced.is_empty() {
            let scores = Scores {
                utility: &utility,
                sd: &sd,
                samples: learner.samples(),
            };
            policy.pmf(&scores, arms, &floors, &mut scratch)?
        } else {
            uniform_over(&forced, &floors)?
        };
        let chosen = pmf.draw(uniform(seed, bench, prompt));
        tally.add(bench, prompt, chosen, &pmf);
        if learns {
            learner.chose(chosen)?;
            learner.observe(x, chosen, bench.seen(prompt, chosen))?;
        }
    }
    Ok(tally.run(seed))
}

/// Uniform over `forced`, mixed with the floors.
fn uniform_over(forced: &[usize], floors: &[f64]) -> Result<Pmf, Error> {
    let each = (1.0 - floors.iter().sum::<f64>()).max(0.0) / forced.len() as f64;
    let share =
        |(arm, floor): (usize, &f64)| floor + if forced.contains(&arm) { each } else { 0.0 };
    let p = floors.iter().enumerate().map(share).collect();
    Ok(Pmf::new(p).map_err(crate::bandit::ChoiceError::from)?)
}

/// The uniform of one step, the same for every policy.
fn uniform(seed: u64, bench: &Bench, prompt: usize) -> f64 {
    let text = format!("draw|{seed}|{}|{}", bench.name(), bench.id(prompt));
    (xxh3_64(text.as_bytes()) >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::feature::Extractor;
    use crate::replay::Progress;
    use crate::table::{Columns, OutcomeTable};
    use std::fmt::Write;
    use std::ops::ControlFlow;
    use std::path::Path;

    fn go_on(_: Progress) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    /// Two tasks and three arms; which arm is right depends on the task; the dear one is never bad.
    pub(super) fn made(prompts: usize, cost: bool) -> OutcomeTable {
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
        let params = Params::default();
        assert_eq!(
            fails("uniform", Params { seeds: 0, ..params }),
            "seeds is 0: allowed 1 to 1000"
        );
        assert_eq!(
            fails(
                "uniform",
                Params {
                    floor: 2.0,
                    ..params
                }
            ),
            "floor is 2: allowed 0 to 1"
        );
        let error = fails("fixed:arm=z", params);
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
