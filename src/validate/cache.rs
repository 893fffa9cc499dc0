//! Compiled schemas, kept.
//!
//! Invariants: at most so many, and so many bytes by our count; the one that was longest unused goes first. A
//! schema is found by its text, compared whole: two texts that share a hash do not share a schema. The lock is
//! held for a look or an insertion, never while a schema is compiled; who asks for one that another is
//! compiling compiles it too.
//!
//! Not here: what a schema may contain (`schema`). A schema that is refused is not kept: it costs its
//! first fault each time.
//!
//! Units: bytes, estimated by [`Schema::weight`].

use super::error::{SchemaError, Unfit};
use super::schema::Schema;
use crate::chat::{ResponseFormat, Tool};
use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use xxhash_rust::xxh3::xxh3_128;

/// Compiled JSON Schemas, shared by all requests.
pub struct Validators {
    kept: Mutex<Kept>,
    schemas: usize,
    bytes: usize,
}

/// What is in the cache.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Held {
    /// Schemas.
    pub schemas: usize,
    /// Bytes, estimated.
    pub bytes: usize,
}

#[derive(Default)]
struct Kept {
    slots: HashMap<u128, Slot>,
    bytes: usize,
    uses: u64,
}

struct Slot {
    text: Box<str>,
    schema: Arc<Schema>,
    bytes: usize,
    used: u64,
}

impl Default for Validators {
    fn default() -> Self {
        Self::new(Self::SCHEMAS, Self::BYTES)
    }
}

impl Validators {
    /// Schemas kept by default.
    pub const SCHEMAS: usize = 1024;
    /// Bytes kept by default.
    pub const BYTES: usize = 64 << 20;

    /// Keeps at most `schemas` schemas of `bytes` estimated bytes together.
    pub fn new(schemas: usize, bytes: usize) -> Self {
        Self {
            kept: Mutex::default(),
            schemas,
            bytes,
        }
    }

    /// That answers can be checked against what is asked; for the edge, before a model is asked. Compiles
    /// and keeps each schema.
    pub fn accept(&self, format: &ResponseFormat, tools: &[Tool]) -> Result<(), Unfit> {
        if let ResponseFormat::JsonSchema(text) = format {
            self.get(text).map_err(|error| Unfit {
                field: "response_format.json_schema".to_owned(),
                error,
            })?;
        }
        for (index, tool) in tools.iter().enumerate() {
            let text = &tool.parameters_json_schema;
            if !text.is_empty() {
                self.get(text).map_err(|error| Unfit {
                    field: format!("tools[{index}].parameters_json_schema"),
                    error,
                })?;
            }
        }
        Ok(())
    }

    /// What is kept.
    pub fn held(&self) -> Held {
        let kept = self.lock();
        Held {
            schemas: kept.slots.len(),
            bytes: kept.bytes,
        }
    }

    /// The compiled form of `text`.
    pub(super) fn get(&self, text: &str) -> Result<Arc<Schema>, SchemaError> {
        let key = xxh3_128(text.as_bytes());
        if let Some(found) = self.lock().find(key, text) {
            return Ok(found);
        }
        let schema = Arc::new(Schema::compile(text)?);
        let mut kept = self.lock();
        kept.insert(key, text, Arc::clone(&schema));
        while kept.slots.len() > self.schemas || kept.bytes > self.bytes {
            if !kept.forget_oldest() {
                break;
            }
        }
        Ok(schema)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Each change of a cache leaves it whole, so that a panic of another holder breaks nothing.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&mut self, key: u128, text: &str) -> Option<Arc<Schema>> {
        self.uses += 1;
        let slot = self.slots.get_mut(&key)?;
        if &*slot.text != text {
            return None;
        }
        slot.used = self.uses;
        Some(Arc::clone(&slot.schema))
    }

