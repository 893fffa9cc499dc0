//! What a team writes down, and the checks that make it a [`Scorecard`].
//!
//! Invariants: see [`Definition`]'s fields; [`Scorecard::new`] reports every breach at once.
//!
//! Not here: the file that it is read from (`config`).

use super::target::{self, Group, Target};
use crate::id::Name;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::time::Duration;

/// A scorecard as written; not yet checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Definition {
    /// Its name.
    pub name: Name,
    /// The signals, 1 to 16, names unique.
    pub signals: Vec<Spec>,
    /// Dollars that one full point of quality is worth (V), above 0.
    pub quality_usd: f64,
    /// Latency in milliseconds above which a decision loses quality points. `None`: latency is free.
    pub latency_target_ms: Option<f64>,
    /// Quality points lost when latency is twice the target (mu), at least 0.
    pub latency_weight: f64,
}

/// One signal of a scorecard.
#[derive(Debug, Clone, PartialEq)]
pub struct Spec {
    /// The name under which feedback gives it.
    pub name: Name,
    /// What its values are.
    pub kind: Kind,
    /// Its share of quality, relative to the other weights, at least 0.
    pub weight: f64,
    /// Least normalised value, above 0 to 1, without which the whole decision is worth nothing.
    pub gate: Option<f64>,
    /// What one value of it is about.
    pub level: Level,
    /// After this long a missing value will not come any more; above 0.
    pub closes_after: Duration,
    /// What it means that no value came.
    pub missing: Missing,
}

/// What the values of a signal are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Yes or no.
    Flag {
        /// The answer that is good.
        good: bool,
    },
    /// A number in the team's own unit; `worst` maps to 0 and `best` to 1, linear between, clipped.
    Number {
        /// At or beyond this the value is worth nothing.
        worst: f64,
        /// At or beyond this the value is worth all.
        best: f64,
    },
}

/// What one value of a signal is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// One decision.
    Decision,
    /// All decisions of an episode.
    Episode,
}

/// What it means that a signal has not come by its closing time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Missing {
    /// As bad as can be.
    Worst,
    /// As good as can be: a signal that comes only when something went wrong.
    Best,
    /// Nothing: it stays unknown and is imputed.
    Unknown,
}

impl Missing {
    /// The normalised value that a missing signal takes at its closing time.
    pub fn value(self) -> Option<f64> {
        match self {
            Missing::Worst => Some(0.0),
            Missing::Best => Some(1.0),
            Missing::Unknown => None,
        }
    }
}

/// One breach of a definition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path} = {value}: {problem}; allowed {allowed}")]
pub struct Problem {
    /// The field, as in `signals[2].weight`.
    pub path: String,
    /// What it was.
    pub value: String,
    /// What is wrong with it.
    pub problem: &'static str,
    /// What may stand there.
    pub allowed: String,
}

/// A checked definition with what follows from it.
#[derive(Debug, Clone, PartialEq)]
pub struct Scorecard {
    pub(super) definition: Definition,
    pub(super) targets: Vec<Target>,
    pub(super) groups: Vec<Group>,
    /// Weight of each signal divided by the sum: they sum to 1.
    pub(super) shares: Vec<f64>,
    /// Targets that hold the probability of a gate.
    pub(super) gates: Vec<usize>,
}

impl Scorecard {
    /// Most signals of one scorecard.
    pub const MAX_SIGNALS: usize = 16;
    /// Most targets: each signal and its derived gate.
    pub const MAX_TARGETS: usize = 2 * Self::MAX_SIGNALS;

