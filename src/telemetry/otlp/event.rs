//! A signal of feedback as an event of evaluation.
//!
//! Invariants: a comment's words are not sent, only that there was one; a signal withdrawn has no score.
//!
//! Not here: when (`recorder`).
//!
//! Source: "Semantic conventions for generative AI", event `gen_ai.evaluation.result`.

use super::attributes::response_id;
use super::known::Of;
use super::recorder::moment;
use crate::id::Name;
use crate::signal::{Change, Feedback, Subject, Value};
use opentelemetry::logs::{AnyValue, LogRecord, Severity};
use opentelemetry::{SpanId, TraceFlags, TraceId};

/// The conventions' name of the event.
const NAME: &str = "gen_ai.evaluation.result";

/// Writes one signal of an item into an empty record, in the trace of the decision's call where that is known.
pub(super) fn write(
    record: &mut impl LogRecord,
    item: &Feedback,
    (name, change): (&Name, &Change),
    of: Option<&Of>,
    team: bool,
) {
    record.set_event_name(NAME);
    record.set_timestamp(moment(item.observed));
    record.set_observed_timestamp(moment(item.received));
    record.set_severity_number(Severity::Info);
    if let Some(of) = of {
        let (trace, span) = (TraceId::from(of.trace), SpanId::from(of.span));
        record.set_trace_context(trace, span, Some(TraceFlags::SAMPLED));
    }
    record.add_attribute("gen_ai.evaluation.name", name.as_str().to_owned());
    match &item.subject {
        Subject::Decision(id) => {
            record.add_attribute("gen_ai.response.id", response_id(*id));
            record.add_attribute("bellwether.decision.id", id.to_string());
        }
        Subject::Episode(episode) => {
            record.add_attribute("bellwether.episode.id", episode.as_str().to_owned());
        }
    }
    let (word, value) = match change {
        Change::Observed(value) => ("observed", Some(value)),
        Change::Corrected(value) => ("corrected", Some(value)),
        Change::Retracted => ("retracted", None),
    };
    record.add_attribute("bellwether.change", word);
    if let Some((score, label)) = value.map(score) {
        if let Some(score) = score {
            record.add_attribute("gen_ai.evaluation.score.value", score);
        }
        if let Some(label) = label {
            record.add_attribute("gen_ai.evaluation.score.label", label);
        }
    }
    if let Some(evaluator) = &item.evaluator {
        let name = evaluator.name.as_str().to_owned();
        record.add_attribute("bellwether.evaluator.name", AnyValue::from(name));
    }
    if team {
        record.add_attribute("bellwether.team", item.team.as_str().to_owned());
    }
}

/// A value as a score and its label.
const fn score(value: &Value) -> (Option<f64>, Option<&'static str>) {
    match value {
        Value::Flag(true) => (Some(1.0), Some("true")),
        Value::Flag(false) => (Some(0.0), Some("false")),
        Value::Number(number) => (Some(*number), None),
        Value::Comment(_) => (None, Some("comment")),
    }
}
