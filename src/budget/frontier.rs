//! What a router's points of (cost, score), one for each price of cost, are worth together, beside other
//! routers and beside mixes of fixed arms.
//!
//! Invariants: a point that another of the same router dominates (no dearer, no worse) changes neither
//! [`aiq`], [`gain_over_hull`], [`perf_gain`] nor [`cost_save`]. What is not defined is none, never 0.
//!
//! Not here: where points come from (`replay`), how sure one may be of them (`ope`).
//!
//! Units: cost in USD a request, scores in quality points.
//!
//! Source: SCIENCE 3.5. AIQ: `RouterBench` (Hu et al. 2024), both as the paper defines it and as its code
//! computes it. `PerfGain`, `CostSave`, `ParetoDist`: `LLMRouterBench` (Li et al. 2026); where that leaves room, what
//! is done is said at the function. [`router_arena`]: `RouterArena` (2025).

use super::Hull;
use serde::Serialize;

/// Average improvement in quality: the mean height of a router's hull.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Aiq {
    /// The area over the range of costs. None where that range is empty: one point, the dearest of all.
    pub aiq_paper: Option<f64>,
    /// The same area over the greatest cost itself, as the code that came with the paper has it.
    pub aiq_code: f64,
}

/// The area under the hull of `points`, from its first corner, flat to `most_usd` (the greatest cost of all
/// compared routers). Nothing where there is no point as cheap as that, or where it is 0.
///
/// ```
/// use bellwether::budget::aiq;
/// // From 1 to 3 USD at 0.7 in the mean, then 0.9 up to 4 USD: 2.3 over a range of 3, or over 4.
/// let found = aiq(&[(1.0, 0.5), (3.0, 0.9)], 4.0).unwrap();
/// assert!((found.aiq_paper.unwrap() - 2.3 / 3.0).abs() < 1e-15);
/// assert!((found.aiq_code - 2.3 / 4.0).abs() < 1e-15);
/// ```
pub fn aiq(points: &[(f64, f64)], most_usd: f64) -> Option<Aiq> {
    let hull = Hull::of(points);
    let first = hull.points().first()?.0;
    let area = hull.area(first, most_usd)?;
    (most_usd > 0.0).then(|| Aiq {
        aiq_paper: (most_usd > first).then(|| area / (most_usd - first)),
        aiq_code: area / most_usd,
    })
}

/// How much higher than `zero`, the hull of fixed arms, that of `points` lies, in the mean over the costs
/// from where both begin to `most_usd`. Where that is a single cost: the difference there.
///
/// ```
/// use bellwether::budget::{Hull, gain_over_hull};
/// // At 2 USD the mix has 0.7; the router's 0.8 there are 0.1 more, and at 3 USD, flat, 0.1 less.
/// let zero = Hull::of(&[(1.0, 0.5), (3.0, 0.9)]);
/// assert!(gain_over_hull(&[(2.0, 0.8)], &zero, 3.0).unwrap().abs() < 1e-15);
/// assert!((gain_over_hull(&[(2.0, 0.8)], &zero, 2.0).unwrap() - 0.1).abs() < 1e-15);
/// ```
pub fn gain_over_hull(points: &[(f64, f64)], zero: &Hull, most_usd: f64) -> Option<f64> {
    let hull = Hull::of(points);
    let from = hull.points().first()?.0.max(zero.points().first()?.0);
    if most_usd > from {
        let (own, other) = (hull.area(from, most_usd)?, zero.area(from, most_usd)?);
        return Some((own - other) / (most_usd - from));
    }
    (most_usd == from).then(|| Some(hull.at(from)? - zero.at(from)?))?
}

/// The best score of `points` over that of the best single arm, less 1.
///
/// ```
/// use bellwether::budget::perf_gain;
/// assert!((perf_gain(&[(1.0, 0.5), (2.0, 0.88)], 0.8).unwrap() - 0.1).abs() < 1e-15);
/// assert_eq!((perf_gain(&[], 0.8), perf_gain(&[(1.0, 0.5)], 0.0)), (None, None));
/// ```
pub fn perf_gain(points: &[(f64, f64)], best_score: f64) -> Option<f64> {
    let most = points.iter().map(|(_, score)| *score).reduce(f64::max)?;
    (best_score > 0.0).then(|| most / best_score - 1.0)
}

