//! The Complete use case: one request to one recorded decision to recorded attempts.
//!
//! Invariants: the decision is in the journal before a provider is asked; a request id is its call's own
//! until its last attempt is on record; once a piece has reached the caller nobody else is asked.
//!
//! Not here: where to go next (`tries`), what a repeat of a request id gets (`repeat`).

use super::attempt::{Attempts, Target};
use super::checking::{Checking, Standard};
use super::error::Error;
use super::events::{Events, Watch};
use super::repeat::given;
use super::tries::Tries;
use crate::access::Grant;
use crate::chat::{Message, Parameters};
use crate::decision::Attempt;
use crate::eligibility::{Endpoint, Waits};
use crate::id::Name;
use crate::provider::{FinishReason, Patience, Prompt, Provider};
use crate::route::{Begun, Request, Route, Routed};
use crate::store::Store;
use crate::telemetry::{Method, Underway};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// The use case and what it holds.
#[derive(Debug)]
pub struct Complete {
    pub(super) route: Arc<Route>,
    providers: BTreeMap<Name, Arc<dyn Provider>>,
    pub(super) attempts: Attempts,
    pub(super) checking: Arc<Checking>,
    pub(super) store: Arc<Store>,
}

/// A whole answer.
#[derive(Debug)]
pub struct Completed {
    /// The decision.
    pub routed: Routed,
    /// What the model said.
    pub message: Message,
    /// Why it stopped.
    pub finish_reason: FinishReason,
    /// The attempts, in order; the last one served it.
    pub attempts: Vec<Attempt>,
    /// What was checked of the answer.
    pub checks: Vec<Checked>,
    /// Whether its JSON was repaired.
    pub repaired: bool,
}

/// What a check found of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Which check.
    pub check: String,
    /// Why the answer did not pass, without its words. `None`: it passed.
    pub problem: Option<String>,
}

/// An answer that the endpoint has begun.
#[derive(Debug)]
pub struct Streaming {
    /// The decision.
    pub routed: Routed,
    /// Where it is served from.
    pub endpoint: Arc<Endpoint>,
    /// Attempts that failed before it began, in order.
    pub failed: Vec<Attempt>,
    /// What comes.
    pub events: Events,
}

impl Complete {
    /// The same, deciding by another `route`.
    #[must_use]
    pub fn by(&self, route: Arc<Route>) -> Self {
        Self {
            route,
            providers: self.providers.clone(),
            attempts: self.attempts.clone(),
            checking: Arc::clone(&self.checking),
            store: Arc::clone(&self.store),
        }
    }

    /// Decides by `route`; asks the endpoints of `providers`, by name; finds what was answered before
    /// in `store`.
    pub fn new(
        route: Arc<Route>,
        providers: BTreeMap<Name, Arc<dyn Provider>>,
        attempts: Attempts,
        checking: Checking,
        store: Arc<Store>,
    ) -> Self {
        Self {
            route,
            providers,
            attempts,
            checking: Arc::new(checking),
            store,
        }
    }

    /// Decides and asks for the whole answer.
    pub async fn complete(
        &self,
        caller: &Grant,
        request: &Request,
        deadline: Instant,
    ) -> Result<Completed, Error> {
        let mut call = self.route.metrics().begin(Method::Complete, &caller.team);
        let asked = (caller, request);
        let completed = self.completed(asked, deadline, &mut call).await;
        match &completed {
            Ok(completed) => call.answered(&completed.attempts),
            Err(error) => error.tell(&mut call),
        }
        completed
    }

    async fn completed(
        &self,
        (caller, request): (&Grant, &Request),
        deadline: Instant,
        call: &mut Underway,
    ) -> Result<Completed, Error> {
        // The turn is dropped after the call to the provider, which has left its record by then.
        let (request, Begun { routed, turn }) = self.decided(caller, request, deadline).await?;
        let request = request.as_ref();
        if let Some(given) = given(&self.store, &routed)? {
            call.repeats(&routed.decision);
            return Ok(Completed {
                routed,
                message: given.message,
                finish_reason: given.finish_reason,
                attempts: given.attempts,
                checks: Vec::new(),
                repaired: false,
            });
        }
        call.decided(&routed.decision);
        let served = self.serve((caller, request), &routed, deadline, call);
        let served = served.await?;
        drop(turn);
        Ok(Completed {
            routed,
            message: served.answer.message,
            finish_reason: served.answer.finish_reason,
            attempts: served.attempts,
            checks: served.found.checks,
            repaired: served.repaired,
        })
    }

    /// Decides and asks for the answer in pieces.
    pub async fn stream(
        &self,
        caller: &Grant,
        request: &Request,
        deadline: Instant,
    ) -> Result<Streaming, Error> {
        let mut call = Some(self.route.metrics().begin(Method::Stream, &caller.team));
        let streaming = self.begun((caller, request), deadline, &mut call).await;
        if let (Err(error), Some(call)) = (&streaming, &mut call) {
            error.tell(call);
        }
        streaming
    }

