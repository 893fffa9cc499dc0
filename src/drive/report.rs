//! What a drive came to, beside what fixed arms, chance and an oracle would have come to on the same
//! prompts.
//!
//! Not here: playing (`player`).

use super::player::Options;
use crate::replay::{Bench, CostSource, Hull};
use serde::Serialize;

/// One prompt as it was played.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// Index of the prompt.
    pub(super) prompt: usize,
    /// Index of the arm the server chose.
    pub(super) arm: usize,
}

/// What a drive came to. Rewards are r = score - lambda cost / c_ref (SCIENCE 5).
#[derive(Debug, Clone, Serialize)]
pub struct Report {
    /// The table.
    pub table: String,
    /// Prompts played.
    pub prompts: usize,
    /// Outcomes sent.
    pub outcomes_sent: usize,
    /// Seed of the order.
    pub seed: u64,
    /// Cost weight.
    pub lambda: f64,
    /// c_ref: the dearest arm's mean cost in USD.
    pub reference_cost_usd: Option<f64>,
    /// Where costs come from.
    pub cost_source: CostSource,
    /// Mean reward over all prompts.
    pub reward: f64,
    /// Mean reward of the first fifth.
    pub first_fifth: f64,
    /// Mean reward of the last fifth.
    pub last_fifth: f64,
    /// Mean score.
    pub score: f64,
    /// Mean cost in USD.
    pub cost_usd: Option<f64>,
    /// The best score of a static mix of two arms at that cost.
    pub hull_score: Option<f64>,
    /// Mean reward of an arm drawn by chance.
    pub random: f64,
    /// Mean reward of the best arm of each prompt: out of reach.
    pub oracle: f64,
    /// The arm whose mean reward is highest, in hindsight.
    pub best_single: Option<Arm>,
    /// Every arm.
    pub arms: Vec<Arm>,
}

/// One arm in a drive.
#[derive(Debug, Clone, Serialize)]
pub struct Arm {
    /// Its name.
    pub arm: String,
    /// Share of the prompts of the first fifth that went to it.
    pub first_share: f64,
    /// Share of the prompts of the last fifth that went to it.
    pub last_share: f64,
    /// Its mean reward, had it taken all.
    pub reward: f64,
    /// Its mean score, had it taken all.
    pub score: f64,
    /// Its mean cost in USD, had it taken all.
    pub cost_usd: Option<f64>,
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> f64 {
    let count = values.len().max(1) as f64;
    values.sum::<f64>() / count
}

fn at(row: &[f64], arm: usize) -> f64 {
    row.get(arm).copied().unwrap_or(f64::NAN)
}

impl Report {
    pub(super) fn new(bench: &Bench, steps: &[Step], sent: usize, options: &Options) -> Self {
        let fifth = steps.len().div_ceil(5);
        let (first, last) = (&steps[..fifth], &steps[steps.len() - fifth..]);
        let reward =
            |steps: &[Step]| mean(steps.iter().map(|s| at(bench.rewards(s.prompt), s.arm)));
        let arm = |index| Arm::new(bench, steps, index, first, last);
        let arms: Vec<Arm> = (0..bench.arms().len()).map(arm).collect();
        let cost_usd = cost(bench, steps, |step| step.arm);
        let points = arms.iter().map(|arm| Some((arm.cost_usd?, arm.score)));
        let hull = points
            .collect::<Option<Vec<_>>>()
            .map(|points| Hull::of(&points));
        let best = arms
            .iter()
            .max_by(|a, b| a.reward.total_cmp(&b.reward))
            .cloned();
        let best_of = |s: &Step| {
            bench
                .rewards(s.prompt)
                .iter()
                .copied()
                .fold(f64::MIN, f64::max)
        };
        Self {
            table: bench.name().to_owned(),
            prompts: steps.len(),
            outcomes_sent: sent,
            seed: options.seed,
            lambda: bench.lambda(),
            reference_cost_usd: bench.reference_cost_usd(),
            cost_source: bench.cost_source(),
            reward: reward(steps),
            first_fifth: reward(first),
            last_fifth: reward(last),
            score: mean(steps.iter().map(|s| at(bench.scores(s.prompt), s.arm))),
            cost_usd,
            hull_score: hull.zip(cost_usd).and_then(|(hull, cost)| hull.at(cost)),
            random: mean(arms.iter().map(|arm| arm.reward)),
            oracle: mean(steps.iter().map(best_of)),
            best_single: best,
            arms,
        }
    }

