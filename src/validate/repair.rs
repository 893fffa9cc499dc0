//! JSON that is nearly right made right.
//!
//! What is mended: a Markdown fence around the whole; words before the first bracket and behind the one that
//! closes it, where no second document stands there; commas before a closing bracket; and a document that was cut
//! off at its end and begins with the text (or the fence), which is closed behind its last whole value. Nothing
//! else: no missing quotes, no comments, no single quotes.
//!
//! Invariants: the result is strict JSON; a value that was whole keeps its bytes; only the text that the end cut
//! may be shorter than it was meant to be, and half a number is left out rather than taken for another. A
//! cut document without a single whole value is not mended, for there is nothing to keep.
//!
//! Not here: whether the result is what was asked for (`mend`).
//!
//! Units: bytes.

use super::json;
use super::scan::{Read, read};
use serde_json::Value;

/// Mends `text`, or gives None: it is JSON already, or cannot be mended.
///
/// ```
/// use bellwether::validate::repair;
/// assert_eq!(repair("```json\n{\"a\": 1,}\n```").as_deref(), Some("{\"a\": 1}"));
/// assert_eq!(repair("{\"a\": [1, \"tw").as_deref(), Some("{\"a\": [1, \"tw\"]}"));
/// assert_eq!(repair("{\"a\": 1}"), None);
/// ```
pub fn repair(text: &str) -> Option<String> {
    mended(text, true)
}

/// As [`repair`], but a document that was cut off is not closed: what the model was about to say is not for us to
/// guess where it is acted upon.
pub(super) fn repair_whole(text: &str) -> Option<String> {
    mended(text, false)
}

fn mended(text: &str, close: bool) -> Option<String> {
    if json::parse(text).is_ok() {
        return None;
    }
    let body = without_fence(text.trim());
    if body.len() < text.trim().len() && json::parse(body).is_ok() {
        return Some(body.to_owned());
    }
    // Brackets in a text that was cut are its words.
    if body.starts_with('"') {
        return None;
    }
    let start = body.find(BRACKETS)?;
    match read(body.get(start..)?)? {
        Read::Whole(found, rest) => {
            let alone = !rest.contains(BRACKETS);
            (alone && json::parse(&found).is_ok()).then_some(found)
        }
        Read::Cut(found) => {
            let kept = close && start == 0 && has_something(&json::parse(&found).ok()?);
            kept.then_some(found)
        }
    }
}

const BRACKETS: [char; 2] = ['{', '['];

fn has_something(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.iter().any(has_something),
        Value::Object(map) => map.values().any(has_something),
        _ => true,
    }
}

/// What is within a Markdown fence around the whole text; the text where there is none. The closing fence
/// may be missing.
fn without_fence(text: &str) -> &str {
    let Some(fenced) = text.strip_prefix("```") else {
        return text;
    };
    let Some((language, body)) = fenced.split_once('\n') else {
        return text;
    };
    if !language.trim().chars().all(char::is_alphanumeric) {
        return text;
    }
    let body = body.trim();
    body.strip_suffix("```").unwrap_or(body).trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(repair(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn a_fence_around_the_whole_is_taken_off() {
        check("```json\n{\"a\":1}\n```", Some("{\"a\":1}"));
        check("```\n[1]\n```\n", Some("[1]"));
        check("```JSON\n42\n```", Some("42"));
        check("``` json\n{\"a\":\"```\"}\n```", Some("{\"a\":\"```\"}"));
        check("```{\"a\":1}```", Some("{\"a\":1}"));
    }

    #[test]
    fn words_around_one_document_are_taken_off() {
        check("Here it is: {\"a\":1}. Anything else?", Some("{\"a\":1}"));
        check("Sure!\n```json\n{\"a\":1}\n```\nBye", Some("{\"a\":1}"));
        check("See [1]: {\"a\":1}", None);
        check("{\"a\":1} {\"b\":2}", None);
        check("no brackets", None);
    }

    #[test]
    fn trailing_commas_are_taken_out() {
        check("{\"a\":[1,2,],}", Some("{\"a\":[1,2]}"));
        check("[\"a,]\",]", Some("[\"a,]\"]"));
    }

    #[test]
    fn a_cut_document_is_closed_where_something_of_it_is_whole() {
        check("{\"a\":1,\"b\":\"x", Some("{\"a\":1,\"b\":\"x\"}"));
        check("```json\n{\"a\":1,\"b\":[", Some("{\"a\":1,\"b\":[]}"));
        check("{\"a\":12", None);
        check("\"a [1] b", None);
        check("{\"a\":{", None);
        check("I think {\"a\":1", None);
        assert_eq!(repair_whole("{\"a\":\"x"), None);
        assert_eq!(repair_whole("{\"a\":1,}").as_deref(), Some("{\"a\":1}"));
    }

    #[test]
    fn what_is_too_deep_is_not_mended() {
        check(&"[".repeat(100_000), None);
        check(&("[".repeat(100_000) + "1,"), None);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,8}|[\"\\\\\\n{}\\[\\],:]{0,6}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 24, 5, |inner| {
            let key = "[a-c\"\\\\{}é]{0,3}";
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..5)
                    .prop_map(|members| members.into_iter().collect::<Value>()),
            ]
        })
    }

    /// Whether `part` is `whole` with its end cut off.
    fn is_part(part: &Value, whole: &Value) -> bool {
        match (part, whole) {
            (Value::Object(part), Value::Object(whole)) => part
                .iter()
                .all(|(key, value)| whole.get(key).is_some_and(|w| is_part(value, w))),
            (Value::Array(part), Value::Array(whole)) => {
                part.len() <= whole.len() && part.iter().zip(whole).all(|(p, w)| is_part(p, w))
            }
            (Value::String(part), Value::String(whole)) => whole.starts_with(part.as_str()),
            (part, whole) => part == whole,
        }
    }

    proptest! {
        #[test]
        fn json_needs_no_repair(value in value()) {
            prop_assert_eq!(repair(&value.to_string()), None);
            prop_assert_eq!(repair(&format!("{value:#}")), None);
        }

        #[test]
        fn a_document_that_is_cut_anywhere_is_mended_to_a_part_of_itself_or_not_at_all(
            value in value(), pretty in any::<bool>()
        ) {
            let text = if pretty { format!("{value:#}") } else { value.to_string() };
            for (at, _) in text.char_indices() {
                if let Some(mended) = repair(&text[..at]) {
                    let part: Value = serde_json::from_str(&mended).unwrap();
                    prop_assert!(is_part(&part, &value), "{} of {}", mended, text);
                }
            }
        }

        #[test]
        fn a_document_in_a_fence_or_among_words_is_found_as_it_was(value in value()) {
            let text = value.to_string();
            let fenced = format!("```json\n{text}\n```");
            prop_assert_eq!(repair(&fenced), Some(text.clone()));
            if value.is_object() || value.is_array() {
                prop_assert_eq!(repair(&format!("Here: {text} (end)")), Some(text));
            }
        }

        #[test]
        fn whatever_the_bytes_a_repair_is_json(
            bytes in prop_oneof![
                prop::collection::vec(any::<u8>(), 0..64),
                "[\\[\\]{}\",:\\\\u0-9a-f `\n-]{0,40}".prop_map(String::into_bytes),
            ]
        ) {
            let text = String::from_utf8_lossy(&bytes);
            if let Some(mended) = repair(&text) {
                prop_assert!(serde_json::from_str::<Value>(&mended).is_ok(), "{}", mended);
                prop_assert_eq!(repair(&mended), None);
            }
        }
    }
}
