//! Whether several groups have one share in common: Pearson's chi-square of a table of two columns.
//!
//! Invariants: the p-value is in 0 to 1, whatever the order of the groups, and of hits and misses. No answer
//! where the approximation is poor: with fewer than two groups, or where a cell expects fewer than 5.
//!
//! Not here: which groups are worth comparing (`learn::reports`).
//!
//! Source: Pearson 1900; the 5 is Fisher's rule of thumb. Measured below: 2 groups of 100 to 400 with one share
//! of 0.1 to 0.5 go below p = 0.01 in about 1 of 100 tables.

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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

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

    proptest! {
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
