//! Where the fields of a log of bandit feedback are in a file.
//!
//! Not here: what they mean ([`super::logged`]), reading them ([`super::logged_batch`]).

use super::Error;
use super::LoggedColumns;
use std::collections::BTreeMap;
use std::path::Path;

/// Which families of columns a file has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Families {
    /// The logged pmf.
    pub pmf: bool,
    /// The target's pmf.
    pub target: bool,
    /// A model's predictions.
    pub model: bool,
    /// True means.
    pub truth: bool,
    /// The arm that the target takes.
    pub choice: bool,
}

/// Where the fields of a file are.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) arms: usize,
    pub(super) action: String,
    pub(super) reward: String,
    pub(super) propensity: Option<String>,
    pub(super) choice: Option<String>,
    pub(super) episode: Option<String>,
    /// A column, or a key of the folders' names.
    pub(super) slice: Option<String>,
    pub(super) pmf: Vec<String>,
    pub(super) target: Vec<String>,
    pub(super) model: Vec<String>,
    pub(super) truth: Vec<String>,
}

impl Shape {
    pub(super) fn of(
        file: &Path,
        names: &[String],
        keys: &BTreeMap<String, String>,
        (columns, target): (&LoggedColumns, bool),
    ) -> Result<Self, Error> {
        let find = Find {
            file,
            names,
            columns,
        };
        // A key of the folders' names is as good as a column there.
        let key = columns.of("slice").filter(|key| keys.contains_key(*key));
        let slice = match key {
            Some(key) => Some(key.to_owned()),
            None => find.optional(
                "slice",
                "text or a number, in a column or in folders named so",
            )?,
        };
        let shape = Self {
            arms: 0,
            action: find.field("action", "a number, from 0")?,
            reward: find.field("reward", "f64")?,
            propensity: find.optional("pscore", "f64")?,
            choice: find.optional("choice", "a number, from 0")?,
            episode: find.optional("episode", "text or a number")?,
            slice,
            pmf: find.family("pmf")?,
            target: match target {
                true => find.family("target")?,
                false => Vec::new(),
            },
            model: find.family("model")?,
            truth: find.family("truth")?,
        };
        if shape.propensity.is_none() && shape.pmf.is_empty() {
            let expected = "the probability of the arm drawn, or a pmf in p_0, p_1, ..";
            return Err(find.missing("pscore", expected));
        }
        if target && shape.target.is_empty() {
            let first = format!("{}0", columns.of("target").unwrap_or("pi_"));
            let expected = "the target's pmf in pi_0, pi_1, .., or --target otherwise";
            return Err(find.missing(&first, expected));
        }
        shape.with_arms(file)
    }

    /// Every family that is there has a column for each arm.
    fn with_arms(mut self, file: &Path) -> Result<Self, Error> {
        let all = [&self.pmf, &self.target, &self.model, &self.truth];
        let most = all.iter().map(|family| family.len()).max().unwrap_or(0);
        let uneven = all.iter().find(|f| !f.is_empty() && f.len() != most);
        if let Some(last) = uneven.and_then(|family| family.last()) {
            let stem = last.trim_end_matches(|c: char| c.is_ascii_digit());
            let short = last
                .strip_prefix(stem)
                .and_then(|n| n.parse::<usize>().ok());
            return Err(Error::MissingColumn {
                file: file.to_owned(),
                column: format!("{stem}{}", short.unwrap_or(0) + 1),
                expected: "f64: as many columns as the other families have",
            });
        }
        if most == 0 {
            return Err(Error::MissingColumn {
                file: file.to_owned(),
                column: "p_0".to_owned(),
                expected: "a pmf, a target or a model over the arms: without one their number is unknown",
            });
        }
        self.arms = most;
        Ok(self)
    }

    pub(super) fn families(&self) -> Families {
        Families {
            pmf: !self.pmf.is_empty(),
            target: !self.target.is_empty(),
            model: !self.model.is_empty(),
            truth: !self.truth.is_empty(),
            choice: self.choice.is_some(),
        }
    }

    /// Every column that is read.
    pub(super) fn columns(&self) -> Vec<String> {
        let single = [&self.action, &self.reward].into_iter();
        let optional = [&self.propensity, &self.choice, &self.episode, &self.slice];
        let families = [&self.pmf, &self.target, &self.model, &self.truth];
        single
            .chain(optional.into_iter().flatten())
            .chain(families.into_iter().flatten())
            .cloned()
            .collect()
    }
}

/// Looks for the columns of a file.
struct Find<'a> {
    file: &'a Path,
    names: &'a [String],
    columns: &'a LoggedColumns,
}

impl Find<'_> {
    fn missing(&self, column: &str, expected: &'static str) -> Error {
        Error::MissingColumn {
            file: self.file.to_owned(),
            column: column.to_owned(),
            expected,
        }
    }

    fn has(&self, column: &str) -> bool {
        self.names.iter().any(|name| name == column)
    }

    /// A column that must be there.
    fn field(&self, field: &str, expected: &'static str) -> Result<String, Error> {
        let column = self.columns.of(field).unwrap_or(field);
        let found = self.has(column).then(|| column.to_owned());
        found.ok_or_else(|| self.missing(column, expected))
    }

    /// A column that must be there only where it was said.
    fn optional(&self, field: &str, expected: &'static str) -> Result<Option<String>, Error> {
        if self.columns.is_mapped(field) {
            return self.field(field, expected).map(Some);
        }
        let own = self.columns.of(field).filter(|column| self.has(column));
        Ok(own.map(str::to_owned))
    }

    /// The columns of a family, from arm 0 on; none, unless it was said.
    fn family(&self, field: &str) -> Result<Vec<String>, Error> {
        let prefix = self.columns.of(field).unwrap_or(field);
        let column = |arm: usize| format!("{prefix}{arm}");
        let found = (0..).map(column).take_while(|column| self.has(column));
        let found: Vec<String> = found.collect();
        match found.is_empty() && self.columns.is_mapped(field) {
            true => Err(self.missing(&column(0), "f64, and one more for each further arm")),
            false => Ok(found),
        }
    }
}
