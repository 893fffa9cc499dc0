//! An attempt that the caller made itself and tells of.
//!
//! Invariants: it is kept only for a decision of the caller's team and an endpoint that exists; the
//! same idempotency key is kept once.
//!
//! Not here: attempts that we make (`attempt`).

use super::error::ReportError;
use crate::account::Accounts;
use crate::clock::Clock;
use crate::decision::{self, Attempt, Decision};
use crate::eligibility::Catalogue;
use crate::health::Outcome;
use crate::id::{DecisionId, Name, listed};
use crate::standing::{Standing, Took};
use crate::store::{Claim, Record, Store, Turn};
use crate::unit::NanoUsd;
use crate::warmth::Warmth;
use std::sync::Arc;

/// What a caller that called the endpoint itself tells of it.
#[derive(Debug, Clone, PartialEq)]
pub struct AttemptReport {
    /// The decision it belongs to.
    pub decision: DecisionId,
    /// The endpoint called. Absent: the one that the decision named.
    pub endpoint: Option<Name>,
    /// Tokens used.
    pub usage: decision::Usage,
    /// Wall time, at least 0.
    pub latency_ms: Option<f64>,
    /// What it cost, at least 0. Absent: from usage and the endpoint's prices.
    pub cost: Option<NanoUsd>,
    /// Kind of error, if it failed.
    pub error: Option<Name>,
    /// Idempotency key and hash of the report's body.
    pub request: Option<decision::Request>,
}

/// The use case and what it holds.
#[derive(Debug, Clone)]
pub struct Reports {
    store: Arc<Store>,
    accounts: Arc<Accounts>,
    warmth: Arc<Warmth>,
    standing: Arc<Standing>,
    catalogue: Arc<Catalogue>,
    clock: Arc<dyn Clock>,
}

impl Reports {
    /// Puts the use case together.
    pub fn new(
        store: Arc<Store>,
        (accounts, warmth, standing): (Arc<Accounts>, Arc<Warmth>, Arc<Standing>),
        catalogue: Arc<Catalogue>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        Self {
            store,
            accounts,
            warmth,
            standing,
            catalogue,
            clock,
        }
    }

    /// The same by another `catalogue`.
    #[must_use]
    pub fn by(&self, catalogue: Arc<Catalogue>) -> Self {
        Self {
            catalogue,
            ..self.clone()
        }
    }

    /// Keeps what `team` tells.
    pub async fn report(&self, team: &Name, told: AttemptReport) -> Result<Attempt, ReportError> {
        let chosen = self.decided(team, told.decision)?.endpoint;
        let _turn = match &told.request {
            Some(request) => match self.turn(team, request).await? {
                Ok(turn) => Some(turn),
                Err(kept) => return Ok(*kept),
            },
            None => None,
        };
        let named = told.endpoint.clone().unwrap_or_else(|| chosen.clone());
        let endpoint = self.catalogue.endpoint(named.as_str());
        let endpoint = endpoint.ok_or_else(|| ReportError::UnknownEndpoint {
            endpoint: named.clone(),
            known: listed(self.catalogue.endpoints().iter().map(|e| &e.name)),
        })?;
        let ended = self.clock.now();
        let attempt = Attempt {
            decision: told.decision,
            arm: endpoint.arm.clone(),
            endpoint: endpoint.name.clone(),
            ended,
            latency_ms: told.latency_ms,
            usage: told.usage,
            cost: told.cost.or_else(|| endpoint.cost(&told.usage, ended)),
            error: told.error,
            reported: true,
            request: told.request,
            first_token_ms: None,
        };
        let record = Record::Attempt {
            team: team.clone(),
            attempt: attempt.clone(),
        };
        // Once for each record, though its wait may be cut short.
        let kept = self.store.append(&record)?;
        self.accounts.settle(team, &attempt);
        self.warmth.note(&record);
        self.stood(&attempt, named == chosen);
        self.store.journal().durable(kept.sequence).await?;
        Ok(attempt)
    }

    /// What the endpoint's standing hears of it: how long an answer took, or that there was none. No more than
    /// that, and only of the endpoint that the decision named, for an endpoint is every team's: what a caller
    /// tells neither closes a breaker nor says how long to wait.
    fn stood(&self, attempt: &Attempt, named: bool) {
        if !named {
            return;
        }
        let kind = attempt.error.as_ref().map(Name::as_str);
        let outcome = match kind {
            None => Outcome::Told,
            Some("timeout") => Outcome::TimedOut,
            Some("server_error" | "overloaded" | "unreachable" | "malformed" | "cut") => {
                Outcome::Failed
            }
            Some(_) => return,
        };
        let took = attempt.latency_ms.map(Took::Whole);
        let took = took.filter(|_| outcome == Outcome::Told);
        let endpoint = &attempt.endpoint;
        self.standing.told(endpoint, outcome, took, attempt.ended);
    }

    /// The decision, if it is the team's.
    fn decided(&self, team: &Name, id: DecisionId) -> Result<Box<Decision>, ReportError> {
        let known = self.store.decision(id)?.map(|(_, decision)| decision);
        let known = known.filter(|decision| decision.team == *team);
        known.ok_or(ReportError::DecisionNotFound { id })
    }

    /// The turn of an idempotency key, or the attempt that was kept with it.
    async fn turn(
        &self,
        team: &Name,
        request: &decision::Request,
    ) -> Result<Result<Turn, Box<Attempt>>, ReportError> {
        let reused = || ReportError::RequestIdReused {
            request_id: request.id.clone(),
        };
        match self
            .store
            .claim(team, &request.id, request.body_hash)
            .await?
        {
            Claim::New(turn) => Ok(Ok(turn)),
            Claim::Conflict => Err(reused()),
            Claim::Known(known, _) => match self.store.journal().at(known.position)? {
                Record::Attempt { attempt, .. } => Ok(Err(Box::new(attempt))),
                _ => Err(reused()),
            },
        }
    }
}
