//! The loop: route, look the outcome up, report it now or later.
//!
//! Not here: what the figures mean (`report`).

use super::error::Error;
use super::report::{Report, Step};
use crate::grpc::client::{self, Keyed};
use crate::proto::v1;
use crate::proto::v1::admin_service_client::AdminServiceClient;
use crate::proto::v1::feedback_service_client::FeedbackServiceClient;
use crate::proto::v1::router_service_client::RouterServiceClient;
use crate::replay::Bench;
use crate::table::{Cell, OutcomeTable, Prompt};
use crate::tls::Trust;
use rand::{RngExt, SeedableRng, rngs::SmallRng};
use std::collections::VecDeque;
use tonic::Status;

/// How to play.
#[derive(Debug, Clone)]
pub struct Options {
    /// Address of the server, as in `http://127.0.0.1:7431`.
    pub address: String,
    /// Key, if the server asks for one.
    pub key: Option<String>,
    /// Whom to trust over TLS, and what to show.
    pub trust: Trust,
    /// The team that the key must belong to. Asked of the server before the first prompt, which takes
    /// a key with the scope `admin`.
    pub team: Option<String>,
    /// Seed of the order and of the loss.
    pub seed: u64,
    /// Most prompts to play.
    pub limit: Option<usize>,
    /// Outcomes are sent this many prompts late.
    pub feedback_delay: usize,
    /// Share of outcomes never sent, in [0, 1].
    pub feedback_loss: f64,
    /// Cost weight of the reward.
    pub lambda: f64,
    /// Whether the table's task label is sent.
    pub task_label: bool,
}

/// An outcome on its way.
struct Pending {
    decision_id: String,
    prompt: String,
    score: f64,
}

/// Plays `table`; `progress` is told how many prompts are done of how many.
pub async fn play(
    table: &OutcomeTable,
    options: &Options,
    mut progress: impl FnMut(usize, usize),
) -> Result<Report, Error> {
    let bench = Bench::rewards_only(table, options.lambda)?;
    let mut order = bench.order(options.seed);
    order.truncate(options.limit.unwrap_or(usize::MAX));
    if order.is_empty() {
        return Err(Error::Empty);
    }
    let mut player = Player::connect(options).await?;
    let mut random = SmallRng::seed_from_u64(options.seed);
    let mut pending: VecDeque<Pending> = VecDeque::new();
    let (mut steps, mut sent) = (Vec::with_capacity(order.len()), 0);
    for (done, index) in order.iter().copied().enumerate() {
        progress(done, order.len());
        let Some(prompt) = table.prompts.get(index) else {
            continue;
        };
        let routed = player.route(prompt, options.task_label).await?;
        let place = table.arms.iter().position(|arm| arm.as_str() == routed.arm);
        let cell = place.and_then(|arm| Some((arm, table.cells(index).get(arm)?)));
        let Some((arm, cell)) = cell else {
            return Err(Error::UnknownArm { arm: routed.arm });
        };
        steps.push(Step { prompt: index, arm });
        let cost = bench.costs(index).and_then(|row| row.get(arm).copied());
        player
            .report(&routed.decision_id, prompt, cell, cost)
            .await?;
        if random.random::<f64>() >= options.feedback_loss {
            let (decision_id, prompt) = (routed.decision_id, prompt.id.clone());
            pending.push_back(Pending {
                decision_id,
                prompt,
                score: cell.score,
            });
        }
        while pending.len() > options.feedback_delay {
            let Some(due) = pending.pop_front() else {
                break;
            };
            player.feed_back(due).await?;
            sent += 1;
        }
    }
    sent += pending.len();
    for due in pending {
        player.feed_back(due).await?;
    }
    progress(order.len(), order.len());
    Ok(Report::new(&bench, &steps, sent, options))
}

struct Player {
    router: RouterServiceClient<Keyed>,
    feedback: FeedbackServiceClient<Keyed>,
}

