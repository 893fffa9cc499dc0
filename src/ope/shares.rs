//! Whether several groups have one share in common: Pearson's chi-square of a table of two columns, and Fisher's exact
//! test of two groups.
//!
//! Invariants: the p-value is in 0 to 1, whatever the order of the groups, and of hits and misses. Chi-square has no
//! answer where the approximation is poor: with fewer than two groups, or where a cell expects fewer than 5. The exact
//! test always has one: 1 where nothing was hit, or all.
//!
//! Not here: which groups are worth comparing (`learn::reports`).
//!
//! Source: Pearson 1900; the 5 is Fisher's rule of thumb. Fisher 1935 (The Design of Experiments, chapter II), two-sided:
//! all tables with these margins that are no likelier than the one found. Measured below: 2 groups of 100 to 400 with
//! one share of 0.1 to 0.5 go below p = 0.01 in about 1 of 100 tables.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// Least expected count of a cell.
pub const LEAST_EXPECTED: f64 = 5.0;

/// The chance of shares at least this unlike if all groups had the same one. A group is (hits, tries).
///
/// ```
/// use bellwether::ope::unlike_shares;
/// // 25 of 40 together, so 12.5 hits are expected of each: 2 * 2.5^2 / (20 * 0.625 * 0.375) = 2.667.
/// let p = unlike_shares(&[(10, 20), (15, 20)]).unwrap();
/// assert!((p - 0.1025).abs() < 1e-4);
/// ```
pub fn unlike_shares(groups: &[(u64, u64)]) -> Option<f64> {
    let total = |of: fn(&(u64, u64)) -> u64| groups.iter().map(|g| of(g) as f64).sum::<f64>();
    let share = total(|g| g.0) / total(|g| g.1);
    let mut statistic = 0.0;
    for (hits, tries) in groups {
        let (hits, tries) = (*hits as f64, *tries as f64);
        let least = tries * share.min(1.0 - share);
        // Also where nothing was tried at all, and the share is NaN.
        if least.is_nan() || least < LEAST_EXPECTED {
            return None;
        }
        let off = hits - tries * share;
        statistic += off * off / (tries * share * (1.0 - share));
    }
    let degrees = groups.len().checked_sub(1).filter(|d| *d > 0)?;
    let law = ChiSquared::new(degrees as f64).ok()?;
    Some(law.sf(statistic).clamp(0.0, 1.0))
}

/// How much likelier a table may come out by rounding alone.
const ROUNDING: f64 = 1e-7;

