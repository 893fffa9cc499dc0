//! Whether the logged propensities are what the log's own values give: recomputed, and counted.
//!
//! Source: SCIENCE 2.3 (recompute p from the stored u and s, equality to 1e-12), 3.3 (calibration).

use super::log::Log;
use crate::bandit::{Policy, Scratch};
use crate::id::Name;
use crate::ope::{Calibration, CalibrationReport};
use crate::route::recompute;
use serde::Serialize;

/// Largest difference that counts as equal.
const TOLERANCE: f64 = 1e-12;

/// The checks of a log's propensities.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PropensityCheck {
    /// Draws whose pmf was recomputed.
    pub recomputed: usize,
    /// Of these, those equal to the logged pmf within 1e-12.
    pub equal: usize,
    /// Largest difference of a probability.
    pub worst_error: f64,
    /// Draws whose logged policy could not be read or gave no pmf.
    pub unreadable: usize,
    /// The arms, in the order of `calibration.arms`.
    pub arms: Vec<Name>,
    /// Counts of draws against their probabilities.
    pub calibration: CalibrationReport,
}

impl PropensityCheck {
    pub(super) fn of(log: &Log) -> Self {
        let mut scratch = Scratch::default();
        let mut calibration = Calibration::new(log.arms.len());
        let mut last: Option<(&str, Option<Policy>)> = None;
        let (mut recomputed, mut equal, mut unreadable, mut worst_error) = (0, 0, 0, 0.0_f64);
        for draw in &log.draws {
            let logged = draw.drawn.pmf.as_slice();
            let named: Vec<(usize, f64)> = draw
                .arms
                .iter()
                .copied()
                .zip(logged.iter().copied())
                .collect();
            calibration.add(&named, draw.drawn.chosen as usize);
            if last.as_ref().is_none_or(|(text, _)| *text != draw.policy) {
                last = Some((&draw.policy, draw.policy.parse().ok()));
            }
            let drawn = &draw.drawn;
            let policy = last.as_ref().and_then(|(_, policy)| policy.as_ref());
            let pmf = policy.and_then(|policy| {
                recompute(drawn, policy, &drawn.floor, &drawn.forced, &mut scratch).ok()
            });
            let Some(pmf) = pmf else {
                unreadable += 1;
                continue;
            };
            let error = pmf
                .as_slice()
                .iter()
                .zip(logged)
                .map(|(a, b)| (a - b).abs())
                .fold(0.0, f64::max);
            recomputed += 1;
            equal += usize::from(error <= TOLERANCE);
            worst_error = worst_error.max(error);
        }
        Self {
            recomputed,
            equal,
            worst_error,
            unreadable,
            arms: log.arms.clone(),
            calibration: calibration.report(),
        }
    }
}
