//! The messages dialect, as Anthropic defines it.
//!
//! Reading order: `client` (the endpoint), `request` (the body we send) with `turns` (its messages),
//! `thinking` (how long to think) and `schema` (what of JSON Schema can be asked for), `reply` (a whole
//! answer), `delta` (a streamed one).
//!
//! Invariants: those of [`Provider`](super::Provider).
//!
//! Not here: embeddings (Anthropic has none), tools that Anthropic runs itself, citations, batches.
//!
//! Source: Claude API reference, "Create a message"; guides "Streaming messages", "Extended thinking",
//! "Adaptive thinking", "Structured outputs", "Prompt caching", "Handling stop reasons", "Errors".

mod client;
mod delta;
mod reply;
mod request;
mod schema;
mod thinking;
mod turns;

use crate::chat::{Parameter, Parameters};

/// What the dialect can express. A temperature above 1 is sent as 1: the scale ends there and is not
/// stretched.
pub const PARAMETERS: Parameters = Parameters::of(&[
    Parameter::Temperature,
    Parameter::TopP,
    Parameter::Stop,
    Parameter::Reasoning,
    Parameter::ToolChoice,
    Parameter::ParallelToolCalls,
    Parameter::File,
]);

/// The name of the dialect on what a model thought.
const DIALECT: &str = "anthropic";

/// Goes before the data of a thought that the provider hides (`redacted_thinking`), where a thought that it
/// shows has its signature. (Signatures are base64 and have no colon.)
const REDACTED: &str = "redacted:";

pub use client::{Anthropic, Settings};
pub use thinking::Thinking;
