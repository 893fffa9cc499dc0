//! The least that every arm is explored, whatever the policy: eps in all, more for an arm that may yet
//! prove good than for one that is plainly bad.
//!
//! r_a is proportional to 1 / (0.05 + u_best - u_a), so that an arm one point behind in ten keeps a third
//! of the best one's share and none is without: the log can speak of every arm, and of those that a new
//! policy would rather use it speaks best. Why not eps / K: on tables of many arms most of that is spent
//! where it tells nobody anything (routerbench_subset, 11 arms: 0.002 to 0.007 of the reward).
//!
//! A newcomer to a team that has chosen for a while gets more, until it has had 20 draws: doubt alone
//! leaves it to the luck of its first three outcomes, and the team's settled arms do not wait. With 0.15
//! it has its 20 draws within some 133 decisions even where nothing else draws it. Several newcomers share
//! it. A bad arm costs at most these 20 draws more than without, and fewer where it is shown to be worse before (`learn::Newcomer`).
//!
//! Measured (gemini-2.5-flash joins the other three arms of paretobandit_k4 after 1,000 decisions, lambda
//! 0.1; how often it had 20 % of the last 100 decisions within 142): without, in 17 of 20 streams; with
//! 0.10 in 19, with 0.15 and with 0.20 in 20. The reward after it is the same (0.9234 and 0.9233).
//!
//! Invariants: floors are positive where eps is, sum to eps (and 0.15 where there are newcomers) within
//! rounding, and are logged with the decision; an importance weight is at most 1 / floor.
//!
//! Not here: whether a request may explore at all (`route`).
//!
//! Source: SCIENCE 2.3 (logged per-arm floor vector); the form is that of inverse-gap weighting. 2.9 (a
//! newcomer's floor for 20 to 200 draws; its 0.02 to 0.05 would take 400 decisions and more).

/// Gap, in quality points, at which an arm's share is half of the best one's.
const GAP: f64 = 0.05;

/// Draws after which an arm is no newcomer any more.
const NEWCOMER_PULLS: u64 = 20;

/// Doubt above which a young arm joined after the others. One that joins 250 decisions after a team's
/// start has 1.25; one there from the start has 1 (`tempo`), and so has a newcomer in the end.
const NEWCOMER_DOUBT: f64 = 1.1;

/// The floor that newcomers share.
const NEWCOMERS: f64 = 0.15;

/// Whether an arm of so many draws that is doubted so many times more than one as old as the team
/// ([`super::Tempo::doubt`]) has joined later than the others.
///
/// ```
/// use bellwether::bandit::is_newcomer;
/// assert!(is_newcomer(19, 2.0));
/// assert!(!is_newcomer(20, 2.0) && !is_newcomer(0, 1.0));
/// ```
#[must_use]
pub fn is_newcomer(pulls: u64, doubt: f64) -> bool {
    pulls < NEWCOMER_PULLS && doubt > NEWCOMER_DOUBT
}

/// Floors with 0.15 more for the arms that are newcomers, if there are any; at most 1 in all.
///
/// ```
/// use bellwether::bandit::raise_newcomers;
/// let mut floors = vec![0.015, 0.005];
/// raise_newcomers(&mut floors, &[false, true]);
/// assert_eq!(floors, [0.015, 0.155]);
/// ```
pub fn raise_newcomers(floors: &mut [f64], newcomers: &[bool]) {
    let count = newcomers.iter().filter(|new| **new).count();
    let left = (1.0 - floors.iter().sum::<f64>()).max(0.0);
    let each = NEWCOMERS.min(left) / count.max(1) as f64;
    let raised = floors.iter_mut().zip(newcomers).filter(|(_, new)| **new);
    raised.for_each(|(floor, _)| *floor += each);
}

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
    fn newcomers_share_one_floor_and_leave_none_below_nothing() {
        let check = |eps: f64, newcomers: &[bool], sum: f64| {
            let mut found = floors(eps, &[0.9, 0.8, 0.7]);
            let before = found.clone();
            raise_newcomers(&mut found, newcomers);
            assert!((found.iter().sum::<f64>() - sum).abs() < 1e-12, "{found:?}");
            for ((after, before), new) in found.iter().zip(&before).zip(newcomers) {
                assert_eq!(after - before > 1e-12, *new && sum > eps);
            }
        };
        check(0.02, &[false; 3], 0.02);
        check(0.02, &[false, true, false], 0.17);
        check(0.0, &[true, true, false], 0.15);
        check(0.95, &[true, false, true], 1.0);
        check(1.0, &[true, false, true], 1.0);
    }

    #[test]
    fn without_exploration_there_are_no_floors() {
        assert_eq!(floors(0.0, &[0.3, 0.9]), [0.0, 0.0]);
        assert!(floors(0.5, &[]).is_empty());
    }
}
