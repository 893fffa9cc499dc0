//! Providers: one wire dialect a file.
//!
//! Reading order: [`Prompt`] goes in, an [`Answer`] or [`Piece`]s come out, [`Provider`] is the
//! promise between them, and [`Error`] alone says what may be retried. [`Simulated`] is a provider
//! that we ship; [`OpenAi`] speaks to everything that has a chat-completions API, [`Anthropic`] and
//! [`Gemini`] to the two that have dialects of their own.
//!
//! Invariants: a provider tries once; it keeps the caller's deadline; a stream that ends without
//! [`Piece::Done`] has ended with an error; no error and no `Debug` shows a key or what was said.
//!
//! Not here: retries and fallbacks, records and costs (`complete`), the choice of an endpoint
//! (`route`).

mod answer;
mod anthropic;
mod asked_wait;
mod call;
mod contract;
mod data_url;
mod error;
mod gemini;
mod json;
mod openai;
mod patience;
mod post;
mod prompt;
mod sample;
mod settings;
mod simulated;
mod sse;
#[cfg(test)]
pub(crate) mod testing;
mod transport;

pub use answer::{Answer, Embedded, FinishReason, Piece, Pieces};
pub use anthropic::{
    Anthropic, PARAMETERS as ANTHROPIC_PARAMETERS, Settings as AnthropicSettings,
    Thinking as AnthropicThinking,
};
pub use call::ApiKey;
pub use contract::Provider;
pub use error::{Error, Kind, Retry, Source};
pub use gemini::{
    Gemini, PARAMETERS as GEMINI_PARAMETERS, Settings as GeminiSettings, Thinking as GeminiThinking,
};
pub use openai::{
    OpenAi, OutputLimit, PARAMETERS as OPENAI_PARAMETERS, Scheme as OpenAiScheme,
    Settings as OpenAiSettings,
};
pub use patience::Patience;
pub use post::Post;
pub use prompt::Prompt;
pub use simulated::{Settings as SimulatedSettings, Simulated};
pub use transport::{SetupError, Transport};