    /// The report for a person.
    pub fn text(&self) -> String {
        let usd = |cost: Option<f64>| cost.map_or("-".to_owned(), |cost| format!("${cost:.6}"));
        let mut lines = vec![
            format!(
                "{}: {} prompts, {} outcomes sent, seed {}",
                self.table, self.prompts, self.outcomes_sent, self.seed
            ),
            match self.reference_cost_usd {
                Some(cost) if self.lambda > 0.0 => {
                    format!("reward = score - {} x cost / ${cost:.6}", self.lambda)
                }
                _ => "reward = score".to_owned(),
            },
            String::new(),
            format!("{:<34}{:>8}", "mean reward", ""),
            format!(
                "  {:<32}{:>8.4}",
                "the router, first fifth", self.first_fifth
            ),
            format!("  {:<32}{:>8.4}", "the router, last fifth", self.last_fifth),
            format!("  {:<32}{:>8.4}", "the router, all", self.reward),
            format!("  {:<32}{:>8.4}", "an arm by chance", self.random),
            self.best_single.as_ref().map_or(String::new(), |best| {
                let what = "the best fixed arm, in hindsight";
                format!("  {what:<32}{:>8.4}  {}", best.reward, best.arm)
            }),
            format!("  {:<32}{:>8.4}", "an oracle (out of reach)", self.oracle),
            String::new(),
            format!("score {:.4} at {} a prompt", self.score, usd(self.cost_usd)),
        ];
        if let Some(hull) = self.hull_score {
            lines.push(format!(
                "a static mix of two fixed arms at that cost, in hindsight: score {hull:.4}"
            ));
        }
        lines.push(String::new());
        lines.push(format!(
            "{:<34}{:>8}{:>12}{:>12}{:>12}{:>12}",
            "arm", "score", "cost", "reward", "first fifth", "last fifth"
        ));
        for arm in &self.arms {
            lines.push(format!(
                "  {:<32}{:>8.4}{:>12}{:>12.4}{:>11.1}%{:>11.1}%",
                arm.arm,
                arm.score,
                usd(arm.cost_usd),
                arm.reward,
                arm.first_share * 100.0,
                arm.last_share * 100.0
            ));
        }
        lines
            .iter()
            .map(|line| format!("{}\n", line.trim_end()))
            .collect()
    }
}

/// Mean cost of the steps, had each taken the arm that `arm` names; none without costs.
fn cost(bench: &Bench, steps: &[Step], arm: impl Fn(&Step) -> usize) -> Option<f64> {
    let each = |step: &Step| bench.costs(step.prompt).map(|row| at(row, arm(step)));
    let costs: Option<Vec<f64>> = steps.iter().map(each).collect();
    costs.map(|costs| mean(costs.into_iter()))
}

impl Arm {
    fn new(bench: &Bench, steps: &[Step], index: usize, first: &[Step], last: &[Step]) -> Self {
        let share = |part: &[Step]| {
            part.iter().filter(|s| s.arm == index).count() as f64 / part.len().max(1) as f64
        };
        Self {
            arm: bench
                .arms()
                .get(index)
                .map(ToString::to_string)
                .unwrap_or_default(),
            first_share: share(first),
            last_share: share(last),
            reward: mean(steps.iter().map(|s| at(bench.rewards(s.prompt), index))),
            score: mean(steps.iter().map(|s| at(bench.scores(s.prompt), index))),
            cost_usd: cost(bench, steps, |_| index),
        }
    }
}
