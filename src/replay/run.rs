//! What one run of a policy over a stream earned, and several runs together.
//!
//! Invariants: rows that are given away count nowhere; "first 1,000" starts after them.
//!
//! Units: rewards and scores in quality points, cost in USD a prompt.

use super::curve::Pieces;
use super::joining::Joined;
use super::spend::Bought;
use super::stream::{Step, Stream};
use crate::ope;
use crate::unit::Pmf;
use serde::Serialize;

/// Index in the stream from which `after_1000` counts.
const WARM: usize = 1000;

/// One policy on one stream: means over its counted steps.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Run {
    /// Seed of the stream.
    pub seed: u64,
    /// Reward over the first 1,000 counted steps, where there are as many.
    pub first_1000: Option<f64>,
    /// Reward over the first 5,000 counted steps, where there are as many.
    pub first_5000: Option<f64>,
    /// Reward over the counted steps after the first 1,000 prompts of the stream, where there are any.
    /// The prompts that are given away are among these 1,000: the same steps count however many those
    /// are, up to 1,000.
    pub after_1000: Option<f64>,
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
    /// Reward before the drift's change, if there is one and a counted step before it.
    pub before_change: Option<f64>,
    /// Reward from the drift's change on, likewise.
    pub after_change: Option<f64>,
    /// What became of the arm that joined, if one did.
    pub joined: Option<Joined>,
    /// What the first steps bought under a budget, where there are as many.
    pub first: Option<Bought>,
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

/// A run with what is only looked at over all streams together.
#[derive(Debug)]
pub(super) struct Played {
    pub(super) run: Run,
    pub(super) pieces: Pieces,
    /// The arm chosen at every counted step.
    pub(super) choices: Vec<u32>,
    /// Every counted step's reward, where an arm drops; empty elsewhere.
    pub(super) rewards: Vec<f64>,
}

/// A mean in the making.
#[derive(Debug, Default, Clone, Copy)]
struct Mean {
    sum: f64,
    n: usize,
}

impl Mean {
    fn add(&mut self, value: f64) {
        self.sum += value;
        self.n += 1;
    }

    fn value(self) -> Option<f64> {
        (self.n > 0).then(|| self.sum / self.n as f64)
    }
}

/// Sums over the counted steps of a run.
pub(super) struct Tally<'a> {
    stream: &'a Stream<'a>,
    steps: usize,
    seen: usize,
    rewards: f64,
    first_1000: Option<f64>,
    first_5000: Option<f64>,
    after_1000: Mean,
    before_last_fifth: f64,
    scores: f64,
    costs: Option<f64>,
    expected: f64,
    before_change: Mean,
    after_change: Mean,
    /// Steps after which `first` is taken.
    first_steps: Option<usize>,
    first: Option<Bought>,
    pieces: Pieces,
    choices: Vec<u32>,
    each: Vec<f64>,
    /// Whether each choice since an arm joined was that arm.
    joined: Vec<bool>,
}

impl<'a> Tally<'a> {
    /// `first`: steps after which what was bought until then is noted.
    pub(super) fn new(stream: &'a Stream<'a>, first: Option<usize>) -> Self {
        let plan = stream.plan();
        let steps = plan.len() - plan.seed_rows();
        Self {
            stream,
            steps,
            seen: 0,
            rewards: 0.0,
            first_1000: None,
            first_5000: None,
            after_1000: Mean::default(),
            before_last_fifth: 0.0,
            scores: 0.0,
            costs: Some(0.0),
            expected: 0.0,
            before_change: Mean::default(),
            after_change: Mean::default(),
            first_steps: first,
            first: None,
            pieces: Pieces::new(plan.seed_rows(), steps, plan.bench().arms().len()),
            choices: Vec::with_capacity(steps),
            each: Vec::new(),
            joined: Vec::new(),
        }
    }

    fn last_fifth(&self) -> usize {
        (self.steps / 5).max(1)
    }

    pub(super) fn add(&mut self, step: Step, chosen: usize, pmf: &Pmf) {
        let at = |values: &[f64]| values.get(chosen).copied().unwrap_or(0.0);
        let bench = self.stream.plan().bench();
        let rewards = self.stream.rewards(step);
        let reward = at(&rewards);
        self.seen += 1;
        self.rewards += reward;
        self.scores += self.stream.seen(step, chosen).score;
        let cost = bench.costs(step.prompt).map(at);
        self.costs = self.costs.and_then(|sum| Some(sum + cost?));
        self.expected += ope::expected(pmf.as_slice(), &rewards);
        match self.seen {
            1000 => self.first_1000 = Some(self.rewards / 1000.0),
            5000 => self.first_5000 = Some(self.rewards / 5000.0),
            _ => {}
        }
        if self.first_steps == Some(self.seen) {
            self.first = Bought::of(self.seen, self.scores, self.costs);
        }
        if step.index >= WARM {
            self.after_1000.add(reward);
        }
        if self.seen == self.steps - self.last_fifth() {
            self.before_last_fifth = self.rewards;
        }
        self.around_the_change(step, reward);
        let plan = self.stream.plan();
        if let Some(arm) = plan.joins().filter(|_| plan.is_after(step)) {
            self.joined.push(chosen == arm);
        }
        self.pieces.add(chosen, reward, cost);
        self.choices.push(u32::try_from(chosen).unwrap_or(u32::MAX));
    }

    fn around_the_change(&mut self, step: Step, reward: f64) {
        let plan = self.stream.plan();
        if plan.dropped().is_some() {
            self.each.push(reward);
        }
        if plan.is_after(step) {
            self.after_change.add(reward);
        } else if plan.change().is_some() {
            self.before_change.add(reward);
        }
    }

    pub(super) fn played(self) -> Played {
        let n = self.seen.max(1) as f64;
        let run = Run {
            seed: self.stream.seed(),
            first_1000: self.first_1000,
            first_5000: self.first_5000,
            after_1000: self.after_1000.value(),
            all: self.rewards / n,
            last_fifth: (self.rewards - self.before_last_fifth) / self.last_fifth() as f64,
            score: self.scores / n,
            cost_usd: self.costs.map(|sum| sum / n),
            expected: self.expected / n,
            before_change: self.before_change.value(),
            after_change: self.after_change.value(),
            joined: Joined::of(&self.joined),
            first: self.first,
        };
        Played {
            run,
            pieces: self.pieces,
            choices: self.choices,
            rewards: self.each,
        }
    }
}
