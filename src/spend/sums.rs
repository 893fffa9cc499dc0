//! What is added up, and for whom.
//!
//! Invariants: sums stop at the end of their range instead of turning round.

use crate::decision::{Attempt, Cell, Decision, Reason};
use serde::Serialize;

/// Sums over requests and attempts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
pub struct Sums {
    /// Decisions.
    pub requests: u64,
    /// Those of them that were held out for the baseline.
    pub held_out_requests: u64,
    /// Those of them for which a budget kept at least one arm out that could have taken them otherwise.
    pub narrowed_requests: u64,
    /// Calls to endpoints, failed ones too.
    pub attempts: u64,
    /// Those of them that failed.
    pub failed_attempts: u64,
    /// Those of them that served and do not say what they cost: the money is not in `spent_nano_usd`.
    pub attempts_without_cost: u64,
    /// Attempts that failed and do not say what they cost, if anything: nor is that money in it.
    pub failed_attempts_without_cost: u64,
    /// Input tokens, cached ones included.
    pub input_tokens: u64,
    /// Those of them whose attempts say how many were cached.
    pub cache_told_input_tokens: u64,
    /// Input tokens read from a provider's cache.
    pub cached_input_tokens: u64,
    /// Output tokens.
    pub output_tokens: u64,
    /// What attempts say they cost.
    pub spent_nano_usd: i64,
    /// The part of it whose tokens the provider did not tell, so that they were counted.
    pub estimated_nano_usd: i64,
}

impl Sums {
    /// A request.
    pub(super) fn decided(&mut self, decision: &Decision) {
        let withheld = |allowance: &crate::decision::Allowance| !allowance.withheld.is_empty();
        let budget = decision
            .excluded
            .iter()
            .any(|excluded| excluded.reason == Reason::Budget);
        let narrowed = budget || decision.allowance.as_ref().is_some_and(withheld);
        self.requests += 1;
        self.held_out_requests += u64::from(decision.cell == Cell::Holdout);
        self.narrowed_requests += u64::from(narrowed);
    }

    /// A call to an endpoint.
    pub(super) fn tried(&mut self, attempt: &Attempt) {
        let usage = &attempt.usage;
        let input = usage.input.map_or(0, u64::from);
        let cost = cost(attempt);
        self.attempts += 1;
        self.failed_attempts += u64::from(attempt.error.is_some());
        let without = u64::from(cost.is_none());
        match attempt.error {
            None => self.attempts_without_cost += without,
            Some(_) => self.failed_attempts_without_cost += without,
        }
        self.input_tokens += input;
        if let Some(cached) = usage.cached_input {
            self.cache_told_input_tokens += input;
            // More than there were cannot have been cached.
            self.cached_input_tokens += u64::from(cached).min(input);
        }
        self.output_tokens += usage.output.map_or(0, u64::from);
        let cost = cost.unwrap_or(0);
        self.spent_nano_usd = self.spent_nano_usd.saturating_add(cost);
        if usage.estimated {
            self.estimated_nano_usd = self.estimated_nano_usd.saturating_add(cost);
        }
    }

    /// Those of both.
    pub(super) fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.held_out_requests += other.held_out_requests;
        self.narrowed_requests += other.narrowed_requests;
        self.attempts += other.attempts;
        self.failed_attempts += other.failed_attempts;
        self.attempts_without_cost += other.attempts_without_cost;
        self.failed_attempts_without_cost += other.failed_attempts_without_cost;
        self.input_tokens += other.input_tokens;
        self.cache_told_input_tokens += other.cache_told_input_tokens;
        self.cached_input_tokens += other.cached_input_tokens;
        self.output_tokens += other.output_tokens;
        self.spent_nano_usd = self.spent_nano_usd.saturating_add(other.spent_nano_usd);
        self.estimated_nano_usd = self
            .estimated_nano_usd
            .saturating_add(other.estimated_nano_usd);
    }

    /// Share of the input tokens that was cached, where attempts tell it.
    pub fn cached_share(&self) -> Option<f64> {
        let told = self.cache_told_input_tokens;
        (told > 0).then(|| self.cached_input_tokens as f64 / told as f64)
    }

    /// Share of the money that rests on counted tokens.
    pub fn estimated_share(&self) -> Option<f64> {
        let spent = self.spent_nano_usd;
        (spent > 0).then(|| self.estimated_nano_usd as f64 / spent as f64)
    }
}

/// What it says it cost; a sum below 0, which no account takes, says nothing.
pub(super) fn cost(attempt: &Attempt) -> Option<i64> {
    attempt
        .cost
        .map(|cost| cost.get())
        .filter(|cost| *cost >= 0)
}
