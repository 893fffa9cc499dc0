//! OTLP: each call as a span, each attempt as a span below it, each signal of feedback as an event, for a collector.
//!
//! Built with `--features otlp` only, and silent unless `[telemetry] otlp_endpoint` is set. All that knows whether it
//! is built is in this folder: elsewhere there is a [`Witness`] or there is none.
//!
//! | sent | as | what |
//! |---|---|---|
//! | a call | span `bellwether.route`, `.complete`, `.stream` or `.embed`, kind server; its parent is the caller's `traceparent` | `bellwether.*`: outcome, request id, decision, task, arms intended and served, how the arm came about, propensity, policy, snapshot and scorecard versions, cost, tries |
//! | an attempt | span `chat MODEL` or `embeddings MODEL`, kind client, below its call's | `gen_ai.*`: operation, provider, model, tokens, finish reason; `server.address`, `error.type`; endpoint, arm, cost |
//! | a signal of feedback | log record `gen_ai.evaluation.result`, in the trace of its decision's call where that is known | name, score, label; the decision or the episode |
//!
//! Invariants: no prompt, answer, comment, key or error text of a provider is sent, and no team's name unless the
//! operator asks for it; sending is behind a queue of 2,048 that nobody waits for, and what does not fit is counted
//! and dropped, as is what the collector does not take within the time limit; at the end of the server what waits is
//! sent, for 5 seconds at most. The caller decides whether its trace is recorded; of traces that begin here a share is.
//! Which decisions belong to which trace is known of the newest 65,536, and not over a restart.
//!
//! Not here: metrics over OTLP (Prometheus reads them), gRPC to the collector, who carries the bytes (a [`Courier`]).
//! Retries are ours: the exporter's own would block the thread.
//!
//! Source: OpenTelemetry, "OTLP Specification" 1.x (HTTP, binary protobuf), "Semantic conventions for generative AI"
//! (spans and events); where they have no word, ours begins with `bellwether.`. Of the standard's environment
//! variables the exporter reads `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.

#[cfg(feature = "otlp")]
mod attributes;
#[cfg(feature = "otlp")]
mod client;
#[cfg(feature = "otlp")]
mod event;
#[cfg(feature = "otlp")]
mod known;
#[cfg(feature = "otlp")]
mod queue;
#[cfg(feature = "otlp")]
mod recorder;

#[cfg(not(feature = "otlp"))]
mod absent;
#[cfg(not(feature = "otlp"))]
use absent as recorder;

use super::witness::Witness;
use crate::clock::Clock;
use crate::id::Name;
use bytes::Bytes;
use futures_util::future::BoxFuture;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Whether this build can send.
pub const BUILT: bool = cfg!(feature = "otlp");

/// How long what waits may take to be sent at the end.
const FLUSH: Duration = Duration::from_secs(5);

/// Where to send, and what.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// The collector's address; `/v1/traces` and `/v1/logs` go below it.
    pub endpoint: String,
    /// Longest time for a batch to be taken.
    pub timeout: Duration,
    /// Share of the traces that begin here that are recorded, 0 to 1.
    pub sample_ratio: f64,
    /// What the collector knows the server as. `None`: what the environment says, else `bellwether`.
    pub service_name: Option<Name>,
}

/// What is told of the configuration's names.
#[derive(Debug, Clone, Default)]
pub struct Names {
    /// Whether teams are named.
    pub teams: bool,
    /// The endpoints.
    pub endpoints: BTreeMap<Name, Target>,
}

/// What an endpoint asks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// Its provider, in the conventions' word.
    pub provider: String,
    /// The model's name there.
    pub model: String,
    /// Its host; empty where there is none.
    pub host: String,
    /// Its port, where the address names one.
    pub port: Option<u16>,
}

/// Why a request got no reply.
pub type Undelivered = Box<dyn std::error::Error + Send + Sync>;

/// Carries requests to the collector.
pub trait Courier: fmt::Debug + Send + Sync {
    /// Sends one; whatever status comes back is a reply.
    fn carry(
        &self,
        request: http::Request<Bytes>,
    ) -> BoxFuture<'static, Result<http::Response<Bytes>, Undelivered>>;
}

/// Why nothing can be sent.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// This build cannot.
    #[error(
        "telemetry.otlp_endpoint: this build cannot send over OTLP: allowed in one with `--features otlp`"
    )]
    NotBuilt,
    /// The exporter refuses its settings.
    #[error("telemetry.otlp_endpoint: {0}")]
    Exporter(String),
}

/// Sending at work.
#[derive(Debug)]
pub struct Sending {
    stop: CancellationToken,
    handle: JoinHandle<()>,
}

impl Sending {
    /// Sends what waits, and ends.
    pub async fn stop(mut self) {
        self.stop.cancel();
        if timeout(FLUSH, &mut self.handle).await.is_err() {
            self.handle.abort();
            tracing::warn!("the newest spans and events were not sent: the collector is slow");
        }
    }
}

/// Begins to send, by way of `courier`, in a task of `tasks`.
pub fn open(
    settings: &Settings,
    names: Names,
    courier: Arc<dyn Courier>,
    clock: Arc<dyn Clock>,
    tasks: &TaskTracker,
) -> Result<(Arc<dyn Witness>, Sending), Error> {
    recorder::open(settings, names, courier, clock, tasks)
}

#[cfg(feature = "otlp")]
#[cfg(test)]
mod sample;
#[cfg(feature = "otlp")]
#[cfg(test)]
mod tests;
