//! What attempts use: output tokens, time and money, regressed on the context.
//!
//! Rules, stated because numbers depend on them:
//! - An attempt that says its output tokens is an *answer*: those and its latency are learned, as
//!   ln(1 + value), for they lie orders of magnitude apart. Its money is not: prices are the configuration's.
//! - One that says none is a *bill* (a caller with an invoice alone, most tables): its money is learned, as a
//!   ratio to the decision's reference cost, and its latency. Why not as tokens: prices are not in the
//!   journal, and a rebuild must not depend on today's.
//! - The two have regressions of their own: a row that lacks a target would hold that target where it is.
//! - A decision's first attempt that did not fail says which of the two it is; a later one of the other kind
//!   teaches its latency alone.
//!
//! Invariants: only the arm that was both chosen and served is taught; a failed attempt teaches nothing.
//! Where the decision cannot be read back, the step fails with nothing changed.
//!
//! Not here: prices and caches (`route`), outcomes (`team`), the regression itself (`bandit`).
//!
//! Source: SCIENCE 2.6; the smearing estimate: Duan 1983.

use super::arm::apply;
use super::ledger::Learned;
use super::team::{Scope, Team, Touched, not_learned};
use crate::bandit::{Prior, Ridge, StateError};
use crate::decision::{Attempt, Decision};
use crate::eligibility::REFERENCE_OUTPUT_TOKENS;
use crate::store;
use crate::unit::NanoUsd;
use serde::{Deserialize, Serialize};

/// Targets: ln(1 + output tokens) of answers, cost over reference cost of bills.
pub(super) const AMOUNT: usize = 0;
/// ln(1 + milliseconds).
pub(super) const LATENCY: usize = 1;

/// How many they are.
pub(super) const TARGETS: usize = 2;

/// Precision of the prior on what the context changes.
const RIDGE: f64 = 10.0;

/// Precision of the prior on the level: the guess weighs a tenth of the first attempt, for arms lie orders
/// of magnitude apart, and a level that is learned slowly would look like spread ([`Smear`]). In the demo
/// (answers of 1,200 to 2,200 tokens, the guess is 256; seeds 0 and 1) what an arm is expected to cost is 0.89 to
/// 1.06 of what it costs in a team's first 100 requests, and 0.95 to 1.03 from the 300th on; runs that learned
/// ratios with a precision of 10 had 0.49 to 0.77 and 0.80 to 1.00.
const LEVEL_RIDGE: f64 = 0.1;

/// Milliseconds guessed of an answer.
const GUESSED_MS: f64 = 1000.0;

/// What one attempt, or one row of a table, says was used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Used {
    pub(super) kind: Kind,
    /// By target.
    pub(super) values: [Option<f64>; TARGETS],
}

/// Who tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// Output tokens are said.
    Answer,
    /// Money and latency at most.
    Bill,
}

impl Used {
    /// `cost_usd` counts where there is a reference cost to set it beside, and no tokens.
    pub(super) fn new(
        output_tokens: Option<u32>,
        cost_usd: Option<f64>,
        reference_usd: Option<f64>,
        latency_ms: Option<f64>,
    ) -> Self {
        let cost = cost_usd.zip(reference_usd.filter(|usd| *usd > 0.0));
        let (kind, amount) = match output_tokens {
            Some(tokens) => (Kind::Answer, Some(f64::from(tokens).ln_1p())),
            None => (Kind::Bill, cost.map(|(cost, reference)| cost / reference)),
        };
        Self {
            kind,
            values: [amount, latency_ms.map(f64::ln_1p)],
        }
    }

    fn of(attempt: &Attempt, decision: &Decision) -> Self {
        let chosen = decision.drawn.chosen as usize;
        let reference = decision.drawn.reference_cost_usd.get(chosen);
        Self::new(
            attempt.usage.output,
            attempt.cost.map(NanoUsd::as_usd),
            reference.copied(),
            attempt.latency_ms,
        )
    }
}

/// The row that a decision's attempts have put into one of the regressions.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) learned: Learned,
    /// Which of them; absent until there is a row.
    kind: Option<Kind>,
}

/// What one arm's attempts have shown.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Usage {
    answers: Option<Book>,
    bills: Option<Book>,
}

/// What the attempts of one kind have shown.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Book {
    pub(super) ridge: Ridge,
    /// By target.
    pub(super) smears: [Smear; TARGETS],
}

impl Usage {
    pub(super) fn of(&self, kind: Kind) -> Option<&Book> {
        match kind {
            Kind::Answer => self.answers.as_ref(),
            Kind::Bill => self.bills.as_ref(),
        }
    }

    pub(super) fn books(&self) -> impl Iterator<Item = &Book> {
        [&self.answers, &self.bills].into_iter().flatten()
    }