/// The chance of two shares at least this unlike if both groups had the same one, by counting tables: also where
/// [`unlike_shares`] has no answer. A group is (hits, tries). Work and memory grow with the standard deviation of the
/// hits, so that this is for few hits, or few misses, or a small group.
///
/// ```
/// use bellwether::ope::unlike_shares_exactly;
/// // Eight cups, four of each kind, three told rightly. Of the 70 ways to choose four of eight 1, 16, 36, 16 and 1
/// // tell 0 to 4 rightly: all but the 36 are no likelier than what was found.
/// let p = unlike_shares_exactly([(3, 4), (1, 4)]);
/// assert!((p - 34.0 / 70.0).abs() < 1e-12);
/// ```
pub fn unlike_shares_exactly(groups: [(u64, u64); 2]) -> f64 {
    let [(first, own), (second, other)] = groups.map(|(hits, tries)| (hits.min(tries), tries));
    let (hits, tries) = (first.saturating_add(second), own.saturating_add(other));
    // Hits of the first group: the fewest, the most and the likeliest number with these margins.
    let (least, most) = (hits.saturating_sub(other), hits.min(own));
    let likeliest = (u128::from(hits) + 1).saturating_mul(u128::from(own) + 1);
    let likeliest = likeliest / (u128::from(tries) + 2);
    let likeliest = u64::try_from(likeliest).map_or(most, |x| x.clamp(least, most));
    // Chance of one hit more in the first group, as a multiple of that of `x`.
    let step = |x: u64| {
        let up = (hits - x) as f64 * (own - x) as f64;
        up / ((x + 1) as f64 * ((other - (hits - x)) as f64 + 1.0))
    };
    // From the likeliest on chances only fall, so that nothing overflows and what is 0 stays it.
    let falls = |chance: &f64| *chance > 0.0;
    let mut chance = 1.0;
    let above = (likeliest..most).map(|x| {
        chance *= step(x);
        (x + 1, chance)
    });
    let mut tables: Vec<(u64, f64)> = above.take_while(|(_, chance)| falls(chance)).collect();
    let mut chance = 1.0;
    let below = (least..likeliest).rev().map(|x| {
        chance /= step(x);
        (x, chance)
    });
    tables.extend(below.take_while(|(_, chance)| falls(chance)));
    tables.push((likeliest, 1.0));
    let found = tables.iter().find(|(x, _)| *x == first);
    let found = found.map_or(0.0, |(_, chance)| *chance) * (1.0 + ROUNDING);
    let all: f64 = tables.iter().map(|(_, chance)| chance).sum();
    let unlike = tables.iter().filter(|(_, chance)| *chance <= found);
    let unlike: f64 = unlike.map(|(_, chance)| chance).sum();
    (unlike / all).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::SmallRng};
    use statrs::distribution::{Discrete, Hypergeometric};

    fn check(groups: &[(u64, u64)], expected: Option<f64>) {
        let found = unlike_shares(groups);
        match (found, expected) {
            (Some(found), Some(expected)) => {
                assert!((found - expected).abs() < 1e-4, "{groups:?}: {found}");
            }
            _ => assert_eq!(found, expected, "{groups:?}"),
        }
    }

    #[test]
    fn tables_worked_by_hand() {
        check(&[(50, 100), (50, 100)], Some(1.0));
        // 2 * 10^2 / (100 * 0.4 * 0.6) = 8.333.
        check(&[(30, 100), (50, 100)], Some(0.003_892));
        // (10^2 + 0 + 10^2) / 25 = 8 with two degrees: exp(-4).
        check(&[(40, 100), (50, 100), (60, 100)], Some(0.018_316));
    }

    #[test]
    fn there_is_no_answer_where_the_approximation_is_poor() {
        check(&[], None);
        check(&[(5, 10)], None);
        check(&[(0, 0), (0, 0)], None);
        check(&[(0, 1000), (0, 1000)], None);
        check(&[(1000, 1000), (1000, 1000)], None);
        // 4.5 expected of each, and 4.5 misses.
        check(&[(4, 100), (5, 100)], None);
        check(&[(96, 100), (95, 100)], None);
        assert!(unlike_shares(&[(5, 100), (5, 100)]).is_some());
    }

    #[test]
    fn equal_shares_seldom_look_unlike() {
        let mut rng = SmallRng::seed_from_u64(11);
        let mut low = 0;
        for run in 0..4000_u32 {
            let share = [0.1, 0.3, 0.5][run as usize % 3];
            let groups = [100, 400].map(|tries| {
                let hits = (0..tries).filter(|_| rng.random_bool(share)).count();
                (hits as u64, tries)
            });
            low += u32::from(unlike_shares(&groups).is_some_and(|p| p < 0.01));
        }
        // 40 expected; 4 sd either way.
        assert!((15..=65).contains(&low), "{low}");
    }

    fn check_exact(groups: [(u64, u64); 2], expected: f64) {
        let found = unlike_shares_exactly(groups);
        assert!((found - expected).abs() < 1e-9, "{groups:?}: {found}");
    }

    #[test]
    fn small_tables_are_counted_as_by_hand() {
        check_exact([(4, 4), (0, 4)], 2.0 / 70.0);
        check_exact([(2, 4), (2, 4)], 1.0);
        // One hit among 20: it falls on the first group of 1 in 1 of 20.
        check_exact([(1, 1), (0, 19)], 0.05);
        check_exact([(0, 1), (1, 19)], 1.0);
        // Both hits on the first 2 of 20: 1 of 190.
        check_exact([(2, 2), (0, 18)], 1.0 / 190.0);
    }

    #[test]
    fn where_nothing_was_hit_or_all_the_shares_are_alike() {
        for groups in [
            [(0, 0), (0, 0)],
            [(0, 100), (0, 1900)],
            [(100, 100), (1900, 1900)],
            [(0, 0), (3, 10)],
        ] {
            check_exact(groups, 1.0);
        }
    }

    #[test]
    fn a_share_that_chance_does_not_explain_is_found_where_few_are_expected() {
        let groups = [(60, 100), (0, 1900)];
        assert_eq!(unlike_shares(&groups), None);
        assert!(unlike_shares_exactly(groups) < 1e-80);
        // Beyond the range of floats.
        check_exact([(1 << 16, 1 << 16), (0, 1 << 16)], 0.0);
    }

    proptest! {
        #[test]
        fn the_exact_chance_is_that_of_the_hypergeometric_law(
            (own, other) in (0_u64..60, 0_u64..60), (a, b) in (0_u64..60, 0_u64..60),
        ) {
            let (a, b) = (a.min(own), b.min(other));
            let law = Hypergeometric::new(own + other, a + b, own).unwrap();
            let found = law.pmf(a) * (1.0 + 1e-6);
            let expected: f64 = (0..=own).map(|x| law.pmf(x)).filter(|p| *p <= found).sum();
            let p = unlike_shares_exactly([(a, own), (b, other)]);
            prop_assert!((p - expected).abs() < 1e-6, "{p} and {expected}");
            for same in [[(b, other), (a, own)], [(own - a, own), (other - b, other)]] {
                prop_assert!((p - unlike_shares_exactly(same)).abs() < 1e-9);
            }
        }

        #[test]
        fn neither_the_order_nor_the_side_matters(
            groups in prop::collection::vec((0_u64..500, 0_u64..500), 0..6),
        ) {
            let groups: Vec<_> = groups.into_iter().map(|(a, b)| (a.min(b), a.max(b))).collect();
            let reversed: Vec<_> = groups.iter().rev().copied().collect();
            let misses: Vec<_> = groups.iter().map(|(hits, tries)| (tries - hits, *tries)).collect();
            let p = unlike_shares(&groups);
            for other in [unlike_shares(&reversed), unlike_shares(&misses)] {
                match (p, other) {
                    (Some(p), Some(other)) => prop_assert!((p - other).abs() < 1e-9),
                    // A cell that expects just 5 may fall on either side.
                    _ => prop_assert!(p.is_none() || other.is_none()),
                }
            }
            prop_assert!(p.is_none_or(|p| (0.0..=1.0).contains(&p)));
        }
    }
}
