//! Who served: a decision's outcome teaches its arm only where that arm served it.
//!
//! The arm that was chosen and the arm that answered are kept apart. Where a fallback answered (the last
//! attempt that succeeded was another arm's), what is said of the decision is set down for those who compare
//! by intention (the baseline, newcomers: what the choice led to is what is compared), and enters no arm's
//! regression: not the chosen one's, which did not answer, nor the other's, which was not chosen but met what
//! another one failed at. So it is where all attempts failed, for an outage is not the arm's quality. Signals of
//! our own checks are the exception: they are about what the chosen arm answered, whoever stood in for it after
//! that, and it learns from them.
//!
//! Invariants: a value that is set down is in no regression; whichever of outcome and last attempt comes first,
//! the regression ends up the same, but that an outcome between a failed attempt and the one that served at last
//! is not learned.
//!
//! Not here: what attempts use (`usage`), outcomes of those that were served as chosen (`team`).

use super::Team as Params;
use super::ledger::{Entry, Learned};
use super::team::{Scope, Team, Touched, not_learned};
use super::told::Changes;
use crate::decision::Attempt;
use crate::id::Name;
use crate::store;

/// Whether a target of a group is of a signal that our checks report.
fn is_checked(params: &Params, group: usize, target: usize) -> bool {
    let scorecard = &params.scorecard;
    let number = scorecard.groups().get(group);
    let number = number.and_then(|group| group.targets.get(target));
    let target = number.and_then(|number| scorecard.targets().get(*number));
    let signal = target.and_then(|target| scorecard.signals().get(target.signal));
    signal.is_some_and(|signal| params.checked.contains(&signal.name))
}

/// Sets down what was said of a decision that another arm served; the rest, which its arm learns from all the
/// same, if there is any.
pub(super) fn set_down(
    entry: &mut Entry,
    group: usize,
    changes: Changes,
    params: &Params,
) -> Option<Changes> {
    let checked = |(target, _): &(usize, Option<f64>)| is_checked(params, group, *target);
    let (own, others): (Changes, Changes) = changes.into_iter().partition(checked);
    let groups = params.scorecard.groups();
    entry.set_down.resize(groups.len(), Learned::default());
    if let (Some(row), Some(group)) = (entry.set_down.get_mut(group), groups.get(group)) {
        row.used.resize(group.targets.len(), 0.0);
        for (target, value) in others {
            let bit = 1 << target;
            row.seen = if value.is_some() {
                row.seen | bit
            } else {
                row.seen & !bit
            };
            if let Some(slot) = row.used.get_mut(target) {
                *slot = value.unwrap_or_default();
            }
        }
    }
    (!own.is_empty()).then_some(own)
}

impl Team {
    /// Notes who served a decision; takes what was said of it out of its arm's regressions where that is
    /// another arm.
    pub(super) fn served(
        &mut self,
        attempt: &Attempt,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        let id = attempt.decision;
        let Some(entry) = self.ledger.get(id) else {
            return Ok(());
        };
        let served = match attempt.error.as_ref().map(Name::as_str) {
            None => Some(attempt.arm == entry.arm),
            // Who goes away may have been given what he goes away from.
            Some(Attempt::ABANDONED) => entry.served,
            // A failure says that nobody has served yet, and nothing where somebody has.
            Some(_) => entry.served.or(Some(false)),
        };
        let before = entry.served;
        if served == before {
            return Ok(());
        }
        let elsewhere = served == Some(false);
        let learned = entry.learned.iter().any(|row| !row.used.is_empty());
        let decision = match elsewhere && learned {
            true => scope.recall.decision(entry.position)?,
            false => None,
        };
        let x = decision.as_ref().and_then(|d| d.context.as_deref());
        for group in 0..scope.params.scorecard.groups().len() {
            if let Some(x) = x {
                self.take_out(attempt, group, x, scope.params, touched);
            }
        }
        if let Some(entry) = self.ledger.get_mut(id) {
            entry.served = served;
            if !elsewhere {
                entry.set_down.clear();
            }
        }
        Ok(())
    }

