//! What policies came to at each prompt, held against what is known of it: every arm's outcome.
//!
//! Invariants: everything is over the counted steps of the very streams that the policies played, so a policy,
//! its rivals and the oracle met the same prompts equally often, and a difference is of like with like. A
//! prompt is one cluster, however many streams met it.
//!
//! The best single arm is that of hindsight, over the whole table: the harder rival, for nobody could have
//! chosen it beforehand. Where rows are given away, the arm that was best on a stream's own is another, which
//! anybody could.
//!
//! An interval says how far other prompts of the kind would have moved the difference, given what was learned
//! in these streams; how far other streams would have is what the spread over seeds says.
//!
//! Not here: the play (`play`), the mathematics (`ope`, `budget`), slices (`slices`), text (`judge_text`).
//!
//! Units: rewards, scores and regret in quality points; cost in USD a request; shares as fractions of 1.
//!
//! Source: SCIENCE 3.1 A, 3.4 (first row) and 3.5.

use super::baselines::Hull;
use super::run::Played;
use super::slices::{Sliced, Slicing};
use super::stream::{Plan, Stream};
use crate::budget::router_arena;
use crate::ope::{Cluster, Paired, bca, paired};
use serde::Serialize;

/// Resamples of an interval.
const DRAWS: usize = 2000;

/// Their seed.
const SEED: u64 = 0;

/// Prompts from which on an interval is resampled; of fewer it is Student's t.
const RESAMPLED: usize = 50;

/// Score, cost in USD and reward, each summed over the steps at one prompt.
pub(super) type Total = Cluster<3>;

/// What full information says of a policy.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Judged {
    /// Mean reward that the best arm of each prompt, out of reach, had more.
    pub regret: f64,
    /// Share of what lies between the best single arm's reward and the oracle's that was gained: 1 is all, below
    /// 0 the best single arm was better. None where nothing lies between.
    pub oracle_gap_closed: Option<f64>,
    /// Score above that of the best static mix of fixed arms at the policy's cost. None without costs, with a
    /// drift, and where no arm is that cheap.
    pub gain_over_hull: Option<f64>,
    /// `RouterArena`'s score, where there are costs.
    pub router_arena: Option<f64>,
    /// Share of the choices that each arm had, in the table's order.
    pub shares: Vec<f64>,
    /// Beside the arm that is best over the whole table, in hindsight.
    pub against_best_single: Option<Versus>,
    /// Beside the arm that was best on each stream's given-away rows, where there are any.
    pub against_seed_rows_best: Option<Versus>,
    /// Beside the incumbent, if one was named.
    pub against_incumbent: Option<Versus>,
    /// The same by task and by length, beside the incumbent, or the best single arm where none was named.
    pub slices: Option<Sliced>,
}

/// A policy less a rival, prompt by prompt.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Versus {
    /// The rival.
    pub rival: String,
    /// Prompts.
    pub prompts: usize,
    /// Score more than the rival's.
    pub score: Paired,
    /// Cost in USD more than the rival's, where there are costs.
    pub cost_usd: Option<Paired>,
    /// Reward more than the rival's.
    pub reward: Paired,
}

/// Which arm a rival has at each step of each stream.
#[derive(Debug, Clone, Copy)]
enum Rival<'a> {
    /// One, always.
    Arm(usize),
    /// One in each stream.
    Each(&'a [usize]),
}

/// What all policies are held against.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    plan: &'a Plan<'a>,
    streams: Vec<Stream<'a>>,
    oracle: f64,
    best_single: Vec<Total>,
    seed_rows_best: Option<Vec<Total>>,
    slicing: Slicing,
}

