//! An attempt that the caller made itself and tells of.
//!
//! Invariants: it is kept only for a decision of the caller's team and an endpoint that exists; the
//! same idempotency key is kept once.
//!
//! Not here: attempts that we make (`attempt`).

use super::error::ReportError;
use crate::clock::Clock;
use crate::decision::Attempt;
use crate::eligibility::Catalogue;
use crate::id::Name;
use crate::route::AttemptReport;
use crate::store::{Claim, Record, Store};
use std::sync::Arc;

/// The use case and what it holds.
#[derive(Debug)]
pub struct Reports {
    store: Arc<Store>,
    catalogue: Arc<Catalogue>,
    clock: Arc<dyn Clock>,
}

impl Reports {
    /// Puts the use case together.
    pub fn new(store: Arc<Store>, catalogue: Arc<Catalogue>, clock: Arc<dyn Clock>) -> Self {
        Self {
            store,
            catalogue,
            clock,
        }
    }

    /// Keeps what `team` tells.
    pub async fn report(&self, team: &Name, told: AttemptReport) -> Result<Attempt, ReportError> {
        let position = {
            let index = self.store.index();
            let known = index
                .decision(told.decision)
                .filter(|known| known.team == team);
            known.and_then(|known| known.decision)
        };
        let position = position.ok_or(ReportError::DecisionNotFound { id: told.decision })?;
        let _turn = match &told.request {
            None => None,
            Some(request) => match self
                .store
                .claim(team, &request.id, request.body_hash)
                .await?
            {
                Claim::New(turn) => Some(turn),
                Claim::Known(known) => match self.store.journal().at(known.position)? {
                    Record::Attempt { attempt, .. } => return Ok(attempt),
                    _ => {
                        return Err(ReportError::RequestIdReused {
                            request_id: request.id.clone(),
                        });
                    }
                },
                Claim::Conflict => {
                    return Err(ReportError::RequestIdReused {
                        request_id: request.id.clone(),
                    });
                }
            },
        };
        let named = match told.endpoint.clone() {
            Some(named) => named,
            None => match self.store.journal().at(position)? {
                Record::Decision(decision) => decision.endpoint,
                _ => return Err(ReportError::DecisionNotFound { id: told.decision }),
            },
        };
        let endpoint = self.catalogue.endpoint(named.as_str());
        let endpoint = endpoint.ok_or(ReportError::UnknownEndpoint { endpoint: named })?;
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
        };
        let record = Record::Attempt {
            team: team.clone(),
            attempt: attempt.clone(),
        };
        self.store.commit(&record).await?;
        Ok(attempt)
    }
}
