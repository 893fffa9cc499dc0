//! The body of a messages request.
//!
//! Invariants: nothing is sent that the prompt does not ask for, but for `max_tokens` (the API requires it),
//! marks for the prompt cache, and a line of instruction where JSON is asked for that the API cannot be held
//! to.
//!
//! What the API would refuse is not sent. Beside a thought: no temperature, and a `top_p` below 0.95 not
//! either. Beside a temperature: no `top_p` (newer models take one of the two).
//!
//! JSON by a schema is asked for by `output_config.format`, not by a tool that is forced: it is what the API
//! documents for answers, and it leaves the model its thoughts and the caller's own tools. Any JSON, and
//! schemas that it cannot be held to (`schema`), are asked for in words; the answer is checked in each case.
//!
//! Anthropic keeps a prompt in its cache only where it is marked. The last block of the instructions and of
//! the last turn are marked where the prompt has at least [`WORTH_KEEPING`] estimated tokens.
//!
//! Not here: headers and addresses (`client`), messages (`turns`), how long to think (`thinking`).

use super::schema::narrowed;
use super::thinking::{self, Asked, Thinking};
use super::turns::{Marked, Said, Turn};
use crate::chat::{Parameter, ResponseFormat, Tool, ToolChoice};
use crate::provider::json::Json;
use crate::provider::{Error, Kind, Prompt};
use serde::Serialize;

/// Tokens of a prompt from which on it is marked for the cache. The provider keeps nothing below 1,024 (4,096
/// for some models), writing costs a quarter more than reading afresh, and estimates are rough: below this
/// there is little to save.
const WORTH_KEEPING: u32 = 4096;

/// The least `top_p` that is taken beside a thought.
const LEAST_TOP_P_THINKING: f64 = 0.95;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u32,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    system: Vec<Marked<'a>>,
    messages: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<Offered<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_choice: Option<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Asked>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    stream: bool,
}

#[derive(Serialize)]
struct Offered<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    input_schema: Json,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    strict: bool,
}

#[derive(Serialize)]
struct Choice<'a> {
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'a str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    disable_parallel_tool_use: bool,
}

#[derive(Serialize)]
struct OutputConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Format>,
}

#[derive(Serialize)]
struct Format {
    r#type: &'static str,
    schema: Json,
}

/// Writes the body for `prompt`.
pub(super) fn body(prompt: &Prompt<'_>, stream: bool, way: Thinking) -> Result<Vec<u8>, Error> {
    let asked = prompt.generation;
    let plan = thinking::plan(prompt, way);
    let mut said = Said::new(prompt.messages)?;
    let format = format(prompt.response_format, &mut said)?;
    if prompt.estimated_input_tokens() >= WORTH_KEEPING {
        said.keep();
    }
    let config = OutputConfig {
        effort: plan.effort,
        format,
    };
    let (temperature, top_p) = sampling(prompt, plan.thinking.is_some());
    let offered = |tool| offered(tool, asked.strict);
    let body = Body {
        model: prompt.model,
        max_tokens: plan.max_tokens,
        system: said.system,
        messages: said.turns,
        tools: prompt.tools.iter().map(offered).collect::<Result<_, _>>()?,
        tool_choice: choice(prompt),
        temperature,
        top_p,
        stop_sequences: stop(prompt)?,
        thinking: plan.thinking,
        output_config: (config.effort.is_some() || config.format.is_some()).then_some(config),
        stream,
    };
    serde_json::to_vec(&body).map_err(|_| Kind::InvalidRequest.into())
}

/// Temperature and `top_p`.
fn sampling(prompt: &Prompt<'_>, thinks: bool) -> (Option<f64>, Option<f64>) {
    let says = |parameter| !prompt.leave_out.contains(parameter);
    let asked = prompt.generation;
    let temperature = asked
        .temperature
        .filter(|_| says(Parameter::Temperature) && !thinks);
    let top_p = asked.top_p.filter(|_| says(Parameter::TopP));
    let fits = |p: &f64| temperature.is_none() && (!thinks || *p >= LEAST_TOP_P_THINKING);
    (temperature.map(|t| t.min(1.0)), top_p.filter(fits))
}

