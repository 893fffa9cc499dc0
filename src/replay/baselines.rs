//! What needs no router: fixed arms, chance, hindsight, and mixes of two fixed arms (the honest rival
//! of any claim of a saving).
//!
//! Units: cost in USD a prompt, scores and rewards in quality points.
//!
//! Source: SCIENCE 3.5 (the zero router of `RouterBench`, Hu et al. 2024) and 5.

pub use crate::budget::Hull;
use crate::id::Name;
use serde::Serialize;
use std::collections::BTreeMap;

/// One arm over a whole table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmMean {
    /// The arm.
    pub arm: Name,
    /// Its mean reward.
    pub reward: f64,
    /// Its mean score.
    pub score: f64,
    /// Its mean cost in USD, if there are costs.
    pub cost_usd: Option<f64>,
}

/// Mean rewards over a whole table without a router.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Baselines {
    /// The best fixed arm, in hindsight; the first of equals.
    pub best_single: ArmMean,
    /// Every arm alike.
    pub random: f64,
    /// The best arm of each task, in hindsight.
    pub per_task_best: f64,
    /// The best arm of each prompt: out of reach.
    pub oracle: f64,
    /// The arms, in the table's order.
    pub arms: Vec<ArmMean>,
    /// Static mixes of arms, by (cost, score), if there are costs.
    pub hull: Option<Hull>,
}

impl Baselines {
    /// From `rewards[prompt * arms + arm]`, the arms' means and each prompt's task. Nothing where
    /// there are no arms or no prompts.
    pub(super) fn of(arms: Vec<ArmMean>, rewards: &[f64], tasks: &[Option<Name>]) -> Option<Self> {
        let best = |means: &mut dyn Iterator<Item = f64>| means.fold(f64::NEG_INFINITY, f64::max);
        let prompts = tasks.len() as f64;
        let mut oracle = 0.0;
        let mut by_task: BTreeMap<Option<&Name>, Vec<f64>> = BTreeMap::new();
        for (row, task) in rewards.chunks_exact(arms.len().max(1)).zip(tasks) {
            oracle += best(&mut row.iter().copied());
            let sums = by_task
                .entry(task.as_ref())
                .or_insert_with(|| vec![0.0; arms.len()]);
            sums.iter_mut().zip(row).for_each(|(sum, r)| *sum += r);
        }
        let per_task: f64 = by_task
            .values()
            .map(|sums| best(&mut sums.iter().copied()))
            .sum();
        let points: Option<Vec<(f64, f64)>> = arms
            .iter()
            .map(|arm| arm.cost_usd.map(|cost| (cost, arm.score)))
            .collect();
        let top = best(&mut arms.iter().map(|arm| arm.reward));
        let best_single = arms.iter().find(|arm| arm.reward >= top)?.clone();
        Some(Self {
            best_single,
            random: arms.iter().map(|arm| arm.reward).sum::<f64>() / arms.len() as f64,
            per_task_best: per_task / prompts,
            oracle: oracle / prompts,
            hull: points.map(|points| Hull::of(&points)),
            arms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Bench;
    use crate::table::{Columns, OutcomeTable};
    use std::path::Path;

    /// A public table's baselines, where it is at hand.
    fn shared(table: &str, lambda: f64) -> Option<Baselines> {
        let dir = concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/datasets");
        let file = format!("{dir}/{table}.parquet");
        if !Path::new(&file).exists() {
            println!("skipped: ../shared/datasets/{table}.parquet is absent");
            return None;
        }
        let read = OutcomeTable::read(Path::new(&file), &Columns::default()).unwrap();
        let bench = Bench::rewards_only(&read, lambda).unwrap();
        Some(bench.baselines().clone())
    }

    /// A table's best arm, its mean and the per-task best, then random and oracle, as its card says
    /// to 3 decimals.
    fn check(table: &str, arm: &str, best: [f64; 2], random_and_oracle: Option<[f64; 2]>) {
        let Some(found) = shared(table, 0.0) else {
            return;
        };
        assert_eq!(found.best_single.arm.as_str(), arm);
        let near = |value: f64, expected: f64| {
            assert!(
                (value - expected).abs() <= 0.000_501,
                "{table}: {value} {expected}"
            );
        };
        near(found.best_single.reward, best[0]);
        near(found.per_task_best, best[1]);
        if let Some([random, oracle]) = random_and_oracle {
            near(found.random, random);
            near(found.oracle, oracle);
        }
    }

    /// A table's best single and per-task best at a cost weight, as SCIENCE 5 says to 4 decimals.
    fn check_weighted(table: &str, lambda: f64, best_single: f64, per_task_best: Option<f64>) {
        let Some(found) = shared(table, lambda) else {
            return;
        };
        assert!(
            (found.best_single.reward - best_single).abs() <= 0.000_051,
            "{table} at {lambda}: {found:?}"
        );
        if let Some(expected) = per_task_best {
            assert!(
                (found.per_task_best - expected).abs() <= 0.000_051,
                "{table} at {lambda}: {found:?}"
            );
        }
    }

    #[test]
    fn public_tables_have_the_rewards_of_section_5_at_every_weight_of_cost() {
        check_weighted("llmrouter_mix", 0.0, 0.6197, Some(0.6668));
        check_weighted("llmrouter_mix", 0.1, 0.5375, Some(0.6097));
        check_weighted("llmrouter_mix", 0.3, 0.4930, Some(0.5525));
        check_weighted("routerbench_subset", 0.0, 0.8794, Some(0.8794));
        check_weighted("routerbench_subset", 0.1, 0.7794, None);
        check_weighted("routerbench_subset", 0.3, 0.7533, None);
        check_weighted("paretobandit_k4", 0.0, 0.9344, Some(0.9402));
        check_weighted("paretobandit_k4", 0.1, 0.9216, Some(0.9276));
        check_weighted("paretobandit_k4", 0.3, 0.9149, Some(0.9203));
        check_weighted("routellm_binary", 0.0, 0.8114, Some(0.8169));
        check_weighted("routellm_binary", 0.1, 0.7114, Some(0.7308));
        check_weighted("routellm_binary", 0.3, 0.6754, Some(0.6803));
    }

    #[test]
    fn public_tables_have_the_baselines_of_their_cards() {
        let gemini = "google/gemini-2.5-pro";
        check(
            "paretobandit_k4",
            gemini,
            [0.934, 0.940],
            Some([0.895, 0.972]),
        );
        check(
            "paretobandit_judges",
            gemini,
            [0.935, 0.940],
            Some([0.886, 0.966]),
        );
        // The cards of the next two count 4 arms that the files do not hold.
        check(
            "bfcl_2024_08",
            "claude-3-5-sonnet-20240620",
            [0.905, 0.934],
            None,
        );
        check("bfcl_drift", "gpt-4-0125-preview", [0.916, 0.923], None);
        let nemotron = "llama-3.1-nemotron-51b-instruct";
        check(
            "llmrouter_mix",
            nemotron,
            [0.620, 0.667],
            Some([0.427, 0.798]),
        );
        let gpt4 = "gpt-4-1106-preview";
        check(
            "routellm_binary",
            gpt4,
            [0.811, 0.817],
            Some([0.745, 0.865]),
        );
        check(
            "routerbench_subset",
            gpt4,
            [0.879, 0.879],
            Some([0.678, 0.976]),
        );
    }
}
