//! A running account of one team, for those who watch.
//!
//! Not here: what is said in the end, with intervals (`team`).

use super::play::Played;
use super::watch::TeamMoment;
use crate::replay::Hull;
use crate::scenario::{Request, World};
use std::collections::VecDeque;

/// Fewest requests in a window.
const LEAST_WINDOW: usize = 50;

/// One request, for every arm.
struct Seen {
    arm: usize,
    /// (quality, cost, reward) of each arm.
    arms: Vec<[f64; 3]>,
}

/// The account.
pub(super) struct Tally {
    name: String,
    arms: Vec<String>,
    total: usize,
    done: usize,
    spent_usd: f64,
    /// Sum of rewards of each arm, since the beginning.
    rewards: Vec<f64>,
    window: VecDeque<Seen>,
    longest: usize,
}

impl Tally {
    /// One for each team.
    pub(super) fn of(world: &World) -> Vec<Self> {
        let arms: Vec<String> = world.arms.iter().map(|arm| arm.name.to_string()).collect();
        let team = |(number, team): (usize, &crate::scenario::Team)| {
            let total = world.requests.iter().filter(|r| r.team == number).count();
            Self {
                name: team.name.to_string(),
                arms: arms.clone(),
                total,
                done: 0,
                spent_usd: 0.0,
                rewards: vec![0.0; arms.len()],
                window: VecDeque::new(),
                longest: (total / 10).max(LEAST_WINDOW),
            }
        };
        world.teams.iter().enumerate().map(team).collect()
    }

    pub(super) fn add(&mut self, request: &Request, played: &Played) {
        self.done += 1;
        self.spent_usd += played.cost_usd;
        for (sum, outcome) in self.rewards.iter_mut().zip(&request.outcomes) {
            *sum += outcome.reward;
        }
        let arms = request.outcomes.iter();
        self.window.push_back(Seen {
            arm: played.arm,
            arms: arms.map(|o| [o.quality, o.cost_usd, o.reward]).collect(),
        });
        if self.window.len() > self.longest {
            self.window.pop_front();
        }
    }

    pub(super) fn moment(&self) -> TeamMoment {
        let best = (0..self.arms.len()).max_by(|a, b| {
            let reward = |arm: &usize| self.rewards.get(*arm).copied().unwrap_or(0.0);
            reward(a).total_cmp(&reward(b))
        });
        let best = best.unwrap_or(0);
        let [quality, cost, router] = self.mean(|seen| seen.arms.get(seen.arm).copied());
        let fixed: Vec<[f64; 3]> = (0..self.arms.len())
            .map(|arm| self.mean(|seen| seen.arms.get(arm).copied()))
            .collect();
        let points: Vec<(f64, f64)> = fixed.iter().map(|[q, c, _]| (*c, *q)).collect();
        let share = |arm: usize| {
            let taken = self.window.iter().filter(|seen| seen.arm == arm).count();
            taken as f64 / self.window.len().max(1) as f64
        };
        let shares = self.arms.iter().enumerate();
        TeamMoment {
            name: self.name.clone(),
            done: self.done,
            total: self.total,
            spent_usd: self.spent_usd,
            window: self.window.len(),
            shares: shares.map(|(i, name)| (name.clone(), share(i))).collect(),
            router,
            chance: fixed.iter().map(|[_, _, r]| r).sum::<f64>() / fixed.len().max(1) as f64,
            best: (
                self.arms.get(best).cloned().unwrap_or_default(),
                fixed.get(best).map_or(0.0, |[_, _, reward]| *reward),
            ),
            quality: (quality, Hull::of(&points).at(cost)),
        }
    }

    /// Mean over the window.
    fn mean(&self, of: impl Fn(&Seen) -> Option<[f64; 3]>) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for values in self.window.iter().filter_map(of) {
            sums.iter_mut().zip(values).for_each(|(sum, v)| *sum += v);
        }
        sums.map(|sum| sum / self.window.len().max(1) as f64)
    }
}
