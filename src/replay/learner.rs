//! A bandit that learns as it plays a stream: one ridge an arm on the reward, as the server's learner
//! does for a scorecard of one signal.
//!
//! Invariants: an arm's statistics see only the steps at which it was chosen. Until every arm has had
//! its forced pulls nothing is fitted; then every ridge starts from their mean, the pooled mean.
//!
//! Not here: utility from several signals, cost apart from quality (`learn`): here cost is in the
//! reward, which makes no measurable difference (SCIENCE 2.6). Nor does the server's prior, which follows
//! the pooled mean for 1024 outcomes: on llmrouter_mix at lambda 0.1, the same order and the same
//! uniforms, the server's learner earned 0.5560 and this one 0.5556 (10 seeds, difference 0.0004, standard
//! error 0.0034; `outcomes/live_tests.rs`). What does make one is luck: with the order held, runs that
//! differ in their uniforms alone have a standard deviation of 0.010 to 0.017, so that means of five
//! seeds a side may lie 0.01 apart and say nothing.
//!
//! Source: SCIENCE 2.2 (ridge 10, prior mean = pooled mean, 3 forced uniform pulls an arm).

use crate::bandit::{PRIOR_SD, Posterior, Prior, Ridge, StateError};

/// Weight of the prior.
const RIDGE: f64 = 10.0;

/// Learns the rewards of `arms` arms.
#[derive(Debug)]
pub(super) struct Learner<'a> {
    dim: usize,
    forced_pulls: usize,
    pulls: Vec<usize>,
    /// Forced pulls, until there are enough: (context, arm, reward).
    waiting: Vec<(&'a [f32], usize, f64)>,
    /// Empty until then.
    ridges: Vec<Ridge>,
    posteriors: Vec<Posterior>,
}

impl<'a> Learner<'a> {
    pub(super) fn new(arms: usize, dim: usize, forced_pulls: usize) -> Self {
        Self {
            dim,
            forced_pulls,
            pulls: vec![0; arms],
            waiting: Vec::new(),
            ridges: Vec::new(),
            posteriors: Vec::new(),
        }
    }

    /// The arms that have not had their forced pulls.
    pub(super) fn forced(&self) -> Vec<usize> {
        let young = |(arm, pulls): (usize, &usize)| (*pulls < self.forced_pulls).then_some(arm);
        self.pulls.iter().enumerate().filter_map(young).collect()
    }

    /// Writes each arm's expected reward and its standard deviation in the units of the policies
    /// (residual sd / 0.3 x sqrt(h)).
    pub(super) fn score(
        &self,
        x: &[f32],
        utility: &mut [f64],
        sd: &mut [f64],
    ) -> Result<(), StateError> {
        for ((posterior, u), s) in self.posteriors.iter().zip(utility).zip(sd) {
            let mut mean = [0.0];
            let h = posterior.score(x, &mut mean)?;
            [*u] = mean;
            *s = (posterior.noise(&[1.0]) * h).sqrt() / PRIOR_SD;
        }
        Ok(())
    }

    /// Learns from one step.
    pub(super) fn observe(
        &mut self,
        x: &'a [f32],
        arm: usize,
        reward: f64,
    ) -> Result<(), StateError> {
        if let Some(pulls) = self.pulls.get_mut(arm) {
            *pulls += 1;
        }
        if !self.ridges.is_empty() {
            return self.update(x, arm, reward);
        }
        self.waiting.push((x, arm, reward));
        if self.forced().is_empty() {
            self.start()?;
        }
        Ok(())
    }

    fn start(&mut self) -> Result<(), StateError> {
        let waiting = std::mem::take(&mut self.waiting);
        let pooled = waiting.iter().map(|(_, _, r)| r).sum::<f64>() / waiting.len() as f64;
        let prior = Prior {
            ridge: RIDGE,
            means: vec![pooled],
        };
        let empty = Ridge::new(self.dim, &prior)?;
        self.posteriors = vec![Posterior::from(&empty); self.pulls.len()];
        self.ridges = vec![empty; self.pulls.len()];
        for (x, arm, reward) in waiting {
            self.update(x, arm, reward)?;
        }
        Ok(())
    }

    fn update(&mut self, x: &[f32], arm: usize, reward: f64) -> Result<(), StateError> {
        if let (Some(ridge), Some(posterior)) =
            (self.ridges.get_mut(arm), self.posteriors.get_mut(arm))
        {
            ridge.observe(x, &[Some(reward)])?;
            *posterior = Posterior::from(&*ridge);
        }
        Ok(())
    }
}
