//! Requests of `RouterService`.
//!
//! Invariants: those of `route::request`; a body's hash is taken before it is taken apart, and only
//! where an idempotency key asks for it.
//!
//! Not here: whether the decision, the endpoint or the arm exists (`route`).

use super::super::body;
use super::super::field::Fields;
use super::super::path::Path;
use super::super::status::Failure;
use super::{constraints, context};
use crate::decision;
use crate::id::{DecisionId, Secret};
use crate::proto::v1;
use crate::route::{AttemptReport, DecisionQuery, EpisodeClosing, Request};
use crate::unit::NanoUsd;

/// What an empty page size means.
const PAGE: i32 = 50;

/// A request for a decision.
pub(in crate::grpc) fn route(mut said: v1::RouteRequest) -> Result<Request, Failure> {
    let mut fields = Fields::default();
    let id = said.request_id.take();
    let key = idempotency(&mut fields, Path::Root, id, "Route", &said);
    let mut request = context::request(&mut fields, Path::Root.field("context"), said.context);
    let at = Path::Root.field("constraints");
    request.constraints = constraints::constraints(&mut fields, at, said.constraints);
    request.request = key;
    request.explore = said.explore.unwrap_or(true);
    fields.finish(Some(request))
}

/// A request for a decision and an answer, with the sampling temperature.
pub(in crate::grpc) fn complete(
    said: v1::CompleteRequest,
) -> Result<(Request, Option<f64>), Failure> {
    let mut fields = Fields::default();
    let asked = ask(&mut fields, Path::Root, said);
    fields.finish(Some(asked))
}

/// As [`complete`], to be answered in pieces.
pub(in crate::grpc) fn stream_complete(
    said: v1::StreamCompleteRequest,
) -> Result<(Request, Option<f64>), Failure> {
    let mut fields = Fields::default();
    let at = Path::Root.field("request");
    let said = fields.required(at, said.request);
    let asked = said.map(|said| {
        let (request, temperature) = ask(&mut fields, at, said);
        let streaming = true;
        (
            Request {
                streaming,
                ..request
            },
            temperature,
        )
    });
    fields.finish(asked)
}

fn ask(fields: &mut Fields, at: Path<'_>, mut said: v1::CompleteRequest) -> (Request, Option<f64>) {
    let id = said.request_id.take();
    let key = idempotency(fields, at, id, "Complete", &said);
    let mut request = context::request(fields, at.field("context"), said.context);
    if request.messages.is_empty() {
        let problem = "is empty, or none of it is good: at least one message is required";
        fields.refuse(at.field("context").field("messages"), problem);
    }
    let limits = constraints::constraints(fields, at.field("constraints"), said.constraints);
    request.constraints = limits;
    request.request = key;
    request.explore = said.explore.unwrap_or(true);
    let temperature = fields.number(at.field("temperature"), said.temperature, 0.0..=2.0);
    (request, temperature)
}

/// The idempotency key, if there is one, with the hash of everything else.
fn idempotency(
    fields: &mut Fields,
    at: Path<'_>,
    id: Option<String>,
    rpc: &str,
    rest: &impl prost::Message,
) -> Option<decision::Request> {
    let id = fields.name_if_said(at.field("request_id"), id.as_deref())?;
    let body_hash = body::hash(rpc, rest);
    Some(decision::Request { id, body_hash })
}

/// A decision's id. One that this server never made is not found, whatever it looks like.
pub(super) fn decision_id(secret: &Secret, text: &str) -> Result<DecisionId, Failure> {
    secret
        .parse(text)
        .map_err(|_| Failure::DecisionNotFound { id: None })
}

/// What happened when the caller called the endpoint itself.
pub(in crate::grpc) fn report_attempt(
    mut said: v1::ReportAttemptRequest,
    secret: &Secret,
) -> Result<AttemptReport, Failure> {
    let mut fields = Fields::default();
    let root = Path::Root;
    let id = said.request_id.take();
    let request = idempotency(&mut fields, root, id, "ReportAttempt", &said);
    let endpoint = fields.name_unless_empty("endpoint", &said.endpoint);
    let usage = usage(
        &mut fields,
        root.field("usage"),
        said.usage.unwrap_or_default(),
    );
    let latency_ms = fields.number("latency_ms", said.latency_ms, 0.0..=MOST_LATENCY_MS);
    let cost = fields.integer("cost_nano_usd", said.cost_nano_usd, 0..=i64::MAX);
    let error = fields.name_unless_empty("error", &said.error);
    let report = fields.finish(Some((endpoint, usage, latency_ms, cost, error)))?;
    let (endpoint, usage, latency_ms, cost, error) = report;
    Ok(AttemptReport {
        decision: decision_id(secret, &said.decision_id)?,
        endpoint,
        usage,
        latency_ms,
        cost: cost.map(NanoUsd::new),
        error,
        request,
    })
}

/// Thirty days: an attempt that took longer is a mistake of units.
const MOST_LATENCY_MS: f64 = 2_592_000_000.0;

fn usage(fields: &mut Fields, at: Path<'_>, said: v1::Usage) -> decision::Usage {
    let usage = decision::Usage {
        input: fields.tokens(at.field("input_tokens"), said.input_tokens, 0),
        cached_input: fields.tokens(at.field("cached_input_tokens"), said.cached_input_tokens, 0),
        output: fields.tokens(at.field("output_tokens"), said.output_tokens, 0),
        estimated: said.estimated,
    };
    if let (Some(cached), Some(input)) = (usage.cached_input, usage.input)
        && cached > input
    {
        fields.refuse(
            at.field("cached_input_tokens"),
            format_args!("is {cached}: allowed at most input_tokens, {input}"),
        );
    }
    usage
}

/// The episode to close.
pub(in crate::grpc) fn close_episode(
    mut said: v1::CloseEpisodeRequest,
) -> Result<EpisodeClosing, Failure> {
    let mut fields = Fields::default();
    let id = said.request_id.take();
    let request = idempotency(&mut fields, Path::Root, id, "CloseEpisode", &said);
    let episode = fields.name("episode_id", &said.episode_id);
    fields.finish(episode.map(|episode| EpisodeClosing { episode, request }))
}

/// The decision to show.
pub(in crate::grpc) fn get_decision(
    said: &v1::GetDecisionRequest,
    secret: &Secret,
) -> Result<DecisionId, Failure> {
    decision_id(secret, &said.decision_id)
}

/// The decisions to list.
pub(in crate::grpc) fn list_decisions(
    said: &v1::ListDecisionsRequest,
) -> Result<DecisionQuery, Failure> {
    let mut fields = Fields::default();
    let size = if said.page_size == 0 {
        PAGE
    } else {
        said.page_size
    };
    let size = fields.integer("page_size", Some(i64::from(size)), 1..=1000);
    let before = match said.page_token.as_str() {
        "" => None,
        token => {
            let cursor = u64::from_str_radix(token, 16).ok();
            if cursor.is_none() {
                fields.refuse(
                    "page_token",
                    "is not one: allowed a next_page_token, or empty",
                );
            }
            cursor
        }
    };
    let episode = fields.name_unless_empty("episode_id", &said.episode_id);
    let arm = fields.name_unless_empty("arm", &said.arm);
    let size = size.and_then(|size| usize::try_from(size).ok());
    fields.finish(size.map(|size| DecisionQuery {
        size,
        before,
        episode,
        arm,
    }))
}
