//! From a request to what the choice needs of it: the context vector, the tokens, the capabilities.
//!
//! Not here: how the vector is made (`feature`), which arms qualify (`eligibility`).
//!
//! Units: tokens are the caller's count, else what is expected and what there can be ([`InputTokens`]).

use super::request::{Request, Tag};
use crate::chat::{InputTokens, Message, ResponseFormat, Role};
use crate::feature::{self, DIM, Extractor, TagValue};
use crate::id::Name;

/// Capabilities that a request implies, by name.
#[derive(Debug)]
pub(super) struct Capabilities {
    tools: Name,
    json: Name,
    json_schema: Name,
    vision: Name,
}

impl Capabilities {
    pub(super) fn new() -> Result<Self, crate::id::Error> {
        Ok(Self {
            tools: Name::new("tools")?,
            json: Name::new("json")?,
            json_schema: Name::new("json_schema")?,
            vision: Name::new("vision")?,
        })
    }

    /// All of them: a caller may ask for one by name, whether some arm has it or none.
    pub(super) fn all(&self) -> [&Name; 4] {
        [&self.tools, &self.json, &self.json_schema, &self.vision]
    }

    /// What the arm must be able to do: what the caller says and what the request implies.
    pub(super) fn needed(&self, request: &Request) -> Vec<Name> {
        let mut needed = request.constraints.required_capabilities.clone();
        if !request.tools.is_empty() {
            needed.push(self.tools.clone());
        }
        match request.response_format {
            ResponseFormat::Text => {}
            ResponseFormat::JsonObject => needed.push(self.json.clone()),
            ResponseFormat::JsonSchema(_) => needed.push(self.json_schema.clone()),
        }
        if request.messages.iter().any(Message::has_image) {
            needed.push(self.vision.clone());
        }
        needed
    }
}

/// The request's context.
pub fn context(extractor: &Extractor, request: &Request) -> Result<[f32; DIM], feature::Error> {
    let tags: Vec<feature::Tag<'_>> = request
        .tags
        .iter()
        .map(|(key, value)| feature::Tag {
            key: key.as_str(),
            value: match value {
                Tag::Text(text) => TagValue::Text(text),
                Tag::Number(number) => TagValue::Number(*number),
            },
        })
        .collect();
    let last_user = texts(request.messages.iter().rev().find(|m| m.role == Role::User));
    let system = texts(request.messages.iter().find(|m| m.role == Role::System));
    let asked = feature::Request {
        task: request.task.as_ref().map(Name::as_str),
        tags: &tags,
        tools: !request.tools.is_empty(),
        json: request.response_format == ResponseFormat::JsonObject,
        json_schema: matches!(request.response_format, ResponseFormat::JsonSchema(_)),
        streaming: request.streaming,
        last_user: &last_user,
        system: &system,
        embedding: request.embedding.as_deref(),
    };
    let mut context = [0.0; DIM];
    extractor.extract(&asked, &mut context)?;
    Ok(context)
}

fn texts(message: Option<&Message>) -> Vec<&str> {
    message.into_iter().flat_map(Message::texts).collect()
}

/// Input tokens of the request: as the caller counted them, or else how many to expect and how many there can be. A
/// count that is less than what the messages let expect holds that: a caller's word costs nothing.
pub fn input_tokens(request: &Request) -> InputTokens {
    let (messages, tools) = (&request.messages, &request.tools);
    let said = InputTokens::of(messages, tools, &request.response_format);
    match request.input_tokens {
        Some(counted) => InputTokens::counted(counted).at_least(said.expected()),
        None => said.beside(&request.generation),
    }
}
