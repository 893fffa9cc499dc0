//! `[[arms]]` and `[[endpoints]]`.

use super::fields::Fields;
use super::params::{Connection, Simulated};
use crate::chat::Parameters;
use crate::eligibility::{Arm, Catalogue, Endpoint, Error, Price, Waits};
use crate::id::Name;
use crate::provider;
use crate::unit::Timestamp;
use std::time::Duration;

/// Reads both lists. `is_set` tells whether an environment variable is.
pub(super) fn read(
    root: &Fields<'_>,
    is_set: &dyn Fn(&str) -> bool,
) -> Option<(Catalogue, Vec<Connection>)> {
    let arm_tables = root.tables("arms");
    let endpoint_tables = root.tables("endpoints");
    let arms: Vec<_> = arm_tables.iter().map(arm).collect();
    let endpoints: Vec<_> = endpoint_tables
        .iter()
        .map(|fields| endpoint(fields, is_set))
        .collect();
    // An arm or endpoint whose name could not be read must not make others look dangling.
    let whole = arms.iter().all(Option::is_some) && endpoints.iter().all(Option::is_some);
    let (endpoints, connections): (Vec<_>, Vec<_>) = endpoints.into_iter().flatten().unzip();
    let result = Catalogue::new(arms.into_iter().flatten().collect(), endpoints);
    if whole {
        let report = Lists {
            root,
            arms: &arm_tables,
            endpoints: &endpoint_tables,
        };
        let errors = result.as_ref().err().map_or(&[][..], Vec::as_slice);
        let dangling = errors.iter().any(|e| matches!(e, Error::UnknownArm { .. }));
        for error in errors {
            // An arm may lack an endpoint because the endpoint misspells it: one mistake, not two.
            if !(dangling && matches!(error, Error::NoEndpoint { .. })) {
                report.error(error);
            }
        }
    }
    for fields in arm_tables.into_iter().chain(endpoint_tables) {
        fields.done();
    }
    Some((result.ok()?, connections))
}

fn arm(fields: &Fields<'_>) -> Option<Arm> {
    let name = fields.required("name", Fields::name);
    let capabilities = fields.names("capabilities").into_iter().collect();
    let context_tokens =
        fields.required("context_tokens", |f, key| f.integer(key, 1..=100_000_000));
    let max_output_tokens = fields.integer("max_output_tokens", 1..=100_000_000);
    Some(Arm {
        name: name?,
        capabilities,
        // Stands in after a problem, so that the endpoints of this arm are not called dangling.
        context_tokens: context_tokens.unwrap_or(1),
        max_output_tokens,
    })
}

#[derive(Clone, Copy)]
enum Provider {
    Simulated,
    OpenAi,
}

fn endpoint(fields: &Fields<'_>, is_set: &dyn Fn(&str) -> bool) -> Option<(Endpoint, Connection)> {
    let name = fields.required("name", Fields::name);
    let arm = fields.required("arm", Fields::name);
    let words = [
        ("simulated", Provider::Simulated),
        ("openai", Provider::OpenAi),
    ];
    let provider = fields.required("provider", |f, key| f.choice(key, &words));
    let region = fields.name("region");
    let zero_retention = fields.flag("zero_retention").unwrap_or(false);
    // Unless the operator says otherwise, what is sent is taken to be trained on.
    let trains = fields.flag("trains_on_requests").unwrap_or(true);
    let prices = prices(fields);
    let (connection, model, base_url) = match provider {
        Some(Provider::Simulated) => {
            let model = fields.text("model").unwrap_or("simulated");
            (Connection::Simulated(simulated(fields)), model, "")
        }
        Some(Provider::OpenAi) => openai(fields, is_set),
        None => {
            fields.know(&[
                "model",
                "base_url",
                "api_key_env",
                "latency_ms",
                "output_tokens",
                "error_rate",
                "answer",
            ]);
            (Connection::OpenAi { api_key_env: None }, "", "")
        }
    };
    let (dialect, expresses) = match connection {
        Connection::Simulated(_) => ("simulated", Parameters::ALL),
        Connection::OpenAi { .. } => ("openai", provider::OPENAI_PARAMETERS),
    };
    let endpoint = Endpoint {
        name: name?,
        arm: arm?,
        provider: Name::new(dialect).ok()?,
        model: model.to_owned(),
        base_url: base_url.to_owned(),
        region,
        zero_retention,
        trains,
        expresses,
        waits: waits(fields),
        prices,
    };
    Some((endpoint, connection))
}

fn waits(fields: &Fields<'_>) -> Waits {
    let defaults = Waits::default();
    let ms = |key, default: Duration| {
        let said = fields.integer(key, 1..=3_600_000);
        said.map_or(default, |ms| Duration::from_millis(u64::from(ms)))
    };
    Waits {
        connect: ms("connect_timeout_ms", defaults.connect),
        first_token: ms("first_token_timeout_ms", defaults.first_token),
        idle: ms("idle_timeout_ms", defaults.idle),
        total: ms("total_timeout_ms", defaults.total),
    }
}

