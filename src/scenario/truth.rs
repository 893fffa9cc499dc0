//! What is true of a world: the figures that only its maker knows.

use super::world::{Request, World};
use crate::id::Name;

/// A part of a team's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The team, by position in [`World::teams`].
    pub team: usize,
    /// One task only.
    pub task: Option<&'a Name>,
    /// Only before (`false`) or only after (`true`) the change.
    pub after: Option<bool>,
}

impl World {
    /// The requests of a part, in order of time.
    pub fn part<'a>(&'a self, part: Part<'a>) -> impl Iterator<Item = &'a Request> {
        self.requests.iter().filter(move |request| {
            request.team == part.team
                && part.task.is_none_or(|task| *task == request.task)
                && part
                    .after
                    .is_none_or(|after| after == (request.at >= self.change.at))
        })
    }

    /// Each arm's mean expected reward, had it taken all of a part's requests. Zeros where there are
    /// none.
    pub fn mean_rewards(&self, part: Part<'_>) -> Vec<f64> {
        let mut sums = vec![0.0; self.arms.len()];
        let mut count = 0.0_f64;
        for request in self.part(part) {
            count += 1.0;
            for (sum, outcome) in sums.iter_mut().zip(&request.outcomes) {
                *sum += outcome.expected_reward;
            }
        }
        sums.iter().map(|sum| sum / count.max(1.0)).collect()
    }
}