/// Texts at which to stop. One of white space alone cannot be expressed.
fn stop<'a>(prompt: &Prompt<'a>) -> Result<&'a [String], Error> {
    let stop = &prompt.generation.stop;
    if prompt.leave_out.contains(Parameter::Stop) {
        return Ok(&[]);
    }
    if stop.iter().any(|text| text.trim().is_empty()) {
        return Err(Kind::Unsupported.into());
    }
    Ok(stop)
}

/// Which tool to call, and whether only one: a field that is refused without tools.
fn choice<'a>(prompt: &Prompt<'a>) -> Option<Choice<'a>> {
    let asked = prompt.generation;
    let says = |parameter| !prompt.leave_out.contains(parameter);
    let one_by_one = asked.parallel_tool_calls == Some(false) && says(Parameter::ParallelToolCalls);
    let (r#type, name) = match &asked.tool_choice {
        _ if prompt.tools.is_empty() => return None,
        _ if !says(Parameter::ToolChoice) => ("auto", None),
        ToolChoice::Auto => ("auto", None),
        ToolChoice::None => ("none", None),
        ToolChoice::Required => ("any", None),
        ToolChoice::Named(name) => ("tool", Some(name.as_str())),
    };
    let choice = Choice {
        r#type,
        name,
        disable_parallel_tool_use: one_by_one && r#type != "none",
    };
    (r#type != "auto" || one_by_one).then_some(choice)
}

fn offered(tool: &Tool, strict: bool) -> Result<Offered<'_>, Error> {
    let schema = match tool.parameters_json_schema.as_str() {
        "" => Json::Object(Vec::new()),
        schema => parse(schema)?,
    };
    let held = strict.then(|| narrowed(schema.clone())).flatten();
    Ok(Offered {
        name: &tool.name,
        description: &tool.description,
        strict: held.is_some(),
        input_schema: typed(held.unwrap_or(schema)),
    })
}

/// The API requires the schema of a tool to say that it is an object.
fn typed(schema: Json) -> Json {
    match schema {
        Json::Object(mut entries) if entries.iter().all(|(key, _)| key != "type") => {
            entries.insert(0, ("type".to_owned(), Json::Text("object".to_owned())));
            Json::Object(entries)
        }
        other => other,
    }
}

/// The form of the answer, as a field or, where there is none for it, as an instruction.
fn format<'a>(asked: &'a ResponseFormat, said: &mut Said<'a>) -> Result<Option<Format>, Error> {
    match asked {
        ResponseFormat::Text => Ok(None),
        ResponseFormat::JsonObject => {
            said.instruct("Answer with one JSON object and nothing else.");
            Ok(None)
        }
        ResponseFormat::JsonSchema(schema) => match narrowed(parse(schema)?) {
            Some(schema) => Ok(Some(Format {
                r#type: "json_schema",
                schema,
            })),
            None => {
                said.instruct(
                    "Answer with JSON that satisfies the following JSON Schema, and nothing else.",
                );
                said.instruct(schema);
                Ok(None)
            }
        },
    }
}

