//! Learning curves: reward and share of each arm over consecutive pieces of a stream.
//!
//! Invariants: the pieces cover every counted step once, in order; their lengths differ by at most one,
//! so that the mean over pieces is near the mean over steps. Shares of a piece sum to 1.
//!
//! Not here: steps that are given away: nothing is chosen there.
//!
//! Units: reward in quality points, share as a fraction of 1.

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
    /// The arms, in the table's order.
    pub arms: Vec<ArmCurve>,
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
    pub(super) fn add(&mut self, chosen: usize, reward: f64) {
        // The piece that ends after this step: end(p) > seen.
        let piece = ((self.seen + 1) * self.rewards.len()).div_ceil(self.steps.max(1)) - 1;
        self.seen += 1;
        if let Some(sum) = self.rewards.get_mut(piece) {
            *sum += reward;
        }
        if let Some(count) = self.chosen.get_mut(piece * self.arms + chosen) {
            *count += 1;
        }
    }
}

impl Curve {
    /// Means over streams of equal length.
    pub(super) fn of(streams: &[&Pieces], arms: &[Name]) -> Self {
        let Some(first) = streams.first() else {
            return Self {
                until: Vec::new(),
                reward: Vec::new(),
                arms: Vec::new(),
            };
        };
        let pieces = 0..first.rewards.len();
        let mean = |value: &dyn Fn(&Pieces, usize) -> f64| -> Vec<f64> {
            let over = |piece| streams.iter().map(|s| value(s, piece)).sum::<f64>();
            let mean = |piece| over(piece) / (streams.len() as f64 * first.len(piece));
            pieces.clone().map(mean).collect()
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
        (0..steps).for_each(|i| pieces.add(i % 2, i as f64));
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
    fn pieces_are_equal_and_hold_every_step_once() {
        check(100, 50);
        check(5989, 50);
        check(99, 50);
        check(51, 50);
        check(7, 7);
        check(1, 1);
    }
}
