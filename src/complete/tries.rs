//! The tries of one request: the decision's endpoint first, then wherever there is a road.
//!
//! Invariants: nothing is tried after the caller's deadline; every road was opened by `route`, which asked
//! what the choice was asked and holds the money for it; what is held when nobody is asked any more is let go,
//! whoever goes first; what was tried is told in order.
//!
//! Not here: which road (`route`), one try (`attempt`).

use super::error::{Error, Failed};
use crate::access::Grant;
use crate::decision::{Attempt, Decision};
use crate::eligibility::Endpoint;
use crate::provider;
use crate::route::{Request, Road, Route, Routed, Tried};
use std::sync::Arc;
use tokio::time::{Instant, sleep};

/// The tries of one request.
pub(super) struct Tries<'a> {
    route: &'a Route,
    caller: &'a Grant,
    request: &'a Request,
    routed: &'a Routed,
    pub(super) deadline: Instant,
    tried: Vec<Tried>,
    /// Their records, in order.
    pub(super) attempts: Vec<Attempt>,
    hold: Hold<'a>,
}

/// A road is not open any more.
struct Shut;

/// Lets go of what is held for a decision: a try that has ended has settled it, so this is what was held for
/// one that never began.
struct Hold<'a>(Option<(&'a Route, &'a Decision)>);

impl Drop for Hold<'_> {
    fn drop(&mut self) {
        if let Some((route, decision)) = self.0 {
            route.let_go(decision);
        }
    }
}

impl<'a> Tries<'a> {
    pub(super) fn new(
        route: &'a Route,
        (caller, request): (&'a Grant, &'a Request),
        routed: &'a Routed,
        deadline: Instant,
    ) -> Self {
        Self {
            route,
            caller,
            request,
            routed,
            deadline,
            tried: Vec::new(),
            attempts: Vec::new(),
            hold: Hold(Some((route, &routed.decision))),
        }
    }

    /// The records of those that failed before a stream began, which settles what is held when it ends.
    pub(super) fn before_a_stream(mut self) -> Vec<Attempt> {
        self.hold.0 = None;
        self.attempts
    }

    /// The endpoint to ask first.
    pub(super) async fn first(&self) -> Result<Arc<Endpoint>, Error> {
        if self.deadline <= Instant::now() {
            self.route.give_back(&self.routed.decision);
            return Err(Error::DeadlineExceeded);
        }
        if self.routed.repeated {
            // Nobody tried it when it was decided, and what was held then may be spent on others by now.
            // Nor is what was allowed then allowed for good.
            let decision = &self.routed.decision;
            let asked = (self.caller, self.request);
            let reopened = self.route.reopen(asked, decision, self.deadline).await;
            return Ok(reopened?);
        }
        Ok(Arc::clone(&self.routed.endpoint))
    }

    /// `endpoint` was asked in vain: the next one to ask, after its pause; `None` where there is no way on.
    pub(super) async fn next(
        &mut self,
        endpoint: Arc<Endpoint>,
        error: &provider::Error,
    ) -> Option<Arc<Endpoint>> {
        self.tried.push(Tried {
            endpoint,
            error: error.clone(),
        });
        let road = match self.opened().await? {
            Ok(road) => road,
            // Another request that waited for the same endpoint went first.
            Err(Shut) => self.opened().await?.ok()?,
        };
        let from = self.tried.last().map(|tried| &tried.endpoint.arm);
        if let Some(from) = from {
            let metrics = self.route.metrics();
            metrics.another_try(from, &road.endpoint.arm);
        }
        Some(road.endpoint)
    }

    /// The next road, if there is one and it is still open after its pause.
    async fn opened(&self) -> Option<Result<Road, Shut>> {
        let road = self.road()?;
        if !road.pause.is_zero() {
            sleep(road.pause).await;
        }
        Some(self.route.is_open(&road).then_some(road).ok_or(Shut))
    }

    /// Where to go now.
    fn road(&self) -> Option<Road> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let road = self.route.next_road(
            self.caller,
            self.request,
            &self.routed.decision,
            &self.tried,
            left,
        );
        let road = road.inspect_err(|error| {
            tracing::error!(decision = %self.routed.decision.id, %error, "no way on was found");
        });
        road.ok().flatten()
    }

    /// Their records, where one of them brought the answer.
    pub(super) fn done(self) -> Vec<Attempt> {
        self.attempts
    }

    /// That all of them failed, the last one with `error`.
    pub(super) fn failed(self, error: provider::Error) -> Error {
        let attempts = self.attempts;
        Failed { attempts, error }.into()
    }
}
