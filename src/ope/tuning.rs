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

use super::{Estimator, Form, Row, Shrinkage};
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
    pub fn member(self, lambda: f64) -> Estimator {
        let (form, shrinkage) = match self {
            Self::ClippedIps => (Form::Ips, Shrinkage::Clip(lambda)),
            Self::ClippedDoublyRobust => (Form::DoublyRobust, Shrinkage::Clip(lambda)),
            Self::Switch => (Form::DoublyRobust, Shrinkage::Switch(lambda)),
            Self::Optimistic => (Form::DoublyRobust, Shrinkage::Optimistic(lambda)),
        };
        Estimator { form, shrinkage }
    }

    /// The candidate that `rule` chooses on `rows`, each taken as independent of the others. `None` for
    /// fewer than two rows.
    #[must_use]
    pub fn tune(self, rule: Rule, rows: &[Row]) -> Option<f64> {
        if rows.len() < 2 {
            return None;
        }
        match rule {
            Rule::Slope => self.slope(rows),
            Rule::MeanSquaredError => self.least_error(rows),
        }
    }

    fn slope(self, rows: &[Row]) -> Option<f64> {
        let n = rows.len() as f64;
        let quantile = StudentsT::new(0.0, 1.0, n - 1.0).ok()?;
        let quantile = quantile.inverse_cdf(1.0 - DELTA);
        let mut found: Vec<(f64, f64, f64)> = CANDIDATES
            .iter()
            .map(|&lambda| {
                let (mean, variance) = moments(&self.member(lambda).terms(rows));
                (lambda, mean, (variance / (n - 1.0)).sqrt() * quantile)
            })
            .collect();
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

    fn least_error(self, rows: &[Row]) -> Option<f64> {
        let n = rows.len() as f64;
        let weights = || rows.iter().map(|row| row.weight);
        let square = weights().map(|w| w * w).sum::<f64>() / n;
        let greatest = weights().fold(0.0, f64::max);
        let log = (2.0 / DELTA).ln();
        let slack = (2.0 * square * log / n).sqrt() + 2.0 * greatest * log / (3.0 * n);
        let mut best: Option<(f64, f64)> = None;
        for lambda in CANDIDATES {
            let member = self.member(lambda);
            let (_, variance) = moments(&member.terms(rows));
            let lost = rows.iter().map(|row| {
                let model = match member.form {
                    Form::Ips => 0.0,
                    _ => row.model_chosen,
                };
                (row.weight - member.shrinkage.of(row.weight)) * (row.reward - model)
            });
            let bias = (lost.sum::<f64>() / n).abs() + slack;
            let error = variance / n + bias * bias;
            if best.is_none_or(|(_, least)| error < least) {
                best = Some((lambda, error));
            }
        }
        best.map(|(lambda, _)| lambda)
    }
}

/// Mean, and variance about it (divided by the number, as numpy has it).
fn moments(terms: &[f64]) -> (f64, f64) {
    let n = terms.len() as f64;
    let mean = terms.iter().sum::<f64>() / n;
    let variance = terms.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    (mean, variance)
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
