//! One compiled JSON Schema.
//!
//! Invariants: it was within every [`Rule`] before it was compiled; its patterns run in linear time; validating
//! fetches nothing and uses a bounded stack. Whether an answer is valid is found first, by the road that
//! remembers; where it is not, the places are looked for only if that is known to be cheap.
//!
//! Not here: keeping it (`cache`).
//!
//! Units: bytes; levels of [`Shape`].

use super::check::{Reason, Violation};
use super::error::{Rule, SchemaError};
use super::json;
use super::shape::Shape;
use jsonschema::{PatternOptions, ValidationError, Validator};
use serde_json::Value;

/// Largest compiled form of one pattern, in bytes, and of what it remembers while it matches.
const PATTERN_BYTES: usize = 256 * 1024;
/// Subschemas on the stack at once. Without optimisation a thread of 2 MiB takes 700 while it looks for places,
/// and over 1,000 while it only validates; half of that is left to the callers.
const STACK: u64 = 400;
/// Checks up to which the places of violations are looked for.
const LOCATED: u64 = 1_000_000;

/// A compiled schema.
pub(super) struct Schema {
    validator: Validator,
    shape: Shape,
    text_bytes: usize,
}

impl Schema {
    /// Checks the limits, then compiles.
    pub(super) fn compile(text: &str) -> Result<Self, SchemaError> {
        Rule::Bytes.hold(text.len() as u64)?;
        Rule::Depth.hold(u64::from(json::depth(text)))?;
        let document: Value = serde_json::from_str(text).map_err(|error| SchemaError::NotJson {
            line: error.line(),
            column: error.column(),
        })?;
        let shape = Shape::of(&document)?;
        let patterns = PatternOptions::regex()
            .size_limit(PATTERN_BYTES)
            .dfa_size_limit(PATTERN_BYTES);
        let built = jsonschema::options()
            .offline()
            .with_pattern_options(patterns)
            .should_validate_formats(false)
            .build(&document);
        Ok(Self {
            validator: built.map_err(|error| invalid(&error))?,
            shape,
            text_bytes: text.len(),
        })
    }

    /// Bytes that it holds, estimated: 16 for each of its text, and a quarter of the limit for each pattern.
    pub(super) fn weight(&self) -> usize {
        let patterns = usize::try_from(self.shape.patterns).unwrap_or(usize::MAX);
        let patterns = patterns.saturating_mul(PATTERN_BYTES / 4);
        2048 + self.text_bytes * 16 + patterns
    }

    /// Validates.
    pub(super) fn check(&self, value: &Value) -> Result<(), Reason> {
        let (depth, values) = json::extent(value);
        if self.shape.stack_of(depth) > STACK {
            return Err(Reason::TooDeep);
        }
        if self.validator.is_valid(value) {
            return Ok(());
        }
        let mut found = Vec::new();
        if self.shape.checks_of(depth, values) <= LOCATED {
            let errors = self.validator.iter_errors(value).take(Violation::NAMED);
            found.extend(errors.map(|error| {
                Violation::new(error.instance_path().as_str(), error.kind().keyword())
            }));
        }
        Err(Reason::Violations(found))
    }
}

