//! Reads a body's JSON, and says where it is wrong without saying what stands there.
//!
//! Invariants: an error names line and column, or the field and what it may be; never a text of the body
//! (serde's own messages quote it).
//!
//! Not here: what fields there are.

use super::status::Failure;
use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error as _, Visitor};
use serde_json::error::Category;
use std::borrow::Cow;
use std::cell::Cell;
use std::fmt;

/// The field that is being read, for an error to name.
pub(super) type Place = Cell<&'static str>;

/// Reads `body` with `seed`, which keeps in `place` where it is; `allowed` says what a field may be.
pub(super) fn read<'a, S: DeserializeSeed<'a>>(
    body: &'a [u8],
    seed: S,
    place: &Place,
    allowed: fn(&str) -> &'static str,
) -> Result<S::Value, Failure> {
    let text = std::str::from_utf8(body).map_err(|error| Failure::NotUtf8 {
        at: error.valid_up_to(),
    })?;
    let mut reader = serde_json::Deserializer::from_str(text);
    let read = seed.deserialize(&mut reader);
    let read = read.and_then(|value| reader.end().map(|()| value));
    read.map_err(|error| {
        let (line, column) = (error.line(), error.column());
        if error.classify() != Category::Data {
            return Failure::NotJson { line, column };
        }
        let field = place.get();
        let problem = format!(
            "has the wrong form at line {line} column {column}: allowed {}",
            allowed(field)
        );
        Failure::field(if field.is_empty() { "body" } else { field }, problem)
    })
}

/// The name of a field: borrowed where it is written without escapes.
pub(super) struct Key<'a>(pub(super) Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(KeyVisitor)
    }
}

struct KeyVisitor;

impl<'de> Visitor<'de> for KeyVisitor {
    type Value = Key<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Key<'de>, E> {
        Ok(Key(Cow::Owned(text.to_owned())))
    }
}

/// A text, or several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Texts(pub(super) Vec<String>);

impl<'de> Deserialize<'de> for Texts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text or a list of texts")
    }

    fn visit_str<E>(self, text: &str) -> Result<Texts, E> {
        Ok(Texts(vec![text.to_owned()]))
    }

    fn visit_string<E>(self, text: String) -> Result<Texts, E> {
        Ok(Texts(vec![text]))
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<Texts, A::Error> {
        /// Far above every limit that a list of texts has: what is refused later is not gathered first.
        const MOST: usize = 65_536;
        let mut texts = Vec::new();
        while let Some(text) = list.next_element()? {
            if texts.len() == MOST {
                return Err(A::Error::custom("too many"));
            }
            texts.push(text);
        }
        Ok(Texts(texts))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::marker::PhantomData;

    fn check(body: &[u8], expected: Result<&[&str], &str>) {
        let place = Place::new("stop");
        let allowed = |_: &str| "a text or a list of texts";
        let found = read(body, PhantomData::<Texts>, &place, allowed);
        let found = found
            .map(|texts| texts.0)
            .map_err(|failure| failure.to_string());
        let expected = expected.map(|texts| texts.iter().map(ToString::to_string).collect());
        assert_eq!(found, expected.map_err(str::to_owned));
    }

    #[test]
    fn a_text_or_a_list_of_texts_is_read() {
        check(b"\"a\"", Ok(&["a"]));
        check(b"[\"a\",\"b\\n\"]", Ok(&["a", "b\n"]));
    }

    #[test]
    fn an_error_says_where_and_never_what() {
        let object = "allowed one JSON object";
        check(
            b"[\"secret\"",
            Err(&format!(
                "the body is not JSON at line 1 column 9: {object}"
            )),
        );
        check(
            b"\"secret\" x",
            Err(&format!(
                "the body is not JSON at line 1 column 10: {object}"
            )),
        );
        check(
            b"[\n{\"secret\":1}]",
            Err("stop: has the wrong form at line 2 column 0: allowed a text or a list of texts"),
        );
        check(
            b"\"a\xff\"",
            Err("the body is not UTF-8 from byte 2 on: allowed JSON in UTF-8"),
        );
    }
}
