//! One of `[[endpoints]]`: where it is, in which dialect it is spoken to, what it takes and what it costs.
//!
//! Invariants: a key that a dialect does not have is no field of its endpoints.
//!
//! Not here: whether its arm exists (`catalogue`), the dialects (`provider`).

use super::fields::Fields;
use super::params::{Connection, Simulated};
use crate::chat::{Parameter, Parameters};
use crate::eligibility::{Endpoint, Price, Waits};
use crate::id::Name;
use crate::provider::{
    self, AnthropicSettings, AnthropicThinking, GeminiSettings, GeminiThinking, OutputLimit,
};
use crate::unit::Timestamp;
use std::time::Duration;

/// The dialects.
#[derive(Clone, Copy)]
enum Dialect {
    Simulated,
    OpenAi,
    Azure,
    Anthropic,
    Gemini,
}

impl Dialect {
    const ALL: [(&'static str, Self); 5] = [
        ("simulated", Self::Simulated),
        ("openai", Self::OpenAi),
        ("azure", Self::Azure),
        ("anthropic", Self::Anthropic),
        ("gemini", Self::Gemini),
    ];

    /// Its name, and what it can express.
    const fn of(connection: &Connection) -> (&'static str, Parameters) {
        match connection {
            Connection::Simulated(_) => ("simulated", Parameters::ALL),
            Connection::OpenAi { .. } => ("openai", provider::OPENAI_PARAMETERS),
            Connection::Azure { .. } => ("azure", provider::OPENAI_PARAMETERS),
            Connection::Anthropic { .. } => ("anthropic", provider::ANTHROPIC_PARAMETERS),
            Connection::Gemini { .. } => ("gemini", provider::GEMINI_PARAMETERS),
        }
    }
}

/// What one dialect's fields say: how it is reached, the model and the address.
type Reached<'a> = (Connection, &'a str, &'a str);

/// Reads one. `is_set` tells whether an environment variable is.
pub(super) fn endpoint(
    fields: &Fields<'_>,
    is_set: &dyn Fn(&str) -> bool,
) -> Option<(Endpoint, Connection)> {
    let name = fields.required("name", Fields::name);
    let arm = fields.required("arm", Fields::name);
    let dialect = fields.required("provider", |f, key| f.choice(key, &Dialect::ALL));
    let region = fields.name("region");
    let zero_retention = fields.flag("zero_retention").unwrap_or(false);
    // Unless the operator says otherwise, what is sent is taken to be trained on.
    let trains = fields.flag("trains_on_requests").unwrap_or(true);
    let certifications = fields.names("certifications");
    let (refused, waits) = (refused(fields), waits(fields));
    let prices = prices(fields);
    let (connection, model, base_url) = match dialect {
        Some(Dialect::Simulated) => {
            let model = fields.text("model").unwrap_or("simulated");
            (Connection::Simulated(simulated(fields)), model, "")
        }
        Some(Dialect::OpenAi) => openai(fields, is_set),
        Some(Dialect::Azure) => azure(fields, is_set),
        Some(Dialect::Anthropic) => anthropic(fields, is_set),
        Some(Dialect::Gemini) => gemini(fields, is_set),
        None => unknown(fields),
    };
    let (dialect, expresses) = Dialect::of(&connection);
    let endpoint = Endpoint {
        name: name?,
        arm: arm?,
        provider: Name::new(dialect).ok()?,
        model: model.to_owned(),
        base_url: base_url.to_owned(),
        region,
        zero_retention,
        trains,
        certifications,
        expresses: expresses.without(refused),
        waits,
        prices,
    };
    Some((endpoint, connection))
}

/// Stands in where the dialect is not known: every dialect's fields may be right.
fn unknown<'a>(fields: &Fields<'a>) -> Reached<'a> {
    fields.know(&["model", "base_url", "api_key_env", "api_version"]);
    fields.know(&["output_limit", "thinking"]);
    fields.know(&["latency_ms", "output_tokens", "error_rate", "answer"]);
    (Connection::Simulated(Simulated::default()), "", "")
}

