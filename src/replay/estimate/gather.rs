//! One pass over the rows: sums of each slice, or of all rows where there are no slices.
//!
//! Invariants: a row enters one set, its slice's; the set of all is theirs together, in the order of their names. Only
//! rows of episodes are kept until the log ends, and enter both then, for an episode may have rows in several slices.
//!
//! Not here: the bounds at every peek ([`super::looks`]), what a set says ([`super::tally`]).

use super::EstimateReport;
use super::asked::Question;
use super::block::{Block, Seen};
use super::looks::Looks;
use super::tally::{Noted, Set};
use crate::ope::{Row, expected, importance_weight};
use crate::replay::Error;
use crate::table::{Families, LoggedBatch};
use std::collections::{BTreeMap, HashMap};

/// Slices at most: each keeps some 10 KB of sums, and a column of ids makes as many as there are rows.
const MOST_SLICES: usize = 1_000;

/// Rows so far.
pub(super) struct Gathered<'a> {
    question: &'a Question,
    families: Families,
    arms: usize,
    block: Block,
    all: Set,
    slices: Slices,
    episodes: Episodes,
    cut: usize,
}

/// The set of each slice, and its place by name.
#[derive(Default)]
struct Slices {
    places: BTreeMap<String, usize>,
    sets: Vec<Set>,
}

/// Rows that belong to episodes, which are judged when all have come.
#[derive(Default)]
struct Episodes {
    /// Numbers of the episodes, and the product of the weights of each.
    numbers: HashMap<u64, usize>,
    products: Vec<f64>,
    rows: Vec<Row>,
    /// The place of each row's slice, where there are slices.
    slices: Vec<usize>,
}

impl<'a> Gathered<'a> {
    pub(super) fn new(question: &'a Question, arms: usize, families: Families) -> Self {
        Self {
            question,
            families,
            arms,
            block: Block::default(),
            all: Set::new(arms),
            slices: Slices::default(),
            episodes: Episodes::default(),
            cut: 0,
        }
    }

    /// Takes in a batch.
    pub(super) fn take(&mut self, batch: &LoggedBatch) -> Result<(), Error> {
        let mut places = vec![None; batch.slices.len()];
        let mut block = std::mem::take(&mut self.block);
        block.each(batch, self.question, |seen| {
            let kind = batch.slice.get(seen.at).map(|kind| *kind as usize);
            let place = kind.and_then(|kind| {
                let (place, name) = (places.get_mut(kind)?, batch.slices.get(kind)?);
                Some(*place.get_or_insert_with(|| self.slices.place(name, self.arms)))
            });
            self.row(seen, batch.episode.get(seen.at).copied(), place);
        });
        self.block = block;
        match self.slices.places.len() {
            found if found > MOST_SLICES => Err(Error::Setting {
                field: "number of slices",
                value: found as f64,
                allowed: "at most 1000: a column of ids is no slice",
            }),
            _ => Ok(()),
        }
    }

    fn row(&mut self, seen: &Seen<'_>, episode: Option<u64>, place: Option<usize>) {
        let (reward, propensity) = (seen.reward, seen.propensity);
        self.cut += usize::from(!(0.0..=1.0).contains(&reward));
        let probability = seen.target.get(seen.chosen).copied().unwrap_or(0.0);
        let row = Row {
            cluster: 0,
            weight: importance_weight(probability, propensity),
            weight_before: 1.0,
            reward,
            model_value: expected(seen.target, seen.model),
            model_chosen: seen.model.get(seen.chosen).copied().unwrap_or(0.0),
        };
        let truth = expected(seen.target, seen.truth);
        let own = place.and_then(|place| self.slices.sets.get_mut(place));
        let set = own.unwrap_or(&mut self.all);
        set.note(&Noted::of(
            seen.target,
            seen.logged,
            (probability, propensity),
            truth,
        ));
        if !seen.logged.is_empty() {
            set.calibration.add_row(seen.logged, seen.chosen);
        }
        match episode {
            None => set.add(&[row]),
            Some(episode) => self.episodes.push(episode, row, place),
        }
    }

    /// What there is when the log ends.
    pub(super) fn finish(mut self, read: usize, looks: &Looks<'_>) -> EstimateReport {
        self.slices
            .places
            .values()
            .filter_map(|place| self.slices.sets.get(*place))
            .for_each(|set| self.all.merge(set));
        let episodes = self.episodes.numbers.len();
        let single = episodes == 0 || episodes == self.all.rows;
        self.episodes.judge(&mut self.all, &mut self.slices.sets);
        let families = self.families;
        let all = self.all.said(families, self.question);
        let told = all.refusal.is_none() || self.question.regardless;
        let bounds = looks.bounds();
        let bounds = bounds.filter(|_| single && families.pmf && self.all.rows > 0 && told);
        let places = self.slices.places.iter();
        let sets = places.filter_map(|(name, place)| Some((name, self.slices.sets.get(*place)?)));
        let slices = sets.map(|(name, set)| (name.clone(), set.said(families, self.question)));
        EstimateReport {
            read,
            arms: self.arms,
            anytime: bounds
                .map(|(name, bounds)| (name.to_owned(), bounds))
                .collect(),
            cut: self.all.mean(self.cut as f64),
            slices: slices.collect(),
            all,
        }
    }
}

impl Slices {
    /// The place of a slice's set, which is made if there is none. Of a column of ids the first
    /// 1,001 sets are made: enough to be told.
    fn place(&mut self, name: &str, arms: usize) -> usize {
        if let Some(place) = self.places.get(name) {
            return *place;
        }
        let place = self.places.len();
        if place <= MOST_SLICES {
            self.places.insert(name.to_owned(), place);
            self.sets.push(Set::new(arms));
        }
        place
    }
}

impl Episodes {
    /// Puts a row by, with its number and the weight of its episode's rows before it.
    fn push(&mut self, episode: u64, mut row: Row, place: Option<usize>) {
        let fresh = self.products.len();
        row.cluster = *self.numbers.entry(episode).or_insert(fresh);
        if row.cluster == fresh {
            self.products.push(1.0);
        }
        if let Some(product) = self.products.get_mut(row.cluster) {
            row.weight_before = *product;
            *product *= row.weight;
        }
        self.rows.push(row);
        self.slices.extend(place);
    }

    /// Every row now has the weight of its whole episode.
    fn judge(&mut self, all: &mut Set, slices: &mut [Set]) {
        for row in &mut self.rows {
            let product = self.products.get(row.cluster).copied();
            row.weight = product.unwrap_or(row.weight);
        }
        let mut parts: BTreeMap<usize, Vec<Row>> = BTreeMap::new();
        for (slice, row) in self.slices.iter().zip(&self.rows) {
            parts.entry(*slice).or_default().push(*row);
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
    }
}
