//! Who served: a decision's outcome teaches its arm only where that arm served it.
//!
//! The arm that was chosen and the arm that answered are kept apart. Where a fallback answered (the last
//! attempt that succeeded was another arm's), what is said of the decision is set down for those who compare
//! by intention (the baseline, newcomers: what the choice led to is what is compared), and enters no arm's
//! regression: not the chosen one's, which did not answer, nor the other's, which was not chosen but met what
//! another one failed at.
//!
//! Invariants: a row that is set down is in no regression; whichever of outcome and attempt comes first, the
//! regression ends up the same; where the chosen arm serves after all, what comes from then on is learned.
//!
//! Not here: what attempts use (`usage`), outcomes of those that were served as chosen (`team`).

use super::ledger::Learned;
use super::team::{Scope, Team, Touched, not_learned};
use super::told::Changes;
use crate::decision::Attempt;
use crate::store;

/// Sets what was said down in a row that is in no regression.
pub(super) fn set_down(row: &mut Learned, targets: usize, changes: &Changes) {
    row.used.resize(targets, 0.0);
    for (target, value) in changes {
        if let Some(slot) = row.used.get_mut(*target) {
            *slot = value.unwrap_or_default();
            let bit = 1 << target;
            row.seen = if value.is_some() {
                row.seen | bit
            } else {
                row.seen & !bit
            };
        }
    }
    if row.seen == 0 {
        row.used.clear();
    }
}

impl Team {
    /// Notes who served a decision; takes its rows out of its arm's regressions where that is another arm.
    pub(super) fn served(
        &mut self,
        attempt: &Attempt,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        let Some(entry) = self.ledger.get(attempt.decision) else {
            return Ok(());
        };
        let elsewhere = attempt.arm != entry.arm;
        if attempt.error.is_some() || elsewhere == entry.elsewhere {
            return Ok(());
        }
        let (name, mut rows) = (entry.arm.clone(), entry.learned.clone());
        if rows.iter().any(|row| !row.used.is_empty()) {
            let Some(decision) = scope.recall.decision(entry.position)? else {
                return Ok(());
            };
            let x = decision.context.as_deref().unwrap_or_default();
            for (group, row) in rows.iter_mut().enumerate() {
                let targets = row.used.len();
                let seen = (0..targets).filter_map(|t| Some((t, Some(row.observed(t)?))));
                let said: Changes = seen.collect();
                if said.is_empty() {
                    continue;
                }
                if !elsewhere {
                    // It was in no regression; what comes from now on is.
                    *row = Learned::default();
                    continue;
                }
                let unsaid: Changes = said.iter().map(|(target, _)| (*target, None)).collect();
                let Some(arm) = self.arm(&name) else {
                    continue;
                };
                if let Err(error) = arm.learn(group, x, row, &unsaid) {
                    not_learned(&name, &error);
                }
                touched.insert(name.clone());
                set_down(row, targets, &said);
                self.changed(group, -1, scope.params, touched);
            }
        }
        if let Some(entry) = self.ledger.get_mut(attempt.decision) {
            (entry.elsewhere, entry.learned) = (elsewhere, rows);
        }
        Ok(())
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

    /// What is learned of these records, in this order.
    fn learned(records: &[Record]) -> Learner {
        let (params, journal) = (params(HOUR), records.to_vec());
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
        // A failure alone says nothing of who served.
        assert_eq!(count(&[d.clone(), f.clone(), s.clone()]), 1);
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
}