    pub(super) fn ridges_mut(&mut self) -> impl Iterator<Item = &mut Ridge> {
        let books = [&mut self.answers, &mut self.bills];
        books.into_iter().flatten().map(|book| &mut book.ridge)
    }

    /// The book of a kind, opened if need be, on contexts of `dim` numbers.
    pub(super) fn open(&mut self, kind: Kind, dim: usize) -> Result<&mut Book, StateError> {
        let slot = match kind {
            Kind::Answer => &mut self.answers,
            Kind::Bill => &mut self.bills,
        };
        match slot {
            Some(book) => Ok(book),
            None => Ok(slot.insert(Book::new(kind, dim)?)),
        }
    }

    /// Puts what a decision's attempt used into its row; what is told again moves it.
    pub(super) fn learn(
        &mut self,
        x: &[f32],
        row: &mut Row,
        used: &Used,
    ) -> Result<(), StateError> {
        let entered = row.kind.filter(|_| !row.learned.used.is_empty());
        let kind = entered.unwrap_or(used.kind);
        let mut values = used.values;
        if kind != used.kind {
            values[AMOUNT] = None;
        }
        let before = row.learned.seen;
        let told = values.iter().enumerate();
        let told = told.filter(|(_, value)| value.is_some());
        let changes: Vec<_> = told.map(|(target, value)| (target, *value)).collect();
        if changes.is_empty() {
            return Ok(());
        }
        let book = self.open(kind, x.len())?;
        apply(&mut book.ridge, x, &mut row.learned, &changes)?;
        row.kind = Some(kind);
        for (target, value) in values.iter_mut().enumerate() {
            value.take_if(|_| before & (1 << target) != 0);
        }
        book.spread(x, &values, 1.0)
    }
}

impl Book {
    fn new(kind: Kind, dim: usize) -> Result<Self, StateError> {
        let amount = match kind {
            Kind::Answer => f64::from(REFERENCE_OUTPUT_TOKENS).ln_1p(),
            Kind::Bill => 1.0,
        };
        let mut prior = Prior::on_bias(dim, RIDGE, &[amount, GUESSED_MS.ln_1p()]);
        if let Some(level) = prior.precision.last_mut() {
            *level = LEVEL_RIDGE;
        }
        // Nobody asks how uncertain it is: what keeps that would cost as much as the regression.
        prior.coarse = 0;
        Ok(Self {
            ridge: Ridge::new(&prior)?,
            smears: [Smear::default(); TARGETS],
        })
    }

    /// Notes how far `values`, of a row that has just been learned, lie from what is expected now: after the
    /// row and not before it, for what the prior could not foresee is no spread.
    pub(super) fn spread(
        &mut self,
        x: &[f32],
        values: &[Option<f64>; TARGETS],
        weight: f64,
    ) -> Result<(), StateError> {
        let mut expected = [0.0; TARGETS];
        self.ridge.predict(x, &mut expected)?;
        for ((smear, value), expected) in self.smears.iter_mut().zip(values).zip(expected) {
            if let Some(value) = value {
                smear.add(value - expected, weight);
            }
        }
        Ok(())
    }
}

/// The mean of exp(residual) of a logarithm: exp of an expected logarithm is less than the expectation, and
/// this factor makes up for it. (Of a ratio, which is no logarithm, only the weight means anything.)
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Smear {
    weight: f64,
    sum: f64,
}

impl Smear {
    /// One more residual; a wild one counts as 3.
    fn add(&mut self, residual: f64, weight: f64) {
        self.weight += weight;
        self.sum += weight * residual.clamp(-3.0, 3.0).exp();
    }

    /// The factor; `None` where nothing was seen.
    pub(super) fn factor(&self) -> Option<f64> {
        (self.weight > 0.0).then(|| self.sum / self.weight)
    }

    /// What was seen weighs so much.
    pub(super) fn weight(&self) -> f64 {
        self.weight
    }

    /// Its numbers, to be asked whether they can be trusted.
    pub(super) fn sums(&self) -> [f64; 2] {
        [self.weight, self.sum]
    }
}

impl Team {
    /// Learns from an attempt, and counts what it spent.
    pub(super) fn attempted(
        &mut self,
        attempt: &Attempt,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        self.ledger.bring(attempt.decision, scope.recall.shelf())?;
        self.served(attempt, scope, touched)?;
        self.taught(attempt, scope, touched)?;
        let entry = self.ledger.get_mut(attempt.decision);
        if let Some(predicted) = entry.and_then(|entry| entry.predicted_usd.as_mut()) {
            self.pacing.attempted(predicted, attempt);
        }
        Ok(())
    }

