//! One team's calls, over gRPC like anybody's.
//!
//! Not here: what is asked, and when (`play`).

use super::error::Error;
use crate::grpc::client::{self, ClientError, Keyed};
use crate::proto::v1;
use crate::proto::v1::admin_service_client::AdminServiceClient;
use crate::proto::v1::feedback_service_client::FeedbackServiceClient;
use crate::proto::v1::router_service_client::RouterServiceClient;
use crate::scenario::{Outcome, Request, Rpc};

/// Most items of one batch.
const BATCH: usize = 500;

/// The clients of one team.
pub(super) struct Caller {
    router: RouterServiceClient<Keyed>,
    feedback: FeedbackServiceClient<Keyed>,
    admin: AdminServiceClient<Keyed>,
}

/// What the router answered.
pub(super) struct Answer {
    pub(super) decision_id: String,
    pub(super) arm: String,
    pub(super) inherited: bool,
    /// What `Complete` paid.
    pub(super) cost_usd: Option<f64>,
}

impl Caller {
    pub(super) async fn connect(address: &str, key: &str) -> Result<Self, Error> {
        let channel = client::connect(address, Some(key)).await?;
        Ok(Self {
            router: RouterServiceClient::new(channel.clone()),
            feedback: FeedbackServiceClient::new(channel.clone()),
            admin: AdminServiceClient::new(channel),
        })
    }

    /// Asks by the method that the request wants.
    pub(super) async fn ask(&mut self, number: usize, request: &Request) -> Result<Answer, Error> {
        let context = Some(context(request));
        let (decision, cost_usd) = match request.rpc {
            Rpc::Route => {
                let message = v1::RouteRequest {
                    context,
                    ..v1::RouteRequest::default()
                };
                let reply = self.router.route(message).await;
                let reply = reply.map_err(|s| refused("Route", number, s.into()))?;
                (Some(reply.into_inner()), None)
            }
            Rpc::Complete => {
                let message = v1::CompleteRequest {
                    context,
                    ..v1::CompleteRequest::default()
                };
                let reply = self.router.complete(message).await;
                let reply = reply.map_err(|s| refused("Complete", number, s.into()))?;
                let reply = reply.into_inner();
                let cost = reply.attempt.and_then(|attempt| attempt.cost_nano_usd);
                (reply.decision, cost.map(|nano| nano as f64 * 1e-9))
            }
        };
        let decision = decision.unwrap_or_default();
        Ok(Answer {
            decision_id: decision.decision_id,
            arm: decision.arm,
            inherited: decision.inherited,
            cost_usd,
        })
    }

    /// Tells what the caller's own call of the model took; what it cost.
    pub(super) async fn attempted(
        &mut self,
        number: usize,
        decision_id: &str,
        outcome: &Outcome,
    ) -> Result<Option<f64>, Error> {
        let usage = v1::Usage {
            input_tokens: Some(i64::from(outcome.input_tokens)),
            cached_input_tokens: None,
            output_tokens: Some(i64::from(outcome.output_tokens)),
            ..v1::Usage::default()
        };
        let message = v1::ReportAttemptRequest {
            decision_id: decision_id.to_owned(),
            usage: Some(usage),
            latency_ms: Some(outcome.latency_ms),
            ..v1::ReportAttemptRequest::default()
        };
        let reply = self.router.report_attempt(message).await;
        let reply = reply.map_err(|s| refused("ReportAttempt", number, s.into()))?;
        let cost = reply.into_inner().attempt.and_then(|a| a.cost_nano_usd);
        Ok(cost.map(|nano| nano as f64 * 1e-9))
    }

    /// Sends `items`, each with the number of the request that it is about.
    pub(super) async fn report(&mut self, items: Vec<(usize, v1::Feedback)>) -> Result<(), Error> {
        for batch in items.chunks(BATCH) {
            let number = batch.first().map_or(0, |(number, _)| *number);
            let message = v1::SubmitFeedbackRequest {
                items: batch.iter().map(|(_, item)| item.clone()).collect(),
                dry_run: false,
            };
            let reply = self.feedback.submit_feedback(message).await;
            let reply = reply.map_err(|s| refused("SubmitFeedback", number, s.into()))?;
            for ((number, _), result) in batch.iter().zip(reply.into_inner().results) {
                if result.status() != v1::feedback_result::Status::Accepted {
                    return Err(Error::Feedback {
                        request: *number,
                        message: format!("{}: {}", result.status().as_str_name(), result.message),
                    });
                }
            }
        }
        Ok(())
    }

    /// The team's state.
    pub(super) async fn state(&mut self, team: &str) -> Result<v1::GetTeamResponse, Error> {
        let message = v1::GetTeamRequest {
            team: team.to_owned(),
        };
        let reply = self.admin.get_team(message).await;
        Ok(reply.map_err(ClientError::from)?.into_inner())
    }
}

fn refused(call: &'static str, request: usize, source: ClientError) -> Error {
    Error::Refused {
        call,
        request,
        source,
    }
}

fn context(request: &Request) -> v1::RequestContext {
    let text = v1::content_part::Part::Text(request.prompt.clone());
    let message = v1::Message {
        role: v1::Role::User.into(),
        content: vec![v1::ContentPart { part: Some(text) }],
        ..v1::Message::default()
    };
    v1::RequestContext {
        task: Some(request.task.to_string()),
        episode_id: request.episode.as_ref().map(ToString::to_string),
        messages: vec![message],
        ..v1::RequestContext::default()
    }
}
