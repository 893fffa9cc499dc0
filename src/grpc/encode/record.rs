//! What followed a decision: attempts, costs, signals.
//!
//! Invariants: the cost is the sum of the known costs; of each signal the newest value stands, and a
//! retracted one is gone; decision and episode signals of one name are two.
//!
//! Not here: what signals are worth (`scorecard`).

use super::decision::route_response;
use crate::decision::{Attempt, Usage};
use crate::proto::v1::{self, signal_value};
use crate::route::{DecisionPage, Recorded};
use crate::signal::{Change, Feedback, Subject, Value};
use crate::unit::{NanoUsd, Timestamp};

/// A decision with all that followed.
pub(in crate::grpc) fn decision_record(recorded: &Recorded) -> v1::DecisionRecord {
    let decision = &recorded.routed.decision;
    let costs = recorded.attempts.iter().filter_map(|a| a.cost);
    let cost = costs.fold(0, |sum: i64, cost| sum.saturating_add(cost.get()));
    let text = |name: &Option<crate::id::Name>| name.as_ref().map(ToString::to_string);
    v1::DecisionRecord {
        decision: Some(route_response(&recorded.routed)),
        create_time: Some(timestamp(decision.time)),
        task: text(&decision.task),
        episode_id: text(&decision.episode),
        session_id: text(&decision.session),
        attempts: recorded.attempts.iter().map(attempt).collect(),
        cost_nano_usd: cost,
        signals: standing(&recorded.feedback),
        deterministic: decision.deterministic(),
    }
}

/// A page of decisions.
pub(in crate::grpc) fn list_decisions(page: &DecisionPage) -> v1::ListDecisionsResponse {
    v1::ListDecisionsResponse {
        decisions: page.decisions.iter().map(decision_record).collect(),
        next_page_token: page.next.map(|at| format!("{at:x}")).unwrap_or_default(),
    }
}

/// One try at an endpoint.
pub(in crate::grpc) fn attempt(attempt: &Attempt) -> v1::Attempt {
    v1::Attempt {
        arm: attempt.arm.to_string(),
        endpoint: attempt.endpoint.to_string(),
        end_time: Some(timestamp(attempt.ended)),
        latency_ms: attempt.latency_ms,
        usage: Some(usage(attempt.usage)),
        cost_nano_usd: attempt.cost.map(NanoUsd::get),
        error: attempt
            .error
            .as_ref()
            .map(ToString::to_string)
            .unwrap_or_default(),
        reported: attempt.reported,
        first_token_ms: attempt.first_token_ms,
    }
}

fn usage(usage: Usage) -> v1::Usage {
    v1::Usage {
        input_tokens: usage.input.map(i64::from),
        cached_input_tokens: usage.cached_input.map(i64::from),
        output_tokens: usage.output.map(i64::from),
        estimated: usage.estimated,
        cache_write_tokens: usage.cache_write.map(i64::from),
        reasoning_tokens: usage.reasoning.map(i64::from),
    }
}

/// The signals that stand after all feedback, in the order in which they first came. A comment
/// replaces the comment before it, never the value that it explains; a retraction takes both.
fn standing(feedback: &[Feedback]) -> Vec<v1::ReceivedSignal> {
    let mut standing: Vec<v1::ReceivedSignal> = Vec::new();
    for item in feedback {
        let episode_level = matches!(item.subject, Subject::Episode(_));
        for (name, change) in &item.signals {
            let same = |s: &v1::ReceivedSignal| {
                s.name == name.as_str() && s.episode_level == episode_level
            };
            let value = match change {
                Change::Observed(value) | Change::Corrected(value) => signal_value(value),
                Change::Retracted => {
                    standing.retain(|s| !same(s));
                    continue;
                }
            };
            let before = standing.iter_mut().find(|s| {
                same(s) && s.value.as_ref().is_some_and(is_comment) == is_comment(&value)
            });
            let received = v1::ReceivedSignal {
                name: name.to_string(),
                value: Some(value),
                evaluator: item.evaluator.as_ref().map(|evaluator| v1::Evaluator {
                    name: evaluator.name.to_string(),
                    version: evaluator.version.clone(),
                }),
                observed_time: Some(timestamp(item.observed)),
                episode_level,
            };
            match before {
                Some(before) => *before = received,
                None => standing.push(received),
            }
        }
    }
    standing
}

fn is_comment(value: &v1::SignalValue) -> bool {
    matches!(value.value, Some(signal_value::Value::Comment(_)))
}

fn signal_value(value: &Value) -> v1::SignalValue {
    v1::SignalValue {
        value: Some(match value {
            Value::Flag(flag) => signal_value::Value::Flag(*flag),
            Value::Number(number) => signal_value::Value::Number(*number),
            Value::Comment(text) => signal_value::Value::Comment(text.clone()),
        }),
    }
}

/// A time, to the microsecond.
pub(in crate::grpc) fn timestamp(time: Timestamp) -> prost_types::Timestamp {
    let micros = time.micros();
    prost_types::Timestamp {
        seconds: micros.div_euclid(1_000_000),
        // Below 1e9: the remainder is below 1e6.
        nanos: (micros.rem_euclid(1_000_000) * 1000) as i32,
    }
}

/// A count in the contract's signed integers.
pub(in crate::grpc) fn count(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}
