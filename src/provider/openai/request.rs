//! The body of a chat-completions request.
//!
//! Invariants: schemas keep the order of their keys; nothing is sent that the prompt does not ask for
//! (an unknown parameter is an error at some providers).
//!
//! Not here: headers and addresses (`client`). `strict` of a response schema is not set: it refuses
//! schemas that are fine as JSON Schema, and the answer is checked by whoever needs it.

use super::OutputLimit;
use crate::chat::{ContentPart, Message, ResponseFormat, Role, Tool, ToolCall};
use crate::provider::json::Json;
use crate::provider::{Error, Kind, Prompt};
use serde::Serialize;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Said<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Typed<Offered<'a>>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<Format>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: Option<Content<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Called<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_call_id: Option<&'a str>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Content<'a> {
    Text(&'a str),
    Parts(Vec<Part<'a>>),
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Part<'a> {
    Text { text: &'a str },
    ImageUrl { image_url: Image<'a> },
}

#[derive(Serialize)]
struct Image<'a> {
    url: &'a str,
}

#[derive(Serialize)]
struct Called<'a> {
    id: &'a str,
    #[serde(flatten)]
    call: Typed<Arguments<'a>>,
}

#[derive(Serialize)]
struct Arguments<'a> {
    name: &'a str,
    arguments: &'a str,
}

/// `{"type": "function", "function": ...}`.
#[derive(Serialize)]
struct Typed<T> {
    r#type: &'static str,
    function: T,
}

#[derive(Serialize)]
struct Offered<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters: Option<Json>,
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
enum Format {
    JsonObject,
    JsonSchema { json_schema: NamedSchema },
}

#[derive(Serialize)]
struct NamedSchema {
    name: &'static str,
    schema: Json,
}

/// Writes the body for `prompt`.
pub(super) fn body(prompt: &Prompt, stream: bool, limit: OutputLimit) -> Result<Vec<u8>, Error> {
    let tokens = |field| prompt.max_output_tokens.filter(|_| limit == field);
    let body = Body {
        model: &prompt.model,
        messages: prompt.messages.iter().map(said).collect(),
        tools: prompt.tools.iter().map(offered).collect::<Result<_, _>>()?,
        response_format: format(&prompt.response_format)?,
        max_completion_tokens: tokens(OutputLimit::MaxCompletionTokens),
        max_tokens: tokens(OutputLimit::MaxTokens),
        temperature: prompt.temperature,
        stream,
        stream_options: stream.then_some(StreamOptions {
            include_usage: true,
        }),
    };
    serde_json::to_vec(&body).map_err(|_| Kind::InvalidRequest.into())
}

fn said(message: &Message) -> Said<'_> {
    Said {
        role: match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        },
        content: match message.content.as_slice() {
            [] => None,
            // Many compatible servers take lists from users only.
            [ContentPart::Text(text)] => Some(Content::Text(text)),
            parts => Some(Content::Parts(parts.iter().map(part).collect())),
        },
        tool_calls: message.tool_calls.iter().map(called).collect(),
        tool_call_id: message.tool_call_id.as_deref(),
    }
}

fn part(part: &ContentPart) -> Part<'_> {
    match part {
        ContentPart::Text(text) => Part::Text { text },
        ContentPart::ImageUrl(url) => Part::ImageUrl {
            image_url: Image { url },
        },
    }
}

fn called(call: &ToolCall) -> Called<'_> {
    Called {
        id: &call.id,
        call: function(Arguments {
            name: &call.name,
            arguments: &call.arguments_json,
        }),
    }
}

fn offered(tool: &Tool) -> Result<Typed<Offered<'_>>, Error> {
    let schema = tool.parameters_json_schema.as_str();
    Ok(function(Offered {
        name: &tool.name,
        description: &tool.description,
        parameters: (!schema.is_empty()).then(|| parse(schema)).transpose()?,
    }))
}

