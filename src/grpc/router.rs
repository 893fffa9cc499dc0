//! `RouterService`: admit, decode, call the use case, encode.
//!
//! Not here: any decision. What the service needs done is [`Routing`].

use super::auth::{Admitted, serve};
use super::guard::Call;
use super::status::Failure;
use super::stream::{Guarded, Replies};
use super::{decode, encode};
use crate::access::{Admission, Scope};
use crate::chat::{Message, Reasoning, ToolCall};
use crate::complete::{AttemptReport, Checked};
use crate::decision::Attempt;
use crate::id::{DecisionId, Secret};
use crate::learn::{EpisodeClosed, EpisodeClosing};
use crate::proto::v1::{self, router_service_server::RouterService};
use crate::route::{DecisionPage, DecisionQuery, Recorded, Request, Routed};
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use std::future::Future;
use std::sync::Arc;
use tonic::{Response, Status};

/// What the service needs done. Every method acts for the grant's team alone.
pub trait Routing: Send + Sync + 'static {
    /// Decides; in the journal before it returns.
    fn route(
        &self,
        admission: &Admission,
        request: Request,
    ) -> impl Future<Output = Result<Routed, Failure>> + Send;

    /// Keeps an attempt that the caller made.
    fn report_attempt(
        &self,
        admission: &Admission,
        report: AttemptReport,
    ) -> impl Future<Output = Result<Attempt, Failure>> + Send;

    /// Decides and has it answered, before the call's deadline.
    fn complete(
        &self,
        admission: &Admission,
        ask: Ask,
    ) -> impl Future<Output = Result<Completed, Failure>> + Send;

    /// As `complete`, in pieces: first [`Event::Decided`], last [`Event::Done`].
    fn stream_complete(
        &self,
        admission: &Admission,
        ask: Ask,
    ) -> impl Future<Output = Result<Events, Failure>> + Send;

    /// Closes an episode.
    fn close_episode(
        &self,
        admission: &Admission,
        closing: EpisodeClosing,
    ) -> impl Future<Output = Result<EpisodeClosed, Failure>> + Send;

    /// One decision.
    fn decision(
        &self,
        admission: &Admission,
        id: DecisionId,
    ) -> impl Future<Output = Result<Recorded, Failure>> + Send;

    /// Decisions, newest first.
    fn decisions(
        &self,
        admission: &Admission,
        query: DecisionQuery,
    ) -> impl Future<Output = Result<DecisionPage, Failure>> + Send;
}

/// A request for an answer.
#[derive(Debug, Clone)]
pub struct Ask {
    /// What is asked.
    pub request: Request,
    /// The call, for its deadline.
    pub call: Call,
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Completed {
    /// The decision.
    pub routed: Routed,
    /// The model's message.
    pub message: Message,
    /// Why it stopped, in the contract's words.
    pub finish_reason: &'static str,
    /// The attempts, in order; the last one that did not fail served it.
    pub attempts: Vec<Attempt>,
    /// What was checked of the answer.
    pub checks: Vec<Checked>,
    /// Whether its JSON was repaired.
    pub repaired: bool,
}

/// A piece of a streamed answer.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The decision, before the first token.
    Decided(Box<Routed>),
    /// The next characters.
    Text(String),
    /// A whole tool call.
    ToolCall(ToolCall),
    /// What the model thinks.
    Reasoning(Reasoning),
    /// The end: all was sent.
    Done {
        /// Why it stopped, in the contract's words.
        finish_reason: &'static str,
        /// The attempts, in order; the last one that did not fail served it.
        attempts: Vec<Attempt>,
        /// What was checked of the answer.
        checks: Vec<Checked>,
    },
}

/// A streamed answer.
pub type Events = BoxStream<'static, Result<Event, Failure>>;

/// The service over a use case.
#[derive(Debug)]
pub struct Router<U> {
    routing: Arc<U>,
    secret: Secret,
}

impl<U: Routing> Router<U> {
    /// Serves `routing`, reading decision ids with `secret`.
    pub fn new(routing: Arc<U>, secret: Secret) -> Self {
        Self { routing, secret }
    }