impl<'a> Judge<'a> {
    /// Of the streams with seeds 0, 1, ...
    pub(super) fn new(plan: &'a Plan<'a>, seeds: u64) -> Self {
        let streams: Vec<Stream<'a>> = (0..seeds).map(|seed| plan.stream(seed)).collect();
        let bench = plan.bench();
        let best = &bench.baselines().best_single.arm;
        let best = bench.arms().iter().position(|arm| arm == best);
        let oracle: f64 = streams.iter().map(oracle).sum();
        let steps = plan.counted() * streams.len();
        let seeded: Vec<usize> = streams.iter().map(best_seeded).collect();
        let best_single = totals(plan, &streams, Rival::Arm(best.unwrap_or(0)));
        let met: Vec<usize> = met(&best_single);
        Self {
            plan,
            oracle: oracle / steps.max(1) as f64,
            seed_rows_best: (plan.seed_rows() > 0)
                .then(|| totals(plan, &streams, Rival::Each(&seeded))),
            best_single,
            slicing: Slicing::of(bench, &met),
            streams,
        }
    }

    /// What a policy came to at each prompt.
    pub(super) fn totals(&self, played: &[Played]) -> Vec<Total> {
        let mut totals = vec![EMPTY; self.plan.bench().prompts()];
        for (stream, played) in self.streams.iter().zip(played) {
            for (step, arm) in stream.played().zip(&played.choices) {
                add(&mut totals, stream, step, *arm as usize);
            }
        }
        totals
    }

    /// What full information says of a policy of these totals; `incumbent` is a rival's name and totals.
    pub(super) fn judge(
        &self,
        own: &[Total],
        played: &[Played],
        incumbent: Option<(&str, &[Total])>,
    ) -> Judged {
        let best = &self.plan.bench().baselines().best_single.arm;
        let best = (best.as_str(), self.best_single.as_slice());
        let seeded = self.seed_rows_best.as_deref();
        let [score, cost, reward] = means(own);
        let cost = Some(cost).filter(|_| self.has_costs());
        let [_, _, single] = means(&self.best_single);
        let gap = self.oracle - single;
        let hull = self.hull().zip(cost).and_then(|(hull, cost)| hull.at(cost));
        let versus = |(rival, other): (&str, &[Total])| self.versus(own, rival, other);
        let against = incumbent.unwrap_or(best);
        Judged {
            regret: self.oracle - reward,
            oracle_gap_closed: (gap > 1e-12).then(|| (reward - single) / gap),
            gain_over_hull: hull.map(|hull| score - hull),
            router_arena: cost.map(|cost| router_arena(score, cost)),
            shares: self.shares(played),
            against_best_single: versus(best),
            against_seed_rows_best: seeded
                .and_then(|other| versus(("best on the rows given away", other))),
            against_incumbent: incumbent.and_then(versus),
            slices: Sliced::of(&self.slicing, own, against, self.has_costs()),
        }
    }

    fn has_costs(&self) -> bool {
        self.plan.bench().costs(0).is_some()
    }

    /// The static mixes, which are of the table as it stands.
    fn hull(&self) -> Option<&Hull> {
        let hull = self.plan.bench().baselines().hull.as_ref();
        hull.filter(|_| self.plan.change().is_none())
    }

    fn shares(&self, played: &[Played]) -> Vec<f64> {
        let mut counts = vec![0_u32; self.plan.bench().arms().len()];
        let choices = played.iter().flat_map(|played| &played.choices);
        for arm in choices {
            if let Some(count) = counts.get_mut(*arm as usize) {
                *count += 1;
            }
        }
        let all = counts.iter().map(|n| f64::from(*n)).sum::<f64>().max(1.0);
        counts.iter().map(|n| f64::from(*n) / all).collect()
    }

