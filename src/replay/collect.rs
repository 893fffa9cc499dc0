//! From journal records to traffic: each decision with what came of it, scored.
//!
//! Two passes over the same records: the first gathers what followed each decision, the second gives
//! the decisions in their order. All of a team's decisions are scored by one scorecard, whatever was
//! in force when they were made: utilities by different scorecards cannot be compared.
//!
//! Rules: of two values for a signal the later one received counts, a retracted one is gone; an
//! episode's signal belongs to every decision of the episode; a signal that has not come by its
//! closing time, or when its episode was closed, takes the value that the scorecard gives it. Cost is
//! what was paid, else what was expected.
//!
//! Memory: about 200 bytes a decision with outcomes.
//!
//! Not here: reading the journal (`store`), estimates (`traffic`).

use super::Row;
use crate::decision::{Attempt, Decision};
use crate::id::{DecisionId, Name};
use crate::scorecard::{Level, Scorecard};
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
    of_episode: BTreeMap<(Name, Name), BTreeMap<Name, Value>>,
    closed: BTreeSet<(Name, Name)>,
    now: Timestamp,
}

#[derive(Debug, Default)]
struct Followed {
    signals: BTreeMap<Name, Value>,
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
            match change {
                Change::Observed(Value::Comment(_)) | Change::Corrected(Value::Comment(_)) => {}
                Change::Observed(value) | Change::Corrected(value) => {
                    values.insert(name.clone(), value.clone());
                }
                Change::Retracted => {
                    values.remove(name);
                }
            }
        }
    }

    /// The second pass: a decision as a row of traffic, scored by `scorecard`.
    pub fn row(&self, decision: Decision, scorecard: &Scorecard) -> Row {
        let nothing = Followed::default();
        let followed = self
            .of_decision
            .get(&(decision.team.clone(), decision.id))
            .unwrap_or(&nothing);
        let episode = decision.episode.clone().map(|e| (decision.team.clone(), e));
        let of_episode = episode.as_ref().and_then(|key| self.of_episode.get(key));
        let closed = episode
            .as_ref()
            .is_some_and(|key| self.closed.contains(key));
        let mut normalised = Vec::with_capacity(scorecard.signals().len());
        let mut seen = false;
        for (index, spec) in scorecard.signals().iter().enumerate() {
            let shared = of_episode.filter(|_| spec.level == Level::Episode);
            let own = followed.signals.get(&spec.name);
            let value = own.or_else(|| shared.and_then(|values| values.get(&spec.name)));
            let value = value.and_then(|value| scorecard.normalise(index, value).ok().flatten());
            seen |= value.is_some();
            let over = closed || decision.time.after(spec.closes_after) <= self.now;
            normalised.push(value.or_else(|| spec.missing.value().filter(|_| over)));
        }
        seen |= normalised.iter().all(Option::is_some);
        let quality = scorecard.score(&normalised).quality.filter(|_| seen);
        let expected = decision
            .drawn
            .cost_usd
            .get(decision.drawn.chosen as usize)
            .copied();
        let cost = followed.cost_usd.or(expected).unwrap_or(0.0);
        let utility = quality.map(|q| q - scorecard.price(cost, followed.latency_ms));
        let values = followed
            .signals
            .iter()
            .chain(of_episode.into_iter().flatten());
        let outcomes = values.filter_map(|(name, value)| Some((name.clone(), number(value)?)));
        let outcomes: BTreeMap<Name, f64> = outcomes.collect();
        let mut row = Row::new(decision);
        row.served = followed.served.clone();
        row.cost_usd = followed.cost_usd;
        row.latency_ms = followed.latency_ms;
        row.outcomes = outcomes.into_iter().collect();
        row.quality = quality;
        row.utility = utility;
        row
    }
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
