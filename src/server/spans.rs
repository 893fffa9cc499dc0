//! Sending spans and events of feedback, where the configuration asks for it.
//!
//! Not here: what is sent (`telemetry`), the connection (`provider`).

use super::error::Error;
use super::metrics::metrics;
use crate::clock::Clock;
use crate::config;
use crate::eligibility::Endpoint;
use crate::provider::{Post, Transport};
use crate::telemetry::Metrics;
use crate::telemetry::otlp::{self, Courier, Names, Sending, Target, Undelivered};
use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{Request, Response, Uri};
use std::sync::Arc;
use tokio_util::task::TaskTracker;

/// Carries by way of the providers' connections.
#[derive(Debug)]
struct ByPost(Post);

impl Courier for ByPost {
    fn carry(
        &self,
        request: Request<Bytes>,
    ) -> BoxFuture<'static, Result<Response<Bytes>, Undelivered>> {
        let sent = self.0.clone().send(request);
        sent.map(|reply| reply.map_err(Undelivered::from)).boxed()
    }
}

/// All metrics of a server; what they are told is sent to the collector too, where there is one.
pub(super) fn told(
    params: &config::Params,
    clock: &Arc<dyn Clock>,
    tasks: &TaskTracker,
) -> Result<(Metrics, Option<Sending>), Error> {
    let metrics = metrics(params);
    let Some(settings) = &params.otlp else {
        return Ok((metrics, None));
    };
    let unreachable = |error: crate::provider::SetupError| Error::Collector(error.to_string());
    let post = Post::new(&Transport::new(), &settings.endpoint).map_err(unreachable)?;
    let courier = Arc::new(ByPost(post));
    let clock = Arc::clone(clock);
    let (witness, sending) = otlp::open(settings, names(params), courier, clock, tasks)?;
    tracing::info!(share = settings.sample_ratio, "sending spans over OTLP");
    Ok((metrics.witnessed(witness), Some(sending)))
}

fn names(params: &config::Params) -> Names {
    let endpoints = params.catalogue.endpoints().iter();
    Names {
        teams: params.server.metrics_teams,
        endpoints: endpoints.map(|e| (e.name.clone(), target(e))).collect(),
    }
}

fn target(endpoint: &Endpoint) -> Target {
    let uri = endpoint.base_url.parse::<Uri>().ok();
    let authority = uri.as_ref().and_then(Uri::authority);
    Target {
        provider: provider(endpoint.provider.as_str()).to_owned(),
        model: endpoint.model.clone(),
        host: authority.map_or("", |a| a.host()).to_owned(),
        port: authority.and_then(|a| a.port_u16()),
    }
}

/// A dialect in the word of OpenTelemetry's conventions.
fn provider(dialect: &str) -> &str {
    match dialect {
        "azure" => "azure.ai.openai",
        "gemini" => "gcp.gemini",
        dialect => dialect,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Parameters;
    use crate::eligibility::Waits;
    use crate::id::Name;

    fn check(dialect: &str, base_url: &str, expected: (&str, &str, Option<u16>)) {
        let name = |text: &str| Name::new(text).unwrap();
        let target = target(&Endpoint {
            name: name("e"),
            arm: name("a"),
            provider: name(dialect),
            model: "m".to_owned(),
            base_url: base_url.to_owned(),
            region: None,
            zero_retention: false,
            trains: false,
            certifications: Vec::new(),
            expresses: Parameters::ALL,
            waits: Waits::default(),
            prices: Vec::new(),
        });
        let found = (&*target.provider, &*target.host, target.port);
        assert_eq!(found, expected);
    }

    #[test]
    fn an_endpoint_is_told_by_its_host_and_never_by_what_else_its_address_holds() {
        check(
            "openai",
            "https://api.openai.com/v1",
            ("openai", "api.openai.com", None),
        );
        check(
            "azure",
            "https://me:secret@h:8443/key",
            ("azure.ai.openai", "h", Some(8443)),
        );
        check(
            "gemini",
            "http://[::1]:80",
            ("gcp.gemini", "[::1]", Some(80)),
        );
        check("simulated", "", ("simulated", "", None));
    }
}
