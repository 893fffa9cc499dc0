//! The least that every arm is explored, whatever the policy: eps in all, more for an arm that may yet
//! prove good than for one that is plainly bad.
//!
//! r_a is proportional to 1 / (0.05 + u_best - u_a), so that an arm one point behind in ten keeps a third
//! of the best one's share and none is without: the log can speak of every arm, and of those that a new
//! policy would rather use it speaks best. Why not eps / K: on tables of many arms most of that is spent
//! where it tells nobody anything (routerbench_subset, 11 arms: 0.002 to 0.007 of the reward).
//!
//! Invariants: floors are positive where eps is, sum to eps within rounding, and are logged with the
//! decision; an importance weight is at most 1 / floor.
//!
//! Not here: whether a request may explore at all (`route`).
//!
//! Source: SCIENCE 2.3 (logged per-arm floor vector); the form is that of inverse-gap weighting.

/// Gap, in quality points, at which an arm's share is half of the best one's.
const GAP: f64 = 0.05;

/// Floors that sum to `eps` for arms of these utilities (finite).
///
/// ```
/// use bellwether::bandit::floors;
/// // Gaps 0 and 0.1: shares 20 and 20/3, that is 3/4 and 1/4 of 0.02.
/// let found = floors(0.02, &[0.9, 0.8]);
/// assert!((found[0] - 0.015).abs() < 1e-12 && (found[1] - 0.005).abs() < 1e-12);
/// ```
#[must_use]
pub fn floors(eps: f64, utility: &[f64]) -> Vec<f64> {
    let best = super::greedy::greatest(utility);
    let mut shares: Vec<f64> = utility.iter().map(|u| (GAP + best - u).recip()).collect();
    let total: f64 = shares.iter().sum();
    shares.iter_mut().for_each(|share| *share *= eps / total);
    shares
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn floors_sum_to_eps_and_fall_with_the_gap(
            eps in 1e-6_f64..=1.0, utility in prop::collection::vec(-100.0_f64..100.0, 1..80),
        ) {
            let floors = floors(eps, &utility);
            prop_assert!((floors.iter().sum::<f64>() - eps).abs() < 1e-12);
            prop_assert!(floors.iter().all(|f| *f > 0.0));
            let arms = || utility.iter().zip(&floors);
            for (a, b) in arms().zip(arms().skip(1)) {
                prop_assert!(a.0 < b.0 || a.1 >= b.1);
            }
        }
    }

    #[test]
    fn without_exploration_there_are_no_floors() {
        assert_eq!(floors(0.0, &[0.3, 0.9]), [0.0, 0.0]);
        assert!(floors(0.5, &[]).is_empty());
    }
}
