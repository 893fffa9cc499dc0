//! The smallest JSON that a JSON Schema plainly asks for: what the simulated provider answers when a
//! schema or a tool asks for JSON.
//!
//! Invariants: deterministic; at most [`MAX_VALUES`] values and [`MAX_DEPTH`] levels, whatever the
//! schema; every property stands in the schema's order.
//!
//! Not here: the keywords `pattern`, `format`, `multipleOf`, `not`, `if`, and the merging of `allOf`:
//! the answer of a simulation is plausible, not proven (`validate` checks answers).
//!
//! Source: JSON Schema 2020-12, validation vocabulary, sections 6.1 to 6.5.

use super::json::Json;

const MAX_VALUES: usize = 1000;
const MAX_DEPTH: usize = 16;
const MAX_REPEAT: usize = 64;

/// A value for `schema`; an object where the schema says nothing.
pub(super) fn sample(schema: &Json) -> Json {
    let mut sampler = Sampler {
        root: schema,
        values_left: MAX_VALUES,
    };
    match sampler.value(schema, 0) {
        object @ Json::Object(_) => object,
        other if schema.get("type").is_some() => other,
        _ => Json::Object(Vec::new()),
    }
}

struct Sampler<'a> {
    root: &'a Json,
    values_left: usize,
}

impl<'a> Sampler<'a> {
    fn value(&mut self, schema: &'a Json, depth: usize) -> Json {
        let spent = self.values_left == 0 || depth > MAX_DEPTH;
        self.values_left = self.values_left.saturating_sub(1);
        if spent {
            return Json::Null;
        }
        if let Some(value) = schema.get("const") {
            return value.clone();
        }
        if let Some(value) = schema.get("enum").and_then(|e| e.items().first()) {
            return value.clone();
        }
        if let Some(target) = schema.get("$ref").and_then(|r| self.resolve(r)) {
            return self.value(target, depth + 1);
        }
        for choice in ["anyOf", "oneOf", "allOf"] {
            if let Some(first) = schema.get(choice).and_then(|c| c.items().first()) {
                return self.value(first, depth + 1);
            }
        }
        match kind(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, depth),
            "integer" | "number" => number(schema),
            "boolean" => Json::Bool(true),
            "null" => Json::Null,
            _ => text(schema),
        }
    }

    /// A reference inside this document, `#/$defs/name`.
    fn resolve(&self, reference: &Json) -> Option<&'a Json> {
        let path = reference.as_str()?.strip_prefix('#')?;
        path.split('/')
            .skip(1)
            .try_fold(self.root, |at, key| at.get(key))
    }

    fn object(&mut self, schema: &'a Json, depth: usize) -> Json {
        let mut entries = Vec::new();
        if let Some(Json::Object(properties)) = schema.get("properties") {
            for (key, property) in properties {
                entries.push((key.clone(), self.value(property, depth + 1)));
            }
        }
        let required = schema.get("required").map_or(&[][..], Json::items);
        for key in required.iter().filter_map(Json::as_str) {
            if entries.iter().all(|(k, _)| k != key) {
                entries.push((key.to_owned(), Json::Text("text".into())));
            }
        }
        Json::Object(entries)
    }

    fn array(&mut self, schema: &'a Json, depth: usize) -> Json {
        let Some(items) = schema.get("items") else {
            return Json::Array(Vec::new());
        };
        let count = count(schema, "minItems").clamp(1, MAX_REPEAT);
        Json::Array((0..count).map(|_| self.value(items, depth + 1)).collect())
    }
}

fn kind(schema: &Json) -> &str {
    let said = schema.get("type");
    let first = said.and_then(|t| t.as_str().or_else(|| t.items().first()?.as_str()));
    first.unwrap_or_else(|| {
        if schema.get("properties").is_some() || schema.get("required").is_some() {
            "object"
        } else if schema.get("items").is_some() {
            "array"
        } else {
            "string"
        }
    })
}

fn count(schema: &Json, key: &str) -> usize {
    match schema.get(key) {
        Some(Json::Number(n)) => n.as_u64().and_then(|n| n.try_into().ok()).unwrap_or(0),
        _ => 0,
    }
}

/// The least number allowed, else the greatest, else 0.
fn number(schema: &Json) -> Json {
    let bound = |key, step: i64| match schema.get(key) {
        Some(Json::Number(n)) => Some(
            n.as_i64()
                .map_or_else(|| n.clone(), |whole| whole.saturating_add(step).into()),
        ),
        _ => None,
    };
    let number = bound("minimum", 0)
        .or_else(|| bound("exclusiveMinimum", 1))
        .or_else(|| bound("maximum", 0))
        .or_else(|| bound("exclusiveMaximum", -1));
    Json::Number(number.unwrap_or_else(|| 0.into()))
}

fn text(schema: &Json) -> Json {
    let least = count(schema, "minLength").min(MAX_REPEAT * 4);
    let mut text = "text".repeat(least.div_ceil(4).max(1));
    if let Some(Json::Number(most)) = schema.get("maxLength") {
        text.truncate(most.as_u64().and_then(|n| n.try_into().ok()).unwrap_or(0));
    }
    Json::Text(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expected: &str) {
        let schema: Json = serde_json::from_str(schema).unwrap();
        assert_eq!(serde_json::to_string(&sample(&schema)).unwrap(), expected);
    }

    #[test]
    fn an_object_has_its_properties_in_the_schemas_order() {
        check(
            r#"{"type":"object","required":["extra"],"properties":{
                "why":{"type":"string","minLength":6},
                "answer":{"enum":["yes","no"]},
                "score":{"type":"integer","minimum":3},
                "sure":{"type":["boolean","null"]},
                "steps":{"type":"array","minItems":2,"items":{"type":"number","maximum":1.5}}}}"#,
            r#"{"why":"texttext","answer":"yes","score":3,"sure":true,"steps":[1.5,1.5],"extra":"text"}"#,
        );
        check("{}", "{}");
        check("true", "{}");
        check(r#"{"type":"array","items":{"const":4}}"#, "[4]");
    }

    #[test]
    fn references_are_followed_and_a_schema_of_itself_ends() {
        check(
            r##"{"$ref":"#/$defs/a","$defs":{"a":{"type":"object","properties":{"n":{"type":"null"}}}}}"##,
            r#"{"n":null}"#,
        );
        let endless = r##"{"type":"object","properties":{"a":{"$ref":"#"},"b":{"$ref":"#"}}}"##;
        let schema: Json = serde_json::from_str(endless).unwrap();
        let text = serde_json::to_string(&sample(&schema)).unwrap();
        assert!(text.len() < 100_000, "{} bytes", text.len());
    }
}