    fn insert(&mut self, key: u128, text: &str, schema: Arc<Schema>) {
        self.uses += 1;
        let bytes = schema.weight();
        let slot = Slot {
            text: text.into(),
            schema,
            bytes,
            used: self.uses,
        };
        self.bytes += bytes;
        if let Some(before) = self.slots.insert(key, slot) {
            self.bytes = self.bytes.saturating_sub(before.bytes);
        }
    }

    /// Lets go of the one that was longest unused. Looks at all: a microsecond in a thousand, beside the
    /// forty that the compilation before it took.
    fn forget_oldest(&mut self) -> bool {
        let oldest = self.slots.iter().min_by_key(|(_, slot)| slot.used);
        let Some(key) = oldest.map(|(key, _)| *key) else {
            return false;
        };
        if let Some(gone) = self.slots.remove(&key) {
            self.bytes = self.bytes.saturating_sub(gone.bytes);
        }
        true
    }
}

impl fmt::Debug for Validators {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Validators")
            .field("schemas", &self.schemas)
            .field("bytes", &self.bytes)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(validators: &Validators, texts: &[&str], expected: usize) {
        for text in texts {
            validators.get(text).unwrap();
        }
        let held = validators.held();
        assert_eq!(held.schemas, expected);
        assert!(held.bytes <= validators.bytes);
    }

    #[test]
    fn a_schema_is_compiled_once_and_shared() {
        let validators = Validators::default();
        let text = r#"{"type":"object"}"#;
        let first = validators.get(text).unwrap();
        assert!(Arc::ptr_eq(&first, &validators.get(text).unwrap()));
        check(&validators, &[text, "{}", "true"], 3);
    }

    #[test]
    fn the_schema_that_was_longest_unused_goes_first() {
        let validators = Validators::new(2, 1 << 20);
        let first = validators.get("true").unwrap();
        check(&validators, &["false", "true", "{}"], 2);
        assert!(Arc::ptr_eq(&first, &validators.get("true").unwrap()));
        check(&validators, &["false"], 2);
    }

    #[test]
    fn ten_thousand_schemas_keep_the_cache_bounded() {
        let validators = Validators::default();
        for number in 0..10_000 {
            validators.get(&format!(r#"{{"const":{number}}}"#)).unwrap();
        }
        check(&validators, &[], Validators::SCHEMAS);
    }

    #[test]
    fn the_bound_on_bytes_holds_beside_the_one_on_number() {
        let one = Schema::compile("{}").unwrap().weight();
        let validators = Validators::new(100, 3 * one);
        check(&validators, &["{}", "{} ", " {}", "true", "false"], 2);
        check(&Validators::new(100, 1), &["{}"], 0);
    }

    #[test]
    fn two_texts_of_one_hash_do_not_share_a_schema() {
        let mut kept = Kept::default();
        let schema = Arc::new(Schema::compile("true").unwrap());
        kept.insert(7, "true", schema);
        assert!(kept.find(7, "true").is_some());
        assert!(kept.find(7, "false").is_none());
    }

    #[test]
    fn a_request_that_cannot_be_checked_is_told_which_field() {
        let validators = Validators::default();
        let tool = |schema: &str| Tool {
            name: "t".into(),
            description: String::new(),
            parameters_json_schema: schema.into(),
        };
        let tools = [tool(""), tool(r#"{"$ref":"https://example.org/x"}"#)];
        let unfit = validators
            .accept(&ResponseFormat::Text, &tools)
            .unwrap_err();
        assert_eq!(unfit.field, "tools[1].parameters_json_schema");
        assert_eq!(unfit.error, SchemaError::Remote);
        let format = ResponseFormat::JsonSchema("{".into());
        let unfit = validators.accept(&format, &tools[..1]).unwrap_err();
        assert_eq!(unfit.field, "response_format.json_schema");
        assert_eq!(
            validators.accept(&ResponseFormat::Text, &tools[..1]),
            Ok(())
        );
    }
}
