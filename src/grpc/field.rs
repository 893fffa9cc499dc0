//! Reads fields and collects every violation, so that a caller mends a request in one go.
//!
//! Invariants: a violation names the field's path and what is allowed; paths are built only for
//! bad fields; at most 32 violations are kept and the rest counted; no text of the caller is echoed.
//!
//! Not here: which field has which rule (`decode`).

use super::status::{Failure, Violation};
use crate::id::Name;
use crate::path::Path;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Violations listed before the rest is only counted.
const MOST_LISTED: usize = 32;

/// More tokens than any model takes; sums of a few still fit in 32 bits.
const MOST_TOKENS: i64 = 100_000_000;

/// The violations found so far.
#[derive(Debug, Default)]
pub(super) struct Fields {
    violations: Vec<Violation>,
    unlisted: usize,
}

impl Fields {
    /// Notes a violation.
    pub(super) fn refuse(&mut self, field: impl Display, problem: impl Display) {
        if self.violations.len() < MOST_LISTED {
            self.violations.push(Violation {
                field: field.to_string(),
                problem: problem.to_string(),
            });
        } else {
            self.unlisted += 1;
        }
    }

    /// A name that must be there.
    pub(super) fn name(&mut self, field: impl Display, text: &str) -> Option<Name> {
        match Name::new(text) {
            Ok(name) => Some(name),
            Err(_) if text.is_empty() => {
                let most = Name::MAX_CHARS;
                self.refuse(
                    field,
                    format_args!("is empty: allowed 1 to {most} printable characters"),
                );
                None
            }
            Err(error) => {
                self.refuse(field, error);
                None
            }
        }
    }

    /// A name that may be absent.
    pub(super) fn name_if_said(&mut self, field: impl Display, text: Option<&str>) -> Option<Name> {
        text.and_then(|text| self.name(field, text))
    }

    /// A name that the contract marks as absent by the empty string.
    pub(super) fn name_unless_empty(&mut self, field: impl Display, text: &str) -> Option<Name> {
        self.name_if_said(field, (!text.is_empty()).then_some(text))
    }

    /// A list of at most `most` names, each once.
    pub(super) fn names(&mut self, at: Path<'_>, texts: &[String], most: usize) -> Vec<Name> {
        if !self.count(at, texts.len(), 0..=most) {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut names = Vec::with_capacity(texts.len());
        for (i, text) in texts.iter().enumerate() {
            let Some(name) = self.name(at.index(i), text) else {
                continue;
            };
            if seen.insert(text.as_str()) {
                names.push(name);
            } else {
                self.refuse(at.index(i), "is given twice: allowed once");
            }
        }
        names
    }

    /// The length of a list. False: out of range, and not to be looked into.
    pub(super) fn count(
        &mut self,
        field: impl Display,
        found: usize,
        allowed: RangeInclusive<usize>,
    ) -> bool {
        let good = allowed.contains(&found);
        if !good {
            let (least, most) = allowed.into_inner();
            self.refuse(
                field,
                format_args!("has {found} entries: allowed {least} to {most}"),
            );
        }
        good
    }

    /// The length of a text in bytes.
    pub(super) fn bytes(&mut self, field: impl Display, text: &str, most: usize) -> bool {
        let good = text.len() <= most;
        if !good {
            self.refuse(
                field,
                format_args!("has {} bytes: allowed at most {most}", text.len()),
            );
        }
        good
    }

    /// A count of tokens.
    pub(super) fn tokens(
        &mut self,
        field: impl Display,
        value: Option<i64>,
        least: i64,
    ) -> Option<u32> {
        self.integer(field, value, least..=MOST_TOKENS)
            .and_then(|tokens| u32::try_from(tokens).ok())
    }

    /// An integer that may be absent.
    pub(super) fn integer(
        &mut self,
        field: impl Display,
        value: Option<i64>,
        allowed: RangeInclusive<i64>,
    ) -> Option<i64> {
        let value = value?;
        if allowed.contains(&value) {
            return Some(value);
        }
        let (least, most) = allowed.into_inner();
        self.refuse(field, format_args!("is {value}: allowed {least} to {most}"));
        None
    }

    /// A float that may be absent. NaN and infinities are never in range.
    pub(super) fn number(
        &mut self,
        field: impl Display,
        value: Option<f64>,
        allowed: RangeInclusive<f64>,
    ) -> Option<f64> {
        let value = value?;
        if value.is_finite() && allowed.contains(&value) {
            return Some(value);
        }
        let (least, most) = allowed.into_inner();
        self.refuse(field, format_args!("is {value}: allowed {least} to {most}"));
        None
    }

    /// A message or oneof that must be there.
    pub(super) fn required<T>(&mut self, field: impl Display, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.refuse(field, "is absent: required");
        }
        value
    }

    /// The value, unless something was refused on the way to it.
    pub(super) fn finish<T>(mut self, value: Option<T>) -> Result<T, Failure> {
        if self.unlisted > 0 {
            self.violations.push(Violation {
                field: String::new(),
                problem: format!("{} more violations are not listed", self.unlisted),
            });
        }
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(Failure::InvalidField(self.violations)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T>(read: impl FnOnce(&mut Fields) -> T, expected: &[&str]) {
        let mut fields = Fields::default();
        read(&mut fields);
        let found = match fields.finish(Some(())) {
            Ok(()) => Vec::new(),
            Err(Failure::InvalidField(violations)) => violations,
            Err(other) => panic!("{other:?}"),
        };
        let found: Vec<_> = found
            .iter()
            .map(|v| format!("{}: {}", v.field, v.problem))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn a_number_must_be_finite_and_in_range() {
        for (value, problem) in [
            (f64::NAN, "t: is NaN: allowed 0 to 2"),
            (f64::INFINITY, "t: is inf: allowed 0 to 2"),
            (-0.1, "t: is -0.1: allowed 0 to 2"),
            (2.5, "t: is 2.5: allowed 0 to 2"),
        ] {
            check(|f| f.number("t", Some(value), 0.0..=2.0), &[problem]);
        }
        check(|f| f.number("t", Some(2.0), 0.0..=2.0), &[]);
        check(|f| f.number("t", None, 0.0..=2.0), &[]);
    }

    #[test]
    fn tokens_must_be_a_count_that_a_model_could_take() {
        check(
            |f| f.tokens("n", Some(-1), 0),
            &["n: is -1: allowed 0 to 100000000"],
        );
        check(
            |f| f.tokens("n", Some(0), 1),
            &["n: is 0: allowed 1 to 100000000"],
        );
        check(|f| f.tokens("n", Some(100_000_000), 1), &[]);
    }

    #[test]
    fn names_are_good_and_given_once() {
        let at = Path::Root.field("arms");
        let texts = ["a", "", "a"].map(String::from);
        check(
            |f| f.names(Path::Field(&Path::Root, "arms"), &texts, 3),
            &[
                "arms[1]: is empty: allowed 1 to 128 printable characters",
                "arms[2]: is given twice: allowed once",
            ],
        );
        check(
            |f| f.names(at, &texts, 2),
            &["arms: has 3 entries: allowed 0 to 2"],
        );
    }

    #[test]
    fn beyond_32_violations_are_counted() {
        let mut fields = Fields::default();
        for _ in 0..100 {
            fields.refuse("x", "is bad");
        }
        let Err(Failure::InvalidField(violations)) = fields.finish(Some(())) else {
            panic!("refused");
        };
        assert_eq!(violations.len(), 33);
        assert_eq!(violations[32].problem, "68 more violations are not listed");
    }
}
