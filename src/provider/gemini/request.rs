//! The body of a `generateContent` request.
//!
//! Invariants: nothing is sent that the prompt does not ask for. A seed is the caller's in its low 32 bits:
//! the API has no more.
//!
//! Not here: headers and addresses (`client`), messages (`turns`), how long to think (`thinking`).

use super::thinking::{self, Asked, Thinking};
use super::turns::{Said, Turn};
use crate::chat::{Parameter, ResponseFormat, Tool, ToolChoice};
use crate::provider::json::Json;
use crate::provider::{Error, Kind, Prompt};
use serde::Serialize;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    system_instruction: Option<Turn<'a>>,
    contents: Vec<Turn<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<[Tools<'a>; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_config: Option<ToolConfig<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<Config<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Tools<'a> {
    function_declarations: Vec<Offered<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Offered<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameters_json_schema: Option<Json>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ToolConfig<'a> {
    function_calling_config: Choice<'a>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Choice<'a> {
    mode: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    allowed_function_names: Option<[&'a str; 1]>,
}

#[derive(Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
struct Config<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<f64>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    stop_sequences: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<Json>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<Asked>,
}

/// Writes the body for `prompt`.
pub(super) fn body(prompt: &Prompt<'_>, way: Thinking) -> Result<Vec<u8>, Error> {
    let said = Said::new(prompt.messages, prompt.model)?;
    let tools = prompt.tools.iter().map(offered);
    let function_declarations = tools.collect::<Result<Vec<_>, _>>()?;
    let config = config(prompt, way)?;
    let body = Body {
        system_instruction: said.system,
        contents: said.turns,
        tool_config: choice(prompt).map(|choice| ToolConfig {
            function_calling_config: choice,
        }),
        tools: (!prompt.tools.is_empty()).then_some([Tools {
            function_declarations,
        }]),
        generation_config: (config != Config::default()).then_some(config),
    };
    serde_json::to_vec(&body).map_err(|_| Kind::InvalidRequest.into())
}

fn config<'a>(prompt: &Prompt<'a>, way: Thinking) -> Result<Config<'a>, Error> {
    let asked = prompt.generation;
    let says = |parameter| !prompt.leave_out.contains(parameter);
    let (response_mime_type, schema) = match prompt.response_format {
        ResponseFormat::Text => (None, None),
        ResponseFormat::JsonObject => (Some("application/json"), None),
        ResponseFormat::JsonSchema(schema) => (Some("application/json"), Some(parse(schema)?)),
    };
    let stop: &[String] = if says(Parameter::Stop) {
        &asked.stop
    } else {
        &[]
    };
    Ok(Config {
        max_output_tokens: prompt.max_output_tokens,
        temperature: asked.temperature.filter(|_| says(Parameter::Temperature)),
        top_p: asked.top_p.filter(|_| says(Parameter::TopP)),
        stop_sequences: stop,
        seed: asked.seed.filter(|_| says(Parameter::Seed)).map(low_bits),
        presence_penalty: asked
            .presence_penalty
            .filter(|_| says(Parameter::PresencePenalty)),
        frequency_penalty: asked
            .frequency_penalty
            .filter(|_| says(Parameter::FrequencyPenalty)),
        response_mime_type,
        response_json_schema: schema,
        thinking_config: thinking::asked(prompt, way),
    })
}

/// The seed that 32 bits can carry: equal seeds stay equal.
const fn low_bits(seed: i64) -> i32 {
    seed as i32
}

/// Which tool to call: a field that means nothing without tools.
fn choice<'a>(prompt: &Prompt<'a>) -> Option<Choice<'a>> {
    if prompt.tools.is_empty() || prompt.leave_out.contains(Parameter::ToolChoice) {
        return None;
    }
    let (mode, name) = match &prompt.generation.tool_choice {
        ToolChoice::Auto => return None,
        ToolChoice::None => ("NONE", None),
        ToolChoice::Required => ("ANY", None),
        ToolChoice::Named(name) => ("ANY", Some([name.as_str()])),
    };
    Some(Choice {
        mode,
        allowed_function_names: name,
    })
}

fn offered(tool: &Tool) -> Result<Offered<'_>, Error> {
    let schema = tool.parameters_json_schema.as_str();
    Ok(Offered {
        name: &tool.name,
        description: &tool.description,
        parameters_json_schema: (!schema.is_empty()).then(|| parse(schema)).transpose()?,
    })
}

