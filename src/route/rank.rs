//! Ranks: of endpoints that may be asked the one to ask, and of arms the order in which they stand in.
//!
//! Not here: what each of them costs and how it does (`roads`).

use super::estimate::Estimates;
use super::hops::Tried;
use super::request::Request;
use super::team::{Fallbacks, TaskRule};
use crate::decision::Decision;
use crate::id::Name;
use crate::provider::Retry;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Prices that differ by less than this share of the cost count as equal.
pub(super) const CLOSE: f64 = 0.02;

/// One endpoint that may be asked.
pub(super) struct Candidate {
    pub(super) place: usize,
    /// Where the caller wants it: whether it is slower than preferred, and its place in the caller's order.
    pub(super) rank: (bool, usize),
    pub(super) points: f64,
    pub(super) cost_points: f64,
    pub(super) warm: u32,
    pub(super) weight: f64,
    pub(super) due: bool,
}

/// The arms to go on with, as indices into the estimates: the one that was chosen, then those of the caller's
/// order; or those of the team's for the task; or all that the draw saw, by what the task's rule says or else
/// by what they are worth now.
pub(super) fn order(
    (request, rule): (&Request, Option<&TaskRule>),
    decision: &Decision,
    estimates: &Estimates,
    tried: &[Tried],
) -> Vec<usize> {
    let spent = |arm: &Name| {
        let of = |t: &&Tried| t.endpoint.arm == *arm;
        tried
            .iter()
            .filter(of)
            .any(|t| t.error.retry == Retry::OtherArm)
    };
    let chosen = decision.drawn.arm();
    let by = rule.map_or(&Fallbacks::ByUtility, |rule| &rule.fallbacks);
    let wanted = match (request.constraints.arm_order.as_slice(), by) {
        ([], Fallbacks::Ordered(arms)) => arms,
        (order, _) => order,
    };
    let allowed = &request.constraints.allowed_arms;
    let withheld = decision.allowance.as_ref().map(|a| a.withheld.as_slice());
    let withheld = withheld.unwrap_or_default();
    let may = |arm: &Name| {
        (allowed.is_empty() || allowed.contains(arm)) && !withheld.iter().any(|w| w.arm == *arm)
    };
    let open = |arm: &Name| match wanted {
        [] => decision.drawn.arms.contains(arm),
        wanted => chosen == Some(arm) || wanted.contains(arm),
    };
    let mut order: Vec<_> = (0..estimates.arms.len())
        .filter(|index| {
            let arm = &estimates.arms[*index];
            open(arm) && may(arm) && !spent(arm)
        })
        .collect();
    let worth = |index: usize| match by {
        Fallbacks::BySignal(signal) => estimates.signal(index, signal),
        _ => None,
    };
    let rank = |index: usize| {
        let arm = &estimates.arms[index];
        let place = wanted.iter().position(|name| name == arm);
        let worth = worth(index).unwrap_or(estimates.utility[index]);
        (chosen != Some(arm), place.unwrap_or(usize::MAX), worth)
    };
    order.sort_by(|a, b| {
        let (a, b) = (rank(*a), rank(*b));
        (a.0, a.1).cmp(&(b.0, b.1)).then(b.2.total_cmp(&a.2))
    });
    order
}

/// The index of the candidate to ask.
pub(super) fn best(candidates: &[Candidate], seed: u64) -> Option<usize> {
    if let Some(due) = candidates.iter().position(|c| c.due) {
        return Some(due);
    }
    let before = |a: &&Candidate, b: &&Candidate| {
        let rank = a.rank.cmp(&b.rank);
        rank.then(a.points.total_cmp(&b.points))
    };
    let least = candidates.iter().min_by(before)?;
    let close = least.points + CLOSE * least.cost_points.abs();
    let equal = |index: &usize| {
        let candidate = &candidates[*index];
        candidate.rank == least.rank && candidate.points <= close
    };
    let equal: Vec<usize> = (0..candidates.len()).filter(equal).collect();
    let warmest = equal.iter().map(|index| candidates[*index].warm).max()?;
    if warmest > 0 {
        return equal.into_iter().find(|i| candidates[*i].warm == warmest);
    }
    // Two that the seed names, by a hash of each one's place: the same two whatever others there are.
    let mut named: Vec<_> = equal
        .into_iter()
        .map(|index| {
            let place = candidates[index].place as u64;
            (xxh3_64_with_seed(&place.to_le_bytes(), seed), index)
        })
        .collect();
    named.sort_unstable();
    let two = named.into_iter().take(2).map(|(_, index)| index);
    two.min_by(|a, b| candidates[*a].weight.total_cmp(&candidates[*b].weight))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Points, warm tokens, weight.
    fn candidates(said: &[(f64, u32, f64)]) -> Vec<Candidate> {
        let made = said.iter().enumerate();
        made.map(|(place, &(points, warm, weight))| Candidate {
            place,
            rank: (false, usize::MAX),
            points,
            cost_points: points,
            warm,
            weight,
            due: false,
        })
        .collect()
    }

    fn check(said: &[(f64, u32, f64)], expected: usize) {
        for seed in 0..20 {
            assert_eq!(best(&candidates(said), seed), Some(expected), "{said:?}");
        }
    }

    #[test]
    fn the_cheapest_goes_first_then_the_warmest_then_the_less_loaded() {
        check(&[(0.2, 0, 0.0), (0.1, 0, 9.0)], 1);
        check(&[(0.2, 900, 0.0), (0.1, 0, 9.0)], 1);
        check(&[(0.101, 900, 9.0), (0.1, 0, 0.0)], 0);
        check(&[(0.1, 0, 9.0), (0.1, 0, 1.0)], 1);
        assert_eq!(best(&[], 0), None);
    }

    #[test]
    fn one_that_is_due_goes_before_all() {
        let mut two = candidates(&[(0.1, 900, 0.0), (0.9, 0, 9.0)]);
        two[1].due = true;
        assert_eq!(best(&two, 0), Some(1));
    }

    #[test]
    fn equals_share_the_sessions_evenly_and_a_session_keeps_its_own() {
        let four = candidates(&[(0.1, 0, 0.0); 4]);
        let mut counts = [0; 4];
        for seed in 0..10_000 {
            let chosen = best(&four, seed).unwrap();
            assert_eq!(best(&four, seed), Some(chosen));
            counts[chosen] += 1;
        }
        // Binomial(10000, 1/4): sd 43; five of them.
        assert!(
            counts.iter().all(|count| (2285..=2715).contains(count)),
            "{counts:?}"
        );
    }

    #[test]
    fn the_callers_order_goes_before_the_price() {
        let mut three = candidates(&[(0.1, 900, 0.0), (0.9, 0, 9.0), (0.5, 0, 0.0)]);
        (three[1].rank, three[2].rank) = ((false, 0), (false, 1));
        assert_eq!(best(&three, 0), Some(1));
    }
}
