//! Two arms, a weak and a strong one: how much of the gap between them a router recovers, by the share of
//! requests that it gives to the strong one.
//!
//! Invariants: 0 % of strong calls recovers nothing and 100 % all of it, whatever the router: these ends are
//! known, not measured. Between a router's own points the curve is a straight line; they must reach from at
//! most 10 % to at least 90 % of strong calls, else there is no answer.
//!
//! Not here: the calls and their scores (`replay`).
//!
//! Units: shares as fractions of 1, scores in quality points.
//!
//! Source: SCIENCE 3.5; `RouteLLM` (Ong et al. 2024): PGR, APGR, CPT. There a threshold gives every share; here
//! shares are those of a sweep over prices of cost, so between them is interpolated.

use thiserror::Error;

/// Least share that a router's points must come down to, and that APGR begins with.
const LOW: f64 = 0.1;

/// Share that they must come up to.
const HIGH: f64 = 0.9;

/// Why there is no curve.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
pub enum GapError {
    /// The strong arm is no better.
    #[error(
        "the strong arm's score is {strong}, the weak one's {weak}: allowed a strong arm that scores more"
    )]
    NoGap {
        /// Mean score of the weak arm.
        weak: f64,
        /// Mean score of the strong arm.
        strong: f64,
    },
    /// The router's points leave too much of the curve open.
    #[error(
        "shares of strong calls run from {least:.3} to {most:.3}: allowed a sweep from 0.1 or less to 0.9 or more"
    )]
    Span {
        /// The least share.
        least: f64,
        /// The greatest.
        most: f64,
    },
}

/// The performance gap recovered, as a curve over the share of strong calls.
#[derive(Debug, Clone, PartialEq)]
pub struct GapRecovered {
    /// (share, PGR), by rising share, from (0, 0) to (1, 1).
    curve: Vec<(f64, f64)>,
}

impl GapRecovered {
    /// From the mean scores of both arms and a router's points of (share of strong calls, score).
    ///
    /// ```
    /// use bellwether::budget::GapRecovered;
    /// // 0.5 recovers nothing, 0.9 all; 0.6 is a quarter, 0.8 three quarters of the gap.
    /// let curve = GapRecovered::new(0.5, 0.9, &[(0.1, 0.6), (0.9, 0.8)]).unwrap();
    /// assert!((curve.pgr(0.5) - 0.5).abs() < 1e-12);
    /// // 10 %: 0.25, 20 %: 0.3125, .. 90 %: 0.75, 100 %: 1. Their mean: (9 * 0.5 + 1) / 10.
    /// assert!((curve.apgr() - 0.55).abs() < 1e-12);
    /// assert!((curve.cpt(0.5) - 0.5).abs() < 1e-12 && (curve.cpt(0.8) - 0.92).abs() < 1e-12);
    /// assert!(GapRecovered::new(0.5, 0.9, &[(0.3, 0.6), (0.9, 0.8)]).is_err());
    /// ```
    pub fn new(weak: f64, strong: f64, points: &[(f64, f64)]) -> Result<Self, GapError> {
        let gap = strong - weak;
        if gap.is_nan() || gap <= 0.0 {
            return Err(GapError::NoGap { weak, strong });
        }
        let shares = points.iter().map(|point| point.0);
        let least = shares.clone().fold(1.0, f64::min);
        let most = shares.fold(0.0, f64::max);
        if least > LOW || most < HIGH {
            return Err(GapError::Span { least, most });
        }
        let recovered = |(share, score): &(f64, f64)| (*share, (score - weak) / gap);
        let mut curve: Vec<(f64, f64)> = points.iter().map(recovered).collect();
        curve.extend([(0.0, 0.0), (1.0, 1.0)]);
        // Of equal shares the best counts last, and so for what comes after.
        curve.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
        Ok(Self { curve })
    }

