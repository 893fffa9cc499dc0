//! Checks the fields of a request and collects every violation, so that a caller mends it in one go.
//!
//! Invariants: a violation names the field's path and what is allowed; a path is written only for a bad field; at
//! most 32 violations are kept and the rest counted; no text of the caller is echoed.
//!
//! Not here: which field has which rule (the doors: `grpc`, `http`, which do not know each other), what a
//! configuration file says (`config`, whose problems show the value and the line).

use crate::id::Name;
use crate::path::Path;
use crate::unit::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::time::Duration;

/// Violations listed before the rest is only counted.
const MOST_LISTED: usize = 32;

/// More tokens than any model takes; sums of a few still fit in 32 bits.
const MOST_TOKENS: i64 = 100_000_000;

/// How far a caller's clock may be ahead: one that is wrong by more is wrong.
const AHEAD: Duration = Duration::from_secs(300);

/// A field that breaks its rule. Displayed as `field: problem`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Path from the request, as `context.tags[3].key`.
    pub field: String,
    /// What is wrong and what is allowed.
    pub problem: String,
}

impl Violation {
    /// Of this field.
    pub fn new(field: impl Display, problem: impl Display) -> Self {
        Self {
            field: field.to_string(),
            problem: problem.to_string(),
        }
    }

    /// All of them in one line.
    pub fn in_one_line(all: &[Self]) -> String {
        let texts: Vec<_> = all.iter().map(Self::to_string).collect();
        texts.join("; ")
    }
}

impl Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.field, self.problem)
    }
}

/// The violations found so far.
///
/// ```
/// use bellwether::field::Fields;
/// let mut fields = Fields::default();
/// let found = fields.number("top_p", Some(1.5), 0.0..=1.0);
/// let violations = fields.finish(found).unwrap_err();
/// assert_eq!(violations[0].to_string(), "top_p: is 1.5: allowed 0 to 1");
/// ```
#[derive(Debug, Default)]
pub struct Fields {
    violations: Vec<Violation>,
    unlisted: usize,
}

impl Fields {
    /// Notes a violation.
    pub fn refuse(&mut self, field: impl Display, problem: impl Display) {
        if self.violations.len() < MOST_LISTED {
            self.violations.push(Violation::new(field, problem));
        } else {
            self.unlisted += 1;
        }
    }

    /// A name that must be there.
    pub fn name(&mut self, field: impl Display, text: &str) -> Option<Name> {
        match Name::new(text) {
            Ok(name) => return Some(name),
            Err(_) if text.is_empty() => {
                let most = Name::MAX_CHARS;
                let problem = format_args!("is empty: allowed 1 to {most} printable characters");
                self.refuse(field, problem);
            }
            Err(error) => self.refuse(field, error),
        }
        None
    }

    /// A name that may be absent.
    pub fn name_if_said(&mut self, field: impl Display, text: Option<&str>) -> Option<Name> {
        text.and_then(|text| self.name(field, text))
    }

    /// A name that is absent where it is the empty text.
    pub fn name_unless_empty(&mut self, field: impl Display, text: &str) -> Option<Name> {
        self.name_if_said(field, (!text.is_empty()).then_some(text))
    }

