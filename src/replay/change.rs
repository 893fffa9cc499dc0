//! What a drift changed: where, and the best fixed arm on each side of it.
//!
//! Invariants: fixed arms are judged on the counted steps of the very streams that the policies played,
//! the drop included.
//!
//! Not here: how policies fared (`outcomes`, `recovery`).

use super::drift::Drift;
use super::stream::{Plan, Stream};
use crate::id::Name;
use serde::Serialize;

/// A change within the streams.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ChangeReport {
    /// The drift as it was asked for.
    pub drift: Drift,
    /// Steps of a stream before the change, given-away rows included.
    pub at: usize,
    /// The arm that drops, or joins, if one does.
    pub arm: Option<Name>,
    /// Prompts left out because their id has neither suffix.
    pub left_out: usize,
    /// The best fixed arm before the change, in hindsight. None: nothing counts before it.
    pub best_before: Option<FixedArm>,
    /// The best fixed arm after it, in hindsight.
    pub best_after: Option<FixedArm>,
}

/// What always choosing one arm would have earned.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FixedArm {
    /// The arm; the first of equals.
    pub arm: Name,
    /// Its mean reward over all streams.
    pub reward: f64,
}

impl ChangeReport {
    /// Of the streams with seeds 0, 1, ..., if they change.
    pub(super) fn of(plan: &Plan<'_>, drift: &Drift, seeds: u64) -> Option<Self> {
        let at = plan.change()?;
        let arms = plan.bench().arms().len();
        let (mut before, mut after) = (Sums::new(arms), Sums::new(arms));
        for seed in 0..seeds {
            add(&plan.stream(seed), &mut before, &mut after);
        }
        Some(Self {
            drift: drift.clone(),
            at,
            arm: plan.changed().cloned(),
            left_out: plan.bench().prompts() - plan.len(),
            best_before: before.best(plan.bench().arms()),
            best_after: after.best(plan.bench().arms()),
        })
    }
}

fn add(stream: &Stream<'_>, before: &mut Sums, after: &mut Sums) {
    for step in stream.played() {
        let side = if stream.plan().is_after(step) {
            &mut *after
        } else {
            &mut *before
        };
        side.add(&stream.rewards(step), stream.plan().absent(step));
    }
}

/// Sums of each arm's rewards.
struct Sums {
    rewards: Vec<f64>,
    steps: usize,
}

impl Sums {
    fn new(arms: usize) -> Self {
        Self {
            rewards: vec![0.0; arms],
            steps: 0,
        }
    }

    /// An arm that is not there can earn nothing.
    fn add(&mut self, rewards: &[f64], absent: Option<usize>) {
        self.steps += 1;
        let sums = self.rewards.iter_mut();
        sums.zip(rewards).for_each(|(sum, reward)| *sum += reward);
        if let Some(sum) = absent.and_then(|arm| self.rewards.get_mut(arm)) {
            *sum = f64::NEG_INFINITY;
        }
    }

    fn best(&self, arms: &[Name]) -> Option<FixedArm> {
        let top = self.rewards.iter().copied().max_by(f64::total_cmp)?;
        let place = self.rewards.iter().position(|sum| *sum >= top)?;
        (self.steps > 0).then_some(())?;
        Some(FixedArm {
            arm: arms.get(place)?.clone(),
            reward: top / self.steps as f64,
        })
    }
}
