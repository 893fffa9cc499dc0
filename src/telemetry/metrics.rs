//! All metrics of a server, and what is told to them.
//!
//! Invariants: names that the configuration does not have are counted nowhere, kinds of error that we do not know
//! as `other`.
//!
//! Not here: the table (`table`), one call (`call`).

use super::call::{Method, Outcome};
use super::cell::{Count, Times};
use super::grid::Grid;
use super::table::{self, Family};
use super::text::Page;
use crate::decision::{Attempt, Excluded, Reason};
use crate::id::Name;
use std::collections::HashMap;
use std::time::Duration;

/// What the values of labels are: names of the configuration and words of ours.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Endpoints, in catalogue order.
    pub endpoints: Vec<Name>,
    /// Arms.
    pub arms: Vec<Name>,
    /// Checks.
    pub checks: Vec<Name>,
    /// Kinds of error of attempts.
    pub errors: Vec<&'static str>,
    /// Teams, where they are to be told apart.
    pub teams: Vec<Name>,
}

/// What became of an item of feedback.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// Kept.
    Accepted,
    /// Kept before.
    Duplicate,
    /// Kept; it waits for its decision.
    Parked,
    /// Kept, too late to be learned from.
    Late,
    /// Refused.
    Refused,
    /// Not kept, by a fault of ours.
    Failed,
}

/// What is read only when metrics are written.
#[derive(Debug, Clone, Default)]
pub struct Now {
    /// Which endpoints are not to be asked, in catalogue order; empty where all may be.
    pub unavailable: Vec<bool>,
    /// Which refuse our key, account or address, in catalogue order; empty where none does.
    pub misconfigured: Vec<bool>,
    /// The journal's newest record.
    pub journal: u64,
    /// The newest record that the published snapshot has learned.
    pub learned: u64,
}

/// Where names stand among a label's values.
type Places = HashMap<Name, usize>;

/// All metrics of a server.
#[derive(Debug)]
pub struct Metrics {
    endpoints: Places,
    arms: Places,
    checks: Places,
    teams: Places,
    errors: Vec<&'static str>,
    build: Grid<Count, 1>,
    in_flight: Grid<Count, 0>,
    requests: Grid<Count, 2>,
    request_duration: Grid<Times, 1>,
    overhead: Grid<Times, 1>,
    provider_duration: Grid<Times, 2>,
    first_token: Grid<Times, 1>,
    attempts: Grid<Count, 2>,
    retries: Grid<Count, 0>,
    fallbacks: Grid<Count, 2>,
    breaker_open: Grid<Count, 1>,
    misconfigured: Grid<Count, 1>,
    tokens: Grid<Count, 2>,
    cost: Grid<Count, 1>,
    budget_refusals: Grid<Count, 0>,
    no_eligible_arm: Grid<Count, 1>,
    checked: Grid<Count, 2>,
    feedback: Grid<Count, 1>,
    journal_records: Grid<Count, 0>,
    learner_lag: Grid<Count, 0>,
    team_requests: Grid<Count, 2>,
    team_cost: Grid<Count, 1>,
}

/// Of an attempt that was answered, before the kinds of error.
const OK: &str = "ok";
/// A kind of error that we do not know, after them.
const OTHER: &str = "other";
const TOKENS: [&str; 4] = ["input", "cached", "output", "reasoning"];
const TAKEN: [&str; 6] = [
    "accepted",
    "duplicate",
    "parked",
    "late",
    "refused",
    "failed",
];
const REASONS: [&str; 11] = [
    "not_allowed",
    "denied",
    "capability",
    "context_length",
    "data_policy",
    "max_cost",
    "max_latency",
    "no_price",
    "budget",
    "unavailable",
    "parameters",
];
const NO_YES: [&str; 2] = ["false", "true"];

const fn reason(reason: Reason) -> usize {
    match reason {
        Reason::NotAllowed => 0,
        Reason::Denied => 1,
        Reason::Capability => 2,
        Reason::ContextLength => 3,
        Reason::DataPolicy => 4,
        Reason::MaxCost => 5,
        Reason::MaxLatency => 6,
        Reason::NoPrice => 7,
        Reason::Budget => 8,
        Reason::Unavailable => 9,
        Reason::Parameters => 10,
    }
}

fn words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    words.into_iter().map(str::to_owned).collect()
}

fn names(names: &[Name]) -> Vec<String> {
    words(names.iter().map(Name::as_str))
}

