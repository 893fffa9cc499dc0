//! JSON text without what is to be redacted: it stays JSON, and what is not redacted keeps its bytes.
//!
//! Texts and names of fields are looked into as they are without their escapes; a number in which something is found
//! becomes a text. What is assigned to a name (`"password": "..."`) is found across the two.
//!
//! Invariants: valid JSON stays valid; what is not JSON is redacted as plain text.
//!
//! Not here: what is found (`redactor`).

use super::kind::Kinds;
use super::redactor::{Redacted, Redactor, redacted};
use serde::de::IgnoredAny;
use std::ops::Range;

impl Redactor {
    /// As [`Redactor::text`], of JSON.
    pub fn json(&self, text: &str) -> Option<Redacted> {
        if !is_json(text) {
            return self.text(text);
        }
        let (scalars, kinds) = self.scalars(text);
        let text = scalars.as_deref().unwrap_or(text);
        let (across, more) = self.across(text);
        let kinds = kinds.and(more);
        let text = across.or(scalars)?;
        Some(Redacted { kinds, text })
    }

    /// Each text and number by itself.
    fn scalars(&self, text: &str) -> (Option<String>, Kinds) {
        let (mut out, mut kinds, mut from) = (String::new(), Kinds::NONE, 0);
        for range in tokens(text) {
            let raw = text.get(range.clone()).unwrap_or_default();
            let plain: String = match raw.starts_with('"') {
                true => serde_json::from_str(raw).unwrap_or_default(),
                false => raw.to_owned(),
            };
            let Some(found) = self.text(&plain) else {
                continue;
            };
            // A text is always JSON.
            let written = serde_json::to_string(&found.text).unwrap_or_default();
            out.push_str(text.get(from..range.start).unwrap_or_default());
            out.push_str(&written);
            kinds = kinds.and(found.kinds);
            from = range.end;
        }
        if kinds.is_empty() {
            return (None, kinds);
        }
        out.push_str(text.get(from..).unwrap_or_default());
        (Some(out), kinds)
    }

    /// What is known only by what stands before it: in the whole text, and within one text of it.
    fn across(&self, text: &str) -> (Option<String>, Kinds) {
        let mut found = self.find(text);
        if found.is_empty() {
            return (None, Kinds::NONE);
        }
        let inside: Vec<Range<usize>> = tokens(text)
            .filter(|range| {
                text.get(range.clone())
                    .is_some_and(|raw| raw.starts_with('"'))
            })
            .map(|range| range.start + 1..range.end - 1)
            .collect();
        found.retain(|(_, range)| {
            let after = inside.partition_point(|text| text.end < range.end);
            inside
                .get(after)
                .is_some_and(|text| text.start <= range.start)
        });
        match redacted(text, &found) {
            Some(found) if is_json(&found.text) => (Some(found.text), found.kinds),
            _ => (None, Kinds::NONE),
        }
    }
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Where the texts (with their quotes) and numbers of valid JSON stand.
fn tokens(text: &str) -> impl Iterator<Item = Range<usize>> {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        let skipped = bytes.get(at..)?.iter().position(|b| token(*b))?;
        let start = at + skipped;
        let rest = bytes.get(start..)?;
        let length = match rest.first() {
            Some(b'"') => quoted(rest),
            _ => rest.iter().take_while(|b| number(**b)).count(),
        };
        at = start + length;
        Some(start..at)
    })
}

fn token(byte: u8) -> bool {
    byte == b'"' || byte == b'-' || byte.is_ascii_digit()
}

fn number(byte: u8) -> bool {
    byte.is_ascii_digit() || matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E')
}

/// The length of a text in quotes that begins here.
fn quoted(bytes: &[u8]) -> usize {
    let mut escaped = false;
    for (at, byte) in bytes.iter().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::redaction::Kind;

    fn check(json: &str, expected: Option<&str>) {
        let found = Redactor::whole().json(json).map(|found| found.text);
        assert_eq!(found.as_deref(), expected, "{json}");
    }

    #[test]
    fn json_stays_json_and_the_rest_keeps_its_bytes() {
        check(
            r#"{ "z": 1.50, "to": "alice@example.com", "a": [1e3] }"#,
            Some(r#"{ "z": 1.50, "to": "[REDACTED:EMAIL]", "a": [1e3] }"#),
        );
        check(
            r#"{"card": 4111111111111111}"#,
            Some(r#"{"card": "[REDACTED:CREDIT_CARD]"}"#),
        );
        check(
            r#"{"alice@example.com": true}"#,
            Some(r#"{"[REDACTED:EMAIL]": true}"#),
        );
        check(r#"{"a": [1, 2.5, "x \" y"], "b": null}"#, None);
    }

    #[test]
    fn escapes_hide_nothing() {
        check(
            r#"{"to": "alice\u0040example.com\nregards"}"#,
            Some(r#"{"to": "[REDACTED:EMAIL]\nregards"}"#),
        );
    }

    #[test]
    fn a_secret_is_found_by_the_field_that_it_stands_in() {
        check(
            r#"{"password": "hunter2", "n": 1}"#,
            Some(r#"{"password": "[REDACTED:ASSIGNED_SECRET]", "n": 1}"#),
        );
    }

    #[test]
    fn what_is_not_json_is_plain_text() {
        check(
            r#"{"to": "alice@example.com""#,
            Some(r#"{"to": "[REDACTED:EMAIL]""#),
        );
    }

    #[test]
    fn kinds_that_are_not_looked_for_stay() {
        let cards = Redactor::new(Kinds::NONE.with(Kind::CreditCard));
        assert_eq!(cards.json(r#"{"to": "alice@example.com"}"#), None);
    }
}
