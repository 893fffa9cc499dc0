//! A chat: what is said to a model, how it is asked to answer, and what it says back, in no provider's
//! dialect.
//!
//! Reading order: [`Message`] and its parts, [`Tool`], [`ResponseFormat`]; [`Generation`] (how to answer)
//! and the [`Parameters`] that a dialect must be able to express for it; [`InputTokens`] (how long it is).
//!
//! Not here: the contract's own messages (`proto`), a provider's wire form (`provider`), what a chat
//! means for the choice of an arm (`feature`).
//!
//! Units: characters are Unicode scalar values; tokens are a provider's, expected at 4 characters each.

mod generation;
mod message;
mod tokens;

pub use generation::{Effort, Extra, Generation, Parameter, Parameters, ToolChoice};
pub use message::{ContentPart, Error, Message, Reasoning, ResponseFormat, Role, Tool, ToolCall};
pub use tokens::{InputTokens, TokenBound, estimated_tokens};
