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
use super::joining::Watch;
use super::learner::Learner;
use super::outcomes::Params;
use super::purse::{Purse, Rule, View};
use super::run::{Played, Tally};
use super::stream::{Step, Stream};
use crate::bandit::{Policy, Scores, Scratch, floors, raise_newcomers};
use crate::id::Name;
use crate::ope::Stake;
use crate::route;
use crate::unit::Pmf;
use std::borrow::Cow;
use std::collections::VecDeque;

/// Uniform pulls of every arm before its statistics count: as many as where it serves.
pub const FORCED_PULLS: usize = route::FORCED_PULLS as usize;

/// One policy on one stream.
pub(super) fn play(stream: &Stream<'_>, policy: &Policy, params: &Params) -> Result<Played, Error> {
    let budget = params.budget.as_ref();
    let mut player = Player::new(stream, policy, params.floor, budget.map(|b| b.request_usd))?;
    player.seed()?;
    let mut tally = Tally::new(stream, budget.map(|b| b.first));
    for step in stream.played() {
        let pmf = player.pmf(step)?;
        let chosen = pmf.draw(stream.draw(step));
        tally.add(step, chosen, &pmf);
        player.chose(step, chosen, &pmf)?;
    }
    let mut played = tally.played();
    if let Some(joined) = &mut played.run.joined {
        joined.ruled = player.watch.ruled();
    }
    Ok(played)
}

/// A policy and what it has learned so far.
struct Player<'a> {
    stream: &'a Stream<'a>,
    policy: &'a Policy,
    learns: bool,
    floor: f64,
    learner: Learner,
    /// What it may spend, if there is a limit.
    purse: Option<Purse>,
    /// Choices whose outcome has not come, the oldest first.
    waiting: VecDeque<Choice>,
    /// The bound of an arm that joins.
    watch: Watch,
    utility: Vec<f64>,
    sd: Vec<f64>,
    /// Under a budget: what each arm was expected to cost at the last step, if known.
    expected_usd: Vec<Option<f64>>,
    scratch: Scratch,
}

/// A choice, with the cost that it was recorded at under a budget.
#[derive(Debug, Clone, Copy)]
struct Choice {
    step: Step,
    arm: usize,
    recorded_usd: f64,
    /// Its part in the bound of an arm that joined.
    stake: Option<Stake>,
}

impl<'a> Player<'a> {
    fn new(
        stream: &'a Stream<'a>,
        policy: &'a Policy,
        floor: f64,
        request_usd: Option<f64>,
    ) -> Result<Self, Error> {
        let bench = stream.plan().bench();
        let arms = bench.arms().len();
        let learns = !matches!(policy, Policy::Fixed { .. } | Policy::Uniform);
        let (forced_pulls, floor) = if learns {
            (FORCED_PULLS, floor)
        } else {
            (0, 0.0)
        };
        let purse = request_usd.filter(|_| learns).map(Purse::new).transpose()?;
        Ok(Self {
            stream,
            policy,
            learns,
            floor,
            learner: Learner::new(arms, bench.lambda(), purse.is_some(), forced_pulls)?,
            purse,
            waiting: VecDeque::new(),
            watch: Watch::default(),
            utility: vec![0.0; arms],
            sd: vec![0.0; arms],
            expected_usd: Vec::new(),
            scratch: Scratch::default(),
        })
    }

    /// Learns every arm's outcome on the rows that are given away.
    fn seed(&mut self) -> Result<(), Error> {
        let bench = self.stream.plan().bench();
        for step in self.stream.seeded().filter(|_| self.learns) {
            let seen = self
                .there(step)
                .map(|arm| (arm, self.stream.seen(step, arm)));
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
        if self.purse.is_some() {
            return self.paced(step);
        }
        let arms: Vec<usize> = self.there(step).collect();
        let of = |values: &[f64]| -> Vec<f64> { arms.iter().map(|arm| values[*arm]).collect() };
        let (utility, sd) = (of(&self.utility), of(&self.sd));
        let mut floors = floors(self.floor, &utility);
        if self.learns {
            let newcomers = self.learner.newcomers();
            let rejected = self.stream.plan().joins().filter(|_| self.watch.rejects());
            let new = |arm: &usize| newcomers[*arm] && Some(*arm) != rejected;
            let newcomers: Vec<bool> = arms.iter().map(new).collect();
            raise_newcomers(&mut floors, &newcomers);
        }
        let young = self.learner.forced();
        let forced: Vec<usize> = (0..arms.len())
            .filter(|place| young.contains(&arms[*place]))
            .collect();
        let pmf = if forced.is_empty() {
            let scores = Scores {
                utility: &utility,
                sd: &sd,
                samples: self.learner.samples(),
            };
            let names: Cow<'_, [Name]> = match arms.len() == bench.arms().len() {
                true => Cow::Borrowed(bench.arms()),
                false => arms.iter().map(|arm| bench.arms()[*arm].clone()).collect(),
            };
            self.policy
                .pmf(&scores, &names, &floors, &mut self.scratch)?
        } else {
            uniform_over(&forced, &floors)?
        };
        spread(&pmf, &arms, bench.arms().len())
    }

