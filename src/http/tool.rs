//! Tools and the form of the answer, as OpenAI's body has them.
//!
//! Invariants: at most 256 tools, names unique; a schema is one JSON object, kept to the letter.
//!
//! Not here: which tool to call (`generation`).

use crate::chat::{ResponseFormat, Tool};
use crate::field::Fields;
use crate::path::Path;
use crate::route::Request;
use serde::Deserialize;
use serde_json::value::RawValue;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// One tool as it was said.
#[derive(Debug, Deserialize)]
pub(super) struct SaidTool<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    function: Option<SaidFunction<'a>>,
}

#[derive(Debug, Deserialize)]
struct SaidFunction<'a> {
    name: String,
    description: Option<String>,
    #[serde(borrow)]
    parameters: Option<&'a RawValue>,
    strict: Option<bool>,
}

/// The form of the answer as it was said.
#[derive(Debug, Deserialize)]
pub(super) struct SaidFormat<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    json_schema: Option<SaidSchema<'a>>,
}

#[derive(Debug, Deserialize)]
struct SaidSchema<'a> {
    #[serde(borrow)]
    schema: Option<&'a RawValue>,
    strict: Option<bool>,
}

/// The tools on offer, and whether any is to be held strictly.
pub(super) fn tools(fields: &mut Fields, said: Vec<SaidTool<'_>>) -> (Vec<Tool>, bool) {
    let at = Path::Root.field("tools");
    if !fields.count(at, said.len(), 0..=Request::MAX_TOOLS) {
        return (Vec::new(), false);
    }
    let mut names = BTreeSet::new();
    let (mut tools, mut strict) = (Vec::with_capacity(said.len()), false);
    for (i, tool) in said.into_iter().enumerate() {
        let at = at.index(i);
        let function = tool.function.filter(|_| tool.kind == "function");
        let Some(function) = function else {
            let problem = "is unknown, or lacks its function: allowed function";
            fields.refuse(at.field("type"), problem);
            continue;
        };
        let at = at.field("function");
        let name = fields.name(at.field("name"), &function.name);
        if name.is_some_and(|name| !names.insert(name)) {
            fields.refuse(at.field("name"), "is given twice: allowed once");
        }
        let schema = function
            .parameters
            .map(|raw| schema(fields, at.field("parameters"), raw));
        strict |= function.strict == Some(true);
        tools.push(Tool {
            name: function.name,
            description: function.description.unwrap_or_default(),
            parameters_json_schema: schema.unwrap_or_default(),
        });
    }
    (tools, strict)
}

/// The form of the answer, and whether it is to be held strictly.
pub(super) fn format(fields: &mut Fields, said: Option<SaidFormat<'_>>) -> (ResponseFormat, bool) {
    let at = Path::Root.field("response_format");
    let Some(said) = said else {
        return (ResponseFormat::Text, false);
    };
    match (&*said.kind, said.json_schema) {
        ("text", _) => (ResponseFormat::Text, false),
        ("json_object", _) => (ResponseFormat::JsonObject, false),
        (
            "json_schema",
            Some(SaidSchema {
                schema: Some(raw),
                strict,
            }),
        ) => {
            let text = schema(fields, at.field("json_schema").field("schema"), raw);
            (ResponseFormat::JsonSchema(text), strict == Some(true))
        }
        ("json_schema", _) => {
            fields.refuse(
                at.field("json_schema").field("schema"),
                "is absent: required",
            );
            (ResponseFormat::Text, false)
        }
        _ => {
            let problem = "is unknown: allowed text, json_object, json_schema";
            fields.refuse(at.field("type"), problem);
            (ResponseFormat::Text, false)
        }
    }
}

/// A schema's text: it has been read as JSON, so what is left to see is that it is an object.
fn schema(fields: &mut Fields, at: Path<'_>, raw: &RawValue) -> String {
    if !raw.get().starts_with('{') {
        fields.refuse(at, "is not a JSON Schema: allowed one JSON object");
    }
    raw.get().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::status::testing::violations;

    fn read<'a, T: Deserialize<'a>>(json: &'a str) -> T {
        serde_json::from_str(json).unwrap()
    }

    fn check(json: &str, bad: &[&str]) {
        let mut fields = Fields::default();
        tools(&mut fields, read(json));
        let found = fields
            .finish(Some(()))
            .map_or_else(violations, |()| Vec::new());
        assert_eq!(found, bad);
    }

    #[test]
    fn tools_keep_their_schemas_to_the_letter() {
        let mut fields = Fields::default();
        let said = r#"[{"type":"function","function":{"name":"find","strict":true,"parameters":{ "type" : "object" }}}]"#;
        let (found, strict) = tools(&mut fields, read(said));
        assert_eq!(found[0].parameters_json_schema, r#"{ "type" : "object" }"#);
        assert!(strict);
        check(
            r#"[{"type":"web_search"},{"type":"function","function":{"name":"","parameters":[]}}]"#,
            &[
                "tools[0].type: is unknown, or lacks its function: allowed function",
                "tools[1].function.name: is empty: allowed 1 to 128 printable characters",
                "tools[1].function.parameters: is not a JSON Schema: allowed one JSON object",
            ],
        );
        let twice = r#"{"type":"function","function":{"name":"a"}}"#;
        check(
            &format!("[{twice},{twice}]"),
            &["tools[1].function.name: is given twice: allowed once"],
        );
        check(
            &format!("[{}]", vec![twice; 10_000].join(",")),
            &["tools: has 10000 entries: allowed 0 to 256"],
        );
    }

    #[test]
    fn the_form_of_the_answer_is_read() {
        let form = |json: &str| {
            let mut fields = Fields::default();
            let found = format(&mut fields, Some(read(json)));
            fields.finish(Some(found)).map_err(violations)
        };
        assert_eq!(
            form(r#"{"type":"text"}"#),
            Ok((ResponseFormat::Text, false))
        );
        assert_eq!(
            form(r#"{"type":"json_object"}"#),
            Ok((ResponseFormat::JsonObject, false))
        );
        assert_eq!(
            form(
                r#"{"type":"json_schema","json_schema":{"name":"a","strict":true,"schema":{"type":"object"}}}"#
            ),
            Ok((
                ResponseFormat::JsonSchema(r#"{"type":"object"}"#.into()),
                true
            ))
        );
        let absent = "response_format.json_schema.schema: is absent: required";
        assert_eq!(
            form(r#"{"type":"json_schema"}"#),
            Err(vec![absent.to_owned()])
        );
        let unknown = "response_format.type: is unknown: allowed text, json_object, json_schema";
        assert_eq!(form(r#"{"type":"grammar"}"#), Err(vec![unknown.to_owned()]));
    }
}
