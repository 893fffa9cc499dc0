//! One call, from its beginning to its end, and what became of it.
//!
//! Invariants: a call that was begun is counted once, on every path: one that is dropped without an end was
//! abandoned; the first end that is told counts.
//!
//! Not here: which error is which outcome (`route`, `complete`), the cells (`metrics`).

use super::current;
use super::metrics::Metrics;
use super::witness::Span;
use crate::decision::{Attempt, Decision, Excluded};
use crate::id::Name;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// What is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// A decision alone.
    Route,
    /// A whole answer.
    Complete,
    /// An answer in pieces.
    Stream,
    /// Vectors of texts.
    Embed,
}

impl Method {
    pub(super) const ALL: [Self; 4] = [Self::Route, Self::Complete, Self::Stream, Self::Embed];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Complete => "complete",
            Self::Stream => "stream",
            Self::Embed => "embed",
        }
    }
}

/// What became of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It has what it asked for.
    Ok,
    /// It was answered from the record of the first call with its request id.
    Repeated,
    /// Something in it is not allowed.
    Invalid,
    /// No arm could take it.
    NoEligibleArm,
    /// Every endpoint that it may use has failed and is left alone for a while.
    Unavailable,
    /// As before, all of them because they were asked too much.
    RateLimited,
    /// The team's budget did not pay for any arm.
    BudgetExhausted,
    /// A limit on requests, tokens or calls at once was reached.
    OverLimit,
    /// Its episode goes round, and its team stops that.
    EpisodeLooping,
    /// Its request id was used with another body.
    RequestIdReused,
    /// Every attempt failed.
    AllAttemptsFailed,
    /// Every attempt of the first call with its request id failed.
    FailedBefore,
    /// It was answered before, in words that were not recorded.
    AnswerNotKept,
    /// The team's guardrail refused it.
    Blocked,
    /// Its deadline came before the first attempt.
    DeadlineExceeded,
    /// A fault of ours.
    Internal,
    /// Nobody waited for it to its end.
    Abandoned,
}

impl Outcome {
    pub(super) const ALL: [Self; 17] = [
        Self::Ok,
        Self::Repeated,
        Self::Invalid,
        Self::NoEligibleArm,
        Self::Unavailable,
        Self::RateLimited,
        Self::BudgetExhausted,
        Self::OverLimit,
        Self::EpisodeLooping,
        Self::RequestIdReused,
        Self::AllAttemptsFailed,
        Self::FailedBefore,
        Self::AnswerNotKept,
        Self::Blocked,
        Self::DeadlineExceeded,
        Self::Internal,
        Self::Abandoned,
    ];

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Repeated => "repeated",
            Self::Invalid => "invalid",
            Self::NoEligibleArm => "no_eligible_arm",
            Self::Unavailable => "endpoints_unavailable",
            Self::RateLimited => "endpoints_rate_limited",
            Self::BudgetExhausted => "budget_exhausted",
            Self::OverLimit => "over_limit",
            Self::EpisodeLooping => "episode_looping",
            Self::RequestIdReused => "request_id_reused",
            Self::AllAttemptsFailed => "all_attempts_failed",
            Self::FailedBefore => "failed_before",
            Self::AnswerNotKept => "answer_not_kept",
            Self::Blocked => "guardrail_blocked",
            Self::DeadlineExceeded => "deadline_exceeded",
            Self::Internal => "internal",
            Self::Abandoned => "abandoned",
        }
    }
}

/// A call at work.
#[derive(Debug)]
pub struct Underway {
    metrics: Arc<Metrics>,
    method: Method,
    team: Option<usize>,
    started: Instant,
    outcome: Option<Outcome>,
    /// What its only attempt took.
    waited: Option<Duration>,
    /// Its span, where one is recorded.
    span: Option<Box<Span>>,
}

impl Underway {
    pub(super) fn new(metrics: Arc<Metrics>, method: Method, team: &Name) -> Self {
        let witness = metrics.witness();
        let span = witness.and_then(|witness| witness.begin(method, team, current::here()));
        Self {
            span: span.map(Box::new),
            method,
            team: metrics.team(team),
            metrics,
            started: Instant::now(),
            outcome: None,
            waited: None,
        }
    }

    /// It has ended.
    pub fn end(&mut self, outcome: Outcome) {
        self.outcome.get_or_insert(outcome);
    }

    /// It has a decision: what is done for it from now on is done for this call.
    pub fn decided(&mut self, decision: &Arc<Decision>) {
        if let (Some(span), Some(witness)) = (&mut self.span, self.metrics.witness()) {
            span.decision = Some(Arc::clone(decision));
            witness.decided(span);
        }
    }

    /// It got what the first call with its request id got.
    pub fn repeats(&mut self, decision: &Arc<Decision>) {
        self.end(Outcome::Repeated);
        if let Some(span) = &mut self.span {
            span.decision = Some(Arc::clone(decision));
        }
    }

    /// It was answered, after these attempts.
    pub fn answered(&mut self, attempts: &[Attempt]) {
        if self.outcome.is_none() {
            self.end(Outcome::Ok);
            if let [only] = attempts {
                self.waited = only.latency_ms.and_then(wait);
            }
        }
    }

    /// Its only attempt was at work for so long, with the time of a reader who may be slow: the one is no more
    /// ours than the other.
    pub fn read(&mut self, attempts: &[Attempt], elapsed: Duration) {
        if self.outcome == Some(Outcome::Ok) && attempts.len() == 1 {
            self.waited = Some(elapsed);
        }
    }

    /// No arm could take it, for these reasons.
    pub fn no_eligible_arm(&mut self, excluded: &[Excluded]) {
        if self.outcome.is_none() {
            self.end(Outcome::NoEligibleArm);
            self.metrics.no_eligible_arm(excluded);
        }
    }

    /// A limit of an owner of this kind was reached.
    pub fn over_limit(&mut self, limit: &str, owner: &str) {
        if self.outcome.is_none() {
            self.end(Outcome::OverLimit);
            self.metrics.over_limit(limit, owner);
        }
    }

    /// Its answer was held to a check.
    pub fn checked(&self, check: &str, passed: bool) {
        self.metrics.checked(check, passed);
    }
}

fn wait(ms: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(ms / 1e3).ok()
}

impl Drop for Underway {
    fn drop(&mut self) {
        let took = self.started.elapsed();
        let outcome = self.outcome.unwrap_or(Outcome::Abandoned);
        // Longer than the call: of another clock.
        let overhead = self.waited.and_then(|waited| took.checked_sub(waited));
        let of = (self.method, self.team);
        self.metrics.ended(of, outcome, took, overhead);
        if let (Some(span), Some(witness)) = (self.span.take(), self.metrics.witness()) {
            witness.ended(&span, outcome);
        }
    }
}

impl Metrics {
    /// A call of `team` comes in.
    pub fn begin(self: &Arc<Self>, method: Method, team: &Name) -> Underway {
        self.came();
        Underway::new(Arc::clone(self), method, team)
    }
}
