//! How large a schema is once its references are followed: what bounds the time and the stack that validating
//! takes.
//!
//! Invariants: [`Shape::checks`] is at least the number of subschemas that one value of an answer and those
//! that contain it meet, where each recursion is entered once; counting saturates and never wraps. A schema is
//! walked once, whatever refers to it.
//!
//! Why: a chain of thirty definitions, each referring twice to the next, is two kilobytes of text and a
//! thousand million checks. The validator remembers results at recursive references only.
//!
//! Not here: what the keywords mean (the validator).
//!
//! Units: subschemas.

use super::error::{Rule, SchemaError};
use super::index::Index;
use super::keyword::{Holds, holds, looks_back, schemas};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The size of a schema with its references followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Checks along the way from an answer's root to one of its leaves, each recursion entered once.
    pub(super) checks: u64,
    /// Recursions met on that way.
    pub(super) backs: u64,
    /// Subschemas within one another.
    pub(super) height: u64,
    /// Patterns in the text.
    pub(super) patterns: u64,
}

impl Shape {
    const LEAF: Self = Self {
        checks: 1,
        backs: 0,
        height: 1,
        patterns: 0,
    };

    /// Measures `document`, or says which limit it breaks.
    pub(super) fn of(document: &Value) -> Result<Self, SchemaError> {
        let mut walk = Walk {
            index: Index::read(document)?,
            done: HashMap::new(),
            open: HashSet::new(),
            patterns: 0,
        };
        let shape = walk.visit(document, 0)?;
        Rule::Patterns.hold(walk.patterns)?;
        Ok(Self {
            patterns: walk.patterns,
            ..shape
        })
    }

    /// Checks of all `values` of an answer that is `depth` deep, at most: every recursion may be entered
    /// anew at each level.
    pub(super) fn checks_of(self, depth: u32, values: u64) -> u64 {
        let mut ways = 1_u64;
        let mut power = 1_u64;
        for _ in 0..depth {
            power = power.saturating_mul(self.backs);
            ways = ways.saturating_add(power);
        }
        self.checks.saturating_mul(ways).saturating_mul(values)
    }

    /// Subschemas on the stack at once for an answer that is `depth` deep, at most.
    pub(super) fn stack_of(self, depth: u32) -> u64 {
        let levels = if self.backs > 0 {
            u64::from(depth) + 1
        } else {
            1
        };
        self.height.saturating_mul(levels)
    }

    /// One value meets both.
    fn and(self, other: Self) -> Self {
        Self {
            checks: self.checks.saturating_add(other.checks),
            backs: self.backs.saturating_add(other.backs),
            height: self.height.max(other.height),
            ..self
        }
    }

    /// One value meets either.
    fn or(self, other: Self) -> Self {
        Self {
            checks: self.checks.max(other.checks),
            backs: self.backs.max(other.backs),
            height: self.height.max(other.height),
            ..self
        }
    }
}

/// A walk through a schema.
struct Walk<'a> {
    index: Index<'a>,
    /// By address in memory, as the schema is not moved meanwhile.
    done: HashMap<usize, Shape>,
    open: HashSet<usize>,
    patterns: u64,
}

impl<'a> Walk<'a> {
    fn visit(&mut self, schema: &'a Value, level: u64) -> Result<Shape, SchemaError> {
        let Value::Object(map) = schema else {
            return Ok(Shape::LEAF);
        };
        Rule::Height.hold(level + 1)?;
        let key = std::ptr::from_ref(schema) as usize;
        if let Some(shape) = self.done.get(&key) {
            Rule::Height.hold(level.saturating_add(shape.height))?;
            return Ok(*shape);
        }
        if !self.open.insert(key) {
            return Ok(Shape {
                backs: 1,
                ..Shape::LEAF
            });
        }
        let mut inner = Shape {
            checks: 0,
            height: 0,
            ..Shape::LEAF
        };
        for (keyword, value) in map {
            inner = inner.and(self.keyword(keyword, value, level + 1)?);
        }
        // Twice more: once to see which members its neighbours took, once for each of them again.
        let back = map.keys().filter(|keyword| looks_back(keyword)).count() as u64;
        let shape = Shape {
            checks: inner.checks.saturating_mul(1 + 2 * back).saturating_add(1),
            backs: inner.backs.saturating_mul(1 + 2 * back),
            height: inner.height + 1,
            patterns: 0,
        };
        Rule::Checks.hold(shape.checks)?;
        self.open.remove(&key);
        self.done.insert(key, shape);
        Ok(shape)
    }

