//! From what happened, and from the odds of it, to quality and reward by a team's own scorecard.
//!
//! Expected reward is exact, not sampled. Given that the gates hold, quality is linear in the signals,
//! so their means are enough; the gates' own odds multiply it; cost is linear in tokens; and lateness
//! has a closed form because times are spread evenly: for L over (a, b) and a target T within,
//! E max(0, L - T) = (b - T)^2 / 2 (b - a).
//!
//! Not here: the odds (`catalogue`), how dice become signals (`coding`, `support`).

use super::error::Error;
use super::fate::Fate;
use crate::config;
use crate::scorecard::{Kind, Scorecard};
use std::path::Path;

/// A team's scorecard, ready to judge.
pub(super) struct Judge(Scorecard);

impl Judge {
    /// Reads a shipped scorecard.
    pub(super) fn new(file: &str, text: &str) -> Result<Self, Error> {
        config::read_scorecard(Path::new(file), text)
            .map(Self)
            .map_err(|problems| Error::Scorecard(config::render(&problems)))
    }

    fn index(&self, signal: &str) -> Result<usize, Error> {
        self.0
            .signal(signal)
            .ok_or_else(|| Error::Signal(signal.to_owned()))
    }

    /// Quality of what truly happened, everything known.
    pub(super) fn quality(&self, fate: &Fate) -> Result<f64, Error> {
        let mut values: Vec<Option<f64>> = self.0.signals().iter().map(|_| None).collect();
        for (signal, value) in &fate.truth {
            let index = self.index(signal)?;
            values[index] = self.0.normalise(index, value)?;
        }
        Ok(self.0.score(&values).quality.unwrap_or(0.0))
    }

    /// What cost and time take off.
    pub(super) fn price(&self, cost_usd: f64, latency_ms: f64) -> f64 {
        self.0.price(cost_usd, Some(latency_ms))
    }

    /// Mean of quality less price over the dice; the time is spread evenly over 0.5 to 1.5 of
    /// `latency_ms`.
    pub(super) fn expected_reward(
        &self,
        fate: &Fate,
        cost_usd: f64,
        latency_ms: f64,
    ) -> Result<f64, Error> {
        let mut targets = vec![0.0; self.0.signals().len()];
        for (signal, mean) in &fate.means {
            let index = self.index(signal)?;
            targets[index] = match self.0.signals()[index].kind {
                Kind::Flag { good: true } => *mean,
                Kind::Flag { good: false } => 1.0 - mean,
                Kind::Number { worst, best } => (mean - worst) / (best - worst),
            };
        }
        let late = self.expected_lateness(0.5 * latency_ms, 1.5 * latency_ms);
        let weight = self.0.definition().latency_weight;
        Ok(self.0.utility(&targets, cost_usd, None) - weight * late)
    }

    /// Mean of max(0, L - target) / target for L spread evenly over (least, most).
    fn expected_lateness(&self, least: f64, most: f64) -> f64 {
        let Some(target) = self.0.definition().latency_target_ms else {
            return 0.0;
        };
        let from = least.max(target);
        if most <= from {
            return 0.0;
        }
        let share = (most - from) / (most - least);
        share * ((from + most) / 2.0 - target) / target
    }
}
