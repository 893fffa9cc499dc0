//! How to answer.
//!
//! Invariants: those of [`Generation`].

use crate::chat::{Effort, Generation, ToolChoice};
use crate::field::Fields;
use crate::path::Path;
use crate::proto::v1;

/// `at` is the request; absent is the endpoint's defaults.
pub(super) fn generation(
    fields: &mut Fields,
    at: Path<'_>,
    temperature: Option<f64>,
    said: Option<v1::Generation>,
) -> Generation {
    let said = said.unwrap_or_default();
    let temperature = fields.number(at.field("temperature"), temperature, 0.0..=2.0);
    let at = at.field("generation");
    if fields.count(at.field("stop"), said.stop.len(), 0..=Generation::MAX_STOPS) {
        let stops = at.field("stop");
        for (index, stop) in said.stop.iter().enumerate() {
            fields.bytes_at_most(stops.index(index), stop, Generation::MAX_STOP_BYTES);
            if stop.is_empty() {
                fields.refuse(stops.index(index), "is empty: allowed 1 to 1024 bytes");
            }
        }
    }
    let penalty = -2.0..=2.0;
    Generation {
        temperature,
        top_p: fields.number(at.field("top_p"), said.top_p, 0.0..=1.0),
        stop: said.stop,
        seed: said.seed,
        presence_penalty: fields.number(
            at.field("presence_penalty"),
            said.presence_penalty,
            penalty.clone(),
        ),
        frequency_penalty: fields.number(
            at.field("frequency_penalty"),
            said.frequency_penalty,
            penalty,
        ),
        effort: effort(fields, at.field("reasoning_effort"), &said.reasoning_effort),
        tool_choice: tool_choice(fields, at.field("tool_choice"), &said.tool_choice),
        parallel_tool_calls: said.parallel_tool_calls,
        strict: false,
        extra: Vec::new(),
    }
}

fn effort(fields: &mut Fields, at: Path<'_>, said: &str) -> Option<Effort> {
    if said.is_empty() {
        return None;
    }
    let found = Effort::ALL.into_iter().find(|(word, _)| *word == said);
    if found.is_none() {
        let words = Effort::ALL.map(|(word, _)| word).join(", ");
        fields.refuse(at, format_args!("is unknown: allowed {words}"));
    }
    found.map(|(_, effort)| effort)
}

fn tool_choice(fields: &mut Fields, at: Path<'_>, said: &str) -> ToolChoice {
    match (said, said.strip_prefix("function:")) {
        ("" | "auto", _) => ToolChoice::Auto,
        ("none", _) => ToolChoice::None,
        ("required", _) => ToolChoice::Required,
        (_, Some(name)) if fields.name(at, name).is_some() => ToolChoice::Named(name.to_owned()),
        (_, Some(_)) => ToolChoice::Auto,
        _ => {
            let problem = "is unknown: allowed auto, none, required, function:NAME";
            fields.refuse(at, problem);
            ToolChoice::Auto
        }
    }
}
