//! What can be asked of an answer, and what is found.
//!
//! Invariants: a reason holds positions, pointers and keywords and none of the answer's words. (A pointer is made
//! of member names; it is cut after [`Violation::CHARACTERS`] characters.)
//!
//! Not here: how it is found (`judge`).

use super::error::SchemaError;
use super::json::DEPTH;
use super::pattern::Pattern;
use crate::chat::{ResponseFormat, Tool};
use std::fmt;

/// Why the model stopped, as far as a check asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    /// It met the output limit.
    Length,
    /// The provider's filter stopped it.
    ContentFilter,
    /// Any other reason: it had said all, or calls tools.
    Other,
}

impl Finish {
    /// The one of the contract's name for a finish reason.
    ///
    /// ```
    /// use bellwether::validate::Finish;
    /// assert_eq!(Finish::named("length"), Finish::Length);
    /// assert_eq!(Finish::named("stop"), Finish::Other);
    /// ```
    pub fn named(text: &str) -> Self {
        match text {
            "length" => Self::Length,
            "content_filter" => Self::ContentFilter,
            _ => Self::Other,
        }
    }
}

/// What the request asked for, and the answer is held to.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The form of the text.
    pub format: &'a ResponseFormat,
    /// The tools that were offered.
    pub tools: &'a [Tool],
}

/// A check of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Check {
    /// The text is one JSON value, and an object where [`ResponseFormat::JsonObject`] was asked for. Holds
    /// for an answer that calls tools and says nothing.
    Json,
    /// The text satisfies the schema of [`ResponseFormat::JsonSchema`]. Holds where no schema was asked for,
    /// and for an answer that calls tools and says nothing.
    JsonSchema,
    /// Each tool call names an offered tool, and its arguments are a JSON object that satisfies the tool's schema
    /// (any object where the tool has none).
    ToolArguments,
    /// The model did not refuse: no content filter stopped it, and it calls a tool or its text does not begin
    /// with one of a few refusals. A heuristic: the head of `refusal.rs` says exactly what counts.
    NotRefusal,
    /// The output limit did not stop it.
    NotTruncated,
    /// The pattern is found in the text.
    Matches(Pattern),
    /// The pattern is not found in the text.
    MatchesNot(Pattern),
}

impl Check {
    /// Its name in configuration and metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::JsonSchema => "json_schema",
            Self::ToolArguments => "tool_arguments",
            Self::NotRefusal => "not_refusal",
            Self::NotTruncated => "not_truncated",
            Self::Matches(_) => "matches",
            Self::MatchesNot(_) => "matches_not",
        }
    }
}

/// A place that breaks a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer into the answer; empty is the whole.
    pub path: String,
    /// The schema's keyword that is broken there.
    pub keyword: String,
}

impl Violation {
    /// Most that are named.
    pub const NAMED: usize = 5;
    /// Longest pointer that is shown whole.
    pub const CHARACTERS: usize = 128;

    /// At `path`, cut to a length that is fit to show.
    pub(super) fn new(path: &str, keyword: &str) -> Self {
        let mut shown: String = path.chars().take(Self::CHARACTERS).collect();
        if shown.len() < path.len() {
            shown.push('\u{2026}');
        }
        Self {
            path: shown,
            keyword: keyword.to_owned(),
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() {
            "the root"
        } else {
            &self.path
        };
        write!(f, "{path} ({})", self.keyword)
    }
}

/// Why an answer fails a check.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// It is no JSON.
    #[error("not JSON (line {line}, column {column})")]
    NotJson {
        /// Line, from 1.
        line: usize,
        /// Column, from 1; 0 is the end of the line before.
        column: usize,
    },
    /// It is nested deeper than it may be.
    #[error(
        "nested too deep: allowed {}, and less under a recursive schema",
        DEPTH
    )]
    TooDeep,
    /// It is JSON, but no object.
    #[error("not a JSON object")]
    NotObject,
    /// It breaks the schema, at these places; none are named where finding them would cost too much.
    #[error("breaks the schema{}", places(.0))]
    Violations(Vec<Violation>),
    /// The schema itself cannot be used.
    #[error("the schema {0}")]
    Schema(#[from] SchemaError),
    /// A call of a tool that was not offered.
    #[error("tool call {call} names no offered tool")]
    UnknownTool {
        /// Which call, from 0.
        call: usize,
    },
    /// Arguments of a tool call.
    #[error("arguments of tool call {call}: {reason}")]
    Arguments {
        /// Which call, from 0.
        call: usize,
        /// What is wrong with them.
        reason: Box<Reason>,
    },
    /// The provider's filter stopped it.
    #[error("stopped by the provider's filter")]
    Filtered,
    /// It begins with words of refusal.
    #[error("begins with a refusal")]
    Refused,
    /// The output limit stopped it.
    #[error("stopped by the output limit")]
    Truncated,
    /// The pattern is not in it.
    #[error("the pattern is not found")]
    NoMatch,
    /// The pattern is in it.
    #[error("the pattern is found")]
    Match,
}

fn places(found: &[Violation]) -> String {
    let named: Vec<String> = found.iter().map(Violation::to_string).collect();
    match named.as_slice() {
        [] => String::new(),
        named => format!(" at {}", named.join(", ")),
    }
}

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The answer holds.
    Pass,
    /// It does not.
    Fail(Reason),
}

impl Verdict {
    /// Whether the answer holds.
    pub const fn passed(&self) -> bool {
        matches!(self, Self::Pass)
    }
}

impl From<Result<(), Reason>> for Verdict {
    fn from(found: Result<(), Reason>) -> Self {
        found.map_or_else(Self::Fail, |()| Self::Pass)
    }
}

/// A check with its verdict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged<'a> {
    /// What was asked.
    pub check: &'a Check,
    /// What was found.
    pub verdict: Verdict,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(reason: Reason, expected: &str) {
        assert_eq!(reason.to_string(), expected);
    }

    #[test]
    fn a_reason_names_places_and_keywords() {
        let found = vec![
            Violation::new("/a/0", "type"),
            Violation::new("", "required"),
        ];
        check(
            Reason::Arguments {
                call: 1,
                reason: Box::new(Reason::Violations(found)),
            },
            "arguments of tool call 1: breaks the schema at /a/0 (type), the root (required)",
        );
        check(Reason::Violations(Vec::new()), "breaks the schema");
        check(
            Reason::Schema(SchemaError::Remote),
            "the schema has a $ref out of the schema: allowed only # and an $id within it",
        );
    }

    #[test]
    fn a_long_pointer_is_cut() {
        let path = Violation::new(&format!("/{}", "é".repeat(500)), "type").path;
        assert_eq!(path.chars().count(), Violation::CHARACTERS + 1);
    }
}
