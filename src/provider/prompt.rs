//! What a model is asked, in no provider's dialect.
//!
//! It borrows: the same request is asked of one endpoint after another without being copied.
//!
//! Invariants: the messages have passed [`chat::Message::check`](crate::chat::Message::check).
//!
//! Not here: the wire form (each provider's own file), whether the arm can do it (`eligibility`).

use crate::chat::{Generation, InputTokens, Message, Parameters, ResponseFormat, Tool, ToolChoice};

/// One request to a model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Prompt<'a> {
    /// The model's name at the endpoint.
    pub model: &'a str,
    /// The conversation, oldest first.
    pub messages: &'a [Message],
    /// Tools offered.
    pub tools: &'a [Tool],
    /// The form asked of the answer.
    pub response_format: &'a ResponseFormat,
    /// Most output tokens. Absent: the endpoint's own limit.
    pub max_output_tokens: Option<u32>,
    /// How to answer.
    pub generation: &'a Generation,
    /// What of it the endpoint's dialect leaves out, because the caller allows that.
    pub leave_out: Parameters,
}

/// How to answer where nothing is said of it.
static DEFAULTS: Generation = Generation {
    temperature: None,
    top_p: None,
    stop: Vec::new(),
    seed: None,
    presence_penalty: None,
    frequency_penalty: None,
    effort: None,
    tool_choice: ToolChoice::Auto,
    parallel_tool_calls: None,
    strict: false,
    extra: Vec::new(),
};

impl<'a> Prompt<'a> {
    /// Plain text asked of `model`, everything else at its default.
    pub fn new(model: &'a str, messages: &'a [Message]) -> Self {
        Self {
            model,
            messages,
            tools: &[],
            response_format: &ResponseFormat::Text,
            max_output_tokens: None,
            generation: &DEFAULTS,
            leave_out: Parameters::default(),
        }
    }

    /// Input tokens to expect, where the provider does not say how many there were.
    ///
    /// ```
    /// use bellwether::chat::{Message, Role};
    /// use bellwether::provider::Prompt;
    /// let messages = [Message::text(Role::User, "12345678")];
    /// assert_eq!(Prompt::new("m", &messages).estimated_input_tokens(), 2);
    /// ```
    pub fn estimated_input_tokens(&self) -> u32 {
        InputTokens::of(self.messages, self.tools, self.response_format).expected()
    }
}
