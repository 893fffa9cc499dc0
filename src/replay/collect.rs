//! From journal records to traffic: each decision with what came of it, scored.
//!
//! Two passes over the same records: the first gathers what followed each decision, the second gives
//! the decisions in their order. All of a team's decisions are scored by one scorecard, whatever was
//! in force when they were made: utilities by different scorecards cannot be compared.
//!
//! Rules: of two values for a signal the later one received counts, a retracted one is gone; what is
//! said of an episode, its closing too, belongs to every draw of it ([`Subject::Episode`]), and a
//! decision that inherited its arm shows what its draw shows; a signal that has not come by its
//! closing time, or when its episode was closed, takes the value that the scorecard gives it. Cost is
//! what was paid, else what was expected. The learner keeps the same rules, within its window.
//!
//! Memory: about 200 bytes a decision with outcomes.
//!
//! Not here: reading the journal (`store`), estimates (`traffic`).

use super::Row;
use super::known::{Heard, Known, quality, wanted};
use crate::decision::{Attempt, Decision};
use crate::id::{DecisionId, Name};
use crate::scorecard::Scorecard;
use crate::signal::{Change, Feedback, Subject, Value};
use crate::store::Record;
use crate::unit::Timestamp;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What followed each decision.
#[derive(Debug, Default)]
pub struct Outcomes {
    /// By team too: another team's words about a decision do not count.
    of_decision: BTreeMap<(Name, DecisionId), Followed>,
    of_episode: BTreeMap<(Name, Name), Signals>,
    closed: BTreeSet<(Name, Name)>,
    /// Records so far.
    records: u64,
    now: Timestamp,
}

/// The newest word on each signal.
type Signals = BTreeMap<Name, Word>;

#[derive(Debug)]
struct Word {
    /// Number of the record that it came with.
    record: u64,
    /// Absent: withdrawn.
    value: Option<Value>,
}

#[derive(Debug, Default)]
struct Followed {
    signals: Signals,
    served: Option<Name>,
    cost_usd: Option<f64>,
    latency_ms: Option<f64>,
}

impl Followed {
    fn attempted(&mut self, attempt: &Attempt) {
        if attempt.error.is_none() {
            self.served = Some(attempt.arm.clone());
        }
        let add = |sum: Option<f64>, more: Option<f64>| match (sum, more) {
            (Some(sum), Some(more)) => Some(sum + more),
            (sum, more) => sum.or(more),
        };
        self.cost_usd = add(self.cost_usd, attempt.cost.map(|cost| cost.as_usd()));
        self.latency_ms = add(self.latency_ms, attempt.latency_ms);
    }
}

impl Outcomes {
    /// The first pass: takes in one record, in journal order.
    pub fn observe(&mut self, record: &Record) {
        self.now = self.now.max(record.time());
        self.records += 1;
        match record {
            Record::Attempt { team, attempt } => {
                self.of_decision
                    .entry((team.clone(), attempt.decision))
                    .or_default()
                    .attempted(attempt);
            }
            Record::Feedback(feedback) => self.reported(feedback),
            Record::EpisodeClosed { team, episode, .. } => {
                self.closed.insert((team.clone(), episode.clone()));
            }
            Record::Decision(_)
            | Record::Control { .. }
            | Record::Version { .. }
            | Record::Answer { .. }
            | Record::Seed(_)
            | Record::Budget { .. }
            | Record::GuardLifted { .. }
            | Record::Baseline { .. }
            | Record::Tick { .. } => {}
        }
    }

    fn reported(&mut self, feedback: &Feedback) {
        let values = match &feedback.subject {
            Subject::Decision(id) => {
                &mut self
                    .of_decision
                    .entry((feedback.team.clone(), *id))
                    .or_default()
                    .signals
            }
            Subject::Episode(episode) => self
                .of_episode
                .entry((feedback.team.clone(), episode.clone()))
                .or_default(),
        };
        for (name, change) in &feedback.signals {
            let value = match change {
                Change::Observed(Value::Comment(_)) | Change::Corrected(Value::Comment(_)) => {
                    continue;
                }
                Change::Observed(value) | Change::Corrected(value) => Some(value.clone()),
                Change::Retracted => None,
            };
            let record = self.records;
            values.insert(name.clone(), Word { record, value });
        }
    }