    /// `call` goes on with the stream, once it has begun.
    async fn begun(
        &self,
        (caller, request): (&Grant, &Request),
        deadline: Instant,
        call: &mut Option<Underway>,
    ) -> Result<Streaming, Error> {
        let (request, Begun { routed, turn }) = self.decided(caller, request, deadline).await?;
        let request = request.as_ref();
        if let Some(given) = given(&self.store, &routed)? {
            call.iter_mut()
                .for_each(|call| call.repeats(&routed.decision));
            return Ok(Streaming {
                endpoint: Arc::clone(&routed.endpoint),
                routed,
                failed: Vec::new(),
                events: Events::again(given),
            });
        }
        call.iter_mut()
            .for_each(|call| call.decided(&routed.decision));
        let team = routed.decision.team.clone();
        let standard = Standard::of(&team, request);
        let looks = self.checking.looks_at(standard);
        let mut tries = Tries::new(&self.route, (caller, request), &routed, deadline);
        let mut endpoint = tries.first().await?;
        let opening = loop {
            let (provider, target) = self.at(&routed, &endpoint)?;
            let asked = (&routed, &*endpoint);
            let (prompt, patience) = self.asked(asked, (request, &[]), deadline);
            let target = Target {
                listen: target.listen || looks,
                ..target
            };
            let opening = self.attempts.stream(provider, target, prompt, patience);
            let failed = match opening.await {
                Ok(opening) => break opening,
                Err(failed) => failed,
            };
            tries.attempts.extend(failed.attempts);
            endpoint = match tries.next(endpoint, &failed.error).await {
                Some(next) => next,
                None => return Err(tries.failed(failed.error)),
            };
        };
        let failed = tries.before_a_stream();
        let watch = looks.then(|| Watch {
            checking: Arc::clone(&self.checking),
            standard: standard.to_own(),
            decision: routed.decision.id,
            // What stood in for it says nothing of it.
            chosen: routed.decision.drawn.arm() == Some(&endpoint.arm),
        });
        Ok(Streaming {
            events: Events::new(opening, failed.clone(), watch, (turn, call.take())),
            routed,
            endpoint,
            failed,
        })
    }

    /// The request as it may leave, and the decision for it.
    pub(super) async fn decided<'a>(
        &self,
        caller: &Grant,
        request: &'a Request,
        deadline: Instant,
    ) -> Result<(Cow<'a, Request>, Begun), Error> {
        let entered = self.route.enter(caller, request).await?;
        self.checking.accept(&entered.request)?;
        let begun = self.route.begin(caller, &entered, deadline).await?;
        Ok((entered.request, begun))
    }

    /// Who is asked, and for what, at an endpoint.
    pub(super) fn at(
        &self,
        routed: &Routed,
        endpoint: &Arc<Endpoint>,
    ) -> Result<(&dyn Provider, Target), Error> {
        let no_client = || Error::NoClient {
            endpoint: endpoint.name.clone(),
        };
        let provider = self.providers.get(&endpoint.name).ok_or_else(no_client)?;
        let target = Target {
            team: routed.decision.team.clone(),
            decision: routed.decision.id,
            endpoint: Arc::clone(endpoint),
            words: routed.decision.words(),
            pass: routed.pass.clone(),
            watched: routed.watched.clone(),
            listen: routed.decision.content.is_some(),
        };
        Ok((provider.as_ref(), target))
    }

    /// What an endpoint is asked (no more than what is held pays for), with `more` messages after the
    /// request's, and how long it is
    /// waited for: one that hangs must not take a caller's whole time where another could answer.
    pub(super) fn asked<'a>(
        &self,
        (routed, endpoint): (&Routed, &'a Endpoint),
        (request, more): (&'a Request, &[Message]),
        deadline: Instant,
    ) -> (Prompt<'a>, Patience) {
        let cap = self.route.output_cap(&endpoint.arm);
        let paid = self
            .route
            .paid_output(&routed.decision, endpoint, request, more);
        let most = [request.max_output_tokens, cap, paid];
        let prompt = Prompt {
            model: &endpoint.model,
            messages: &request.messages,
            tools: &request.tools,
            response_format: &request.response_format,
            max_output_tokens: most.into_iter().flatten().min(),
            generation: &request.generation,
            leave_out: Parameters::ALL.without(endpoint.expresses),
        };
        let Waits {
            first_token,
            idle,
            total,
            ..
        } = endpoint.waits;
        // Where there is another road, half of the time is left for it, unless the endpoint usually takes as long.
        let left = deadline.saturating_duration_since(Instant::now());
        let roads = !routed.fallbacks.is_empty() && !request.constraints.no_fallbacks;
        let usual = self.route.usual(endpoint, request.streaming);
        let usual = usual.filter(|_| roads).map(|usual| usual.saturating_mul(4));
        let limit = |limit: Duration| usual.map_or(limit, |usual| limit.min(usual.max(left / 2)));
        let (first, total) = match request.streaming {
            true => (limit(first_token), total),
            false => (first_token, limit(total)),
        };
        let patience = Patience {
            deadline,
            total,
            first,
            idle,
        };
        (prompt, patience)
    }
}
