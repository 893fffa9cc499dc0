//! One pass over the rows: what the estimators need of each, and the bounds as they go.

use super::Bounds;
use super::asked::{FirstGuess, LoggedTarget, Question};
use crate::ope::{
    Calibration, CalibrationReport, Draw, LowerBound, Row, UpperBound, expected, importance_weight,
    unsupported,
};
use crate::table::{Families, LoggedBatch};
use std::collections::{BTreeMap, HashMap};

/// The caps of the bounds, by their names; 0 leaves the model out.
const CAPS: [(&str, f64); 4] = [("ipw", 0.0), ("dr1", 1.0), ("dr5", 5.0), ("dr20", 20.0)];

/// The chance that one of the bounds is ever missed.
const MISS: f64 = 0.025;

/// Rows so far.
pub(super) struct Gathered<'a> {
    question: &'a Question,
    families: Families,
    arms: usize,
    rows: Vec<Row>,
    /// Numbers of the episodes, and the product of the weights of each.
    clusters: HashMap<u64, usize>,
    products: Vec<f64>,
    unsupported: f64,
    truth: f64,
    calibration: Calibration,
    bounds: Vec<(&'static str, LowerBound, UpperBound)>,
    cut: usize,
    target: Vec<f64>,
    pmf: Vec<(usize, f64)>,
}

/// All rows.
pub(super) struct Whole {
    pub(super) rows: Vec<Row>,
    pub(super) arms: usize,
    pub(super) has_model: bool,
    pub(super) unsupported: f64,
    pub(super) truth: Option<f64>,
    pub(super) calibration: Option<CalibrationReport>,
    pub(super) anytime: BTreeMap<String, Bounds>,
    pub(super) cut: f64,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(question: &'a Question, arms: usize, families: Families) -> Self {
        let bounds = CAPS.iter().filter(|(_, k)| *k == 0.0 || families.model);
        let bounds = bounds.map(|&(name, k)| match question.first_guess {
            FirstGuess::Capped => (name, LowerBound::new(k, MISS), UpperBound::new(k, MISS)),
            FirstGuess::Half => {
                let lower = LowerBound::with_first_guess(k, MISS, 0.5);
                (name, lower, UpperBound::with_first_guess(k, MISS, 0.5))
            }
        });
        Self {
            question,
            families,
            arms,
            rows: Vec::new(),
            clusters: HashMap::new(),
            products: Vec::new(),
            unsupported: 0.0,
            truth: 0.0,
            calibration: Calibration::new(arms),
            bounds: bounds.collect(),
            cut: 0,
            target: vec![0.0; arms],
            pmf: Vec::with_capacity(arms),
        }
    }

    /// Takes in a batch.
    pub(super) fn take(&mut self, batch: &LoggedBatch) {
        let values = batch
            .chosen
            .iter()
            .zip(&batch.reward)
            .zip(&batch.propensity);
        for (row, ((chosen, reward), propensity)) in values.enumerate() {
            if self.question.rows.has(batch.first + row) {
                self.row(batch, row, *chosen, *reward, *propensity);
            }
        }
    }

    fn row(
        &mut self,
        batch: &LoggedBatch,
        row: usize,
        chosen: usize,
        reward: f64,
        propensity: f64,
    ) {
        self.aim(batch, row);
        let (logged, model) = (batch.row(&batch.pmf, row), batch.row(&batch.model, row));
        let probability = self.target.get(chosen).copied().unwrap_or(0.0);
        let own = importance_weight(probability, propensity);
        self.unsupported += match logged.is_empty() {
            false => unsupported(&self.target, logged),
            // Of a draw that was certain the rest had no chance.
            true if propensity >= 1.0 => 1.0 - probability,
            true => 0.0,
        };
        self.truth += expected(&self.target, batch.row(&batch.truth, row));
        self.cut += usize::from(!(0.0..=1.0).contains(&reward));
        let (cluster, before) = self.cluster(batch.episode.get(row).copied(), own);
        self.rows.push(Row {
            cluster,
            weight: own,
            weight_before: before,
            reward,
            model_value: expected(&self.target, model),
            model_chosen: model.get(chosen).copied().unwrap_or(0.0),
        });
        if logged.is_empty() {
            return;
        }
        self.pmf.clear();
        self.pmf.extend(logged.iter().copied().enumerate());
        self.calibration.add(&self.pmf, chosen);
        let draw = Draw {
            chosen,
            reward,
            logged,
            target: &self.target,
            model,
        };
        for (_, lower, upper) in &mut self.bounds {
            lower.add(&draw);
            upper.add(&draw);
        }
    }

    /// Sets the target's pmf of a row.
    fn aim(&mut self, batch: &LoggedBatch, row: usize) {
        let even = (self.arms as f64).recip();
        let (share, at) = match self.question.target {
            LoggedTarget::Columns => {
                self.target.copy_from_slice(batch.row(&batch.target, row));
                return;
            }
            LoggedTarget::Uniform => (0.0, None),
            LoggedTarget::Arm(arm) => (1.0, Some(arm)),
            LoggedTarget::Choice(share) => (share, batch.choice.get(row).copied()),
        };
        self.target.fill((1.0 - share) * even);
        if let Some(p) = at.and_then(|arm| self.target.get_mut(arm)) {
            *p += share;
        }
    }

    /// The number of a row's episode, and the weight of the episode's rows before it.
    fn cluster(&mut self, episode: Option<u64>, own: f64) -> (usize, f64) {
        let fresh = self.products.len();
        let number = match episode {
            Some(episode) => *self.clusters.entry(episode).or_insert(fresh),
            None => fresh,
        };
        if number == fresh {
            self.products.push(1.0);
        }
        let product = self.products.get_mut(number);
        let before = product.as_ref().map_or(1.0, |p| **p);
        if let Some(product) = product {
            *product *= own;
        }
        (number, before)
    }

    /// What there is when the file ends.
    pub(super) fn finish(mut self) -> Whole {
        let n = self.rows.len() as f64;
        let mean = |sum: f64| if n > 0.0 { sum / n } else { 0.0 };
        let single = self.products.len() == self.rows.len();
        for row in &mut self.rows {
            row.weight = self
                .products
                .get(row.cluster)
                .copied()
                .unwrap_or(row.weight);
        }
        let bounds = self
            .bounds
            .iter()
            .filter(|_| single && self.families.pmf && n > 0.0);
        let anytime = bounds.map(|(name, lower, upper)| {
            let (lower, upper) = (lower.value(), upper.value());
            ((*name).to_owned(), Bounds { lower, upper })
        });
        Whole {
            anytime: anytime.collect(),
            arms: self.arms,
            has_model: self.families.model,
            unsupported: mean(self.unsupported),
            truth: (self.families.truth && n > 0.0).then(|| mean(self.truth)),
            calibration: self.families.pmf.then(|| self.calibration.report()),
            cut: mean(self.cut as f64),
            rows: self.rows,
        }
    }
}
