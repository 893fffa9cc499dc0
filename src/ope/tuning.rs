//! How much to shrink weights, chosen from the log itself.
//!
//! Two rules, both of the Open Bandit Pipeline, and both diagnostics here: the headline is the plain doubly
//! robust estimator. [`Rule::Slope`] takes the least wide interval that still meets those of all wider ones;
//! [`Rule::MeanSquaredError`] the least sum of variance and squared bound of the bias. On the reference log
//! SLOPE picks a clipped IPS of 0.490 where the truth is 0.566.
//!
//! Invariants: of equal candidates the one that shrinks least wins.
//!
//! Source: Su, Srinath and Krishnamurthy 2020 (SLOPE); Su et al. 2020 and Wang et al. 2017 (the bound of the
//! bias); the constants are the Open Bandit Pipeline's (0.5.7): C = sqrt 6 - 1, Student's t, delta 0.1.

use super::{Estimator, Form, Panel, Row, Shrinkage};
use statrs::distribution::{ContinuousCDF, StudentsT};
use std::fmt;

/// The candidates for a bound of the weights, loosest first: 1e6 is as good as none.
pub const CANDIDATES: [f64; 8] = [1e6, 100.0, 50.0, 20.0, 10.0, 5.0, 2.0, 1.0];

/// Chance that a width or a bound is too small.
const DELTA: f64 = 0.1;

/// What is tuned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// Clipped IPS.
    ClippedIps,
    /// Clipped doubly robust.
    ClippedDoublyRobust,
    /// Switch-DR.
    Switch,
    /// `DRos`.
    Optimistic,
}

/// How it is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Lepski's: intervals that meet.
    Slope,
    /// Variance and bound of the bias.
    MeanSquaredError,
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ClippedIps => "ips",
            Self::ClippedDoublyRobust => "dr",
            Self::Switch => "switch_dr",
            Self::Optimistic => "dros",
        })
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Slope => "slope",
            Self::MeanSquaredError => "mse",
        })
    }
}

impl Rule {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Slope, Self::MeanSquaredError];
}

impl Family {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::ClippedIps,
        Self::ClippedDoublyRobust,
        Self::Switch,
        Self::Optimistic,
    ];

    /// Its member of parameter `lambda`.
    #[must_use]
    pub const fn member(self, lambda: f64) -> Estimator {
        let (form, shrinkage) = match self {
            Self::ClippedIps => (Form::Ips, Shrinkage::Clip(lambda)),
            Self::ClippedDoublyRobust => (Form::DoublyRobust, Shrinkage::Clip(lambda)),
            Self::Switch => (Form::DoublyRobust, Shrinkage::Switch(lambda)),
            Self::Optimistic => (Form::DoublyRobust, Shrinkage::Optimistic(lambda)),
        };
        Estimator { form, shrinkage }
    }

    /// The candidate that `rule` chooses on `rows`. `None` for fewer than two.
    #[must_use]
    pub fn tune(self, rule: Rule, rows: &[Row]) -> Option<f64> {
        Panel::of(rows).choose(self, rule)
    }
}

/// What a choice among the members of a family follows from.
pub(super) struct Members {
    pub(super) rows: f64,
    /// The sum of the squared weights, and the greatest weight.
    pub(super) squares: f64,
    pub(super) greatest: f64,
    pub(super) all: [Member; CANDIDATES.len()],
}

/// One member.
#[derive(Clone, Copy)]
pub(super) struct Member {
    pub(super) lambda: f64,
    /// Mean, and mean square about it, over episodes.
    pub(super) mean: f64,
    pub(super) variance: f64,
    /// What its smaller weights leave out: the sum of (w - its weight)(r - q).
    pub(super) lost: f64,
}

impl Members {
    /// The candidate that `rule` chooses. `None` for fewer than two rows.
    pub(super) fn choose(&self, rule: Rule) -> Option<f64> {
        if self.rows < 2.0 {
            return None;
        }
        match rule {
            Rule::Slope => self.slope(),
            Rule::MeanSquaredError => self.least_error(),
        }
    }

    fn slope(&self) -> Option<f64> {
        let n = self.rows;
        let quantile = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
        let quantile = quantile.inverse_cdf(1.0 - DELTA);
        let mut found: Vec<(f64, f64, f64)> = Vec::with_capacity(CANDIDATES.len());
        for member in &self.all {
            let width = (member.variance / (n - 1.0)).sqrt() * quantile;
            found.push((member.lambda, member.mean, width));
        }
        // Widest first; of equal widths the one that shrinks more comes first, so that the last wins.
        found.reverse();
        found.sort_by(|a, b| b.2.total_cmp(&a.2));
        let share = 6_f64.sqrt() - 1.0;
        let mut best = None;
        for (i, &(lambda, mean, width)) in found.iter().enumerate() {
            let meets = |other: &(f64, f64, f64)| (other.1 - mean).abs() <= width + share * other.2;
            if !found.iter().take(i).all(meets) {
                break;
            }
            best = Some(lambda);
        }
        best
    }

    fn least_error(&self) -> Option<f64> {
        let n = self.rows;
        let log = (2.0 / DELTA).ln();
        let slack =
            (2.0 * self.squares / n * log / n).sqrt() + 2.0 * self.greatest * log / (3.0 * n);
        let mut best: Option<(f64, f64)> = None;
        for member in &self.all {
            let bias = (member.lost / n).abs() + slack;
            let error = member.variance / n + bias * bias;
            if best.is_none_or(|(_, least)| error < least) {
                best = Some((member.lambda, error));
            }
        }
        best.map(|(lambda, _)| lambda)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ope::fixture;

    #[test]
    fn the_reference_logs_give_the_reference_choices() {
        let (Some(synthetic), Some(adaptive)) = (fixture::synthetic(), fixture::cases()) else {
            return;
        };
        for case in [synthetic].iter().chain(&adaptive) {
            for family in Family::ALL {
                for rule in Rule::ALL {
                    let key = format!("{family}_tuned_{rule}");
                    let chosen = family.tune(rule, &case.rows).unwrap();
                    let wanted = case.reference[format!("{key}_lambda")].as_f64().unwrap();
                    let said = format!("{}, {key}", case.name);
                    assert!(
                        (chosen - wanted).abs() < 1e-9,
                        "{said}: {chosen}, not {wanted}"
                    );
                    let value = family.member(chosen).estimate(&case.rows).unwrap().value;
                    let wanted = case.reference[&key].as_f64().unwrap();
                    assert!((value - wanted).abs() < 1e-12, "{said}: {value}");
                }
            }
        }
    }

    #[test]
    fn nothing_is_chosen_without_rows() {
        for family in Family::ALL {
            assert_eq!(Rule::ALL.map(|rule| family.tune(rule, &[])), [None, None]);
        }
    }
}
