//! What a span says of its call or attempt.
//!
//! Invariants: no value is a text that a caller or a model wrote, but for the names that a caller gives to its task
//! and its call: they are ids, names of the configuration, words of ours and numbers.
//!
//! Not here: when a span begins and ends (`recorder`), events (`event`).
//!
//! Units: money in USD, times in milliseconds where a name says so.

use super::known::Done;
use super::{Names, Target};
use crate::decision::{Attempt, Cell, Decision, Origin};
use crate::telemetry::{End, Method, Outcome, Span};
use opentelemetry::{Array, KeyValue, StringValue, Value};

/// What is asked of a model, in the conventions' word; `None`: nothing is asked.
pub(super) const fn operation(method: Method) -> Option<&'static str> {
    match method {
        Method::Route => None,
        Method::Complete | Method::Stream => Some("chat"),
        Method::Embed => Some("embeddings"),
    }
}

/// The id of a decision's answer as callers of the OpenAI-compatible door know it.
pub(super) fn response_id(decision: crate::id::DecisionId) -> String {
    format!("chatcmpl-{decision}")
}

/// Attributes so far.
#[derive(Debug, Default)]
pub(super) struct Attributes(pub(super) Vec<KeyValue>);

impl Attributes {
    pub(super) fn put(&mut self, key: &'static str, value: impl Into<Value>) {
        self.0.push(KeyValue::new(key, value));
    }

    fn text(&mut self, key: &'static str, value: impl ToString) {
        self.put(key, value.to_string());
    }

    fn text_if(&mut self, key: &'static str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.text(key, value);
        }
    }

    fn number_if(&mut self, key: &'static str, value: Option<u32>) {
        if let Some(value) = value {
            self.put(key, i64::from(value));
        }
    }
}

/// Of a call that ended so, after what was `done` for it.
pub(super) fn of_call(
    span: &Span,
    outcome: Outcome,
    done: Option<&Done>,
    names: &Names,
) -> Vec<KeyValue> {
    let mut all = Attributes::default();
    all.put("bellwether.outcome", outcome.as_str());
    if !matches!(outcome, Outcome::Ok | Outcome::Repeated) {
        all.put("error.type", outcome.as_str());
    }
    if let Some(operation) = operation(span.method) {
        all.put("gen_ai.operation.name", operation);
    }
    all.text_if("bellwether.request.id", span.call.map(|call| call.id));
    if names.teams {
        all.text("bellwether.team", &span.team);
    }
    if let Some(decision) = &span.decision {
        of_decision(&mut all, decision);
    }
    if let Some(done) = done {
        all.put("bellwether.tries", i64::from(done.tries));
        all.text_if("bellwether.arm.served", done.served.as_ref());
        if let Some(cost) = done.cost {
            all.put("bellwether.cost.usd", usd(cost));
        }
    }
    all.0
}

fn of_decision(all: &mut Attributes, decision: &Decision) {
    all.text("bellwether.decision.id", decision.id);
    all.put("gen_ai.response.id", response_id(decision.id));
    all.text_if("bellwether.task", decision.task.as_ref());
    all.text_if("bellwether.arm.intended", decision.drawn.arm());
    all.text("bellwether.endpoint", &decision.endpoint);
    all.put("bellwether.reason", reason(decision.origin));
    all.put("bellwether.propensity", decision.drawn.propensity());
    all.put("bellwether.held_out", decision.cell == Cell::Holdout);
    all.put("bellwether.policy", decision.policy.clone());
    let snapshot = i64::try_from(decision.snapshot_version).unwrap_or(i64::MAX);
    all.put("bellwether.policy.version", snapshot);
    let scorecard = i64::from(decision.scorecard_version);
    all.put("bellwether.scorecard.version", scorecard);
}

/// How the arm came about.
const fn reason(origin: Origin) -> &'static str {
    match origin {
        Origin::Drawn => "drawn",
        Origin::Inherited(_) => "inherited",
        Origin::Redrawn(_) => "redrawn",
        Origin::NoExplore => "no_explore",
        Origin::Pinned => "pinned",
        Origin::Baseline => "baseline",
    }
}

/// Of an attempt for `operation` that ended so.
pub(super) fn of_attempt(
    operation: &'static str,
    attempt: &Attempt,
    end: End,
    target: Option<&Target>,
) -> Vec<KeyValue> {
    let mut all = Attributes::default();
    all.put("gen_ai.operation.name", operation);
    if let Some(target) = target {
        all.put("gen_ai.provider.name", target.provider.clone());
        all.put("gen_ai.request.model", target.model.clone());
        if !target.host.is_empty() {
            all.put("server.address", target.host.clone());
        }
        all.number_if("server.port", target.port.map(u32::from));
    }
    let usage = &attempt.usage;
    all.number_if("gen_ai.usage.input_tokens", usage.input);
    all.number_if("gen_ai.usage.output_tokens", usage.output);
    all.number_if("gen_ai.usage.cache_read.input_tokens", usage.cached_input);
    all.number_if(
        "gen_ai.usage.cache_creation.input_tokens",
        usage.cache_write,
    );
    all.number_if("gen_ai.usage.reasoning.output_tokens", usage.reasoning);
    if let Some(finish) = end.finish {
        let reasons = vec![StringValue::from(finish)];
        all.put(
            "gen_ai.response.finish_reasons",
            Value::Array(Array::String(reasons)),
        );
    }
    all.text_if("error.type", attempt.error.as_ref());
    all.text("bellwether.decision.id", attempt.decision);
    all.text("bellwether.arm", &attempt.arm);
    all.text("bellwether.endpoint", &attempt.endpoint);
    all.put("bellwether.streamed", end.streamed);
    all.put("bellwether.usage.estimated", usage.estimated);
    if let Some(first) = attempt.first_token_ms {
        all.put("bellwether.first_token_ms", first);
    }
    if let Some(cost) = attempt.cost {
        all.put("bellwether.cost.usd", usd(cost.get()));
    }
    all.0
}

fn usd(nano: i64) -> f64 {
    nano as f64 / 1e9
}
