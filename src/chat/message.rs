//! Messages, their parts, and the tools and form of an answer.
//!
//! Invariants: [`Message::check`] holds for every message past an edge: it says something or calls a
//! tool, a tool's message names the call that it answers, nobody else's does, and only the assistant
//! calls tools.
//!
//! Not here: how to answer (`generation`), how many tokens it has (`tokens`). Tool arguments and JSON Schemas stay text: they pass
//! through, and a parse would not give back the same bytes.
//!
//! Units: characters are Unicode scalar values.

use serde::{Deserialize, Serialize};

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Standing instructions to the model.
    System,
    /// The person or program that asks.
    User,
    /// The model's own words.
    Assistant,
    /// The result of a tool call.
    Tool,
}

/// One part of a message's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ContentPart {
    /// Plain text.
    Text(String),
    /// Address of an image: https or data URL.
    ImageUrl(String),
    /// Sound, in base64.
    Audio {
        /// The bytes, in base64.
        data: String,
        /// Their format: `wav`, `mp3`, ...
        format: String,
    },
    /// A document, in a data URL.
    File {
        /// Its name; may be empty.
        name: String,
        /// The document as `data:MEDIA-TYPE;base64,...`.
        data_url: String,
    },
    /// What the model thought, of an assistant's message.
    Reasoning(Reasoning),
}

impl ContentPart {
    /// Formats of sound that some dialect takes.
    pub const SOUNDS: [&str; 8] = ["wav", "mp3", "flac", "opus", "ogg", "aac", "aiff", "pcm16"];

    /// Most bytes of a document's name.
    pub const MAX_NAME_BYTES: usize = 256;
}

/// What a model thought before it answered. Providers sign it and want it back unchanged with the results
/// of the tools that it called; only the dialect that made it can read it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Reasoning {
    /// The words; empty where only the signature was given.
    pub text: String,
    /// The provider's own proof, to be sent back as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    /// The dialect that made it, as an endpoint's `provider`. Others leave it out.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub dialect: String,
    /// The tool call that it belongs to, where it belongs to one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call: Option<String>,
}

/// A call of a tool by the model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToolCall {
    /// Id given by the model, unique within the conversation.
    pub id: String,
    /// Name of the tool.
    pub name: String,
    /// Arguments, a JSON object as text.
    pub arguments_json: String,
}

impl ToolCall {
    /// Most bytes of an id.
    pub const MAX_ID_BYTES: usize = 256;
}

/// One message of a chat.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// Content, in order.
    pub content: Vec<ContentPart>,
    /// Calls the assistant asks for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// For [`Role::Tool`]: the call it answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_call_id: Option<String>,
}

/// A tool the model may call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tool {
    /// Its name.
    pub name: String,
    /// What it does, for the model; may be empty.
    pub description: String,
    /// JSON Schema of its arguments, as text; empty means no arguments.
    pub parameters_json_schema: String,
}

/// The form asked of the answer.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum ResponseFormat {
    /// Plain text.
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that satisfies this JSON Schema (as text).
    JsonSchema(String),
}

/// A message whose parts contradict its role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Neither content nor tool calls.
    #[error("content is empty: allowed only where tool_calls is not")]
    Empty,
    /// A tool's message that answers no call.
    #[error("tool_call_id is empty: required for a message of role tool")]
    ToolCallIdMissing,
    /// Another role's message that answers a call.
    #[error("tool_call_id is set: allowed only for a message of role tool")]
    ToolCallIdUnexpected,
    /// Another role than the assistant calls tools.
    #[error("tool_calls is not empty: allowed only for a message of role assistant")]
    ToolCallsUnexpected,
}

impl Message {
    /// Most parts of its content.
    pub const MAX_PARTS: usize = 1024;

    /// Most calls of tools.
    pub const MAX_CALLS: usize = 256;

    /// A message of one text.
    pub fn text(role: Role, text: impl Into<String>) -> Self {
        Self {
            role,
            content: vec![ContentPart::Text(text.into())],
            tool_calls: Vec::new(),
            tool_call_id: None,
        }
    }

