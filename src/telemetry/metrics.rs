//! All metrics of a server, and what is told to them.
//!
//! Invariants: names that the configuration does not have are counted nowhere, kinds of error that we do not know
//! as `other`.
//!
//! Not here: the table (`table`), one call (`call`), what a witness makes of what it is told (`otlp`).

use super::call::{Method, Outcome};
use super::cell::{Count, Times};
use super::grid::Grid;
use super::guarded::Guarded;
use super::limit::Limits;
use super::now::Now;
use super::reason;
use super::table::{self, Family};
use super::text::Page;
use super::witness::{End, Witness};
use crate::decision::{Attempt, Excluded};
use crate::id::Name;
use crate::signal::Feedback;
use std::collections::HashMap;
use std::sync::Arc;
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
    /// What guardrails do.
    pub actions: Vec<&'static str>,
    /// What they look for.
    pub kinds: Vec<&'static str>,
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
    pub(super) guarded: Guarded,
    feedback: Grid<Count, 1>,
    pub(super) limits: Limits,
    soft_budgets: Grid<Count, 0>,
    journal_records: Grid<Count, 0>,
    learner_lag: Grid<Count, 0>,
    otlp_dropped: Grid<Count, 1>,
    team_requests: Grid<Count, 2>,
    team_cost: Grid<Count, 1>,
    /// Is told of each call, attempt and item by itself.
    witness: Option<Arc<dyn Witness>>,
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
const NO_YES: [&str; 2] = ["false", "true"];

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
            no_eligible_arm: Grid::counts(&table::NO_ELIGIBLE_ARM, [words(reason::WORDS)]),
            checked: Grid::counts(&table::CHECKS, [checks, words(NO_YES)]),
            guarded: Guarded::new(labels.actions, labels.kinds),
            feedback: Grid::counts(&table::FEEDBACK, [words(TAKEN)]),
            limits: Limits::default(),
            soft_budgets: one(&table::SOFT_BUDGETS),
            journal_records: one(&table::JOURNAL_RECORDS),
            learner_lag: one(&table::LEARNER_LAG),
            otlp_dropped: Grid::counts(&table::OTLP_DROPPED, [Vec::new()]),
            team_requests: Grid::counts(&table::TEAM_REQUESTS, [names(&labels.teams), outcomes()]),
            team_cost: Grid::counts(&table::TEAM_COST, [names(&labels.teams)]),
            endpoints: places(labels.endpoints),
            arms: places(labels.arms),
            checks: places(labels.checks),
            teams: places(labels.teams),
            errors: labels.errors,
            witness: None,
        }
    }

    /// What is told to the metrics is told to `witness` too, one by one.
    #[must_use]
    pub fn witnessed(self, witness: Arc<dyn Witness>) -> Self {
        Self {
            otlp_dropped: Grid::counts(&table::OTLP_DROPPED, [words(["event", "span"])]),
            witness: Some(witness),
            ..self
        }
    }

    pub(super) fn witness(&self) -> Option<&dyn Witness> {
        self.witness.as_deref()
    }

    /// An attempt of ours has ended, for `team`.
    pub fn attempt(&self, team: &Name, attempt: &Attempt, end: End) {
        if let Some(witness) = &self.witness {
            witness.attempt(attempt, end);
        }
        let cost = attempt.cost.and_then(|cost| u64::try_from(cost.get()).ok());
        if let (Some(team), Some(cost)) = (self.team(team), cost) {
            add(&self.team_cost, [team], cost);
        }
        let Some(&endpoint) = self.endpoints.get(&attempt.endpoint) else {
            return;
        };
        let ended = self.end(attempt.error.as_ref());
        add(&self.attempts, [endpoint, ended], 1);
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
            let place = [endpoint, usize::from(end.streamed)];
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

    /// An item of feedback was kept.
    pub fn kept(&self, item: &Feedback) {
        if let Some(witness) = &self.witness {
            witness.feedback(item);
        }
    }

    /// Everything, in the text format of Prometheus.
    pub fn text(&self, now: &Now) -> String {
        for place in 0..self.endpoints.len() {
            let is = |those: &[bool]| u64::from(those.get(place).copied().unwrap_or(false));
            set(&self.breaker_open, [place], is(&now.unavailable));
            set(&self.misconfigured, [place], is(&now.misconfigured));
        }
        set(&self.soft_budgets, [], now.soft_budgets_passed);
        set(&self.journal_records, [], now.journal);
        let lag = now.journal.saturating_sub(now.learned);
        set(&self.learner_lag, [], lag);
        if let Some(witness) = &self.witness {
            let lost = witness.lost();
            set(&self.otlp_dropped, [0], lost.events);
            set(&self.otlp_dropped, [1], lost.spans);
        }
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
        self.limits.write(page);
        self.soft_budgets.write(page);
        self.no_eligible_arm.write(page);
        self.checked.write(page);
        self.guarded.write(page);
        self.feedback.write(page);
        self.journal_records.write(page);
        self.learner_lag.write(page);
        self.otlp_dropped.write(page);
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
        let mut seen = [false; reason::WORDS.len()];
        for place in excluded
            .iter()
            .map(|excluded| reason::place(excluded.reason))
        {
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

pub(super) fn add<const D: usize>(grid: &Grid<Count, D>, place: [usize; D], more: u64) {
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