/// The largest share of the best single arm's cost that a point saves which scores no less than it; below 0
/// where each such point is dearer, none where there is no such point.
///
/// ```
/// use bellwether::budget::cost_save;
/// // The first point is too bad; of the others the cheaper costs 3 of 4 USD.
/// let points = [(1.0, 0.7), (3.0, 0.8), (3.5, 0.9)];
/// assert_eq!(cost_save(&points, (4.0, 0.8)), Some(0.25));
/// assert_eq!(cost_save(&points, (4.0, 0.95)), None);
/// ```
pub fn cost_save(points: &[(f64, f64)], (best_usd, best_score): (f64, f64)) -> Option<f64> {
    let good = points.iter().filter(|(_, score)| *score >= best_score);
    let least = good.map(|(cost, _)| *cost).reduce(f64::min)?;
    (best_usd > 0.0).then(|| 1.0 - least / best_usd)
}

/// The points that no other dominates, by rising cost.
///
/// ```
/// use bellwether::budget::pareto_front;
/// // Unlike a hull it keeps the middle one, which lies under the line between its neighbours.
/// let all = [(3.0, 0.9), (2.0, 0.6), (1.0, 0.5), (4.0, 0.8)];
/// assert_eq!(pareto_front(&all), [(1.0, 0.5), (2.0, 0.6), (3.0, 0.9)]);
/// ```
pub fn pareto_front(all: &[(f64, f64)]) -> Vec<(f64, f64)> {
    let mut sorted = all.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
    let mut front: Vec<(f64, f64)> = Vec::new();
    for point in sorted {
        if front.last().is_none_or(|last| point.1 > last.1) {
            front.push(point);
        }
    }
    front
}

/// The mean distance of `points` to the nearest point that none of `all` dominates, where both axes run from
/// 0 to 1 over `all`, which has the points of every compared router and of the fixed arms.
///
/// ```
/// use bellwether::budget::pareto_dist;
/// // Costs 1 to 3 and scores 0.5 to 0.9: (3, 0.7) is half a unit below (3, 0.9).
/// let all = [(1.0, 0.5), (3.0, 0.9), (3.0, 0.7)];
/// assert!((pareto_dist(&[(3.0, 0.7), (3.0, 0.9)], &all).unwrap() - 0.25).abs() < 1e-15);
/// ```
pub fn pareto_dist(points: &[(f64, f64)], all: &[(f64, f64)]) -> Option<f64> {
    let front = pareto_front(all);
    let range = |axis: fn(&(f64, f64)) -> f64| {
        let least = all.iter().map(axis).fold(f64::INFINITY, f64::min);
        let most = all.iter().map(axis).fold(f64::NEG_INFINITY, f64::max);
        // An axis on which all are alike separates nothing.
        if most > least { most - least } else { 1.0 }
    };
    let (wide, high) = (range(|p| p.0), range(|p| p.1));
    let apart = |a: &(f64, f64), b: &(f64, f64)| ((a.0 - b.0) / wide).hypot((a.1 - b.1) / high);
    let nearest = |point: &(f64, f64)| front.iter().map(|f| apart(point, f)).reduce(f64::min);
    let found: Vec<f64> = points.iter().filter_map(nearest).collect();
    (!found.is_empty()).then(|| found.iter().sum::<f64>() / found.len() as f64)
}