/// The place of each name; the first of equal ones.
fn places(names: Vec<Name>) -> Places {
    let places = names.into_iter().enumerate().rev();
    places.map(|(place, name)| (name, place)).collect()
}

impl Default for Metrics {
    fn default() -> Self {
        Self::new(Labels::default())
    }
}

impl Metrics {
    /// Nothing counted yet.
    pub fn new(labels: Labels) -> Self {
        let ends = words(
            [OK].into_iter()
                .chain(labels.errors.iter().copied())
                .chain([OTHER]),
        );
        let methods = || words(Method::ALL.map(Method::as_str));
        let outcomes = || words(Outcome::ALL.map(Outcome::as_str));
        let [endpoints, arms] = [&labels.endpoints, &labels.arms];
        let checks = names(&labels.checks);
        let build = Grid::counts(&table::BUILD_INFO, [words([env!("CARGO_PKG_VERSION")])]);
        set(&build, [0], 1);
        Self {
            build,
            in_flight: one(&table::IN_FLIGHT),
            requests: Grid::counts(&table::REQUESTS, [methods(), outcomes()]),
            request_duration: Grid::times(&table::REQUEST_DURATION, [methods()]),
            overhead: Grid::times(&table::OVERHEAD, [methods()]),
            provider_duration: Grid::times(
                &table::PROVIDER_DURATION,
                [names(endpoints), words(NO_YES)],
            ),
            first_token: Grid::times(&table::FIRST_TOKEN, [names(endpoints)]),
            attempts: Grid::counts(&table::ATTEMPTS, [names(endpoints), ends]),
            retries: one(&table::RETRIES),
            fallbacks: Grid::counts(&table::FALLBACKS, [names(arms), names(arms)]),
            breaker_open: Grid::counts(&table::BREAKER_OPEN, [names(endpoints)]),
            misconfigured: Grid::counts(&table::MISCONFIGURED, [names(endpoints)]),
            tokens: Grid::counts(&table::TOKENS, [names(endpoints), words(TOKENS)]),
            cost: Grid::counts(&table::COST, [names(endpoints)]),
            budget_refusals: one(&table::BUDGET_REFUSALS),
            no_eligible_arm: Grid::counts(&table::NO_ELIGIBLE_ARM, [words(REASONS)]),
            checked: Grid::counts(&table::CHECKS, [checks, words(NO_YES)]),
            feedback: Grid::counts(&table::FEEDBACK, [words(TAKEN)]),
            journal_records: one(&table::JOURNAL_RECORDS),
            learner_lag: one(&table::LEARNER_LAG),
            team_requests: Grid::counts(&table::TEAM_REQUESTS, [names(&labels.teams), outcomes()]),
            team_cost: Grid::counts(&table::TEAM_COST, [names(&labels.teams)]),
            endpoints: places(labels.endpoints),
            arms: places(labels.arms),
            checks: places(labels.checks),
            teams: places(labels.teams),
            errors: labels.errors,
        }
    }

    /// An attempt of ours has ended, for `team`.
    pub fn attempt(&self, team: &Name, attempt: &Attempt, streamed: bool) {
        let cost = attempt.cost.and_then(|cost| u64::try_from(cost.get()).ok());
        if let (Some(team), Some(cost)) = (self.team(team), cost) {
            add(&self.team_cost, [team], cost);
        }
        let Some(&endpoint) = self.endpoints.get(&attempt.endpoint) else {
            return;
        };
        let end = self.end(attempt.error.as_ref());
        add(&self.attempts, [endpoint, end], 1);
        add(&self.cost, [endpoint], cost.unwrap_or(0));
        let used = &attempt.usage;
        let kinds = [used.input, used.cached_input, used.output, used.reasoning];
        for (kind, tokens) in kinds.into_iter().enumerate() {
            match tokens {
                None | Some(0) => {}
                Some(tokens) => add(&self.tokens, [endpoint, kind], u64::from(tokens)),
            }
        }
        let took = |ms: Option<f64>| Duration::try_from_secs_f64(ms? / 1e3).ok();
        if attempt.error.is_none() {
            let place = [endpoint, usize::from(streamed)];
            note(&self.provider_duration, place, took(attempt.latency_ms));
        }
        note(&self.first_token, [endpoint], took(attempt.first_token_ms));
    }

