//! The utility of a prediction, and how it moves with each target.
//!
//! u = (sum w s / sum w) * product over gates of P(gate holds) - cost / V
//!     - mu * max(0, latency - target) / target                                   (SCIENCE 2.6, 2.2)
//!
//! The probability of a gate is its prediction clipped into [0, 1]; weighted signals are not clipped,
//! since a clip would make all arms that a linear model puts beyond the edge look equal.
//! Gates are taken as independent given the context, and of the weighted signals.
//!
//! Units: quality points; cost in USD; latency in milliseconds.
//!
//! Not here: the pacer's lambda of SCIENCE 2.6 (a budget's business), the variance (the learner's).

use super::definition::Scorecard;

impl Scorecard {
    /// Expected utility of one arm from its predicted `targets`, cost and latency.
    ///
    /// A latency that is unknown (`None` or NaN) costs nothing. `targets` is in the order of
    /// [`Scorecard::targets`]; a shorter slice counts as 0 beyond its end.
    ///
    /// ```
    /// # use bellwether::{id::Name, scorecard::*};
    /// # use std::time::Duration;
    /// # let flag = |name, weight, gate| Spec {
    /// #     name: Name::new(name).unwrap(), kind: Kind::Flag { good: true }, weight, gate,
    /// #     level: Level::Decision, closes_after: Duration::from_secs(60), missing: Missing::Worst,
    /// # };
    /// # let card = Scorecard::new(Definition {
    /// #     name: Name::new("doc").unwrap(),
    /// #     signals: vec![flag("tests", 3.0, None), flag("tidy", 1.0, None), flag("safe", 0.0, Some(1.0))],
    /// #     quality_usd: 0.5, latency_target_ms: Some(1000.0), latency_weight: 0.1,
    /// # }).unwrap();
    /// // Weights 3 (tests) and 1 (tidy), a gate (safe), V = 0.50 USD, 0.1 points at twice 1000 ms.
    /// // (3 * 0.8 + 1 * 0.4) / 4 = 0.7; times P(safe) 0.9 = 0.63; minus 0.01 / 0.5 = 0.61;
    /// // minus 0.1 * 500 / 1000 = 0.56.
    /// let u = card.utility(&[0.8, 0.4, 0.9], 0.01, Some(1500.0));
    /// assert!((u - 0.56).abs() < 1e-12);
    /// ```
    pub fn utility(&self, targets: &[f64], cost_usd: f64, latency_ms: Option<f64>) -> f64 {
        self.quality(targets) - self.price(cost_usd, latency_ms)
    }

    /// The quality part of [`Scorecard::utility`].
    pub fn quality(&self, targets: &[f64]) -> f64 {
        self.weighted(targets) * self.gates_hold(targets)
    }

    /// What cost and latency take off, in quality points.
    pub fn price(&self, cost_usd: f64, latency_ms: Option<f64>) -> f64 {
        let late = match (self.definition.latency_target_ms, latency_ms) {
            // `max` takes the 0 where the latency is NaN.
            (Some(target), Some(ms)) => ((ms - target) / target).max(0.0),
            _ => 0.0,
        };
        cost_usd / self.definition.quality_usd + self.definition.latency_weight * late
    }

    /// Writes the derivative of the quality part by each target to `out`; returns the quality.
    ///
    /// With independent errors between groups, the variance of the utility is the sum over groups of
    /// g' Sigma g * h, g being the group's part of this gradient. At a clipped gate the
    /// derivative of the unclipped form is given, so that an arm does not look certain because its
    /// gate's prediction has left [0, 1].
    ///
    /// ```
    /// # use bellwether::{id::Name, scorecard::*};
    /// # use std::time::Duration;
    /// # let flag = |name, weight, gate| Spec {
    /// #     name: Name::new(name).unwrap(), kind: Kind::Flag { good: true }, weight, gate,
    /// #     level: Level::Decision, closes_after: Duration::from_secs(60), missing: Missing::Worst,
    /// # };
    /// # let card = Scorecard::new(Definition {
    /// #     name: Name::new("doc").unwrap(),
    /// #     signals: vec![flag("tests", 3.0, None), flag("tidy", 1.0, None), flag("safe", 0.0, Some(1.0))],
    /// #     quality_usd: 0.5, latency_target_ms: None, latency_weight: 0.0,
    /// # }).unwrap();
    /// // q = (3 a + b) / 4 * c at (0.8, 0.4, 0.9): by a 3/4 * 0.9, by b 1/4 * 0.9, by c 0.7.
    /// let mut g = [0.0; 3];
    /// card.gradient(&[0.8, 0.4, 0.9], &mut g);
    /// for (found, expected) in g.iter().zip([0.675, 0.225, 0.7]) {
    ///     assert!((found - expected).abs() < 1e-12);
    /// }
    /// ```
    pub fn gradient(&self, targets: &[f64], out: &mut [f64]) -> f64 {
        let hold = self.gates_hold(targets);
        let weighted = self.weighted(targets);
        out.fill(0.0);
        for (slot, share) in out.iter_mut().zip(&self.shares) {
            *slot = share * hold;
        }
        for (at, &gate) in self.gates.iter().enumerate() {
            let others = self.gates.iter().enumerate().filter(|(i, _)| *i != at);
            let rest: f64 = others
                .map(|(_, other)| probability(targets, *other))
                .product();
            if let Some(slot) = out.get_mut(gate) {
                *slot += weighted * rest;
            }
        }
        weighted * hold
    }

