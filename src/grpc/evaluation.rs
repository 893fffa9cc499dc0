//! `EvaluationService`: admit, decode, stream progress and the report.
//!
//! Invariants: the report is the last message; a stream without it was cut.
//!
//! Not here: any estimate (`ope`, `replay`).

use super::auth::serve;
use super::decode::{self, Replay};
use super::status::Failure;
use super::stream::{Guarded, Replies};
use crate::access::{Grant, Scope};
use crate::proto::v1::{
    self, evaluation_service_server::EvaluationService, replay_response::Event,
};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::future::Future;
use std::sync::Arc;
use tonic::{Request, Response, Status};

/// What the service needs done.
pub trait Judging: Send + Sync + 'static {
    /// Judges candidates on the recorded traffic of the grant's team: any number of
    /// [`Event::Progress`], last one [`Event::Report`]. Fails with [`Failure::NotBuilt`] where
    /// analytics are left out.
    fn replay(
        &self,
        grant: &Grant,
        replay: Replay,
    ) -> impl Future<Output = Result<BoxStream<'static, Result<Event, Failure>>, Failure>> + Send;
}

/// Stands where the server was built without the feature `analytics`.
#[derive(Debug, Clone, Copy)]
pub struct NoAnalytics;

impl Judging for NoAnalytics {
    async fn replay(
        &self,
        _: &Grant,
        _: Replay,
    ) -> Result<BoxStream<'static, Result<Event, Failure>>, Failure> {
        Err(Failure::NotBuilt)
    }
}

/// The service over a use case.
#[derive(Debug)]
pub struct Judge<U> {
    judging: Arc<U>,
}

impl<U: Judging> Judge<U> {
    /// Serves `judging`.
    pub fn new(judging: Arc<U>) -> Self {
        Self { judging }
    }
}

#[tonic::async_trait]
impl<U: Judging> EvaluationService for Judge<U> {
    type ReplayStream = Replies<v1::ReplayResponse>;

    async fn replay(
        &self,
        request: Request<v1::ReplayRequest>,
    ) -> Result<Response<Self::ReplayStream>, Status> {
        serve(request, Scope::Replay, |a| async move {
            let replay = decode::replay(a.asked)?;
            let events = self.judging.replay(&a.grant, replay).await?;
            let is_last = |event: &Event| matches!(event, Event::Report(_));
            let replies = Guarded::new(a.call, events, is_last)
                .map(|event| event.map(|event| v1::ReplayResponse { event: Some(event) }));
            Ok(Box::pin(replies) as Self::ReplayStream)
        })
        .await
    }
}
