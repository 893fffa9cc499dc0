//! What policies spent and earned under a budget, held against it and against what needs no router.
//!
//! Invariants: what is reported as spent is what the chosen arms did cost, whatever was expected of them.
//! Rows that are given away cost nothing and count nowhere.
//!
//! Not here: keeping within the budget (`purse`), the report as text (`spend_text`).
//!
//! Units: USD a request; scores in quality points; multiples of the budget.
//!
//! Source: SCIENCE 5, "Budgets".

use super::error::Error;
use super::run::{Run, Spread};
use crate::budget::Hull;
use serde::Serialize;

/// Steps of the published budget tests of `ParetoBandit`.
pub const HORIZON: usize = 1824;

/// What policies that learn may spend.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Budget {
    /// Mean USD a request; above 0.
    pub request_usd: f64,
    /// Steps at the start that are reported apart.
    pub first: usize,
}

/// What some first steps of a run bought.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bought {
    /// Steps.
    pub steps: usize,
    /// Mean score.
    pub score: f64,
    /// Mean cost in USD.
    pub cost_usd: f64,
}

impl Budget {
    /// Refuses what is no budget.
    ///
    /// ```
    /// use bellwether::replay::Budget;
    /// let budget = |request_usd| Budget { request_usd, first: 1824 };
    /// assert!(budget(0.002).check().is_ok());
    /// assert!(budget(0.0).check().is_err() && budget(f64::NAN).check().is_err());
    /// ```
    pub fn check(&self) -> Result<(), Error> {
        let steps = self.first as f64;
        for (field, value, least, most, allowed) in [
            (
                "budget",
                self.request_usd,
                1e-12,
                1e6,
                "1e-12 to 1000000, USD a request",
            ),
            ("budget_steps", steps, 1.0, f64::INFINITY, "at least 1"),
        ] {
            if !(least..=most).contains(&value) {
                return Err(Error::Setting {
                    field,
                    value,
                    allowed,
                });
            }
        }
        Ok(())
    }
}

impl Bought {
    /// From the sums over `steps`; nothing where there are no costs.
    pub(super) fn of(steps: usize, scores: f64, costs: Option<f64>) -> Option<Self> {
        let n = steps as f64;
        Some(Self {
            steps,
            score: scores / n,
            cost_usd: costs? / n,
        })
    }
}

/// A policy under a budget: over the first steps, where a stream has as many, and over all.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spending {
    /// Over the first steps.
    pub first: Option<Kept>,
    /// Over all steps.
    pub all: Option<Kept>,
}

/// How a budget was kept, and what it bought.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Kept {
    /// Steps.
    pub steps: usize,
    /// Mean cost in USD.
    pub cost_usd: Spread,
    /// The same in budgets.
    pub spend: Spread,
    /// The most that a stream spent, in budgets.
    pub most: f64,
    /// Mean score.
    pub score: Spread,
    /// Score of the best static mix of fixed arms that costs the budget: means over the whole table, known
    /// in hindsight. None where no arm is that cheap, and with a drift.
    pub hull_score: Option<f64>,
    /// Score above that of the mix, whatever was spent.
    pub above_hull: Option<f64>,
}

impl Spending {
    /// Of runs of `steps` steps.
    pub(super) fn of(budget: Budget, runs: &[Run], steps: usize, hull: Option<&Hull>) -> Self {
        let first: Option<Vec<Bought>> = runs.iter().map(|run| run.first).collect();
        let whole = |run: &Run| {
            Some(Bought {
                steps,
                score: run.score,
                cost_usd: run.cost_usd?,
            })
        };
        let all: Option<Vec<Bought>> = runs.iter().map(whole).collect();
        let kept = |bought: Option<Vec<Bought>>| Kept::of(budget.request_usd, &bought?, hull);
        Self {
            first: kept(first),
            all: kept(all),
        }
    }
}

impl Kept {
    fn of(request_usd: f64, bought: &[Bought], hull: Option<&Hull>) -> Option<Self> {
        let steps = bought.first()?.steps;
        let over = |value: &dyn Fn(&Bought) -> f64| Spread::of(bought.iter().map(value));
        let score = over(&|b| b.score);
        let spends = bought.iter().map(|b| b.cost_usd / request_usd);
        let hull_score = hull.and_then(|hull| hull.at(request_usd));
        Some(Self {
            steps,
            cost_usd: over(&|b| b.cost_usd),
            spend: over(&|b| b.cost_usd / request_usd),
            most: spends.fold(0.0, f64::max),
            score,
            hull_score,
            above_hull: hull_score.map(|hull| score.mean - hull),
        })
    }

    /// Whether the budget was kept in the mean, within the half percent that SCIENCE 5 allows.
    ///
    /// ```
    /// use bellwether::replay::{Kept, Spread};
    /// let kept = |mean| Kept {
    ///     steps: 100,
    ///     cost_usd: Spread { mean: 0.002 * mean, sd: 0.0 },
    ///     spend: Spread { mean, sd: 0.0 },
    ///     most: mean,
    ///     score: Spread { mean: 0.8, sd: 0.0 },
    ///     hull_score: None,
    ///     above_hull: None,
    /// };
    /// assert!(kept(1.005).is_within() && !kept(1.006).is_within());
    /// ```
    pub fn is_within(&self) -> bool {
        self.spend.mean <= 1.005
    }
}