    /// Checks everything, and reports everything that is wrong.
    pub fn new(definition: Definition) -> Result<Self, Vec<Problem>> {
        let mut problems = Problems::default();
        problems.whole(&definition);
        let mut names = BTreeSet::new();
        for (index, spec) in definition.signals.iter().enumerate() {
            problems.signal(index, spec);
            if !names.insert(&spec.name) {
                let path = format!("signals[{index}].name");
                problems.add(path, &spec.name, "used twice", "a name of its own");
            }
        }
        let sum: f64 = definition.signals.iter().map(|s| s.weight).sum();
        if problems.0.is_empty() && sum <= 0.0 {
            let path = "signals[..].weight".to_owned();
            problems.add(path, sum, "no signal has weight", "a sum above 0");
        }
        let (targets, gates) = target::targets(&definition.signals, &mut problems);
        if !problems.0.is_empty() {
            return Err(problems.0);
        }
        let shares = definition.signals.iter().map(|s| s.weight / sum).collect();
        let groups = target::groups(&definition.signals, &targets);
        Ok(Self {
            definition,
            targets,
            groups,
            shares,
            gates,
        })
    }

    /// What was written.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The signals, in their order.
    pub fn signals(&self) -> &[Spec] {
        &self.definition.signals
    }

    /// Index of the signal called `name`.
    pub fn signal(&self, name: &str) -> Option<usize> {
        self.signals().iter().position(|s| s.name.as_str() == name)
    }
}

