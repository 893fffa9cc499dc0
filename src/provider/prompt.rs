//! What a model is asked, in no provider's dialect.
//!
//! Invariants: the messages have passed [`chat::Message::check`](crate::chat::Message::check).
//!
//! Not here: the wire form (each provider's own file), whether the arm can do it (`eligibility`).

use crate::chat::{Message, ResponseFormat, Tool, estimated_tokens};

/// One request to a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The model's name at the endpoint.
    pub model: String,
    /// The conversation, oldest first.
    pub messages: Vec<Message>,
    /// Tools offered.
    pub tools: Vec<Tool>,
    /// The form asked of the answer.
    pub response_format: ResponseFormat,
    /// Most output tokens. Absent: the endpoint's own limit.
    pub max_output_tokens: Option<u32>,
    /// Sampling temperature, 0 to 2. Absent: the endpoint's default.
    pub temperature: Option<f64>,
}

impl Prompt {
    /// Plain text asked of `model`, everything else at its default.
    pub fn new(model: impl Into<String>, messages: Vec<Message>) -> Self {
        Self {
            model: model.into(),
            messages,
            tools: Vec::new(),
            response_format: ResponseFormat::Text,
            max_output_tokens: None,
            temperature: None,
        }
    }

    /// Input tokens, estimated from the characters of messages and tools (images count nothing).
    ///
    /// ```
    /// use bellwether::chat::{Message, Role};
    /// use bellwether::provider::Prompt;
    /// let prompt = Prompt::new("m", vec![Message::text(Role::User, "12345678")]);
    /// assert_eq!(prompt.estimated_input_tokens(), 2);
    /// ```
    pub fn estimated_input_tokens(&self) -> u32 {
        let said: usize = self.messages.iter().map(Message::characters).sum();
        let offered: usize = self
            .tools
            .iter()
            .flat_map(|tool| [&tool.name, &tool.description, &tool.parameters_json_schema])
            .map(|text| text.chars().count())
            .sum();
        estimated_tokens(said + offered)
    }
}
