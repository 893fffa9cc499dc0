//! A JSON Schema as Anthropic's constrained answers take it.
//!
//! Invariants: what satisfies the narrowed schema in shape satisfies the caller's in shape: objects are
//! closed where they were open, alternatives stay alternatives. Limits of numbers and lengths, which the API
//! refuses, are dropped; the answer is checked against the caller's own schema (`validate`).
//!
//! Not here: schemas that refer to themselves (the API refuses them), whether the schema is sound.
//!
//! Source: "Structured outputs", JSON Schema limitations.

use crate::provider::json::Json;

/// Keywords that the API refuses, all of which only narrow.
const DROPPED: [&str; 12] = [
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "maxItems",
    "uniqueItems",
    "minProperties",
    "maxProperties",
    "$schema",
];

/// The schema that can be sent. `None` for one with objects whose keys are free, which the API cannot be
/// held to.
pub(super) fn narrowed(schema: Json) -> Option<Json> {
    let Json::Object(entries) = schema else {
        return Some(schema);
    };
    let named = entries.iter().any(|(key, _)| key == "properties");
    let is_object = named || is_object(&entries);
    let mut kept = Vec::with_capacity(entries.len() + 1);
    for (key, value) in entries {
        let value = match key.as_str() {
            word if DROPPED.contains(&word) => continue,
            "additionalProperties" if is_object => match value {
                Json::Bool(_) => continue,
                _ => return None,
            },
            "patternProperties" | "propertyNames" | "dependentSchemas" => return None,
            "properties" | "$defs" | "definitions" => each(value)?,
            "items" | "not" => narrowed(value)?,
            "anyOf" | "oneOf" | "allOf" => all(value)?,
            "minItems" => match value {
                Json::Number(least) if least.as_u64() != Some(0) => Json::Number(1.into()),
                other => other,
            },
            _ => value,
        };
        // One of several and any of several are told apart by the check.
        let key = if key == "oneOf" { "anyOf".into() } else { key };
        kept.push((key, value));
    }
    match (is_object, named) {
        (false, _) => {}
        (true, true) => kept.push(("additionalProperties".into(), Json::Bool(false))),
        (true, false) => return None,
    }
    Some(Json::Object(kept))
}

/// Whether `type` allows an object.
fn is_object(entries: &[(String, Json)]) -> bool {
    let said = entries.iter().find(|(key, _)| key == "type");
    said.is_some_and(|(_, value)| {
        let mut words = value.items().iter().chain([value]).filter_map(Json::as_str);
        words.any(|word| word == "object")
    })
}

/// Narrows the values of an object whose keys are names.
fn each(named: Json) -> Option<Json> {
    match named {
        Json::Object(entries) => {
            let each = entries.into_iter().map(|(k, v)| Some((k, narrowed(v)?)));
            each.collect::<Option<_>>().map(Json::Object)
        }
        other => Some(other),
    }
}

/// Narrows the items of an array.
fn all(schemas: Json) -> Option<Json> {
    match schemas {
        Json::Array(items) => items
            .into_iter()
            .map(narrowed)
            .collect::<Option<_>>()
            .map(Json::Array),
        other => Some(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, expected: Option<&str>) {
        let schema: Json = serde_json::from_str(schema).unwrap();
        let found = narrowed(schema).map(|schema| schema.to_text().unwrap());
        assert_eq!(found.as_deref(), expected);
    }

    #[test]
    fn objects_are_closed_at_every_depth_and_limits_dropped() {
        check(
            r#"{"type":"object","properties":{"z":{"type":"integer","minimum":1},"minimum":{"type":"string","minLength":2},"list":{"type":"array","minItems":3,"items":{"type":"object","properties":{}}}},"required":["z"]}"#,
            Some(
                r#"{"type":"object","properties":{"z":{"type":"integer"},"minimum":{"type":"string"},"list":{"type":"array","minItems":1,"items":{"type":"object","properties":{},"additionalProperties":false}}},"required":["z"],"additionalProperties":false}"#,
            ),
        );
        check(
            r#"{"oneOf":[{"type":"null"},{"properties":{"a":{"$ref":"X"}},"additionalProperties":true}]}"#,
            Some(
                r#"{"anyOf":[{"type":"null"},{"properties":{"a":{"$ref":"X"}},"additionalProperties":false}]}"#,
            ),
        );
        check(r#"{"enum":["a","b"]}"#, Some(r#"{"enum":["a","b"]}"#));
    }

    #[test]
    fn objects_with_free_keys_cannot_be_asked_for() {
        check(r#"{"type":"object"}"#, None);
        check(
            r#"{"type":"object","properties":{"map":{"type":["object","null"]}}}"#,
            None,
        );
        check(
            r#"{"type":"object","properties":{},"additionalProperties":{"type":"string"}}"#,
            None,
        );
    }
}