    fn taught(
        &mut self,
        attempt: &Attempt,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        let Some(entry) = self.ledger.get(attempt.decision) else {
            return Ok(());
        };
        if attempt.arm != entry.arm || attempt.error.is_some() || self.control.frozen {
            return Ok(());
        }
        let mut row = entry.usage.clone();
        let Some(decision) = scope.recall.decision(entry.position)? else {
            return Ok(());
        };
        let Some(x) = decision.context.as_deref() else {
            return Ok(());
        };
        let Some(arm) = self.arm(&attempt.arm) else {
            return Ok(());
        };
        let used = Used::of(attempt, &decision);
        if let Err(error) = arm.usage.learn(x, &mut row, &used) {
            not_learned(&attempt.arm, &error);
        }
        touched.insert(attempt.arm.clone());
        if let Some(entry) = self.ledger.get_mut(attempt.decision) {
            entry.usage = row;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::super::snapshot::Expected;
    use super::*;

    const X: [f32; 2] = [0.5, 1.0];

    /// What is expected after attempts that each say this, at the same context.
    fn check(attempts: impl IntoIterator<Item = Used>) -> Expected {
        let mut usage = Usage::default();
        for used in attempts {
            usage.learn(&X, &mut Row::default(), &used).unwrap();
        }
        Expected::new(&usage)
    }

    /// An answer so long, at 9 times the reference cost.
    fn answer(output_tokens: u32) -> Used {
        Used::new(Some(output_tokens), Some(9.0), Some(1.0), None)
    }

    fn bill(ratio: f64) -> Used {
        Used::new(None, Some(ratio), Some(1.0), None)
    }

    fn near(found: f64, expected: f64, within: f64) {
        let error = (found / expected - 1.0).abs();
        assert!(error < within, "{found}, not {expected}");
    }

    #[test]
    fn an_arm_that_answers_at_one_length_is_expected_to_after_few_answers() {
        for tokens in [3, 4000] {
            let found = check(vec![answer(tokens); 5]).output_tokens(&X).unwrap();
            near(found, f64::from(tokens), 0.15);
        }
        assert_eq!(check([]).output_tokens(&X), None);
        assert_eq!(check(vec![bill(2.0); 5]).output_tokens(&X), None);
    }

    #[test]
    fn what_is_expected_of_lengths_far_apart_is_their_mean_and_not_that_of_their_logarithms() {
        // Half 99 and half 9999: 5049 on the mean, but 999 by the mean of the logarithms.
        let both = (0..400).map(|n| answer(if n % 2 == 0 { 99 } else { 9999 }));
        near(check(both).output_tokens(&X).unwrap(), 5049.0, 0.05);
    }

    #[test]
    fn bills_count_alone_where_there_are_no_answers_and_as_ten_at_most_where_there_are() {
        let known = |answers: usize, bills: usize| {
            let told = (0..answers).map(|_| answer(10));
            let found = check(told.chain((0..bills).map(|_| bill(2.0))));
            (found.token_share(), found.cost_ratio(&X))
        };
        assert_eq!(known(0, 0), (1.0, 1.0));
        // The sum that an answer comes with is not learned.
        assert_eq!(known(5, 0), (1.0, 1.0));
        assert_eq!(known(0, 1000).0, 0.0);
        near(known(0, 1000).1, 2.0, 0.01);
        assert_eq!(known(4, 4).0, 0.5);
        assert_eq!(known(90, 1000).0, 0.9);
    }

    #[test]
    fn many_bills_do_not_hold_the_length_of_answers_where_it_was() {
        let bills = vec![Used::new(None, Some(2.0), Some(1.0), Some(300.0)); 1000];
        let found = check(bills.into_iter().chain(vec![answer(4000); 5]));
        near(found.output_tokens(&X).unwrap(), 4000.0, 0.15);
        near(found.latency_ms(&X).unwrap(), 300.0, 0.05);
    }

    #[test]
    fn what_is_told_twice_counts_once_and_what_is_told_later_is_added() {
        let (mut usage, mut row) = (Usage::default(), Row::default());
        usage.learn(&X, &mut row, &answer(10)).unwrap();
        let once = usage.clone();
        usage.learn(&X, &mut row, &answer(10)).unwrap();
        assert_eq!(usage, once);
        let slow = Used::new(None, Some(2.0), Some(1.0), Some(50.0));
        usage.learn(&X, &mut row, &slow).unwrap();
        assert_eq!(usage.bills, None);
        let weights = |usage: &Usage| usage.answers.as_ref().unwrap().smears.map(|s| s.weight());
        assert_eq!((weights(&once), weights(&usage)), ([1.0, 0.0], [1.0, 1.0]));
    }
}
