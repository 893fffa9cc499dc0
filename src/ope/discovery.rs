//! Many tests at once: which of them to believe.
//!
//! Invariants: an adjusted p-value is at most 1 and no less than its own p-value; a smaller p-value never has a
//! greater one. What is at most `rate` is what the procedure of Benjamini and Hochberg rejects at `rate`: of the
//! differences that are told, at most that share is false in the mean, where tests are independent or
//! depend positively.
//!
//! Not here: the tests ([`fn@super::paired`]).
//!
//! Source: SCIENCE 3.5; Benjamini and Hochberg 1995, step-up.

/// The least rate of false discoveries at which each test would be told, in the order given.
///
/// ```
/// use bellwether::ope::adjusted_p;
/// // Of three: 0.01 * 3 / 1, 0.04 * 3 / 3 and 0.03 * 3 / 2, and no smaller p has a greater one.
/// let adjusted = adjusted_p(&[0.01, 0.04, 0.03]);
/// for (found, expected) in adjusted.iter().zip([0.03, 0.04, 0.04]) {
///     assert!((found - expected).abs() < 1e-12);
/// }
/// ```
pub fn adjusted_p(p_values: &[f64]) -> Vec<f64> {
    let tests = p_values.len() as f64;
    let mut order: Vec<(usize, f64)> = p_values.iter().copied().enumerate().collect();
    order.sort_by(|a, b| a.1.total_cmp(&b.1));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least: f64 = 1.0;
    for (rank, (place, p)) in order.iter().enumerate().rev() {
        // The factor is at least 1, also after rounding.
        least = least.min(p * (tests / (rank as f64 + 1.0)));
        if let Some(found) = adjusted.get_mut(*place) {
            *found = least;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use rand::{RngExt, SeedableRng, rngs::SmallRng};

    /// By definition: the k smallest, for the greatest k whose p-value is at most k rate / m.
    fn rejected(p_values: &[f64], rate: f64) -> Vec<bool> {
        let mut sorted = p_values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let m = sorted.len() as f64;
        let within = |k: &usize| sorted[k - 1] <= *k as f64 * rate / m;
        let last = (1..=sorted.len()).rev().find(within);
        let bound = last.map_or(-1.0, |k| sorted[k - 1]);
        p_values.iter().map(|p| *p <= bound).collect()
    }

    #[test]
    fn at_most_a_tenth_of_what_is_told_is_false() {
        let mut rng = SmallRng::seed_from_u64(8);
        let mut share = 0.0;
        for _ in 0..2000 {
            // Eight of ten are of nothing; the others tell.
            let p: Vec<f64> = (0..10)
                .map(|i| rng.random::<f64>() * if i < 2 { 0.001 } else { 1.0 })
                .collect();
            let told: Vec<bool> = adjusted_p(&p).iter().map(|p| *p <= 0.1).collect();
            let all = told.iter().filter(|told| **told).count();
            let wrong = told.iter().skip(2).filter(|told| **told).count();
            share += wrong as f64 / all.max(1) as f64;
        }
        // 0.1 * 8 / 10 in theory; sd 0.003.
        assert!((share / 2000.0 - 0.08).abs() < 0.013, "{}", share / 2000.0);
    }

    proptest! {
        #[test]
        fn it_is_the_procedure_of_its_definition(
            p in prop::collection::vec(0.0_f64..1.0, 0..20), squeeze in 0.01_f64..1.0, rate in 0.01_f64..0.5,
        ) {
            let p: Vec<f64> = p.iter().map(|p| p * squeeze).collect();
            let adjusted = adjusted_p(&p);
            let told: Vec<bool> = adjusted.iter().map(|p| *p <= rate).collect();
            prop_assert_eq!(told, rejected(&p, rate));
            for (adjusted, p) in adjusted.iter().zip(&p) {
                prop_assert!(adjusted >= p && *adjusted <= 1.0);
            }
        }
    }
}
