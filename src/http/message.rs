//! Messages, as OpenAI's body has them.
//!
//! Roles: `developer` is `system`. A refusal is a text of the assistant's. What a model thought comes back as
//! `reasoning_details` (OpenRouter's form, with the provider's signature) or as `reasoning_content`.
//!
//! Invariants: every message passes [`Message::check`]; an image is at an https address or in a data URL.
//!
//! Not here: tools (`tool`), how to answer (`generation`). Tool arguments are not parsed: models write broken ones, and a
//! conversation that holds one must go on.

use crate::chat::{ContentPart, Message, Reasoning, Role, ToolCall};
use crate::field::Fields;
use crate::path::Path;
use crate::route::Request;
use serde::Deserialize;
use serde::de::{Deserializer, SeqAccess, Visitor};
use std::borrow::Cow;
use std::fmt;

/// One message as it was said.
#[derive(Debug, Deserialize)]
pub(super) struct SaidMessage<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(default)]
    content: Content,
    tool_calls: Option<Vec<SaidCall>>,
    tool_call_id: Option<String>,
    refusal: Option<String>,
    reasoning_content: Option<String>,
    reasoning_details: Option<Vec<SaidThought>>,
}

/// Content: nothing, a text, or parts.
#[derive(Debug, Default)]
enum Content {
    #[default]
    Nothing,
    Text(String),
    Parts(Vec<SaidPart>),
}

#[derive(Debug, Deserialize)]
struct SaidPart {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
    refusal: Option<String>,
    image_url: Option<SaidImage>,
    input_audio: Option<SaidSound>,
    file: Option<SaidFile>,
}

#[derive(Debug, Deserialize)]
struct SaidImage {
    url: String,
}

#[derive(Debug, Deserialize)]
struct SaidSound {
    data: String,
    format: String,
}

#[derive(Debug, Deserialize)]
struct SaidFile {
    filename: Option<String>,
    file_data: Option<String>,
}

#[derive(Debug, Deserialize)]
struct SaidCall {
    #[serde(default)]
    id: String,
    function: SaidCalled,
}

#[derive(Debug, Deserialize)]
struct SaidCalled {
    name: String,
    #[serde(default)]
    arguments: String,
}

#[derive(Debug, Deserialize)]
struct SaidThought {
    text: Option<String>,
    signature: Option<String>,
    /// The dialect that made it.
    format: Option<String>,
    /// The tool call that it belongs to.
    id: Option<String>,
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ContentVisitor)
    }
}

struct ContentVisitor;