fn parse(schema: &str) -> Result<Json, Error> {
    serde_json::from_str(schema).map_err(|_| Kind::InvalidRequest.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::{Effort, Generation, Message, Role};
    use crate::provider::testing::{golden, hi};

    const HI: &str = r#""contents":[{"role":"user","parts":[{"text":"hi"}]}]"#;

    fn check(prompt: &Prompt<'_>, expected: &str) {
        let written = body(prompt, Thinking::Budget).unwrap();
        golden(written, &expected.replace("HI", HI));
    }

    #[test]
    fn a_plain_question_says_nothing_that_was_not_asked() {
        let messages = hi();
        check(&Prompt::new("m", &messages), "{HI}");
        let instructed = [
            Message::text(Role::System, "be brief"),
            Message::text(Role::User, "hi"),
        ];
        check(
            &Prompt::new("m", &instructed),
            r#"{"systemInstruction":{"parts":[{"text":"be brief"}]},HI}"#,
        );
    }

    #[test]
    fn how_to_answer_is_said_in_the_dialects_words_and_what_may_be_left_out_is() {
        let messages = hi();
        let generation = Generation {
            temperature: Some(0.5),
            top_p: Some(0.9),
            stop: vec!["END".into()],
            seed: Some((1 << 32) + 7),
            presence_penalty: Some(1.0),
            frequency_penalty: Some(-1.0),
            effort: Some(Effort::Low),
            ..Generation::default()
        };
        let mut prompt = Prompt::new("m", &messages);
        prompt.generation = &generation;
        prompt.max_output_tokens = Some(64);
        check(
            &prompt,
            r#"{HI,"generationConfig":{"maxOutputTokens":64,"temperature":0.5,"topP":0.9,
            "stopSequences":["END"],"seed":7,"presencePenalty":1.0,"frequencyPenalty":-1.0,
            "thinkingConfig":{"thinkingBudget":1024,"includeThoughts":true}}}"#,
        );
        prompt.leave_out = generation.parameters();
        prompt.max_output_tokens = None;
        check(&prompt, "{HI}");
    }

    #[test]
    fn json_is_asked_for_by_form_or_by_schema() {
        let messages = hi();
        let mut prompt = Prompt::new("m", &messages);
        prompt.response_format = &ResponseFormat::JsonObject;
        check(
            &prompt,
            r#"{HI,"generationConfig":{"responseMimeType":"application/json"}}"#,
        );
        let schema = ResponseFormat::JsonSchema(r#"{"type":"object","z":1,"a":2}"#.into());
        prompt.response_format = &schema;
        check(
            &prompt,
            r#"{HI,"generationConfig":{"responseMimeType":"application/json",
            "responseJsonSchema":{"type":"object","z":1,"a":2}}}"#,
        );
        let broken = ResponseFormat::JsonSchema("{".into());
        prompt.response_format = &broken;
        let refused = body(&prompt, Thinking::Budget);
        assert_eq!(refused, Err(Kind::InvalidRequest.into()));
    }

    #[test]
    fn tools_are_offered_and_chosen() {
        let tools = [("find", r#"{"z":1,"a":2}"#), ("stop", "")].map(|(name, schema)| Tool {
            name: name.into(),
            description: "It does.".into(),
            parameters_json_schema: schema.into(),
        });
        let offered = r#""tools":[{"functionDeclarations":[
            {"name":"find","description":"It does.","parametersJsonSchema":{"z":1,"a":2}},
            {"name":"stop","description":"It does."}]}]"#;
        let chooses = |choice: ToolChoice, expected: &str| {
            let generation = Generation {
                tool_choice: choice,
                ..Generation::default()
            };
            let messages = hi();
            let mut prompt = Prompt::new("m", &messages);
            prompt.generation = &generation;
            check(&prompt, "{HI}");
            prompt.tools = &tools;
            let expected = match expected {
                "" => format!("{{HI,{offered}}}"),
                expected => format!(
                    r#"{{HI,{offered},"toolConfig":{{"functionCallingConfig":{expected}}}}}"#
                ),
            };
            check(&prompt, &expected);
        };
        chooses(ToolChoice::Auto, "");
        chooses(ToolChoice::None, r#"{"mode":"NONE"}"#);
        chooses(ToolChoice::Required, r#"{"mode":"ANY"}"#);
        chooses(
            ToolChoice::Named("find".into()),
            r#"{"mode":"ANY","allowedFunctionNames":["find"]}"#,
        );
    }
}
