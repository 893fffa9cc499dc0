//! Whether arms were drawn as often as their logged probabilities say: the cheapest and strongest
//! check of a log.
//!
//! Invariants: the covariance of the counts is the sum over draws of diag(p) - p p', not the
//! multinomial of the sums: pmfs differ from draw to draw.
//!
//! Shapes: arms are numbered by the caller over the whole log; a draw names only those it had.
//!
//! Source: SCIENCE 3.3. The covariance is singular (each draw's counts sum to 1), so the chi-square
//! uses the largest set of arms with a regular covariance, found by a pivoted Cholesky factor; the
//! statistic does not depend on which set.

use super::{LEAST_EXPECTED, Refusal};
use serde::Serialize;
use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Smallest pivot kept, in draws: below it a count is a combination of those already used.
const MIN_PIVOT: f64 = 1e-9;

/// Counts of draws beside their expectation.
#[derive(Debug, Clone)]
pub struct Calibration {
    draws: usize,
    impossible: usize,
    observed: Vec<f64>,
    expected: Vec<f64>,
    /// Row-major, arms x arms.
    covariance: Vec<f64>,
}

/// What the counts say.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CalibrationReport {
    /// Draws counted.
    pub draws: usize,
    /// Draws of an arm whose logged probability was 0: any at all is a fault of the log.
    pub impossible: usize,
    /// The chi-square statistic.
    pub chi_square: f64,
    /// Its degrees of freedom.
    pub degrees: usize,
    /// Chance of a statistic this large from a true log; 0 where `impossible` is not.
    pub p_value: f64,
    /// Each arm, in the caller's numbering.
    pub arms: Vec<ArmCalibration>,
}

/// One arm's count.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ArmCalibration {
    /// Times drawn.
    pub observed: f64,
    /// Sum of its logged probabilities.
    pub expected: f64,
    /// Their difference in standard deviations; 0 where nothing was random.
    pub z: f64,
}

/// Chance of a true log's counts below which the log is not believed. Not SCIENCE's |z| above 3: a log is
/// asked often, and one in 370 of true ones would be refused.
const LEAST_P: f64 = 1e-5;

impl CalibrationReport {
    /// Why nothing may be estimated from this log, if so.
    pub fn refusal(&self) -> Option<Refusal> {
        (self.p_value < LEAST_P).then_some(Refusal::Calibration {
            p_value: self.p_value,
            least: LEAST_P,
        })
    }
}

impl Calibration {
    /// Nothing counted yet, over `arms` arms.
    pub fn new(arms: usize) -> Self {
        Self {
            draws: 0,
            impossible: 0,
            observed: vec![0.0; arms],
            expected: vec![0.0; arms],
            covariance: vec![0.0; arms * arms],
        }
    }

    /// Counts one draw: each eligible arm's number and logged probability, and the position of the
    /// arm drawn in that list. Arms outside the numbering are passed over.
    pub fn add(&mut self, pmf: &[(usize, f64)], chosen: usize) {
        let arms = self.observed.len();
        self.draws += 1;
        if pmf.get(chosen).is_none_or(|(_, p)| *p <= 0.0) {
            self.impossible += 1;
        }
        for (position, &(a, p)) in pmf.iter().enumerate().filter(|(_, (a, _))| *a < arms) {
            self.observed[a] += f64::from(u8::from(position == chosen));
            self.expected[a] += p;
            self.covariance[a * arms + a] += p;
            for &(b, q) in pmf.iter().filter(|(b, _)| *b < arms) {
                self.covariance[a * arms + b] -= p * q;
            }
        }
    }

