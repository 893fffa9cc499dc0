//! What was reported of each arm, signal by signal, as the log has it at the end.
//!
//! Invariants: the means are over what is known: values that were seen, and values that the scorecard
//! gives to silence, since all closing times have passed.
//!
//! Not here: what the learner makes of it (`learn`).

use super::team::{TeamRun, interval};
use crate::ope::{Estimator, Row as Weighted};
use crate::replay::Row;
use crate::report::SignalCell;
use crate::scorecard::{Kind, Scorecard, Spec};
use crate::signal::Value;
use std::collections::BTreeMap;

/// What is known of one signal of one arm.
#[derive(Default)]
struct Known {
    values: Vec<Weighted>,
    seen: usize,
    assumed: usize,
    unknown: usize,
}

/// A cell for each signal and arm.
pub(super) fn signals(rows: &[Row], run: &TeamRun<'_>, scorecard: &Scorecard) -> Vec<SignalCell> {
    let mut cells = Vec::new();
    for (index, spec) in scorecard.signals().iter().enumerate() {
        for arm in 0..run.arms() {
            let name = run.arm_name(arm);
            let known = known(rows, name, index, spec, scorecard);
            cells.push(SignalCell {
                signal: spec.name.to_string(),
                arm: name.to_owned(),
                mean: Estimator::IPS.estimate(&known.values).map(interval),
                seen: known.seen,
                assumed: known.assumed,
                unknown: known.unknown,
            });
        }
    }
    cells
}

fn known(rows: &[Row], arm: &str, index: usize, spec: &Spec, scorecard: &Scorecard) -> Known {
    let mut known = Known::default();
    let mut clusters = BTreeMap::new();
    let of_arm = |row: &&Row| row.drawn.arm().is_some_and(|a| a.as_str() == arm);
    for row in rows.iter().filter(of_arm) {
        let told = row.outcomes.iter().find(|(name, _)| *name == spec.name);
        let told = told.and_then(|(_, v)| scorecard.normalise(index, &value(spec, *v)).ok()?);
        let value = told.or_else(|| spec.missing.value());
        match (told, value) {
            (Some(_), _) => known.seen += 1,
            (None, Some(_)) => known.assumed += 1,
            (None, None) => known.unknown += 1,
        }
        let Some(reward) = value else {
            continue;
        };
        let next = clusters.len();
        let episode = row
            .episode
            .as_ref()
            .map_or_else(|| row.id.to_string(), ToString::to_string);
        known.values.push(Weighted {
            cluster: *clusters.entry(episode).or_insert(next),
            weight: 1.0,
            weight_before: 1.0,
            reward,
            model_value: 0.0,
            model_chosen: 0.0,
        });
    }
    known
}

/// A value as it was told: the export writes flags as 0 and 1.
fn value(spec: &Spec, number: f64) -> Value {
    match spec.kind {
        Kind::Flag { .. } => Value::Flag(number != 0.0),
        Kind::Number { .. } => Value::Number(number),
    }
}
