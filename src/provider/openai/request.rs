//! The body of a chat-completions request.
//!
//! Invariants: schemas keep the order of their keys; nothing is sent that the prompt does not ask for
//! (an unknown parameter is an error at some providers).
//!
//! Not here: headers and addresses (`client`). `strict` is set only
//! where the caller set it: it refuses schemas that are fine as JSON Schema, and the answer is checked
//! (`validate`). What a model thought is not sent back: servers of this dialect refuse it, or pay for it.

use super::OutputLimit;
use crate::chat::{
    ContentPart, Extra, Generation, Message, Parameter, ResponseFormat, Role, Tool, ToolCall,
    ToolChoice,
};
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
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    parallel_tool_calls: Option<bool>,
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
    InputAudio { input_audio: Sound<'a> },
    File { file: Document<'a> },
}

#[derive(Serialize)]
struct Sound<'a> {
    data: &'a str,
    format: &'a str,
}

#[derive(Serialize)]
struct Document<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    filename: &'a str,
    file_data: &'a str,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Choice<'a> {
    Word(&'static str),
    Function(Typed<Chosen<'a>>),
}

#[derive(Serialize)]
struct Chosen<'a> {
    name: &'a str,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
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
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
}

/// Writes the body for `prompt`.
pub(super) fn body(
    prompt: &Prompt<'_>,
    stream: bool,
    limit: OutputLimit,
) -> Result<Vec<u8>, Error> {
    let tokens = |field| prompt.max_output_tokens.filter(|_| limit == field);
    let asked = prompt.generation;
    let says = |parameter| !prompt.leave_out.contains(parameter);
    let offered = |tool| offered(tool, asked.strict);
    let body = Body {
        model: prompt.model,
        messages: prompt.messages.iter().map(said).collect(),
        tools: prompt.tools.iter().map(offered).collect::<Result<_, _>>()?,
        response_format: format(prompt.response_format, asked.strict)?,
        max_completion_tokens: tokens(OutputLimit::MaxCompletionTokens),
        max_tokens: tokens(OutputLimit::MaxTokens),
        temperature: asked.temperature.filter(|_| says(Parameter::Temperature)),
        top_p: asked.top_p.filter(|_| says(Parameter::TopP)),
        stop: if says(Parameter::Stop) {
            &asked.stop
        } else {
            &[]
        },
        seed: asked.seed.filter(|_| says(Parameter::Seed)),
        presence_penalty: asked
            .presence_penalty
            .filter(|_| says(Parameter::PresencePenalty)),
        frequency_penalty: asked
            .frequency_penalty
            .filter(|_| says(Parameter::FrequencyPenalty)),
        reasoning_effort: asked
            .effort
            .filter(|_| says(Parameter::Reasoning))
            .map(|effort| effort.as_str()),
        tool_choice: choice(asked).filter(|_| says(Parameter::ToolChoice)),
        parallel_tool_calls: asked
            .parallel_tool_calls
            .filter(|_| says(Parameter::ParallelToolCalls)),
        stream,
        stream_options: stream.then_some(StreamOptions {
            include_usage: true,
        }),
    };
    let mut body = serde_json::to_vec(&body).map_err(|_| Kind::InvalidRequest)?;
    if says(Parameter::Extra) {
        extend(&mut body, &asked.extra)?;
    }
    Ok(body)
}

/// Adds parameters that we do not read to an object that has some already.
fn extend(body: &mut Vec<u8>, extra: &[Extra]) -> Result<(), Error> {
    for Extra { name, json } in extra {
        let name = serde_json::to_string(name).map_err(|_| Kind::InvalidRequest)?;
        // What is not one JSON value would end the object.
        parse(json)?;
        body.pop();
        body.extend_from_slice(format!(",{name}:{json}}}").as_bytes());
    }
    Ok(())
}

fn choice(asked: &Generation) -> Option<Choice<'_>> {
    match &asked.tool_choice {
        ToolChoice::Auto => None,
        ToolChoice::None => Some(Choice::Word("none")),
        ToolChoice::Required => Some(Choice::Word("required")),
        ToolChoice::Named(name) => Some(Choice::Function(function(Chosen { name }))),
    }
}

