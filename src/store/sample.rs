//! Records for the tests of the store.

use super::Seed;
use super::record::Record;
use crate::decision::{Answer, Attempt, Cell, Decision, Drawn, Origin, Request, Usage};
use crate::id::{DecisionId, Name, Secret};
use crate::signal::{Change, Evaluator, Feedback, Subject, Value};
use crate::unit::{NanoUsd, Pmf, Timestamp};

pub(crate) fn name(text: &str) -> Name {
    Name::new(text).unwrap()
}

pub(crate) fn time(seconds: i64) -> Timestamp {
    Timestamp::from_micros(seconds * 1_000_000)
}

/// The id of the decision with this number.
pub(crate) fn id(number: u64) -> DecisionId {
    Secret::new([7; 32]).mint(time(1_700_000_000), number)
}

/// A tick: the smallest record, with a number to know it by.
pub(crate) fn tick(number: i64) -> Record {
    Record::Tick {
        time: Timestamp::from_micros(number),
    }
}

/// A decision of team `t` between two arms, made `number` seconds in.
pub(crate) fn decision(number: u64) -> Decision {
    Decision {
        id: id(number),
        time: time(number.cast_signed()),
        team: name("t"),
        key: name("k"),
        task: None,
        episode: None,
        session: None,
        request: None,
        origin: Origin::Drawn,
        policy: "linear-thompson:v=0.1".to_owned(),
        scorecard_version: 1,
        snapshot_version: 0,
        feature_set: name("f1"),
        context: Some(vec![0.5; 105]),
        input_tokens: 100,
        drawn: Drawn {
            arms: vec![name("small"), name("large")],
            signals: vec![name("passed")],
            pmf: Pmf::new(vec![0.25, 0.75]).unwrap(),
            floor: vec![0.01, 0.01],
            utility: vec![0.4, 0.6],
            utility_sd: vec![0.1, 0.2],
            signal_mean: vec![0.5, 0.75],
            signal_sd: vec![0.1, 0.1],
            cost_usd: vec![0.001, 0.01],
            reference_cost_usd: vec![0.001, 0.01],
            latency_ms: vec![100.0, 400.0],
            samples: 10.0,
            forced: Vec::new(),
            uniform: 0.5,
            chosen: 1,
        },
        excluded: Vec::new(),
        endpoint: name("e"),
        fallbacks: Vec::new(),
        content: None,
        cell: Cell::Router,
        allowance: None,
    }
}

pub(crate) fn record(decision: Decision) -> Record {
    Record::Decision(Box::new(decision))
}

pub(crate) fn attempt(number: u64, ended: i64) -> Record {
    let attempt = Attempt {
        decision: id(number),
        arm: name("large"),
        endpoint: name("e"),
        ended: time(ended),
        latency_ms: Some(12.5),
        usage: Usage {
            input: Some(100),
            cached_input: None,
            output: Some(20),
            ..Usage::default()
        },
        cost: Some(NanoUsd::new(1500)),
        error: None,
        reported: true,
        request: None,
        first_token_ms: None,
    };
    Record::Attempt {
        team: name("t"),
        attempt,
    }
}

pub(crate) fn answer(number: u64, ended: i64) -> Record {
    let answer = Answer {
        decision: id(number),
        ended: time(ended),
        message: r#"{"role":"assistant","content":[{"text":"yes"}]}"#.to_owned(),
        finish_reason: name("stop"),
    };
    Record::Answer {
        team: name("t"),
        answer,
    }
}

pub(crate) fn feedback(subject: Subject, received: i64, body_hash: u64) -> Feedback {
    Feedback {
        team: name("t"),
        subject,
        signals: vec![(name("passed"), Change::Observed(Value::Flag(true)))],
        observed: time(received),
        received: time(received),
        evaluator: Some(Evaluator {
            name: name("ci"),
            version: "3".to_owned(),
        }),
        request_id: None,
        body_hash,
    }
}

pub(crate) fn request(id: &str, body_hash: u64) -> Request {
    Request {
        id: name(id),
        body_hash,
    }
}

/// A row of an outcome table, taught to team `t`.
pub(crate) fn seed(at: i64) -> Record {
    Record::Seed(Box::new(Seed {
        team: name("t"),
        time: time(at),
        source: "table".to_owned(),
        batch: 7,
        prompt: 3,
        arm: name("large"),
        task: Some(name("fix")),
        feature_set: name("f1"),
        context: vec![0.5, 1.0],
        signals: vec![(name("passed"), Value::Flag(true))],
        cost_usd: Some(0.002),
        reference_cost_usd: Some(0.001),
        latency_ms: Some(250.0),
        weight: 0.5,
    }))
}