fn parse(schema: &str) -> Result<Json, Error> {
    serde_json::from_str(schema).map_err(|_| Kind::InvalidRequest.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Effort, Generation, Message, Role};
    use crate::provider::testing::{golden, hi};

    const HI: &str = r#""messages":[{"role":"user","content":[{"type":"text","text":"hi"}]}]"#;

    /// The body for "hi" with these changes is `{"model":"m","max_tokens":LIMIT,...rest}`.
    fn check(change: impl FnOnce(&mut Prompt<'_>), expected: &str) {
        let messages = hi();
        let mut prompt = Prompt::new("m", &messages);
        change(&mut prompt);
        let written = body(&prompt, false, Thinking::Budget).unwrap();
        golden(written, &expected.replace("HI", HI));
    }

    fn asks(generation: &Generation, expected: &str) {
        let messages = hi();
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = generation;
        let written = body(&prompt, false, Thinking::Budget).unwrap();
        golden(written, &expected.replace("HI", HI));
    }

    fn tools(schemas: &[&str]) -> Vec<Tool> {
        let tool = |schema: &&str| Tool {
            name: "find".into(),
            description: "Finds.".into(),
            parameters_json_schema: (*schema).into(),
        };
        schemas.iter().map(tool).collect()
    }

    #[test]
    fn a_plain_question_has_a_limit_and_says_nothing_else() {
        check(|_| {}, r#"{"model":"m","max_tokens":4096,HI}"#);
        check(
            |prompt| prompt.max_output_tokens = Some(64),
            r#"{"model":"m","max_tokens":64,HI}"#,
        );
        let messages = hi();
        let streamed = body(&Prompt::new("m", &messages), true, Thinking::Budget);
        let expected = r#"{"model":"m","max_tokens":4096,HI,"stream":true}"#;
        golden(streamed.unwrap(), &expected.replace("HI", HI));
    }

    #[test]
    fn how_to_answer_is_said_in_the_dialects_words_and_what_may_be_left_out_is() {
        let generation = Generation {
            temperature: Some(1.5),
            stop: vec!["END".into()],
            seed: Some(7),
            presence_penalty: Some(1.0),
            ..Generation::default()
        };
        asks(
            &generation,
            r#"{"model":"m","max_tokens":4096,HI,"temperature":1.0,"stop_sequences":["END"]}"#,
        );
        let messages = hi();
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = &generation;
        prompt.leave_out = generation.parameters();
        let written = body(&prompt, false, Thinking::Budget).unwrap();
        let expected = r#"{"model":"m","max_tokens":4096,HI}"#;
        golden(written, &expected.replace("HI", HI));
    }

    #[test]
    fn what_the_api_refuses_beside_each_other_is_not_sent() {
        let mut generation = Generation {
            temperature: Some(0.5),
            top_p: Some(0.9),
            ..Generation::default()
        };
        asks(
            &generation,
            r#"{"model":"m","max_tokens":4096,HI,"temperature":0.5}"#,
        );
        generation.effort = Some(Effort::Low);
        let thinking = r#"{"model":"m","max_tokens":6144,HI,"thinking":{"type":"enabled","budget_tokens":2048}}"#;
        asks(&generation, thinking);
        generation.top_p = Some(0.97);
        let expected = thinking.replace("\"thinking\"", "\"top_p\":0.97,\"thinking\"");
        asks(&generation, &expected);
        generation.stop = vec!["\n".into()];
        let messages = hi();
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = &generation;
        let refused = body(&prompt, false, Thinking::Budget);
        assert_eq!(refused, Err(Kind::Unsupported.into()));
    }

    #[test]
    fn the_adaptive_way_asks_by_effort() {
        let messages = hi();
        let generation = Generation {
            effort: Some(Effort::Medium),
            ..Generation::default()
        };
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = &generation;
        let written = body(&prompt, false, Thinking::Adaptive).unwrap();
        let expected = r#"{"model":"m","max_tokens":12288,HI,
            "thinking":{"type":"adaptive"},"output_config":{"effort":"medium"}}"#;
        golden(written, &expected.replace("HI", HI));
    }

    #[test]
    fn tools_are_offered_and_chosen() {
        let tools = tools(&["", r#"{"properties":{"z":{},"a":{}}}"#]);
        let offered = r#""tools":[{"name":"find","description":"Finds.","input_schema":{"type":"object"}},
            {"name":"find","description":"Finds.","input_schema":{"type":"object","properties":{"z":{},"a":{}}}}]"#;
        let mut generation = Generation::default();
        let mut chooses = |choice: ToolChoice, parallel: Option<bool>, expected: &str| {
            generation.tool_choice = choice;
            generation.parallel_tool_calls = parallel;
            let messages = hi();
            let mut prompt = Prompt::new("m", &messages);
            prompt.tools = &tools;
            prompt.generation = &generation;
            let written = body(&prompt, false, Thinking::Budget).unwrap();
            let expected = format!(r#"{{"model":"m","max_tokens":4096,HI,{offered}{expected}}}"#);
            golden(written, &expected.replace("HI", HI));
        };
        chooses(ToolChoice::Auto, Some(true), "");
        chooses(
            ToolChoice::Auto,
            Some(false),
            r#","tool_choice":{"type":"auto","disable_parallel_tool_use":true}"#,
        );
        chooses(
            ToolChoice::None,
            Some(false),
            r#","tool_choice":{"type":"none"}"#,
        );
        chooses(
            ToolChoice::Required,
            None,
            r#","tool_choice":{"type":"any"}"#,
        );
        chooses(
            ToolChoice::Named("find".into()),
            None,
            r#","tool_choice":{"type":"tool","name":"find"}"#,
        );
        generation.tool_choice = ToolChoice::Required;
        asks(&generation, r#"{"model":"m","max_tokens":4096,HI}"#);
    }

    #[test]
    fn a_strict_tool_is_held_to_what_can_be_held() {
        let generation = Generation {
            strict: true,
            ..Generation::default()
        };
        let tools = tools(&[
            r#"{"properties":{"z":{"minimum":1}}}"#,
            r#"{"type":"object"}"#,
        ]);
        check(
            |prompt| {
                prompt.tools = Box::leak(tools.into_boxed_slice());
                prompt.generation = Box::leak(Box::new(generation));
            },
            r#"{"model":"m","max_tokens":4096,HI,"tools":[
            {"name":"find","description":"Finds.","input_schema":{"type":"object","properties":{"z":{}},"additionalProperties":false},"strict":true},
            {"name":"find","description":"Finds.","input_schema":{"type":"object"}}]}"#,
        );
    }

    #[test]
    fn json_is_asked_for_by_schema_where_the_api_holds_it_and_else_in_words() {
        let form = |format: ResponseFormat, expected: &str| {
            let messages = hi();
            let mut prompt = Prompt::new("m", &messages);
            prompt.response_format = &format;
            let written = body(&prompt, false, Thinking::Budget).unwrap();
            golden(written, &expected.replace("HI", HI));
        };
        form(
            ResponseFormat::JsonSchema(r#"{"type":"object","properties":{"z":{},"a":{}}}"#.into()),
            r#"{"model":"m","max_tokens":4096,HI,"output_config":{"format":{"type":"json_schema",
            "schema":{"type":"object","properties":{"z":{},"a":{}},"additionalProperties":false}}}}"#,
        );
        form(
            ResponseFormat::JsonSchema(r#"{"type":"object"}"#.into()),
            r#"{"model":"m","max_tokens":4096,"system":[
            {"type":"text","text":"Answer with JSON that satisfies the following JSON Schema, and nothing else."},
            {"type":"text","text":"{\"type\":\"object\"}"}],HI}"#,
        );
        form(
            ResponseFormat::JsonObject,
            r#"{"model":"m","max_tokens":4096,"system":[
            {"type":"text","text":"Answer with one JSON object and nothing else."}],HI}"#,
        );
        let messages = hi();
        let mut prompt = Prompt::new("m", &messages);
        let broken = ResponseFormat::JsonSchema("{".into());
        prompt.response_format = &broken;
        let refused = body(&prompt, false, Thinking::Budget);
        assert_eq!(refused, Err(Kind::InvalidRequest.into()));
    }

    #[test]
    fn a_long_prompt_is_marked_for_the_cache_and_a_short_one_is_not() {
        let marks = |characters: usize| {
            let messages = [
                Message::text(Role::System, "be brief"),
                Message::text(Role::User, "x".repeat(characters)),
            ];
            let written = body(&Prompt::new("m", &messages), false, Thinking::Budget);
            let written = String::from_utf8(written.unwrap()).unwrap();
            written
                .matches(r#""cache_control":{"type":"ephemeral"}"#)
                .count()
        };
        assert_eq!(marks(4 * 4096 - 8 - 4), 0);
        assert_eq!(marks(4 * 4096 - 8), 2);
    }
}
