//! A use case that may be swapped for another while calls are at work.
//!
//! Invariants: a call takes the one that is there when its work begins, and keeps it to its end, a stream too.

use super::router::{Ask, Completed, Events, Routing};
use super::status::Failure;
use crate::access::Grant;
use crate::complete::AttemptReport;
use crate::decision::Attempt;
use crate::id::DecisionId;
use crate::learn::{EpisodeClosed, EpisodeClosing};
use crate::route::{DecisionPage, DecisionQuery, Recorded, Request, Routed};
use arc_swap::ArcSwap;

impl<R: Routing> Routing for ArcSwap<R> {
    async fn route(&self, grant: &Grant, request: Request) -> Result<Routed, Failure> {
        self.load_full().route(grant, request).await
    }

    async fn report_attempt(
        &self,
        grant: &Grant,
        report: AttemptReport,
    ) -> Result<Attempt, Failure> {
        self.load_full().report_attempt(grant, report).await
    }

    async fn complete(&self, grant: &Grant, ask: Ask) -> Result<Completed, Failure> {
        self.load_full().complete(grant, ask).await
    }

    async fn stream_complete(&self, grant: &Grant, ask: Ask) -> Result<Events, Failure> {
        self.load_full().stream_complete(grant, ask).await
    }

    async fn close_episode(
        &self,
        grant: &Grant,
        closing: EpisodeClosing,
    ) -> Result<EpisodeClosed, Failure> {
        self.load_full().close_episode(grant, closing).await
    }

    async fn decision(&self, grant: &Grant, id: DecisionId) -> Result<Recorded, Failure> {
        self.load_full().decision(grant, id).await
    }

    async fn decisions(
        &self,
        grant: &Grant,
        query: DecisionQuery,
    ) -> Result<DecisionPage, Failure> {
        self.load_full().decisions(grant, query).await
    }
}
