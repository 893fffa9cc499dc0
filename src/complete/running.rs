//! An attempt at work, and its one record.
//!
//! Invariants: [`Running::end`] takes the right to record; a `Running` that is dropped with that right
//! records `abandoned`. So there is one record, whoever lets go first.
//!
//! What the provider says of the tokens stands, also where its stream is cut, stalls or is left after that:
//! then what was heard since is added to the output that was told. Where it does not say, the input is what was to
//! be expected, and characters are counted at 4 a token. Either way the usage is marked as an estimate: an
//! aborted stream costs what it had said so far, not nothing. A refusal before the model could work costs
//! nothing.
//!
//! Not here: calling the provider (`attempt`), prices (`eligibility`).

use super::attempt::Target;
use super::heard::Heard;
use super::log::AttemptLog;
use super::words;
use crate::chat::estimated_tokens;
use crate::clock::Clock;
use crate::decision::{Attempt, Usage};
use crate::health::Outcome;
use crate::id::Name;
use crate::provider::{self, FinishReason, Kind, Piece, Source};
use crate::standing::{Asked, Took};
use crate::telemetry::{End, Metrics};
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
    /// How long the endpoint was waited for, up to the last wait that ended.
    waited: Duration,
    /// Since when it is waited for. `None`: it is the reader who is waited for.
    waiting: Option<Instant>,
    input_estimate: u32,
    /// The answer so far.
    pub(super) heard: Heard,
    /// What the provider said of the tokens so far.
    told: Usage,
    /// Characters heard when it last said how many of them are output.
    told_at: usize,
    /// When the first piece of a streamed answer came.
    first_token: Option<Duration>,
    /// What the endpoint's standing hears of it.
    asked: Asked,
    metrics: Arc<Metrics>,
    streamed: bool,
    /// Why the model stopped.
    finish: Option<FinishReason>,
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
            finish: None,
            first_token: None,
            heard: Heard::new(target.listen),
            told: Usage::default(),
            told_at: 0,
            target,
            clock,
            started: Instant::now(),
            took: None,
            waited: Duration::ZERO,
            waiting: Some(Instant::now()),
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
        self.waits(false);
        self.first_token = Some(self.waited);
    }

    /// Notes that the endpoint is waited for from now on, or not any more: what a reader takes for a piece is
    /// not the endpoint's time.
    pub(super) fn waits(&mut self, waits: bool) {
        self.waited = self.waited();
        self.waiting = waits.then(Instant::now);
    }

    /// How long the endpoint has been waited for.
    fn waited(&self) -> Duration {
        let now = self.waiting.map_or(Duration::ZERO, |since| since.elapsed());
        self.waited.saturating_add(now)
    }

    /// How long it has been at work, with the time of its reader.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The next piece of a streamed answer. Says whether it is part of the answer.
    pub(super) fn piece(&mut self, piece: &Piece) -> bool {
        let Piece::Told(usage) = piece else {
            self.heard.piece(piece);
            return true;
        };
        if usage.output.is_some() {
            self.told_at = self.heard.characters();
        }
        self.told = then(self.told, *usage);
        false
    }

    /// Records an answer: its words, where they are kept, and the attempt.
    pub(super) fn answered(&mut self, usage: Usage, finish_reason: FinishReason) -> Ended {
        self.keep_words(finish_reason);
        self.stood(Outcome::Answered);
        self.finish = Some(finish_reason);
        self.end(self.completed(usage), None)
    }

    fn keep_words(&self, finish_reason: FinishReason) {
        let (Some(log), Some(said)) = (&self.log, self.heard.words()) else {
            return;
        };
        let Target {
            team,
            decision,
            words,
            ..
        } = &self.target;
        let answer = (*decision, self.clock.now());
        let Some(answer) = words::kept(*words, answer, (said, finish_reason)) else {
            return;
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
            None => Took::Whole(ms(self.took.unwrap_or_else(|| self.waited()))),
        };
        // A failure that came at once says nothing of how long an answer takes.
        let took = Some(took).filter(|_| matches!(outcome, Outcome::Answered | Outcome::TimedOut));
        self.asked.end(outcome, took, self.clock.now());
    }

    /// Records a failure.
    pub(super) fn failed(&mut self, error: &provider::Error) -> Ended {
        let outcome = outcome(error, self.waited());
        self.tell_operator(error, outcome);
        self.stood(outcome);
        // Words that were heard were made, whatever went wrong after them; and a provider that counts has begun.
        let began = self.heard.characters() > 0 || self.told != Usage::default();
        let usage = if error.kind.may_cost() || began {
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

    /// Logs what only an operator can mend.
    fn tell_operator(&self, error: &provider::Error, outcome: Outcome) {
        let endpoint = &self.target.endpoint.name;
        if outcome == Outcome::Misconfigured {
            tracing::error!(%endpoint, %error, "an endpoint refuses our key, account or address: it is left alone for a minute, and again until that is mended");
        } else if error.kind == Kind::Unauthorized {
            tracing::warn!(%endpoint, %error, "an endpoint refuses a call, our key or what was said: it is left alone if it goes on");
        }
    }

    fn completed(&self, said: Usage) -> Usage {
        let since = self.heard.characters().saturating_sub(self.told_at);
        let heard = self.told.output.unwrap_or(0);
        let heard = heard.saturating_add(estimated_tokens(since));
        let known = Usage {
            output: None,
            ..self.told
        };
        let known = then(known, said);
        Usage {
            input: known.input.or(Some(self.input_estimate)),
            output: known.output.or(Some(heard)),
            estimated: known.estimated || known.input.is_none() || known.output.is_none(),
            ..known
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
        let took = self.took.unwrap_or_else(|| self.waited());
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
        if let Some(pass) = &self.target.pass {
            pass.used(&attempt.usage);
        }
        if let Some(watched) = &self.target.watched {
            watched.ended(attempt.cost, attempt.error.is_none());
        }
        let told = End {
            streamed: self.streamed,
            finish: self.finish.map(FinishReason::as_str),
        };
        self.metrics.attempt(team, &attempt, told);
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

/// What was told first, and then: what is not told again stands.
fn then(first: Usage, later: Usage) -> Usage {
    Usage {
        input: later.input.or(first.input),
        cached_input: later.cached_input.or(first.cached_input),
        output: later.output.or(first.output),
        estimated: first.estimated || later.estimated,
        cache_write: later.cache_write.or(first.cache_write),
        reasoning: later.reasoning.or(first.reasoning),
    }
}

/// A caller who waited so long for nothing was let down by the endpoint, whatever its own limits are.
const LONG: Duration = Duration::from_secs(10);

/// Whether it is certain that our key or account was refused, and not a single prompt. A 403 alone is not: a
/// firewall before a provider, or its moderation, refuses what *one* caller said so, and a prompt must not take
/// an endpoint from everybody. (Five in a row do, as any failure.) Its body says so where it is the key:
/// `permission_error`, `permission_denied`, `invalid_api_key`.
fn names_our_side(error: &provider::Error) -> bool {
    let said = error.code.as_deref().and_then(Kind::from_code);
    error.status != Some(403) || said == Some(Kind::Unauthorized)
}

/// What a failure after `waited` says of the endpoint.
fn outcome(error: &provider::Error, waited: Duration) -> Outcome {
    match (error.kind, error.source) {
        (Kind::RateLimited, _) => Outcome::TooMany(error.retry_after),
        (Kind::Timeout, _) => Outcome::TimedOut,
        (Kind::DeadlineExceeded, _) if waited >= LONG => Outcome::TimedOut,
        // The caller's patience, not the endpoint's, ended.
        (Kind::DeadlineExceeded, _) => Outcome::Abandoned,
        (Kind::Unauthorized, _) if !names_our_side(error) => Outcome::Failed,
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What a refusal of this status and code says of the endpoint.
    fn check(status: u16, code: Option<&str>, expected: Outcome) {
        let error = provider::Error::refused(status, code, None);
        let found = outcome(&error, Duration::ZERO);
        assert_eq!(found, expected, "{status} {code:?}");
    }

    #[test]
    fn a_refused_key_lays_an_endpoint_to_rest_and_a_refused_prompt_does_not() {
        check(401, None, Outcome::Misconfigured);
        check(402, None, Outcome::Misconfigured);
        check(403, Some("permission_error"), Outcome::Misconfigured);
        check(403, Some("permission_denied"), Outcome::Misconfigured);
        check(403, Some("invalid_api_key"), Outcome::Misconfigured);
        // A firewall, or moderation: perhaps the key, perhaps one prompt.
        check(403, None, Outcome::Failed);
        check(403, Some("forbidden"), Outcome::Failed);
        check(403, Some("content_filter"), Outcome::Answered);
        check(403, Some("insufficient_quota"), Outcome::Misconfigured);
        check(400, None, Outcome::Answered);
        check(429, None, Outcome::TooMany(None));
    }

    #[test]
    fn a_deadline_is_held_against_an_endpoint_only_for_its_own_time() {
        let late = provider::Error::from(Kind::DeadlineExceeded);
        let waited = |seconds| outcome(&late, Duration::from_secs(seconds));
        assert_eq!(waited(9), Outcome::Abandoned);
        assert_eq!(waited(10), Outcome::TimedOut);
    }
}
