//! Learning curves: reward, spend and share of each arm over consecutive pieces of a stream.
//!
//! Invariants: the pieces cover every counted step once, in order; their lengths differ by at most one,
//! so that the mean over pieces is near the mean over steps. Shares of a piece sum to 1.
//!
//! Not here: steps that are given away: nothing is chosen there.
//!
//! Units: reward in quality points, cost in USD a request, share as a fraction of 1.

use super::run::Spread;
use crate::id::Name;
use serde::Serialize;

/// Pieces of a curve, where a stream has as many counted steps.
pub const PIECES: usize = 50;

/// A policy over consecutive pieces of the stream: means over streams, one entry for each piece.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Curve {
    /// Steps of the stream at each piece's end, given-away rows included.
    pub until: Vec<usize>,
    /// Mean reward in each piece.
    pub reward: Vec<f64>,
    /// Standard deviation of it over streams; 0 for a single one.
    pub reward_sd: Vec<f64>,
    /// Cost of a request from the first counted step to each piece's end; absent where there are no costs.
    pub spent_usd: Option<SpentCurve>,
    /// The arms, in the table's order.
    pub arms: Vec<ArmCurve>,
}

/// Spend over the pieces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SpentCurve {
    /// The mean over streams.
    pub mean: Vec<f64>,
    /// The standard deviation over streams; 0 for a single one.
    pub sd: Vec<f64>,
}

/// One arm over the pieces.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmCurve {
    /// The arm.
    pub arm: Name,
    /// Share of each piece's steps that went to it.
    pub share: Vec<f64>,
}

/// Sums over the pieces of one stream.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    before: usize,
    steps: usize,
    arms: usize,
    seen: usize,
    rewards: Vec<f64>,
    /// Absent once a step had no cost.
    costs: Option<Vec<f64>>,
    /// `[piece * arms + arm]`.
    chosen: Vec<u32>,
}

impl Pieces {
    /// Of `steps` counted steps that follow `before` others.
    pub(super) fn new(before: usize, steps: usize, arms: usize) -> Self {
        let pieces = PIECES.min(steps);
        Self {
            before,
            steps,
            arms,
            seen: 0,
            rewards: vec![0.0; pieces],
            costs: Some(vec![0.0; pieces]),
            chosen: vec![0; pieces * arms],
        }
    }

    /// Counted steps at the end of a piece.
    fn end(&self, piece: usize) -> usize {
        (piece + 1) * self.steps / self.rewards.len().max(1)
    }

    fn len(&self, piece: usize) -> f64 {
        let start = piece.checked_sub(1).map_or(0, |last| self.end(last));
        (self.end(piece) - start) as f64
    }

    /// The next step.
    pub(super) fn add(&mut self, chosen: usize, reward: f64, cost_usd: Option<f64>) {
        // The piece that ends after this step: end(p) > seen.
        let piece = ((self.seen + 1) * self.rewards.len()).div_ceil(self.steps.max(1)) - 1;
        self.seen += 1;
        if let Some(sum) = self.rewards.get_mut(piece) {
            *sum += reward;
        }
        match (cost_usd, &mut self.costs) {
            (Some(cost), Some(costs)) => {
                if let Some(sum) = costs.get_mut(piece) {
                    *sum += cost;
                }
            }
            _ => self.costs = None,
        }
        if let Some(count) = self.chosen.get_mut(piece * self.arms + chosen) {
            *count += 1;
        }
    }
}

impl SpentCurve {
    fn of(streams: &[&Pieces]) -> Option<Self> {
        let so_far = |stream: &&Pieces| {
            let mut sum = 0.0;
            let costs = stream.costs.as_ref()?.iter().enumerate();
            let mean = costs.map(|(piece, cost)| {
                sum += cost;
                sum / stream.end(piece) as f64
            });
            Some(mean.collect::<Vec<f64>>())
        };
        let spent: Vec<Vec<f64>> = streams.iter().map(so_far).collect::<Option<_>>()?;
        let pieces = 0..spent.first()?.len();
        let at =
            |piece: usize| Spread::of(spent.iter().map(|s| s.get(piece).copied().unwrap_or(0.0)));
        let (mean, sd) = pieces
            .map(at)
            .map(|spread| (spread.mean, spread.sd))
            .unzip();
        Some(Self { mean, sd })
    }
}