impl<'de> Visitor<'de> for ContentVisitor {
    type Value = Content;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of parts")
    }

    fn visit_unit<E>(self) -> Result<Content, E> {
        Ok(Content::Nothing)
    }

    fn visit_str<E>(self, text: &str) -> Result<Content, E> {
        Ok(Content::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Content, E> {
        Ok(Content::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Content, A::Error> {
        let mut parts = Vec::new();
        while let Some(part) = list.next_element()? {
            parts.push(part);
        }
        Ok(Content::Parts(parts))
    }
}

/// The conversation.
pub(super) fn messages(fields: &mut Fields, said: Vec<SaidMessage<'_>>) -> Vec<Message> {
    let at = Path::Root.field("messages");
    if !fields.count(at, said.len(), 1..=Request::MAX_MESSAGES) {
        return Vec::new();
    }
    let read = |(i, said)| message(fields, at.index(i), said);
    said.into_iter().enumerate().filter_map(read).collect()
}

fn message(fields: &mut Fields, at: Path<'_>, said: SaidMessage<'_>) -> Option<Message> {
    let role = role(fields, at, &said.role);
    let calls = said.tool_calls.unwrap_or_default();
    let mut content = Vec::new();
    thoughts(&mut content, said.reasoning_details, said.reasoning_content);
    match said.content {
        Content::Nothing => {}
        // An answer of tool calls alone may come back with an empty text.
        Content::Text(text) if text.is_empty() && !calls.is_empty() => {}
        Content::Text(text) => content.push(ContentPart::Text(text)),
        Content::Parts(parts) => {
            let at = at.field("content");
            if fields.count(at, parts.len(), 0..=Message::MAX_PARTS) {
                let part = |(i, said)| part(fields, at.index(i), said);
                content.extend(parts.into_iter().enumerate().filter_map(part));
            }
        }
    }
    content.extend(said.refusal.map(ContentPart::Text));
    let tool_calls = self::calls(fields, at.field("tool_calls"), calls);
    let answers = said.tool_call_id.filter(|id| !id.is_empty());
    if let Some(id) = &answers {
        fields.bytes(at.field("tool_call_id"), id, 1..=ToolCall::MAX_ID_BYTES);
    }
    let message = Message {
        role: role?,
        content,
        tool_calls,
        tool_call_id: answers,
    };
    if let Err(error) = message.check() {
        fields.refuse(at, error);
    }
    Some(message)
}

fn role(fields: &mut Fields, at: Path<'_>, said: &str) -> Option<Role> {
    match said {
        "system" | "developer" => Some(Role::System),
        "user" => Some(Role::User),
        "assistant" => Some(Role::Assistant),
        "tool" => Some(Role::Tool),
        _ => {
            let problem = "is unknown: allowed system, developer, user, assistant, tool";
            fields.refuse(at.field("role"), problem);
            None
        }
    }
}

/// Details tell more than the words alone, which then are the same ones.
fn thoughts(
    content: &mut Vec<ContentPart>,
    details: Option<Vec<SaidThought>>,
    words: Option<String>,
) {
    let details = details.unwrap_or_default();
    if details.is_empty() {
        let words = words.filter(|words| !words.is_empty());
        content.extend(words.map(|text| {
            ContentPart::Reasoning(Reasoning {
                text,
                ..Reasoning::default()
            })
        }));
        return;
    }
    content.extend(details.into_iter().map(|said| {
        ContentPart::Reasoning(Reasoning {
            text: said.text.unwrap_or_default(),
            signature: said.signature,
            dialect: said.format.unwrap_or_default(),
            tool_call: said.id,
        })
    }));
}

fn part(fields: &mut Fields, at: Path<'_>, said: SaidPart) -> Option<ContentPart> {
    let found = match said.kind.as_str() {
        "text" => said.text.map(ContentPart::Text),
        "refusal" => said.refusal.map(ContentPart::Text),
        "image_url" => said.image_url.map(|image| self::image(fields, at, image)),
        "input_audio" => said.input_audio.map(|sound| self::sound(fields, at, sound)),
        "file" => said.file.map(|file| self::file(fields, at, file)),
        _ => {
            let problem = "is unknown: allowed text, refusal, image_url, input_audio, file";
            fields.refuse(at.field("type"), problem);
            return None;
        }
    };
    if found.is_none() {
        fields.refuse(at, "lacks the field that its type names: required");
    }
    found
}

fn image(fields: &mut Fields, at: Path<'_>, image: SaidImage) -> ContentPart {
    if !image.url.starts_with("https://") && !image.url.starts_with("data:image/") {
        let problem = "is no address of an image: allowed https://.. or data:image/..";
        fields.refuse(at.field("image_url").field("url"), problem);
    }
    ContentPart::ImageUrl(image.url)
}

fn sound(fields: &mut Fields, at: Path<'_>, sound: SaidSound) -> ContentPart {
    let at = at.field("input_audio");
    if sound.data.is_empty() {
        fields.refuse(at.field("data"), "is empty: required, in base64");
    }
    if !ContentPart::SOUNDS.contains(&sound.format.as_str()) {
        let allowed = ContentPart::SOUNDS.join(", ");
        let problem = format_args!("is unknown: allowed {allowed}");
        fields.refuse(at.field("format"), problem);
    }
    ContentPart::Audio {
        data: sound.data,
        format: sound.format,
    }
}

fn file(fields: &mut Fields, at: Path<'_>, file: SaidFile) -> ContentPart {
    let at = at.field("file");
    let (name, data_url) = (
        file.filename.unwrap_or_default(),
        file.file_data.unwrap_or_default(),
    );
    fields.bytes(at.field("filename"), &name, 0..=ContentPart::MAX_NAME_BYTES);
    if !data_url.starts_with("data:") {
        let problem =
            "is no document: allowed data:MEDIA-TYPE;base64,.. (file ids are one provider's own)";
        fields.refuse(at.field("file_data"), problem);
    }
    ContentPart::File { name, data_url }
}

fn calls(fields: &mut Fields, at: Path<'_>, said: Vec<SaidCall>) -> Vec<ToolCall> {
    if !fields.count(at, said.len(), 0..=Message::MAX_CALLS) {
        return Vec::new();
    }
    let mut calls = Vec::with_capacity(said.len());
    for (i, call) in said.into_iter().enumerate() {
        fields.name(
            at.index(i).field("function").field("name"),
            &call.function.name,
        );
        fields.bytes(
            at.index(i).field("id"),
            &call.id,
            0..=ToolCall::MAX_ID_BYTES,
        );
        calls.push(ToolCall {
            id: call.id,
            name: call.function.name,
            arguments_json: call.function.arguments,
        });
    }
    calls
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::testing::violations;

    fn read<'a, T: Deserialize<'a>>(json: &'a str) -> T {
        serde_json::from_str(json).unwrap()
    }

    /// What a list of messages comes to, as JSON, or its violations.
    fn check(json: &str, expected: Result<&str, &[&str]>) {
        let mut fields = Fields::default();
        let found = messages(&mut fields, read(json));
        let found = fields.finish(Some(found)).map_err(violations);
        let found = found.map(|messages| serde_json::to_string(&messages).unwrap());
        let expected = expected.map(str::to_owned);
        assert_eq!(
            found,
            expected.map_err(|e| e.iter().map(ToString::to_string).collect())
        );
    }

    #[test]
    fn messages_of_every_role_are_read() {
        check(
            r#"[{"role":"developer","content":"be brief"},{"role":"user","content":"hi","name":"Ann"}]"#,
            Ok(
                r#"[{"role":"system","content":[{"text":"be brief"}]},{"role":"user","content":[{"text":"hi"}]}]"#,
            ),
        );
        check(
            r#"[{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"find","arguments":"{\"a\":1}"}}]},
                {"role":"tool","tool_call_id":"c1","content":"found"}]"#,
            Ok(
                r#"[{"role":"assistant","content":[],"tool_calls":[{"id":"c1","name":"find","arguments_json":"{\"a\":1}"}]},{"role":"tool","content":[{"text":"found"}],"tool_call_id":"c1"}]"#,
            ),
        );
    }

    #[test]
    fn parts_of_every_type_are_read() {
        check(
            r#"[{"role":"user","content":[{"type":"text","text":"see"},
                {"type":"image_url","image_url":{"url":"https://example.org/a.png","detail":"low"}},
                {"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}},
                {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}]}]"#,
            Ok(
                r#"[{"role":"user","content":[{"text":"see"},{"image_url":"https://example.org/a.png"},{"audio":{"data":"UklG","format":"wav"}},{"file":{"name":"a.pdf","data_url":"data:application/pdf;base64,JVBE"}}]}]"#,
            ),
        );
    }

    #[test]
    fn what_was_thought_comes_back_with_its_signature() {
        check(
            r#"[{"role":"assistant","content":"4","reasoning_content":"2+2"}]"#,
            Ok(r#"[{"role":"assistant","content":[{"reasoning":{"text":"2+2"}},{"text":"4"}]}]"#),
        );
        check(
            r#"[{"role":"assistant","content":"4","reasoning_content":"2+2","reasoning_details":
                [{"type":"reasoning.text","text":"2+2","signature":"s","format":"anthropic","id":"c1"}]}]"#,
            Ok(
                r#"[{"role":"assistant","content":[{"reasoning":{"text":"2+2","signature":"s","dialect":"anthropic","tool_call":"c1"}},{"text":"4"}]}]"#,
            ),
        );
    }

    #[test]
    fn each_bad_message_is_named_with_what_is_allowed() {
        check("[]", Err(&["messages: has 0 entries: allowed 1 to 4096"]));
        check(
            r#"[{"role":"function","content":"x"}]"#,
            Err(&[
                "messages[0].role: is unknown: allowed system, developer, user, assistant, tool",
            ]),
        );
        check(
            r#"[{"role":"user","content":null},{"role":"tool","content":"x"}]"#,
            Err(&[
                "messages[0]: content is empty: allowed only where tool_calls is not",
                "messages[1]: tool_call_id is empty: required for a message of role tool",
            ]),
        );
        check(
            r#"[{"role":"user","content":[{"type":"video"},{"type":"text"},
                {"type":"image_url","image_url":{"url":"http://example.org/a.png"}},
                {"type":"input_audio","input_audio":{"data":"","format":"midi"}},
                {"type":"file","file":{"file_id":"f1"}}]}]"#,
            Err(&[
                "messages[0].content[0].type: is unknown: allowed text, refusal, image_url, input_audio, file",
                "messages[0].content[1]: lacks the field that its type names: required",
                "messages[0].content[2].image_url.url: is no address of an image: allowed https://.. or data:image/..",
                "messages[0].content[3].input_audio.data: is empty: required, in base64",
                "messages[0].content[3].input_audio.format: is unknown: allowed wav, mp3, flac, opus, ogg, aac, aiff, pcm16",
                "messages[0].content[4].file.file_data: is no document: allowed data:MEDIA-TYPE;base64,.. (file ids are one provider's own)",
            ]),
        );
    }
}
