//! What a log offered, and what a candidate would have spent on it.
//!
//! A request's spend is what its draw's arms were expected to cost it, by the candidate's probabilities; a
//! request that inherited its arm is spent on by the draw that it hangs on. The mean is over requests.
//!
//! Invariants: what chance had no part in, and what was held out, is left out, as it is from estimates.
//!
//! Not here: what was paid (an arm's own cost is known of the drawn arm only).
//!
//! Units: USD a request. Memory: some 300 bytes and 60 an arm a draw, where draws are asked for.

use super::Row;
use super::error::Error;
use super::target::Candidate;
use crate::bandit::Scratch;
use crate::decision::{Cell, Drawn};
use crate::id::{DecisionId, Name};
use std::collections::{BTreeMap, BTreeSet};

/// What a log offered.
#[derive(Debug, Default)]
pub(super) struct Survey {
    offered: BTreeSet<Name>,
    keeps_draws: bool,
    draws: Vec<Draw>,
    of: BTreeMap<DecisionId, usize>,
}

/// A draw and what its requests would cost.
#[derive(Debug)]
struct Draw {
    drawn: Drawn,
    /// By arm, over all requests that hang on it.
    cost_usd: Vec<f64>,
    requests: u32,
}

impl Survey {
    /// One that knows the arms, and the draws too if `keeps_draws`.
    pub(super) fn new(keeps_draws: bool) -> Self {
        Self {
            keeps_draws,
            ..Self::default()
        }
    }

    /// Takes in a row.
    pub(super) fn add(&mut self, row: Row) {
        if row.cell == Cell::Holdout || row.deterministic() {
            return;
        }
        for arm in &row.drawn.arms {
            if !self.offered.contains(arm) {
                self.offered.insert(arm.clone());
            }
        }
        if !self.keeps_draws {
            return;
        }
        if row.is_draw() {
            let mut drawn = row.drawn;
            (drawn.signals, drawn.signal_mean, drawn.signal_sd) = Default::default();
            self.of.insert(row.id, self.draws.len());
            self.draws.push(Draw {
                cost_usd: drawn.cost_usd.clone(),
                requests: 1,
                drawn,
            });
        } else if let Some(index) = row.earlier().and_then(|id| self.of.get(&id).copied()) {
            self.of.insert(row.id, index);
            if let Some(draw) = self.draws.get_mut(index) {
                draw.inherit(&row.drawn);
            }
        }
    }

    /// Refuses an arm that no draw could have had.
    pub(super) fn check_offered<'a>(
        &self,
        candidate: &str,
        mut named: impl Iterator<Item = (&'static str, &'a Name)>,
    ) -> Result<(), Error> {
        match named.find(|(_, arm)| !self.offered.contains(*arm)) {
            None => Ok(()),
            Some((field, arm)) => Err(Error::NeverOffered {
                candidate: candidate.to_owned(),
                field,
                arm: arm.clone(),
                allowed: self.offered.iter().cloned().collect(),
            }),
        }
    }

    /// What `candidate` would have spent in the mean; nothing where it could not choose once.
    pub(super) fn spend_usd(&self, candidate: &Candidate) -> Result<Option<f64>, Error> {
        let mut scratch = Scratch::default();
        let (mut spent, mut requests) = (0.0, 0.0);
        for draw in &self.draws {
            let Some(pmf) = candidate.pmf(&draw.drawn, &mut scratch)? else {
                continue;
            };
            let parts = pmf.as_slice().iter().zip(&draw.cost_usd);
            spent += parts.map(|(p, cost)| p * cost).sum::<f64>();
            requests += f64::from(draw.requests);
        }
        Ok((requests > 0.0).then(|| spent / requests))
    }
}

impl Draw {
    /// Takes in a later request that has this draw's arm.
    fn inherit(&mut self, later: &Drawn) {
        self.requests += 1;
        let arms = self.drawn.arms.iter().zip(&self.drawn.cost_usd);
        for ((arm, own), sum) in arms.zip(&mut self.cost_usd) {
            let place = later.arms.iter().position(|other| other == arm);
            let cost = place.and_then(|place| later.cost_usd.get(place));
            *sum += cost.unwrap_or(own);
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::decision::Origin;
    use crate::learn::sample::Maker;
    use crate::replay::target::tests::{drawn, name};

    /// A row that drew among arms of these utilities and costs.
    pub(in crate::replay) fn row(maker: &mut Maker, utility: &[f64], cost_usd: &[f64]) -> Row {
        let mut row = Row::new(maker.decision(None));
        row.drawn = drawn(utility, cost_usd);
        row
    }

    #[test]
    fn spend_is_by_request_and_leaves_out_what_chance_had_no_part_in() {
        let mut maker = Maker::new();
        let mut survey = Survey::new(true);
        let first = row(&mut maker, &[0.5, 0.4], &[3.0, 1.0]);
        let mut later = row(&mut maker, &[0.5, 0.4], &[7.0, 5.0]);
        later.origin = Origin::Inherited(first.id);
        let mut pinned = row(&mut maker, &[0.5, 0.4, 0.3], &[100.0, 100.0, 100.0]);
        pinned.origin = Origin::Pinned;
        let mut held = row(&mut maker, &[0.5, 0.4, 0.3], &[100.0, 100.0, 100.0]);
        held.cell = Cell::Holdout;
        for row in [
            first,
            later,
            pinned,
            held,
            row(&mut maker, &[0.1, 0.9], &[2.0, 1.0]),
        ] {
            survey.add(row);
        }
        let spend = |text: &str| survey.spend_usd(&text.parse().unwrap()).unwrap();
        assert_eq!(spend("fixed:arm=a"), Some(4.0));
        assert_eq!(spend("fixed:arm=b"), Some(7.0 / 3.0));
        assert_eq!(spend("logged"), Some((2.0 + 6.0 + 1.5) / 3.0));
        assert_eq!(spend("fixed:arm=c"), None);
        let named = |arm: &str| {
            let arm = name(arm);
            survey
                .check_offered("x", [("drop", &arm)].into_iter())
                .map_err(|e| e.to_string())
        };
        assert_eq!(named("b"), Ok(()));
        assert_eq!(
            named("c").unwrap_err(),
            "candidate x: drop has arm c, which the log never offered: allowed a, b; what an arm would do that \
             was never offered is not in a log, but in an outcome table (`replay outcomes`)"
        );
    }
}
