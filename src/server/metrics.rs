//! The listener of metrics: `GET /metrics` for Prometheus, `GET /health` for whoever probes.
//!
//! It has an address of its own and asks for no key: who can reach it may read. It tells numbers, and names of the
//! configuration (arms, endpoints, checks; teams only where the operator says so).
//!
//! Invariants: it does nothing for a call but read; a head that does not come in time ends its connection, and there
//! are at most 16 of them; it goes on while the server drains, and `/health` is 503 then.
//!
//! Not here: the metrics (`telemetry`), the health of the contract (`grpc`).

use super::error::Error;
use super::running::Task;
use crate::account::Accounts;
use crate::clock::Clock;
use crate::decision::Attempt;
use crate::learn::Published;
use crate::provider;
use crate::standing::Standing;
use crate::store::Store;
use crate::telemetry::{Labels, Metrics, Now};
use crate::{complete, config, redaction, route};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{Method, Request, Response, StatusCode};
use http_body_util::Full;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::collections::BTreeSet;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Most connections at once.
const CONNECTIONS: usize = 16;

/// Longest time for a head to come.
const HEAD: Duration = Duration::from_secs(5);

/// Longest time for all of a connection.
const WHOLE: Duration = Duration::from_secs(30);

/// After a connection could not be taken, before the next is tried.
const PAUSE: Duration = Duration::from_millis(50);

/// The text format of Prometheus.
const TEXT: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What is read when somebody looks.
#[derive(Debug)]
pub(super) struct View {
    pub(super) metrics: Arc<Metrics>,
    pub(super) standing: Arc<Standing>,
    pub(super) published: Arc<Published>,
    pub(super) store: Arc<Store>,
    pub(super) accounts: Arc<Accounts>,
    pub(super) clock: Arc<dyn Clock>,
}

impl View {
    fn text(&self) -> String {
        self.metrics.text(&Now {
            unavailable: self.standing.unavailable(self.clock.now()),
            misconfigured: self.standing.misconfigured(),
            soft_budgets_passed: self.accounts.soft_budgets_passed(),
            // In this order: what is learned was written before.
            learned: self.published.load().version,
            journal: self.store.journal().newest(),
        })
    }
}

/// The listener at work.
#[derive(Debug)]
pub(super) struct Exposition {
    address: SocketAddr,
    draining: CancellationToken,
    serving: Task<()>,
}

