//! Calls that a limit refuses, and those of episodes that go round.
//!
//! Not here: who refuses (`quota`, `loops`).

use super::cell::Count;
use super::grid::Grid;
use super::metrics::{Metrics, add};
use super::table;
use super::text::Page;

/// What is limited.
const LIMITS: [&str; 3] = ["requests", "tokens", "parallel_calls"];

/// Whose limit it is.
const OWNERS: [&str; 3] = ["key", "team", "organisation"];

/// Why an episode is found to go round.
const RULES: [&str; 4] = ["same_requests", "same_tool_calls", "calls", "cost"];

const STOPPED: [&str; 2] = ["false", "true"];

/// How many there were.
#[derive(Debug)]
pub(super) struct Limits {
    refusals: Grid<Count, 2>,
    loops: Grid<Count, 2>,
}

impl Default for Limits {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            refusals: Grid::counts(&table::LIMIT_REFUSALS, [words(&LIMITS), words(&OWNERS)]),
            loops: Grid::counts(&table::LOOPS, [words(&RULES), words(&STOPPED)]),
        }
    }
}

impl Limits {
    pub(super) fn write(&self, page: &mut Page) {
        self.refusals.write(page);
        self.loops.write(page);
    }
}

fn place(words: &[&str], word: &str) -> Option<usize> {
    words.iter().position(|known| *known == word)
}

impl Metrics {
    /// A call of an episode that goes round, by this rule.
    pub fn looping(&self, rule: &str, stopped: bool) {
        if let Some(rule) = place(&RULES, rule) {
            add(&self.limits.loops, [rule, usize::from(stopped)], 1);
        }
    }

    /// A call was refused by a limit.
    pub(super) fn over_limit(&self, limit: &str, owner: &str) {
        if let (Some(limit), Some(owner)) = (place(&LIMITS, limit), place(&OWNERS, owner)) {
            add(&self.limits.refusals, [limit, owner], 1);
        }
    }
}
