//! What is said of a set of rows: of all, and of each slice.

use super::{Question, Said, Tuned};
use crate::ope::{
    Calibration, Caution, Estimate, Estimator, Family, OverlapTally, Panel, Row, Rule,
    expected_square, unsupported,
};
use crate::table::Families;
use std::collections::BTreeMap;

/// Sums over rows, from which everything follows.
pub(super) struct Set {
    overlap: OverlapTally,
    panel: Panel,
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
    pub(super) fn new(arms: usize) -> Self {
        Self {
            overlap: OverlapTally::default(),
            panel: Panel::default(),
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
        self.panel.add(episode);
    }

    /// Takes in what another one has, of other rows and episodes.
    pub(super) fn merge(&mut self, other: &Self) {
        self.overlap.merge(&other.overlap);
        self.panel.merge(&other.panel);
        self.calibration.merge(&other.calibration);
        self.rows += other.rows;
        self.noted.unsupported += other.noted.unsupported;
        self.noted.truth += other.noted.truth;
        self.noted.square += other.noted.square;
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
    pub(super) fn said(&self, families: Families, question: &Question) -> Said {
        let overlap = self.overlap.overlap(self.mean(self.noted.unsupported));
        let calibration = families.pmf.then(|| self.calibration.report());
        let refusal = match &calibration {
            Some(calibration) => {
                let faulty = calibration.refusal().or_else(|| overlap.refusal());
                faulty.or_else(|| overlap.too_small(self.foretold()))
            }
            None => overlap.refusal().or_else(|| overlap.mean_weight_refusal()),
        };
        let told = refusal.is_none() || question.regardless;
        let (estimates, tuned) = match told {
            true => (self.estimates(families.model), self.tuned(families.model)),
            false => Default::default(),
        };
        let headline = estimates.get("dr").or_else(|| estimates.get("snips"));
        Said {
            rows: self.rows,
            refusal,
            truth: (families.truth && self.rows > 0).then(|| self.mean(self.noted.truth)),
            logged: self.panel.logged(),
            overlap,
            calibration,
            cautions: match told {
                true => Caution::of(&overlap, 0.0, None),
                false => Vec::new(),
            },
            detectable_effect: headline.map(Estimate::detectable_effect),
            estimates,
            tuned,
        }
    }

    /// Each estimator by its name; those that need a model only where there is one.
    fn estimates(&self, model: bool) -> BTreeMap<String, Estimate> {
        let estimators = Estimator::STANDARD.into_iter();
        let estimators = estimators.filter(|e| model || !e.needs_model());
        let found = |e: Estimator| Some((e.to_string(), self.panel.estimate(e)?));
        estimators.filter_map(found).collect()
    }

    /// Each family with the parameter that each rule chooses.
    fn tuned(&self, model: bool) -> BTreeMap<String, Tuned> {
        let families = Family::ALL.into_iter();
        let families = families.filter(|f| model || *f == Family::ClippedIps);
        let both = families.flat_map(|family| Rule::ALL.map(|rule| (family, rule)));
        let found = |(family, rule): (Family, Rule)| {
            let lambda = self.panel.choose(family, rule)?;
            let estimate = self.panel.estimate(family.member(lambda))?;
            Some((format!("{family}_tuned_{rule}"), Tuned { lambda, estimate }))
        };
        both.filter_map(found).collect()
    }
}
