//! An outcome table made ready to be played: rewards, costs, contexts, and the order of each stream.
//!
//! Invariants: reward r = score - lambda x cost / c_ref, with c_ref the highest mean cost of an arm
//! over the prompts kept; contexts are made once and shared by every run.
//!
//! Shapes: `[prompt * arms + arm]`.
//!
//! Source: SCIENCE 5.

use super::baselines::{ArmMean, Baselines};
use super::error::Error;
use super::learner::Seen;
use super::prices::assumed_cost_usd;
use crate::feature::{DIM, Extractor, Request};
use crate::id::Name;
use crate::table::{LeftOut, OutcomeTable, Prompt};
use serde::Serialize;
use sha2::{Digest, Sha256};

/// Where costs come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum CostSource {
    /// The table.
    Recorded,
    /// Assumed list prices: no measurement.
    Assumed,
    /// There are none.
    Absent,
}

/// A table ready to be played.
#[derive(Debug)]
pub struct Bench {
    name: String,
    dropped: usize,
    left_out: Vec<LeftOut>,
    arms: Vec<Name>,
    ids: Vec<String>,
    tasks: Vec<Option<Name>>,
    /// Characters of each text.
    lengths: Vec<Option<usize>>,
    lambda: f64,
    cost_source: CostSource,
    reference_cost_usd: Option<f64>,
    task_label: bool,
    feature_set: String,
    scores: Vec<f64>,
    costs: Option<Vec<f64>>,
    rewards: Vec<f64>,
    contexts: Vec<[f32; DIM]>,
    baselines: Baselines,
}

impl Bench {
    /// Makes `table` ready, with cost weight `lambda`. The task is part of the context if
    /// `task_label`.
    pub fn new(
        table: &OutcomeTable,
        lambda: f64,
        extractor: &Extractor,
        task_label: bool,
    ) -> Result<Self, Error> {
        let mut bench = Self::rewards_only(table, lambda)?;
        bench.task_label = task_label;
        bench.feature_set = extractor.feature_set().to_owned();
        bench.contexts.reserve_exact(table.prompts.len());
        for prompt in &table.prompts {
            let mut context = [0.0; DIM];
            let text = prompt.text.as_deref().unwrap_or_default();
            let request = Request {
                task: prompt
                    .task
                    .as_ref()
                    .map(Name::as_str)
                    .filter(|_| task_label),
                last_user: &[text],
                ..Request::default()
            };
            extractor
                .extract(&request, &mut context)
                .map_err(|source| Error::Feature {
                    prompt: prompt.id.clone(),
                    source,
                })?;
            bench.contexts.push(context);
        }
        Ok(bench)
    }

    /// As [`Bench::new`] without contexts: for baselines, which look at none.
    pub fn rewards_only(table: &OutcomeTable, lambda: f64) -> Result<Self, Error> {
        if !(lambda.is_finite() && lambda >= 0.0) {
            return Err(Error::Setting {
                field: "lambda",
                value: lambda,
                allowed: "finite and at least 0",
            });
        }
        let arms = table.arms.len();
        let cells = (0..table.prompts.len()).flat_map(|prompt| table.cells(prompt));
        let scores: Vec<f64> = cells.map(|cell| cell.score).collect();
        let (costs, cost_source) = costs(table, lambda)?;
        let cost_means = costs.as_ref().map(|costs| column_means(costs, arms));
        let reference_cost_usd = cost_means
            .as_ref()
            .map(|means| means.iter().copied().fold(0.0, f64::max));
        let rewards = match (&costs, reference_cost_usd) {
            (Some(costs), Some(reference)) if lambda > 0.0 && reference > 0.0 => scores
                .iter()
                .zip(costs)
                .map(|(score, cost)| score - lambda * cost / reference)
                .collect(),
            _ => scores.clone(),
        };
        let (score_means, reward_means) =
            (column_means(&scores, arms), column_means(&rewards, arms));
        let mean = |(index, arm): (usize, &Name)| {
            Some(ArmMean {
                arm: arm.clone(),
                reward: *reward_means.get(index)?,
                score: *score_means.get(index)?,
                cost_usd: cost_means.as_ref().and_then(|m| m.get(index).copied()),
            })
        };
        let means: Vec<ArmMean> = table.arms.iter().enumerate().filter_map(mean).collect();
        let tasks: Vec<Option<Name>> = table.prompts.iter().map(|p| p.task.clone()).collect();
        let baselines = Baselines::of(means, &rewards, &tasks).ok_or_else(no_prompts)?;
        Ok(Self {
            name: table.name.clone(),
            dropped: table.dropped,
            left_out: table.left_out.clone(),
            arms: table.arms.clone(),
            lengths: table.prompts.iter().map(length).collect(),
            tasks,
            ids: table.prompts.iter().map(|p| p.id.clone()).collect(),
            lambda,
            cost_source,
            reference_cost_usd,
            task_label: false,
            feature_set: String::new(),
            scores,
            costs,
            rewards,
            contexts: Vec::new(),
            baselines,
        })
    }

