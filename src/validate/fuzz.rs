//! Schemas, answers and patterns, changed at random.
//!
//! Not here: anything outside tests.

use super::pattern::Pattern;
use super::schema::Schema;
use super::{json, repair};
use crate::fuzz::fuzz as fuzzed;

const SCHEMAS: [&str; 3] = [
    r##"{"type":"object","properties":{"name":{"type":"string","pattern":"^[a-z]+$","maxLength":8},"items":{"type":"array","items":{"$ref":"#/$defs/item"},"uniqueItems":true}},"required":["name"],"additionalProperties":false,"$defs":{"item":{"anyOf":[{"type":"integer","minimum":0},{"enum":["a",null]},{"$ref":"#"}]}}}"##,
    r#"{"oneOf":[{"const":1},{"not":{"type":"string"}},{"if":{"type":"number"},"then":{"multipleOf":0.1},"else":false}]}"#,
    "true",
];
const ANSWERS: [&str; 4] = [
    r#"{"name":"abc","items":[1,"a",null,{"name":"b"}]}"#,
    "Here it is:\n```json\n{\"name\": \"abc\", \"items\": [1, 2,\n```",
    "[1, 1.5e3, -0, \"\\u00e9\\ud83d\\ude00\", true, {}]",
    "plain words",
];

#[test]
fn fuzz_schemas() {
    let values: Vec<_> = ANSWERS
        .iter()
        .filter_map(|answer| json::parse(answer).ok())
        .collect();
    fuzzed("schemas", 1_000, &SCHEMAS.map(str::as_bytes), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(schema) = Schema::compile(&text) {
            for value in &values {
                drop(schema.check(value));
            }
        }
    });
}

#[test]
fn fuzz_answers() {
    let schema = Schema::compile(SCHEMAS[0]).unwrap_or_else(|_| panic!("a schema"));
    fuzzed("answers", 2_000, &ANSWERS.map(str::as_bytes), |bytes| {
        let text = String::from_utf8_lossy(bytes);
        if let Ok(value) = json::parse(&text) {
            drop(schema.check(&value));
        }
        if let Some(repaired) = repair(&text) {
            assert!(
                json::parse(&repaired).is_ok(),
                "what is repaired can be read: {repaired}"
            );
        }
    });
}

#[test]
fn fuzz_patterns() {
    let inputs = ["^(a|b)+\\d{2,5}$", "(?i)todo[^x]*\\p{L}", "\\bword\\b"];
    fuzzed("patterns", 1_000, &inputs.map(str::as_bytes), |bytes| {
        if let Ok(pattern) = Pattern::new(&String::from_utf8_lossy(bytes)) {
            let _ = pattern.found_in(&"ab".repeat(500));
        }
    });
}
