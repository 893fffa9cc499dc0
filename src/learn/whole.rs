//! Whether a learner read back from disk can serve: asked before it does, of every number and shape that
//! something is computed with.
//!
//! Invariants: what passes is finite, positive definite, of the scorecard's groups and the context's
//! dimension; what does not is named, so that people know which part of which file is broken.
//!
//! Not here: what becomes of a state that is refused (`follow`), the checks of one regression (`bandit`).

use super::Params;
use super::arm::Arm;
use super::comparison::Comparison;
use super::learner::{Learner, Team as Told};
use super::newcomer::Newcomer;
use super::team::Team;
use super::usage::{self, Smear};
use crate::bandit::{Ridge, StateError, Tempo};
use crate::id::Name;

/// What is broken.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Broken {
    /// Of a team.
    #[error("team {team}: {part} cannot serve")]
    Team {
        /// The team.
        team: Name,
        /// What of it.
        part: &'static str,
    },
    /// Of an arm.
    #[error("team {team}, arm {arm}: {error}")]
    Arm {
        /// The team.
        team: Name,
        /// The arm.
        arm: Name,
        /// What is wrong.
        error: StateError,
    },
    /// There is no state of a team that the parameters have had all along.
    #[error("team {team} is missing")]
    Missing {
        /// The team.
        team: Name,
    },
}

impl Learner {
    /// Whether it can serve teams as they are told here.
    pub fn validate(&self, params: &Params) -> Result<(), Broken> {
        for (name, told) in &params.teams {
            let team = self.teams.get(name);
            let team = team.ok_or_else(|| Broken::Missing { team: name.clone() })?;
            check(name, team, told)?;
        }
        Ok(())
    }
}

fn check(name: &Name, team: &Team, told: &Told) -> Result<(), Broken> {
    let groups = told.scorecard.groups().iter();
    let targets: Vec<usize> = groups.map(|group| group.targets.len()).collect();
    let dim = told.start.prior().dim();
    let tempi = team.arms.values().map(|arm| &arm.tempo);
    let parts = [
        ("the common prior", team.pool.is_whole(told)),
        ("the watch for changes", team.alarms.are_whole()),
        ("the pacing of its spend", team.pacing.is_whole()),
        (
            "the pace of forgetting",
            tempi.chain([&team.tempo]).all(Tempo::is_whole),
        ),
        (
            "the count of what was reported",
            team.silences.are_whole(told.scorecard.signals().len()),
        ),
        ("the ledger of decisions", team.ledger.is_whole(&targets)),
        (
            "the comparison with the baseline",
            team.comparison.as_ref().is_none_or(Comparison::is_whole),
        ),
        (
            "the comparison of newcomers",
            team.newcomers.values().all(Newcomer::is_whole),
        ),
        (
            "what it borrowed of other teams",
            team.trials.are_whole(dim, &targets),
        ),
    ];
    if let Some((part, _)) = parts.into_iter().find(|(_, whole)| !whole) {
        let team = name.clone();
        return Err(Broken::Team { team, part });
    }
    for (arm, state) in &team.arms {
        check_arm(state, dim, &targets).map_err(|error| Broken::Arm {
            team: name.clone(),
            arm: arm.clone(),
            error,
        })?;
    }
    Ok(())
}