    /// PGR at a share of strong calls: (S - S_weak) / (S_strong - S_weak).
    ///
    /// ```
    /// use bellwether::budget::GapRecovered;
    /// let curve = GapRecovered::new(0.0, 1.0, &[(0.1, 0.4), (0.9, 0.6)]).unwrap();
    /// assert!((curve.pgr(0.05) - 0.2).abs() < 1e-12 && (curve.pgr(0.3) - 0.45).abs() < 1e-12);
    /// ```
    pub fn pgr(&self, share: f64) -> f64 {
        let after = self.curve.partition_point(|point| point.0 <= share);
        let left = after.checked_sub(1).and_then(|at| self.curve.get(at));
        match (left, self.curve.get(after)) {
            (Some(left), Some(right)) => {
                left.1 + (share - left.0) / (right.0 - left.0) * (right.1 - left.1)
            }
            (Some(end), None) | (None, Some(end)) => end.1,
            (None, None) => f64::NAN,
        }
    }

    /// APGR: the mean of PGR at 10 %, 20 %, .. 100 % of strong calls.
    ///
    /// ```
    /// use bellwether::budget::GapRecovered;
    /// // What a coin recovers: its share. The mean of 0.1 to 1.
    /// let coin = GapRecovered::new(0.0, 1.0, &[(0.0, 0.0), (1.0, 1.0)]).unwrap();
    /// assert!((coin.apgr() - 0.55).abs() < 1e-12);
    /// ```
    pub fn apgr(&self) -> f64 {
        (1..=10)
            .map(|tenths| self.pgr(f64::from(tenths) / 10.0))
            .sum::<f64>()
            / 10.0
    }

    /// CPT: the least share of strong calls that recovers `target` of the gap, which is at most 1.
    ///
    /// ```
    /// use bellwether::budget::GapRecovered;
    /// let coin = GapRecovered::new(0.0, 1.0, &[(0.0, 0.0), (1.0, 1.0)]).unwrap();
    /// assert!((coin.cpt(0.8) - 0.8).abs() < 1e-12);
    /// ```
    pub fn cpt(&self, target: f64) -> f64 {
        let mut last: Option<(f64, f64)> = None;
        for right in self.curve.iter().copied() {
            if right.1 >= target {
                let Some(left) = last else { return right.0 };
                return left.0 + (target - left.1) / (right.1 - left.1) * (right.0 - left.0);
            }
            last = Some(right);
        }
        1.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn without_a_gap_or_over_a_part_of_the_shares_there_is_no_answer() {
        let ends = [(0.05, 0.5), (0.95, 0.9)];
        let refused = |weak, strong, points: &[(f64, f64)]| {
            GapRecovered::new(weak, strong, points)
                .unwrap_err()
                .to_string()
        };
        assert!(refused(0.7, 0.7, &ends).starts_with("the strong arm's score is 0.7"));
        assert_eq!(
            refused(0.5, 0.9, &[(0.2, 0.6), (0.95, 0.9)]),
            "shares of strong calls run from 0.200 to 0.950: allowed a sweep from 0.1 or less to 0.9 or more"
        );
        assert!(refused(0.5, 0.9, &[(0.05, 0.6), (0.8, 0.9)]).contains("0.050 to 0.800"));
        assert!(refused(0.5, 0.9, &[]).contains("allowed a sweep"));
    }

    proptest! {
        #[test]
        fn cpt_is_the_first_share_that_recovers_so_much(
            between in prop::collection::vec((0.1_f64..0.9, -0.2_f64..1.2), 0..6), target in 0.01_f64..1.0,
        ) {
            let mut points = between;
            points.extend([(0.1, 0.2), (0.9, 0.7)]);
            let curve = GapRecovered::new(0.0, 1.0, &points).unwrap();
            let share = curve.cpt(target);
            prop_assert!(curve.pgr(share) >= target - 1e-6);
            for step in 0..1000 {
                let before = share * f64::from(step) / 1000.0;
                prop_assert!(curve.pgr(before) < target + 1e-9, "{} at {}", curve.pgr(before), before);
            }
        }
    }
}