/// The parameters that the endpoint's model does not take, though its dialect can express them.
fn refused(fields: &Fields<'_>) -> Parameters {
    let allowed = Parameter::ALL.map(Parameter::as_str).join(", ");
    let named = fields.list("refuses", &allowed, |text| {
        let mut all = Parameter::ALL.into_iter();
        all.find(|parameter| parameter.as_str() == text)
    });
    let none = Parameters::default();
    named.into_iter().fold(none, Parameters::with)
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

fn openai<'a>(fields: &Fields<'a>, is_set: &dyn Fn(&str) -> bool) -> Reached<'a> {
    let model = model(fields);
    let base_url = fields.required("base_url", address).unwrap_or("");
    let connection = Connection::OpenAi {
        api_key_env: api_key_env(fields, is_set),
        output_limit: output_limit(fields),
    };
    (connection, model, base_url)
}

fn azure<'a>(fields: &Fields<'a>, is_set: &dyn Fn(&str) -> bool) -> Reached<'a> {
    let model = model(fields);
    let base_url = fields.required("base_url", address).unwrap_or("");
    let version = fields.required("api_version", |f, key| {
        let allowed = "a version of the API such as \"2024-10-21\"";
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-';
        f.parse(key, allowed, |text| {
            (!text.is_empty() && text.chars().all(plain)).then(|| text.to_owned())
        })
    });
    let connection = Connection::Azure {
        api_key_env: api_key_env(fields, is_set),
        output_limit: output_limit(fields),
        api_version: version.unwrap_or_default(),
    };
    (connection, model, base_url)
}

fn anthropic<'a>(fields: &Fields<'a>, is_set: &dyn Fn(&str) -> bool) -> Reached<'a> {
    let words = [
        ("budget", AnthropicThinking::Budget),
        ("adaptive", AnthropicThinking::Adaptive),
    ];
    let model = model(fields);
    let base_url = address(fields, "base_url").unwrap_or(AnthropicSettings::BASE_URL);
    let connection = Connection::Anthropic {
        api_key_env: api_key_env(fields, is_set),
        thinking: fields.choice("thinking", &words).unwrap_or_default(),
    };
    (connection, model, base_url)
}

fn gemini<'a>(fields: &Fields<'a>, is_set: &dyn Fn(&str) -> bool) -> Reached<'a> {
    let words = [
        ("budget", GeminiThinking::Budget),
        ("level", GeminiThinking::Level),
    ];
    let model = model(fields);
    let base_url = address(fields, "base_url").unwrap_or(GeminiSettings::BASE_URL);
    let connection = Connection::Gemini {
        api_key_env: api_key_env(fields, is_set),
        thinking: fields.choice("thinking", &words).unwrap_or_default(),
    };
    (connection, model, base_url)
}

fn model<'a>(fields: &Fields<'a>) -> &'a str {
    fields.required("model", Fields::text).unwrap_or("")
}

/// The address of an API.
fn address<'a>(fields: &Fields<'a>, key: &'static str) -> Option<&'a str> {
    let url = fields.text(key)?;
    let host = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    if host.is_none_or(str::is_empty) {
        let allowed = "an address that begins with https:// or http://";
        fields.problem(key, "not an address", allowed);
    }
    Some(url)
}

fn api_key_env(fields: &Fields<'_>, is_set: &dyn Fn(&str) -> bool) -> Option<String> {
    let api_key_env = fields.text("api_key_env")?;
    if !is_set(api_key_env) {
        let allowed = "the name of an environment variable that is set";
        // Not shown: someone may have put the key itself here.
        fields.secret_problem("api_key_env", "names a variable that is not set", allowed);
    }
    Some(api_key_env.to_owned())
}

/// Which field carries the output limit.
fn output_limit(fields: &Fields<'_>) -> OutputLimit {
    let words = [
        ("max_completion_tokens", OutputLimit::MaxCompletionTokens),
        ("max_tokens", OutputLimit::MaxTokens),
    ];
    fields.choice("output_limit", &words).unwrap_or_default()
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
