//! One pass over the rows: what the estimators need of each, and the bounds as they go.

use super::asked::{FirstGuess, LoggedTarget, Question};
use super::tally::{Noted, Set};
use super::{Bounds, EstimateReport};
use crate::ope::{Draw, LowerBound, Row, UpperBound, expected, importance_weight};
use crate::replay::Error;
use crate::table::{Families, LoggedBatch};
use std::collections::{BTreeMap, HashMap};

/// The caps of the bounds, by their names; 0 leaves the model out.
const CAPS: [(&str, f64); 4] = [("ipw", 0.0), ("dr1", 1.0), ("dr5", 5.0), ("dr20", 20.0)];

/// Slices at most: each keeps some 20 KB of sums, and a column of ids makes as many as there are rows.
const MOST_SLICES: usize = 1_000;

/// The chance that one of the bounds is ever missed.
const MISS: f64 = 0.025;

/// Rows so far.
pub(super) struct Gathered<'a> {
    question: &'a Question,
    families: Families,
    arms: usize,
    all: Set,
    slices: BTreeMap<String, Set>,
    episodes: Episodes,
    bounds: Vec<(&'static str, LowerBound, UpperBound)>,
    cut: usize,
    target: Vec<f64>,
    /// The model where the file has none.
    zeros: Vec<f64>,
    pmf: Vec<(usize, f64)>,
}

