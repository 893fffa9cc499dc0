//! What is asked for: which days, whose, and what the sums are told apart by.

use crate::budget::Zone;
use crate::id::Name;
use crate::unit::Timestamp;
use serde::Serialize;
use std::fmt;

/// Something that sums can be told apart by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Who pays.
    Team,
    /// The key that asked.
    Key,
    /// The caller's label.
    Task,
    /// The model with its settings.
    Arm,
    /// The local day.
    Day,
}

/// Which records, and how they are added up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// First day, counted from 1970-01-01; absent: from the beginning.
    pub from: Option<i64>,
    /// Last day, which is in it; absent: to the end.
    pub to: Option<i64>,
    /// Where days begin.
    pub zone: Zone,
    /// Only this team's.
    pub team: Option<Name>,
    /// What rows are told apart by, in this order; of none there is one row.
    pub by: Vec<Dimension>,
}

impl Wanted {
    /// Whether a day is in it.
    pub(super) fn holds(&self, day: i64) -> bool {
        self.from.is_none_or(|from| from <= day) && self.to.is_none_or(|to| day <= to)
    }

    /// Whether rows are told apart by it.
    pub(super) fn has(&self, dimension: Dimension) -> bool {
        self.by.contains(&dimension)
    }
}

impl fmt::Display for Dimension {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Team => "team",
            Self::Key => "key",
            Self::Task => "task",
            Self::Arm => "arm",
            Self::Day => "day",
        })
    }
}

/// A day, counted from 1970-01-01, as people write it.
///
/// ```
/// assert_eq!(bellwether::spend::date(20_574), "2026-05-01");
/// ```
pub fn date(day: i64) -> String {
    let (year, month, day) = Timestamp::from_micros(day.saturating_mul(86_400_000_000)).date();
    format!("{year:04}-{month:02}-{day:02}")
}