    /// The arms that are there at a step.
    fn there(&self, step: Step) -> impl Iterator<Item = usize> + use<'a> {
        let absent = self.stream.plan().absent(step);
        (0..self.stream.plan().bench().arms().len()).filter(move |arm| Some(*arm) != absent)
    }

    /// The probabilities of a step's choice under a budget.
    fn paced(&mut self, step: Step) -> Result<Pmf, Error> {
        let bench = self.stream.plan().bench();
        let reference = bench.reference_cost_usd().unwrap_or_default();
        let usd = |cost: Option<f64>| cost.map(|cost| cost * reference);
        let costs = self.learner.costs(bench.context(step.prompt))?;
        self.expected_usd = costs.into_iter().map(usd).collect();
        let newcomers = match self.learns {
            true => self.learner.newcomers(),
            false => Vec::new(),
        };
        let view = View {
            arms: bench.arms(),
            quality: &self.utility,
            sd: &self.sd,
            cost_usd: &self.expected_usd,
            young: &self.learner.forced(),
            newcomers: &newcomers,
            samples: self.learner.samples(),
        };
        let mut rule = Rule {
            policy: self.policy,
            floor: self.floor,
            scratch: &mut self.scratch,
        };
        let Some(purse) = &mut self.purse else {
            return Err(Error::Stopped);
        };
        let pmf = purse.pmf(&view, &mut rule, self.stream.price_draw(step))?;
        purse.foresee(&view, self.policy, &mut self.stream.offer_rng(step));
        Ok(pmf)
    }

    /// An arm was chosen: what came of it, and of earlier choices, is learned when it is due.
    fn chose(&mut self, step: Step, arm: usize, pmf: &Pmf) -> Result<(), Error> {
        if !self.learns {
            return Ok(());
        }
        self.learner.chose(arm)?;
        let recorded_usd = self.charge(step, arm)?;
        let plan = self.stream.plan();
        let joined = plan.joins().filter(|_| plan.is_after(step));
        let stake = |joined| self.watch.chose(joined, arm, pmf.as_slice(), &self.utility);
        let stake = joined.and_then(stake);
        self.waiting.push_back(Choice {
            step,
            arm,
            recorded_usd,
            stake,
        });
        if self.waiting.len() <= self.stream.plan().delay() {
            return Ok(());
        }
        // One comes in at each step, so at most one is due; one that never arrives keeps its place.
        if let Some(choice) = self.waiting.pop_front()
            && self.stream.arrives(choice.step)
        {
            let Choice { step, arm, .. } = choice;
            let x = self.stream.plan().bench().context(step.prompt);
            self.learner.observe(x, arm, self.stream.seen(step, arm))?;
            if let (Some(stake), Some(joined)) = (&choice.stake, plan.joins()) {
                let reward = self.stream.rewards(step).get(arm).copied();
                self.watch
                    .add(stake, arm == joined, reward.unwrap_or_default());
            }
            let actual = self.stream.cost_usd(step, arm);
            if let (Some(purse), Some(actual)) = (&mut self.purse, actual) {
                purse.correct(choice.recorded_usd, actual)?;
            }
        }
        Ok(())
    }

    /// Takes the cost of a choice out of the purse: the actual one where it is known at once, else the one
    /// expected, until it comes. Says which it was.
    fn charge(&mut self, step: Step, arm: usize) -> Result<f64, Error> {
        let Some(purse) = &mut self.purse else {
            return Ok(0.0);
        };
        let at_once = self.stream.plan().delay() == 0 && self.stream.arrives(step);
        let actual = self.stream.cost_usd(step, arm).filter(|_| at_once);
        let expected = purse.assumed(self.expected_usd.get(arm).copied().flatten());
        let usd = actual.unwrap_or(expected);
        purse.record(usd)?;
        Ok(usd)
    }
}

/// A pmf over some arms as one over all: the others have nothing.
fn spread(pmf: &Pmf, arms: &[usize], count: usize) -> Result<Pmf, Error> {
    let mut p = vec![0.0; count];
    for (arm, share) in arms.iter().zip(pmf.as_slice()) {
        p[*arm] = *share;
    }
    Ok(Pmf::new(p).map_err(crate::bandit::ChoiceError::from)?)
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
