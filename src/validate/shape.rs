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
use super::level::{Level, Levels};
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// The size of a schema with its references followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Checks along the way from an answer's root to one of its leaves, each recursion entered once.
    pub(super) checks: u64,
    /// Whether it refers to itself.
    pub(super) recursive: bool,
    /// Subschemas within one another.
    pub(super) height: u64,
    /// Patterns in the text.
    pub(super) patterns: u64,
    /// The most of each that one value meets, from any subschema on.
    pub(super) level: Level,
}

impl Shape {
    const LEAF: Self = Self {
        checks: 1,
        recursive: false,
        height: 1,
        patterns: 0,
        level: Level::LEAF,
    };

    /// Measures `document`, or says which limit it breaks.
    pub(super) fn of(document: &Value) -> Result<Self, SchemaError> {
        let mut walk = Walk {
            index: Index::read(document)?,
            done: HashMap::new(),
            open: HashSet::new(),
            levels: Levels::default(),
            level: Level::LEAF,
            patterns: 0,
        };
        let shape = walk.visit(document, 0)?;
        Rule::Patterns.hold(walk.patterns)?;
        Ok(Self {
            patterns: walk.patterns,
            level: walk.level,
            ..shape
        })
    }

    /// Checks of all `values` of an answer that is `depth` deep, at most: a recursion multiplies them anew at
    /// each level, by as many as it has ways down.
    pub(super) fn checks_of(self, depth: u32, values: u64) -> u64 {
        if !self.recursive {
            return self.checks.saturating_mul(values);
        }
        let mut ways = 1_u64;
        let mut power = 1_u64;
        for _ in 0..depth {
            power = power.saturating_mul(self.level.descents);
            ways = ways.saturating_add(power);
        }
        self.level
            .checks
            .saturating_mul(ways)
            .saturating_mul(values)
    }

    /// Subschemas on the stack at once for an answer that is `depth` deep, at most.
    pub(super) fn stack_of(self, depth: u32) -> u64 {
        let met = self.level.height.saturating_mul(u64::from(depth) + 2);
        if self.recursive {
            met
        } else {
            met.min(self.height)
        }
    }

    /// One value meets both.
    fn and(self, other: Self) -> Self {
        Self {
            checks: self.checks.saturating_add(other.checks),
            recursive: self.recursive || other.recursive,
            height: self.height.max(other.height),
            ..self
        }
    }

    /// One value meets either.
    fn or(self, other: Self) -> Self {
        Self {
            checks: self.checks.max(other.checks),
            recursive: self.recursive || other.recursive,
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
    levels: Levels,
    level: Level,
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
                recursive: true,
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
            height: inner.height + 1,
            ..inner
        };
        Rule::Checks.hold(shape.checks)?;
        let level = self.levels.measure(schema, &self.index, 0)?;
        self.level = self.level.or(level);
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

    fn check(schema: Value, expected: Result<(u64, bool, u64), SchemaError>) {
        let shape = Shape::of(&schema).map(|s| (s.checks, s.recursive, s.height));
        assert_eq!(shape, expected, "{schema}");
    }

    #[test]
    fn checks_are_those_that_one_value_meets() {
        check(json!(true), Ok((1, false, 1)));
        check(json!({}), Ok((1, false, 1)));
        check(
            json!({"properties": {"a": {}, "b": {"not": {}}}}),
            Ok((3, false, 3)),
        );
        check(json!({"anyOf": [{}, {}, {}]}), Ok((4, false, 2)));
        check(
            json!({"$defs": {"a": {}}, "allOf": [{"$ref": "#/$defs/a"}]}),
            Ok((3, false, 3)),
        );
        check(
            json!({"enum": [{"$ref": "https://example.org"}]}),
            Ok((1, false, 1)),
        );
        check(
            json!({"properties": {"$ref": {"type": "string"}}}),
            Ok((2, false, 2)),
        );
    }

    #[test]
    fn a_recursion_is_entered_once() {
        check(
            json!({"properties": {"next": {"$ref": "#"}}}),
            Ok((3, true, 3)),
        );
        let tree = json!({"properties": {"left": {"$ref": "#"}, "right": {"$ref": "#"}}});
        let shape = Shape::of(&tree).unwrap();
        // A reference and its target at each level, and one way down from there.
        assert_eq!(shape.level.checks, 2);
        assert_eq!(shape.checks_of(4, 10), 2 * 5 * 10);
        assert_eq!(shape.stack_of(4), 2 * 6);
        let either = json!({"anyOf": [{"items": {"$ref": "#"}}, {"items": {"$ref": "#"}}]});
        let shape = Shape::of(&either).unwrap();
        assert_eq!(shape.checks_of(3, 1), 4 * (1 + 2 + 4 + 8));
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