impl Exposition {
    /// Opens it, where it is configured.
    pub(super) async fn open(
        view: View,
        settings: &config::Server,
        tasks: &TaskTracker,
    ) -> Result<Option<Self>, Error> {
        let Some(address) = settings.metrics_listen else {
            return Ok(None);
        };
        let failed = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let (draining, stop) = (CancellationToken::new(), CancellationToken::new());
        let told = (draining.clone(), stop.clone());
        let handle = tasks.spawn(serve(listener, Arc::new(view), told));
        let serving = Task { stop, handle };
        tracing::info!(%address, "serving metrics");
        Ok(Some(Self {
            address,
            draining,
            serving,
        }))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// From now on `/health` says that the server goes.
    pub(super) fn draining(&self) {
        self.draining.cancel();
    }

    /// Ends; connections are cut.
    pub(super) async fn stop(self) -> Result<(), Error> {
        self.serving.stop.cancel();
        Ok(self.serving.handle.await?)
    }
}

/// All metrics of a server with this configuration.
pub(super) fn metrics(params: &config::Params) -> Metrics {
    let rules = params.teams.iter().flat_map(|team| &team.checks);
    let checks: BTreeSet<_> = rules
        .map(|rule| rule.name.clone())
        .chain(complete::Checking::default_names())
        .collect();
    let kinds = provider::Kind::ALL.map(provider::Kind::as_str);
    let teams = params.teams.iter().map(|team| team.name.clone());
    let teams = teams.filter(|_| params.server.metrics_teams);
    let (endpoints, arms) = (params.catalogue.endpoints(), params.catalogue.arms());
    Metrics::new(Labels {
        endpoints: endpoints.iter().map(|e| e.name.clone()).collect(),
        arms: arms.iter().map(|arm| arm.name.clone()).collect(),
        checks: checks.into_iter().collect(),
        errors: kinds.into_iter().chain([Attempt::ABANDONED]).collect(),
        actions: route::Action::ALL.map(route::Action::as_str).to_vec(),
        kinds: redaction::Kind::WORDS.to_vec(),
        teams: teams.collect(),
    })
}

async fn serve(
    listener: TcpListener,
    view: Arc<View>,
    (draining, stop): (CancellationToken, CancellationToken),
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            taken = listener.accept(), if connections.len() < CONNECTIONS => match taken {
                Ok((stream, _)) => {
                    let (view, draining) = (Arc::clone(&view), draining.clone());
                    connections.spawn(tokio::time::timeout(WHOLE, connection(stream, view, draining)));
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection for metrics could not be taken");
                    tokio::time::sleep(PAUSE).await;
                }
            },
            Some(_) = connections.join_next() => {}
            () = stop.cancelled() => break,
        }
    }
    // What they hold is let go before the server says that it has stopped.
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, view: Arc<View>, draining: CancellationToken) {
    let service = service_fn(move |request| {
        let reply = answer(&request, &view, draining.is_cancelled());
        async move { Ok::<_, Infallible>(reply) }
    });
    let mut builder = http1::Builder::new();
    let builder = builder
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .keep_alive(false);
    let served = builder.serve_connection(TokioIo::new(stream), service);
    if let Err(error) = served.await {
        tracing::debug!(%error, "a connection for metrics ended badly");
    }
}

fn answer<B>(request: &Request<B>, view: &View, draining: bool) -> Response<Full<Bytes>> {
    let (status, text) = page(request, || view.text(), draining);
    let mut reply = Response::new(Full::new(Bytes::from(text)));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(CONTENT_TYPE, http::HeaderValue::from_static(TEXT));
    headers.insert(CACHE_CONTROL, http::HeaderValue::from_static("no-store"));
    reply
}

fn page<B>(
    request: &Request<B>,
    metrics: impl FnOnce() -> String,
    draining: bool,
) -> (StatusCode, String) {
    match (request.method(), request.uri().path()) {
        (&Method::GET | &Method::HEAD, "/metrics") => (StatusCode::OK, metrics()),
        (&Method::GET | &Method::HEAD, "/health") if draining => {
            (StatusCode::SERVICE_UNAVAILABLE, "draining\n".to_owned())
        }
        (&Method::GET | &Method::HEAD, "/health") => (StatusCode::OK, "serving\n".to_owned()),
        (_, "/metrics" | "/health") => (
            StatusCode::METHOD_NOT_ALLOWED,
            "allowed GET and HEAD\n".to_owned(),
        ),
        _ => (
            StatusCode::NOT_FOUND,
            "allowed /metrics and /health\n".to_owned(),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(asked: (Method, &str), draining: bool, expected: (u16, &str)) {
        let (method, path) = asked;
        let request = Request::builder().method(method).uri(path).body(());
        let found = page(&request.unwrap(), || "metrics".to_owned(), draining);
        assert_eq!((found.0.as_u16(), &*found.1), expected);
    }

    #[test]
    fn a_server_that_drains_says_so_and_still_tells_its_metrics() {
        check((Method::GET, "/health"), false, (200, "serving\n"));
        check((Method::GET, "/health"), true, (503, "draining\n"));
        check((Method::GET, "/metrics"), true, (200, "metrics"));
    }

    #[test]
    fn nothing_but_reading_is_allowed() {
        let refused = (405, "allowed GET and HEAD\n");
        check((Method::POST, "/metrics"), false, refused);
        check((Method::DELETE, "/health"), false, refused);
        let nothing = (404, "allowed /metrics and /health\n");
        check((Method::GET, "/metrics/"), false, nothing);
    }
}