/// Rows that belong to episodes, which are judged when all have come.
#[derive(Default)]
struct Episodes {
    /// Numbers of the episodes, and the product of the weights of each.
    numbers: HashMap<u64, usize>,
    products: Vec<f64>,
    rows: Vec<Row>,
    /// Of each row, where there are slices.
    slices: Vec<String>,
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
            all: Set::new(arms, families.model),
            slices: BTreeMap::new(),
            episodes: Episodes::default(),
            bounds: bounds.collect(),
            cut: 0,
            target: vec![0.0; arms],
            zeros: vec![0.0; arms],
            pmf: Vec::with_capacity(arms),
        }
    }

    /// Takes in a batch.
    pub(super) fn take(&mut self, batch: &LoggedBatch) -> Result<(), Error> {
        for row in 0..batch.chosen.len() {
            if self.question.rows.has(batch.first + row) {
                self.row(batch, row);
            }
            if self.slices.len() > MOST_SLICES {
                return Err(Error::Setting {
                    field: "number of slices",
                    value: self.slices.len() as f64,
                    allowed: "at most 1000: a column of ids is no slice",
                });
            }
        }
        Ok(())
    }

    fn row(&mut self, batch: &LoggedBatch, at: usize) {
        let values = (
            batch.chosen.get(at),
            batch.reward.get(at),
            batch.propensity.get(at),
        );
        let (Some(&chosen), Some(&reward), Some(&propensity)) = values else {
            return;
        };
        self.aim(batch, at);
        self.cut += usize::from(!(0.0..=1.0).contains(&reward));
        let (logged, model) = (batch.row(&batch.pmf, at), batch.row(&batch.model, at));
        let probability = self.target.get(chosen).copied().unwrap_or(0.0);
        let row = Row {
            cluster: self.all.rows,
            weight: importance_weight(probability, propensity),
            weight_before: 1.0,
            reward,
            model_value: expected(&self.target, model),
            model_chosen: model.get(chosen).copied().unwrap_or(0.0),
        };
        let truth = expected(&self.target, batch.row(&batch.truth, at));
        let noted = Noted::of(&self.target, logged, (probability, propensity), truth);
        self.pmf.clear();
        self.pmf.extend(logged.iter().copied().enumerate());
        if !logged.is_empty() {
            let draw = Draw {
                chosen,
                reward,
                logged,
                target: &self.target,
                model: if model.is_empty() { &self.zeros } else { model },
            };
            for (_, lower, upper) in &mut self.bounds {
                lower.add(&draw);
                upper.add(&draw);
            }
        }
        let (episode, slice) = (batch.episode.get(at).copied(), batch.slice.get(at));
        self.share(row, chosen, &noted, episode, slice);
    }

    /// Gives a row to the sets that it is in.
    fn share(
        &mut self,
        mut row: Row,
        chosen: usize,
        noted: &Noted,
        episode: Option<u64>,
        slice: Option<&String>,
    ) {
        if let Some(slice) = slice
            && !self.slices.contains_key(slice)
        {
            let set = Set::new(self.arms, self.families.model);
            self.slices.insert(slice.clone(), set);
        }
        let part = slice.and_then(|slice| self.slices.get_mut(slice));
        for set in std::iter::once(&mut self.all).chain(part) {
            set.note(noted);
            if !self.pmf.is_empty() {
                set.calibration.add(&self.pmf, chosen);
            }
            if episode.is_none() {
                set.add(&[row]);
                set.log(&[Row { weight: 1.0, ..row }]);
            }
        }
        if let Some(episode) = episode {
            self.episodes.push(episode, &mut row, slice);
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

    /// What there is when the file ends.
    pub(super) fn finish(mut self, read: usize) -> EstimateReport {
        let episodes = self.episodes.numbers.len();
        let single = episodes == 0 || episodes == self.all.rows;
        self.episodes.judge(&mut self.all, &mut self.slices);
        let bounds = self.bounds.iter();
        let bounds = bounds.filter(|_| single && self.families.pmf && self.all.rows > 0);
        let (pmf, truth) = (self.families.pmf, self.families.truth);
        let all = self.all.said(pmf, truth, self.question);
        let told = all.refusal.is_none() || self.question.regardless;
        let anytime = bounds.filter(|_| told).map(|(name, lower, upper)| {
            let (lower, upper) = (lower.value(), upper.value());
            ((*name).to_owned(), Bounds { lower, upper })
        });
        let slices = self.slices.iter();
        let slices = slices.map(|(name, set)| (name.clone(), set.said(pmf, truth, self.question)));
        EstimateReport {
            read,
            arms: self.arms,
            anytime: anytime.collect(),
            cut: self.all.mean(self.cut as f64),
            slices: slices.collect(),
            all,
        }
    }
}

impl Episodes {
    /// Puts a row by, with its number and the weight of its episode's rows before it.
    fn push(&mut self, episode: u64, row: &mut Row, slice: Option<&String>) {
        let fresh = self.products.len();
        row.cluster = *self.numbers.entry(episode).or_insert(fresh);
        if row.cluster == fresh {
            self.products.push(1.0);
        }
        if let Some(product) = self.products.get_mut(row.cluster) {
            row.weight_before = *product;
            *product *= row.weight;
        }
        self.rows.push(*row);
        self.slices.extend(slice.cloned());
    }

    /// Every row now has the weight of its whole episode.
    fn judge(&mut self, all: &mut Set, slices: &mut BTreeMap<String, Set>) {
        for row in &mut self.rows {
            row.weight = self
                .products
                .get(row.cluster)
                .copied()
                .unwrap_or(row.weight);
        }
        let mut parts: BTreeMap<&String, Vec<Row>> = BTreeMap::new();
        for (slice, row) in self.slices.iter().zip(&self.rows) {
            parts.entry(slice).or_default().push(*row);
        }
        for (slice, rows) in &mut parts {
            if let Some(set) = slices.get_mut(*slice) {
                by_episode(rows, set);
            }
        }
        by_episode(&mut self.rows, all);
    }
}

fn by_episode(rows: &mut [Row], set: &mut Set) {
    rows.sort_by_key(|row| row.cluster);
    for episode in rows.chunk_by(|a, b| a.cluster == b.cluster) {
        set.add(episode);
        let unweighted: Vec<Row> = episode
            .iter()
            .map(|row| Row {
                weight: 1.0,
                ..*row
            })
            .collect();
        set.log(&unweighted);
    }
}
