//! Collects every violation of a body, so that a caller mends it in one go.
//!
//! Invariants: a violation names the field's path and what is allowed; at most 32 are kept and the rest
//! counted; no text of the caller is echoed.
//!
//! Not here: which field has which rule.

use super::status::{Failure, Violation};
use crate::id::Name;
use crate::path::Path;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::ops::RangeInclusive;

/// Violations listed before the rest is only counted.
const MOST_LISTED: usize = 32;

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

    /// A name.
    pub(super) fn name(&mut self, field: impl Display, text: &str) -> Option<Name> {
        match Name::new(text) {
            Ok(name) => Some(name),
            Err(_) if text.is_empty() => {
                let problem = "is empty: allowed 1 to 128 printable characters";
                self.refuse(field, problem);
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
            let problem = format_args!("has {found} entries: allowed {least} to {most}");
            self.refuse(field, problem);
        }
        good
    }

    /// The length of a text in bytes.
    pub(super) fn bytes(
        &mut self,
        field: impl Display,
        text: &str,
        allowed: RangeInclusive<usize>,
    ) {
        let found = text.len();
        if !allowed.contains(&found) {
            let (least, most) = allowed.into_inner();
            let problem = format_args!("has {found} bytes: allowed {least} to {most}");
            self.refuse(field, problem);
        }
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

    /// A number that may be absent.
    pub(super) fn number(
        &mut self,
        field: impl Display,
        value: Option<f64>,
        allowed: RangeInclusive<f64>,
    ) -> Option<f64> {
        let value = value?;
        if allowed.contains(&value) {
            return Some(value);
        }
        let (least, most) = allowed.into_inner();
        self.refuse(field, format_args!("is {value}: allowed {least} to {most}"));
        None
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
pub(super) mod testing {
    use super::*;

    /// The violations of a failure, a line each.
    pub(in crate::http) fn violations(failure: Failure) -> Vec<String> {
        let Failure::InvalidField(violations) = failure else {
            return vec![failure.to_string()];
        };
        let line = |v: &Violation| format!("{}: {}", v.field, v.problem);
        violations.iter().map(line).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(read: impl FnOnce(&mut Fields), expected: &[&str]) {
        let mut fields = Fields::default();
        read(&mut fields);
        let found = fields.finish(Some(()));
        let found = found.map_or_else(testing::violations, |()| Vec::new());
        assert_eq!(found, expected);
    }

    #[test]
    fn each_violation_names_its_field_and_what_is_allowed() {
        let at = Path::Root.field("models");
        let texts = ["a", "", "a"].map(String::from);
        check(
            |f| {
                f.names(Path::Field(&Path::Root, "models"), &texts, 3);
            },
            &[
                "models[1]: is empty: allowed 1 to 128 printable characters",
                "models[2]: is given twice: allowed once",
            ],
        );
        check(
            |f| {
                f.names(at, &texts, 2);
            },
            &["models: has 3 entries: allowed 0 to 2"],
        );
        check(
            |f| {
                f.number("t", Some(2.5), 0.0..=2.0);
            },
            &["t: is 2.5: allowed 0 to 2"],
        );
        check(
            |f| {
                f.integer("n", Some(2), 1..=1);
            },
            &["n: is 2: allowed 1 to 1"],
        );
        check(
            |f| f.bytes("s", "", 1..=9),
            &["s: has 0 bytes: allowed 1 to 9"],
        );
    }

    #[test]
    fn beyond_32_violations_are_counted() {
        let mut fields = Fields::default();
        (0..100).for_each(|_| fields.refuse("x", "is bad"));
        let found = testing::violations(fields.finish(Some(())).unwrap_err());
        assert_eq!(found.len(), 33);
        assert_eq!(found[32], ": 68 more violations are not listed");
    }
}
