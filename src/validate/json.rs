//! JSON read strictly, and how deep and large it is.
//!
//! Invariants: what is parsed is at most [`DEPTH`] deep, so that walking and dropping it need little stack.
//!
//! Not here: JSON that is nearly right (`repair`).
//!
//! Units: depth counts brackets within one another; `[]` is 1 deep and `1` is 0.

use super::check::Reason;
use serde_json::Value;

/// Brackets within one another that the parser takes.
pub(super) const DEPTH: u32 = 127;

/// Reads one JSON value.
pub(super) fn parse(text: &str) -> Result<Value, Reason> {
    serde_json::from_str(text).map_err(|error| {
        if depth(text) > DEPTH {
            return Reason::TooDeep;
        }
        Reason::NotJson {
            line: error.line(),
            column: error.column(),
        }
    })
}

/// How deep brackets outside of strings are nested, read from the text alone.
pub(super) fn depth(text: &str) -> u32 {
    let (mut depth, mut deepest) = (0_u32, 0);
    let (mut quoted, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' | b'[' if !quoted => {
                depth = depth.saturating_add(1);
                deepest = deepest.max(depth);
            }
            b'}' | b']' if !quoted => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// How deep a value is, and how many values it has with itself.
pub(super) fn extent(value: &Value) -> (u32, u64) {
    let (mut deepest, mut values) = (0, 0_u64);
    let mut left = vec![(value, 0_u32)];
    while let Some((value, depth)) = left.pop() {
        values += 1;
        deepest = deepest.max(depth + u32::from(value.is_array() || value.is_object()));
        match value {
            Value::Array(items) => left.extend(items.iter().map(|item| (item, depth + 1))),
            Value::Object(map) => left.extend(map.values().map(|item| (item, depth + 1))),
            _ => {}
        }
    }
    (deepest, values)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: (u32, u64)) {
        let value = parse(text).unwrap();
        assert_eq!(extent(&value), expected, "{text}");
        assert_eq!(depth(text), expected.0, "{text}");
    }

    #[test]
    fn brackets_in_strings_are_no_depth() {
        check("1", (0, 1));
        check("[]", (1, 1));
        check(r#"{"a":[1,{"b":"[[\"[["}]}"#, (3, 5));
    }

    #[test]
    fn an_answer_of_a_hundred_thousand_brackets_is_too_deep() {
        let text = "[".repeat(100_000);
        assert_eq!(depth(&text), 100_000);
        assert_eq!(parse(&text), Err(Reason::TooDeep));
        assert_eq!(parse(&(text + &"]".repeat(100_000))), Err(Reason::TooDeep));
    }

    #[test]
    fn the_depth_that_the_parser_takes_is_the_one_stated() {
        let nested = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert!(parse(&nested(DEPTH as usize)).is_ok());
        assert_eq!(parse(&nested(DEPTH as usize + 1)), Err(Reason::TooDeep));
        assert_eq!(parse("[1"), Err(Reason::NotJson { line: 1, column: 2 }));
    }
}
