//! Messages, tools and the form of the answer.
//!
//! Invariants: every message passes [`chat::Message::check`]; a schema is one JSON object; an image
//! is at an https address or in a data URL.
//!
//! Not here: whether an arm can take them (`eligibility`). Tool arguments are not parsed: models
//! write broken ones, and a conversation that holds one must go on.

use crate::chat::{self, ContentPart, Reasoning, ResponseFormat, Role, Tool, ToolCall};
use crate::field::Fields;
use crate::path::Path;
use crate::proto::v1;
use crate::route::Request;

/// The conversation.
pub(super) fn messages(
    fields: &mut Fields,
    at: Path<'_>,
    messages: Vec<v1::Message>,
) -> Vec<chat::Message> {
    if !fields.count(at, messages.len(), 0..=Request::MAX_MESSAGES) {
        return Vec::new();
    }
    let read = |(i, message)| self::message(fields, at.index(i), message);
    messages.into_iter().enumerate().filter_map(read).collect()
}

fn message(fields: &mut Fields, at: Path<'_>, message: v1::Message) -> Option<chat::Message> {
    let role = role(fields, at, message.role);
    let (parts, calls) = (chat::Message::MAX_PARTS, chat::Message::MAX_CALLS);
    let counts = fields.count(at.field("content"), message.content.len(), 0..=parts)
        & fields.count(at.field("tool_calls"), message.tool_calls.len(), 0..=calls);
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
        fields.bytes_at_most(calls.index(i).field("id"), &call.id, ToolCall::MAX_ID_BYTES);
        tool_calls.push(ToolCall {
            id: call.id,
            name: call.name,
            arguments_json: call.arguments_json,
        });
    }
    fields.bytes_at_most(
        at.field("tool_call_id"),
        &message.tool_call_id,
        ToolCall::MAX_ID_BYTES,
    );
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
        v1::content_part::Part::Audio(audio) => Some(sound(fields, at.field("audio"), audio)),
        v1::content_part::Part::File(file) => {
            let at = at.field("file");
            fields.bytes_at_most(at.field("name"), &file.name, ContentPart::MAX_NAME_BYTES);
            if !file.data_url.starts_with("data:") {
                let problem = "is no document: allowed data:MEDIA-TYPE;base64,..";
                fields.refuse(at.field("data_url"), problem);
            }
            Some(ContentPart::File {
                name: file.name,
                data_url: file.data_url,
            })
        }
        v1::content_part::Part::Reasoning(thought) => {
            let some = |text: String| (!text.is_empty()).then_some(text);
            Some(ContentPart::Reasoning(Reasoning {
                text: thought.text,
                signature: some(thought.signature),
                dialect: thought.dialect,
                tool_call: some(thought.tool_call_id),
            }))
        }
    }
}

fn sound(fields: &mut Fields, at: Path<'_>, audio: v1::Audio) -> ContentPart {
    if audio.data.is_empty() {
        fields.refuse(at.field("data"), "is empty: required, in base64");
    }
    if !ContentPart::SOUNDS.contains(&audio.format.as_str()) {
        let allowed = ContentPart::SOUNDS.join(", ");
        fields.refuse(
            at.field("format"),
            format_args!("is unknown: allowed {allowed}"),
        );
    }
    ContentPart::Audio {
        data: audio.data,
        format: audio.format,
    }
}

