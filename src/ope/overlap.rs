//! Whether a log can answer a question about a target policy, and if not, what would help.
//!
//! Invariants: the effective sample size counts episodes, not rows: rows of one episode are summed
//! first, so repeats of one draw add nothing. With one row an episode it is (sum w)^2 / sum w^2.
//!
//! Source: SCIENCE 3.3 (refuse below 100; a mean weight far from 1 means wrong propensities).

use super::Row;
use super::estimator::{by_episode, same_episode};
use super::moments::Moments;
use serde::Serialize;

/// Below this effective number of episodes nothing is claimed.
pub const MIN_EFFECTIVE_SAMPLE_SIZE: f64 = 100.0;

/// Largest target mass on never-logged arms that is overlooked: it moves a value in [0, 1] by no
/// more than this.
const MAX_UNSUPPORTED: f64 = 1e-3;

/// Standard errors that the mean weight may be from 1. Not SCIENCE's 3: of true logs with skewed weights (lognormal,
/// sd 1.3 to 1.5) and an effective sample size of 100, even 4 refuses one in some 450.
const MAX_MEAN_WEIGHT_Z: f64 = 4.0;

/// How well the log covers the target policy.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Overlap {
    /// Rows used.
    pub rows: usize,
    /// Episodes they belong to.
    pub clusters: usize,
    /// (sum w)^2 / sum w^2 over episodes.
    pub effective_sample_size: f64,
    /// Mean weight; 1 when propensities are right.
    pub mean_weight: f64,
    /// (mean weight - 1) in standard errors; beyond 4 either way the propensities are wrong.
    pub mean_weight_z: f64,
    /// Largest weight of an episode.
    pub largest_weight: f64,
    /// Largest share of the whole weight that one episode holds; above 0.05 be wary.
    pub largest_share: f64,
    /// Mean target probability on arms that could not have been drawn.
    pub unsupported: f64,
}

/// Why the log cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "reason", rename_all = "snake_case")]
pub enum Refusal {
    /// Nothing to judge by.
    #[error(
        "no row to judge by: it takes decisions that were drawn with exploration and have an outcome"
    )]
    NoRows,
    /// Too few decisions look like the target's.
    #[error(
        "effective sample size {found:.1}: allowed at least {least}; about {rows_needed:.0} decisions like these would be enough, or a candidate nearer to the logged policy"
    )]
    EffectiveSampleSize {
        /// What the log has.
        found: f64,
        /// What is asked.
        least: f64,
        /// Rows of such a log that would reach it; infinite where no weight was seen.
        rows_needed: f64,
    },
    /// Arms were not drawn as often as the log says.
    #[error(
        "the logged probabilities are wrong: arms drawn this unlike them have a chance of {p_value:.1e}, allowed at least {least:e}; log the pmf that drew"
    )]
    Calibration {
        /// Chance of counts at least this far off.
        p_value: f64,
        /// What is asked.
        least: f64,
    },
    /// The weights do not average 1.
    #[error(
        "the mean weight is {mean:.3}, {z:.1} standard errors from 1, allowed at most {most} either way: the logged probabilities are not those that drew, or too few draws are like the candidate's; log the whole pmf, and the two can be told apart"
    )]
    MeanWeight {
        /// The mean.
        mean: f64,
        /// Standard errors from 1.
        z: f64,
        /// What is allowed.
        most: f64,
    },
    /// The target uses arms that the log could not draw.
    #[error(
        "the candidate puts {mass:.4} of its probability on arms that were never drawn: allowed at most {most}; log with a floor for those arms first"
    )]
    Support {
        /// The target's mass there.
        mass: f64,
        /// What is overlooked.
        most: f64,
    },
}

/// What [`Overlap`] follows from, taken in an episode at a time.
#[derive(Debug, Clone, Default)]
pub struct OverlapTally {
    /// Rows and weight of each episode.
    moments: Moments<2>,
    squares: f64,
    largest: f64,
}

impl OverlapTally {
    /// Takes in the rows of one episode.
    pub fn add(&mut self, episode: &[Row]) {
        let weight: f64 = episode.iter().map(|row| row.weight).sum();
        self.moments.add([episode.len() as f64, weight]);
        self.squares += weight * weight;
        self.largest = self.largest.max(weight);
    }

    /// Takes in what another one has, of other episodes.
    pub fn merge(&mut self, other: &Self) {
        self.moments.merge(&other.moments);
        self.squares += other.squares;
        self.largest = self.largest.max(other.largest);
    }

    /// The measures; `unsupported` is the mean of [`super::unsupported`] over the draws.
    pub fn overlap(&self, unsupported: f64) -> Overlap {
        let [rows, total] = self.moments.sums();
        let (n, clusters) = (rows.max(1.0), self.moments.count());
        let mean_weight = total / n;
        let spread = self.moments.scatter([-mean_weight, 1.0]);
        let standard_error = (spread * clusters / (clusters - 1.0).max(1.0)).sqrt() / n;
        let or_zero = |value: f64, of: f64| if of > 0.0 { value / of } else { 0.0 };
        Overlap {
            rows: rows as usize,
            clusters: clusters as usize,
            effective_sample_size: or_zero(total * total, self.squares),
            mean_weight,
            mean_weight_z: match standard_error > 0.0 || (mean_weight - 1.0).abs() < 1e-9 {
                true => or_zero(mean_weight - 1.0, standard_error),
                // All weights alike, and not 1.
                false if rows > 0.0 => f64::INFINITY.copysign(mean_weight - 1.0),
                false => 0.0,
            },
            largest_weight: self.largest,
            largest_share: or_zero(self.largest, total),
            unsupported,
        }
    }
}