    /// Where an attempt's end stands among the values of its label.
    fn end(&self, error: Option<&Name>) -> usize {
        let Some(error) = error else {
            return 0;
        };
        let known = self.errors.iter().position(|kind| *kind == error.as_str());
        1 + known.unwrap_or(self.errors.len())
    }

    /// An endpoint of arm `to` is asked after one of arm `from`.
    pub fn another_try(&self, from: &Name, to: &Name) {
        if from == to {
            add(&self.retries, [], 1);
        } else if let (Some(from), Some(to)) = (self.arms.get(from), self.arms.get(to)) {
            add(&self.fallbacks, [*from, *to], 1);
        }
    }

    /// An item of feedback came.
    pub fn feedback(&self, taken: Taken) {
        add(&self.feedback, [taken as usize], 1);
    }

    /// Everything, in the text format of Prometheus.
    pub fn text(&self, now: &Now) -> String {
        for place in 0..self.endpoints.len() {
            let is = |those: &[bool]| u64::from(those.get(place).copied().unwrap_or(false));
            set(&self.breaker_open, [place], is(&now.unavailable));
            set(&self.misconfigured, [place], is(&now.misconfigured));
        }
        set(&self.journal_records, [], now.journal);
        let lag = now.journal.saturating_sub(now.learned);
        set(&self.learner_lag, [], lag);
        let mut page = Page::default();
        self.write(&mut page);
        page.finish()
    }

    /// In the order of the table.
    fn write(&self, page: &mut Page) {
        self.build.write(page);
        self.in_flight.write(page);
        self.requests.write(page);
        self.request_duration.write(page);
        self.overhead.write(page);
        self.provider_duration.write(page);
        self.first_token.write(page);
        self.attempts.write(page);
        self.retries.write(page);
        self.fallbacks.write(page);
        self.breaker_open.write(page);
        self.misconfigured.write(page);
        self.tokens.write(page);
        self.cost.write(page);
        self.budget_refusals.write(page);
        self.no_eligible_arm.write(page);
        self.checked.write(page);
        self.feedback.write(page);
        self.journal_records.write(page);
        self.learner_lag.write(page);
        self.team_requests.write(page);
        self.team_cost.write(page);
    }

    pub(super) fn team(&self, team: &Name) -> Option<usize> {
        self.teams.get(team).copied()
    }

    pub(super) fn came(&self) {
        add(&self.in_flight, [], 1);
    }

    pub(super) fn ended(
        &self,
        (method, team): (Method, Option<usize>),
        outcome: Outcome,
        took: Duration,
        overhead: Option<Duration>,
    ) {
        if let Some(in_flight) = self.in_flight.at([]) {
            in_flight.take(1);
        }
        let (method, end) = (method as usize, outcome as usize);
        add(&self.requests, [method, end], 1);
        note(&self.request_duration, [method], Some(took));
        note(&self.overhead, [method], overhead);
        if outcome == Outcome::BudgetExhausted {
            add(&self.budget_refusals, [], 1);
        }
        if let Some(team) = team {
            add(&self.team_requests, [team, end], 1);
        }
    }

    pub(super) fn no_eligible_arm(&self, excluded: &[Excluded]) {
        let mut seen = [false; REASONS.len()];
        for place in excluded.iter().map(|excluded| reason(excluded.reason)) {
            if let Some(seen) = seen.get_mut(place)
                && !std::mem::replace(seen, true)
            {
                add(&self.no_eligible_arm, [place], 1);
            }
        }
    }

    pub(super) fn checked(&self, check: &str, passed: bool) {
        let mut checks = self.checks.iter();
        let found = checks.find(|(name, _)| name.as_str() == check);
        if let Some((_, place)) = found {
            add(&self.checked, [*place, usize::from(passed)], 1);
        }
    }
}

fn one(family: &'static Family) -> Grid<Count, 0> {
    Grid::counts(family, [])
}

fn add<const D: usize>(grid: &Grid<Count, D>, place: [usize; D], more: u64) {
    if let Some(cell) = grid.at(place) {
        cell.add(more);
    }
}

fn set<const D: usize>(grid: &Grid<Count, D>, place: [usize; D], value: u64) {
    if let Some(cell) = grid.at(place) {
        cell.set(value);
    }
}

fn note<const D: usize>(grid: &Grid<Times, D>, place: [usize; D], took: Option<Duration>) {
    if let (Some(cell), Some(took)) = (grid.at(place), took) {
        cell.note(took);
    }
}

#[cfg(test)]
mod tests;
