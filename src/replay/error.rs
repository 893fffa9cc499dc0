//! Why a replay could not be done.

use super::drift::DriftError;
use crate::bandit::{ChoiceError, StateError};
use crate::budget::PacerError;
use crate::feature;
use crate::id::Name;
use crate::table;

/// A fault of what was asked or of the data.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A setting out of its range.
    #[error("{field} is {value}: allowed {allowed}")]
    Setting {
        /// The setting.
        field: &'static str,
        /// Its value.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// More rows given away than leave one to play.
    #[error("seed_rows is {value}: allowed 0 to {most}, one less than a stream has prompts")]
    SeedRows {
        /// The rows asked for.
        value: usize,
        /// The most that are allowed.
        most: usize,
    },
    /// A drift that is not written as one.
    #[error(transparent)]
    Drift(#[from] DriftError),
    /// A drift of an arm that is not there.
    #[error("drift has arm {arm}: allowed {}", listed(allowed))]
    DriftArm {
        /// The arm.
        arm: Name,
        /// The table's arms.
        allowed: Vec<Name>,
    },
    /// A drift to prompts that are not there.
    #[error("drift has suffix {0:?}: allowed one that the id of some prompt ends with")]
    Suffix(String),
    /// Costs are asked to count but there are none.
    #[error(
        "lambda is {lambda} but arm {arm} has no cost on prompt {prompt}: allowed lambda 0, or a table with cost_usd in every row"
    )]
    NoCost {
        /// The weight of cost.
        lambda: f64,
        /// The first arm without.
        arm: Name,
        /// The first prompt without.
        prompt: String,
    },
    /// A budget for a table that has no costs to keep within it.
    #[error(
        "budget is {budget_usd} USD a request but the table has no costs: allowed a table with cost_usd in every row"
    )]
    BudgetWithoutCost {
        /// The budget.
        budget_usd: f64,
    },
    /// A budget beside a weight of cost: it finds that weight itself.
    #[error(
        "lambda is {lambda} beside a budget of {budget_usd} USD a request: allowed one of the two"
    )]
    BudgetAndLambda {
        /// The weight of cost.
        lambda: f64,
        /// The budget.
        budget_usd: f64,
    },
    /// A budget on streams that an arm joins.
    #[error(
        "a drift join=.. beside a budget of {budget_usd} USD a request: allowed one of the two"
    )]
    BudgetAndJoin {
        /// The budget.
        budget_usd: f64,
    },
    /// Traffic of two teams: their utilities are on different scales.
    #[error("traffic of teams {first} and {second}: allowed one team at a time")]
    Teams {
        /// The first team met.
        first: Name,
        /// Another one.
        second: Name,
    },
    /// A guard of something that is no signal of the log.
    #[error("guard {signal}: allowed a signal of the log: {}", listed(allowed))]
    Guard {
        /// What was named.
        signal: Name,
        /// The log's signals.
        allowed: Vec<Name>,
    },
    /// Saving is asked for by bounds that cost cannot have.
    #[error(
        "aim saving beside peeking: cost has no scale, and so no bound that holds at every peek: allowed one of the two"
    )]
    SavingPeeking,
    /// The ends of a scale.
    #[error("utility from {low} to {high}: allowed two finite numbers, the first below the second")]
    Scale {
        /// The lower one.
        low: f64,
        /// The upper one.
        high: f64,
    },
    /// Candidates that put different worths on outcomes.
    #[error(
        "candidates {first} and {second} change what outcomes are worth in different ways: allowed one \
         scorecard and one set of prices in a comparison"
    )]
    Worlds {
        /// The first that changes it.
        first: String,
        /// Another one.
        second: String,
    },
    /// An arm that no draw of the log could have had.
    #[error(
        "candidate {candidate}: {field} has arm {arm}, which the log never offered: allowed {}; what an arm \
         would do that was never offered is not in a log, but in an outcome table (`replay outcomes`)",
        listed(allowed)
    )]
    NeverOffered {
        /// The candidate.
        candidate: String,
        /// Where it names the arm.
        field: &'static str,
        /// The arm.
        arm: Name,
        /// The arms that the log offered.
        allowed: Vec<Name>,
    },
    /// More money than the log spent.
    #[error(
        "candidate {candidate}: budget.request_usd is {request_usd}: allowed less than {spent_usd:.6}, which is \
         what the log spent; what more money would buy is not in a log, but in an outcome table \
         (`replay outcomes --budget`)"
    )]
    BudgetLooser {
        /// The candidate.
        candidate: String,
        /// Its budget.
        request_usd: f64,
        /// Mean expected spend of the logged policy.
        spent_usd: f64,
    },
    /// Less money than the candidate must spend.
    #[error(
        "candidate {candidate}: budget.request_usd is {request_usd}: allowed {least_usd:.6} and more, which is \
         what its floors and first pulls spend whatever a dollar costs; `replay outcomes --budget` plays a table \
         under any budget"
    )]
    BudgetBelowFloor {
        /// The candidate.
        candidate: String,
        /// Its budget.
        request_usd: f64,
        /// What it spends at least.
        least_usd: f64,
    },
    /// Prices, without what they are in points.
    #[error(
        "price needs what a point of quality is worth: allowed with quality_usd, or with a scorecard"
    )]
    PriceWithoutWorth,
    /// A scorecard's gate whose odds the log does not keep.
    #[error(
        "signal {signal} is a number with a gate: allowed gates on flags, for a log keeps what a number was \
         expected to be, not the odds that it passes; an outcome table has them (`replay outcomes`)"
    )]
    GateOnNumber {
        /// The signal.
        signal: Name,
    },
    /// A scorecard's signal of which the log expected nothing.
    #[error(
        "signal {signal} of the scorecard is not in the log: allowed {}, whose expected values it has; a signal \
         that it never had can be judged on an outcome table (`replay outcomes`)",
        listed(logged)
    )]
    SignalNotLogged {
        /// The signal.
        signal: Name,
        /// Those it has.
        logged: Vec<Name>,
    },
    /// The caller asked to stop.
    #[error("stopped by the caller")]
    Stopped,
    /// The features of a prompt.
    #[error("features of prompt {prompt}: {source}")]
    Feature {
        /// The prompt's id.
        prompt: String,
        /// What was wrong.
        source: feature::Error,
    },
    /// The features themselves.
    #[error(transparent)]
    Extractor(#[from] feature::Error),
    /// A policy that cannot choose.
    #[error(transparent)]
    Choice(#[from] ChoiceError),
    /// Contexts that cannot be learned from.
    #[error(transparent)]
    State(#[from] StateError),
    /// A cost that no budget can take.
    #[error(transparent)]
    Cost(#[from] PacerError),
    /// The table.
    #[error(transparent)]
    Table(#[from] table::Error),
}

impl Error {
    /// Whether the question is sound and it is the log that cannot answer it.
    pub fn is_unanswerable(&self) -> bool {
        matches!(
            self,
            Self::NeverOffered { .. }
                | Self::BudgetLooser { .. }
                | Self::BudgetBelowFloor { .. }
                | Self::GateOnNumber { .. }
                | Self::SignalNotLogged { .. }
        )
    }
}

/// Names, by commas.
fn listed(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    names.join(", ")
}