/// The tools on offer.
pub(super) fn tools(fields: &mut Fields, at: Path<'_>, tools: Vec<v1::Tool>) -> Vec<Tool> {
    if !fields.count(at, tools.len(), 0..=Request::MAX_TOOLS) {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::grpc::decode::testing::violations;
    use v1::content_part::Part;

    fn text(role: v1::Role, text: &str) -> v1::Message {
        v1::Message {
            role: role.into(),
            content: vec![v1::ContentPart {
                part: Some(Part::Text(text.into())),
            }],
            ..Default::default()
        }
    }

    fn check<T>(read: impl FnOnce(&mut Fields) -> T, expected: &[&str]) {
        let mut fields = Fields::default();
        read(&mut fields);
        let found = fields
            .finish(Some(()))
            .map_or_else(violations, |()| Vec::new());
        assert_eq!(found, expected);
    }

    fn check_message(message: v1::Message, expected: &[&str]) {
        check(
            |f| messages(f, Path::Root.field("m"), vec![message]),
            expected,
        );
    }

    #[test]
    fn a_good_message_keeps_its_parts() {
        let mut said = text(v1::Role::Assistant, "hello");
        said.tool_calls.push(v1::ToolCall {
            id: "c1".into(),
            name: "search".into(),
            arguments_json: "{broken".into(),
        });
        let mut fields = Fields::default();
        let read = messages(&mut fields, Path::Root.field("m"), vec![said]);
        let read = fields.finish(read.into_iter().next()).unwrap();
        assert_eq!(read.texts().collect::<Vec<_>>(), ["hello"]);
        assert_eq!(read.tool_calls[0].arguments_json, "{broken");
        assert_eq!(read.tool_call_id, None);
    }

    #[test]
    fn each_bad_part_of_a_message_is_named() {
        let roles = "allowed ROLE_SYSTEM, ROLE_USER, ROLE_ASSISTANT, ROLE_TOOL";
        check_message(
            text(v1::Role::Unspecified, "x"),
            &[&format!("m[0].role: is 0: {roles}")],
        );
        let mut unknown = text(v1::Role::User, "x");
        unknown.role = 99;
        check_message(unknown, &[&format!("m[0].role: is 99: {roles}")]);
        let mut silent = text(v1::Role::User, "x");
        silent.content.clear();
        check_message(
            silent,
            &["m[0]: content is empty: allowed only where tool_calls is not"],
        );
        let mut hollow = text(v1::Role::User, "x");
        hollow.content.push(v1::ContentPart { part: None });
        check_message(hollow, &["m[0].content[1].part: is absent: required"]);
        let mut file = text(v1::Role::User, "x");
        file.content[0].part = Some(Part::ImageUrl("file:///etc/passwd".into()));
        check_message(
            file,
            &[
                "m[0].content[0].image_url: is no address of an image: allowed https://.. or \
               data:image/..",
            ],
        );
        let mut caller = text(v1::Role::User, "x");
        caller.tool_call_id = "c".repeat(257);
        check_message(
            caller,
            &[
                "m[0].tool_call_id: has 257 bytes: allowed at most 256",
                "m[0]: tool_call_id is set: allowed only for a message of role tool",
            ],
        );
    }

    #[test]
    fn long_lists_are_measured_and_not_read() {
        let many = vec![v1::Message::default(); 4097];
        check(
            |f| messages(f, Path::Root.field("m"), many),
            &["m: has 4097 entries: allowed 0 to 4096"],
        );
        let mut message = text(v1::Role::User, "x");
        message.content = vec![v1::ContentPart::default(); 1025];
        check_message(
            message,
            &["m[0].content: has 1025 entries: allowed 0 to 1024"],
        );
        check(
            |f| tools(f, Path::Root.field("t"), vec![v1::Tool::default(); 257]),
            &["t: has 257 entries: allowed 0 to 256"],
        );
    }

    #[test]
    fn tools_have_names_of_their_own_and_schemas_that_are_objects() {
        let tool = |name: &str, schema: &str| v1::Tool {
            name: name.into(),
            parameters_json_schema: schema.into(),
            ..Default::default()
        };
        let said = vec![
            tool("a", ""),
            tool("a", "{}"),
            tool("b", "[]"),
            tool("c", "{"),
        ];
        let schema = "is not a JSON Schema: allowed one JSON object as text";
        check(
            |f| tools(f, Path::Root.field("t"), said),
            &[
                "t[1].name: is given twice: allowed once",
                &format!("t[2].parameters_json_schema: {schema}"),
                &format!("t[3].parameters_json_schema: {schema}"),
            ],
        );
    }

    #[test]
    fn a_schema_nested_a_million_deep_is_refused_without_a_panic() {
        let deep = format!("{{\"a\":{}", "[".repeat(1_000_000));
        let schema = "s: is not a JSON Schema: allowed one JSON object as text";
        check(
            |f| super::schema(f, Path::Root.field("s"), &deep),
            &[schema],
        );
    }

    #[test]
    fn a_schema_belongs_to_its_kind_of_format() {
        let format = |kind: i32, schema: &str| {
            Some(v1::ResponseFormat {
                kind,
                json_schema: schema.into(),
            })
        };
        let at = Path::Field(&Path::Root, "f");
        check(|f| response_format(f, at, None), &[]);
        check(
            |f| response_format(f, at, format(3, "{\"type\":\"object\"}")),
            &[],
        );
        check(
            |f| response_format(f, at, format(3, "")),
            &["f.json_schema: is not a JSON Schema: allowed one JSON object as text"],
        );
        check(
            |f| response_format(f, at, format(2, "{}")),
            &["f.json_schema: is set: allowed only with KIND_JSON_SCHEMA"],
        );
        check(
            |f| response_format(f, at, format(9, "")),
            &["f.kind: is 9: allowed KIND_TEXT, KIND_JSON_OBJECT, KIND_JSON_SCHEMA"],
        );
    }
}
