//! Where the references of a schema lead.
//!
//! Invariants: what a reference may lead to is among what [`Index::targets`] gives, and may be less than that:
//! where names are used twice, all that bear one are given. Nothing outside of the schema is ever given.
//!
//! Not here: which of them it is (the validator resolves by the rules of the draft).
//!
//! Units: none.

use super::error::{Rule, SchemaError};
use serde_json::Value;

/// The names in a schema.
pub(super) struct Index<'a> {
    /// The document, and each subschema with an `$id`.
    resources: Vec<(&'a str, &'a Value)>,
    anchors: Vec<(&'a str, &'a Value)>,
}

impl<'a> Index<'a> {
    /// Reads the names in `document`, and counts its members and items.
    pub(super) fn read(document: &'a Value) -> Result<Self, SchemaError> {
        let mut index = Self {
            resources: vec![("", document)],
            anchors: Vec::new(),
        };
        let mut keywords = 0_u64;
        let mut left = vec![document];
        while let Some(value) = left.pop() {
            match value {
                Value::Array(items) => {
                    keywords += items.len() as u64;
                    left.extend(items);
                }
                Value::Object(map) => {
                    keywords += map.len() as u64;
                    index.note(value)?;
                    left.extend(map.values());
                }
                _ => {}
            }
            Rule::Keywords.hold(keywords)?;
        }
        Rule::Resources.hold(index.resources.len() as u64 - 1)?;
        Ok(index)
    }

    fn note(&mut self, schema: &'a Value) -> Result<(), SchemaError> {
        let named = |keyword: &str| schema.get(keyword).and_then(Value::as_str);
        if let Some(draft) = named("$schema")
            && !is_known(draft)
        {
            return Err(SchemaError::Dialect);
        }
        if let Some(id) = named("$id") {
            match id.strip_prefix('#') {
                Some(anchor) => self.anchors.push((anchor, schema)),
                // Escapes in an id could make two spellings of one name.
                None if id.contains('%') => return Err(SchemaError::Remote),
                None => self.resources.push((last_segment(id), schema)),
            }
        }
        let anchors = ["$anchor", "$dynamicAnchor"].into_iter().filter_map(named);
        self.anchors.extend(anchors.map(|name| (name, schema)));
        Ok(())
    }

    /// All that `address` may lead to: one or more.
    pub(super) fn targets(&self, address: &str) -> Result<Vec<&'a Value>, SchemaError> {
        let (base, fragment) = address.split_once('#').unwrap_or((address, ""));
        let last = last_segment(base);
        let crooked = base.contains('%') || last == "." || last == "..";
        // A reference without a base stays in its resource, which may be any of them.
        let resources: Vec<&'a Value> = self
            .resources
            .iter()
            .filter(|(id, _)| base.is_empty() || (!id.is_empty() && *id == last))
            .map(|(_, schema)| *schema)
            .collect();
        if crooked || resources.is_empty() {
            return Err(SchemaError::Remote);
        }
        let mut found: Vec<&'a Value> = Vec::new();
        if fragment.is_empty() {
            found = resources;
        } else if fragment.starts_with('/') {
            let pointer = unescaped(fragment).ok_or(SchemaError::Dangling)?;
            found.extend(resources.iter().filter_map(|r| r.pointer(&pointer)));
        } else {
            let same = self.anchors.iter().filter(|(name, _)| *name == fragment);
            found.extend(same.map(|(_, schema)| *schema));
        }
        found.sort_by_key(|schema| std::ptr::from_ref(*schema) as usize);
        found.dedup_by_key(|schema| std::ptr::from_ref(*schema) as usize);
        if found.is_empty() {
            return Err(SchemaError::Dangling);
        }
        Ok(found)
    }
}

/// Whether `uri` names a draft that we read. Draft 4 has another word for `$id`, and is not.
fn is_known(uri: &str) -> bool {
    let uri = uri.trim_end_matches('#');
    let name = uri.strip_prefix("https://").or(uri.strip_prefix("http://"));
    matches!(
        name,
        Some(
            "json-schema.org/draft-06/schema"
                | "json-schema.org/draft-07/schema"
                | "json-schema.org/draft/2019-09/schema"
                | "json-schema.org/draft/2020-12/schema"
        )
    )
}

/// What stays of an address however it is resolved.
fn last_segment(address: &str) -> &str {
    let address = address.trim_end_matches('#');
    address.rsplit('/').next().unwrap_or(address)
}

/// A fragment without its percent escapes.
fn unescaped(fragment: &str) -> Option<String> {
    let mut bytes = fragment.bytes();
    let mut plain = Vec::with_capacity(fragment.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            plain.push(byte);
            continue;
        }
        let mut digit = || char::from(bytes.next()?).to_digit(16);
        let code = digit()? * 16 + digit()?;
        plain.push(u8::try_from(code).ok()?);
    }
    String::from_utf8(plain).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(address: &str, expected: Result<usize, SchemaError>) {
        let schema = json!({
            "$id": "https://example.org/root.json",
            "$defs": {
                "a/b%": {"$anchor": "here"},
                "inner": {"$id": "inner.json", "$defs": {"x": {}, "y": {"$anchor": "here"}}},
            }
        });
        let index = Index::read(&schema).unwrap();
        let found = index.targets(address).map(|found| found.len());
        assert_eq!(found, expected, "{address}");
    }

    #[test]
    fn a_reference_leads_into_the_schema_or_is_refused() {
        check("#", Ok(2));
        check("#/$defs/inner", Ok(1));
        check("#/$defs/a~1b%25", Ok(1));
        check("#here", Ok(2));
        check("inner.json", Ok(1));
        check("https://example.org/inner.json#/$defs/x", Ok(1));
        check("#/$defs/none", Err(SchemaError::Dangling));
        check("#there", Err(SchemaError::Dangling));
        check("#/%f", Err(SchemaError::Dangling));
        check("https://example.org/other.json", Err(SchemaError::Remote));
        check("file:///etc/passwd", Err(SchemaError::Remote));
        check("inner%2ejson", Err(SchemaError::Remote));
        check("..", Err(SchemaError::Remote));
    }

    #[test]
    fn a_dialect_that_we_do_not_read_is_refused_wherever_it_is_named() {
        let read = |uri: &str| {
            let schema = json!({"$defs": {"a": {"$schema": uri}}});
            Index::read(&schema).map(|_| ())
        };
        assert_eq!(read("http://json-schema.org/draft-07/schema#"), Ok(()));
        let four = "http://json-schema.org/draft-04/schema#";
        assert_eq!(read(four), Err(SchemaError::Dialect));
        assert_eq!(read("https://example.org/own"), Err(SchemaError::Dialect));
    }
}