    fn weighted(&self, targets: &[f64]) -> f64 {
        self.shares.iter().zip(targets).map(|(w, s)| w * s).sum()
    }

    /// Probability that every gate holds.
    fn gates_hold(&self, targets: &[f64]) -> f64 {
        self.gates
            .iter()
            .fold(1.0, |product, gate| product * probability(targets, *gate))
    }
}

/// Probability of one gate.
fn probability(targets: &[f64], gate: usize) -> f64 {
    targets.get(gate).map_or(0.0, |p| p.clamp(0.0, 1.0))
}

#[cfg(test)]
mod tests {
    use crate::scorecard::score::tests::{flag, number, scorecard};
    use crate::scorecard::{Definition, Scorecard, Spec};
    use proptest::prelude::*;

    /// Two weighted numbers, one of them gated, and a flag that is weighted and gated.
    fn tangled() -> Scorecard {
        scorecard(vec![
            number("a", 2.0, 0.0, 1.0),
            Spec {
                gate: Some(0.5),
                ..number("b", 1.0, 0.0, 1.0)
            },
            Spec {
                gate: Some(1.0),
                ..flag("c", 1.0)
            },
        ])
    }

    fn check(targets: &[f64], cost_usd: f64, latency_ms: Option<f64>, expected: f64) {
        let card = Scorecard::new(Definition {
            quality_usd: 2.0,
            latency_target_ms: Some(100.0),
            latency_weight: 0.5,
            ..tangled().definition().clone()
        })
        .unwrap();
        let found = card.utility(targets, cost_usd, latency_ms);
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }

    #[test]
    fn utility_is_weighted_quality_through_the_gates_minus_cost_and_lateness() {
        // (2 + 1 + 1) / 4 through two certain gates.
        check(&[1.0, 1.0, 1.0, 1.0], 0.0, None, 1.0);
        // (2 * 0.5 + 0 + 0.5) / 4 * 0.5 (c) * 0.8 (gate:b) = 0.15; minus 0.1 / 2.
        check(&[0.5, 0.0, 0.5, 0.8], 0.1, Some(90.0), 0.1);
        // Half as late again as the target: minus 0.5 * 0.5.
        check(&[1.0, 1.0, 1.0, 1.0], 0.0, Some(150.0), 0.75);
    }

    #[test]
    fn a_gate_beyond_the_unit_interval_counts_as_its_edge() {
        check(&[1.0, 1.0, 1.0, 1.7], 0.0, None, 1.0);
        check(&[1.0, 1.0, 1.0, -0.2], 0.0, None, 0.0);
    }

    #[test]
    fn an_unknown_latency_costs_nothing() {
        check(&[1.0, 1.0, 1.0, 1.0], 0.0, Some(f64::NAN), 1.0);
    }

    proptest! {
        #[test]
        fn the_gradient_agrees_with_differences(
            at in proptest::array::uniform4(0.05_f64..0.95)
        ) {
            let card = tangled();
            let mut g = [0.0; 4];
            let quality = card.gradient(&at, &mut g);
            prop_assert_eq!(quality, card.quality(&at));
            for (target, slope) in g.iter().enumerate() {
                let step = 1e-4;
                let (mut up, mut down) = (at, at);
                up[target] += step;
                down[target] -= step;
                let found = (card.quality(&up) - card.quality(&down)) / (2.0 * step);
                // Quadratic in each target at most: central differences are exact but for rounding.
                prop_assert!((found - slope).abs() < 1e-9, "{} {}", found, slope);
            }
        }

        #[test]
        fn quality_of_predictions_in_the_unit_interval_stays_there(
            at in proptest::array::uniform4(0.0_f64..=1.0)
        ) {
            prop_assert!((0.0..=1.0 + 1e-12).contains(&tangled().quality(&at)));
        }
    }
}
