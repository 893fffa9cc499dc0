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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::id::Name;
    use crate::scenario::Rpc;
    use std::path::Path;

    const HOUR: Duration = Duration::from_secs(3600);

    fn arrival(signal: &str, value: bool, hours: u32, corrects: bool) -> Arrival {
        Arrival {
            signal: Name::new(signal).unwrap(),
            value: Value::Flag(value),
            after: HOUR * hours,
            evaluator: "ci",
            corrects,
        }
    }

    fn request(at: Duration) -> Request {
        Request {
            team: 0,
            task: Name::new("fix-test").unwrap(),
            episode: Some(Name::new("e").unwrap()),
            at,
            rpc: Rpc::Route,
            prompt: String::new(),
            outcomes: Vec::new(),
        }
    }

    fn put(due: &mut Due, at: Duration, arrivals: &[Arrival]) {
        let text = include_str!("../../evals/scorecards/coding.toml");
        let scorecard = config::read_scorecard(Path::new("coding.toml"), text).unwrap();
        due.put(7, &request(at), "id", arrivals, &scorecard);
    }

    /// What comes by `until`: hours, signals, whether a correction, whether of the episode.
    fn come(due: &mut Due, until: Duration) -> Vec<(u64, Vec<String>, bool, bool)> {
        let said = due.by(until).into_iter().map(|(at, report)| {
            let signals = report.item.signals;
            let corrects = signals.iter().any(|s| s.kind() == Kind::Correction);
            let episode = matches!(report.item.subject, Some(Subject::EpisodeId(_)));
            let names = signals.into_iter().map(|s| s.name).collect();
            (at.as_secs() / 3600, names, corrects, episode)
        });
        said.collect()
    }

    #[test]
    fn reports_come_in_order_of_time_and_not_before() {
        let mut due = Due::default();
        put(&mut due, HOUR, &[arrival("tests_passed", true, 4, false)]);
        put(
            &mut due,
            HOUR * 2,
            &[arrival("tests_passed", true, 1, false)],
        );
        assert_eq!(due.next(), Some(HOUR * 3));
        assert!(come(&mut due, HOUR * 2).is_empty());
        let first: Vec<u64> = come(&mut due, HOUR * 9).iter().map(|c| c.0).collect();
        assert_eq!(first, [3, 5]);
        assert_eq!(due.next(), None);
    }

    #[test]
    fn one_moment_of_one_evaluator_is_one_item_and_an_episode_s_word_is_another() {
        let mut due = Due::default();
        let arrivals = [
            arrival("tests_passed", true, 1, false),
            arrival("json_valid", true, 1, false),
            arrival("review_accepted", true, 1, false),
            arrival("tests_passed", false, 2, true),
        ];
        put(&mut due, Duration::ZERO, &arrivals);
        let names = |list: &[&str]| list.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
        let expected = [
            (1, names(&["tests_passed", "json_valid"]), false, false),
            (1, names(&["review_accepted"]), false, true),
            (2, names(&["tests_passed"]), true, false),
        ];
        assert_eq!(come(&mut due, HOUR * 2), expected);
    }
}