fn said(message: &Message) -> Said<'_> {
    Said {
        role: match message.role {
            Role::System => "system",
            Role::User => "user",
            Role::Assistant => "assistant",
            Role::Tool => "tool",
        },
        content: content(&message.content),
        tool_calls: message.tool_calls.iter().map(called).collect(),
        tool_call_id: message.tool_call_id.as_deref(),
    }
}

fn content(parts: &[ContentPart]) -> Option<Content<'_>> {
    let mut said = parts.iter().filter_map(part);
    match (said.next()?, said.next()) {
        // Many compatible servers take lists from users only.
        (Part::Text { text }, None) => Some(Content::Text(text)),
        (first, second) => {
            let all = [first].into_iter().chain(second).chain(said);
            Some(Content::Parts(all.collect()))
        }
    }
}

/// A part on the wire; reasoning has none.
fn part(part: &ContentPart) -> Option<Part<'_>> {
    Some(match part {
        ContentPart::Text(text) => Part::Text { text },
        ContentPart::ImageUrl(url) => Part::ImageUrl {
            image_url: Image { url },
        },
        ContentPart::Audio { data, format } => Part::InputAudio {
            input_audio: Sound { data, format },
        },
        ContentPart::File { name, data_url } => Part::File {
            file: Document {
                filename: name,
                file_data: data_url,
            },
        },
        ContentPart::Reasoning(_) => return None,
    })
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

fn offered(tool: &Tool, strict: bool) -> Result<Typed<Offered<'_>>, Error> {
    let schema = tool.parameters_json_schema.as_str();
    Ok(function(Offered {
        name: &tool.name,
        description: &tool.description,
        parameters: (!schema.is_empty()).then(|| parse(schema)).transpose()?,
        strict: strict && !schema.is_empty(),
    }))
}

