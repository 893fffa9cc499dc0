//! One episode so far, and what its next call says of it.
//!
//! Invariants: what was found of an episode stays found; the last [`WINDOW`] requests are remembered.

use super::{Band, Fingerprint};
use std::collections::VecDeque;
use std::fmt;

/// Requests that a new one is compared with.
const WINDOW: usize = 32;

/// Fewer calls than this are never too many.
const LEAST_CALLS: f64 = 20.0;

/// When an episode is one that goes round.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// So many requests that are almost the same, among 32 that follow each other.
    pub same_requests: u32,
    /// Bits of 64 in which almost the same ones may differ.
    pub similar_bits: u32,
    /// So many requests one after the other that follow the same tool calls.
    pub same_tool_calls: u32,
    /// Deviations above the middle that calls and cost may reach.
    pub band_width: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            same_requests: 8,
            similar_bits: 2,
            same_tool_calls: 12,
            band_width: 6.0,
        }
    }
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Requests that are almost the same.
    SameRequests,
    /// The same tool calls.
    SameToolCalls,
    /// More calls than finished episodes took.
    Calls,
    /// More money than finished episodes took.
    Cost,
}

impl Rule {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::SameRequests,
        Self::SameToolCalls,
        Self::Calls,
        Self::Cost,
    ];

    /// Its word.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SameRequests => "same_requests",
            Self::SameToolCalls => "same_tool_calls",
            Self::Calls => "calls",
            Self::Cost => "cost",
        }
    }
}

/// What was found of an episode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Finding {
    /// The rule that it broke.
    pub rule: Rule,
    /// Calls of the episode, with this one.
    pub calls: u32,
    /// Of how many of them the rule speaks; of cost, USD.
    pub found: f64,
    /// What the rule allows less than, or at most.
    pub allowed: f64,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            rule,
            calls,
            found,
            allowed,
        } = self;
        match rule {
            Rule::SameRequests => write!(
                f,
                "{found} of its last requests are almost the same: allowed fewer than {allowed} (call {calls})"
            ),
            Rule::SameToolCalls => write!(
                f,
                "{found} requests follow the same tool calls: allowed fewer than {allowed} (call {calls})"
            ),
            Rule::Calls => write!(
                f,
                "{calls} calls: episodes of its task take at most {allowed:.0}"
            ),
            Rule::Cost => write!(
                f,
                "{found:.6} USD in {calls} calls: episodes of its task cost at most {allowed:.6}"
            ),
        }
    }
}

/// What finished episodes of the same task took.
#[derive(Debug, Clone, Default)]
pub struct Growth {
    calls: Band,
    usd: Band,
}

impl Growth {
    /// An episode has ended in order.
    pub fn learn(&mut self, ended: &Circle) {
        self.calls.add(f64::from(ended.calls));
        self.usd.add(ended.usd);
    }
}

/// One episode so far.
#[derive(Debug, Clone, Default)]
pub struct Circle {
    last: VecDeque<Fingerprint>,
    calls: u32,
    usd: f64,
    /// The newest tool calls, and how many requests in a row followed the same.
    made: Option<u64>,
    run: u32,
    found: Option<Finding>,
}

impl Circle {
    /// What was found of it so far.
    pub const fn found(&self) -> Option<Finding> {
        self.found
    }

    /// A call of it cost so much.
    pub fn spent(&mut self, usd: f64) {
        if usd > 0.0 && usd.is_finite() {
            self.usd += usd;
        }
    }

    /// Its next call. Says what it is found to do, if anything.
    pub fn call(
        &mut self,
        asked: Option<Fingerprint>,
        rules: &Rules,
        growth: &Growth,
    ) -> Option<Finding> {
        self.calls = self.calls.saturating_add(1);
        let same = asked.map_or(0, |asked| self.same(asked, rules.similar_bits));
        self.follow(asked);
        let finding = |rule, found: f64, allowed: f64| Finding {
            rule,
            calls: self.calls,
            found,
            allowed,
        };
        let counted = |rule, found: u32, allowed: u32| {
            (found >= allowed).then(|| finding(rule, f64::from(found), f64::from(allowed)))
        };
        let beyond = |rule, found: f64, upper: Option<f64>| {
            let upper = upper.filter(|upper| found > *upper)?;
            Some(finding(rule, found, upper))
        };
        let calls = growth.calls.upper(rules.band_width);
        let calls = calls.map(|upper| upper.max(LEAST_CALLS));
        let found = counted(Rule::SameRequests, same, rules.same_requests)
            .or_else(|| counted(Rule::SameToolCalls, self.run, rules.same_tool_calls))
            .or_else(|| beyond(Rule::Calls, f64::from(self.calls), calls))
            .or_else(|| beyond(Rule::Cost, self.usd, growth.usd.upper(rules.band_width)));
        if self.found.is_none() {
            self.found = found;
        }
        found
    }

    /// A call came to nothing.
    pub fn forget(&mut self, asked: Option<Fingerprint>) {
        self.calls = self.calls.saturating_sub(1);
        self.run = self.run.saturating_sub(1);
        let place = asked.and_then(|asked| self.last.iter().rposition(|last| *last == asked));
        if let Some(place) = place {
            self.last.remove(place);
        }
    }

    /// How many of the last ones are almost the same, with this one.
    fn same(&mut self, asked: Fingerprint, bits: u32) -> u32 {
        let near = self.last.iter().filter(|last| last.is_near(&asked, bits));
        let same = near.count();
        if self.last.len() >= WINDOW - 1 {
            self.last.pop_front();
        }
        self.last.push_back(asked);
        u32::try_from(same + 1).unwrap_or(u32::MAX)
    }

    fn follow(&mut self, asked: Option<Fingerprint>) {
        let made = asked.and_then(|asked| asked.calls);
        self.run = match (made, self.made) {
            (Some(made), Some(before)) if made == before => self.run.saturating_add(1),
            (Some(_), _) => 1,
            (None, _) => 0,
        };
        self.made = made;
    }
}

#[cfg(test)]
mod tests;
