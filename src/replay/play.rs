//! One policy on one stream: choose, see that arm's reward, learn when it comes, go on.
//!
//! Invariants: a policy that learns keeps the stated floor and starts with forced pulls of every arm that
//! was not seeded enough; one that does not learn (fixed, uniform) has neither, so its expected reward is
//! the table's own mean. No outcome is learned before its step's choice and those of the delay are made.
//!
//! Not here: the stream (`stream`), the statistics (`learner`), what is reported (`run`, `curve`).
//!
//! Source: SCIENCE 5 (the prequential protocol).

use super::error::Error;
use super::learner::Learner;
use super::run::{Played, Tally};
use super::stream::{Step, Stream};
use crate::bandit::{Policy, Scores, Scratch, floors, raise_newcomers};
use crate::route;
use crate::unit::Pmf;
use std::collections::VecDeque;

/// Uniform pulls of every arm before its statistics count: as many as where it serves.
pub const FORCED_PULLS: usize = route::FORCED_PULLS as usize;

/// One policy on one stream.
pub(super) fn play(stream: &Stream<'_>, policy: &Policy, floor: f64) -> Result<Played, Error> {
    let mut player = Player::new(stream, policy, floor)?;
    player.seed()?;
    let mut tally = Tally::new(stream);
    for step in stream.played() {
        let pmf = player.pmf(step)?;
        let chosen = pmf.draw(stream.draw(step));
        tally.add(step, chosen, &pmf);
        player.chose(step, chosen)?;
    }
    Ok(tally.played())
}

/// A policy and what it has learned so far.
struct Player<'a> {
    stream: &'a Stream<'a>,
    policy: &'a Policy,
    learns: bool,
    floor: f64,
    learner: Learner,
    /// Choices whose outcome has not come, the oldest first.
    waiting: VecDeque<(Step, usize)>,
    utility: Vec<f64>,
    sd: Vec<f64>,
    scratch: Scratch,
}

impl<'a> Player<'a> {
    fn new(stream: &'a Stream<'a>, policy: &'a Policy, floor: f64) -> Result<Self, Error> {
        let bench = stream.plan().bench();
        let arms = bench.arms().len();
        let learns = !matches!(policy, Policy::Fixed { .. } | Policy::Uniform);
        let (forced_pulls, floor) = if learns {
            (FORCED_PULLS, floor)
        } else {
            (0, 0.0)
        };
        Ok(Self {
            stream,
            policy,
            learns,
            floor,
            learner: Learner::new(arms, bench.lambda(), forced_pulls)?,
            waiting: VecDeque::new(),
            utility: vec![0.0; arms],
            sd: vec![0.0; arms],
            scratch: Scratch::default(),
        })
    }

    /// Learns every arm's outcome on the rows that are given away.
    fn seed(&mut self) -> Result<(), Error> {
        let bench = self.stream.plan().bench();
        for step in self.stream.seeded().filter(|_| self.learns) {
            let seen = (0..bench.arms().len()).map(|arm| self.stream.seen(step, arm));
            self.learner.seed(bench.context(step.prompt), seen)?;
        }
        Ok(())
    }

    /// The probabilities of a step's choice.
    fn pmf(&mut self, step: Step) -> Result<Pmf, Error> {
        let bench = self.stream.plan().bench();
        if self.learns {
            let x = bench.context(step.prompt);
            self.learner.score(x, &mut self.utility, &mut self.sd)?;
        }
        let mut floors = floors(self.floor, &self.utility);
        if self.learns {
            raise_newcomers(&mut floors, &self.learner.newcomers());
        }
        let forced = self.learner.forced();
        if !forced.is_empty() {
            return uniform_over(&forced, &floors);
        }
        let scores = Scores {
            utility: &self.utility,
            sd: &self.sd,
            samples: self.learner.samples(),
        };
        let (arms, scratch) = (bench.arms(), &mut self.scratch);
        Ok(self.policy.pmf(&scores, arms, &floors, scratch)?)
    }

    /// An arm was chosen: what came of it, and of earlier choices, is learned when it is due.
    fn chose(&mut self, step: Step, chosen: usize) -> Result<(), Error> {
        if !self.learns {
            return Ok(());
        }
        self.learner.chose(chosen)?;
        self.waiting.push_back((step, chosen));
        if self.waiting.len() <= self.stream.plan().delay() {
            return Ok(());
        }
        // One comes in at each step, so at most one is due; one that never arrives keeps its place.
        if let Some((step, arm)) = self.waiting.pop_front()
            && self.stream.arrives(step)
        {
            let x = self.stream.plan().bench().context(step.prompt);
            self.learner.observe(x, arm, self.stream.seen(step, arm))?;
        }
        Ok(())
    }
}

/// Uniform over `forced`, mixed with the floors.
fn uniform_over(forced: &[usize], floors: &[f64]) -> Result<Pmf, Error> {
    let each = (1.0 - floors.iter().sum::<f64>()).max(0.0) / forced.len() as f64;
    let share =
        |(arm, floor): (usize, &f64)| floor + if forced.contains(&arm) { each } else { 0.0 };
    let p = floors.iter().enumerate().map(share).collect();
    Ok(Pmf::new(p).map_err(crate::bandit::ChoiceError::from)?)
}

#[cfg(test)]
mod live_tests;
#[cfg(test)]
mod tests;