    /// The order of the stream with seed `seed`: prompts by sha256 of "{seed}|{table}|{prompt_id}".
    pub fn order(&self, seed: u64) -> Vec<usize> {
        // Digests compare as their lower-case hex does.
        let mut keyed: Vec<([u8; 32], usize)> = self
            .ids
            .iter()
            .enumerate()
            .map(|(index, id)| {
                let text = format!("{seed}|{}|{id}", self.name);
                (Sha256::digest(text.as_bytes()).into(), index)
            })
            .collect();
        keyed.sort_unstable();
        keyed.into_iter().map(|(_, index)| index).collect()
    }

    /// What needs no router.
    pub fn baselines(&self) -> &Baselines {
        &self.baselines
    }

    /// The table's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Prompts left out of the table for want of a score.
    pub fn dropped(&self) -> usize {
        self.dropped
    }

    /// Arms left out of the table.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The arms, by name.
    pub fn arms(&self) -> &[Name] {
        &self.arms
    }

    /// Number of prompts.
    pub fn prompts(&self) -> usize {
        self.ids.len()
    }

    /// Weight of cost in the reward.
    pub fn lambda(&self) -> f64 {
        self.lambda
    }

    /// Where costs come from.
    pub fn cost_source(&self) -> CostSource {
        self.cost_source
    }

    /// c_ref: the highest mean cost of an arm, in USD.
    pub fn reference_cost_usd(&self) -> Option<f64> {
        self.reference_cost_usd
    }

    /// Whether the task is part of the context.
    pub fn task_label(&self) -> bool {
        self.task_label
    }

    /// What made the contexts.
    pub fn feature_set(&self) -> &str {
        &self.feature_set
    }

    pub(super) fn id(&self, prompt: usize) -> &str {
        self.ids.get(prompt).map_or("", String::as_str)
    }

    /// A prompt's task, if it has one.
    pub(super) fn task(&self, prompt: usize) -> Option<&Name> {
        self.tasks.get(prompt)?.as_ref()
    }

    /// Characters of a prompt's text, if it has one.
    pub(super) fn length(&self, prompt: usize) -> Option<usize> {
        *self.lengths.get(prompt)?
    }

    pub(super) fn context(&self, prompt: usize) -> &[f32] {
        self.contexts.get(prompt).map_or(&[], |x| x.as_slice())
    }

    /// Rewards of a prompt, one for each arm.
    pub fn rewards(&self, prompt: usize) -> &[f64] {
        self.row(&self.rewards, prompt)
    }

    /// Scores of a prompt, one for each arm.
    pub fn scores(&self, prompt: usize) -> &[f64] {
        self.row(&self.scores, prompt)
    }

    /// Costs of a prompt in USD, one for each arm, if there are any.
    pub fn costs(&self, prompt: usize) -> Option<&[f64]> {
        self.costs.as_ref().map(|costs| self.row(costs, prompt))
    }

    /// What a step teaches.
    pub(super) fn seen(&self, prompt: usize, arm: usize) -> Seen {
        let of = |row: &[f64]| row.get(arm).copied().unwrap_or(0.0);
        let reference = self.reference_cost_usd.filter(|usd| *usd > 0.0);
        Seen {
            score: of(self.scores(prompt)),
            cost: match (self.costs(prompt), reference) {
                (Some(costs), Some(reference)) => of(costs) / reference,
                _ => 0.0,
            },
        }
    }

    fn row<'a>(&self, values: &'a [f64], prompt: usize) -> &'a [f64] {
        let arms = self.arms.len();
        values
            .get(prompt * arms..(prompt + 1) * arms)
            .unwrap_or_default()
    }
}

/// Why an empty table is none.
fn no_prompts() -> Error {
    Error::Setting {
        field: "prompts",
        value: 0.0,
        allowed: "at least 1",
    }
}

/// Characters of a prompt's text.
fn length(prompt: &Prompt) -> Option<usize> {
    Some(prompt.text.as_ref()?.chars().count())
}

/// Mean of each arm's column.
fn column_means(values: &[f64], arms: usize) -> Vec<f64> {
    let mut sums = vec![0.0; arms];
    for row in values.chunks_exact(arms.max(1)) {
        sums.iter_mut().zip(row).for_each(|(sum, v)| *sum += v);
    }
    let rows = (values.len() / arms.max(1)).max(1) as f64;
    sums.iter().map(|sum| sum / rows).collect()
}

/// Every cell's cost: the table's own, else assumed, else none, which only lambda 0 allows.
fn costs(table: &OutcomeTable, lambda: f64) -> Result<(Option<Vec<f64>>, CostSource), Error> {
    let recorded = table.has_cost();
    let mut costs = Vec::with_capacity(table.prompts.len() * table.arms.len());
    for (index, prompt) in table.prompts.iter().enumerate() {
        for (arm, cell) in table.arms.iter().zip(table.cells(index)) {
            let assumed = || assumed_cost_usd(arm.as_str(), prompt.text.as_deref()?);
            let cost = if recorded { cell.cost_usd } else { assumed() };
            match cost {
                Some(cost) => costs.push(cost),
                None if lambda > 0.0 => {
                    return Err(Error::NoCost {
                        lambda,
                        arm: arm.clone(),
                        prompt: prompt.id.clone(),
                    });
                }
                None => return Ok((None, CostSource::Absent)),
            }
        }
    }
    let source = if recorded {
        CostSource::Recorded
    } else {
        CostSource::Assumed
    };
    Ok((Some(costs), source))
}
