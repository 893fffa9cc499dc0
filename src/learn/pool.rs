//! What a team's arms have in common: one prior for each group of signals, learned from all arms
//! ([`Hierarchy`]), from which each of them starts and on which each of them stands.
//!
//! Why it follows the outcomes from the first on, for all arms alike: the prior weighs as much as several
//! outcomes, and arms whose first outcomes came at different moments would start from different means,
//! so that luck in the first ten outcomes would decide who is tried in the next thousand.
//!
//! Not here: pooling over teams.
//!
//! Source: SCIENCE 2.2 (prior mean = pooled mean), 2.5.

use super::Team as Params;
use super::arm::Arm;
use crate::bandit::{Hierarchy, StateError};
use crate::id::Name;
use crate::scorecard::Group;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The priors of one team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Pool {
    groups: Vec<Common>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Common {
    prior: Hierarchy,
    /// Rows that have entered, over all arms.
    rows: u64,
}

impl Pool {
    pub(super) fn new(params: &Params) -> Self {
        let groups = params.scorecard.groups().iter();
        let common = groups.map(|group| Common {
            prior: params.start.with_targets(group.targets.len()),
            rows: 0,
        });
        Self {
            groups: common.collect(),
        }
    }

    /// Whether it fits the parameters and can serve: asked of what was read from disk.
    pub(super) fn is_whole(&self, params: &Params) -> bool {
        let groups = params.scorecard.groups();
        let dim = params.start.prior().dim();
        let whole =
            |(common, group): (&Common, &Group)| common.prior.is_whole(dim, group.targets.len());
        self.groups.len() == groups.len() && self.groups.iter().zip(groups).all(whole)
    }

    /// An arm that starts from what the others have in common.
    pub(super) fn fresh(&self, params: &Params) -> Result<Arm, StateError> {
        let priors = self.groups.iter().map(|common| common.prior.prior());
        Arm::new(priors, params.start.prior())
    }

    /// A group of one of the arms has changed, `entered` by a row more (or, below 0, fewer): whether the
    /// prior of all of them has moved, and they with it.
    pub(super) fn changed(
        &mut self,
        group: usize,
        entered: i64,
        arms: &mut BTreeMap<Name, Arm>,
    ) -> Result<bool, StateError> {
        let Some(common) = self.groups.get_mut(group) else {
            return Ok(false);
        };
        common.rows = common.rows.saturating_add_signed(entered);
        if !common.prior.is_due(common.rows) {
            return Ok(false);
        }
        let pooled = means(arms, group, common.prior.prior().means.len());
        let regressions = arms
            .values_mut()
            .filter_map(|arm| arm.groups.get_mut(group));
        let mut regressions: Vec<_> = regressions.collect();
        common.prior.refit(common.rows, &pooled, &mut regressions)?;
        Ok(true)
    }
}

/// The mean of all outcomes of each of a group's targets, whichever arm they came from, counted with one
/// at 0.5.
fn means(arms: &BTreeMap<Name, Arm>, group: usize, targets: usize) -> Vec<f64> {
    let pooled = |target: usize| {
        let seen = arms.values().filter_map(|arm| arm.values(group, target));
        let (count, sum) = seen.fold((0.0, 0.0), |total, (n, sum)| (total.0 + n, total.1 + sum));
        (sum + 0.5) / (count + 1.0)
    };
    (0..targets).map(pooled).collect()
}
