//! Vectors for texts: one request to one recorded decision to recorded attempts.
//!
//! Invariants: those of a whole answer: the decision is in the journal before the provider is asked, the attempt
//! exactly once on every path. A repeat of a request id whose attempt is on record is refused: vectors are not
//! kept.
//!
//! Not here: where to go next (`tries`). Vectors of different arms cannot be compared: who needs them to be
//! names the arm, and then no other one stands in.

use super::answering::Complete;
use super::attempt::{Attempts, Target};
use super::error::{Error, Failed};
use super::repeat::given;
use super::tries::Tries;
use crate::access::Grant;
use crate::chat::Message;
use crate::decision::{Attempt, Usage, Words};
use crate::provider::{self, FinishReason, Patience, Prompt, Provider};
use crate::route::{Begun, Request, Routed};
use crate::telemetry::{Method, Underway};
use std::borrow::Cow;
use tokio::time::Instant;

/// Vectors and what they cost.
#[derive(Debug)]
pub struct Embedded {
    /// The decision.
    pub routed: Routed,
    /// One for each text, in their order.
    pub vectors: Vec<Vec<f32>>,
    /// Tokens, as far as the provider says.
    pub usage: Usage,
    /// The attempts, in order; the last one served.
    pub attempts: Vec<Attempt>,
}

impl Complete {
    /// Decides, and asks for vectors of `texts`, which the request has as its messages.
    pub async fn embed(
        &self,
        caller: &Grant,
        request: &Request,
        texts: &[String],
        dimensions: Option<u32>,
        deadline: Instant,
    ) -> Result<Embedded, Error> {
        let mut call = self.route.metrics().begin(Method::Embed, &caller.team);
        let asked = Texts { texts, dimensions };
        let embedded = self.embedded((caller, request), asked, deadline, &mut call);
        let embedded = embedded.await;
        match &embedded {
            Ok(embedded) => call.answered(&embedded.attempts),
            Err(error) => error.tell(&mut call),
        }
        embedded
    }

    async fn embedded(
        &self,
        (caller, request): (&Grant, &Request),
        asked: Texts<'_>,
        deadline: Instant,
        call: &mut Underway,
    ) -> Result<Embedded, Error> {
        // The turn is dropped after the calls to providers, which have left their records by then.
        let (request, Begun { routed, turn }) = self.decided(caller, request, deadline).await?;
        // What the guardrail changed is what is sent.
        let changed = match &request {
            Cow::Owned(request) => Some(texts(request)),
            Cow::Borrowed(_) => None,
        };
        let request = request.as_ref();
        let asked = Texts {
            texts: changed.as_deref().unwrap_or(asked.texts),
            ..asked
        };
        if given(&self.store, &routed)?.is_some() {
            let decision = routed.decision.id;
            return Err(Error::AnswerNotKept { decision });
        }
        call.decided(&routed.decision);
        let mut tries = Tries::new(&self.route, (caller, request), &routed, deadline);
        let mut endpoint = tries.first().await?;
        let found = loop {
            let (provider, target) = self.at(&routed, &endpoint)?;
            let asked_of = (&routed, &*endpoint);
            let (prompt, patience) = self.asked(asked_of, (request, &[]), deadline);
            let target = Target {
                words: Words::None,
                listen: false,
                ..target
            };
            let found = self
                .attempts
                .embed(provider, target, prompt, asked, patience);
            let failed = match found.await {
                Ok((found, attempt)) => {
                    tries.attempts.push(attempt);
                    break found;
                }
                Err(failed) => failed,
            };
            tries.attempts.extend(failed.attempts);
            endpoint = match tries.next(endpoint, &failed.error).await {
                Some(next) => next,
                None => return Err(tries.failed(failed.error)),
            };
        };
        let attempts = tries.done();
        drop(turn);
        Ok(Embedded {
            routed,
            vectors: found.vectors,
            usage: found.usage,
            attempts,
        })
    }
}

/// What a request asks to embed, text by text.
fn texts(request: &Request) -> Vec<String> {
    let texts = request.messages.iter().flat_map(Message::texts);
    texts.map(str::to_owned).collect()
}

/// What is to be embedded.
#[derive(Clone, Copy)]
pub(super) struct Texts<'a> {
    texts: &'a [String],
    dimensions: Option<u32>,
}

impl Attempts {
    /// Asks for vectors. `prompt` is the same request, for its model and its size.
    pub(super) async fn embed(
        &self,
        provider: &dyn Provider,
        target: Target,
        prompt: Prompt<'_>,
        asked: Texts<'_>,
        patience: Patience,
    ) -> Result<(provider::Embedded, Attempt), Failed> {
        let mut running = self.start(target, &prompt);
        let Texts { texts, dimensions } = asked;
        let found = provider.embed(prompt.model, texts, dimensions, patience);
        match found.await {
            Ok(found) => {
                let usage = Usage {
                    output: found.usage.output.or(Some(0)),
                    ..found.usage
                };
                let ended = running.answered(usage, FinishReason::Stop);
                Ok((found, ended.durable().await))
            }
            Err(error) => {
                let attempts = vec![running.failed(&error).durable().await];
                Err(Failed { attempts, error })
            }
        }
    }
}
