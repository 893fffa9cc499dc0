//! What teams lend each other: an arm that a team draws for the first time starts from what other teams have
//! learned of it.
//!
//! Rules, stated because numbers depend on them:
//! - Only between teams that say so ([`Pooling`]; by default none does), and only statistics of signals: sums
//!   over rows, never a row, a reward, a cost or a latency.
//! - Only of a group of signals that both teams have alike: the same names, kinds and thresholds, level,
//!   closing time and meaning of silence. Weights, gates on flags and dollars are each team's own. And
//!   only from the same features.
//! - A lender has at least 20 outcomes of the arm in the group, so that what is lent is no one's row. It weighs
//!   by its own outcomes: what it was lent or taught does not make it weigh more.
//! - Once, at the record of the arm's first draw or taught row in the team, from the statistics that the same
//!   learner has there. Later news of other teams do not come in: a team that has begun learns from its own.
//!   A frozen team borrows nothing.
//! - Together they weigh as much as 50 outcomes, or as many as there are, if fewer; and less where lenders
//!   disagree: with tau^2 how far the means of teams scatter beyond their noise s^2, an outcome of another
//!   team says as much as s^2 / tau^2 of them can.
//!
//! - It stands on trial, and is given back where it does worse than a guess (`trial`).
//!
//! How it goes with the common prior of the team's arms (`pool`): the borrowed values are counted with taught
//! ones, so that the arms' common mean knows of them; then the prior is set, and the arm starts on it with
//! the parent's expectations exactly. From there on its borrowed rows are rows of the arm: the prior learns
//! from them, they fade, an alarm lets go of them. No pull and no outcome is counted: forced draws and
//! doubt of young teams are as without.
//!
//! Measured (four arms, the lender with 400 outcomes, 20 seeds; share of tests passed that a draw of the second
//! team loses to the best arm, over draws 1 to 50, 1 to 200, 201 to 600): with the same tastes 0.132, 0.073,
//! 0.029 alone and 0.076, 0.036, 0.009 pooled; with opposite ones 0.135, 0.060, 0.018 alone and 0.172, 0.071,
//! 0.016 pooled (without the trial, before newcomers had a floor, 0.288, 0.231, 0.119).
//!
//! Invariants: a function of the records so far and the parameters: a rebuild, and a learner read back from a
//! checkpoint, lend the same bits. With [`Pooling::None`] everywhere nothing is other than without.
//!
//! Not here: the arithmetic of the start (`bandit::Lender`).
//!
//! Source: SCIENCE 2.5; empirical Bayes of the intercept: Morris 1983.

use super::arm::Arm;
use super::team::{Team as State, Touched, not_learned};
use super::{Params, Team};
use crate::bandit::{Lender, Ridge, StateError};
use crate::id::Name;
use crate::scorecard::Group;
use crate::store::Record;
use std::collections::BTreeMap;

/// How many outcomes what others lend weighs as much as.
const MOST: f64 = 50.0;

/// Outcomes of its own below which a team lends nothing.
const LEAST: u64 = 20;

/// What a team shares with other teams of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pooling {
    /// Nothing, either way.
    #[default]
    None,
    /// Others may start from its statistics.
    Give,
    /// Its arms start from those of others.
    Take,
    /// Both.
    Both,
}

impl Pooling {
    fn gives(self) -> bool {
        matches!(self, Self::Give | Self::Both)
    }

    fn takes(self) -> bool {
        matches!(self, Self::Take | Self::Both)
    }
}

/// What an arm of a team may start from, group by group.
#[derive(Debug)]
pub(super) struct Loan {
    arm: Name,
    groups: Vec<Vec<Lent>>,
}

/// One team's regression of one group.
#[derive(Debug)]
struct Lent {
    ridge: Ridge,
    /// Which of its targets each of the borrower's is.
    targets: Vec<usize>,
    /// Own outcomes, as far as they are not forgotten.
    own: f64,
    /// Of each of the borrower's targets: values observed, and their mean.
    means: Vec<(f64, f64)>,
}

/// What `record` lets an arm of its team start from, if it is the arm's first and there is any.
pub(super) fn loan(
    teams: &BTreeMap<Name, State>,
    params: &Params,
    record: &Record,
) -> Option<Loan> {
    let borrower = params.teams.get(record.team()?)?;
    let arm = match record {
        Record::Decision(decision) => decision.drawn.arm()?,
        Record::Seed(seed) if seed.feature_set == borrower.feature_set => &seed.arm,
        _ => return None,
    };
    let state = teams.get(&borrower.name)?;
    if !borrower.pooling.takes() || state.control.frozen || state.arms.contains_key(arm) {
        return None;
    }
    let lenders = teams.iter().filter_map(|(name, state)| {
        let team = params.teams.get(name)?;
        let gives = *name != borrower.name && team.pooling.gives();
        let alike = team.feature_set == borrower.feature_set && team.start == borrower.start;
        (gives && alike).then_some((team, state.arms.get(arm)?))
    });
    let lenders: Vec<(&Team, &Arm)> = lenders.collect();
    let groups = borrower.scorecard.groups().iter().map(|group| {
        let lent = lenders.iter();
        let lent = lent.filter_map(|(team, arm)| lent_by(borrower, group, team, arm));
        lent.collect::<Vec<_>>()
    });
    let groups: Vec<Vec<Lent>> = groups.collect();
    let any = groups.iter().any(|lent| !lent.is_empty());
    let arm = arm.clone();
    any.then_some(Loan { arm, groups })
}

