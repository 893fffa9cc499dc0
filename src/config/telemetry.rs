//! `[telemetry]`: where spans and events of feedback are sent.
//!
//! Invariants: a build that cannot send refuses to be asked to; an address holds no password, which would stand in the
//! file and in problems.
//!
//! Not here: the metrics' address (`[server] metrics_listen`), headers for the collector, which may hold a secret: the
//! exporter reads them in the environment (`OTEL_EXPORTER_OTLP_HEADERS`).

use super::fields::Fields;
use crate::telemetry::otlp::{self, Settings};
use std::time::Duration;

const ADDRESS: &str = "http://HOST[:PORT][/PATH] or https://..., as in http://localhost:4318";

/// How long a batch may take that no time is stated for.
const TIMEOUT_MS: u32 = 10_000;

/// Reads the section; `None`: nothing is sent.
pub(super) fn read(root: &Fields<'_>) -> Option<Settings> {
    let fields = root.table("telemetry")?;
    let endpoint = fields.required("otlp_endpoint", address);
    let timeout = fields.integer("otlp_timeout_ms", 100..=60_000);
    let ratio = fields.number("otlp_sample_ratio", "0 to 1", |v| (0.0..=1.0).contains(&v));
    let service_name = fields.name("otlp_service_name");
    if !otlp::BUILT && fields.has("otlp_endpoint") {
        let problem = "this build cannot send over OTLP";
        let allowed = "a build with `--features otlp`, or no [telemetry]";
        fields.secret_problem("otlp_endpoint", problem, allowed);
    }
    fields.done();
    Some(Settings {
        endpoint: endpoint?,
        timeout: Duration::from_millis(timeout.unwrap_or(TIMEOUT_MS).into()),
        sample_ratio: ratio.unwrap_or(1.0),
        service_name,
    })
}

fn address(fields: &Fields<'_>, key: &'static str) -> Option<String> {
    let text = fields.text(key)?;
    if text.contains(['@', '?', '#']) {
        let problem = "holds more than an address";
        fields.secret_problem(key, problem, ADDRESS);
        return None;
    }
    let uri = text.parse::<::http::Uri>().ok();
    let fits = |uri: &::http::Uri| matches!(uri.scheme_str(), Some("http" | "https"));
    if !uri.as_ref().is_some_and(fits) {
        fields.problem(key, "not an address", ADDRESS);
        return None;
    }
    Some(text.to_owned())
}
