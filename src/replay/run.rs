//! What one run of a policy over a stream earned, and several runs together.
//!
//! Units: rewards and scores in quality points, cost in USD a prompt.

use super::bench::Bench;
use crate::ope;
use crate::unit::Pmf;
use serde::Serialize;

/// One policy on one stream: means over its steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Run {
    /// Seed of the stream.
    pub seed: u64,
    /// Reward over the first 1,000 steps, where there are as many.
    pub first_1000: Option<f64>,
    /// Reward over the first 5,000 steps, where there are as many.
    pub first_5000: Option<f64>,
    /// Reward over all steps.
    pub all: f64,
    /// Reward over the last fifth of the steps.
    pub last_fifth: f64,
    /// Score over all steps: the reward without its cost part.
    pub score: f64,
    /// Cost over all steps in USD, if there are costs.
    pub cost_usd: Option<f64>,
    /// Reward expected under the pmfs that were drawn from.
    pub expected: f64,
}

/// Mean and standard deviation over seeds.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Spread {
    /// The mean.
    pub mean: f64,
    /// The sample standard deviation; 0 for a single seed.
    pub sd: f64,
}

impl Spread {
    /// Of one value a seed.
    pub(super) fn of(values: impl ExactSizeIterator<Item = f64> + Clone) -> Self {
        let n = values.len() as f64;
        let mean = values.clone().sum::<f64>() / n.max(1.0);
        let squares: f64 = values.map(|v| (v - mean).powi(2)).sum();
        Self {
            mean,
            sd: (squares / (n - 1.0).max(1.0)).sqrt(),
        }
    }
}

/// Sums over the steps of a run.
pub(super) struct Tally {
    steps: usize,
    seen: usize,
    rewards: f64,
    first_1000: Option<f64>,
    first_5000: Option<f64>,
    before_last_fifth: f64,
    scores: f64,
    costs: Option<f64>,
    expected: f64,
}

impl Tally {
    pub(super) fn new(steps: usize) -> Self {
        Self {
            steps,
            seen: 0,
            rewards: 0.0,
            first_1000: None,
            first_5000: None,
            before_last_fifth: 0.0,
            scores: 0.0,
            costs: Some(0.0),
            expected: 0.0,
        }
    }

    fn last_fifth(&self) -> usize {
        (self.steps / 5).max(1)
    }

    pub(super) fn add(&mut self, bench: &Bench, prompt: usize, chosen: usize, pmf: &Pmf) {
        let at = |values: &[f64]| values.get(chosen).copied().unwrap_or(0.0);
        let rewards = bench.rewards(prompt);
        self.seen += 1;
        self.rewards += at(rewards);
        self.scores += at(bench.scores(prompt));
        self.costs = self
            .costs
            .and_then(|sum| Some(sum + at(bench.costs(prompt)?)));
        self.expected += ope::expected(pmf.as_slice(), rewards);
        match self.seen {
            1000 => self.first_1000 = Some(self.rewards / 1000.0),
            5000 => self.first_5000 = Some(self.rewards / 5000.0),
            _ => {}
        }
        if self.seen == self.steps - self.last_fifth() {
            self.before_last_fifth = self.rewards;
        }
    }

    pub(super) fn run(&self, seed: u64) -> Run {
        let n = self.seen.max(1) as f64;
        Run {
            seed,
            first_1000: self.first_1000,
            first_5000: self.first_5000,
            all: self.rewards / n,
            last_fifth: (self.rewards - self.before_last_fifth) / self.last_fifth() as f64,
            score: self.scores / n,
            cost_usd: self.costs.map(|sum| sum / n),
            expected: self.expected / n,
        }
    }
}