fn format(format: &ResponseFormat) -> Result<Option<Format>, Error> {
    Ok(match format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(Format::JsonObject),
        ResponseFormat::JsonSchema(schema) => Some(Format::JsonSchema {
            json_schema: NamedSchema {
                name: "answer",
                schema: parse(schema)?,
            },
        }),
    })
}

fn function<T>(function: T) -> Typed<T> {
    Typed {
        r#type: "function",
        function,
    }
}

fn parse(schema: &str) -> Result<Json, Error> {
    serde_json::from_str(schema).map_err(|_| Kind::InvalidRequest.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt() -> Prompt {
        Prompt::new("m", vec![Message::text(Role::User, "hi")])
    }

    fn check(prompt: &Prompt, stream: bool, expected: &str) {
        let body = body(prompt, stream, OutputLimit::MaxCompletionTokens).unwrap();
        // Golden texts are broken over lines; the body has no white space outside strings.
        let expected: String = expected.lines().map(str::trim).collect();
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn a_plain_question_says_nothing_that_was_not_asked() {
        let expected = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        check(&prompt(), false, expected);
    }

    #[test]
    fn a_stream_asks_for_its_usage() {
        check(
            &prompt(),
            true,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "stream":true,"stream_options":{"include_usage":true}}"#,
        );
    }

    #[test]
    fn limits_go_where_the_endpoint_wants_them() {
        let mut prompt = prompt();
        prompt.max_output_tokens = Some(64);
        prompt.temperature = Some(0.5);
        check(
            &prompt,
            false,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "max_completion_tokens":64,"temperature":0.5}"#,
        );
        let old = body(&prompt, false, OutputLimit::MaxTokens).unwrap();
        assert_eq!(
            String::from_utf8(old).unwrap(),
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],"max_tokens":64,"temperature":0.5}"#
        );
    }

    #[test]
    fn images_tools_and_their_results_are_written_in_full() {
        let mut prompt = prompt();
        prompt.messages[0]
            .content
            .push(ContentPart::ImageUrl("data:image/png;base64,AA".into()));
        prompt.messages.push(Message {
            role: Role::Assistant,
            content: Vec::new(),
            tool_calls: vec![ToolCall {
                id: "c1".into(),
                name: "find".into(),
                arguments_json: r#"{"q": "x"}"#.into(),
            }],
            tool_call_id: None,
        });
        prompt.messages.push(Message {
            tool_call_id: Some("c1".into()),
            ..Message::text(Role::Tool, "found")
        });
        for (name, schema) in [("find", r#"{"z":1,"a":2}"#), ("stop", "")] {
            prompt.tools.push(Tool {
                name: name.into(),
                description: String::new(),
                parameters_json_schema: schema.into(),
            });
        }
        check(
            &prompt,
            false,
            r#"{"model":"m","messages":[
            {"role":"user","content":[
            {"type":"text","text":"hi"},
            {"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}}]},
            {"role":"assistant","content":null,"tool_calls":[
            {"id":"c1","type":"function","function":{"name":"find","arguments":"{\"q\": \"x\"}"}}]},
            {"role":"tool","content":"found","tool_call_id":"c1"}],
            "tools":[
            {"type":"function","function":{"name":"find","parameters":{"z":1,"a":2}}},
            {"type":"function","function":{"name":"stop"}}]}"#,
        );
    }

    #[test]
    fn json_is_asked_for_by_form_or_by_schema() {
        let mut prompt = prompt();
        prompt.response_format = ResponseFormat::JsonObject;
        check(
            &prompt,
            false,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "response_format":{"type":"json_object"}}"#,
        );
        prompt.response_format = ResponseFormat::JsonSchema(r#"{"type":"object"}"#.into());
        check(
            &prompt,
            false,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "response_format":{"type":"json_schema","json_schema":
            {"name":"answer","schema":{"type":"object"}}}}"#,
        );
        prompt.response_format = ResponseFormat::JsonSchema("{".into());
        let refused = body(&prompt, false, OutputLimit::MaxTokens);
        assert_eq!(refused, Err(Kind::InvalidRequest.into()));
    }
}
