//! Streams of a table: which prompt comes when, what is given away, what changes, what is seen and when.
//!
//! Invariants: everything here depends on the seed, the table and the prompt alone, so every policy meets
//! the same stream, the same luck and the same losses. Without options it is the plain stream of
//! SCIENCE 5. A step is counted by its index in the stream, with the rows that are given away.
//!
//! An outcome is score and cost together: it comes late, or never, as one.
//!
//! Not here: the choice (`play`), how a drift is written (`drift`).
//!
//! Units: rewards and scores in quality points, delays in steps, shares as fractions of 1.

use super::bench::Bench;
use super::drift::Drift;
use super::error::Error;
use super::learner::Seen;
use crate::id::Name;
use rand::{SeedableRng, rngs::SmallRng};
use serde::Serialize;
use std::borrow::Cow;
use xxhash_rust::xxh3::xxh3_64;

/// The longest delay, in steps.
const MAX_DELAY: usize = 1_000_000;

/// What is done to a stream. By default nothing: no rows given away, every outcome at once, no drift.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct StreamParams {
    /// Prompts at the start that are given away: every arm's outcome teaches, nothing is chosen or
    /// counted. 0 to one less than a stream has prompts.
    pub seed_rows: usize,
    /// Steps after its choice at which an outcome is learned: with N, N more choices are made without
    /// it. 0 to 1,000,000.
    pub delay: usize,
    /// Share of the outcomes that never come, 0 to 0.99.
    pub missing: f64,
    /// A change of the world.
    pub drift: Option<Drift>,
}

impl StreamParams {
    fn check(&self) -> Result<(), Error> {
        let refuse = |field, value, allowed| {
            Err(Error::Setting {
                field,
                value,
                allowed,
            })
        };
        if self.delay > MAX_DELAY {
            return refuse("delay", self.delay as f64, "0 to 1000000");
        }
        if !(0.0..=0.99).contains(&self.missing) {
            return refuse("missing", self.missing, "0 to 0.99");
        }
        Ok(())
    }
}

/// What all streams of a table have in common: the options, held against the table.
#[derive(Debug)]
pub(super) struct Plan<'a> {
    bench: &'a Bench,
    params: &'a StreamParams,
    /// Prompts that come early, and those that come late; the rest is left out.
    parts: Option<[Vec<usize>; 2]>,
    len: usize,
    change: Option<usize>,
    dropped: Option<Dropped>,
    /// The arm that is not there before the change.
    joins: Option<usize>,
}

/// An arm that gets worse.
#[derive(Debug, Clone, Copy)]
struct Dropped {
    arm: usize,
    factor: f64,
}

impl<'a> Plan<'a> {
    /// Holds the options against the table.
    pub(super) fn new(bench: &'a Bench, params: &'a StreamParams) -> Result<Self, Error> {
        params.check()?;
        let mut plan = Self {
            bench,
            params,
            parts: None,
            len: bench.prompts(),
            change: None,
            dropped: None,
            joins: None,
        };
        match &params.drift {
            None => {}
            Some(Drift::Drop { factor, share, arm }) => {
                let arm = place(bench, arm.as_ref())?;
                plan.dropped = Some(Dropped {
                    arm,
                    factor: *factor,
                });
                plan.change = Some((share * plan.len as f64).floor() as usize);
            }
            Some(Drift::Join { share, arm }) => {
                plan.joins = Some(place(bench, Some(arm))?);
                plan.change = Some((share * plan.len as f64).floor() as usize);
            }
            Some(Drift::Suffix { first, second }) => {
                let parts = [ending(bench, first)?, ending(bench, second)?];
                plan.len = parts.iter().map(Vec::len).sum();
                plan.change = parts.first().map(Vec::len);
                plan.parts = Some(parts);
            }
        }
        if params.seed_rows >= plan.len {
            return Err(Error::SeedRows {
                value: params.seed_rows,
                most: plan.len.saturating_sub(1),
            });
        }
        Ok(plan)
    }

    /// The stream with seed `seed`.
    pub(super) fn stream(&self, seed: u64) -> Stream<'_> {
        let mut order = self.bench.order(seed);
        if let Some([first, second]) = &self.parts {
            // Both parts are in ascending order of prompt.
            let within = |part: &[usize]| -> Vec<usize> {
                let in_part = |prompt: &&usize| part.binary_search(prompt).is_ok();
                order.iter().filter(in_part).copied().collect()
            };
            order = [within(first), within(second)].concat();
        }
        Stream {
            plan: self,
            seed,
            order,
        }
    }

    /// The table.
    pub(super) fn bench(&self) -> &'a Bench {
        self.bench
    }

    /// Prompts of a stream.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Steps that count: those of a stream without the rows that are given away.
    pub(super) fn counted(&self) -> usize {
        self.len - self.seed_rows()
    }

    /// Prompts that are given away.
    pub(super) fn seed_rows(&self) -> usize {
        self.params.seed_rows
    }

    /// Steps after its choice at which an outcome is learned.
    pub(super) fn delay(&self) -> usize {
        self.params.delay
    }

    /// Index of the first step after the change.
    pub(super) fn change(&self) -> Option<usize> {
        self.change
    }

    /// The arm that gets worse at the change, if one does.
    pub(super) fn dropped(&self) -> Option<&'a Name> {
        self.bench.arms().get(self.dropped?.arm)
    }

    /// The arm that joins at the change, if one does.
    pub(super) fn joins(&self) -> Option<usize> {
        self.joins
    }

    /// The arm that is not there yet at a step.
    pub(super) fn absent(&self, step: Step) -> Option<usize> {
        self.joins.filter(|_| !self.is_after(step))
    }

    /// The arm that the change is of, if it is of one.
    pub(super) fn changed(&self) -> Option<&'a Name> {
        let joins = self.joins.and_then(|arm| self.bench.arms().get(arm));
        joins.or(self.dropped())
    }

    /// Whether a step comes after the change.
    pub(super) fn is_after(&self, step: Step) -> bool {
        self.change.is_some_and(|change| step.index >= change)
    }
}

