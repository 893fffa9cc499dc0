//! What a team has borrowed stands on trial: it is given back where a guess that knows no arm does better.
//!
//! Why: an arm that is lent too bad a name is hardly drawn, so that its own outcomes do not come to clear it. A
//! team with the opposite tastes lost 0.12 a draw that way, for hundreds of draws, where it would have lost 0.02
//! alone.
//!
//! How: each of the team's own outcomes y of borrowed arms is expected to be p by the lenders and q by the mean
//! of those before it (one at 0.5 among them), whatever the arm. Each target of a group gathers the
//! logarithm of how much better q foretold than p, at the widest noise that values from 0 to 1 can have:
//! 4 ((q - p)(y - p) - (q - p)^2 / 2). Above ln 100 (and ln of the number of targets) all arms of the group give
//! back what is left of their loans, and borrow no more. After 200 outcomes the trial is over, and what was
//! borrowed is the team's.
//!
//! Invariants: where the lenders are right in the mean, whatever is drawn, the loans are given back with
//! probability at most 1 / 100: exp of the sum is then a supermartingale (Hoeffding's lemma with Ville's
//! inequality).
//!
//! Not here: lending (`lend`).

use super::Team;
use super::ledger::Learned;
use super::team::{Team as State, Touched, not_learned};
use crate::bandit::Borrowed;
use crate::id::Name;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// How much better the guess must have foretold: one in so many right loans is given back.
const ODDS: f64 = 100.0;

/// Outcomes after which the trial is over.
const LENGTH: u32 = 200;

/// A loan: what the regression gives back, and its part of the values' sums, target by target.
pub(super) type Held = (Borrowed, Vec<(f64, f64)>);

/// What a team has borrowed, by group.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub(super) struct Trials(Vec<Trial>);

/// One group's.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct Trial {
    /// Loans that may still be given back.
    loans: BTreeMap<Name, Held>,
    /// Whether they were: nothing is borrowed any more.
    lost: bool,
    outcomes: u32,
    /// Of each target: how much better the guess foretold, and the number and sum of values.
    targets: Vec<(f64, f64, f64)>,
}

impl Trials {
    /// Whether a group may borrow.
    pub(super) fn allow(&self, group: usize) -> bool {
        self.0.get(group).is_none_or(|trial| !trial.lost)
    }

    /// An arm has borrowed.
    pub(super) fn hold(&mut self, group: usize, arm: &Name, held: Held) {
        if self.0.len() <= group {
            self.0.resize(group + 1, Trial::default());
        }
        if let Some(trial) = self.0.get_mut(group) {
            if trial.loans.is_empty() {
                // An arm that joins later is tried on its own.
                trial.outcomes = 0;
                trial.targets.clear();
            }
            trial.targets.resize(held.1.len(), (0.0, 1.0, 0.5));
            trial.loans.insert(arm.clone(), held);
        }
    }

    /// Whether all of it is of a team with groups of so many targets: asked of what was read from disk.
    pub(super) fn are_whole(&self, dim: usize, targets: &[usize]) -> bool {
        let whole = |(trial, targets): (&Trial, &usize)| {
            let loan = |(borrowed, sums): &Held| {
                borrowed.is_whole(dim, *targets) && sums.len() == *targets
            };
            let mut sums = trial.targets.iter();
            let finite = sums.all(|(a, b, c)| a.is_finite() && *b >= 1.0 && c.is_finite());
            finite && trial.loans.values().all(loan)
        };
        self.0.len() <= targets.len() && self.0.iter().zip(targets).all(whole)
    }
}

impl Trial {
    /// An outcome of an arm at `x`: whether the loans are lost by it.
    fn judge(&mut self, arm: &Name, x: &[f32], (before, after): (&Learned, &Learned)) -> bool {
        let Some((borrowed, _)) = self.loans.get(arm) else {
            return false;
        };
        let bar = (ODDS * self.targets.len().max(1) as f64).ln();
        let mut seen = false;
        for (target, (sum, count, total)) in self.targets.iter_mut().enumerate() {
            let new = after
                .observed(target)
                .filter(|_| before.observed(target).is_none());
            if let (Some(y), Some(p)) = (new, borrowed.predict(x, target)) {
                let (p, q) = (p.clamp(0.0, 1.0), *total / *count);
                *sum += 4.0 * ((q - p) * (y - p) - (q - p) * (q - p) / 2.0);
                *count += 1.0;
                *total += y;
                self.lost |= *sum > bar;
                seen = true;
            }
        }
        self.outcomes += u32::from(seen);
        if self.outcomes >= LENGTH && !self.lost {
            self.loans.clear();
        }
        self.lost
    }
}

impl State {
    /// A decision's row in a group has become another: what its outcome says of the group's loans.
    pub(super) fn tried(
        &mut self,
        (group, arm): (usize, &Name),
        x: &[f32],
        rows: (&Learned, &Learned),
        params: &Team,
        touched: &mut Touched,
    ) {
        let Some(trial) = self.trials.0.get_mut(group) else {
            return;
        };
        if !trial.judge(arm, x, rows) {
            return;
        }
        for (name, (borrowed, sums)) in std::mem::take(&mut trial.loans) {
            let Some(arm) = self.arms.get_mut(&name) else {
                continue;
            };
            let ridge = arm.groups.get_mut(group);
            match ridge.map_or(Ok(()), |ridge| ridge.give_back(&borrowed)) {
                Ok(()) => {
                    let held = arm.seeded.get_mut(group).into_iter().flatten();
                    for ((weight, sum), (lent, of)) in held.zip(sums) {
                        *weight = (*weight - lent).max(0.0);
                        *sum -= of;
                    }
                }
                Err(error) => not_learned(&name, &error),
            }
            touched.insert(name);
        }
        let team = &params.name;
        tracing::info!(%team, group, "what other teams lent is given back: a guess did better");
        self.changed(group, 0, params, touched);
    }
}
