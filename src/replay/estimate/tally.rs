//! What is said of a set of rows: of all, and of each slice.

use super::{Question, Said, Tuned};
use crate::ope::{
    Calibration, Estimate, Estimator, Family, OverlapTally, Row, Rule, Tally, Tuning,
    expected_square, unsupported,
};
use std::collections::BTreeMap;

/// Sums over rows, from which everything follows.
pub(super) struct Set {
    pub(super) overlap: OverlapTally,
    logged: Tally,
    estimators: Vec<Tally>,
    families: Vec<(Family, Tuning)>,
    pub(super) calibration: Calibration,
    pub(super) rows: usize,
    noted: Noted,
}

/// What is summed over rows besides.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Noted {
    /// The target's mass on arms that could not be drawn.
    unsupported: f64,
    /// The target's true value.
    truth: f64,
    /// The expected square of the weight.
    square: f64,
}

impl Noted {
    /// Of a row: the target's pmf, the logged one, the probabilities of the arm drawn by either, and the truth.
    pub(super) fn of(
        target: &[f64],
        logged: &[f64],
        (probability, propensity): (f64, f64),
        truth: f64,
    ) -> Self {
        let mass = match logged.is_empty() {
            false => unsupported(target, logged),
            // Of a draw that was certain the rest had no chance.
            true if propensity >= 1.0 => 1.0 - probability,
            true => 0.0,
        };
        Self {
            unsupported: mass,
            truth,
            square: expected_square(target, logged),
        }
    }
}

impl Set {
    /// Of no rows.
    pub(super) fn new(arms: usize, has_model: bool) -> Self {
        let estimators = Estimator::STANDARD.into_iter();
        let estimators = estimators.filter(|e| has_model || !e.needs_model());
        let families = Family::ALL.into_iter();
        let families = families.filter(|f| has_model || *f == Family::ClippedIps);
        Self {
            overlap: OverlapTally::default(),
            logged: Tally::new(Estimator::IPS),
            estimators: estimators.map(Tally::new).collect(),
            families: families
                .map(|family| (family, Tuning::new(family)))
                .collect(),
            calibration: Calibration::new(arms),
            rows: 0,
            noted: Noted::default(),
        }
    }

    /// Counts a row.
    pub(super) fn note(&mut self, row: &Noted) {
        self.rows += 1;
        self.noted.unsupported += row.unsupported;
        self.noted.truth += row.truth;
        self.noted.square += row.square;
    }

    /// Takes in the rows of one episode.
    pub(super) fn add(&mut self, episode: &[Row]) {
        self.overlap.add(episode);
        for tally in &mut self.estimators {
            tally.add(episode);
        }
        for (_, tuning) in &mut self.families {
            tuning.add(episode);
        }
    }

    /// Takes in the rows of one episode as they were logged, unweighted.
    pub(super) fn log(&mut self, episode: &[Row]) {
        self.logged.add(episode);
    }

    /// The effective sample size that the pmfs foretell, before any draw: a log whose few draws like the target's
    /// have not come looks better than it is.
    fn foretold(&self) -> f64 {
        let rows = self.rows as f64;
        rows / (self.noted.square / rows).max(1.0)
    }

    /// A mean over the rows.
    pub(super) fn mean(&self, sum: f64) -> f64 {
        if self.rows > 0 {
            sum / self.rows as f64
        } else {
            0.0
        }
    }

    /// What follows.
    pub(super) fn said(&self, has_pmf: bool, has_truth: bool, question: &Question) -> Said {
        let overlap = self.overlap.overlap(self.mean(self.noted.unsupported));
        let calibration = has_pmf.then(|| self.calibration.report());
        let refusal = match &calibration {
            Some(calibration) => {
                let faulty = calibration.refusal().or_else(|| overlap.refusal());
                faulty.or_else(|| overlap.too_small(self.foretold()))
            }
            None => overlap.refusal().or_else(|| overlap.mean_weight_refusal()),
        };
        let told = refusal.is_none() || question.regardless;
        let mut estimates = BTreeMap::new();
        let mut tuned = BTreeMap::new();
        if told {
            for tally in &self.estimators {
                let found = tally.estimate();
                estimates.extend(found.map(|found| (tally.estimator().to_string(), found)));
            }
            for (family, tuning) in &self.families {
                for rule in Rule::ALL {
                    let name = format!("{family}_tuned_{rule}");
                    tuned.extend(chosen(tuning, rule).map(|found| (name, found)));
                }
            }
        }
        let headline = estimates.get("dr").or_else(|| estimates.get("snips"));
        Said {
            rows: self.rows,
            refusal,
            truth: (has_truth && self.rows > 0).then(|| self.mean(self.noted.truth)),
            logged: self.logged.estimate(),
            overlap,
            calibration,
            detectable_effect: headline.map(Estimate::detectable_effect),
            estimates,
            tuned,
        }
    }
}

fn chosen(tuning: &Tuning, rule: Rule) -> Option<Tuned> {
    let lambda = tuning.choose(rule)?;
    let estimate = tuning.estimate(lambda)?;
    Some(Tuned { lambda, estimate })
}