    /// Takes what was said of a decision, but by our checks, out of its arm's regression of one group.
    fn take_out(
        &mut self,
        attempt: &Attempt,
        group: usize,
        x: &[f32],
        params: &Params,
        touched: &mut Touched,
    ) {
        let Some(entry) = self.ledger.get_mut(attempt.decision) else {
            return;
        };
        let Some(mut row) = entry.learned.get(group).cloned() else {
            return;
        };
        let said: Changes = (0..row.used.len())
            .filter(|target| !is_checked(params, group, *target))
            .filter_map(|target| Some((target, Some(row.observed(target)?))))
            .collect();
        if said.is_empty() {
            return;
        }
        let unsaid: Changes = said.iter().map(|(target, _)| (*target, None)).collect();
        let name = entry.arm.clone();
        set_down(entry, group, said, params);
        let Some(arm) = self.arm(&name) else {
            return;
        };
        if let Err(error) = arm.learn(group, x, &mut row, &unsaid) {
            not_learned(&name, &error);
        }
        let left = -i64::from(row.used.is_empty());
        if let Some(slot) = self.ledger.get_mut(attempt.decision)
            && let Some(slot) = slot.learned.get_mut(group)
        {
            *slot = row;
        }
        touched.insert(name);
        self.changed(group, left, params, touched);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Learner;
    use super::super::ledger::Learned;
    use super::super::sample::{HOUR, Maker, name, params, seen};
    use crate::decision::{Attempt, Usage};
    use crate::id::DecisionId;
    use crate::signal::Subject;
    use crate::store::{Position, Record};

    /// What is learned of these records, in this order, where `checked` is a signal of our checks.
    fn learned_with(records: &[Record], checked: &[&str]) -> Learner {
        let (mut params, journal) = (params(HOUR), records.to_vec());
        for team in params.teams.values_mut() {
            team.checked = checked.iter().map(|signal| name(signal)).collect();
        }
        let mut learner = Learner::new(&params);
        for (record, sequence) in records.iter().zip(1..) {
            let at = Position {
                sequence,
                offset: 0,
            };
            let mut touched = Default::default();
            let step = learner.apply(at, record, &params, &journal, &mut touched);
            step.unwrap();
        }
        learner
    }

    fn learned(records: &[Record]) -> Learner {
        learned_with(records, &[])
    }

    fn outcomes(learner: &Learner) -> u64 {
        let outcomes = learner.outcomes(&name("team"));
        outcomes.iter().map(|(_, count)| count).sum()
    }

    fn served(decision: DecisionId, arm: &str, error: Option<&str>, maker: &Maker) -> Record {
        Record::Attempt {
            team: name("team"),
            attempt: Attempt {
                decision,
                arm: name(arm),
                endpoint: name("e"),
                ended: maker.now,
                latency_ms: None,
                usage: Usage::default(),
                cost: None,
                error: error.map(name),
                reported: false,
                request: None,
                first_token_ms: None,
            },
        }
    }

    /// A decision for arm a, and what is said of it.
    fn decided(maker: &mut Maker) -> (DecisionId, Record, Record) {
        let decision = maker.decision(None);
        let id = decision.id;
        let said = maker.feedback(Subject::Decision(id), &[("tests", seen(true))]);
        (id, Record::Decision(Box::new(decision)), said)
    }

    #[test]
    fn an_arm_learns_from_what_it_served_and_not_from_what_stood_in_for_it() {
        let mut maker = Maker::new();
        let (id, decision, said) = decided(&mut maker);
        let failed = served(id, "a", Some("timeout"), &maker);
        let by = |arm| served(id, arm, None, &maker);
        let count = |records: &[Record]| outcomes(&learned(records));
        let (d, f, s) = (&decision, &failed, &said);
        assert_eq!(count(&[d.clone(), s.clone()]), 1);
        assert_eq!(count(&[d.clone(), by("a"), s.clone()]), 1);
        // Nobody served: an outage is not the arm's quality.
        assert_eq!(count(&[d.clone(), f.clone(), s.clone()]), 0);
        assert_eq!(count(&[d.clone(), f.clone(), by("a"), s.clone()]), 1);
        assert_eq!(count(&[d.clone(), by("a"), f.clone(), s.clone()]), 1);
        let left = served(id, "a", Some("abandoned"), &maker);
        assert_eq!(count(&[d.clone(), left, s.clone()]), 1);
        assert_eq!(count(&[d.clone(), f.clone(), by("b"), s.clone()]), 0);
        assert_eq!(count(&[d.clone(), s.clone(), by("b")]), 0);
        // The chosen one served after all: what comes from then on is learned.
        let later = [d.clone(), by("b"), by("a"), s.clone()];
        assert_eq!(count(&later), 1);
    }

    #[test]
    fn a_row_that_was_taken_out_leaves_the_regression_as_if_it_had_never_entered() {
        let mut maker = Maker::new();
        let (_, first, said) = decided(&mut maker);
        let (id, second, also) = decided(&mut maker);
        let stood_in = served(id, "b", None, &maker);
        let before = [
            first.clone(),
            second.clone(),
            stood_in.clone(),
            said.clone(),
        ];
        let after = [first, second, said, also, stood_in];
        let mean = |records: &[Record]| {
            let learner = learned(records);
            let arm = &learner.team(&name("team")).arms[&name("a")];
            let expected = arm.expected(0, &[0.5, 1.0], &Learned::default());
            (outcomes(&learner), expected.unwrap())
        };
        let ((count, expected), (again, found)) = (mean(&before), mean(&after));
        assert_eq!((count, again), (1, 1));
        for (expected, found) in expected.iter().zip(&found) {
            assert!((expected - found).abs() < 1e-9, "{expected} {found}");
        }
    }

    #[test]
    fn an_arm_learns_what_our_checks_say_of_its_answer_whoever_stood_in_for_it() {
        let mut maker = Maker::new();
        let (id, decision, said) = decided(&mut maker);
        let checked = maker.feedback(Subject::Decision(id), &[("merged", seen(false))]);
        let stood_in = served(id, "b", None, &maker);
        for order in [
            [&decision, &checked, &stood_in, &said],
            [&decision, &said, &checked, &stood_in],
            [&decision, &stood_in, &said, &checked],
        ] {
            let records = order.map(Clone::clone);
            let learner = learned_with(&records, &["merged"]);
            let team = learner.team(&name("team"));
            let entry = team.ledger.get(id).unwrap();
            let values = |rows: &[Learned]| {
                let seen = rows.iter().map(|row| row.seen.count_ones()).sum::<u32>();
                let entered = rows.iter().filter(|row| !row.used.is_empty()).count();
                (seen, entered)
            };
            assert_eq!(values(&entry.learned), (1, 1));
            assert_eq!(outcomes(&learner), 1);
            // Both are there for those who compare.
            let group = (0..4).find(|group| entry.seen(*group) != 0).unwrap();
            assert_eq!(entry.seen(group).count_ones(), 2);
        }
    }
}
