//! What one arm did on one prompt of an outcome table, taught to a team beside its own outcomes.
//!
//! Invariants: context and feature set are what `route` would have made of the prompt; the values of
//! signals are ones that the team's scorecard took when the row was written.
//!
//! Not here: making one (`seed`), what it teaches (`learn`). It is no decision: nothing was drawn, so
//! `replay` has no use for it, and no feedback can correct it.
//!
//! Units: USD, milliseconds; values of signals in the signals' own units.

use crate::id::Name;
use crate::signal::Value;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

/// One row of an outcome table, as it was taught.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Seed {
    /// Who was taught.
    pub team: Name,
    /// When.
    pub time: Timestamp,
    /// The table's name, for people.
    pub source: String,
    /// Hash of the table's content, the team, its features and the mapping of names: rows of one batch
    /// are taught once.
    pub batch: u128,
    /// Number of the prompt in the table, in ascending order of id.
    pub prompt: u32,
    /// The arm, as the configuration calls it.
    pub arm: Name,
    /// The prompt's task.
    pub task: Option<Name>,
    /// The features that the context is made of.
    pub feature_set: Name,
    /// The prompt's context.
    pub context: Vec<f32>,
    /// What came of it, by signal.
    pub signals: Vec<(Name, Value)>,
    /// What it cost.
    pub cost_usd: Option<f64>,
    /// What 256 output tokens would have cost at the arm's cheapest endpoint when the row was written.
    pub reference_cost_usd: Option<f64>,
    /// How long it took.
    pub latency_ms: Option<f64>,
    /// What the row weighs against an outcome of the team's own, above 0, to 1.
    pub weight: f64,
}
