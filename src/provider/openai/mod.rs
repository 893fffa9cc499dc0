//! The chat-completions dialect, as OpenAI defines it and most providers speak it.
//!
//! Reading order: `client` (one call), `request` (the body we send), `reply` (a whole answer),
//! `delta` (a streamed one).
//!
//! Invariants: those of [`Provider`](super::Provider).
//!
//! Not here: the Responses API, audio, several choices, log probabilities.
//!
//! Source: OpenAI API reference, "Chat completions": create, and the chat completion chunk object.

mod client;
mod delta;
mod reply;
mod request;

pub use client::{ApiKey, OpenAi, OutputLimit, Settings};
