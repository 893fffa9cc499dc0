//! Reports on their way: what will be told of an arm's work, and when.
//!
//! Invariants: they come in order of time, those of one moment in the order in which they were put;
//! what one evaluator says of one request at one moment is one item.
//!
//! Not here: what will be told (`scenario`), sending it (`caller`).

use crate::proto::v1::{self, feedback::Subject, signal::Kind, signal_value::Value as Said};
use crate::scenario::{Arrival, Request};
use crate::scorecard::{Level, Scorecard};
use crate::signal::Value;
use std::collections::BTreeMap;
use std::time::Duration;

/// One item of feedback that will be sent.
pub(super) struct Report {
    pub(super) team: usize,
    pub(super) request: usize,
    pub(super) item: v1::Feedback,
}

/// Reports by the time at which they come.
#[derive(Default)]
pub(super) struct Due {
    waiting: BTreeMap<(Duration, usize), Report>,
    put: usize,
}

impl Due {
    /// Puts in what will be told of the decision that `request` got.
    pub(super) fn put(
        &mut self,
        number: usize,
        request: &Request,
        decision_id: &str,
        arrivals: &[Arrival],
        scorecard: &Scorecard,
    ) {
        let of_episode = |arrival: &Arrival| {
            let spec = scorecard.signal(arrival.signal.as_str());
            let spec = spec.and_then(|index| scorecard.signals().get(index));
            let whole = spec.is_some_and(|spec| spec.level == Level::Episode);
            request.episode.as_ref().filter(|_| whole)
        };
        // One item for each moment, evaluator and subject.
        let mut items: BTreeMap<(Duration, &str, bool), Vec<&Arrival>> = BTreeMap::new();
        for arrival in arrivals {
            let about_episode = of_episode(arrival).is_some();
            let key = (arrival.after, arrival.evaluator, about_episode);
            items.entry(key).or_default().push(arrival);
        }
        for ((after, evaluator, about_episode), arrivals) in items {
            let subject = match &request.episode {
                Some(episode) if about_episode => Subject::EpisodeId(episode.to_string()),
                _ => Subject::DecisionId(decision_id.to_owned()),
            };
            let item = v1::Feedback {
                subject: Some(subject),
                signals: arrivals.into_iter().map(signal).collect(),
                observed_time: None,
                evaluator: Some(v1::Evaluator {
                    name: evaluator.to_owned(),
                    version: String::new(),
                }),
                request_id: None,
            };
            let report = Report {
                team: request.team,
                request: number,
                item,
            };
            self.put += 1;
            self.waiting.insert((request.at + after, self.put), report);
        }
    }

    /// Takes out what has come by `until`, each with its time.
    pub(super) fn by(&mut self, until: Duration) -> Vec<(Duration, Report)> {
        let later = self.waiting.split_off(&(until, usize::MAX));
        let come = std::mem::replace(&mut self.waiting, later);
        come.into_iter().map(|((at, _), r)| (at, r)).collect()
    }

    /// When the next one comes.
    pub(super) fn next(&self) -> Option<Duration> {
        self.waiting.keys().next().map(|(at, _)| *at)
    }
}

fn signal(arrival: &Arrival) -> v1::Signal {
    let said = match &arrival.value {
        Value::Flag(flag) => Said::Flag(*flag),
        Value::Number(number) => Said::Number(*number),
        Value::Comment(text) => Said::Comment(text.clone()),
    };
    let kind = if arrival.corrects {
        Kind::Correction
    } else {
        Kind::Observed
    };
    v1::Signal {
        name: arrival.signal.to_string(),
        value: Some(v1::SignalValue { value: Some(said) }),
        kind: kind.into(),
    }
}