/// The place of an arm, or of the best single one.
fn place(bench: &Bench, arm: Option<&Name>) -> Result<usize, Error> {
    let arm = arm.unwrap_or(&bench.baselines().best_single.arm);
    let found = bench.arms().iter().position(|other| other == arm);
    found.ok_or_else(|| Error::DriftArm {
        arm: arm.clone(),
        allowed: bench.arms().to_vec(),
    })
}

/// The prompts whose id ends with `suffix`.
fn ending(bench: &Bench, suffix: &str) -> Result<Vec<usize>, Error> {
    let ends = |prompt: &usize| bench.id(*prompt).ends_with(suffix);
    let found: Vec<usize> = (0..bench.prompts()).filter(ends).collect();
    if found.is_empty() {
        return Err(Error::Suffix(suffix.to_owned()));
    }
    Ok(found)
}

/// One step of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step {
    /// Steps of the stream before it, given-away rows included.
    pub(super) index: usize,
    /// The prompt.
    pub(super) prompt: usize,
}

/// One stream.
#[derive(Debug)]
pub(super) struct Stream<'a> {
    plan: &'a Plan<'a>,
    seed: u64,
    order: Vec<usize>,
}

impl Stream<'_> {
    /// What it has in common with the others.
    pub(super) fn plan(&self) -> &Plan<'_> {
        self.plan
    }

    /// Its seed.
    pub(super) fn seed(&self) -> u64 {
        self.seed
    }

    fn steps(&self) -> impl Iterator<Item = Step> + '_ {
        let steps = self.order.iter().enumerate();
        steps.map(|(index, prompt)| Step {
            index,
            prompt: *prompt,
        })
    }

    /// The steps that are given away.
    pub(super) fn seeded(&self) -> impl Iterator<Item = Step> + '_ {
        self.steps().take(self.plan.seed_rows())
    }

    /// The steps that are played.
    pub(super) fn played(&self) -> impl Iterator<Item = Step> + '_ {
        self.steps().skip(self.plan.seed_rows())
    }

    /// What an arm has lost in score at a step, to a drift.
    fn loss(&self, step: Step, arm: usize) -> f64 {
        let dropped = self.plan.dropped.filter(|_| self.plan.is_after(step));
        match dropped.filter(|dropped| dropped.arm == arm) {
            Some(dropped) => {
                let scores = self.plan.bench.scores(step.prompt);
                (1.0 - dropped.factor) * scores.get(arm).copied().unwrap_or(0.0)
            }
            None => 0.0,
        }
    }

    /// Rewards of a step, one for each arm.
    pub(super) fn rewards(&self, step: Step) -> Cow<'_, [f64]> {
        let rewards = self.plan.bench.rewards(step.prompt);
        let Some(dropped) = self.plan.dropped.filter(|_| self.plan.is_after(step)) else {
            return Cow::Borrowed(rewards);
        };
        let mut rewards = rewards.to_vec();
        if let Some(reward) = rewards.get_mut(dropped.arm) {
            *reward -= self.loss(step, dropped.arm);
        }
        Cow::Owned(rewards)
    }

    /// What a step teaches of an arm.
    pub(super) fn seen(&self, step: Step, arm: usize) -> Seen {
        let seen = self.plan.bench.seen(step.prompt, arm);
        Seen {
            score: seen.score - self.loss(step, arm),
            ..seen
        }
    }

    /// Whether a step's outcome ever comes.
    pub(super) fn arrives(&self, step: Step) -> bool {
        self.uniform("missing", step) >= self.plan.params.missing
    }

    /// The uniform that a step is drawn with.
    pub(super) fn draw(&self, step: Step) -> f64 {
        self.uniform("draw", step)
    }

    /// The uniform that a step's price is drawn with, under a budget.
    pub(super) fn price_draw(&self, step: Step) -> f64 {
        self.uniform("price", step)
    }

    /// What a step's offers are drawn with, under a budget.
    pub(super) fn offer_rng(&self, step: Step) -> SmallRng {
        SmallRng::seed_from_u64(self.hash("offers", step))
    }

    /// What a step costs with an arm, in USD; nothing where the table has no costs.
    pub(super) fn cost_usd(&self, step: Step, arm: usize) -> Option<f64> {
        self.plan.bench.costs(step.prompt)?.get(arm).copied()
    }

    /// A uniform in [0, 1) for one use, the same for every policy.
    fn uniform(&self, used_for: &str, step: Step) -> f64 {
        (self.hash(used_for, step) >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn hash(&self, used_for: &str, step: Step) -> u64 {
        let (bench, seed) = (self.plan.bench, self.seed);
        let text = format!(
            "{used_for}|{seed}|{}|{}",
            bench.name(),
            bench.id(step.prompt)
        );
        xxh3_64(text.as_bytes())
    }
}

#[cfg(test)]
mod tests;