impl Overlap {
    /// Measures `rows`; `unsupported` is the mean of [`super::unsupported`] over their draws.
    ///
    /// ```
    /// use bellwether::ope::{Overlap, Row};
    /// let row = |cluster, weight| Row {
    ///     cluster, weight, weight_before: 1.0, reward: 0.0, model_value: 0.0, model_chosen: 0.0,
    /// };
    /// let overlap = Overlap::of(&[row(0, 3.0), row(1, 1.0)], 0.0);
    /// assert_eq!(overlap.effective_sample_size, 1.6); // (3 + 1)^2 / (9 + 1)
    /// assert_eq!(overlap.largest_share, 0.75);
    /// ```
    pub fn of(rows: &[Row], unsupported: f64) -> Self {
        let mut tally = OverlapTally::default();
        for episode in by_episode(rows).chunk_by(same_episode) {
            tally.add(episode);
        }
        tally.overlap(unsupported)
    }

    /// Why no estimate may be given, if so.
    pub fn refusal(&self) -> Option<Refusal> {
        if self.rows == 0 {
            return Some(Refusal::NoRows);
        }
        if self.unsupported > MAX_UNSUPPORTED {
            return Some(Refusal::Support {
                mass: self.unsupported,
                most: MAX_UNSUPPORTED,
            });
        }
        self.too_small(self.effective_sample_size)
    }

    /// The refusal of an effective sample size, this one or one that was foretold, if it is too small.
    pub fn too_small(&self, found: f64) -> Option<Refusal> {
        // Not a number where weights overflow.
        if found >= MIN_EFFECTIVE_SAMPLE_SIZE {
            return None;
        }
        let short = MIN_EFFECTIVE_SAMPLE_SIZE / found;
        Some(Refusal::EffectiveSampleSize {
            found,
            least: MIN_EFFECTIVE_SAMPLE_SIZE,
            rows_needed: (self.rows as f64 * short).ceil(),
        })
    }

    /// Why weights alone, without the pmf that they came from, are not believed. The pmf decides better
    /// ([`super::CalibrationReport::refusal`]): a mean of skewed weights falls low with a small error besides.
    pub fn mean_weight_refusal(&self) -> Option<Refusal> {
        let near = self.mean_weight_z.abs() <= MAX_MEAN_WEIGHT_Z;
        (!near).then_some(Refusal::MeanWeight {
            mean: self.mean_weight,
            z: self.mean_weight_z,
            most: MAX_MEAN_WEIGHT_Z,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(weights: &[f64]) -> Vec<Row> {
        weights
            .iter()
            .enumerate()
            .map(|(cluster, &weight)| Row {
                cluster,
                weight,
                weight_before: 1.0,
                reward: 1.0,
                model_value: 0.0,
                model_chosen: 0.0,
            })
            .collect()
    }

    fn check(weights: &[f64], unsupported: f64, expected: Option<Refusal>) {
        assert_eq!(Overlap::of(&rows(weights), unsupported).refusal(), expected);
    }

    #[test]
    fn a_log_is_refused_for_want_of_rows_of_weight_and_of_support() {
        check(&[1.0; 100], 0.0, None);
        check(&[1.0; 100], 1e-4, None);
        check(&[], 0.0, Some(Refusal::NoRows));
        let short = |found, rows_needed| Refusal::EffectiveSampleSize {
            found,
            least: 100.0,
            rows_needed,
        };
        check(&[1.0; 99], 0.0, Some(short(99.0, 100.0)));
        check(&[0.0; 200], 0.0, Some(short(0.0, f64::INFINITY)));
        let support = Refusal::Support {
            mass: 0.25,
            most: 1e-3,
        };
        check(&[1.0; 500], 0.25, Some(support));
    }

    #[test]
    fn a_refusal_says_what_would_make_the_question_answerable() {
        let mut weights = vec![0.0; 980];
        weights.extend([50.0; 20]);
        let refusal = Overlap::of(&rows(&weights), 0.0).refusal().unwrap();
        assert_eq!(
            refusal.to_string(),
            "effective sample size 20.0: allowed at least 100; about 5000 decisions like these would be enough, or a candidate nearer to the logged policy"
        );
    }

    #[test]
    fn wrong_propensities_show_in_the_mean_weight() {
        let right: Vec<f64> = (0..1000).map(|i| f64::from(i % 2) * 2.0).collect();
        assert_eq!(Overlap::of(&rows(&right), 0.0).mean_weight_z, 0.0);
        let wrong: Vec<f64> = right.iter().map(|w| w * 1.5).collect();
        assert!(Overlap::of(&rows(&wrong), 0.0).mean_weight_z > 3.0);
    }

    #[test]
    fn rows_of_one_episode_count_once() {
        let mut many = rows(&[1.0; 1000]);
        for row in &mut many {
            row.cluster /= 10;
        }
        assert_eq!(Overlap::of(&many, 0.0).effective_sample_size, 100.0);
    }
}
