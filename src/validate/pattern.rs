//! A pattern that an operator wrote.
//!
//! Invariants: it is compiled once, when it is configured, to at most [`Pattern::COMPILED`] bytes, and matched
//! in time linear in the answer's length: the engine has no backtracking, and so no look-around and no
//! references back.
//!
//! Not here: patterns in schemas (`schema`, same engine).
//!
//! Units: bytes.

use std::fmt;

/// A compiled pattern. It is found anywhere in the text; `^` and `$` tie it to the ends.
#[derive(Clone)]
pub struct Pattern(regex::Regex);

/// Why a pattern is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Its text is too long.
    #[error("has {bytes} bytes: allowed 1 to {}", Pattern::TEXT)]
    Length {
        /// Bytes it has.
        bytes: usize,
    },
    /// It is no regular expression of this engine.
    #[error(
        "is no regular expression: allowed the syntax of the Rust crate regex, without look-around"
    )]
    Syntax,
    /// It compiles to too much.
    #[error(
        "is too large once compiled: allowed at most {} bytes",
        Pattern::COMPILED
    )]
    Compiled,
}

impl Pattern {
    /// Longest text.
    pub const TEXT: usize = 4096;
    /// Largest compiled form.
    pub const COMPILED: usize = 1 << 20;

    /// Compiles it.
    ///
    /// ```
    /// use bellwether::validate::{Pattern, PatternError};
    /// assert!(Pattern::new("(a+)+$").unwrap().found_in("caa"));
    /// assert_eq!(Pattern::new("(?=a)").unwrap_err(), PatternError::Syntax);
    /// ```
    pub fn new(text: &str) -> Result<Self, PatternError> {
        if text.is_empty() || text.len() > Self::TEXT {
            return Err(PatternError::Length { bytes: text.len() });
        }
        let built = regex::RegexBuilder::new(text)
            .size_limit(Self::COMPILED)
            .dfa_size_limit(Self::COMPILED)
            .build();
        built.map(Self).map_err(|error| match error {
            regex::Error::CompiledTooBig(_) => PatternError::Compiled,
            _ => PatternError::Syntax,
        })
    }

    /// Whether it is found in `text`.
    pub fn found_in(&self, text: &str) -> bool {
        self.0.is_match(text)
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Pattern {}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Result<(), PatternError>) {
        assert_eq!(Pattern::new(text).map(|_| ()), expected, "{text}");
    }

    #[test]
    fn a_pattern_is_refused_that_could_cost_more_than_linear_time_or_a_megabyte() {
        check("^[A-Z]{2}$", Ok(()));
        check("", Err(PatternError::Length { bytes: 0 }));
        check(&"a".repeat(4097), Err(PatternError::Length { bytes: 4097 }));
        check("(", Err(PatternError::Syntax));
        check(r"(a)\1", Err(PatternError::Syntax));
        check(r"(\w{100}){100}", Err(PatternError::Compiled));
    }

    #[test]
    fn a_pattern_that_ruins_backtracking_engines_ends_on_a_long_text() {
        let pattern = Pattern::new("^(a+)+$").unwrap();
        assert!(!pattern.found_in(&("a".repeat(100_000) + "!")));
        assert!(pattern.found_in(&"a".repeat(100_000)));
    }
}
