//! The pooled prior: what every arm of a team is expected to do before its own outcomes say otherwise.
//!
//! The prior mean of a target is the mean of all its outcomes, whichever arm they came from, counted
//! with one outcome at 0.5. Until a group has 1024 outcomes it follows them, for all arms alike; then
//! it stands.
//!
//! Why follow, and not take the mean at an arm's first outcome: the prior weighs as much as several
//! outcomes, and arms whose first outcomes came at different moments would start from different
//! means, so that luck in the first ten outcomes would decide who is tried in the next thousand. Why
//! over outcomes and not over arms: arms that were unlucky three times would hold the prior down for
//! all, and the favourite would never be doubted; with the mean of outcomes, an arm is tried where
//! the favourite does worse than usual. (Seen on llmrouter_mix, both ways.)
//!
//! Not here: pooling over teams.
//!
//! Source: SCIENCE 2.2 (prior mean = pooled mean).

use super::Team as Params;
use super::arm::Arm;
use crate::bandit::StateError;
use crate::id::Name;
use std::collections::BTreeMap;

/// Outcomes of a group after which its prior stands.
const SETTLED: u64 = 1024;

/// Whether the prior of `group` stands.
pub(super) fn settled(arms: &BTreeMap<Name, Arm>, group: usize) -> bool {
    let seen = |arm: &Arm| {
        let counts = arm.observed.get(group).into_iter().flatten();
        counts.map(|(count, _)| *count).max().unwrap_or(0)
    };
    arms.values().map(seen).sum::<u64>() > SETTLED
}

/// An arm that starts from the pooled means.
pub(super) fn fresh(arms: &BTreeMap<Name, Arm>, params: &Params) -> Result<Arm, StateError> {
    let groups = params.scorecard.groups().iter().enumerate();
    let means: Vec<Vec<f64>> = groups
        .map(|(g, group)| means(arms, g, group.targets.len()))
        .collect();
    Arm::new(params.dim, params.ridge, &means)
}

/// The pooled mean of each of a group's targets; 0.5 where nothing was seen.
pub(super) fn means(arms: &BTreeMap<Name, Arm>, group: usize, targets: usize) -> Vec<f64> {
    let pooled = |target: usize| {
        let seen = arms
            .values()
            .filter_map(|arm| arm.observed.get(group)?.get(target));
        let (count, sum) = seen.fold((0, 0.0), |total, (n, sum)| (total.0 + n, total.1 + sum));
        (sum + 0.5) / (count as f64 + 1.0)
    };
    (0..targets).map(pooled).collect()
}
