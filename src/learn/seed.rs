//! What a row of an outcome table teaches.
//!
//! It enters its arm's regressions, and what the team's arms have in common, as an outcome of the team's own
//! would. It is no draw: no pull is counted, so that an arm still gets its forced ones, no time passes (the
//! doubt of young teams is left as it is: whether seeded arms should be doubted less made no difference
//! when measured), it is in no ledger, so that nothing corrects it, and no alarm watches it.
//!
//! With a weight w the row counts as w of one: A gains w x x' and b gains w y x (SCIENCE 2.2), as from the
//! row sqrt(w) x with the target sqrt(w) y; but the noise estimate sees the whole residual y - theta x, since
//! a row that is trusted less is no less noisy.
//!
//! Invariants: a row of weight 1 leaves the bits that an outcome would have left. While frozen, and for other
//! features than the team's, nothing is learned.
//!
//! Not here: reading the table (`seed`), the record (`store`).

use super::Team as Params;
use super::arm::Arm;
use super::team::{Team, Touched, not_learned};
use super::told::{Changes, Told};
use super::usage::Used;
use crate::bandit::{Ridge, StateError};
use crate::store::Seed;

impl Team {
    /// Learns a row of an outcome table.
    pub(super) fn seeded(&mut self, seed: &Seed, params: &Params, touched: &mut Touched) {
        if self.control.frozen || seed.feature_set != params.feature_set {
            return;
        }
        let told = Told::given(&seed.signals, &params.scorecard);
        for (group, changes) in told.changes(&params.scorecard) {
            let Some(arm) = self.arm(&seed.arm) else {
                return;
            };
            match arm.seed(group, seed, &changes) {
                Ok(()) => self.changed(group, 1, params, touched),
                Err(error) => not_learned(&seed.arm, &error),
            }
        }
        if let Some(arm) = self.arm(&seed.arm)
            && let Err(error) = arm.seed_usage(seed)
        {
            not_learned(&seed.arm, &error);
        }
        touched.insert(seed.arm.clone());
    }
}

impl Arm {
    /// Puts a taught row's values of one group into its regression.
    fn seed(&mut self, group: usize, seed: &Seed, changes: &Changes) -> Result<(), StateError> {
        let (Some(ridge), Some(sums)) = (self.groups.get_mut(group), self.seeded.get_mut(group))
        else {
            return Ok(());
        };
        let mut values = vec![None; ridge.targets()];
        for (target, value) in changes {
            if let Some(slot) = values.get_mut(*target) {
                *slot = *value;
            }
        }
        enter(ridge, seed, &values)?;
        for ((weight, sum), value) in sums.iter_mut().zip(&values) {
            if let Some(value) = value {
                *weight += seed.weight;
                *sum += seed.weight * value;
            }
        }
        Ok(())
    }

    /// Learns what a taught row cost and how long it took.
    fn seed_usage(&mut self, seed: &Seed) -> Result<(), StateError> {
        let (cost, reference) = (seed.cost_usd, seed.reference_cost_usd);
        let used = Used::new(None, cost, reference, seed.latency_ms);
        if used.values.iter().all(Option::is_none) {
            return Ok(());
        }
        let book = self.usage.open(used.kind, seed.context.len())?;
        enter(&mut book.ridge, seed, &used.values)?;
        book.spread(&seed.context, &used.values, seed.weight)
    }
}

