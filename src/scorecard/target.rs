//! Targets: what the learner regresses; groups: which targets are observed together.
//!
//! A gate on a flag needs no target of its own, for the flag's mean is the probability that it holds.
//! A gate on a number does: the mean of a number says little about how often it passes a threshold.
//!
//! Invariants: target i < number of signals is signal i; derived gates follow in signal order; the
//! targets of a group are ascending; groups come in the order of their first signal.
//!
//! Not here: the regressions themselves (`bandit::Ridge`: one precision matrix for each group).

use super::definition::{Kind, Level, Missing, Problems, Scorecard, Spec};
use crate::id::Name;
use std::time::Duration;

/// Names of derived gates start with this; signals may not.
pub(super) const GATE_PREFIX: &str = "gate:";

/// Something that is predicted for each arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The signal's name, or `gate:` and the signal's name.
    pub name: Name,
    /// The signal it comes from.
    pub signal: usize,
    /// For a derived gate, the least normalised value at which it is 1 rather than 0.
    pub gate: Option<f64>,
    /// Its group.
    pub group: usize,
}

impl Target {
    /// The target's value where its signal has the normalised value `signal`.
    ///
    /// A gate of 0.3 on a range of 10 to 0 must hold at exactly 7, whatever the rounding of
    /// (7 - 10) / (0 - 10): hence the tolerance.
    pub fn value(&self, signal: f64) -> f64 {
        match self.gate {
            None => signal,
            Some(gate) => f64::from(u8::from(signal >= gate - 1e-12)),
        }
    }
}

/// Targets that are observed together: same level, closing time and meaning of absence.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What one value is about.
    pub level: Level,
    /// After this long a missing value will not come any more.
    pub closes_after: Duration,
    /// What it means that no value came.
    pub missing: Missing,
    /// Indices into [`Scorecard::targets`], ascending.
    pub targets: Vec<usize>,
}

impl Scorecard {
    /// What is regressed: the signals, then the derived gates.
    pub fn targets(&self) -> &[Target] {
        &self.targets
    }

    /// The targets that share a precision matrix.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }
}

/// Targets of `signals` (groups not yet set apart) and the indices of those that are gates.
pub(super) fn targets(signals: &[Spec], problems: &mut Problems) -> (Vec<Target>, Vec<usize>) {
    let mut group_keys = Vec::new();
    let mut targets: Vec<Target> = Vec::with_capacity(signals.len());
    for (signal, spec) in signals.iter().enumerate() {
        targets.push(Target {
            name: spec.name.clone(),
            signal,
            gate: None,
            group: group_of(&mut group_keys, spec),
        });
    }
    let mut gates = Vec::new();
    for (signal, spec) in signals.iter().enumerate() {
        match (spec.gate, spec.kind) {
            (None, _) => {}
            (Some(_), Kind::Flag { .. }) => gates.push(signal),
            (Some(gate), Kind::Number { .. }) => {
                match Name::new(format!("{GATE_PREFIX}{}", spec.name)) {
                    Ok(name) => {
                        gates.push(targets.len());
                        targets.push(Target {
                            name,
                            signal,
                            gate: Some(gate),
                            group: group_of(&mut group_keys, spec),
                        });
                    }
                    Err(_) => {
                        let most = Name::MAX_CHARS - GATE_PREFIX.len();
                        let allowed = format!("at most {most} characters with a gate");
                        let path = format!("signals[{signal}].name");
                        problems.add(path, &spec.name, "too long", allowed);
                    }
                }
            }
        }
    }
    (targets, gates)
}

/// Index of the group of `spec`, new if no earlier signal had it.
fn group_of(keys: &mut Vec<(Level, Duration, Missing)>, spec: &Spec) -> usize {
    let key = (spec.level, spec.closes_after, spec.missing);
    keys.iter().position(|k| *k == key).unwrap_or_else(|| {
        keys.push(key);
        keys.len() - 1
    })
}

/// The groups that `targets` name.
pub(super) fn groups(signals: &[Spec], targets: &[Target]) -> Vec<Group> {
    let mut groups: Vec<Group> = Vec::new();
    for (index, target) in targets.iter().enumerate() {
        match (groups.get_mut(target.group), signals.get(target.signal)) {
            (Some(group), _) => group.targets.push(index),
            (None, Some(spec)) => groups.push(Group {
                level: spec.level,
                closes_after: spec.closes_after,
                missing: spec.missing,
                targets: vec![index],
            }),
            (None, None) => {}
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use crate::scorecard::score::tests::{flag, number, scorecard};
    use crate::scorecard::{Level, Missing, Spec};
    use std::time::Duration;

    #[test]
    fn a_gated_number_adds_a_target_to_its_own_group_and_a_gated_flag_does_not() {
        let card = scorecard(vec![
            Spec {
                gate: Some(1.0),
                ..flag("safe", 1.0)
            },
            Spec {
                gate: Some(0.5),
                level: Level::Episode,
                ..number("lines", 1.0, 10.0, 0.0)
            },
            flag("json", 1.0),
        ]);
        let names: Vec<_> = card.targets().iter().map(|t| t.name.as_str()).collect();
        assert_eq!(names, ["safe", "lines", "json", "gate:lines"]);
        let groups: Vec<_> = card.groups().iter().map(|g| g.targets.clone()).collect();
        assert_eq!(groups, [vec![0, 2], vec![1, 3]]);
        for (index, group) in card.groups().iter().enumerate() {
            for &target in &group.targets {
                assert_eq!(card.targets()[target].group, index);
            }
        }
    }

    #[test]
    fn signals_are_together_only_if_level_closing_time_and_absence_agree() {
        let base = flag("a", 1.0);
        let card = scorecard(vec![
            base.clone(),
            Spec {
                closes_after: Duration::from_secs(1),
                ..flag("b", 1.0)
            },
            Spec {
                missing: Missing::Best,
                ..flag("c", 1.0)
            },
            Spec {
                level: Level::Episode,
                ..flag("d", 1.0)
            },
            flag("e", 1.0),
        ]);
        let groups: Vec<_> = card.groups().iter().map(|g| g.targets.clone()).collect();
        assert_eq!(groups, [vec![0, 4], vec![1], vec![2], vec![3]]);
    }

    #[test]
    fn a_gate_holds_at_exactly_its_threshold_whatever_the_rounding() {
        let card = scorecard(vec![Spec {
            gate: Some(0.3),
            ..number("lines", 1.0, 10.0, 0.0)
        }]);
        let gate = &card.targets()[1];
        assert_eq!(gate.value((7.0 - 10.0) / (0.0 - 10.0)), 1.0);
        assert_eq!(gate.value(0.1 + 0.2), 1.0);
        assert_eq!(gate.value(0.299_999), 0.0);
    }
}
