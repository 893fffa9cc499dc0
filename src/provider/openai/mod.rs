//! The chat-completions dialect, as OpenAI defines it and most providers speak it.
//!
//! Reading order: `client` (the endpoint), `request` (the body we send), `reply` (a whole answer),
//! `delta` (a streamed one), `embedding` (vectors for texts).
//!
//! Invariants: those of [`Provider`](super::Provider).
//!
//! Not here: the Responses API, several choices, log probabilities.
//!
//! Source: OpenAI API reference, "Chat completions": create, and the chat completion chunk object;
//! "Embeddings": create. What a model thinks: `reasoning_content` (DeepSeek, vLLM) or `reasoning`
//! (OpenRouter, Groq, Ollama).

mod client;
mod delta;
mod embedding;
mod reply;
mod request;

use crate::chat::Parameters;

/// What the dialect can express.
pub const PARAMETERS: Parameters = Parameters::ALL;

pub use client::{OpenAi, OutputLimit, Scheme, Settings};
