//! What is asked of a log: the target, the rows, and how strict to be.

use crate::replay::Error;
use crate::table::Families;
use std::str::FromStr;

/// What is asked.
#[derive(Debug, Clone, PartialEq)]
pub struct Question {
    /// The policy to judge.
    pub target: LoggedTarget,
    /// The rows to judge it on.
    pub rows: Picked,
    /// Whether numbers are given even where they are refused.
    pub regardless: bool,
    /// How the bounds begin.
    pub first_guess: FirstGuess,
}

/// A target policy over numbered arms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LoggedTarget {
    /// The file's own columns.
    Columns,
    /// Every arm alike.
    Uniform,
    /// One arm.
    Arm(usize),
    /// The arm of the column `choice` with this probability, and every arm alike with the rest.
    Choice(f64),
}

/// Rows from one to another, every so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Picked {
    /// The first, from 0.
    pub from: usize,
    /// The first that is not used any more.
    pub to: Option<usize>,
    /// 1: each; 2: every second.
    pub step: usize,
}

/// The first guess of the bounds that hold at every peek.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstGuess {
    /// min(1/2, 1 / (k + 1)): the promise holds.
    Capped,
    /// 1/2, as the reference bounds have it: to compare with them.
    Half,
}

impl Question {
    /// Whether a file with these arms and columns can be asked this.
    pub(super) fn check(&self, arms: usize, families: Families) -> Result<(), Error> {
        let wrong = |value: f64, allowed| Error::Setting {
            field: "target",
            value,
            allowed,
        };
        match self.target {
            LoggedTarget::Arm(arm) if arm >= arms => {
                Err(wrong(arm as f64, "arm:K with K below the number of arms"))
            }
            LoggedTarget::Choice(share) if !families.choice => Err(wrong(
                share,
                "choice only where --columns choice=COLUMN says which column",
            )),
            _ => Ok(()),
        }
    }
}

/// A text that is no target, or no rows.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {text:?}: expected {expected}")]
pub struct AskedError {
    field: &'static str,
    text: String,
    expected: &'static str,
}

impl FromStr for LoggedTarget {
    type Err = AskedError;

    fn from_str(text: &str) -> Result<Self, AskedError> {
        let (name, value) = text
            .split_once(':')
            .map_or((text, None), |(n, v)| (n, Some(v)));
        let found = match (name, value) {
            ("columns", None) => Some(Self::Columns),
            ("uniform", None) => Some(Self::Uniform),
            ("choice", None) => Some(Self::Choice(1.0)),
            ("choice", Some(share)) => {
                let share = share.parse().ok().filter(|s| (0.0..=1.0).contains(s));
                share.map(Self::Choice)
            }
            ("arm", Some(arm)) => arm.parse().ok().map(Self::Arm),
            _ => None,
        };
        found.ok_or_else(|| AskedError {
            field: "target",
            text: text.to_owned(),
            expected: "columns, uniform, arm:K, choice, or choice:SHARE with SHARE from 0 to 1",
        })
    }
}

impl FromStr for Picked {
    type Err = AskedError;

    /// `FROM:TO:STEP`, each of which may be empty.
    ///
    /// ```
    /// use bellwether::replay::Picked;
    /// let odd: Picked = "1::2".parse().unwrap();
    /// assert_eq!((odd.from, odd.to, odd.step), (1, None, 2));
    /// assert!("::0".parse::<Picked>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, AskedError> {
        let wrong = || AskedError {
            field: "rows",
            text: text.to_owned(),
            expected: "FROM:TO:STEP, whole numbers or nothing, STEP at least 1",
        };
        let mut parts = text.split(':');
        let mut next = || -> Result<Option<usize>, AskedError> {
            let part = parts.next().filter(|part| !part.is_empty());
            part.map(|part| part.parse().map_err(|_| wrong()))
                .transpose()
        };
        let picked = Self {
            from: next()?.unwrap_or(0),
            to: next()?,
            step: next()?.unwrap_or(1),
        };
        if picked.step == 0 || parts.next().is_some() {
            return Err(wrong());
        }
        Ok(picked)
    }
}

impl Picked {
    /// Whether a row of the file is used.
    pub(super) fn has(&self, row: usize) -> bool {
        row >= self.from
            && self.to.is_none_or(|to| row < to)
            && (row - self.from).is_multiple_of(self.step)
    }
}

impl Default for Picked {
    fn default() -> Self {
        Self {
            from: 0,
            to: None,
            step: 1,
        }
    }
}
