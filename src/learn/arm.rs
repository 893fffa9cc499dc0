//! What has been learned of one arm for one team: a regression for each group of signals that are
//! observed together, and one for what its attempts use.
//!
//! Invariants: a row enters a group's regression once, at its first signal, with the signals not yet
//! seen imputed by the arm's own prediction (innovation zero, so they teach nothing); whatever comes
//! later shifts the row by the exact difference (SCIENCE 2.8).
//!
//! Units: signals on the normalised scale.
//!
//! Not here: which row belongs to which decision (`ledger`), the regression itself (`bandit`), tokens, time
//! and money (`usage`).

use super::ledger::Learned;
use super::usage::Usage;
use crate::bandit::{Change, Prior, Ridge, StateError, Tempo};
use serde::{Deserialize, Serialize};

/// One arm's statistics.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Arm {
    /// Draws of this arm.
    pub(super) pulls: u64,
    /// How fast it forgets, and how new it is.
    pub(super) tempo: Tempo,
    /// Rows that at least one signal has entered.
    pub(super) outcomes: u64,
    pub(super) groups: Vec<Ridge>,
    /// For each group and target, how many values were observed, and their sum.
    pub(super) observed: Vec<Vec<(u64, f64)>>,
    /// The same of rows that a table taught: what they weigh together, and their weighted sum.
    pub(super) seeded: Vec<Vec<(f64, f64)>>,
    pub(super) usage: Usage,
}

impl Arm {
    /// An arm nothing is known of, its regressions starting from `priors`, one a group.
    pub(super) fn new<'a>(priors: impl Iterator<Item = &'a Prior>) -> Result<Self, StateError> {
        let groups: Vec<Ridge> = priors.map(Ridge::new).collect::<Result<_, _>>()?;
        Ok(Self {
            pulls: 0,
            tempo: Tempo::default(),
            outcomes: 0,
            observed: groups.iter().map(|g| vec![(0, 0.0); g.targets()]).collect(),
            seeded: groups
                .iter()
                .map(|g| vec![(0.0, 0.0); g.targets()])
                .collect(),
            groups,
            usage: Usage::default(),
        })
    }

    /// One more decision of the team: what was learned fades a little. Whether it shows (see
    /// `Ridge::fade`).
    pub(super) fn tick(&mut self) -> Result<bool, StateError> {
        let keep = self.tempo.tick();
        let mut shows = false;
        for ridge in self.groups.iter_mut().chain(self.usage.ridges_mut()) {
            shows |= ridge.fade(keep)?;
        }
        Ok(shows)
    }

    /// A target was noticed to have changed: its level moves, and what came before weighs little.
    pub(super) fn changed(
        &mut self,
        group: usize,
        target: usize,
        change: &Change,
    ) -> Result<(), StateError> {
        match self.groups.get_mut(group) {
            Some(ridge) => self.tempo.changed(ridge, target, change),
            None => Ok(()),
        }
    }

    /// What a group's targets would be predicted to be had the decision's row never been in.
    pub(super) fn expected(
        &self,
        group: usize,
        x: &[f32],
        row: &Learned,
    ) -> Result<Vec<f64>, StateError> {
        let ridge = self.groups.get(group);
        ridge.map_or(Ok(Vec::new()), |ridge| without(ridge, x, row))
    }

    /// How much the values of a target weigh that are in its regression, the team's own and taught ones,
    /// and their sum.
    pub(super) fn values(&self, group: usize, target: usize) -> Option<(f64, f64)> {
        let (count, sum) = self.observed.get(group)?.get(target)?;
        let (weight, taught) = self.seeded.get(group)?.get(target)?;
        Some((*count as f64 + weight, sum + taught))
    }

    /// Changes of one group's targets from one decision: `Some` sets a value, `None` withdraws it.
    pub(super) fn learn(
        &mut self,
        group: usize,
        x: &[f32],
        row: &mut Learned,
        changes: &[(usize, Option<f64>)],
    ) -> Result<(), StateError> {
        let Some(ridge) = self.groups.get_mut(group) else {
            return Ok(());
        };
        let before = row.clone();
        apply(ridge, x, row, changes)?;
        match (before.used.is_empty(), row.used.is_empty()) {
            (true, false) => self.outcomes += 1,
            (false, true) => self.outcomes = self.outcomes.saturating_sub(1),
            _ => {}
        }
        for (target, (count, sum)) in self
            .observed
            .iter_mut()
            .skip(group)
            .take(1)
            .flatten()
            .enumerate()
        {
            if let Some(value) = before.observed(target) {
                *count = count.saturating_sub(1);
                *sum -= value;
            }
            if let Some(value) = row.observed(target) {
                *count += 1;
                *sum += value;
            }
        }
        Ok(())
    }
}

pub(super) fn apply(
    ridge: &mut Ridge,
    x: &[f32],
    row: &mut Learned,
    changes: &[(usize, Option<f64>)],
) -> Result<(), StateError> {
    if row.used.is_empty() {
        return enter(ridge, x, row, changes);
    }
    for &(target, value) in changes {
        let Some(used) = row.used.get(target).copied() else {
            continue;
        };
        let bit = 1 << target;
        let value_now = match value {
            // Said again.
            Some(value) if row.seen & bit != 0 && value == used => continue,
            Some(value) if row.seen & bit == 0 => {
                ridge.arrive(x, row.entered, target, (used, value))?;
                row.seen |= bit;
                value
            }
            Some(value) => {
                ridge.shift(x, row.entered, target, (used, value))?;
                value
            }
            None if row.seen & bit != 0 => {
                let imputed = without(ridge, x, row)?[target];
                ridge.withdraw(x, row.entered, target, (used, imputed))?;
                row.seen &= !bit;
                imputed
            }
            None => continue,
        };
        row.used[target] = value_now;
    }
    if row.seen == 0 {
        ridge.retract(x, row.entered, &row.used)?;
        row.used.clear();
    }
    Ok(())
}

/// What would be predicted had this row never been in: its own pull, h, taken out.
fn without(ridge: &Ridge, x: &[f32], row: &Learned) -> Result<Vec<f64>, StateError> {
    let mut predicted = vec![0.0; ridge.targets()];
    ridge.predict(x, &mut predicted)?;
    if row.used.is_empty() {
        return Ok(predicted);
    }
    let own = ridge.leverage(x, row.entered)?;
    if 1.0 - own > 1e-8 {
        for (predicted, used) in predicted.iter_mut().zip(&row.used) {
            *predicted = (*predicted - own * used) / (1.0 - own);
        }
    }
    Ok(predicted)
}

/// The row's first values: it enters the regression, if there is any value at all.
fn enter(
    ridge: &mut Ridge,
    x: &[f32],
    row: &mut Learned,
    changes: &[(usize, Option<f64>)],
) -> Result<(), StateError> {
    let mut values = vec![None; ridge.targets()];
    let mut seen = 0;
    for &(target, value) in changes {
        if let (Some(slot), Some(value)) = (values.get_mut(target), value) {
            *slot = Some(value);
            seen |= 1 << target;
        }
    }
    if seen != 0 {
        row.used = ridge.observe(x, &values)?;
        row.seen = seen;
        row.entered = ridge.fading();
    }
    Ok(())
}
