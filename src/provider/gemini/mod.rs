//! The `generateContent` dialect of Google's Gemini API.
//!
//! Reading order: `client` (the endpoint), `request` (the body we send) with `turns` (its messages) and
//! `thinking` (how long to think), `reply` (an answer, whole or a part of a stream), `delta` (a streamed
//! one), `embedding` (vectors for texts).
//!
//! Invariants: those of [`Provider`](super::Provider).
//!
//! Not here: Vertex AI (other addresses and keys), tools that Google runs itself, several candidates, images
//! as answers, files that were uploaded beforehand.
//!
//! Source: Gemini API reference, "Generating content", "Embeddings"; guides "Function calling", "Thinking",
//! "Thought signatures", "Structured outputs".

mod client;
mod delta;
mod embedding;
mod reply;
mod request;
mod thinking;
mod turns;

use crate::chat::{Parameter, Parameters};

/// What the dialect can express: all but one call at a time and parameters that only OpenAI's has.
pub const PARAMETERS: Parameters = Parameters::ALL.without(Parameters::of(&[
    Parameter::ParallelToolCalls,
    Parameter::Extra,
]));

/// The name of the dialect on what a model thought.
const DIALECT: &str = "gemini";

pub use client::{Gemini, Settings};
pub use thinking::Thinking;