    /// Counts one draw where every arm of the numbering is eligible, as [`Calibration::add`] would.
    ///
    /// ```
    /// use bellwether::ope::Calibration;
    /// let (mut named, mut all) = (Calibration::new(2), Calibration::new(2));
    /// named.add(&[(0, 0.25), (1, 0.75)], 1);
    /// all.add_row(&[0.25, 0.75], 1);
    /// assert_eq!(named.report(), all.report());
    /// ```
    pub fn add_row(&mut self, pmf: &[f64], chosen: usize) {
        let arms = self.observed.len();
        self.draws += 1;
        if pmf.get(chosen).is_none_or(|p| *p <= 0.0) {
            self.impossible += 1;
        }
        if let Some(observed) = self.observed.get_mut(chosen) {
            *observed += 1.0;
        }
        for (expected, p) in self.expected.iter_mut().zip(pmf) {
            *expected += p;
        }
        // Compiled once more for machines with wider registers; nothing is fused, so the sums are the same.
        pulp::Arch::new().dispatch(|| {
            let rows = self.covariance.chunks_exact_mut(arms.max(1)).zip(pmf);
            for (a, (row, p)) in rows.enumerate() {
                if let Some(own) = row.get_mut(a) {
                    *own += p;
                }
                for (cell, q) in row.iter_mut().zip(pmf) {
                    *cell -= p * q;
                }
            }
        });
    }

    /// Takes in what another one over as many arms has counted.
    pub fn merge(&mut self, other: &Self) {
        self.draws += other.draws;
        self.impossible += other.impossible;
        for (own, theirs) in [
            (&mut self.observed, &other.observed),
            (&mut self.expected, &other.expected),
            (&mut self.covariance, &other.covariance),
        ] {
            own.iter_mut().zip(theirs).for_each(|(own, n)| *own += n);
        }
    }

    /// Covariance and deviation of the counts, with the arms that expect fewer than 5 draws as one cell, and
    /// without that one where it expects as few: the chi-square's law is poor there (an arm that expects 0.03 and
    /// is drawn once, as happens to 3 % of true logs, would condemn the log).
    fn cells(&self, deviation: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let n = self.observed.len();
        let rare = |arm: usize| self.expected.get(arm).is_none_or(|e| *e < LEAST_EXPECTED);
        let common: Vec<usize> = (0..n).filter(|arm| !rare(*arm)).collect();
        let few: Vec<usize> = (0..n).filter(|arm| rare(*arm)).collect();
        let together: f64 = few.iter().filter_map(|arm| self.expected.get(*arm)).sum();
        let mut cells: Vec<Vec<usize>> = common.into_iter().map(|arm| vec![arm]).collect();
        if together >= LEAST_EXPECTED {
            cells.push(few);
        }
        let at = |a: usize, b: usize| self.covariance.get(a * n + b).copied().unwrap_or(0.0);
        let mut covariance = Vec::with_capacity(cells.len() * cells.len());
        for one in &cells {
            for other in &cells {
                let pairs = one.iter().flat_map(|a| other.iter().map(move |b| (*a, *b)));
                covariance.push(pairs.map(|(a, b)| at(a, b)).sum());
            }
        }
        let apart = cells.iter().map(|cell| {
            let deviations = cell.iter().filter_map(|arm| deviation.get(*arm));
            deviations.sum()
        });
        (covariance, apart.collect())
    }

    /// The test.
    ///
    /// ```
    /// use bellwether::ope::Calibration;
    /// let mut fair = Calibration::new(2);
    /// for i in 0..100 {
    ///     fair.add(&[(0, 0.5), (1, 0.5)], i % 2);
    /// }
    /// assert_eq!(fair.report().chi_square, 0.0);
    /// let mut biased = Calibration::new(2);
    /// for i in 0..100 {
    ///     biased.add(&[(0, 0.5), (1, 0.5)], usize::from(i % 10 >= 6));
    /// }
    /// // 60 where 50 +- 5 was expected: z = 2, chi-square 4 on one degree of freedom.
    /// assert!((biased.report().chi_square - 4.0).abs() < 1e-9);
    /// assert!((biased.report().p_value - 0.0455).abs() < 1e-4);
    /// ```
    pub fn report(&self) -> CalibrationReport {
        let n = self.observed.len();
        let deviation: Vec<f64> = self
            .observed
            .iter()
            .zip(&self.expected)
            .map(|(observed, expected)| observed - expected)
            .collect();
        let (covariance, apart) = self.cells(&deviation);
        let (chi_square, degrees) = quadratic_form(covariance, apart);
        let tail = ChiSquared::new(degrees as f64).map_or(1.0, |law| law.sf(chi_square));
        let arms = (0..n)
            .map(|a| {
                let variance = self.covariance[a * n + a];
                ArmCalibration {
                    observed: self.observed[a],
                    expected: self.expected[a],
                    z: if variance > MIN_PIVOT {
                        deviation[a] / variance.sqrt()
                    } else {
                        0.0
                    },
                }
            })
            .collect();
        CalibrationReport {
            draws: self.draws,
            impossible: self.impossible,
            chi_square,
            degrees,
            p_value: if self.impossible > 0 { 0.0 } else { tail },
            arms,
        }
    }
}