    /// That the parts fit the role.
    pub fn check(&self) -> Result<(), Error> {
        let answers_a_call = self.tool_call_id.as_ref().is_some_and(|id| !id.is_empty());
        if self.content.is_empty() && self.tool_calls.is_empty() {
            return Err(Error::Empty);
        }
        match (self.role, answers_a_call) {
            (Role::Tool, false) => return Err(Error::ToolCallIdMissing),
            (Role::Tool, true) | (_, false) => {}
            (_, true) => return Err(Error::ToolCallIdUnexpected),
        }
        if self.role != Role::Assistant && !self.tool_calls.is_empty() {
            return Err(Error::ToolCallsUnexpected);
        }
        Ok(())
    }

    /// The text parts, in order.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.content.iter().filter_map(|part| match part {
            ContentPart::Text(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether a part is an image.
    pub fn has_image(&self) -> bool {
        self.content
            .iter()
            .any(|part| matches!(part, ContentPart::ImageUrl(_)))
    }

    /// Whether a part is sound.
    pub fn has_audio(&self) -> bool {
        let audio = |part: &ContentPart| matches!(part, ContentPart::Audio { .. });
        self.content.iter().any(audio)
    }

    /// Whether a part is a document.
    pub fn has_file(&self) -> bool {
        let file = |part: &ContentPart| matches!(part, ContentPart::File { .. });
        self.content.iter().any(file)
    }

    /// What was thought, in order.
    pub fn reasoning(&self) -> impl Iterator<Item = &Reasoning> {
        self.content.iter().filter_map(|part| match part {
            ContentPart::Reasoning(reasoning) => Some(reasoning),
            _ => None,
        })
    }

    /// Characters of text and tool calls. Images, sound, documents and reasoning have none: their tokens
    /// follow from other things ([`InputTokens`](super::InputTokens)).
    pub fn characters(&self) -> usize {
        let texts: usize = self.texts().map(|text| text.chars().count()).sum();
        let calls: usize = self
            .tool_calls
            .iter()
            .map(|call| call.name.chars().count() + call.arguments_json.chars().count())
            .sum();
        texts + calls
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(role: Role, call_id: Option<&str>, calls: usize, expected: Result<(), Error>) {
        let call = ToolCall {
            id: "c1".into(),
            name: "search".into(),
            arguments_json: "{}".into(),
        };
        let message = Message {
            tool_calls: vec![call; calls],
            tool_call_id: call_id.map(Into::into),
            ..Message::text(role, "hello")
        };
        assert_eq!(message.check(), expected);
    }

    #[test]
    fn the_parts_of_a_message_fit_its_role() {
        check(Role::User, None, 0, Ok(()));
        check(Role::Assistant, None, 2, Ok(()));
        check(Role::Tool, Some("c1"), 0, Ok(()));
        check(Role::Tool, None, 0, Err(Error::ToolCallIdMissing));
        check(Role::Tool, Some(""), 0, Err(Error::ToolCallIdMissing));
        check(Role::User, Some("c1"), 0, Err(Error::ToolCallIdUnexpected));
        check(Role::User, None, 1, Err(Error::ToolCallsUnexpected));
        let mut silent = Message::text(Role::User, "");
        silent.content.clear();
        assert_eq!(silent.check(), Err(Error::Empty));
    }

    #[test]
    fn characters_count_text_and_calls_but_no_images() {
        let mut message = Message::text(Role::Assistant, "héllo");
        message
            .content
            .push(ContentPart::ImageUrl("https://example.org/x.png".into()));
        message.tool_calls.push(ToolCall {
            id: "c1".into(),
            name: "find".into(),
            arguments_json: "{\"a\":1}".into(),
        });
        assert_eq!(message.characters(), 5 + 4 + 7);
        assert!(message.has_image());
        assert_eq!(message.texts().collect::<Vec<_>>(), ["héllo"]);
    }

    #[test]
    fn a_message_reads_back_from_its_json() {
        let message = Message::text(Role::User, "hello");
        let json = serde_json::to_string(&message).unwrap();
        assert_eq!(json, r#"{"role":"user","content":[{"text":"hello"}]}"#);
        assert_eq!(serde_json::from_str::<Message>(&json).unwrap(), message);
    }
}
