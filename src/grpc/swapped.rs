//! The use cases of a configuration, which may be swapped for others while calls are at work.
//!
//! Invariants: a call takes those that are there when its work begins, with what its key grants by the same
//! configuration, and keeps both to its end, a stream too.

use super::router::{Ask, Completed, Events, Routing};
use super::status::Failure;
use crate::access::{Admission, Configured, Porter};
use crate::complete::AttemptReport;
use crate::decision::Attempt;
use crate::id::DecisionId;
use crate::learn::{EpisodeClosed, EpisodeClosing};
use crate::route::{DecisionPage, DecisionQuery, Recorded, Request, Routed};
use arc_swap::ArcSwap;
use std::sync::Arc;

/// What there is, and who tells by which keys a call is let in.
#[derive(Debug)]
pub struct Swapped<R> {
    there: Arc<ArcSwap<Configured<R>>>,
    porter: Arc<Porter>,
}

impl<R> Swapped<R> {
    /// Whatever is in `there`, beside the keys of this porter.
    pub fn new(there: Arc<ArcSwap<Configured<R>>>, porter: Arc<Porter>) -> Self {
        Self { there, porter }
    }

    async fn judge(&self, admission: &Admission) -> Result<(Arc<R>, Admission), Failure> {
        Ok(self.porter.beside(&self.there, admission).await?)
    }
}

impl<R: Routing> Routing for Swapped<R> {
    async fn route(&self, admission: &Admission, request: Request) -> Result<Routed, Failure> {
        let (there, admission) = self.judge(admission).await?;
        there.route(&admission, request).await
    }

    async fn report_attempt(
        &self,
        admission: &Admission,
        report: AttemptReport,
    ) -> Result<Attempt, Failure> {
        let (there, admission) = self.judge(admission).await?;
        there.report_attempt(&admission, report).await
    }

    async fn complete(&self, admission: &Admission, ask: Ask) -> Result<Completed, Failure> {
        let (there, admission) = self.judge(admission).await?;
        there.complete(&admission, ask).await
    }

    async fn stream_complete(&self, admission: &Admission, ask: Ask) -> Result<Events, Failure> {
        let (there, admission) = self.judge(admission).await?;
        there.stream_complete(&admission, ask).await
    }

    async fn close_episode(
        &self,
        admission: &Admission,
        closing: EpisodeClosing,
    ) -> Result<EpisodeClosed, Failure> {
        let (there, admission) = self.judge(admission).await?;
        there.close_episode(&admission, closing).await
    }

    async fn decision(&self, admission: &Admission, id: DecisionId) -> Result<Recorded, Failure> {
        let (there, admission) = self.judge(admission).await?;
        there.decision(&admission, id).await
    }

    async fn decisions(
        &self,
        admission: &Admission,
        query: DecisionQuery,
    ) -> Result<DecisionPage, Failure> {
        let (there, admission) = self.judge(admission).await?;
        there.decisions(&admission, query).await
    }
}
