//! What a schema costs at one value of an answer, before it goes deeper.
//!
//! Invariants: the subschemas that meet the same value form no cycle, or the schema is refused: it would ask the
//! same of the same for ever. So what one value meets is counted exactly, whatever refers to what; counting
//! saturates.
//!
//! Not here: what an answer costs from its root to its leaves (`shape`).
//!
//! Units: subschemas.

use super::error::{Rule, SchemaError};
use super::index::Index;
use super::keyword::{Holds, holds, looks_back, schemas, stays};
use serde_json::Value;
use std::collections::HashMap;

/// What follows from meeting one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Level {
    /// Subschemas that it meets.
    pub(super) checks: u64,
    /// How many of their subschemas one value within it meets.
    pub(super) descents: u64,
    /// The longest chain of subschemas that it meets, one within another.
    pub(super) height: u64,
}

impl Level {
    /// What a schema without subschemas costs.
    pub(super) const LEAF: Self = Self {
        checks: 1,
        descents: 0,
        height: 1,
    };

    /// The larger of each.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            checks: self.checks.max(other.checks),
            descents: self.descents.max(other.descents),
            height: self.height.max(other.height),
        }
    }
}

/// What is known of the schemas of a document, by their address in memory; None while one is measured.
#[derive(Default)]
pub(super) struct Levels(HashMap<usize, Option<Level>>);

impl Levels {
    /// Measures `schema`, which stands within `outer` others.
    pub(super) fn measure(
        &mut self,
        schema: &Value,
        index: &Index<'_>,
        outer: u64,
    ) -> Result<Level, SchemaError> {
        let Value::Object(map) = schema else {
            return Ok(Level::LEAF);
        };
        Rule::Height.hold(outer + 1)?;
        let key = std::ptr::from_ref(schema) as usize;
        if let Some(known) = self.0.get(&key) {
            let level = known.ok_or(SchemaError::Loop)?;
            Rule::Height.hold(outer + level.height)?;
            return Ok(level);
        }
        self.0.insert(key, None);
        let mut level = Level {
            checks: 0,
            descents: 0,
            height: 0,
        };
        for (word, value) in map {
            let held = holds(word, value);
            if !stays(word) {
                level.descents += descents(held, value);
                continue;
            }
            let below = match (held, value) {
                (Holds::Address, Value::String(address)) => index.targets(address)?,
                (held, value) => schemas(held, value),
            };
            for schema in below {
                let more = self.measure(schema, index, outer + 1)?;
                level.checks = level.checks.saturating_add(more.checks);
                level.descents = level.descents.saturating_add(more.descents);
                level.height = level.height.max(more.height);
            }
        }
        let back = map.keys().filter(|word| looks_back(word)).count() as u64;
        let level = Level {
            checks: level.checks.saturating_mul(1 + 2 * back).saturating_add(1),
            descents: level.descents.saturating_mul(1 + 2 * back),
            height: level.height + 1,
        };
        Rule::Checks.hold(level.checks)?;
        self.0.insert(key, Some(level));
        Ok(level)
    }
}

/// How many of a keyword's subschemas one value within meets.
fn descents(held: Holds, value: &Value) -> u64 {
    match held {
        Holds::One => 1,
        Holds::All | Holds::AllNamed => schemas(held, value).len() as u64,
        Holds::Ready | Holds::Address | Holds::Pattern | Holds::Nothing => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(schema: Value, expected: Result<(u64, u64, u64), SchemaError>) {
        let index = Index::read(&schema).unwrap();
        let level = Levels::default().measure(&schema, &index, 0);
        let level = level.map(|level| (level.checks, level.descents, level.height));
        assert_eq!(level, expected, "{schema}");
    }

    #[test]
    fn what_goes_deeper_is_not_met_yet() {
        check(
            json!({"properties": {"a": {"not": {}}, "b": {}}}),
            Ok((1, 1, 1)),
        );
        check(
            json!({"anyOf": [{"items": {}}, {"items": {}}]}),
            Ok((3, 2, 2)),
        );
        check(
            json!({"items": {"$ref": "#"}, "contains": {}}),
            Ok((1, 2, 1)),
        );
        check(
            json!({"$defs": {"a": {}}, "not": {"$ref": "#/$defs/a"}}),
            Ok((3, 0, 3)),
        );
    }

    #[test]
    fn a_schema_that_asks_the_same_of_the_same_is_refused() {
        check(json!({"$ref": "#"}), Err(SchemaError::Loop));
        check(
            json!({"allOf": [{"not": {"$ref": "#"}}]}),
            Err(SchemaError::Loop),
        );
        let defs = json!({"a": {"$ref": "#/$defs/b"}, "b": {"anyOf": [{"$ref": "#/$defs/a"}]}});
        check(
            json!({"$defs": defs, "$ref": "#/$defs/a"}),
            Err(SchemaError::Loop),
        );
    }

    #[test]
    fn references_to_what_surrounds_them_multiply_too() {
        // Thirty schemas, each within the one before, and each asking twice for that one.
        let mut nested = json!({});
        let address = |depth: usize| format!("#{}", "/properties/x".repeat(depth));
        for depth in (1..30).rev() {
            let outer = json!({"$ref": address(depth - 1)});
            nested = json!({"allOf": [outer, outer], "properties": {"x": nested}});
        }
        let schema = json!({"properties": {"x": nested}});
        let index = Index::read(&schema).unwrap();
        let innermost = schema.pointer(&"/properties/x".repeat(29)).unwrap();
        let level = Levels::default().measure(innermost, &index, 0);
        assert!(matches!(
            level,
            Err(SchemaError::Limit {
                rule: Rule::Checks,
                ..
            })
        ));
        assert!(super::super::shape::Shape::of(&schema).is_err());
    }
}
