//! What to be wary of in an estimate that stands.
//!
//! Not here: what makes an estimate fall ([`super::Refusal`]).
//!
//! Source: SCIENCE 3.3; Hill 1975 (the tail index).

use super::Overlap;
use serde::Serialize;

/// Bounds beyond which there is something to say.
const EFFECTIVE_SAMPLE_SIZE: (f64, f64) = (200.0, 0.01);
const LARGEST_SHARE: f64 = 0.05;
const THIN: f64 = 0.1;
const TAIL_INDEX: f64 = 2.0;

/// Positive weights that a tail index takes at least: ten in the largest twentieth.
const LEAST_WEIGHTS: usize = 200;

/// Something to be wary of.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, thiserror::Error)]
#[serde(tag = "caution", rename_all = "snake_case")]
pub enum Caution {
    /// Few decisions are like the candidate's.
    #[error("effective sample size {found:.0} of {rows} rows: below 200, or 1 in 100")]
    EffectiveSampleSize {
        /// What there is.
        found: f64,
        /// Rows.
        rows: usize,
    },
    /// One episode decides much.
    #[error("one episode holds {share:.2} of all weight")]
    LargestShare {
        /// Its share.
        share: f64,
    },
    /// The candidate likes arms that were seldom drawn.
    #[error("{mass:.2} of its probability is on arms that were drawn with less than 1 in 100")]
    Thin {
        /// Its mass there.
        mass: f64,
    },
    /// The variance of the weights may not exist.
    #[error(
        "the weights have a heavy tail (index {index:.1}, below 2): the interval may be too narrow"
    )]
    Tail {
        /// Hill's index.
        index: f64,
    },
}

impl Caution {
    /// All that there are.
    ///
    /// ```
    /// use bellwether::ope::{Caution, Overlap, Row};
    /// let row = |cluster| Row {
    ///     cluster, weight: 1.0, weight_before: 1.0, reward: 0.0, model_value: 0.0, model_chosen: 0.0,
    /// };
    /// let rows: Vec<Row> = (0..150).map(row).collect();
    /// let found = Caution::of(&Overlap::of(&rows, 0.0), 0.0, None);
    /// assert_eq!(found, [Caution::EffectiveSampleSize { found: 150.0, rows: 150 }]);
    /// ```
    pub fn of(overlap: &Overlap, thin: f64, tail_index: Option<f64>) -> Vec<Self> {
        let (least, share) = EFFECTIVE_SAMPLE_SIZE;
        let (found, rows) = (overlap.effective_sample_size, overlap.rows);
        let few = found < least || found < share * rows as f64;
        let largest = overlap.largest_share;
        let all = [
            few.then_some(Self::EffectiveSampleSize { found, rows }),
            (largest > LARGEST_SHARE).then_some(Self::LargestShare { share: largest }),
            (thin > THIN).then_some(Self::Thin { mass: thin }),
            tail_index
                .filter(|index| *index < TAIL_INDEX)
                .map(|index| Self::Tail { index }),
        ];
        all.into_iter().flatten().collect()
    }
}

/// Hill's index of the largest twentieth of the positive weights: 1 over the mean of ln(w / the least of them). `None`
/// with fewer than 200 positive ones, or where the largest are alike.
///
/// ```
/// use bellwether::ope::tail_index;
/// // The largest twentieth of 200: ten times e times the next smaller one.
/// let mut weights = vec![1.0; 190];
/// weights.extend([std::f64::consts::E; 10]);
/// assert!((tail_index(&weights).unwrap() - 1.0).abs() < 1e-12);
/// assert_eq!(tail_index(&weights[1..]), None);
/// ```
pub fn tail_index(weights: &[f64]) -> Option<f64> {
    let mut positive: Vec<f64> = weights.iter().copied().filter(|w| *w > 0.0).collect();
    if positive.len() < LEAST_WEIGHTS {
        return None;
    }
    positive.sort_by(|a, b| b.total_cmp(a));
    let top = positive.len() / 20;
    let least = *positive.get(top)?;
    let logs = positive.iter().take(top).map(|w| (w / least).ln());
    Some(top as f64 / logs.sum::<f64>()).filter(|index| index.is_finite())
}
