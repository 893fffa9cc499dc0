//! Which keywords of a schema hold schemas.
//!
//! Invariants: every keyword that the validator follows into a subschema is here, for all drafts at once; a
//! keyword of another draft counts too, which errs on the safe side.
//!
//! Not here: what they demand of an answer (the validator), what they cost together (`shape`).

use serde_json::Value;

/// How a keyword's subschemas meet the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    /// One schema, or a list of them: all may meet the same value.
    All,
    /// A map of schemas: all may meet the same value.
    AllNamed,
    /// A list or map of schemas of which one value meets one.
    One,
    /// Schemas that stand ready for references, and meet nothing by themselves.
    Ready,
    /// The address of a schema.
    Address,
    /// A pattern.
    Pattern,
    /// No schema.
    Nothing,
}

/// What `keyword` holds.
pub(super) fn holds(keyword: &str, value: &Value) -> Holds {
    match keyword {
        "properties" | "prefixItems" => Holds::One,
        "items" if value.is_array() => Holds::One,
        "$defs" | "definitions" => Holds::Ready,
        "$ref" | "$dynamicRef" | "$recursiveRef" if value.is_string() => Holds::Address,
        "pattern" => Holds::Pattern,
        "patternProperties" | "dependentSchemas" | "dependencies" => Holds::AllNamed,
        "allOf"
        | "anyOf"
        | "oneOf"
        | "not"
        | "if"
        | "then"
        | "else"
        | "items"
        | "additionalItems"
        | "unevaluatedItems"
        | "contains"
        | "additionalProperties"
        | "unevaluatedProperties"
        | "propertyNames"
        | "contentSchema" => Holds::All,
        _ => Holds::Nothing,
    }
}

/// The schemas in the value of a keyword that has some.
pub(super) fn schemas(held: Holds, value: &Value) -> Vec<&Value> {
    match value {
        Value::Array(items) if held != Holds::AllNamed => items.iter().collect(),
        Value::Object(map) if held != Holds::All => map.values().collect(),
        other => vec![other],
    }
}

/// Whether the subschemas of a keyword meet the value that the keyword itself meets, not one within it.
pub(super) fn stays(keyword: &str) -> bool {
    matches!(
        keyword,
        "$ref"
            | "$dynamicRef"
            | "$recursiveRef"
            | "allOf"
            | "anyOf"
            | "oneOf"
            | "not"
            | "if"
            | "then"
            | "else"
            | "dependentSchemas"
            | "dependencies"
            | "contentSchema"
    )
}

/// Whether a keyword looks back at what its neighbours have checked, and has them checked again for it.
pub(super) fn looks_back(keyword: &str) -> bool {
    matches!(keyword, "unevaluatedProperties" | "unevaluatedItems")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(keyword: &str, value: Value, expected: (Holds, usize)) {
        let held = holds(keyword, &value);
        assert_eq!((held, schemas(held, &value).len()), expected, "{keyword}");
    }

    #[test]
    fn a_keyword_gives_its_subschemas() {
        check("allOf", json!([{}, {}]), (Holds::All, 2));
        check("not", json!({"a": 1, "b": 2}), (Holds::All, 1));
        check("properties", json!({"a": {}, "b": {}}), (Holds::One, 2));
        check("items", json!([{}, {}, {}]), (Holds::One, 3));
        check("items", json!({"type": "string"}), (Holds::All, 1));
        check(
            "dependencies",
            json!({"a": ["b", "c"]}),
            (Holds::AllNamed, 1),
        );
        check("$defs", json!({"a": {}}), (Holds::Ready, 1));
        check("enum", json!([{}, {}]), (Holds::Nothing, 2));
    }
}