/// `RouterArena`'s score of a point: the score and a logarithmic scale of cost (1 at 0.0044 USD a thousand
/// requests or below, 0 at 200 or above) in a weighted harmonic mean that puts the score first.
///
/// ```
/// use bellwether::budget::router_arena;
/// // At 0.0044 USD a thousand, cost counts 1: 1.1 * 0.5 / (0.05 + 1).
/// assert!((router_arena(0.5, 0.000_004_4) - 0.55 / 1.05).abs() < 1e-12);
/// assert_eq!(router_arena(0.9, 0.2), 0.0);
/// ```
pub fn router_arena(score: f64, cost_usd: f64) -> f64 {
    const LEAST: f64 = 0.0044;
    const MOST: f64 = 200.0;
    let thousand = (cost_usd * 1000.0).clamp(LEAST, MOST);
    let cheap = (MOST.log2() - thousand.log2()) / (MOST.log2() - LEAST.log2());
    let both = 0.1 * score + cheap;
    if both > 0.0 {
        1.1 * score * cheap / both
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The height at `cost` of the best mix of any two points, or of one that costs no more: every pair is
    /// tried.
    fn envelope(points: &[(f64, f64)], cost: f64) -> f64 {
        let mut best = f64::NEG_INFINITY;
        for a in points.iter().filter(|a| a.0 <= cost) {
            best = best.max(a.1);
            for b in points.iter().filter(|b| b.0 > cost) {
                best = best.max(a.1 + (cost - a.0) / (b.0 - a.0) * (b.1 - a.1));
            }
        }
        best
    }

    /// The area under the envelope, whose corners are at costs of points.
    fn brute(points: &[(f64, f64)], most: f64) -> f64 {
        let mut costs: Vec<f64> = points.iter().map(|p| p.0).chain([most]).collect();
        costs.sort_by(f64::total_cmp);
        let heights: Vec<f64> = costs.iter().map(|c| envelope(points, *c)).collect();
        let pieces = costs.windows(2).zip(heights.windows(2));
        pieces
            .map(|(c, h)| (c[1] - c[0]) * (h[0] + h[1]) / 2.0)
            .sum()
    }

    fn points() -> impl Strategy<Value = Vec<(f64, f64)>> {
        // A coarse grid, so that costs and scores are often alike.
        let point =
            (1_u32..20, 0_u32..11).prop_map(|(c, s)| (f64::from(c) / 4.0, f64::from(s) / 10.0));
        prop::collection::vec(point, 1..12)
    }

    fn near(a: Option<f64>, b: Option<f64>) -> bool {
        match (a, b) {
            (Some(a), Some(b)) => (a - b).abs() < 1e-12,
            (a, b) => a == b,
        }
    }

    proptest! {
        #[test]
        fn aiq_is_the_area_under_the_envelope_of_every_pair(points in points(), more in 0.0_f64..3.0) {
            let most = points.iter().map(|p| p.0).fold(0.0, f64::max) + more;
            let first = points.iter().map(|p| p.0).fold(f64::INFINITY, f64::min);
            let (found, area) = (aiq(&points, most).unwrap(), brute(&points, most));
            prop_assert!((found.aiq_code - area / most).abs() < 1e-12);
            match found.aiq_paper {
                Some(paper) => prop_assert!((paper - area / (most - first)).abs() < 1e-9),
                None => prop_assert_eq!(most, first),
            }
        }

        #[test]
        fn a_dominated_point_changes_nothing(
            points in points(), of in any::<prop::sample::Index>(), dearer in 0.0_f64..1.0, worse in 0.0_f64..0.5,
        ) {
            let dominating = points[of.index(points.len())];
            let most = points.iter().map(|p| p.0).fold(0.0, f64::max) + 2.0;
            let mut more = points.clone();
            more.push((dominating.0 + dearer, dominating.1 - worse));
            prop_assert_eq!(aiq(&points, most), aiq(&more, most));
            let zero = Hull::of(&[(0.5, 0.1), (4.0, 0.7)]);
            prop_assert!(near(gain_over_hull(&points, &zero, most), gain_over_hull(&more, &zero, most)));
            prop_assert_eq!(perf_gain(&points, 0.5), perf_gain(&more, 0.5));
            prop_assert_eq!(cost_save(&points, (2.0, 0.5)), cost_save(&more, (2.0, 0.5)));
            prop_assert_eq!(pareto_front(&points), pareto_front(&more));
        }

        #[test]
        fn the_hull_gains_nothing_over_itself_and_the_front_is_at_no_distance(points in points()) {
            let most = points.iter().map(|p| p.0).fold(0.0, f64::max) + 1.0;
            let gain = gain_over_hull(&points, &Hull::of(&points), most).unwrap();
            prop_assert!(gain.abs() < 1e-12);
            prop_assert_eq!(pareto_dist(&pareto_front(&points), &points), Some(0.0));
            prop_assert!(pareto_dist(&points, &points).unwrap() <= 2.0_f64.sqrt());
        }

        #[test]
        fn cheaper_and_better_is_never_less_in_the_arena(
            score in 0.0_f64..0.9, cost in 1e-7_f64..1.0, better in 0.0_f64..0.1, cheaper in 0.1_f64..1.0,
        ) {
            let (one, other) = (router_arena(score, cost), router_arena(score + better, cost * cheaper));
            prop_assert!(other >= one - 1e-12 && (0.0..=1.0).contains(&one));
        }
    }

    #[test]
    fn what_is_not_defined_is_none() {
        assert_eq!(aiq(&[], 1.0), None);
        assert_eq!(aiq(&[(2.0, 0.5)], 1.0), None);
        assert_eq!(aiq(&[(0.0, 0.5)], 0.0), None);
        let dearest = aiq(&[(2.0, 0.5)], 2.0).unwrap();
        assert_eq!((dearest.aiq_paper, dearest.aiq_code), (None, 0.0));
        assert_eq!(pareto_dist(&[], &[(1.0, 0.5)]), None);
        assert_eq!(pareto_dist(&[(1.0, 0.5)], &[(1.0, 0.5)]), Some(0.0));
    }
}