    /// A list of at most `most` names, each once.
    pub fn names(&mut self, at: Path<'_>, texts: &[String], most: usize) -> Vec<Name> {
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

    /// A list of things with names, each once. `read` takes one apart; `key` is the field of its name.
    pub fn named<S, T>(
        &mut self,
        at: Path<'_>,
        key: &'static str,
        said: Vec<S>,
        allowed: RangeInclusive<usize>,
        read: impl Fn(&mut Self, Path<'_>, S) -> (Option<Name>, Option<T>),
    ) -> Vec<(Name, T)> {
        if !self.count(at, said.len(), allowed) {
            return Vec::new();
        }
        let mut seen = BTreeSet::new();
        let mut named = Vec::with_capacity(said.len());
        for (i, said) in said.into_iter().enumerate() {
            let at = at.index(i);
            let (Some(name), Some(thing)) = read(self, at, said) else {
                continue;
            };
            if seen.insert(name.clone()) {
                named.push((name, thing));
            } else {
                self.refuse(at.field(key), "is given twice: allowed once");
            }
        }
        named
    }

    /// The length of a list. False: out of range, and not to be looked into.
    pub fn count(
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
    pub fn bytes(&mut self, field: impl Display, text: &str, allowed: RangeInclusive<usize>) {
        let found = text.len();
        if !allowed.contains(&found) {
            let (least, most) = allowed.into_inner();
            let problem = format_args!("has {found} bytes: allowed {least} to {most}");
            self.refuse(field, problem);
        }
    }

    /// The length in bytes of a text that may be empty. False: it is too long, and not to be looked into.
    pub fn bytes_at_most(&mut self, field: impl Display, text: &str, most: usize) -> bool {
        let found = text.len();
        if found > most {
            let problem = format_args!("has {found} bytes: allowed at most {most}");
            self.refuse(field, problem);
        }
        found <= most
    }

    /// A number that may be absent. A range has finite ends: NaN and infinities are in none.
    pub fn number<N: Copy + PartialOrd + Display>(
        &mut self,
        field: impl Display,
        value: Option<N>,
        allowed: RangeInclusive<N>,
    ) -> Option<N> {
        let value = value?;
        if allowed.contains(&value) {
            return Some(value);
        }
        let (least, most) = allowed.into_inner();
        self.refuse(field, format_args!("is {value}: allowed {least} to {most}"));
        None
    }

    /// A number above zero that may be absent.
    pub fn above_zero(
        &mut self,
        field: impl Display,
        value: Option<f64>,
        most: f64,
    ) -> Option<f64> {
        let value = value?;
        // NaN is neither.
        if value > 0.0 && value <= most {
            return Some(value);
        }
        self.refuse(field, format_args!("is {value}: allowed above 0 to {most}"));
        None
    }

    /// A count of tokens that may be absent.
    pub fn tokens(&mut self, field: impl Display, value: Option<i64>, least: i64) -> Option<u32> {
        self.number(field, value, least..=MOST_TOKENS)
            .and_then(|tokens| u32::try_from(tokens).ok())
    }

    /// When something was seen, if it is said: not in the future.
    pub fn seen(
        &mut self,
        field: impl Display,
        at: Option<Timestamp>,
        now: Timestamp,
    ) -> Option<Timestamp> {
        let at = at?;
        if at <= now.after(AHEAD) {
            return Some(at);
        }
        let ahead = at.micros().saturating_sub(now.micros()) / 1_000_000;
        let most = AHEAD.as_secs();
        let problem =
            format_args!("is {ahead} s ahead of the server's clock: allowed at most {most} s");
        self.refuse(field, problem);
        None
    }

    /// A field that must be there.
    pub fn required<T>(&mut self, field: impl Display, value: Option<T>) -> Option<T> {
        if value.is_none() {
            self.refuse(field, "is absent: required");
        }
        value
    }

    /// The value, unless something was refused on the way to it.
    pub fn finish<T>(mut self, value: Option<T>) -> Result<T, Vec<Violation>> {
        if self.unlisted > 0 {
            let problem = format!("{} more violations are not listed", self.unlisted);
            self.violations.push(Violation::new("", problem));
        }
        match value {
            Some(value) if self.violations.is_empty() => Ok(value),
            _ => Err(self.violations),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check<T>(read: impl FnOnce(&mut Fields) -> T, expected: &[&str]) {
        let mut fields = Fields::default();
        read(&mut fields);
        let found = fields.finish(Some(())).err().unwrap_or_default();
        let found: Vec<_> = found.iter().map(Violation::to_string).collect();
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
        check(
            |f| f.above_zero("t", Some(0.0), 2.0),
            &["t: is 0: allowed above 0 to 2"],
        );
        check(
            |f| f.above_zero("t", Some(f64::NAN), 2.0),
            &["t: is NaN: allowed above 0 to 2"],
        );
        check(|f| f.above_zero("t", Some(2.0), 2.0), &[]);
        check(
            |f| f.number("n", Some(2), 1..=1),
            &["n: is 2: allowed 1 to 1"],
        );
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
    fn things_with_names_have_good_ones_and_each_once() {
        let read = |f: &mut Fields, at: Path<'_>, (name, thing): (&str, Option<u8>)| {
            (f.name(at.field("key"), name), thing)
        };
        let at = Path::Root.field("tags");
        let said = [("a", Some(1)), ("", Some(2)), ("b", None), ("a", Some(3))];
        let mut fields = Fields::default();
        let found = fields.named(at, "key", said.to_vec(), 1..=4, read);
        assert_eq!(found, [(Name::new("a").unwrap(), 1)]);
        check(
            |f| f.named(at, "key", said.to_vec(), 1..=4, read),
            &[
                "tags[1].key: is empty: allowed 1 to 128 printable characters",
                "tags[3].key: is given twice: allowed once",
            ],
        );
        check(
            |f| f.named(at, "key", said.to_vec(), 1..=3, read),
            &["tags: has 4 entries: allowed 1 to 3"],
        );
    }

    #[test]
    fn a_text_is_as_long_as_is_allowed() {
        check(
            |f| f.bytes("s", "", 1..=9),
            &["s: has 0 bytes: allowed 1 to 9"],
        );
        check(|f| f.bytes("s", "é", 1..=2), &[]);
        check(
            |f| f.bytes_at_most("s", "é", 1),
            &["s: has 2 bytes: allowed at most 1"],
        );
        check(|f| f.bytes_at_most("s", "", 1), &[]);
    }

    #[test]
    fn nothing_was_seen_in_the_future_but_clocks_may_differ() {
        let now = Timestamp::from_micros(1_700_000_000_000_000);
        check(|f| f.seen("t", Some(now.after(AHEAD)), now), &[]);
        check(
            |f| f.seen("t", Some(now.after(Duration::from_secs(301))), now),
            &["t: is 301 s ahead of the server's clock: allowed at most 300 s"],
        );
    }

    #[test]
    fn beyond_32_violations_are_counted() {
        let mut fields = Fields::default();
        (0..100).for_each(|_| fields.refuse("x", "is bad"));
        let found = fields.finish(Some(())).unwrap_err();
        assert_eq!(found.len(), 33);
        assert_eq!(
            Violation::in_one_line(&found[31..]),
            "x: is bad; : 68 more violations are not listed"
        );
    }
}