fn check_arm(arm: &Arm, dim: usize, targets: &[usize]) -> Result<(), StateError> {
    let length = |field, found, expected| match found == expected {
        true => Ok(()),
        false => Err(StateError::Length {
            field,
            found,
            expected,
        }),
    };
    let ridge = |ridge: &Ridge, targets| {
        length("context", ridge.dim(), dim)?;
        length("targets", ridge.targets(), targets)?;
        ridge.validate()
    };
    length("groups", arm.groups.len(), targets.len())?;
    length("sums", arm.observed.len(), targets.len())?;
    length("taught sums", arm.seeded.len(), targets.len())?;
    for (group, targets) in arm.groups.iter().zip(targets) {
        ridge(group, *targets)?;
    }
    for book in arm.usage.books() {
        ridge(&book.ridge, usage::TARGETS)?;
    }
    for ((sums, taught), targets) in arm.observed.iter().zip(&arm.seeded).zip(targets) {
        length("sums", sums.len(), *targets)?;
        length("taught sums", taught.len(), *targets)?;
    }
    let own = arm.observed.iter().flatten().map(|(_, sum)| *sum);
    let taught = arm.seeded.iter().flatten().flat_map(|(n, sum)| [*n, *sum]);
    let smears = arm.usage.books().flat_map(|book| &book.smears);
    let used = smears.flat_map(Smear::sums);
    let mut sums = own.chain(taught).chain(used);
    match sums.find(|sum| !sum.is_finite()) {
        Some(value) => Err(StateError::Range {
            field: "sum",
            value,
            allowed: "finite",
        }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::{HOUR, everything, name, params};
    use super::*;
    use crate::bandit::Prior;
    use crate::store::Position;
    use std::collections::BTreeMap;

    fn learned() -> Learner {
        let (params, records) = (params(HOUR), everything());
        let mut learner = Learner::new(&params);
        for (index, record) in records.iter().enumerate() {
            let at = Position {
                sequence: index as u64 + 1,
                offset: 0,
            };
            let mut changed = BTreeMap::new();
            let applied = learner.apply(at, record, &params, &records, &mut changed);
            applied.unwrap();
        }
        learner
    }

    fn ridge(learner: &mut Learner) -> &mut Ridge {
        let team = learner.teams.get_mut(&name("team")).unwrap();
        &mut team.arms.get_mut(&name("a")).unwrap().groups[0]
    }

    /// The regression with one of its numbers, found by its path in what serde writes, exchanged.
    fn with(ridge: &Ridge, path: &str, by: f64) -> Ridge {
        let all = serde_json::to_value(ridge).unwrap();
        let old = all.pointer(path).unwrap().as_f64().unwrap();
        let mut bytes = postcard::to_allocvec(ridge).unwrap();
        let fields = ["precision", "inverse", "moments", "weights"];
        let field = path.split('/').nth(1).unwrap();
        let from = match fields.contains(&field) {
            // The prior comes before them and may have the same number.
            true => postcard::to_allocvec(ridge.prior()).unwrap().len(),
            false => 0,
        };
        let place = bytes[from..]
            .windows(8)
            .position(|w| w == old.to_le_bytes());
        let place = from + place.unwrap();
        bytes[place..place + 8].copy_from_slice(&by.to_le_bytes());
        postcard::from_bytes(&bytes).unwrap()
    }

    fn check(damage: impl FnOnce(&mut Learner), expected: &str) {
        let mut learner = learned();
        damage(&mut learner);
        let broken = learner.validate(&params(HOUR)).unwrap_err().to_string();
        assert!(broken.contains(expected), "{broken}");
    }

    #[test]
    fn what_was_learned_is_whole() {
        assert_eq!(learned().validate(&params(HOUR)), Ok(()));
    }

    #[test]
    fn what_is_broken_is_named() {
        let entry = "/precision/tiles/0/0/0";
        let set = |path: &'static str, by: f64| {
            move |learner: &mut Learner| {
                let ridge = ridge(learner);
                *ridge = with(ridge, path, by);
            }
        };
        check(
            set(entry, f64::NAN),
            "arm a: precision is NaN: allowed finite",
        );
        check(set(entry, 1e-9), "team team, arm a: ");
        check(
            set("/inverse/tiles/0/0/0", 0.5),
            "precision times inverse less 1",
        );
        check(set("/weights/0/0/0", f64::INFINITY), "weights is inf");
        let wider = Ridge::new(&Prior::on_bias(3, 10.0, &[0.5, 0.5])).unwrap();
        check(|l| *ridge(l) = wider, "context has 3 entries: allowed 2");
        let more = Ridge::new(&Prior::on_bias(2, 10.0, &[0.5; 3])).unwrap();
        check(|l| *ridge(l) = more, "targets has 3 entries: allowed 2");
        check(
            |l| {
                drop(
                    l.teams
                        .get_mut("team")
                        .unwrap()
                        .arms
                        .get_mut("a")
                        .unwrap()
                        .groups
                        .pop(),
                )
            },
            "groups has 3 entries: allowed 4",
        );
        check(
            |l| {
                let arms = &mut l.teams.get_mut("team").unwrap().arms;
                let usage = &mut arms.get_mut("b").unwrap().usage;
                let book = usage.open(usage::Kind::Bill, 2).unwrap();
                let values = [Some(f64::NAN), None];
                book.spread(&[0.5, 1.0], &values, 1.0).unwrap();
            },
            "arm b: sum is NaN",
        );
        check(
            |l| {
                // The scorecard has five signals.
                let silences = &mut l.teams.get_mut("team").unwrap().silences;
                silences.count(&name("a"), 5, true);
            },
            "team team: the count of what was reported cannot serve",
        );
        check(|l| drop(l.teams.remove("team")), "team team is missing");
    }

    #[test]
    fn a_matrix_that_is_positive_on_its_diagonal_only_is_refused() {
        // 2 x 2 with an entry beside the diagonal that is larger than both.
        check(
            |learner| {
                let ridge = ridge(learner);
                *ridge = with(ridge, "/precision/tiles/0/1/0", 1e6);
            },
            "team team, arm a: ",
        );
    }
}