impl Curve {
    /// Means over streams of equal length.
    pub(super) fn of(streams: &[&Pieces], arms: &[Name]) -> Self {
        let Some(first) = streams.first() else {
            return Self {
                until: Vec::new(),
                reward: Vec::new(),
                reward_sd: Vec::new(),
                spent_usd: None,
                arms: Vec::new(),
            };
        };
        let pieces = 0..first.rewards.len();
        let mean = |value: &dyn Fn(&Pieces, usize) -> f64| -> Vec<f64> {
            let over = |piece| streams.iter().map(|s| value(s, piece)).sum::<f64>();
            let mean = |piece| over(piece) / (streams.len() as f64 * first.len(piece));
            pieces.clone().map(mean).collect()
        };
        let sd = |piece: usize| {
            let reward = |s: &&Pieces| s.rewards.get(piece).map_or(0.0, |sum| *sum);
            Spread::of(streams.iter().map(|s| reward(s) / first.len(piece))).sd
        };
        let share = |index: usize| {
            mean(&|s, piece| f64::from(s.chosen.get(piece * s.arms + index).map_or(0, |n| *n)))
        };
        let arm = |(index, arm): (usize, &Name)| ArmCurve {
            arm: arm.clone(),
            share: share(index),
        };
        Self {
            until: pieces
                .clone()
                .map(|p| first.before + first.end(p))
                .collect(),
            reward: mean(&|s, piece| s.rewards.get(piece).map_or(0.0, |sum| *sum)),
            reward_sd: pieces.clone().map(sd).collect(),
            spent_usd: SpentCurve::of(streams),
            arms: arms.iter().enumerate().map(arm).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The curve of `steps` steps after 10 others; step i earns i and goes to arm i modulo 2.
    fn made(steps: usize) -> Curve {
        let mut pieces = Pieces::new(10, steps, 2);
        (0..steps).for_each(|i| pieces.add(i % 2, i as f64, Some(i as f64)));
        let arms = ["a", "b"].map(|arm| Name::new(arm).unwrap());
        Curve::of(&[&pieces, &pieces.clone()], &arms)
    }

    /// Every piece holds the steps between its ends, no more than one longer than another.
    fn check(steps: usize, pieces: usize) {
        let curve = made(steps);
        assert_eq!(curve.until.len(), pieces);
        assert_eq!(curve.until.last(), Some(&(steps + 10)));
        let mut start = 0;
        let mut lengths = Vec::new();
        for (piece, until) in curve.until.iter().enumerate() {
            let end = until - 10;
            lengths.push(end - start);
            let mean = (start + end - 1) as f64 / 2.0;
            assert!((curve.reward[piece] - mean).abs() < 1e-9, "{steps} {piece}");
            let shares = curve.arms[0].share[piece] + curve.arms[1].share[piece];
            assert!((shares - 1.0).abs() < 1e-12);
            start = end;
        }
        let (short, long) = (lengths.iter().min(), lengths.iter().max());
        assert!(long.unwrap() - short.unwrap() <= 1, "{lengths:?}");
    }

    #[test]
    fn spend_is_so_far_and_streams_spread() {
        let played = |cost: Option<f64>| {
            let mut pieces = Pieces::new(0, 4, 1);
            for (step, reward) in [1.0, 0.0, 1.0, 1.0].into_iter().enumerate() {
                let cost = cost.map(|cost| cost * (step + 1) as f64);
                pieces.add(0, reward * if step == 3 { 0.5 } else { 1.0 }, cost);
            }
            pieces
        };
        let arms = [Name::new("a").unwrap()];
        let curve = Curve::of(&[&played(Some(1.0)), &played(Some(3.0))], &arms);
        let spent = curve.spent_usd.unwrap();
        // 1, 3, 6 and 10 over 1 to 4 steps, once and three times.
        assert_eq!(spent.mean, [2.0, 3.0, 4.0, 5.0]);
        let sd = |apart: f64| (apart * apart / 2.0).sqrt();
        for (found, apart) in spent.sd.iter().zip([2.0, 3.0, 4.0, 5.0]) {
            assert!((found - sd(apart)).abs() < 1e-12, "{found}");
        }
        assert_eq!((curve.reward[3], curve.reward_sd), (0.5, vec![0.0; 4]));
        let mut luckier = Pieces::new(0, 1, 1);
        luckier.add(0, 1.0, Some(0.0));
        let mut dearer = Pieces::new(0, 1, 1);
        dearer.add(0, 0.0, None);
        let curve = Curve::of(&[&luckier, &dearer], &arms);
        assert!((curve.reward_sd[0] - sd(1.0)).abs() < 1e-12);
        assert_eq!(curve.spent_usd, None);
    }

    #[test]
    fn pieces_are_equal_and_hold_every_step_once() {
        check(100, 50);
        check(5989, 50);
        check(99, 50);
        check(51, 50);
        check(7, 7);
        check(1, 1);
    }
}