fn invalid(error: &ValidationError<'_>) -> SchemaError {
    let place = Violation::new(error.instance_path().as_str(), error.kind().keyword());
    SchemaError::Invalid {
        path: match place.path {
            path if path.is_empty() => "the root".to_owned(),
            path => path,
        },
        keyword: place.keyword,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(schema: &str, answer: &str, expected: &[(&str, &str)]) {
        let schema = Schema::compile(schema).unwrap();
        let found = match schema.check(&json::parse(answer).unwrap()) {
            Ok(()) => Vec::new(),
            Err(Reason::Violations(found)) => {
                assert!(!found.is_empty());
                found
            }
            Err(other) => panic!("{other}"),
        };
        let found: Vec<(&str, &str)> = found
            .iter()
            .map(|place| (place.path.as_str(), place.keyword.as_str()))
            .collect();
        assert_eq!(found, expected, "{answer}");
    }

    fn refused(schema: &str) -> SchemaError {
        Schema::compile(schema).map(|_| ()).unwrap_err()
    }

    #[test]
    fn an_answer_that_breaks_the_schema_is_told_where_and_by_which_keyword() {
        let schema = r#"{"type":"object","required":["n"],"additionalProperties":false,
            "properties":{"n":{"type":"integer","minimum":1},"s":{"enum":["a","b"]}}}"#;
        check(schema, r#"{"n":1,"s":"a"}"#, &[]);
        check(schema, "{}", &[("", "required")]);
        check(
            schema,
            r#"{"n":0,"s":"c"}"#,
            &[("/n", "minimum"), ("/s", "enum")],
        );
        check(schema, r#"{"n":1,"x":1}"#, &[("", "additionalProperties")]);
        check("false", "1", &[("", "falseSchema")]);
    }

    #[test]
    fn at_most_five_places_are_named() {
        let item = |n: usize| (["/0", "/1", "/2", "/3", "/4"][n], "type");
        let expected: Vec<_> = (0..5).map(item).collect();
        check(
            r#"{"items":{"type":"string"}}"#,
            "[1,2,3,4,5,6,7]",
            &expected,
        );
    }

    #[test]
    fn formats_are_notes_in_every_draft() {
        check(r#"{"format":"date"}"#, r#""soon""#, &[]);
        let seven = r#"{"$schema":"http://json-schema.org/draft-07/schema#","format":"date"}"#;
        check(seven, r#""soon""#, &[]);
    }

    #[test]
    fn references_within_a_schema_are_followed() {
        let schema = r##"{"$id":"https://example.org/root","$defs":{"i":{"$id":"inner","type":"integer"}},
            "properties":{"a":{"$ref":"inner"},"b":{"$ref":"#/$defs/i"}}}"##;
        check(schema, r#"{"a":1,"b":2}"#, &[]);
        check(schema, r#"{"a":"x","b":2}"#, &[("/a", "type")]);
    }

    #[test]
    fn a_recursive_schema_validates_a_recursive_answer() {
        let schema = r##"{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##;
        check(schema, r#"{"next":{"next":{}}}"#, &[]);
        check(schema, r#"{"next":{"next":1}}"#, &[("/next/next", "type")]);
        assert_eq!(refused(r##"{"$ref":"#"}"##), SchemaError::Loop);
    }

    #[test]
    fn a_schema_that_leads_out_is_refused() {
        let remote = r#"{"properties":{"a":{"$ref":"https://example.org/schema.json"}}}"#;
        assert_eq!(refused(remote), SchemaError::Remote);
        let unused = r#"{"$defs":{"a":{"$ref":"file:///etc/passwd"}}}"#;
        assert_eq!(refused(unused), SchemaError::Remote);
        let hidden = r#"{"enum":[1],"x":{"$ref":"https://example.org/schema.json"}}"#;
        assert!(Schema::compile(hidden).is_ok());
    }

    #[test]
    fn a_schema_beyond_a_limit_is_refused_by_its_name() {
        let limit = |rule, found| SchemaError::Limit { rule, found };
        let long = format!("{{\"description\":\"{}\"}}", "x".repeat(300 * 1024));
        assert_eq!(refused(&long), limit(Rule::Bytes, long.len() as u64));
        let deep = "{\"not\":".repeat(100) + "{}" + &"}".repeat(100);
        assert_eq!(refused(&deep), limit(Rule::Depth, 101));
        let brackets = "[".repeat(200_000);
        assert_eq!(refused(&brackets), limit(Rule::Depth, 200_000));
        let wide = format!("{{\"enum\":[{}0]}}", "0,".repeat(10_000));
        assert_eq!(refused(&wide), limit(Rule::Keywords, 10_002));
    }

    #[test]
    fn what_is_no_schema_is_refused() {
        assert_eq!(refused("{"), SchemaError::NotJson { line: 1, column: 1 });
        let invalid = |path: &str, keyword: &str| SchemaError::Invalid {
            path: path.into(),
            keyword: keyword.into(),
        };
        assert_eq!(
            refused(r#"{"properties":{"a":{"type":"text"}}}"#),
            invalid("/properties/a/type", "anyOf")
        );
        assert!(matches!(refused("\"text\""), SchemaError::Invalid { .. }));
        assert!(matches!(
            refused(r#"{"pattern":"(?=a)"}"#),
            SchemaError::Invalid { .. }
        ));
        assert!(matches!(
            refused(r#"{"pattern":"(\\p{L}{100}){100}"}"#),
            SchemaError::Invalid { .. }
        ));
    }

    #[test]
    fn a_pattern_that_ruins_backtracking_engines_ends_on_a_long_answer() {
        let answer = format!("\"{}!\"", "a".repeat(100_000));
        check(r#"{"pattern":"^(a+)+$"}"#, &answer, &[("", "pattern")]);
        check(r#"{"pattern":"(a+)+$"}"#, &answer, &[("", "pattern")]);
    }

    #[test]
    fn branches_that_recur_twice_end_on_a_deep_answer() {
        let twice = r##"{"items":{"allOf":[{"$ref":"#"},{"$ref":"#"}]},"type":"array"}"##;
        let nested = |depth: usize, leaf: &str| "[".repeat(depth) + leaf + &"]".repeat(depth);
        check(twice, &nested(100, ""), &[]);
        let schema = Schema::compile(twice).unwrap();
        let wrong = json::parse(&nested(100, "1")).unwrap();
        assert_eq!(schema.check(&wrong), Err(Reason::Violations(Vec::new())));
        let either = r##"{"anyOf":[{"type":"array","items":{"$ref":"#"}},
            {"type":"object","additionalProperties":{"$ref":"#"}},{"type":"string"}]}"##;
        check(either, r#"[["a",{"b":["c"]}]]"#, &[]);
        check(either, r#"[["a",{"b":[1]}]]"#, &[("", "anyOf")]);
    }

    #[test]
    fn the_tallest_schema_and_the_deepest_answer_fit_the_stack() {
        let mut schema =
            String::from(r##"{"$ref":"#/$defs/d0","$defs":{"d250":{"type":"object"}"##);
        for link in 0..250 {
            let next = link + 1;
            schema += &format!(r##","d{link}":{{"$ref":"#/$defs/d{next}"}}"##);
        }
        schema += "}}";
        check(&schema, "{}", &[]);
        check(&schema, "[]", &[("", "type")]);
        let list = r##"{"type":"array","items":{"anyOf":[{"$ref":"#"},{"allOf":[{"allOf":[{"$ref":"#"}]}]}]}}"##;
        let list = Schema::compile(list).unwrap();
        let nested = |depth: usize, leaf: &str| "[".repeat(depth) + leaf + &"]".repeat(depth);
        let value = json::parse(&nested(78, "")).unwrap();
        assert_eq!(list.check(&value), Ok(()));
        let list = r##"{"type":"array","items":{"$ref":"#"}}"##;
        check(list, &nested(127, ""), &[]);
    }

    #[test]
    fn no_keyword_makes_a_recursion_multiply() {
        let array = |leaf: &str| "[".repeat(60) + leaf + &"]".repeat(60);
        let object = |leaf: &str| "{\"a\":".repeat(60) + leaf + &"}".repeat(60);
        for schema in [
            r##"{"$dynamicAnchor":"n","type":["array","object"],
                "items":{"allOf":[{"$dynamicRef":"#n"},{"$dynamicRef":"#n"}]},
                "properties":{"a":{"allOf":[{"$dynamicRef":"#n"},{"$dynamicRef":"#n"}]}}}"##,
            r##"{"$schema":"https://json-schema.org/draft/2019-09/schema","$recursiveAnchor":true,
                "type":["array","object"],
                "items":{"allOf":[{"$recursiveRef":"#"},{"$recursiveRef":"#"}]},
                "properties":{"a":{"allOf":[{"$recursiveRef":"#"},{"$recursiveRef":"#"}]}}}"##,
            r##"{"allOf":[{"contains":{"$ref":"#"},"minContains":0}],"unevaluatedItems":{"$ref":"#"},
                "properties":{"a":{"anyOf":[{"$ref":"#"},{"$ref":"#"}]}},
                "unevaluatedProperties":{"$ref":"#"},"type":["array","object"]}"##,
            r##"{"if":{"items":{"$ref":"#"},"additionalProperties":{"$ref":"#"}},
                "then":{"items":{"$ref":"#"},"patternProperties":{"a":{"$ref":"#"}}},
                "else":{"items":{"$ref":"#"},"properties":{"a":{"$ref":"#"}}},
                "type":["array","object"]}"##,
            r##"{"oneOf":[{"items":{"$ref":"#"}},{"items":{"$ref":"#"}},{"properties":{"a":{"$ref":"#"}}},
                {"dependentSchemas":{"a":{"properties":{"a":{"$ref":"#"}}}}}]}"##,
            r##"{"not":{"items":{"$ref":"#"}},"allOf":[{"not":{"properties":{"a":{"$ref":"#"}}}}]}"##,
        ] {
            let schema = Schema::compile(schema).unwrap();
            for answer in [array(""), array("1"), object("{}"), object("1")] {
                let found = schema.check(&json::parse(&answer).unwrap());
                assert_ne!(found, Err(Reason::TooDeep));
            }
        }
    }

    #[test]
    fn the_stack_holds_what_the_limit_lets_through() {
        let nested = |depth: usize, leaf: &str| "[".repeat(depth) + leaf + &"]".repeat(depth);
        for opening in ["\"allOf\":[{", "\"anyOf\":[false,{", "\"oneOf\":[false,{"] {
            let tall = opening.repeat(28) + r##""items":{"$ref":"#"}"## + &"}]".repeat(28);
            for rest in ["", r#","unevaluatedItems":false"#, r#","type":"array""#] {
                let schema = Schema::compile(&format!("{{{tall}{rest}}}")).unwrap();
                let levels = u32::try_from(STACK / schema.shape.level.height).unwrap() - 2;
                assert!(schema.shape.stack_of(levels) <= STACK);
                for leaf in ["", "1"] {
                    let answer = json::parse(&nested(levels as usize, leaf)).unwrap();
                    assert_ne!(schema.check(&answer), Err(Reason::TooDeep));
                }
            }
        }
    }

    #[test]
    fn an_answer_too_deep_for_a_tall_recursion_is_told_so() {
        let tall = "{\"allOf\":[".repeat(30) + r##"{"$ref":"#"}"## + &"]}".repeat(30);
        let schema = format!("{{\"items\":{tall}}}");
        let schema = Schema::compile(&schema).unwrap();
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(schema.check(&json::parse(&nested(9)).unwrap()), Ok(()));
        let deep = json::parse(&nested(100)).unwrap();
        assert_eq!(schema.check(&deep), Err(Reason::TooDeep));
    }
}