/// d' C^+ d and the rank of the symmetric positive semidefinite `matrix`: Gaussian elimination with
/// the largest remaining diagonal as pivot, each step adding one squared, normalised residual.
fn quadratic_form(mut matrix: Vec<f64>, mut d: Vec<f64>) -> (f64, usize) {
    let n = d.len();
    let mut left: Vec<usize> = (0..n).collect();
    let mut sum = 0.0;
    let mut rank = 0;
    while let Some(at) = (0..left.len()).max_by(|&i, &j| {
        let diagonal = |k: usize| matrix[left[k] * n + left[k]];
        diagonal(i).total_cmp(&diagonal(j))
    }) {
        let pivot = left.swap_remove(at);
        let scale = matrix[pivot * n + pivot];
        if scale <= MIN_PIVOT {
            break;
        }
        sum += d[pivot] * d[pivot] / scale;
        rank += 1;
        for &i in &left {
            let factor = matrix[i * n + pivot] / scale;
            d[i] -= factor * d[pivot];
            for &j in &left {
                matrix[i * n + j] -= factor * matrix[pivot * n + j];
            }
        }
    }
    (sum, rank)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    /// A log of `draws` draws over changing sets of 4 arms, drawn from `truth(pmf)`.
    fn log(draws: usize, seed: u64, truth: impl Fn(&[f64]) -> Vec<f64>) -> CalibrationReport {
        let mut rng = StdRng::seed_from_u64(seed);
        let mut calibration = Calibration::new(4);
        for i in 0..draws {
            let eligible: Vec<usize> = (0..4).filter(|a| i % 3 != 0 || *a != i % 4).collect();
            let raw: Vec<f64> = eligible.iter().map(|_| rng.random::<f64>()).collect();
            let total: f64 = raw.iter().sum();
            let pmf: Vec<f64> = raw.iter().map(|v| v / total).collect();
            let mut uniform: f64 = rng.random();
            let drawn = truth(&pmf)
                .iter()
                .position(|p| {
                    uniform -= p;
                    uniform < 0.0
                })
                .unwrap_or(pmf.len() - 1);
            let named: Vec<(usize, f64)> = eligible.into_iter().zip(pmf).collect();
            calibration.add(&named, drawn);
        }
        calibration.report()
    }

    #[test]
    fn p_values_of_true_logs_are_uniform() {
        let small = (0..400)
            .filter(|seed| log(300, *seed, <[f64]>::to_vec).p_value < 0.1)
            .count();
        // Binomial(400, 0.1): sd 6; four sd either way. Seeds are fixed.
        assert!((16..=64).contains(&small), "{small}");
    }

    #[test]
    fn drawing_from_another_pmf_than_logged_is_found() {
        let report = log(3000, 1, |pmf| {
            let mut wrong = pmf.to_vec();
            wrong[0] *= 0.8;
            wrong[1] += pmf[0] * 0.2;
            wrong
        });
        assert_eq!(report.degrees, 3);
        assert!(report.p_value < 1e-6, "{report:?}");
    }

    #[test]
    fn certain_draws_have_nothing_to_test_and_impossible_ones_fail() {
        let mut calibration = Calibration::new(2);
        calibration.add(&[(0, 1.0), (1, 0.0)], 0);
        let report = calibration.report();
        assert_eq!((report.degrees, report.p_value), (0, 1.0));
        calibration.add(&[(0, 1.0), (1, 0.0)], 1);
        assert_eq!(calibration.report().p_value, 0.0);
        assert_eq!(calibration.report().impossible, 1);
    }
}