impl Player {
    async fn connect(options: &Options) -> Result<Self, Error> {
        let connection =
            client::connect_with(&options.address, options.key.as_deref(), &options.trust).await?;
        if let Some(team) = &options.team {
            let asked = v1::GetTeamRequest { team: team.clone() };
            let mut admin = AdminServiceClient::new(connection.clone());
            admin
                .get_team(asked)
                .await
                .map_err(client::ClientError::from)?;
        }
        Ok(Self {
            router: RouterServiceClient::new(connection.clone()),
            feedback: FeedbackServiceClient::new(connection),
        })
    }

    async fn route(&mut self, prompt: &Prompt, task: bool) -> Result<v1::RouteResponse, Error> {
        let text = |text: &String| v1::Message {
            role: v1::Role::User.into(),
            content: vec![v1::ContentPart {
                part: Some(v1::content_part::Part::Text(text.clone())),
            }],
            ..v1::Message::default()
        };
        let context = v1::RequestContext {
            task: prompt
                .task
                .as_ref()
                .filter(|_| task)
                .map(ToString::to_string),
            messages: prompt.text.iter().map(text).collect(),
            ..v1::RequestContext::default()
        };
        let message = v1::RouteRequest {
            context: Some(context),
            ..v1::RouteRequest::default()
        };
        let reply = self.router.route(message).await;
        Ok(reply.map_err(refused("Route", prompt))?.into_inner())
    }

    async fn report(
        &mut self,
        id: &str,
        prompt: &Prompt,
        cell: &Cell,
        cost_usd: Option<f64>,
    ) -> Result<(), Error> {
        let usage = v1::Usage {
            input_tokens: cell.input_tokens.map(i64::from),
            cached_input_tokens: None,
            // Beside the table's money they would be priced at the stand-in prices of `template`.
            output_tokens: cell
                .output_tokens
                .filter(|_| cost_usd.is_none())
                .map(i64::from),
            ..v1::Usage::default()
        };
        let message = v1::ReportAttemptRequest {
            decision_id: id.to_owned(),
            usage: Some(usage),
            latency_ms: cell.latency_ms,
            cost_nano_usd: cost_usd.map(|usd| (usd * 1e9).round() as i64),
            ..v1::ReportAttemptRequest::default()
        };
        let reply = self.router.report_attempt(message).await;
        reply.map(drop).map_err(refused("ReportAttempt", prompt))
    }

    async fn feed_back(&mut self, pending: Pending) -> Result<(), Error> {
        let prompt = Prompt {
            id: pending.prompt,
            task: None,
            text: None,
        };
        let signal = v1::Signal {
            name: "score".to_owned(),
            value: Some(v1::SignalValue {
                value: Some(v1::signal_value::Value::Number(pending.score)),
            }),
            kind: v1::signal::Kind::Observed.into(),
        };
        let item = v1::Feedback {
            subject: Some(v1::feedback::Subject::DecisionId(pending.decision_id)),
            signals: vec![signal],
            ..v1::Feedback::default()
        };
        let message = v1::SubmitFeedbackRequest {
            items: vec![item],
            dry_run: false,
        };
        let reply = self.feedback.submit_feedback(message).await;
        let reply = reply
            .map_err(refused("SubmitFeedback", &prompt))?
            .into_inner();
        let bad = reply
            .results
            .iter()
            .find(|r| r.status() == v1::feedback_result::Status::Refused);
        match bad {
            Some(result) => Err(Error::Feedback {
                prompt: prompt.id,
                message: result.message.clone(),
            }),
            None => Ok(()),
        }
    }
}

fn refused(call: &'static str, prompt: &Prompt) -> impl FnOnce(Status) -> Error + use<> {
    let prompt = prompt.id.clone();
    move |status| Error::Refused {
        call,
        prompt,
        code: status.code(),
        message: status.message().to_owned(),
    }
}
