//! What has been learned of one arm for one team: a regression for each group of signals that are
//! observed together, and one for cost and latency.
//!
//! Invariants: a row enters a group's regression once, at its first signal, with the signals not yet
//! seen imputed by the arm's own prediction (innovation zero, so they teach nothing); whatever comes
//! later shifts the row by the exact difference (SCIENCE 2.8).
//!
//! Units: signals on the normalised scale; cost as a ratio to the decision's reference cost, so that
//! a change of price carries over at once (why not tokens: a caller may know only the money);
//! latency as ln(1 + milliseconds).
//!
//! Not here: which row belongs to which decision (`ledger`), the regression itself (`bandit`).

use super::ledger::Learned;
use crate::bandit::{Change, Prior, Ridge, StateError, Tempo};
use serde::{Deserialize, Serialize};

/// Targets of the usage regression.
pub(super) const COST: usize = 0;
pub(super) const LATENCY: usize = 1;

/// How many they are.
pub(super) const USAGE: usize = 2;

/// Precision of the usage regression's prior.
const USAGE_RIDGE: f64 = 10.0;

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
    pub(super) usage: Ridge,
    /// Attempts whose latency was seen.
    pub(super) latency_count: u64,
    /// Sum of exp(residual) of ln(1 + latency): its mean undoes the bias of the logarithm.
    pub(super) latency_smear: f64,
}

impl Arm {
    /// An arm nothing is known of, its regressions starting from `priors`, one a group; `usage` has the
    /// shape of the context.
    pub(super) fn new<'a>(
        priors: impl Iterator<Item = &'a Prior>,
        usage: &Prior,
    ) -> Result<Self, StateError> {
        let groups: Vec<Ridge> = priors.map(Ridge::new).collect::<Result<_, _>>()?;
        let expected = [1.0, 1000.0_f64.ln_1p()];
        let usage = Prior::on_bias(usage.dim(), USAGE_RIDGE, &expected);
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
            usage: Ridge::new(&usage)?,
            latency_count: 0,
            latency_smear: 0.0,
        })
    }

    /// One more decision of the team: what was learned fades a little. Whether it shows (see
    /// `Ridge::fade`).
    pub(super) fn tick(&mut self) -> Result<bool, StateError> {
        let keep = self.tempo.tick();
        let mut shows = false;
        for ridge in self.groups.iter_mut().chain([&mut self.usage]) {
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

    /// What an attempt cost (as a ratio to the reference) and how long it took.
    pub(super) fn learn_usage(
        &mut self,
        x: &[f32],
        row: &mut Learned,
        ratio: Option<f64>,
        latency_ms: Option<f64>,
    ) -> Result<(), StateError> {
        let mut changes = Vec::with_capacity(2);
        if let Some(ratio) = ratio {
            changes.push((COST, Some(ratio)));
        }
        if let Some(ms) = latency_ms {
            let logarithm = ms.ln_1p();
            let mut predicted = [0.0; 2];
            self.usage.predict(x, &mut predicted)?;
            if row.seen & (1 << LATENCY) == 0 {
                self.latency_count += 1;
                self.latency_smear += (logarithm - predicted[LATENCY]).clamp(-3.0, 3.0).exp();
            }
            changes.push((LATENCY, Some(logarithm)));
        }
        apply(&mut self.usage, x, row, &changes)
    }
}

fn apply(
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
