//! What a model says back: whole, or in pieces.
//!
//! Invariants: a stream of pieces is any number of [`Piece::Text`], [`Piece::ToolCall`],
//! [`Piece::Reasoning`] and [`Piece::Told`], then one [`Piece::Done`] and nothing after it; or it ends with an error. A tool call is a piece only when it
//! is whole.
//!
//! Not here: what the answer is worth (`validate`, `scorecard`), what it cost (`complete`).

use super::{Error, Kind};
use crate::chat::{ContentPart, Message, Reasoning, Role, ToolCall};
use crate::decision::Usage;
use futures_util::stream::BoxStream;
use std::time::Duration;

/// Why a model stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// It had said all.
    Stop,
    /// It met the output limit.
    Length,
    /// It asks for tools.
    ToolCalls,
    /// The provider's filter stopped it.
    ContentFilter,
    /// A reason that only the provider knows.
    Other,
}

impl FinishReason {
    /// The name in the contract.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
            Self::Other => "other",
        }
    }

    /// The one of that name; one that the contract does not know is [`FinishReason::Other`].
    pub fn named(text: &str) -> Self {
        let known = [
            Self::Stop,
            Self::Length,
            Self::ToolCalls,
            Self::ContentFilter,
        ];
        let found = known.into_iter().find(|reason| reason.as_str() == text);
        found.unwrap_or(Self::Other)
    }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// The model's message.
    pub message: Message,
    /// Why it stopped.
    pub finish_reason: FinishReason,
    /// Tokens, as far as the provider says.
    pub usage: Usage,
    /// How long the call took, as the provider's client measured it.
    pub latency: Duration,
}

/// The message of a model that said these parts and called these tools. An empty text is a text: a model may say
/// nothing, but not where it calls tools.
pub(super) fn message(mut content: Vec<ContentPart>, tool_calls: Vec<ToolCall>) -> Message {
    let says = |part: &ContentPart| matches!(part, ContentPart::Text(_));
    if tool_calls.is_empty() && !content.iter().any(says) {
        content.push(ContentPart::Text(String::new()));
    }
    Message {
        role: Role::Assistant,
        content,
        tool_calls,
        tool_call_id: None,
    }
}

/// A piece of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Piece {
    /// The next characters; never empty.
    Text(String),
    /// A whole tool call.
    ToolCall(ToolCall),
    /// What the model thinks, in pieces: words, or the signature of those before it.
    Reasoning(Reasoning),
    /// No part of the answer: what the provider says of the tokens, of what it sent before this. Each count
    /// stands for all of them so far, until another is told.
    Told(Usage),
    /// The end: all was sent.
    Done {
        /// Why the model stopped.
        finish_reason: FinishReason,
        /// Tokens, as far as the provider says.
        usage: Usage,
    },
}

/// Vectors for texts.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// One for each text, in their order.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens, as far as the provider says.
    pub usage: Usage,
}

impl Embedded {
    /// What `count` texts are answered with: a vector for each, all of one length and finite, or it is malformed.
    pub(super) fn new(
        vectors: Vec<Vec<f32>>,
        count: usize,
        input: Option<u32>,
    ) -> Result<Self, Error> {
        let length = vectors.first().map_or(0, Vec::len);
        let finite = |v: &[f32]| v.iter().all(|x| x.is_finite());
        let good = |v: &Vec<f32>| !v.is_empty() && v.len() == length && finite(v);
        if vectors.len() != count || !vectors.iter().all(good) {
            return Err(Kind::Malformed.into());
        }
        let usage = Usage {
            input,
            output: Some(0),
            ..Usage::default()
        };
        Ok(Self { vectors, usage })
    }
}

/// A streamed answer.
pub type Pieces = BoxStream<'static, Result<Piece, Error>>;
