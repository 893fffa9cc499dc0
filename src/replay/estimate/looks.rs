//! The bounds that hold at every peek, row after row.
//!
//! Invariants: rows come in the order of the log; of none but those before it does a row's share depend.
//!
//! Not here: the bounds ([`crate::ope::Peeks`]), whether they may be told (`gather`).

use super::Bounds;
use super::asked::{FirstGuess, Question};
use super::block::Block;
use crate::ope::{Draw, Peeks};
use crate::table::{Families, LoggedBatch};

/// The caps of the bounds, by their names; 0 leaves the model out.
const CAPS: [(&str, f64); 4] = [("ipw", 0.0), ("dr1", 1.0), ("dr5", 5.0), ("dr20", 20.0)];

/// The chance that one of the bounds is ever missed.
const MISS: f64 = 0.025;

/// Bounds so far.
pub(super) struct Looks<'a> {
    question: &'a Question,
    families: Families,
    block: Block,
    peeks: Peeks,
    /// The model where the file has none.
    zeros: Vec<f64>,
}

impl<'a> Looks<'a> {
    pub(super) fn new(question: &'a Question, arms: usize, families: Families) -> Self {
        let first_guess = match question.first_guess {
            FirstGuess::Capped => None,
            FirstGuess::Half => Some(0.5),
        };
        Self {
            question,
            families,
            block: Block::default(),
            peeks: Peeks::new(CAPS.map(|(_, k)| k), MISS, first_guess),
            zeros: vec![0.0; arms],
        }
    }

    /// Takes in a batch.
    pub(super) fn take(&mut self, batch: &LoggedBatch) {
        if !self.families.pmf {
            return;
        }
        let (peeks, zeros) = (&mut self.peeks, &self.zeros);
        self.block.each(batch, self.question, |seen| {
            peeks.add(&Draw {
                chosen: seen.chosen,
                reward: seen.reward,
                logged: seen.logged,
                target: seen.target,
                model: if seen.model.is_empty() {
                    zeros
                } else {
                    seen.model
                },
            });
        });
    }

    /// Each bound by its name; those that need a model only where there is one.
    pub(super) fn bounds(&self) -> impl Iterator<Item = (&'static str, Bounds)> {
        let named = CAPS.into_iter().zip(self.peeks.bounds());
        let model = self.families.model;
        let named = named.filter(move |((_, k), _)| *k == 0.0 || model);
        named.map(|((name, _), (lower, upper))| (name, Bounds { lower, upper }))
    }
}
