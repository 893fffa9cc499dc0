//! A JSON document that keeps its keys in the order they were written.
//!
//! Why not `serde_json::Value`: it sorts keys, and models fill a schema's properties in the order in
//! which they stand, so that sorting a caller's schema changes the answer.
//!
//! Invariants: at most 127 levels deep (the parser's own limit); a key written twice is kept twice.
//!
//! Not here: what a schema means (`sample` reads a little of it, for the simulated provider only).

use super::{Error, Kind};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, Serializer};
use std::fmt;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    Array(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The value of a key of an object.
    pub(super) fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Self::Object(entries) => entries.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The arguments of a tool call, which dialects want as an object: none for an empty text; what is no
    /// object (a model can write such, and its caller shows it back) under the name `arguments`.
    pub(super) fn arguments(text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(object @ Self::Object(_)) => object,
            _ if text.trim().is_empty() => Self::Object(Vec::new()),
            _ => Self::Object(vec![("arguments".to_owned(), Self::Text(text.to_owned()))]),
        }
    }

    /// As JSON text, without white space.
    pub(super) fn to_text(&self) -> Result<String, Error> {
        serde_json::to_string(self).map_err(|_| Kind::Malformed.into())
    }

    /// The text of a string.
    pub(super) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The items of an array; none for anything else.
    pub(super) fn items(&self) -> &[Json] {
        match self {
            Self::Array(items) => items,
            _ => &[],
        }
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Number(value) => value.serialize(serializer),
            Self::Text(value) => serializer.serialize_str(value),
            Self::Array(items) => serializer.collect_seq(items),
            Self::Object(entries) => serializer.collect_map(entries.iter().map(|(k, v)| (k, v))),
        }
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(Json::Number(value.into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Json, E> {
        serde_json::Number::from_f64(value)
            .map(Json::Number)
            .ok_or_else(|| E::custom("a number is not finite"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json, E> {
        Ok(Json::Text(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Json, E> {
        Ok(Json::Text(value))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element()? {
            items.push(item);
        }
        Ok(Json::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut entries = Vec::new();
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(Json::Object(entries))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str) {
        let json: Json = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&json).unwrap(), text);
    }

    #[test]
    fn a_document_comes_back_with_its_keys_in_their_order() {
        check(r#"{"z":1,"a":{"y":[true,null,-2,0.5,"é"],"b":18446744073709551615}}"#);
        check(r#"[]"#);
        check(r#"{}"#);
    }

    #[test]
    fn arguments_are_always_an_object() {
        let text = |arguments| Json::arguments(arguments).to_text().unwrap();
        assert_eq!(text(r#"{"q": 1}"#), r#"{"q":1}"#);
        assert_eq!(text(" "), "{}");
        assert_eq!(text(r#"{"q"#), r#"{"arguments":"{\"q"}"#);
        assert_eq!(text("[1]"), r#"{"arguments":"[1]"}"#);
    }

    #[test]
    fn a_document_too_deep_is_refused_and_not_a_crash() {
        let deep = "[".repeat(100_000);
        assert!(serde_json::from_str::<Json>(&deep).is_err());
    }
}