/// Breaches found so far.
#[derive(Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    pub(super) fn add(
        &mut self,
        path: String,
        value: impl Display,
        problem: &'static str,
        allowed: impl Into<String>,
    ) {
        self.0.push(Problem {
            path,
            value: value.to_string(),
            problem,
            allowed: allowed.into(),
        });
    }

    fn whole(&mut self, d: &Definition) {
        let count = d.signals.len();
        if !(1..=Scorecard::MAX_SIGNALS).contains(&count) {
            let allowed = format!("1 to {} signals", Scorecard::MAX_SIGNALS);
            let value = format!("{count} signals");
            self.add("signals".to_owned(), value, "not a scorecard", allowed);
        }
        let v = d.quality_usd;
        if !(v.is_finite() && v > 0.0) {
            self.add("quality_usd".to_owned(), v, "out of range", "above 0");
        }
        let mu = d.latency_weight;
        if !(mu.is_finite() && mu >= 0.0) {
            self.add("latency_weight".to_owned(), mu, "out of range", "0 or more");
        }
        match d.latency_target_ms {
            Some(ms) if !(ms.is_finite() && ms > 0.0) => {
                let path = "latency_target_ms".to_owned();
                self.add(path, ms, "out of range", "above 0");
            }
            None if mu > 0.0 => {
                let path = "latency_weight".to_owned();
                let problem = "has no effect without a latency target";
                self.add(path, mu, problem, "0, or give latency_target_ms");
            }
            _ => {}
        }
    }

    fn signal(&mut self, index: usize, spec: &Spec) {
        let path = |field: &str| format!("signals[{index}].{field}");
        if spec.name.as_str().starts_with(target::GATE_PREFIX) {
            let allowed = format!("a name that does not start with {}", target::GATE_PREFIX);
            self.add(path("name"), &spec.name, "reserved", allowed);
        }
        if !(spec.weight.is_finite() && spec.weight >= 0.0) {
            self.add(path("weight"), spec.weight, "out of range", "0 or more");
        }
        if let Kind::Number { worst, best } = spec.kind {
            for (field, value) in [("worst", worst), ("best", best)] {
                if !value.is_finite() {
                    self.add(path(field), value, "out of range", "a finite number");
                }
            }
            let width = (best - worst).abs();
            if worst == best {
                self.add(path("best"), best, "equal to worst", "another number");
            } else if worst.is_finite()
                && best.is_finite()
                && !(width.is_normal() && (1e3 * width).is_finite())
            {
                let problem = "too near to worst, or too far from it";
                self.add(path("best"), best, problem, "a distance of 1e-300 to 1e300");
            }
        }
        if let Some(gate) = spec.gate
            && !(gate > 0.0 && gate <= 1.0)
        {
            let allowed = "above 0, at most 1 (normalised: 0 worst, 1 best)";
            self.add(path("gate"), gate, "out of range", allowed);
        }
        if spec.closes_after.is_zero() {
            self.add(path("closes_after"), "0 s", "out of range", "above 0");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scorecard::score::tests::{flag, number};

    fn definition(signals: Vec<Spec>) -> Definition {
        Definition {
            name: Name::new("test").unwrap(),
            signals,
            quality_usd: 1.0,
            latency_target_ms: None,
            latency_weight: 0.0,
        }
    }

    fn check(definition: Definition, expected: &[&str]) {
        let found: Vec<_> = match Scorecard::new(definition) {
            Ok(_) => Vec::new(),
            Err(problems) => problems.iter().map(ToString::to_string).collect(),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_good_definition_becomes_a_scorecard() {
        check(
            definition(vec![flag("a", 1.0), number("b", 0.0, 1.0, 0.0)]),
            &[],
        );
    }

    #[test]
    fn every_breach_is_reported_at_once() {
        let bad = Definition {
            quality_usd: 0.0,
            latency_weight: 0.5,
            ..definition(vec![
                flag("gate:a", -1.0),
                number("b", 1.0, 3.0, 3.0),
                Spec {
                    gate: Some(0.0),
                    closes_after: Duration::ZERO,
                    ..flag("b", 1.0)
                },
            ])
        };
        check(
            bad,
            &[
                "quality_usd = 0: out of range; allowed above 0",
                "latency_weight = 0.5: has no effect without a latency target; allowed 0, or give latency_target_ms",
                "signals[0].name = gate:a: reserved; allowed a name that does not start with gate:",
                "signals[0].weight = -1: out of range; allowed 0 or more",
                "signals[1].best = 3: equal to worst; allowed another number",
                "signals[2].gate = 0: out of range; allowed above 0, at most 1 (normalised: 0 worst, 1 best)",
                "signals[2].closes_after = 0 s: out of range; allowed above 0",
                "signals[2].name = b: used twice; allowed a name of its own",
            ],
        );
    }

    #[test]
    fn weights_may_not_all_be_zero() {
        check(
            definition(vec![flag("a", 0.0), flag("b", 0.0)]),
            &["signals[..].weight = 0: no signal has weight; allowed a sum above 0"],
        );
    }

    #[test]
    fn there_are_1_to_16_signals() {
        let none = "signals = 0 signals: not a scorecard; allowed 1 to 16 signals";
        let no_weight = "signals[..].weight = 0: no signal has weight; allowed a sum above 0";
        let found = Scorecard::new(definition(vec![])).unwrap_err();
        assert_eq!(found[0].to_string(), none);
        assert!(found.iter().all(|p| p.to_string() != no_weight));
        let many = (0..17).map(|i| flag(&format!("s{i}"), 1.0)).collect();
        check(
            definition(many),
            &["signals = 17 signals: not a scorecard; allowed 1 to 16 signals"],
        );
    }

    #[test]
    fn a_gated_number_leaves_room_in_its_name_for_the_gate() {
        let long = Spec {
            gate: Some(0.5),
            ..number(&"x".repeat(124), 1.0, 0.0, 1.0)
        };
        let found = Scorecard::new(definition(vec![long])).unwrap_err();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].allowed, "at most 123 characters with a gate");
    }

    #[test]
    fn numbers_that_are_no_numbers_are_refused() {
        let bad = Definition {
            quality_usd: f64::NAN,
            latency_target_ms: Some(f64::INFINITY),
            ..definition(vec![number("a", f64::NAN, f64::NAN, 1.0)])
        };
        let paths: Vec<_> = Scorecard::new(bad)
            .unwrap_err()
            .into_iter()
            .map(|p| p.path)
            .collect();
        let expected = [
            "quality_usd",
            "latency_target_ms",
            "signals[0].weight",
            "signals[0].worst",
        ];
        assert!(
            expected.iter().all(|e| paths.iter().any(|p| p == e)),
            "{paths:?}"
        );
    }
}
