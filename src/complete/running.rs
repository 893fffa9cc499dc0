//! An attempt at work, and its one record.
//!
//! Invariants: [`Running::end`] takes the right to record; a `Running` that is dropped with that right
//! records `abandoned`. So there is one record, whoever lets go first.
//!
//! Where the provider does not say its usage, characters are counted at 4 a token and the usage is
//! marked: an aborted stream costs what it had said so far, not nothing. A refusal before the model
//! could work costs nothing.
//!
//! Not here: calling the provider (`attempt`), prices (`eligibility`).

use super::attempt::Target;
use super::heard::Heard;
use super::log::AttemptLog;
use crate::chat::estimated_tokens;
use crate::clock::Clock;
use crate::decision::{Answer, Attempt, Usage};
use crate::health::Outcome;
use crate::id::Name;
use crate::provider::{self, FinishReason, Kind, Source};
use crate::standing::{Asked, Took};
use crate::telemetry::Metrics;
use crate::unit::NanoUsd;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// An attempt at work.
#[derive(Debug)]
pub(super) struct Running {
    target: Target,
    clock: Arc<dyn Clock>,
    started: Instant,
    /// What the provider says the call took, if it does.
    took: Option<Duration>,
    input_estimate: u32,
    /// The answer so far.
    pub(super) heard: Heard,
    /// When the first piece of a streamed answer came.
    first_token: Option<Duration>,
    /// What the endpoint's standing hears of it.
    asked: Asked,
    metrics: Arc<Metrics>,
    streamed: bool,
    /// Taken by the one who records.
    log: Option<Arc<dyn AttemptLog>>,
}

/// A record that was made, and where.
#[derive(Debug)]
pub(super) struct Ended {
    pub(super) attempt: Attempt,
    place: Option<(Arc<dyn AttemptLog>, u64)>,
}

impl Running {
    pub(super) fn start(
        target: Target,
        input_estimate: u32,
        (asked, metrics): (Asked, Arc<Metrics>),
        clock: Arc<dyn Clock>,
        log: Arc<dyn AttemptLog>,
    ) -> Self {
        Self {
            asked,
            metrics,
            streamed: false,
            first_token: None,
            heard: Heard::new(target.listen),
            target,
            clock,
            started: Instant::now(),
            took: None,
            input_estimate,
            log: Some(log),
        }
    }

    /// Notes the provider's own word on how long the call took.
    pub(super) fn took(&mut self, latency: Duration) {
        self.took = Some(latency);
    }

    /// Notes that the answer is asked for in pieces.
    pub(super) fn streamed(&mut self) {
        self.streamed = true;
    }

    /// Notes that the first piece has come.
    pub(super) fn first_token(&mut self) {
        self.first_token = Some(self.started.elapsed());
    }

    /// Records an answer: its words, where they are kept, and the attempt.
    pub(super) fn answered(&mut self, usage: Usage, finish_reason: FinishReason) -> Ended {
        self.keep_words(finish_reason);
        self.stood(Outcome::Answered);
        self.end(self.completed(usage), None)
    }

    fn keep_words(&self, finish_reason: FinishReason) {
        let words = self.heard.words().filter(|_| self.target.keep_words);
        let Some(words) = words else {
            return;
        };
        let message = serde_json::to_string(words).ok();
        let reason = Name::new(finish_reason.as_str()).ok();
        let (Some(log), Some((message, finish_reason))) = (&self.log, message.zip(reason)) else {
            return;
        };
        let Target { team, decision, .. } = &self.target;
        let answer = Answer {
            decision: *decision,
            ended: self.clock.now(),
            message,
            finish_reason,
        };
        if let Err(error) = log.append_answer(team, answer) {
            tracing::error!(%decision, %error, "the words of an answer were not kept");
        }
    }

    /// Tells the endpoint's standing what became of it.
    fn stood(&self, outcome: Outcome) {
        let ms = |duration: Duration| duration.as_secs_f64() * 1e3;
        let took = match self.first_token {
            Some(first) => Took::First(ms(first)),
            None => Took::Whole(ms(self.took.unwrap_or_else(|| self.started.elapsed()))),
        };
        // A failure that came at once says nothing of how long an answer takes.
        let took = Some(took).filter(|_| matches!(outcome, Outcome::Answered | Outcome::TimedOut));
        self.asked.end(outcome, took, self.clock.now());
    }

