//! Why a schema is not taken.
//!
//! Invariants: a text names the rule, what was found and what is allowed; of the schema it shows at most a
//! pointer and a keyword.
//!
//! Not here: what an answer did wrong (`check`).
//!
//! Units: as each [`Rule`] says.

use std::fmt;

/// A limit of schemas. They keep the cost of compiling one, of holding it and of validating an answer with it
/// within bounds that no caller can move.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Rule {
    /// Bytes of text.
    Bytes,
    /// Brackets within one another, in the text.
    Depth,
    /// Members of objects and items of arrays, all together.
    Keywords,
    /// Subschemas that have an `$id` of their own.
    Resources,
    /// `pattern` keywords and names in `patternProperties`.
    Patterns,
    /// Subschemas within one another once each `$ref` is followed (a recursion once).
    Height,
    /// Subschemas that one value of an answer may meet, with those that contain it (a recursion once): what
    /// the schema multiplies by referring to the same thing twice, and again.
    Checks,
}

impl Rule {
    /// The most that is allowed.
    pub const fn allowed(self) -> u64 {
        match self {
            Self::Bytes => 256 * 1024,
            Self::Depth => 64,
            Self::Keywords => 10_000,
            Self::Resources => 64,
            Self::Patterns => 64,
            Self::Height => 256,
            Self::Checks => 10_000,
        }
    }

    /// What is counted.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Depth => "nested brackets",
            Self::Keywords => "keywords and items",
            Self::Resources => "subschemas with an $id",
            Self::Patterns => "patterns",
            Self::Height => "subschemas within one another",
            Self::Checks => "checks of one value",
        }
    }

    /// Refuses more than is allowed.
    pub(super) const fn hold(self, found: u64) -> Result<(), SchemaError> {
        if found > self.allowed() {
            return Err(SchemaError::Limit { rule: self, found });
        }
        Ok(())
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a schema is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// It is larger than a limit. What was found may be where counting stopped.
    #[error("has {found} {rule}: allowed at most {}", .rule.allowed())]
    Limit {
        /// The limit.
        rule: Rule,
        /// What it has.
        found: u64,
    },
    /// It is no JSON.
    #[error("is not JSON (line {line}, column {column}): allowed a JSON Schema")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1.
        column: usize,
    },
    /// It is written in another dialect.
    #[error("names another $schema: allowed drafts 6, 7, 2019-09 and 2020-12")]
    Dialect,
    /// A reference leads out of the schema.
    #[error("has a $ref out of the schema: allowed only # and an $id within it")]
    Remote,
    /// A reference leads nowhere.
    #[error("has a $ref that leads nowhere: allowed only what the schema defines")]
    Dangling,
    /// A reference leads back to where it stands, without going deeper into the answer.
    #[error("has a $ref that leads back to itself: allowed only below properties or items")]
    Loop,
    /// It is no valid schema, or has a pattern that takes more than linear time or too much memory.
    #[error(
        "is no valid schema at {path} ({keyword}): allowed JSON Schema with patterns without look-around"
    )]
    Invalid {
        /// Pointer into the schema.
        path: String,
        /// Keyword that was broken.
        keyword: String,
    },
}

/// What of a request cannot be checked, and so is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {error}")]
pub struct Unfit {
    /// The field of the request.
    pub field: String,
    /// Why.
    pub error: SchemaError,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(error: SchemaError, expected: &str) {
        assert_eq!(error.to_string(), expected);
    }

    #[test]
    fn an_error_names_the_rule_and_what_is_allowed() {
        let rule = Rule::Bytes;
        check(
            SchemaError::Limit {
                rule,
                found: 300_000,
            },
            "has 300000 bytes: allowed at most 262144",
        );
        check(
            SchemaError::Remote,
            "has a $ref out of the schema: allowed only # and an $id within it",
        );
        assert!(rule.hold(262_144).is_ok());
        assert!(rule.hold(262_145).is_err());
    }
}