    fn versus(&self, own: &[Total], rival: &str, other: &[Total]) -> Option<Versus> {
        let apart = differences(own, other, |_| true);
        let [mut score, mut cost, mut reward] = paired(&apart)?;
        let differ = apart.iter().any(|d| d.sums.iter().any(|sum| *sum != 0.0));
        if apart.len() >= RESAMPLED && differ {
            let ends = bca(&apart, DRAWS, SEED)?;
            for (found, end) in [&mut score, &mut cost, &mut reward].into_iter().zip(ends) {
                (found.lower, found.upper) = end;
            }
        }
        Some(Versus {
            rival: rival.to_owned(),
            prompts: apart.len(),
            score,
            cost_usd: Some(cost).filter(|_| self.has_costs()),
            reward,
        })
    }
}

/// Nothing met.
const EMPTY: Total = Cluster {
    count: 0.0,
    sums: [0.0; 3],
};

fn add(totals: &mut [Total], stream: &Stream<'_>, step: super::stream::Step, arm: usize) {
    let Some(total) = totals.get_mut(step.prompt) else {
        return;
    };
    let score = stream.seen(step, arm).score;
    let cost = stream.cost_usd(step, arm).unwrap_or(0.0);
    let reward = stream.rewards(step).get(arm).copied().unwrap_or(0.0);
    total.count += 1.0;
    let sums = total.sums.iter_mut();
    sums.zip([score, cost, reward])
        .for_each(|(sum, value)| *sum += value);
}

fn totals(plan: &Plan<'_>, streams: &[Stream<'_>], rival: Rival<'_>) -> Vec<Total> {
    let mut totals = vec![EMPTY; plan.bench().prompts()];
    for (at, stream) in streams.iter().enumerate() {
        let arm = match rival {
            Rival::Arm(arm) => arm,
            Rival::Each(arms) => arms.get(at).copied().unwrap_or(0),
        };
        for step in stream.played() {
            add(&mut totals, stream, step, arm);
        }
    }
    totals
}

/// The prompts that were met at all, of a stream that a drift leaves some out of.
fn met(totals: &[Total]) -> Vec<usize> {
    let all = totals.iter().enumerate();
    all.filter(|(_, total)| total.count > 0.0)
        .map(|(prompt, _)| prompt)
        .collect()
}

/// The sum over a stream's steps of the best reward of an arm that is there.
fn oracle(stream: &Stream<'_>) -> f64 {
    let best = |step| {
        let absent = stream.plan().absent(step);
        let rewards = stream.rewards(step);
        let there = rewards
            .iter()
            .enumerate()
            .filter(|(arm, _)| Some(*arm) != absent);
        there
            .map(|(_, reward)| *reward)
            .fold(f64::NEG_INFINITY, f64::max)
    };
    stream.played().map(best).sum()
}

/// The arm with the most reward on the rows given away; the first of equals.
fn best_seeded(stream: &Stream<'_>) -> usize {
    let mut sums = vec![0.0; stream.plan().bench().arms().len()];
    for step in stream.seeded() {
        let rewards = stream.rewards(step);
        sums.iter_mut()
            .zip(rewards.iter())
            .for_each(|(sum, r)| *sum += r);
    }
    let top = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    sums.iter().position(|sum| *sum >= top).unwrap_or(0)
}

/// Means over all steps.
pub(super) fn means(totals: &[Total]) -> [f64; 3] {
    let mut all = EMPTY;
    for total in totals {
        all.count += total.count;
        all.sums
            .iter_mut()
            .zip(total.sums)
            .for_each(|(sum, s)| *sum += s);
    }
    all.sums.map(|sum| sum / all.count.max(1.0))
}

/// One less another at each of some prompts that were met.
pub(super) fn differences(
    own: &[Total],
    other: &[Total],
    of: impl Fn(usize) -> bool,
) -> Vec<Total> {
    let mut apart = Vec::new();
    for (prompt, (a, b)) in own.iter().zip(other).enumerate() {
        if a.count > 0.0 && of(prompt) {
            let mut total = *a;
            total.sums.iter_mut().zip(b.sums).for_each(|(a, b)| *a -= b);
            apart.push(total);
        }
    }
    apart
}

#[cfg(test)]
mod tests;
