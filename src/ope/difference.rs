//! What one policy is worth more than another, on the same rows.
//!
//! d = phi(candidate) - phi(incumbent) with phi the doubly robust contributions. For one draw an episode that is
//! sum_a (pi - pi0)_a q_a + ((pi - pi0)(chosen) / p)(r - q): where the two agree a row contributes exactly 0, so that
//! the interval narrows with agreement, which the difference of two estimates does not know of.
//!
//! Invariants: rows of one episode are summed before the variance is taken.
//!
//! Not here: peeking ([`super::AdvantageBounds`]).
//!
//! Source: SCIENCE 3.6.

use super::estimator::mean;
use super::moments::Moments;
use super::{Estimate, Row};

/// Sums from which a difference and its interval follow, taken in an episode at a time.
#[derive(Debug, Clone, Copy)]
pub struct DifferenceTally {
    moments: Moments<2>,
    share: f64,
}

impl Default for DifferenceTally {
    fn default() -> Self {
        Self::from_share(1.0)
    }
}

impl DifferenceTally {
    /// Of the candidate less this share of the incumbent: with 0.95 of a cost, below 0 where at least 5 % is saved.
    /// The interval knows that both are estimates.
    #[must_use]
    pub fn from_share(share: f64) -> Self {
        Self {
            moments: Moments::default(),
            share,
        }
    }

    /// Takes in the rows of one episode: candidate's and incumbent's view of each outcome.
    pub fn add(&mut self, episode: &[(Row, Row)]) {
        let gain = |(a, b): &(Row, Row)| a.doubly_robust() - self.share * b.doubly_robust();
        let total = episode.iter().map(gain).sum();
        self.moments.add([episode.len() as f64, total]);
    }

    /// The mean difference a row; `None` without rows, unbounded with one episode.
    pub fn estimate(&self) -> Option<Estimate> {
        mean(&self.moments)
    }
}

/// What the first policy of each pair is worth more than the second. Pairs are two views of one outcome.
///
/// ```
/// use bellwether::ope::{Row, difference};
/// // Two draws, logged with probability 1/2 each. The candidate always takes the first arm, the incumbent is the
/// // logged policy; the model gives the arms 0.75 and 0.25.
/// let row = |cluster, weight, reward, model_value, model_chosen| Row {
///     cluster, weight, weight_before: 1.0, reward, model_value, model_chosen,
/// };
/// let pairs = [
///     (row(0, 2.0, 1.0, 0.75, 0.75), row(0, 1.0, 1.0, 0.5, 0.75)),
///     (row(1, 0.0, 0.0, 0.75, 0.25), row(1, 1.0, 0.0, 0.5, 0.25)),
/// ];
/// // (0.75 + 2 x 0.25) - (0.5 + 0.25), and 0.75 - (0.5 - 0.25): 1/2 each.
/// let found = difference(&pairs).unwrap();
/// assert_eq!((found.value, found.standard_error), (0.5, 0.0));
/// ```
pub fn difference(pairs: &[(Row, Row)]) -> Option<Estimate> {
    difference_from(pairs, 1.0)
}

/// What the first policy of each pair is worth more than this share of the second.
pub fn difference_from(pairs: &[(Row, Row)], share: f64) -> Option<Estimate> {
    let mut tally = DifferenceTally::from_share(share);
    let same = |a: &(Row, Row), b: &(Row, Row)| a.0.cluster == b.0.cluster;
    if pairs.is_sorted_by_key(|pair| pair.0.cluster) {
        pairs.chunk_by(same).for_each(|episode| tally.add(episode));
    } else {
        let mut sorted = pairs.to_vec();
        sorted.sort_by_key(|pair| pair.0.cluster);
        sorted.chunk_by(same).for_each(|episode| tally.add(episode));
    }
    tally.estimate()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ope::Estimator;
    use proptest::prelude::*;

    /// Two views of one outcome: episode, reward and model of the arm drawn, then weight, weight before and value.
    fn pair(
        (cluster, reward, model_chosen): (usize, f64, f64),
        views: [(f64, f64, f64); 2],
    ) -> (Row, Row) {
        let [a, b] = views.map(|(weight, weight_before, model_value)| Row {
            cluster,
            weight,
            weight_before,
            reward,
            model_value,
            model_chosen,
        });
        (a, b)
    }

    fn rows() -> impl Strategy<Value = Vec<(Row, Row)>> {
        let outcome = (0_usize..5, 0.0_f64..1.0, 0.0_f64..1.0);
        let view = (0.0_f64..4.0, 0.0_f64..1.0, 0.0_f64..1.0);
        let views = prop::array::uniform2(view);
        let one = (outcome, views).prop_map(|(outcome, views)| pair(outcome, views));
        prop::collection::vec(one, 1..30)
    }

    proptest! {
        #[test]
        fn it_is_the_difference_of_the_two_estimates_and_turns_with_its_sign(pairs in rows()) {
            let found = difference(&pairs).unwrap();
            let of = |rows: Vec<Row>| Estimator::DOUBLY_ROBUST.estimate(&rows).unwrap();
            let a = of(pairs.iter().map(|pair| pair.0).collect());
            let b = of(pairs.iter().map(|pair| pair.1).collect());
            prop_assert!((found.value - (a.value - b.value)).abs() < 1e-9);
            let turned: Vec<_> = pairs.iter().map(|pair| (pair.1, pair.0)).collect();
            let turned = difference(&turned).unwrap();
            prop_assert!((found.value + turned.value).abs() < 1e-9);
            if found.standard_error.is_finite() {
                prop_assert!((found.standard_error - turned.standard_error).abs() < 1e-9);
            }
            let less = difference_from(&pairs, 0.9).unwrap();
            prop_assert!((less.value - (a.value - 0.9 * b.value)).abs() < 1e-9);
            let same: Vec<_> = pairs.iter().map(|pair| (pair.0, pair.0)).collect();
            prop_assert_eq!(difference(&same).unwrap().value, 0.0);
        }
    }
}
