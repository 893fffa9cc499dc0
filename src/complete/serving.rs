//! Serving a whole answer: the tries, the checks, and what follows from them.
//!
//! Invariants: where there was an answer the caller has one, whatever a later try came to; money is held again
//! before an endpoint is asked again.
//!
//! Not here: one try (`attempt`), where to go next (`tries`), the checks themselves (`checking`).

use super::answering::Complete;
use super::checking::{Found, OnFailure, Standard};
use super::error::{Error, Failed};
use super::tries::Tries;
use crate::access::Grant;
use crate::chat::Message;
use crate::decision::Attempt;
use crate::eligibility::Endpoint;
use crate::provider::{self, Answer, Kind, Prompt, Retry};
use crate::route::{Request, Routed};
use crate::telemetry::Underway;
use std::sync::Arc;
use tokio::time::Instant;

/// A whole answer as it is told.
pub(super) struct Served {
    pub(super) answer: Answer,
    pub(super) found: Found,
    pub(super) repaired: bool,
    /// In order.
    pub(super) attempts: Vec<Attempt>,
}

impl Complete {
    /// Has a decision answered.
    pub(super) async fn serve(
        &self,
        (caller, request): (&Grant, &Request),
        routed: &Routed,
        deadline: Instant,
        call: &Underway,
    ) -> Result<Served, Error> {
        let standard = Standard::of(&routed.decision.team, request);
        let mut tries = Tries::new(&self.route, (caller, request), routed, deadline);
        let mut endpoint = tries.first().await?;
        let mut kept: Option<(Answer, Found)> = None;
        // The conversation to go on with, where the model is told what is wrong with its answer.
        let mut told: Option<Vec<Message>> = None;
        loop {
            let messages = told.take();
            let to = (routed, &endpoint);
            let asked = self.ask(to, request, messages.as_deref(), deadline);
            let error = match asked.await? {
                Ok((answer, attempt)) => {
                    let found =
                        self.checking
                            .judge(standard, &answer.message, answer.finish_reason);
                    found.count(call);
                    if kept.is_none() && routed.decision.drawn.arm() == Some(&attempt.arm) {
                        let (team, id) = (standard.team, routed.decision.id);
                        self.checking.report(team, id, &found).await;
                    }
                    tries.attempts.push(attempt);
                    let follows = found.follows;
                    if kept.is_none() {
                        told = self.told_again((caller, request), to, &answer, &found);
                    }
                    kept = Some((answer, found));
                    if told.is_some() {
                        continue;
                    }
                    if follows != Some(OnFailure::FallBack) {
                        break;
                    }
                    unfit()
                }
                Err(failed) => {
                    tries.attempts.extend(failed.attempts);
                    failed.error
                }
            };
            match (tries.next(Arc::clone(&endpoint), &error).await, &kept) {
                (Some(next), _) => endpoint = next,
                (None, Some(_)) => break,
                (None, None) => return Err(tries.failed(error)),
            }
        }
        let Some((answer, found)) = kept else {
            return Err(tries.failed(unfit()));
        };
        let served = self.told(standard, answer, found, tries.attempts);
        if served.repaired {
            let Answer {
                message,
                finish_reason,
                ..
            } = &served.answer;
            self.attempts
                .keep(&routed.decision, message, *finish_reason);
        }
        Ok(served)
    }

    /// The conversation to ask the same endpoint with once more, told what is wrong with its answer: where the
    /// rules want that, and it may be asked that: the longer conversation must fit, its worst case be paid for,
    /// and whatever forbade the endpoint by now (a price that ended, a limit on cost, its breaker) still forbids it.
    fn told_again(
        &self,
        (caller, request): (&Grant, &Request),
        (routed, endpoint): (&Routed, &Arc<Endpoint>),
        answer: &Answer,
        found: &Found,
    ) -> Option<Vec<Message>> {
        let wanted = found.follows == Some(OnFailure::Retry) && !request.constraints.no_fallbacks;
        let messages = wanted.then(|| found.told(&request.messages, &answer.message))?;
        let more = messages.get(request.messages.len()..).unwrap_or_default();
        let decision = &routed.decision;
        let asked = (caller, request);
        if !self.route.may_ask_again(asked, decision, endpoint, more) {
            return None;
        }
        let metrics = self.route.metrics();
        metrics.another_try(&endpoint.arm, &endpoint.arm);
        Some(messages)
    }

    /// Asks one endpoint; the outer error is ours.
    async fn ask(
        &self,
        (routed, endpoint): (&Routed, &Arc<Endpoint>),
        request: &Request,
        messages: Option<&[Message]>,
        deadline: Instant,
    ) -> Result<Result<(Answer, Attempt), Failed>, Error> {
        let (provider, target) = self.at(routed, endpoint)?;
        let more = messages.and_then(|messages| messages.get(request.messages.len()..));
        let more = (request, more.unwrap_or_default());
        let (prompt, patience) = self.asked((routed, endpoint), more, deadline);
        let prompt = Prompt {
            messages: messages.unwrap_or(prompt.messages),
            ..prompt
        };
        let whole = self.attempts.whole(provider, target, prompt, patience);
        Ok(whole.await)
    }

    /// The answer as the caller has it: repaired, if the rules that it broke allow that and it helps.
    fn told(
        &self,
        standard: Standard<'_>,
        mut answer: Answer,
        mut found: Found,
        attempts: Vec<Attempt>,
    ) -> Served {
        let may = found.follows.is_some_and(|f| f >= OnFailure::Repair);
        let mended = may.then(|| self.checking.repair(standard, &answer.message));
        let repaired = mended.flatten().map(|message| {
            found = self
                .checking
                .judge(standard, &message, answer.finish_reason);
            answer.message = message;
        });
        Served {
            repaired: repaired.is_some(),
            answer,
            found,
            attempts,
        }
    }
}

/// An answer that is not fit to be told: another arm may do better, this one has had its turn.
fn unfit() -> provider::Error {
    provider::Error {
        retry: Retry::OtherArm,
        ..Kind::Malformed.into()
    }
}