    /// Records a failure.
    pub(super) fn failed(&mut self, error: &provider::Error) -> Ended {
        self.stood(outcome(error, self.started.elapsed()));
        // Words that were heard were made, whatever went wrong after them.
        let usage = if error.kind.may_cost() || self.heard.characters() > 0 {
            self.completed(Usage::default())
        } else {
            Usage {
                input: Some(0),
                output: Some(0),
                ..Usage::default()
            }
        };
        self.end(usage, Some(error.kind.as_str()))
    }

    fn completed(&self, said: Usage) -> Usage {
        Usage {
            input: said.input.or(Some(self.input_estimate)),
            cached_input: said.cached_input,
            output: said
                .output
                .or(Some(estimated_tokens(self.heard.characters()))),
            estimated: said.estimated || said.input.is_none() || said.output.is_none(),
            ..said
        }
    }

    fn end(&mut self, usage: Usage, error: Option<&str>) -> Ended {
        let Target {
            team,
            decision,
            endpoint,
            ..
        } = &self.target;
        let ended = self.clock.now();
        let took = self.took.unwrap_or_else(|| self.started.elapsed());
        let nothing = usage.input == Some(0) && usage.output == Some(0);
        let attempt = Attempt {
            decision: *decision,
            arm: endpoint.arm.clone(),
            endpoint: endpoint.name.clone(),
            ended,
            latency_ms: Some(took.as_secs_f64() * 1e3),
            usage,
            cost: if nothing {
                Some(NanoUsd::ZERO)
            } else {
                endpoint.cost(&usage, ended)
            },
            error: error.and_then(|kind| Name::new(kind).ok()),
            reported: false,
            request: None,
            first_token_ms: self.first_token.map(|took| took.as_secs_f64() * 1e3),
        };
        self.metrics.attempt(team, &attempt, self.streamed);
        let place = self.log.take().and_then(|log| {
            let place = log.append(team, &attempt);
            // The money is spent and the answer is here: a full disk does not undo either.
            let kept = place.inspect_err(|error| {
                tracing::error!(%decision, endpoint = %endpoint.name, %error, "an attempt was not kept");
            });
            kept.ok().map(|place| (log, place))
        });
        Ended { attempt, place }
    }
}

/// A caller who waited so long for nothing was let down by the endpoint, whatever its own limits are.
const LONG: Duration = Duration::from_secs(10);

/// What a failure after `waited` says of the endpoint.
fn outcome(error: &provider::Error, waited: Duration) -> Outcome {
    match (error.kind, error.source) {
        (Kind::RateLimited, _) => Outcome::TooMany(error.retry_after),
        (Kind::Timeout, _) => Outcome::TimedOut,
        (Kind::DeadlineExceeded, _) if waited >= LONG => Outcome::TimedOut,
        // The caller's patience, not the endpoint's, ended.
        (Kind::DeadlineExceeded, _) => Outcome::Abandoned,
        // Some providers refuse a single prompt so: no key is wrong.
        _ if error.status == Some(403) => Outcome::Failed,
        (Kind::Unsupported, _) | (_, Source::Caller) => Outcome::Answered,
        (_, Source::Ours) => Outcome::Misconfigured,
        (_, Source::Theirs) => match error.retry_after {
            Some(asked) => Outcome::TooMany(Some(asked)),
            None => Outcome::Failed,
        },
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.log.is_some() {
            self.end(self.completed(Usage::default()), Some(Attempt::ABANDONED));
        }
    }
}

impl Ended {
    /// The record, when it is as durable as was configured.
    pub(super) async fn durable(self) -> Attempt {
        if let Some((log, place)) = &self.place
            && let Err(error) = log.durable(*place).await
        {
            tracing::error!(%error, "an attempt may not survive a power cut");
        }
        self.attempt
    }
}
