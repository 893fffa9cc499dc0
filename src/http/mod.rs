//! The OpenAI-compatible door: chat completions, embeddings, models and feedback over HTTP.
//!
//! A call passes `routes` (address, id, panic), `key` (key, scope), `body` (size, silence, time), `chat_request`
//! (every violation at once), one use case, `chat_reply` or `sse`; what fails becomes an error object in
//! `status` and nowhere else.
//!
//! Why plain hyper: the addresses are few, a look through them finds one without a router's allocations. Without TLS it is
//! HTTP/1.1 alone, which every SDK speaks; over TLS, HTTP/2 with who asks for it.
//!
//! What of a body steers nothing is dropped without a word: `store`, `user`, `safety_identifier`,
//! `prompt_cache_retention`, `metadata` (but for its `tags` and `session_id`), `num_retries` (how often is
//! tried is the server's own rule), a message's `name`, `annotations` and `audio`, an image's `detail`. What a
//! parameter asks of the model and is not known here is passed on as it came, to endpoints that speak OpenAI's
//! dialect.
//!
//! Of the headers `x-request-id` names the call in the log and comes back; `traceparent` is the parent of its span,
//! where spans are sent.
//!
//! An arm whose only capability is `embeddings` gets no chat, unless it is named as the model.
//!
//! Invariants: nothing that a caller sends panics; a stranger's body is not read; an answer that broke off
//! never ends like a whole one; errors show neither keys nor what was said.
//!
//! Not here: any decision (`route`, `complete`, `learn`), the address and when to stop (`server`).
//!
//! Source: OpenAI's API reference for chat completions and embeddings; the routing fields are OpenRouter's
//! (`models`, `provider`) and LiteLLM's (`fallbacks`, `metadata.tags`).

mod body;
mod call;
mod causes;
mod chat;
mod chat_reply;
mod chat_request;
mod declared;
mod embeddings;
mod error_object;
mod feedback;
mod generation;
mod guardrail;
mod json;
mod key;
mod limits;
mod message;
mod models;
mod routes;
mod routing;
mod server;
mod session;
mod socket;
mod sse;
mod status;
mod time;
mod tool;

pub use routes::{ADDRESSES, Address, Asks, Door, Parts};
pub use server::{HTTP2, Http2, Limits, serve};
