//! Many tests at once: how small a p-value must be for few of those called different to be so by chance.
//!
//! Source: Benjamini and Hochberg 1995.

/// The largest p-value that counts as a discovery where at most `share` of the discoveries may be false: the largest
/// p_(i) that is at most share i / m of m sorted ones. 0 where none is.
///
/// ```
/// use bellwether::ope::false_discoveries;
/// // Of four at a share of 0.1 the bounds are 0.025, 0.05, 0.075, 0.1: the second meets its own.
/// assert_eq!(false_discoveries(&[0.04, 0.9, 0.03, 0.08], 0.1), 0.04);
/// assert_eq!(false_discoveries(&[0.2, 0.3], 0.1), 0.0);
/// ```
pub fn false_discoveries(p_values: &[f64], share: f64) -> f64 {
    let mut sorted = p_values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let m = sorted.len() as f64;
    let ranked = sorted.iter().zip(1_u32..);
    let met = ranked.filter(|(p, i)| **p <= share * f64::from(*i) / m);
    met.map(|(p, _)| *p).last().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn it_is_the_definition(p_values in prop::collection::vec(0.0_f64..1.0, 0..20)) {
            let least = false_discoveries(&p_values, 0.1);
            let m = p_values.len() as f64;
            // A bound is met exactly where as many values lie below it as its rank asks.
            let met = |p: f64| {
                let rank = p_values.iter().filter(|q| **q <= p).count() as f64;
                p <= 0.1 * rank / m
            };
            let wanted = p_values.iter().copied().filter(|p| met(*p)).fold(0.0, f64::max);
            prop_assert_eq!(least, wanted);
        }
    }
}
