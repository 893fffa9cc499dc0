//! JSON text without what is to be redacted: it stays JSON, and what is not redacted keeps its bytes.
//!
//! Texts and names of fields are looked into as they are without their escapes; a number in which something is found
//! becomes a text. What a field with a name such as `password` holds is found by that name.
//!
//! Invariants: valid JSON stays valid; what is not JSON is redacted as plain text; no escape keeps a text from being
//! looked into, one that means no letter (half of a pair) neither.
//!
//! Not here: what is found (`redactor`).

use super::kind::{Kind, Kinds};
use super::redactor::{Redacted, Redactor, redacted};
use super::token::is_named_secret;
use serde::de::IgnoredAny;
use std::ops::Range;

impl Redactor {
    /// As [`Redactor::text`], of JSON.
    pub fn json(&self, text: &str) -> Option<Redacted> {
        if !is_json(text) {
            return self.text(text);
        }
        let (mut out, mut kinds, mut from) = (String::new(), Kinds::NONE, 0);
        let mut name: Option<(String, usize)> = None;
        for range in tokens(text) {
            let raw = text.get(range.clone()).unwrap_or_default();
            let is_text = raw.starts_with('"');
            let plain = if is_text {
                unescaped(raw)
            } else {
                raw.to_owned()
            };
            let named = name.take().filter(|(_, at)| is_text && *at == range.start);
            let found = self.scalar(named.as_ref().map(|(name, _)| name.as_str()), &plain);
            if let Some(found) = found {
                // A text is always JSON.
                let written = serde_json::to_string(&found.text).unwrap_or_default();
                out.push_str(text.get(from..range.start).unwrap_or_default());
                out.push_str(&written);
                kinds = kinds.and(found.kinds);
                from = range.end;
            }
            name = value_after(text, range.end).map(|at| (plain, at));
        }
        if kinds.is_empty() {
            return None;
        }
        out.push_str(text.get(from..).unwrap_or_default());
        Some(Redacted { kinds, text: out })
    }

    /// One text or number, which is what the field of this name holds.
    fn scalar(&self, name: Option<&str>, plain: &str) -> Option<Redacted> {
        let is_secret = self.kinds().has(Kind::AssignedSecret)
            && name.is_some_and(|name| is_named_secret(name, plain));
        let mut found = self.find(plain);
        let told = matches!(found.as_slice(), [(_, range)] if *range == (0..plain.len()));
        if is_secret && !told {
            found = vec![(Kind::AssignedSecret, 0..plain.len())];
        }
        redacted(plain, &found)
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

/// Where the value begins, if what ends here is the name of a field.
fn value_after(text: &str, end: usize) -> Option<usize> {
    let rest = text.get(end..)?;
    let value = rest.trim_ascii_start().strip_prefix(':')?;
    Some(text.len() - value.trim_ascii_start().len())
}

/// What a text in quotes says. Halves of pairs become U+FFFD.
fn unescaped(raw: &str) -> String {
    let mut rest = raw.strip_prefix('"').unwrap_or(raw);
    rest = rest.strip_suffix('"').unwrap_or(rest);
    let mut said = String::with_capacity(rest.len());
    while let Some((plain, escape)) = rest.split_once('\\') {
        said.push_str(plain);
        rest = escape;
        let (mut units, mut after) = (Vec::new(), rest);
        while let Some((unit, behind)) = unit(after) {
            units.push(unit);
            rest = behind;
            after = behind.strip_prefix('\\').unwrap_or_default();
        }
        let letters = char::decode_utf16(units.iter().copied());
        said.extend(letters.map(|one| one.unwrap_or(char::REPLACEMENT_CHARACTER)));
        let mut letters = rest.chars();
        if units.is_empty() {
            said.extend(letters.next().map(escaped));
            rest = letters.as_str();
        }
    }
    said.push_str(rest);
    said
}

/// The unit of UTF-16 that `uXXXX` writes, and what follows.
fn unit(text: &str) -> Option<(u16, &str)> {
    let digits = text.strip_prefix('u')?;
    let unit = u16::from_str_radix(digits.get(..4)?, 16).ok()?;
    Some((unit, digits.get(4..)?))
}

/// The letter that one letter behind a backslash writes.
fn escaped(letter: char) -> char {
    match letter {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        letter => letter,
    }
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
    fn half_of_a_pair_hides_nothing() {
        check(
            r#"{"a":"\ud83d alice\u0040example.com"}"#,
            Some("{\"a\":\"\u{fffd} [REDACTED:EMAIL]\"}"),
        );
        check(
            r#"{"password":"hunter2","x":"\ud83d\nbob@x.com"}"#,
            Some(
                "{\"password\":\"[REDACTED:ASSIGNED_SECRET]\",\"x\":\"\u{fffd}\\n[REDACTED:EMAIL]\"}",
            ),
        );
        check(r#"{"a":"\ud83d"}"#, None);
    }

    #[test]
    fn a_text_is_read_as_serde_reads_it() {
        let raw = r#""a\"\\\/\b\f\n\r\t\u00e4\ud83e\udd80\u0040ü\\u0041""#;
        assert_eq!(unescaped(raw), serde_json::from_str::<String>(raw).unwrap());
    }

    #[test]
    fn no_sign_or_escape_keeps_a_part_of_a_secret() {
        let secret = r#"{"n": 1, "password": "[REDACTED:ASSIGNED_SECRET]"}"#;
        for value in [
            "P@$$w0rd1",
            "Xy7,kQ9z-very",
            "correct horse 9 Battery",
            "Abcdef12;restOfSecret9",
            r#"a\"b\n9 cd"#,
            "hunter2 bob@example.com",
        ] {
            let text = format!(r#"{{"n": 1, "password": "{value}"}}"#);
            check(&text, Some(secret));
        }
        check(secret, None);
        check(
            r#"{"p\u0061ssword" : "hunter2"}"#,
            Some(r#"{"p\u0061ssword" : "[REDACTED:ASSIGNED_SECRET]"}"#),
        );
        check(
            r#"{"password": {"hunter2": 7}, "a": ["token", "b2c3d4"]}"#,
            None,
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
