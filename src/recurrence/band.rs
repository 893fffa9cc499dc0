//! The band that a quantity of finished episodes lies in, learned from them.
//!
//! Quantities like calls and money are positive and skewed: their logarithms are looked at, by the median and the
//! median absolute deviation, which a quarter of outliers does not move far.
//!
//! Invariants: without [`Band::EVIDENCE`] episodes it bounds nothing; it remembers the last [`Band::KEPT`].
//!
//! Source: P. Rousseeuw and C. Croux, Alternatives to the median absolute deviation, JASA 1993 (1.4826: of a normal
//! sample the deviation times this is its standard deviation). Ours: the deviation is taken to be 0.25 at least.

use std::collections::VecDeque;

/// Of a normal sample, the standard deviation over the median absolute one.
const NORMAL: f64 = 1.4826;

/// Least standard deviation of a logarithm: equal episodes do not make the next one suspect.
const LEAST_DEVIATION: f64 = 0.25;

/// What was seen.
#[derive(Debug, Clone, Default)]
pub struct Band {
    logs: VecDeque<f64>,
}

impl Band {
    /// Episodes before it bounds anything.
    pub const EVIDENCE: usize = 30;

    /// Episodes that it remembers.
    pub const KEPT: usize = 256;

    /// An episode took so much. What is not positive is not counted.
    pub fn add(&mut self, amount: f64) {
        if !(amount > 0.0 && amount.is_finite()) {
            return;
        }
        if self.logs.len() >= Self::KEPT {
            self.logs.pop_front();
        }
        self.logs.push_back(amount.ln());
    }

    /// Its upper end, `width` deviations above the middle. `None`: too little was seen.
    ///
    /// ```
    /// use bellwether::recurrence::Band;
    /// let mut band = Band::default();
    /// (0..30).for_each(|_| band.add(10.0));
    /// // Equal ones: e^(ln 10 + 6 * 0.25).
    /// assert!((band.upper(6.0).unwrap() - 44.8).abs() < 0.1);
    /// ```
    pub fn upper(&self, width: f64) -> Option<f64> {
        if self.logs.len() < Self::EVIDENCE {
            return None;
        }
        let mut logs: Vec<f64> = self.logs.iter().copied().collect();
        let middle = median(&mut logs)?;
        logs.iter_mut().for_each(|log| *log = (*log - middle).abs());
        let deviation = (NORMAL * median(&mut logs)?).max(LEAST_DEVIATION);
        Some((middle + width * deviation).exp())
    }
}

/// The upper one of the two middle ones, of an even number.
fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let whole = !values.is_empty();
    whole.then(|| *values.select_nth_unstable_by(middle, f64::total_cmp).1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_evidence_bounds_nothing() {
        let mut band = Band::default();
        (0..29).for_each(|_| band.add(3.0));
        for nothing in [0.0, -1.0, f64::NAN, f64::INFINITY] {
            band.add(nothing);
        }
        assert_eq!(band.upper(2.0), None);
        band.add(3.0);
        assert!(band.upper(2.0).is_some());
    }

    #[test]
    fn a_quarter_of_outliers_moves_it_little() {
        let mut band = Band::default();
        (0..90).for_each(|n| band.add(f64::from(8 + n % 5)));
        let before = band.upper(6.0).unwrap();
        (0..30).for_each(|_| band.add(1e6));
        let after = band.upper(6.0).unwrap();
        assert!(before < after && after < 2.0 * before, "{before} {after}");
    }

    #[test]
    fn it_follows_what_episodes_take_now() {
        let mut band = Band::default();
        (0..256).for_each(|_| band.add(10.0));
        (0..256).for_each(|_| band.add(1000.0));
        assert!(band.upper(2.0).unwrap() > 1000.0);
        assert_eq!(band.logs.len(), Band::KEPT);
    }
}
