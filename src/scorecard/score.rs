//! The score of a finished row: what really happened, by the same scorecard.
//!
//! quality = sum w s / sum w over the signals that are known, times 1 if every gate holds and 0 if
//! one does not (SCIENCE 2.8, first form: right where signals are missing at random given context
//! and arm; `missing` says how much of the weight that assumption carries).
//!
//! Invariants: a quality is in [0, 1]; without a known weight, or with a gate that may yet fail, there
//! is none.
//!
//! Not here: imputing from predictions (the learner), closing a row (`Missing::value`).

use super::definition::Scorecard;

/// What a row is worth.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Scored {
    /// Quality in [0, 1]; `None` where it cannot be said.
    pub quality: Option<f64>,
    /// Share of the weight whose signal is unknown, in [0, 1].
    pub missing: f64,
}

impl Scorecard {
    /// Scores normalised `values`, one for each signal; `None` is unknown.
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
    /// // Weights 3 (tests) and 1 (tidy), and a gate (safe).
    /// let seen = |values: &[Option<f64>]| card.score(values);
    /// assert_eq!(seen(&[Some(1.0), Some(0.0), Some(1.0)]).quality, Some(0.75));
    /// assert_eq!(seen(&[Some(1.0), Some(0.0), Some(0.0)]).quality, Some(0.0));
    /// let partly = seen(&[Some(1.0), None, Some(1.0)]);
    /// assert_eq!((partly.quality, partly.missing), (Some(1.0), 0.25));
    /// ```
    pub fn score(&self, values: &[Option<f64>]) -> Scored {
        let at = |signal: usize| values.get(signal).copied().flatten();
        let (mut seen, mut sum, mut missing) = (0.0, 0.0, 0.0);
        for (signal, share) in self.shares.iter().enumerate() {
            match at(signal) {
                Some(value) => {
                    seen += share;
                    sum += share * value;
                }
                None => missing += share,
            }
        }
        let gates = self.gates.iter().filter_map(|t| self.targets.get(*t));
        let (mut failed, mut open) = (false, false);
        for gate in gates {
            match at(gate.signal) {
                // A flag is its own target: it holds at 1.
                Some(value) => failed |= gate.value(value) < 1.0,
                None => open = true,
            }
        }
        let quality = match (failed, open) {
            (true, _) => Some(0.0),
            (false, true) => None,
            (false, false) => (seen > 0.0).then(|| sum / seen),
        };
        Scored { quality, missing }
    }

    /// Indices of the signals whose coming would turn `values` into a quality: the gates that are
    /// open, where none has failed; else the signals with weight that are unknown.
    ///
    /// ```
    /// # use bellwether::{id::Name, scorecard::*};
    /// # use std::time::Duration;
    /// # let flag = |name, weight, gate| Spec {
    /// #     name: Name::new(name).unwrap(), kind: Kind::Flag { good: true }, weight, gate,
    /// #     level: Level::Decision, closes_after: Duration::from_secs(60), missing: Missing::Unknown,
    /// # };
    /// # let card = Scorecard::new(Definition {
    /// #     name: Name::new("doc").unwrap(),
    /// #     signals: vec![flag("tests", 3.0, None), flag("safe", 0.0, Some(1.0))],
    /// #     quality_usd: 0.5, latency_target_ms: None, latency_weight: 0.0,
    /// # }).unwrap();
    /// // Tests (weight 3) and a gate (safe).
    /// assert_eq!(card.wanted(&[None, None]), [1]);
    /// assert_eq!(card.wanted(&[None, Some(1.0)]), [0]);
    /// ```
    pub fn wanted(&self, values: &[Option<f64>]) -> Vec<usize> {
        let unknown = |signal: usize| values.get(signal).copied().flatten().is_none();
        let gates = self.gates.iter().filter_map(|t| self.targets.get(*t));
        let mut open: Vec<usize> = gates
            .map(|gate| gate.signal)
            .filter(|s| unknown(*s))
            .collect();
        if open.is_empty() || self.score(values).quality.is_some() {
            let weighted = self.shares.iter().enumerate();
            let weighted = weighted.filter(|(signal, share)| **share > 0.0 && unknown(*signal));
            open = weighted.map(|(signal, _)| signal).collect();
        }
        open
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::id::Name;
    use crate::scorecard::{Definition, Kind, Level, Missing, Spec};
    use std::time::Duration;

    pub(crate) fn flag(name: &str, weight: f64) -> Spec {
        Spec {
            name: Name::new(name).unwrap(),
            kind: Kind::Flag { good: true },
            weight,
            gate: None,
            level: Level::Decision,
            closes_after: Duration::from_secs(3600),
            missing: Missing::Unknown,
        }
    }

    pub(crate) fn number(name: &str, weight: f64, worst: f64, best: f64) -> Spec {
        Spec {
            kind: Kind::Number { worst, best },
            ..flag(name, weight)
        }
    }

    pub(crate) fn scorecard(signals: Vec<Spec>) -> Scorecard {
        Scorecard::new(Definition {
            name: Name::new("test").unwrap(),
            signals,
            quality_usd: 1.0,
            latency_target_ms: None,
            latency_weight: 0.0,
        })
        .unwrap()
    }

    /// Weight 2 on a flag, weight 2 on a gated number, and a gate alone.
    fn check(values: [Option<f64>; 3], quality: Option<f64>, missing: f64) {
        let card = scorecard(vec![
            flag("a", 2.0),
            Spec {
                gate: Some(0.5),
                ..number("b", 2.0, 0.0, 1.0)
            },
            Spec {
                gate: Some(1.0),
                ..flag("c", 0.0)
            },
        ]);
        assert_eq!(card.score(&values), Scored { quality, missing });
    }

    #[test]
    fn a_whole_row_is_its_weighted_mean() {
        check([Some(1.0), Some(0.5), Some(1.0)], Some(0.75), 0.0);
    }

    #[test]
    fn a_gate_that_fails_leaves_nothing_even_where_others_are_unknown() {
        check([Some(1.0), Some(0.4), Some(1.0)], Some(0.0), 0.0);
        check([Some(1.0), Some(1.0), Some(0.0)], Some(0.0), 0.0);
        check([None, Some(0.4), None], Some(0.0), 0.5);
    }

    #[test]
    fn a_gate_that_is_unknown_leaves_the_quality_unknown() {
        check([Some(1.0), Some(1.0), None], None, 0.0);
        check([Some(1.0), None, Some(1.0)], None, 0.5);
    }

    #[test]
    fn a_missing_signal_is_left_out_of_the_mean_and_its_weight_is_told() {
        check([None, Some(0.75), Some(1.0)], Some(0.75), 0.5);
    }

    #[test]
    fn without_any_known_weight_there_is_no_quality() {
        let card = scorecard(vec![flag("a", 1.0), flag("b", 0.0)]);
        let scored = card.score(&[None, Some(1.0)]);
        assert_eq!((scored.quality, scored.missing), (None, 1.0));
    }
}