fn format(format: &ResponseFormat, strict: bool) -> Result<Option<Format>, Error> {
    Ok(match format {
        ResponseFormat::Text => None,
        ResponseFormat::JsonObject => Some(Format::JsonObject),
        ResponseFormat::JsonSchema(schema) => Some(Format::JsonSchema {
            json_schema: NamedSchema {
                name: "answer",
                schema: parse(schema)?,
                strict,
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

    use crate::chat::{Effort, Reasoning};

    fn hi() -> Vec<Message> {
        vec![Message::text(Role::User, "hi")]
    }

    fn check(prompt: &Prompt<'_>, stream: bool, expected: &str) {
        let body = body(prompt, stream, OutputLimit::MaxCompletionTokens).unwrap();
        // Golden texts are broken over lines; the body has no white space outside strings.
        let expected: String = expected.lines().map(str::trim).collect();
        assert_eq!(String::from_utf8(body).unwrap(), expected);
    }

    #[test]
    fn a_plain_question_says_nothing_that_was_not_asked() {
        let expected = r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#;
        check(&Prompt::new("m", &hi()), false, expected);
    }

    #[test]
    fn a_stream_asks_for_its_usage() {
        check(
            &Prompt::new("m", &hi()),
            true,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "stream":true,"stream_options":{"include_usage":true}}"#,
        );
    }

    #[test]
    fn limits_go_where_the_endpoint_wants_them() {
        let (messages, generation) = (
            hi(),
            Generation {
                temperature: Some(0.5),
                ..Generation::default()
            },
        );
        let mut prompt = Prompt::new("m", &messages);
        prompt.max_output_tokens = Some(64);
        prompt.generation = &generation;
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
        let (mut messages, mut tools) = (hi(), Vec::new());
        messages[0]
            .content
            .push(ContentPart::ImageUrl("data:image/png;base64,AA".into()));
        messages.push(Message {
            role: Role::Assistant,
            content: Vec::new(),
            tool_calls: vec![ToolCall {
                id: "c1".into(),
                name: "find".into(),
                arguments_json: r#"{"q": "x"}"#.into(),
            }],
            tool_call_id: None,
        });
        messages.push(Message {
            tool_call_id: Some("c1".into()),
            ..Message::text(Role::Tool, "found")
        });
        for (name, schema) in [("find", r#"{"z":1,"a":2}"#), ("stop", "")] {
            tools.push(Tool {
                name: name.into(),
                description: String::new(),
                parameters_json_schema: schema.into(),
            });
        }
        let mut prompt = Prompt::new("m", &messages);
        prompt.tools = &tools;
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
        let messages = hi();
        let mut prompt = Prompt::new("m", &messages);
        prompt.response_format = &ResponseFormat::JsonObject;
        check(
            &prompt,
            false,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "response_format":{"type":"json_object"}}"#,
        );
        let schema = ResponseFormat::JsonSchema(r#"{"type":"object"}"#.into());
        prompt.response_format = &schema;
        check(
            &prompt,
            false,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "response_format":{"type":"json_schema","json_schema":
            {"name":"answer","schema":{"type":"object"}}}}"#,
        );
        let broken = ResponseFormat::JsonSchema("{".into());
        prompt.response_format = &broken;
        let refused = body(&prompt, false, OutputLimit::MaxTokens);
        assert_eq!(refused, Err(Kind::InvalidRequest.into()));
    }

    #[test]
    fn how_to_answer_is_said_in_the_dialects_words_and_what_may_be_left_out_is() {
        let (messages, generation) = (
            hi(),
            Generation {
                top_p: Some(0.9),
                stop: vec!["END".into()],
                seed: Some(7),
                effort: Some(Effort::Low),
                tool_choice: ToolChoice::Named("find".into()),
                parallel_tool_calls: Some(false),
                extra: vec![Extra {
                    name: "logit_bias".into(),
                    json: r#"{"50256":-100}"#.into(),
                }],
                ..Generation::default()
            },
        );
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = &generation;
        check(
            &prompt,
            false,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}],
            "top_p":0.9,"stop":["END"],"seed":7,"reasoning_effort":"low",
            "tool_choice":{"type":"function","function":{"name":"find"}},
            "parallel_tool_calls":false,"logit_bias":{"50256":-100}}"#,
        );
        prompt.leave_out = generation.parameters();
        check(
            &prompt,
            false,
            r#"{"model":"m","messages":[{"role":"user","content":"hi"}]}"#,
        );
    }

    #[test]
    fn sound_and_documents_are_sent_and_thoughts_are_not() {
        let mut messages = hi();
        messages[0].content.extend([
            ContentPart::Audio {
                data: "UklG".into(),
                format: "wav".into(),
            },
            ContentPart::File {
                name: "a.pdf".into(),
                data_url: "data:application/pdf;base64,JVBE".into(),
            },
        ]);
        let mut thought = Message::text(Role::Assistant, "yes");
        let reasoning = ContentPart::Reasoning(Reasoning::default());
        thought.content.insert(0, reasoning);
        messages.push(thought);
        check(
            &Prompt::new("m", &messages),
            false,
            r#"{"model":"m","messages":[{"role":"user","content":[
            {"type":"text","text":"hi"},
            {"type":"input_audio","input_audio":{"data":"UklG","format":"wav"}},
            {"type":"file","file":{"filename":"a.pdf","file_data":"data:application/pdf;base64,JVBE"}}]},
            {"role":"assistant","content":"yes"}]}"#,
        );
    }

    #[test]
    fn a_parameter_that_is_no_json_does_not_end_the_body() {
        let (messages, generation) = (
            hi(),
            Generation {
                extra: vec![Extra {
                    name: "x".into(),
                    json: "1}".into(),
                }],
                ..Generation::default()
            },
        );
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = &generation;
        let refused = body(&prompt, false, OutputLimit::MaxTokens);
        assert_eq!(refused, Err(Kind::InvalidRequest.into()));
    }
}