    /// The second pass: a decision as a row of traffic, scored by `scorecard`.
    pub fn row(&self, decision: Decision, scorecard: &Scorecard) -> Row {
        let nothing = Followed::default();
        let followed = self
            .of_decision
            .get(&(decision.team.clone(), decision.id))
            .unwrap_or(&nothing);
        let known = self.known(&decision, scorecard);
        let quality = quality(scorecard, &known);
        let expected = decision
            .drawn
            .cost_usd
            .get(decision.drawn.chosen as usize)
            .copied();
        let cost = followed.cost_usd.or(expected).unwrap_or(0.0);
        let standing = self.standing(&decision).into_iter();
        let outcomes = standing.filter_map(|(name, value)| Some((name.clone(), number(value)?)));
        let outcomes = outcomes.collect();
        let closed = self.closed(&decision);
        let mut row = Row::new(decision);
        row.as_of = Some(self.now);
        row.closed = closed;
        row.served = followed.served.clone();
        row.cost_usd = followed.cost_usd;
        row.latency_ms = followed.latency_ms;
        row.outcomes = outcomes;
        row.quality = quality;
        row.utility = quality.map(|q| q - scorecard.price(cost, followed.latency_ms));
        if quality.is_none() {
            row.wanted = wanted(scorecard, &known);
        }
        row
    }

    /// What is known of each signal of a decision.
    pub(super) fn known(&self, decision: &Decision, scorecard: &Scorecard) -> Vec<Known> {
        let heard = Heard {
            made: decision.time,
            until: Some(self.now),
            closed: self.closed(decision),
        };
        let standing = self.standing(decision);
        let signals = scorecard.signals().iter().enumerate();
        let known = signals.map(|(index, spec)| {
            let value = standing.get(&spec.name);
            let seen = value.and_then(|value| scorecard.normalise(index, value).ok().flatten());
            heard.know(spec, seen)
        });
        known.collect()
    }

    fn closed(&self, decision: &Decision) -> bool {
        episode(decision).is_some_and(|key| self.closed.contains(&key))
    }

    /// The values that stand for a decision, its own and its episode's.
    fn standing(&self, decision: &Decision) -> BTreeMap<&Name, &Value> {
        let own = self.of_decision.get(&(decision.team.clone(), decision.id));
        let shared = episode(decision).and_then(|key| self.of_episode.get(&key));
        let mut newest: BTreeMap<&Name, &Word> = BTreeMap::new();
        let words = own.map(|followed| &followed.signals).into_iter();
        for (name, word) in words.chain(shared).flatten() {
            let kept = newest.entry(name).or_insert(word);
            if kept.record < word.record {
                *kept = word;
            }
        }
        let standing = newest.into_iter();
        standing
            .filter_map(|(name, word)| Some((name, word.value.as_ref()?)))
            .collect()
    }
}

fn episode(decision: &Decision) -> Option<(Name, Name)> {
    let episode = decision.episode.clone()?;
    Some((decision.team.clone(), episode))
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Flag(flag) => Some(f64::from(u8::from(*flag))),
        Value::Number(number) => Some(*number),
        Value::Comment(_) => None,
    }
}

/// A scorecard for each team.
pub type Scorecards = BTreeMap<Name, Arc<Scorecard>>;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::Learner;
    use crate::learn::sample::{HOUR, everything, name, params, scorecard};
    use crate::scorecard::Level;
    use crate::store::Position;

    fn outcomes(records: &[Record]) -> Outcomes {
        let mut outcomes = Outcomes::default();
        records.iter().for_each(|record| outcomes.observe(record));
        outcomes
    }

    /// For each signal: how many draws it is known of, seen or assumed, and the sum of its values.
    fn known(records: &[Record]) -> Vec<(u64, f64)> {
        let (outcomes, scorecard) = (outcomes(records), scorecard(HOUR));
        let mut known = vec![(0, 0.0); scorecard.signals().len()];
        for record in records {
            let Record::Decision(decision) = record else {
                continue;
            };
            let signals = outcomes.known(decision, &scorecard).into_iter().enumerate();
            for (index, signal) in signals {
                // What a decision inherited is its draw's, and learned there.
                let own = scorecard.signals()[index].level == Level::Decision;
                if let Some(value) = signal.value().filter(|_| own || decision.is_draw()) {
                    known[index].0 += 1;
                    known[index].1 += value;
                }
            }
        }
        known
    }

    /// The same of what the learner learned.
    fn learned(records: &Vec<Record>) -> Vec<(u64, f64)> {
        let params = params(HOUR);
        let mut learner = Learner::new(&params);
        for (index, record) in records.iter().enumerate() {
            let at = Position {
                sequence: index as u64 + 1,
                offset: 0,
            };
            let mut changed = BTreeMap::new();
            learner
                .apply(at, record, &params, records, &mut changed)
                .unwrap();
        }
        learner.observed(&name("team"), &params)
    }

    #[test]
    fn an_export_knows_of_every_decision_what_the_learner_learned_of_it() {
        let records = everything();
        for end in 0..=records.len() {
            let records = records[..end].to_vec();
            let (known, learned) = (known(&records), learned(&records));
            for (index, (known, learned)) in known.iter().zip(&learned).enumerate() {
                assert_eq!(known.0, learned.0, "signal {index} after {end} records");
                assert!((known.1 - learned.1).abs() < 1e-9, "{index} after {end}");
            }
        }
    }
}
