//! One try at one endpoint.
//!
//! Invariants: what was begun is recorded before its outcome is told, and where the future or the
//! stream is dropped, at that moment.
//!
//! Not here: which endpoint, and what next (`answering`).

use super::error::Failed;
use super::events::Opening;
use super::log::AttemptLog;
use super::running::Running;
use super::words;
use crate::chat::Message;
use crate::clock::Clock;
use crate::decision::{Attempt, Decision, Words};
use crate::eligibility::Endpoint;
use crate::id::{DecisionId, Name};
use crate::loops::Watched;
use crate::provider::{Answer, FinishReason, Kind, Patience, Prompt, Provider};
use crate::quota::Pass;
use crate::standing::Standing;
use crate::telemetry::Metrics;
use futures_util::StreamExt;
use std::sync::Arc;

/// Where an attempt goes, and for what.
#[derive(Debug, Clone)]
pub struct Target {
    /// Who pays.
    pub team: Name,
    /// The decision served.
    pub decision: DecisionId,
    /// The endpoint asked, with the arm it serves and its prices.
    pub endpoint: Arc<Endpoint>,
    /// Which words of the answer are kept: as of the request.
    pub words: Words,
    /// Hears what it used. `None`: nothing limits the caller.
    pub pass: Option<Arc<Pass>>,
    /// Hears what it cost. `None`: its episode is not watched.
    pub watched: Option<Arc<Watched>>,
    /// Whether its words are needed at its end, to be kept or checked.
    pub listen: bool,
}

/// Makes attempts.
#[derive(Debug, Clone)]
pub struct Attempts {
    clock: Arc<dyn Clock>,
    log: Arc<dyn AttemptLog>,
    standing: Arc<Standing>,
    metrics: Arc<Metrics>,
}

impl Attempts {
    /// Timed by `clock`, kept in `log`, told to `standing`.
    pub fn new(clock: Arc<dyn Clock>, log: Arc<dyn AttemptLog>, standing: Arc<Standing>) -> Self {
        Self {
            clock,
            log,
            standing,
            metrics: Arc::default(),
        }
    }

    /// Told to `metrics` too.
    #[must_use]
    pub fn counted(self, metrics: Arc<Metrics>) -> Self {
        Self { metrics, ..self }
    }

    /// Asks for the whole answer.
    pub async fn whole(
        &self,
        provider: &dyn Provider,
        target: Target,
        prompt: Prompt<'_>,
        patience: Patience,
    ) -> Result<(Answer, Attempt), Failed> {
        let mut running = self.start(target, &prompt);
        match provider.complete(prompt, patience).await {
            Ok(answer) => {
                running.heard.message(&answer.message);
                running.took(answer.latency);
                let ended = running.answered(answer.usage, answer.finish_reason);
                let attempt = ended.durable().await;
                Ok((answer, attempt))
            }
            Err(error) => {
                let attempts = vec![running.failed(&error).durable().await];
                Err(Failed { attempts, error })
            }
        }
    }

    /// Asks for the answer in pieces. Ready when the first of them has come: a failure before it is one that
    /// no caller has seen anything of.
    pub async fn stream(
        &self,
        provider: &dyn Provider,
        target: Target,
        prompt: Prompt<'_>,
        patience: Patience,
    ) -> Result<Opening, Failed> {
        let mut running = self.start(target, &prompt);
        running.streamed();
        let begun = async {
            let mut pieces = provider.stream(prompt, patience).await?;
            loop {
                let first = pieces.next().await.unwrap_or(Err(Kind::Cut.into()))?;
                if running.piece(&first) {
                    return Ok((first, pieces));
                }
            }
        };
        match begun.await {
            Ok((first, pieces)) => {
                running.first_token();
                Ok(Opening {
                    first,
                    pieces,
                    running,
                })
            }
            Err(error) => {
                let attempts = vec![running.failed(&error).durable().await];
                Err(Failed { attempts, error })
            }
        }
    }

    /// Keeps the words of an answer as they are told, where those of the request are kept: the newest count.
    pub(super) fn keep(&self, decision: &Decision, message: &Message, finish: FinishReason) {
        let answer = (decision.id, self.clock.now());
        let Some(answer) = words::kept(decision.words(), answer, (message, finish)) else {
            return;
        };
        if let Err(error) = self.log.append_answer(&decision.team, answer) {
            tracing::error!(decision = %decision.id, %error, "the words of an answer were not kept");
        }
    }

    pub(super) fn start(&self, target: Target, prompt: &Prompt<'_>) -> Running {
        let asked = self.standing.begin(&target.endpoint.name);
        Running::start(
            target,
            prompt.estimated_input_tokens(),
            (asked, Arc::clone(&self.metrics)),
            Arc::clone(&self.clock),
            Arc::clone(&self.log),
        )
    }
}

#[cfg(test)]
mod tests;