fn simulated(fields: &Fields<'_>) -> Simulated {
    let latency = fields.number("latency_ms", "0 to 600000", |ms| {
        (0.0..=600_000.0).contains(&ms)
    });
    let errors = fields.number("error_rate", "0 to 1", |p| (0.0..=1.0).contains(&p));
    Simulated {
        latency_ms: latency.unwrap_or(0.0),
        output_tokens: fields.integer("output_tokens", 0..=1_000_000).unwrap_or(64),
        error_rate: errors.unwrap_or(0.0),
        answer: fields.text("answer").map(str::to_owned),
    }
}

fn openai<'a>(
    fields: &Fields<'a>,
    is_set: &dyn Fn(&str) -> bool,
) -> (Connection, &'a str, &'a str) {
    let model = fields.required("model", Fields::text).unwrap_or("");
    let base_url = fields.required("base_url", Fields::text).unwrap_or("");
    let host = base_url
        .strip_prefix("https://")
        .or_else(|| base_url.strip_prefix("http://"));
    if fields.has("base_url") && host.is_none_or(str::is_empty) {
        let allowed = "an address that begins with https:// or http://";
        fields.problem("base_url", "not an address", allowed);
    }
    let api_key_env = fields.text("api_key_env");
    if api_key_env.is_some_and(|variable| !is_set(variable)) {
        let allowed = "the name of an environment variable that is set";
        // Not shown: someone may have put the key itself here.
        fields.secret_problem("api_key_env", "names a variable that is not set", allowed);
    }
    let api_key_env = api_key_env.map(str::to_owned);
    (Connection::OpenAi { api_key_env }, model, base_url)
}

fn prices(endpoint: &Fields<'_>) -> Vec<Price> {
    let tables = endpoint.required("prices", |f, key| Some(f.tables(key)));
    let mut prices = Vec::new();
    for fields in tables.unwrap_or_default() {
        let from = fields.date("from");
        let usd = |key| fields.number(key, "0 to 1000000", |usd| (0.0..=1e6).contains(&usd));
        let input = fields.required("input_usd_per_million", |_, key| usd(key));
        let cached = usd("cached_input_usd_per_million");
        let written = usd("cache_write_usd_per_million");
        let output = fields.required("output_usd_per_million", |_, key| usd(key));
        if let (Some(input), Some(output)) = (input, output) {
            prices.push(Price {
                from: from.unwrap_or(Timestamp::from_micros(0)),
                input,
                cached_input: cached.unwrap_or(input),
                cache_write: written.unwrap_or(input),
                output,
            });
        }
        fields.done();
    }
    prices
}

/// The names of all arms, to be offered in a problem.
pub(super) fn arm_names(catalogue: &Catalogue) -> String {
    let names: Vec<_> = catalogue.arms().iter().map(|a| a.name.as_str()).collect();
    names.join(", ")
}

/// The lists as written, to say where an error of the catalogue stands.
struct Lists<'a> {
    root: &'a Fields<'a>,
    arms: &'a [Fields<'a>],
    endpoints: &'a [Fields<'a>],
}

impl Lists<'_> {
    fn error(&self, error: &Error) {
        match error {
            Error::NoArm => self
                .root
                .problem("arms", "is required", "at least one [[arms]]"),
            Error::ArmTwice { arm } => repeated(self.arms, arm),
            Error::EndpointTwice { endpoint } => repeated(self.endpoints, endpoint),
            Error::NoEndpoint { arm } => {
                let allowed = "at least one [[endpoints]] that names it";
                first(self.arms, arm, |f| {
                    f.problem("name", "has no endpoint", allowed)
                });
            }
            Error::UnknownArm { endpoint, .. } => {
                let arms = self.arms.iter().filter_map(|f| f.text("name"));
                let allowed = arms.collect::<Vec<_>>().join(", ");
                first(self.endpoints, endpoint, |f| {
                    f.problem("arm", "no such arm", allowed.clone());
                });
            }
            Error::PriceOrder { endpoint } => {
                let allowed = "ascending `from`, each date once";
                first(self.endpoints, endpoint, |f| {
                    f.secret_problem("prices", "out of order", allowed);
                });
            }
            Error::Capabilities { .. } | Error::Price { .. } => {
                self.root.secret_problem("arms", &error.to_string(), "");
            }
        }
    }
}

/// Applies `report` to the first table of that name.
fn first(tables: &[Fields<'_>], name: &Name, report: impl FnOnce(&Fields<'_>)) {
    let mut named = tables
        .iter()
        .filter(|f| f.text("name") == Some(name.as_str()));
    if let Some(fields) = named.next() {
        report(fields);
    }
}

/// Reports the second table of that name.
fn repeated(tables: &[Fields<'_>], name: &Name) {
    let mut named = tables
        .iter()
        .filter(|f| f.text("name") == Some(name.as_str()));
    if let Some(fields) = named.nth(1) {
        fields.problem("name", "used twice", "a name of its own");
    }
}
