//! The report: what the command line writes as JSON, and lays out as table and page.
//!
//! The JSON is versioned by `schema`: fields are added to a version, none is taken out or changes its meaning.

use super::labels::Labels;
use super::sums::Sums;
use super::units::Saved;
use super::wanted::Dimension;
use serde::Serialize;

/// What was spent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Spent {
    /// Name and version of this form.
    pub schema: &'static str,
    /// First day that was asked for.
    pub from: Option<String>,
    /// Last day that was asked for; it is in it.
    pub to: Option<String>,
    /// Where days begin.
    pub zone: String,
    /// The team, if one was asked for.
    pub team: Option<String>,
    /// What rows are told apart by.
    pub by: Vec<Dimension>,
    /// Records of the journal, of all days and teams.
    pub records: u64,
    /// Whole records that no build can read: what they say is not in it.
    pub undecodable_records: u64,
    /// Attempts whose decision is not known any more: counted for team, arm and day alone.
    pub attempts_without_decision: u64,
    /// A row for each group, in the order of `by`.
    pub rows: Vec<Row>,
    /// All rows together.
    pub total: Sums,
    /// As of a row, of the total.
    pub cached_input_share: Option<f64>,
    /// As of a row, of the total.
    pub estimated_share: Option<f64>,
    /// Of each team, or of each row's team, key, task and day: what the router saved.
    pub saved: Vec<Saved>,
    /// What was spent on each arm each day, for a chart.
    pub days: Vec<DaySpent>,
    /// What the router of each team saved each day, for a chart.
    pub saved_days: Vec<Saved>,
    /// Where refused requests are told, which are not in the journal.
    pub refused: &'static str,
}

/// One group.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// Which.
    #[serde(flatten)]
    pub labels: Labels,
    /// Its sums.
    #[serde(flatten)]
    pub sums: Sums,
    /// Share of the input tokens that was cached, where attempts tell it.
    pub cached_input_share: Option<f64>,
    /// Share of the money that rests on counted tokens; absent where there is none.
    pub estimated_share: Option<f64>,
}

/// What was spent on an arm on a day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DaySpent {
    /// The local day, as 2026-01-31.
    pub day: String,
    /// The arm that was asked.
    pub arm: String,
    /// What attempts say they cost.
    pub spent_nano_usd: i64,
}

impl Row {
    pub(super) fn new(labels: Labels, sums: Sums) -> Self {
        Self {
            labels,
            sums,
            cached_input_share: sums.cached_share(),
            estimated_share: sums.estimated_share(),
        }
    }
}

impl Spent {
    /// [`Spent::schema`].
    pub const SCHEMA: &'static str = "bellwether.spend.1";

    /// [`Spent::refused`].
    pub const REFUSED: &'static str = "Refused requests are not in the journal: `bellwether control` shows a team's \
        newest, bellwether_budget_refusals_total and bellwether_no_eligible_arm_total count them since the start";
}