    fn keyword(&mut self, word: &str, value: &'a Value, level: u64) -> Result<Shape, SchemaError> {
        let nothing = Shape {
            checks: 0,
            height: 0,
            ..Shape::LEAF
        };
        let held = holds(word, value);
        let below = match (held, value) {
            (Holds::Nothing, _) => return Ok(nothing),
            (Holds::Pattern, _) => {
                self.patterns += 1;
                return Ok(nothing);
            }
            (Holds::Address, Value::String(address)) => self.index.targets(address)?,
            (held, value) => schemas(held, value),
        };
        if word == "patternProperties" {
            self.patterns += below.len() as u64;
        }
        let mut sum = nothing;
        for schema in below {
            let shape = self.visit(schema, level)?;
            sum = match held {
                Holds::Ready => sum,
                Holds::One => sum.or(shape),
                _ => sum.and(shape),
            };
        }
        Ok(sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Map, json};

    fn check(schema: Value, expected: Result<(u64, u64, u64), SchemaError>) {
        let shape = Shape::of(&schema).map(|s| (s.checks, s.backs, s.height));
        assert_eq!(shape, expected, "{schema}");
    }

    #[test]
    fn checks_are_those_that_one_value_meets() {
        check(json!(true), Ok((1, 0, 1)));
        check(json!({}), Ok((1, 0, 1)));
        check(
            json!({"properties": {"a": {}, "b": {"not": {}}}}),
            Ok((3, 0, 3)),
        );
        check(json!({"anyOf": [{}, {}, {}]}), Ok((4, 0, 2)));
        check(
            json!({"$defs": {"a": {}}, "allOf": [{"$ref": "#/$defs/a"}]}),
            Ok((3, 0, 3)),
        );
        check(
            json!({"enum": [{"$ref": "https://example.org"}]}),
            Ok((1, 0, 1)),
        );
        check(
            json!({"properties": {"$ref": {"type": "string"}}}),
            Ok((2, 0, 2)),
        );
    }

    #[test]
    fn a_recursion_is_entered_once() {
        check(
            json!({"properties": {"next": {"$ref": "#"}}}),
            Ok((3, 1, 3)),
        );
        check(json!({"allOf": [{"$ref": "#"}]}), Ok((3, 1, 3)));
        let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}});
        let shape = Shape::of(&tree).unwrap();
        assert_eq!(shape.checks_of(4, 10), 3 * 5 * 10);
        assert_eq!(shape.stack_of(4), 3 * 5);
    }

    /// `links` definitions, each referring `times` to the next.
    fn chain(links: usize, times: usize) -> Value {
        let mut defs = Map::new();
        for link in 0..links {
            let next = json!({"$ref": format!("#/$defs/d{}", link + 1)});
            defs.insert(format!("d{link}"), json!({"allOf": vec![next; times]}));
        }
        defs.insert(format!("d{links}"), json!({"type": "object"}));
        json!({"$defs": defs, "$ref": "#/$defs/d0"})
    }

    #[test]
    fn references_that_multiply_are_refused_before_they_cost() {
        let refused = |schema: Value| match Shape::of(&schema) {
            Err(SchemaError::Limit { rule, .. }) => rule,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(chain(40, 2)), Rule::Checks);
        assert_eq!(refused(chain(300, 1)), Rule::Height);
        assert!(Shape::of(&chain(10, 2)).is_ok());
        let mut nested = json!({});
        for _ in 0..20 {
            nested = json!({"allOf": [nested], "unevaluatedProperties": false});
        }
        assert_eq!(refused(nested), Rule::Checks);
        let pattern = json!({"pattern": "a"});
        assert_eq!(refused(json!({"allOf": vec![pattern; 65]})), Rule::Patterns);
        let id = |n: usize| json!({"$id": format!("s{n}")});
        let ids: Vec<Value> = (0..65).map(id).collect();
        assert_eq!(refused(json!({"allOf": ids})), Rule::Resources);
        assert_eq!(refused(json!({"enum": vec![1; 10_000]})), Rule::Keywords);
    }
}