/// A row of the seed's context and weight.
fn enter(ridge: &mut Ridge, seed: &Seed, values: &[Option<f64>]) -> Result<(), StateError> {
    if seed.weight >= 1.0 {
        return ridge.observe(&seed.context, values).map(drop);
    }
    let root = seed.weight.sqrt();
    let mut expected = vec![0.0; values.len()];
    ridge.predict(&seed.context, &mut expected)?;
    let scaled = seed.context.iter().map(|v| (f64::from(*v) * root) as f32);
    let x: Vec<f32> = scaled.collect();
    // First with the whole residual, which the noise estimate shall see, then moved to where it belongs.
    let residuals: Vec<Option<f64>> = values
        .iter()
        .zip(&expected)
        .map(|(value, expected)| value.map(|value| value - expected))
        .collect();
    let mut entering = vec![0.0; values.len()];
    ridge.predict(&x, &mut entering)?;
    let entering: Vec<Option<f64>> = entering
        .iter()
        .zip(&residuals)
        .map(|(at, residual)| residual.map(|residual| at + residual))
        .collect();
    ridge.observe(&x, &entering)?;
    let moved = entering.iter().zip(&residuals).enumerate();
    for (target, (entered, residual)) in moved {
        if let (Some(entered), Some(residual)) = (entered, residual) {
            let to = entered + (root - 1.0) * residual;
            ridge.shift(&x, ridge.fading(), target, (*entered, to))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::ledger::Learned;
    use crate::learn::sample::{HOUR, Maker, name, params};
    use crate::learn::usage::Row;
    use crate::learn::{Learner, Snapshot};
    use crate::signal::Value;
    use crate::store::{Control, Position, Record};
    use std::collections::BTreeMap;

    const X: [f32; 2] = [0.5, 1.0];

    /// A row of arm a, whose tests passed or did not.
    fn row(passed: bool, weight: f64) -> Seed {
        Seed {
            team: name("team"),
            time: Maker::new().now,
            source: "table".to_owned(),
            batch: 1,
            prompt: 0,
            arm: name("a"),
            task: None,
            feature_set: name("test"),
            context: X.to_vec(),
            signals: vec![(name("tests"), Value::Flag(passed))],
            cost_usd: Some(0.004),
            reference_cost_usd: Some(0.002),
            latency_ms: Some(500.0),
            weight,
        }
    }

    fn fresh() -> Arm {
        let params = params(HOUR);
        let params = &params.teams["team"];
        Team::new(params).fresh_arm().unwrap()
    }

    /// The mean that a group's first target is expected to have.
    fn expected(arm: &Arm) -> f64 {
        let mut means = vec![0.0; arm.groups[0].targets()];
        arm.groups[0].predict(&X, &mut means).unwrap();
        means[0]
    }

    fn learn(records: Vec<Record>) -> (Learner, Snapshot) {
        let params = params(HOUR);
        let mut learner = Learner::new(&params);
        let mut changed = BTreeMap::new();
        for (index, record) in records.iter().enumerate() {
            let at = Position {
                sequence: index as u64 + 1,
                offset: 0,
            };
            let applied = learner.apply(at, record, &params, &records, &mut changed);
            applied.unwrap();
        }
        let snapshot = learner.snapshot(&Snapshot::default(), &changed, &params);
        (learner, snapshot.unwrap())
    }

    fn record(seed: Seed) -> Record {
        Record::Seed(Box::new(seed))
    }

    #[test]
    fn a_whole_row_leaves_the_bits_of_an_outcome() {
        let (mut taught, mut told) = (fresh(), fresh());
        let mut row_of_group = Learned::default();
        for passed in [true, false, true] {
            let seed = row(passed, 1.0);
            let value = f64::from(u8::from(passed));
            taught.seed(0, &seed, &vec![(0, Some(value))]).unwrap();
            taught.seed_usage(&seed).unwrap();
            row_of_group.used.clear();
            let changes = [(0, Some(value))];
            told.learn(0, &X, &mut row_of_group, &changes).unwrap();
            let used = Used::new(None, Some(2.0), Some(1.0), Some(500.0));
            told.usage.learn(&X, &mut Row::default(), &used).unwrap();
        }
        assert_eq!(taught.groups, told.groups);
        assert_eq!(taught.usage, told.usage);
        assert_eq!(taught.values(0, 0), Some((3.0, 2.0)));
        assert_eq!((taught.outcomes, told.outcomes), (0, 3));
    }

    #[test]
    fn two_halves_teach_what_one_whole_does_but_for_the_noise() {
        let (mut halves, mut whole) = (fresh(), fresh());
        let changes = vec![(0, Some(1.0))];
        for _ in 0..2 {
            halves.seed(0, &row(true, 0.5), &changes).unwrap();
        }
        whole.seed(0, &row(true, 1.0), &changes).unwrap();
        assert!((expected(&halves) - expected(&whole)).abs() < 1e-7);
        let spread = |arm: &Arm| arm.groups[0].spread(&X).unwrap();
        assert!((spread(&halves) - spread(&whole)).abs() < 1e-7);
        assert_eq!(halves.values(0, 0), whole.values(0, 0));
        // Ten residuals of 0.3 squared are assumed; a half counts as one, with nearly the whole residual.
        let (half, own) = (halves.groups[0].covariance()[0], 0.3 * 0.3);
        assert!(half > own, "{half}");
    }

    #[test]
    fn a_row_is_no_draw_and_passes_no_time() {
        let (learner, snapshot) = learn(vec![record(row(true, 1.0)), record(row(true, 1.0))]);
        let team = &snapshot.teams["team"];
        assert_eq!(team.pulls["a"], 0);
        assert_eq!(team.tempo.time(), 0.0);
        assert_eq!(team.arms["a"].outcomes, 0);
        assert!(expected(&learner.team(&name("team")).arms["a"]) > 0.5);
        // Prices of 256 output tokens were exceeded twofold: the expectation moves from 1 towards 2.
        assert!(team.arms["a"].expected.cost_ratio(&X) > 1.0);
        assert!(team.arms["a"].expected.latency_ms(&X).is_some());
        // The other arm stands on what the first has shown.
        let mut means = vec![0.0; team.arms["b"].groups[0].targets()];
        team.arms["b"].groups[0].score(&X, &mut means).unwrap();
        assert!(means[0] > 0.5, "{means:?}");
    }

    #[test]
    fn other_features_and_a_frozen_team_learn_nothing() {
        let nothing = |records: Vec<Record>| {
            let (learner, _) = learn(records);
            assert!(learner.team(&name("team")).arms.is_empty());
        };
        let mut other = row(true, 1.0);
        other.feature_set = name("other");
        nothing(vec![record(other)]);
        let frozen = Record::Control {
            team: name("team"),
            control: Control {
                pinned: None,
                frozen: true,
            },
            time: Maker::new().now,
        };
        nothing(vec![frozen, record(row(true, 1.0))]);
    }

    #[test]
    fn a_signal_that_the_scorecard_does_not_know_teaches_nothing() {
        let mut old = row(true, 1.0);
        old.signals = vec![(name("gone"), Value::Flag(true))];
        let (learner, _) = learn(vec![record(old)]);
        let arm = &learner.team(&name("team")).arms["a"];
        assert_eq!(arm.groups, fresh().groups);
    }
}
