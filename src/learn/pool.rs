//! The pooled prior: what every arm of a team is expected to do before its own outcomes say otherwise.
//!
//! The prior mean of a target is the mean over arms of the arms' own means, each counted with one half
//! of an outcome at 0.5. Until a group has 1024 outcomes it follows them, for all arms alike; then it
//! stands. Why follow, and not take the mean at an arm's first outcome: the prior weighs as much as
//! several outcomes, and arms whose first outcomes came at different moments would start from
//! different means, so that luck in the first ten outcomes would decide who is tried in the next
//! thousand (seen on llmrouter_mix). Why over arms: the mean over outcomes drifts to the favourite's.
//!
//! Not here: pooling over teams.
//!
//! Source: SCIENCE 2.2 (prior mean = pooled mean).

use super::arm::Arm;
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

/// The pooled mean of each of a group's targets; 0.5 where nothing was seen.
pub(super) fn means(arms: &BTreeMap<Name, Arm>, group: usize, targets: usize) -> Vec<f64> {
    let pooled = |target: usize| {
        let seen = arms
            .values()
            .filter_map(|arm| arm.observed.get(group)?.get(target));
        let shrunk = |(count, sum): &(u64, f64)| (sum + 0.25) / (*count as f64 + 0.5);
        let of_arms: Vec<f64> = seen.filter(|(count, _)| *count > 0).map(shrunk).collect();
        match of_arms.len() {
            0 => 0.5,
            arms => of_arms.iter().sum::<f64>() / arms as f64,
        }
    };
    (0..targets).map(pooled).collect()
}
