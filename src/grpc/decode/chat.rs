//! Messages, tools and the form of the answer.
//!
//! Invariants: every message passes [`chat::Message::check`]; a schema is one JSON object; an image
//! is at an https address or in a data URL.
//!
//! Not here: whether an arm can take them (`eligibility`). Tool arguments are not parsed: models
//! write broken ones, and a conversation that holds one must go on.

use super::super::field::Fields;
use super::super::path::Path;
use crate::chat::{self, ContentPart, ResponseFormat, Role, Tool, ToolCall};
use crate::proto::v1;

const MESSAGES: usize = 4096;
const PARTS: usize = 1024;
const TOOLS: usize = 256;
const ID_BYTES: usize = 256;

/// The conversation.
pub(super) fn messages(
    fields: &mut Fields,
    at: Path<'_>,
    messages: Vec<v1::Message>,
) -> Vec<chat::Message> {
    if !fields.count(at, messages.len(), 0..=MESSAGES) {
        return Vec::new();
    }
    let read = |(i, message)| self::message(fields, at.index(i), message);
    messages.into_iter().enumerate().filter_map(read).collect()
}

fn message(fields: &mut Fields, at: Path<'_>, message: v1::Message) -> Option<chat::Message> {
    let role = role(fields, at, message.role);
    let counts = fields.count(at.field("content"), message.content.len(), 0..=PARTS)
        & fields.count(at.field("tool_calls"), message.tool_calls.len(), 0..=TOOLS);
    if !counts {
        return None;
    }
    let parts = at.field("content");
    let mut content = Vec::with_capacity(message.content.len());
    for (i, part) in message.content.into_iter().enumerate() {
        content.extend(self::part(fields, parts.index(i), part));
    }
    let calls = at.field("tool_calls");
    let mut tool_calls = Vec::with_capacity(message.tool_calls.len());
    for (i, call) in message.tool_calls.into_iter().enumerate() {
        fields.name(calls.index(i).field("name"), &call.name);
        fields.bytes(calls.index(i).field("id"), &call.id, ID_BYTES);
        tool_calls.push(ToolCall {
            id: call.id,
            name: call.name,
            arguments_json: call.arguments_json,
        });
    }
    fields.bytes(at.field("tool_call_id"), &message.tool_call_id, ID_BYTES);
    let answers = message.tool_call_id;
    let message = chat::Message {
        role: role?,
        content,
        tool_calls,
        tool_call_id: (!answers.is_empty()).then_some(answers),
    };
    if let Err(error) = message.check() {
        fields.refuse(at, error);
    }
    Some(message)
}

fn role(fields: &mut Fields, at: Path<'_>, role: i32) -> Option<Role> {
    match v1::Role::try_from(role) {
        Ok(v1::Role::System) => Some(Role::System),
        Ok(v1::Role::User) => Some(Role::User),
        Ok(v1::Role::Assistant) => Some(Role::Assistant),
        Ok(v1::Role::Tool) => Some(Role::Tool),
        Ok(v1::Role::Unspecified) | Err(_) => {
            fields.refuse(
                at.field("role"),
                format_args!(
                    "is {role}: allowed ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL"
                ),
            );
            None
        }
    }
}

fn part(fields: &mut Fields, at: Path<'_>, part: v1::ContentPart) -> Option<ContentPart> {
    match fields.required(at.field("part"), part.part)? {
        v1::content_part::Part::Text(text) => Some(ContentPart::Text(text)),
        v1::content_part::Part::ImageUrl(url) => {
            if !url.starts_with("https://") && !url.starts_with("data:image/") {
                fields.refuse(
                    at.field("image_url"),
                    "is no address of an image: allowed https://.. or data:image/..",
                );
            }
            Some(ContentPart::ImageUrl(url))
        }
    }
}

/// The tools on offer.
pub(super) fn tools(fields: &mut Fields, at: Path<'_>, tools: Vec<v1::Tool>) -> Vec<Tool> {
    if !fields.count(at, tools.len(), 0..=TOOLS) {
        return Vec::new();
    }
    let mut names = std::collections::BTreeSet::new();
    let mut read = Vec::with_capacity(tools.len());
    for (i, tool) in tools.into_iter().enumerate() {
        let name = fields.name(at.index(i).field("name"), &tool.name);
        if name.is_some_and(|name| !names.insert(name)) {
            fields.refuse(at.index(i).field("name"), "is given twice: allowed once");
        }
        if !tool.parameters_json_schema.is_empty() {
            let tool_at = at.index(i);
            let field = tool_at.field("parameters_json_schema");
            schema(fields, field, &tool.parameters_json_schema);
        }
        read.push(Tool {
            name: tool.name,
            description: tool.description,
            parameters_json_schema: tool.parameters_json_schema,
        });
    }
    read
}

/// The form of the answer.
pub(super) fn response_format(
    fields: &mut Fields,
    at: Path<'_>,
    format: Option<v1::ResponseFormat>,
) -> ResponseFormat {
    use v1::response_format::Kind;
    let Some(format) = format else {
        return ResponseFormat::Text;
    };
    let kind = Kind::try_from(format.kind);
    if kind == Ok(Kind::JsonSchema) {
        schema(fields, at.field("json_schema"), &format.json_schema);
    } else if !format.json_schema.is_empty() {
        let problem = "is set: allowed only with KIND_JSON_SCHEMA";
        fields.refuse(at.field("json_schema"), problem);
    }
    match kind {
        Ok(Kind::Unspecified | Kind::Text) => ResponseFormat::Text,
        Ok(Kind::JsonObject) => ResponseFormat::JsonObject,
        Ok(Kind::JsonSchema) => ResponseFormat::JsonSchema(format.json_schema),
        Err(_) => {
            fields.refuse(
                at.field("kind"),
                format_args!(
                    "is {}: allowed KIND_TEXT, KIND_JSON_OBJECT, KIND_JSON_SCHEMA",
                    format.kind
                ),
            );
            ResponseFormat::Text
        }
    }
}

/// That a schema is a JSON object; nothing is built of it.
fn schema(fields: &mut Fields, at: Path<'_>, text: &str) {
    let object = text.trim_start().starts_with('{');
    let json = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
    if !object || !json {
        fields.refuse(at, "is not a JSON Schema: allowed one JSON object as text");
    }
}