/// What a team lends of an arm to a group of another's scorecard.
fn lent_by(borrower: &Team, group: &Group, team: &Team, arm: &Arm) -> Option<Lent> {
    let (theirs, targets) = same(borrower, group, team)?;
    let (ridge, observed) = (arm.groups.get(theirs)?, arm.observed.get(theirs)?);
    // Of every signal that has any, or the mean of one would be a few outcomes' own.
    let counts = observed.iter().map(|(count, _)| *count);
    let least = counts.filter(|count| *count > 0).min();
    let least = least.filter(|count| *count >= LEAST)?;
    let mean = |target: &usize| {
        let (count, sum) = observed.get(*target).copied().unwrap_or_default();
        (count as f64, sum / count.max(1) as f64)
    };
    Some(Lent {
        ridge: ridge.clone(),
        own: ridge.count().min(least as f64),
        means: targets.iter().map(mean).collect(),
        targets,
    })
}

/// The group of a team that asks the same as `group` of the borrower, and which of its targets are which.
fn same(borrower: &Team, group: &Group, team: &Team) -> Option<(usize, Vec<usize>)> {
    let (ours, theirs) = (&borrower.scorecard, &team.scorecard);
    let asked = |other: &Group| {
        let rule = (other.level, other.closes_after, other.missing);
        let alike = rule == (group.level, group.closes_after, group.missing);
        if !alike || other.targets.len() != group.targets.len() {
            return None;
        }
        let place = |target: &usize| {
            let mine = ours.targets().get(*target)?;
            let kind = ours.signals().get(mine.signal)?.kind;
            other.targets.iter().position(|at| {
                let target = theirs.targets().get(*at);
                target.is_some_and(|target| {
                    let signal = theirs.signals().get(target.signal);
                    let name = target.name == mine.name && target.gate == mine.gate;
                    name && signal.is_some_and(|signal| signal.kind == kind)
                })
            })
        };
        group.targets.iter().map(place).collect::<Option<Vec<_>>>()
    };
    let groups = theirs.groups().iter().enumerate();
    let mut found = groups.filter_map(|(at, other)| Some((at, asked(other)?)));
    found.next()
}

/// How many outcomes what is lent may weigh as much as: less where the lenders' means differ by more than
/// their noise makes them.
fn strength(lent: &[Lent]) -> f64 {
    let targets = lent.first().map_or(0, |first| first.means.len());
    let of = |target: usize| {
        let seen = lent.iter().filter_map(|lender| {
            let (count, mean) = lender.means.get(target).copied()?;
            let at = lender.targets.get(target)? * (lender.ridge.targets() + 1);
            let noise = lender.ridge.covariance().get(at).copied()?;
            (count > 0.0).then_some((mean, noise, noise / count))
        });
        let seen: Vec<(f64, f64, f64)> = seen.collect();
        let teams = seen.len() as f64;
        if seen.len() < 2 {
            return MOST;
        }
        let over = |of: fn(&(f64, f64, f64)) -> f64| seen.iter().map(of).sum::<f64>() / teams;
        let mean = over(|(mean, _, _)| *mean);
        let apart = seen.iter().map(|(m, _, _)| (m - mean) * (m - mean));
        let between = apart.sum::<f64>() / (teams - 1.0) - over(|(_, _, error)| *error);
        match between > 0.0 {
            true => over(|(_, noise, _)| *noise) / between,
            false => MOST,
        }
    };
    (0..targets).map(of).fold(MOST, f64::min)
}

impl State {
    /// Starts an arm from what others lend.
    pub(super) fn borrow(&mut self, loan: &Loan, params: &Team, touched: &mut Touched) {
        for (group, lent) in loan.groups.iter().enumerate() {
            if lent.is_empty() || !self.trials.allow(group) {
                continue;
            }
            if let Err(error) = self.borrow_group(&loan.arm, (group, lent), params, touched) {
                not_learned(&loan.arm, &error);
            }
        }
        touched.insert(loan.arm.clone());
    }

    fn borrow_group(
        &mut self,
        name: &Name,
        (group, lent): (usize, &[Lent]),
        params: &Team,
        touched: &mut Touched,
    ) -> Result<(), StateError> {
        let total: f64 = lent.iter().map(|lender| lender.own).sum();
        let most = strength(lent);
        let share = (most / total).min(1.0);
        let Some(arm) = self.arm(name) else {
            return Ok(());
        };
        let taught = arm.seeded.get_mut(group).into_iter().flatten();
        let mut sums = Vec::new();
        for (target, (weight, sum)) in taught.enumerate() {
            let each = lent.iter().filter_map(|lender| {
                let (count, mean) = lender.means.get(target)?;
                Some((share * lender.own.min(*count), *mean))
            });
            let more = each.fold((0.0, 0.0), |all, (n, mean)| (all.0 + n, all.1 + n * mean));
            *weight += more.0;
            *sum += more.1;
            sums.push(more);
        }
        // The arms' common mean first, then the arm upon it: so it starts where the parent is.
        self.changed(group, 0, params, touched);
        let lenders = lent.iter().map(|lender| Lender {
            ridge: &lender.ridge,
            targets: &lender.targets,
            own: lender.own,
        });
        let lenders: Vec<Lender<'_>> = lenders.collect();
        let ridge = self.arms.get_mut(name);
        let Some(ridge) = ridge.and_then(|arm| arm.groups.get_mut(group)) else {
            return Ok(());
        };
        let borrowed = ridge.start_from(&lenders, most)?;
        self.trials.hold(group, name, (borrowed, sums));
        let (team, lenders, outcomes) = (&params.name, lenders.len(), total.min(most));
        tracing::info!(%team, arm = %name, group, lenders, outcomes, "an arm starts from other teams");
        Ok(())
    }
}

#[cfg(test)]
mod bench;
#[cfg(test)]
mod tests;