    /// `Route`, its reply encoded.
    pub(super) async fn route_bytes(
        &self,
        request: tonic::Request<v1::RouteRequest>,
    ) -> Result<Response<Vec<u8>>, Status> {
        serve(request, Scope::Route, |a| async move {
            Ok(encode::route_bytes(&self.routed(a).await?))
        })
        .await
    }

    async fn routed(&self, admitted: Admitted<v1::RouteRequest>) -> Result<Routed, Failure> {
        let request = decode::route(admitted.asked)?;
        self.routing.route(&admitted.grant, request).await
    }
}

#[tonic::async_trait]
impl<U: Routing> RouterService for Router<U> {
    async fn route(
        &self,
        request: tonic::Request<v1::RouteRequest>,
    ) -> Result<Response<v1::RouteResponse>, Status> {
        serve(request, Scope::Route, |a| async move {
            Ok(encode::route_response(&self.routed(a).await?))
        })
        .await
    }

    async fn report_attempt(
        &self,
        request: tonic::Request<v1::ReportAttemptRequest>,
    ) -> Result<Response<v1::ReportAttemptResponse>, Status> {
        serve(request, Scope::Route, |a| async move {
            let report = decode::report_attempt(a.asked, &self.secret)?;
            let kept = self.routing.report_attempt(&a.grant, report).await?;
            let attempt = Some(encode::attempt(&kept));
            Ok(v1::ReportAttemptResponse { attempt })
        })
        .await
    }

    async fn complete(
        &self,
        request: tonic::Request<v1::CompleteRequest>,
    ) -> Result<Response<v1::CompleteResponse>, Status> {
        serve(request, Scope::Complete, |a| async move {
            let (request, call) = (decode::complete(a.asked)?, a.call);
            let ask = Ask { request, call };
            let completed = self.routing.complete(&a.grant, ask).await?;
            Ok(encode::complete_response(completed))
        })
        .await
    }

    type StreamCompleteStream = Replies<v1::StreamCompleteResponse>;

    async fn stream_complete(
        &self,
        request: tonic::Request<v1::StreamCompleteRequest>,
    ) -> Result<Response<Self::StreamCompleteStream>, Status> {
        serve(request, Scope::Complete, |a| async move {
            let (request, call) = (decode::stream_complete(a.asked)?, a.call);
            let ask = Ask { request, call };
            let events = self.routing.stream_complete(&a.grant, ask).await?;
            let is_last = |event: &Event| matches!(event, Event::Done { .. });
            let replies = Guarded::new(a.call, events, is_last);
            let replies = replies.map(|event| event.map(encode::stream_event));
            Ok(Box::pin(replies) as Self::StreamCompleteStream)
        })
        .await
    }

    async fn close_episode(
        &self,
        request: tonic::Request<v1::CloseEpisodeRequest>,
    ) -> Result<Response<v1::CloseEpisodeResponse>, Status> {
        serve(request, Scope::Feedback, |a| async move {
            let closing = decode::close_episode(a.asked)?;
            let closed = self.routing.close_episode(&a.grant, closing).await?;
            Ok(v1::CloseEpisodeResponse {
                decision_count: encode::count(closed.decisions),
                already_closed: closed.already_closed,
            })
        })
        .await
    }

    async fn get_decision(
        &self,
        request: tonic::Request<v1::GetDecisionRequest>,
    ) -> Result<Response<v1::GetDecisionResponse>, Status> {
        serve(request, Scope::Route, |a| async move {
            let id = decode::get_decision(&a.asked, &self.secret)?;
            let recorded = self.routing.decision(&a.grant, id).await?;
            let decision = Some(encode::decision_record(&recorded));
            Ok(v1::GetDecisionResponse { decision })
        })
        .await
    }

    async fn list_decisions(
        &self,
        request: tonic::Request<v1::ListDecisionsRequest>,
    ) -> Result<Response<v1::ListDecisionsResponse>, Status> {
        serve(request, Scope::Route, |a| async move {
            let query = decode::list_decisions(&a.asked)?;
            let page = self.routing.decisions(&a.grant, query).await?;
            Ok(encode::list_decisions(&page))
        })
        .await
    }
}
