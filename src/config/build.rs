//! The whole file: reads it, reads its sections, and lets them check each other.

use super::fields::Fields;
use super::key::{self, KeyBudgets, Known};
use super::limits::KeyQuotas;
use super::params::{Durability, Params, Server, Store};
use super::problem::Problem;
use super::report::Report;
use super::{budget, catalogue, listening, team, telemetry};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 7431);
const MIB: u32 = 1 << 20;

/// Reads and checks the configuration at `path` and the scorecards it names.
pub fn load(path: &Path) -> Result<Params, Vec<Problem>> {
    let text = read_text(path)?;
    parse(path, &text, &|variable| {
        std::env::var_os(variable).is_some_and(|value| !value.is_empty())
    })
}

/// The text of a file.
pub(super) fn read_text(path: &Path) -> Result<String, Vec<Problem>> {
    std::fs::read_to_string(path).map_err(|error| {
        vec![Problem {
            file: PathBuf::from(path),
            line: None,
            path: String::new(),
            value: None,
            problem: format!("cannot be read: {error}"),
            allowed: String::new(),
        }]
    })
}

/// Checks the configuration `text` of the file `path`; `is_set` tells whether an environment variable is.
fn parse(path: &Path, text: &str, is_set: &dyn Fn(&str) -> bool) -> Result<Params, Vec<Problem>> {
    let report = Report::new(path, text);
    let dir = path.parent().unwrap_or(Path::new(""));
    let mut others = Vec::new();
    let params = report.parse().and_then(|document| {
        let root = report.root(&document);
        let params = read(&root, dir, is_set, &mut others);
        root.done();
        params
    });
    report.extend(others);
    let problems = report.problems();
    match params {
        Some(params) if problems.is_empty() => Ok(params),
        _ => Err(problems),
    }
}

fn read(
    root: &Fields<'_>,
    dir: &Path,
    is_set: &dyn Fn(&str) -> bool,
    problems: &mut Vec<Problem>,
) -> Option<Params> {
    let otlp = telemetry::read(root);
    let server_table = root.table("server");
    let server = server(server_table.as_ref(), root, dir);
    let store = root
        .required("store", |f, key| f.table(key))
        .map(|f| store(f, dir));
    let catalogue = catalogue::read(root, is_set);
    let teams = team::read(root, dir, catalogue.as_ref().map(|(c, _)| c), problems);
    let known = Known {
        teams: &teams.names,
        catalogue: catalogue.as_ref().map(|(c, _)| c),
    };
    let (organisation, organisation_quota) = budget::of_organisation(root);
    let (mut key_budgets, mut key_quotas) = (KeyBudgets::new(), KeyQuotas::new());
    let table = server_table.as_ref();
    let of_keys = (&mut key_budgets, &mut key_quotas);
    let keys = key::read(root, table, &server, &known, of_keys);
    if let Some(table) = server_table {
        table.know(&["open"]);
        table.done();
    }
    let (catalogue, connections) = catalogue?;
    Some(Params {
        server,
        otlp,
        store: store??,
        catalogue,
        connections,
        teams: teams.valid,
        keys: keys?,
        organisation,
        key_budgets,
        organisation_quota,
        key_quotas,
    })
}

fn server(fields: Option<&Fields<'_>>, root: &Fields<'_>, dir: &Path) -> Server {
    let address = "an address with a port, as in 127.0.0.1:7431";
    let listen = fields.and_then(|f| f.parse("listen", address, |text| text.parse().ok()));
    let of_http = "an address with a port, as in 127.0.0.1:7432";
    let http_listen = fields.and_then(|f| f.parse("http_listen", of_http, |t| t.parse().ok()));
    let of_admin = "an address with a port, as in 127.0.0.1:7433";
    let admin_listen = fields.and_then(|f| f.parse("admin_listen", of_admin, |t| t.parse().ok()));
    let patience = fields.and_then(|f| f.integer("http_patience_s", 1..=600));
    let of_metrics = "an address with a port, as in 127.0.0.1:9464";
    let metrics_listen =
        fields.and_then(|f| f.parse("metrics_listen", of_metrics, |t| t.parse().ok()));
    let metrics_teams = fields.and_then(|f| f.flag("metrics_teams"));
    let told = |f: &Fields<'_>| f.has("metrics_listen") || root.has("telemetry");
    if let Some(fields) = fields.filter(|f| f.has("metrics_teams") && !told(f)) {
        let allowed = "with `metrics_listen` or `[telemetry]`";
        fields.problem("metrics_teams", "stands alone", allowed);
    }
    let mib = fields.and_then(|f| f.integer("max_message_mib", 1..=64));
    let server = Server {
        listen: listen.unwrap_or(DEFAULT_LISTEN),
        http_listen,
        http_patience: Duration::from_secs(patience.unwrap_or(30).into()),
        admin_listen,
        metrics_listen,
        metrics_teams: metrics_teams.unwrap_or(false),
        max_message_bytes: (mib.unwrap_or(8) * MIB) as usize,
        tls: fields.and_then(|f| listening::tls(f, dir)),
    };
    if let Some(fields) = fields {
        listening::boundaries(fields, &server);
    }
    server
}

fn store(fields: Fields<'_>, dir: &Path) -> Option<Store> {
    let words = [("group", Durability::Group), ("sync", Durability::Sync)];
    let path = fields.required("dir", Fields::text);
    let durability = fields.choice("durability", &words);
    let mib = fields.integer("segment_mib", 1..=1024);
    fields.done();
    Some(Store {
        dir: dir.join(path?),
        durability: durability.unwrap_or(Durability::Group),
        segment_bytes: u64::from(mib.unwrap_or(64)) * u64::from(MIB),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::budget::{Refill, Window};
    use crate::config::{Connection, Recording, render};
    use crate::id::Name;
    use crate::learn::Pooling;
    use crate::provider::{AnthropicThinking, GeminiThinking, OutputLimit};
    use crate::route::Fallbacks;
    use crate::unit::NanoUsd;

    const CODING: &str = include_str!("../../evals/scorecards/coding.toml");

    /// SHA-256 of "abc".
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

    /// Nearly every field, none of them as its default.
    const WHOLE: &str = r#"[server]
listen = "[::1]:9000"
max_message_mib = 16

[store]
dir = "state"
durability = "sync"
segment_mib = 128

[[teams]]
name = "coding"
scorecard = "coding.toml"
policy = "square-cb:gamma=2,schedule=sqrt"
explore_floor = 0.05
recording = "full"
data_policy = { regions = ["eu"], zero_retention = true, no_training = true }

[[keys]]
name = "ci"
sha256 = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
team = "coding"
scopes = ["route", "feedback"]
arms = ["large"]

[[arms]]
name = "large"
capabilities = ["tools", "vision"]
context_tokens = 200_000
max_output_tokens = 8192

[[arms]]
name = "small"
context_tokens = 8192

[[endpoints]]
name = "large-eu"
arm = "large"
provider = "openai"
model = "large-2026"
base_url = "https://example.org/v1"
api_key_env = "LARGE_KEY"
region = "eu"
zero_retention = true
trains_on_requests = false

[[endpoints.prices]]
from = 2026-01-01
input_usd_per_million = 3
cached_input_usd_per_million = 0.3
output_usd_per_million = 15.0

[[endpoints.prices]]
from = "2026-07-01"
input_usd_per_million = 2.5
output_usd_per_million = 10

[[endpoints]]
name = "small-sim"
arm = "small"
provider = "simulated"
latency_ms = 5
output_tokens = 20
error_rate = 0.25
answer = "yes"

[[endpoints.prices]]
input_usd_per_million = 0.1
output_usd_per_million = 0.4
"#;

    /// As little as will do.
    const LEAST: &str = r#"[server]
open = true
[store]
dir = "state"
[[teams]]
name = "default"
scorecard = "coding.toml"
[[arms]]
name = "a"
context_tokens = 1000
[[endpoints]]
name = "e"
arm = "a"
provider = "simulated"
prices = [{ input_usd_per_million = 1, output_usd_per_million = 2 }]
"#;

    /// Loads `text` from a folder that holds the coding scorecard, with `LARGE_KEY` in the environment.
    fn loaded(text: &str) -> Result<Params, Vec<Problem>> {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("coding.toml"), CODING).unwrap();
        let path = dir.path().join("bellwether.toml");
        parse(&path, text, &|variable| variable == "LARGE_KEY").map_err(|mut problems| {
            for problem in &mut problems {
                problem.file = problem.file.file_name().unwrap().into();
            }
            problems
        })
    }

    fn problems(text: &str) -> String {
        render(&loaded(text).unwrap_err())
    }

    /// WHOLE with `from` replaced by `to` has exactly this problem.
    fn check(from: &str, to: &str, expected: &str) {
        assert!(WHOLE.contains(from), "{from}");
        let found = problems(&WHOLE.replacen(from, to, 1));
        assert_eq!(found, format!("1 problem:\n  bellwether.toml:{expected}\n"));
    }

    #[test]
    fn every_field_reaches_the_parameters() {
        let budget = "budget = { request_usd = 0.002, limit_usd = 50, per = \"month\" }\n\
            pooling = \"give\"\n";
        let whole = WHOLE.replacen("data_policy", &format!("{budget}data_policy"), 1);
        let params = loaded(&whole).unwrap();
        assert_eq!(params.server.listen.to_string(), "[::1]:9000");
        assert_eq!(params.server.max_message_bytes, 16 << 20);
        assert!(params.store.dir.ends_with("state"));
        assert_eq!(params.store.durability, Durability::Sync);
        assert_eq!(params.store.segment_bytes, 128 << 20);
        let team = &params.teams[0];
        assert_eq!(team.policy.to_string(), "square-cb:gamma=2,schedule=sqrt");
        assert_eq!(team.explore_floor, 0.05);
        assert_eq!(team.recording, Recording::Full);
        assert_eq!(team.pooling, Pooling::Give);
        assert_eq!(team.scorecard.definition().name.as_str(), "coding");
        assert_eq!(team.scorecard_text, CODING);
        let budget = team.budget.unwrap();
        assert_eq!(budget.request_usd, Some(0.002));
        let limit = budget.limit.unwrap();
        assert_eq!(limit.usd.get(), 50_000_000_000);
        assert_eq!(limit.refill, Refill::Calendar(Window::Month));
        let policy = &team.data_policy;
        assert_eq!(policy.regions.len(), 1);
        assert!(policy.zero_retention && policy.no_training);
        let grant = params.keys.grant(Some("abc")).unwrap();
        assert_eq!((grant.key.as_str(), grant.team.as_str()), ("ci", "coding"));
        assert_eq!(
            (grant.scopes.len(), grant.arms.as_ref().unwrap().len()),
            (2, 1)
        );
        let arm = &params.catalogue.arms()[0];
        assert_eq!(
            (arm.context_tokens, arm.max_output_tokens),
            (200_000, Some(8192))
        );
        assert_eq!(arm.capabilities.len(), 2);
    }

    #[test]
    fn what_a_teams_class_demands_is_added_to_its_policy() {
        let classes = "[[data_classes]]\nname = \"patient\"\nregions = [\"ch\", \"eu\"]\ncertifications = [\"iso\"]\n\
            [[data_classes]]\nname = \"public\"\n[[data_classes]]\nname = \"american\"\nregions = [\"us\"]\n[[teams]]";
        let of = |class: &str| {
            let classed = format!("data_class = \"{class}\"\ndata_policy");
            let whole = WHOLE.replacen("data_policy", &classed, 1);
            whole.replacen("[[teams]]", classes, 1)
        };
        let params = loaded(&of("patient")).unwrap();
        let policy = &params.teams[0].data_policy;
        let texts = |names: &[Name]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(&policy.regions), ["eu"]);
        assert_eq!(texts(&policy.certifications), ["iso"]);
        assert!(policy.zero_retention && policy.no_training);
        assert_eq!(params.teams[0].data_classes.len(), 3);
        let place = |class, problem| {
            format!(
                "1 problem:\n  bellwether.toml:25: teams[0].data_class = \"{class}\": {problem}\n"
            )
        };
        let none = "leaves no region; allowed one that has a region of the team's data_policy";
        assert_eq!(problems(&of("american")), place("american", none));
        let unknown = "no such class; allowed american, patient, public";
        assert_eq!(problems(&of("secret")), place("secret", unknown));
    }

    #[test]
    fn endpoints_come_with_their_prices_and_connections() {
        let params = loaded(WHOLE).unwrap();
        let [large, small] = params.catalogue.endpoints() else {
            panic!("two endpoints");
        };
        assert_eq!(
            (large.provider.as_str(), small.provider.as_str()),
            ("openai", "simulated")
        );
        assert_eq!((large.zero_retention, large.trains), (true, false));
        assert_eq!((small.zero_retention, small.trains), (false, true));
        let inputs: Vec<_> = large
            .prices
            .iter()
            .map(|p| (p.input, p.cached_input))
            .collect();
        assert_eq!(inputs, [(3.0, 0.3), (2.5, 2.5)]);
        let from: Vec<_> = large
            .prices
            .iter()
            .map(|p| p.from.micros() / 86_400_000_000)
            .collect();
        assert_eq!(from, [20_454, 20_635]);
        let [
            Connection::OpenAi {
                api_key_env,
                output_limit,
            },
            Connection::Simulated(simulated),
        ] = params.connections.as_slice()
        else {
            panic!("one of each");
        };
        assert_eq!(api_key_env.as_deref(), Some("LARGE_KEY"));
        assert_eq!(*output_limit, OutputLimit::MaxCompletionTokens);
        assert_eq!(large.expresses, crate::provider::OPENAI_PARAMETERS);
        assert_eq!((simulated.latency_ms, simulated.output_tokens), (5.0, 20));
        assert_eq!(
            (simulated.error_rate, simulated.answer.as_deref()),
            (0.25, Some("yes"))
        );
    }

    /// WHOLE with the first endpoint in another dialect.
    fn in_dialect(fields: &str) -> String {
        WHOLE
            .replace("provider = \"openai\"\n", fields)
            .replace("base_url = \"https://example.org/v1\"\n", "")
    }

    #[test]
    fn every_dialect_has_its_connection_and_its_own_address() {
        let reached = |fields: &str| {
            let params = loaded(&in_dialect(fields)).unwrap();
            let endpoint = &params.catalogue.endpoints()[0];
            let said = (
                endpoint.provider.as_str().to_owned(),
                endpoint.base_url.clone(),
            );
            assert_eq!(endpoint.model, "large-2026");
            (said, endpoint.expresses, params.connections[0].clone())
        };
        let api_key_env = Some("LARGE_KEY".to_owned());
        let (said, expresses, connection) = reached("provider = \"anthropic\"\n");
        assert_eq!(
            said,
            ("anthropic".into(), "https://api.anthropic.com".into())
        );
        assert_eq!(expresses, crate::provider::ANTHROPIC_PARAMETERS);
        let thinking = AnthropicThinking::Budget;
        let expected = Connection::Anthropic {
            api_key_env: api_key_env.clone(),
            thinking,
        };
        assert_eq!(connection, expected);
        let (said, expresses, connection) =
            reached("provider = \"gemini\"\nthinking = \"level\"\n");
        let address = "https://generativelanguage.googleapis.com";
        assert_eq!(said, ("gemini".into(), address.into()));
        assert_eq!(expresses, crate::provider::GEMINI_PARAMETERS);
        let thinking = GeminiThinking::Level;
        let expected = Connection::Gemini {
            api_key_env: api_key_env.clone(),
            thinking,
        };
        assert_eq!(connection, expected);
        let azure = "provider = \"azure\"\nbase_url = \"https://me.example.org\"\n\
            api_version = \"2024-10-21\"\noutput_limit = \"max_tokens\"\n";
        let (said, expresses, connection) = reached(azure);
        assert_eq!(said, ("azure".into(), "https://me.example.org".into()));
        assert_eq!(expresses, crate::provider::OPENAI_PARAMETERS);
        let expected = Connection::Azure {
            api_key_env,
            output_limit: OutputLimit::MaxTokens,
            api_version: "2024-10-21".into(),
        };
        assert_eq!(connection, expected);
    }

    #[test]
    fn an_address_of_ones_own_and_a_models_limits_are_taken() {
        let fields = "provider = \"anthropic\"\nthinking = \"adaptive\"\n\
            base_url = \"http://localhost:1\"\nrefuses = [\"temperature\", \"top_p\"]\n";
        let params = loaded(&in_dialect(fields)).unwrap();
        let endpoint = &params.catalogue.endpoints()[0];
        assert_eq!(endpoint.base_url, "http://localhost:1");
        let lost = crate::provider::ANTHROPIC_PARAMETERS.without(endpoint.expresses);
        assert_eq!(lost.to_string(), "temperature, top_p");
        let Connection::Anthropic { thinking, .. } = params.connections[0] else {
            panic!("Anthropic");
        };
        assert_eq!(thinking, AnthropicThinking::Adaptive);
    }

    #[test]
    fn a_field_of_a_dialect_says_what_it_takes() {
        let found = |fields: &str, expected: &str| {
            let found = problems(&in_dialect(fields));
            assert_eq!(found, format!("1 problem:\n  bellwether.toml:{expected}\n"));
        };
        check(
            "provider = \"openai\"",
            "provider = \"openay\"",
            "38: endpoints[0].provider = \"openay\": not understood; allowed \"simulated\", \"openai\", \"azure\", \"anthropic\", \"gemini\"",
        );
        check(
            "provider = \"openai\"",
            "output_limit = \"most\"\nprovider = \"openai\"",
            "38: endpoints[0].output_limit = \"most\": not understood; allowed \"max_completion_tokens\", \"max_tokens\"",
        );
        check(
            "provider = \"openai\"",
            "refuses = [\"top_q\"]\nprovider = \"openai\"",
            "38: endpoints[0].refuses[0] = \"top_q\": not understood; allowed temperature, top_p, stop, seed, presence_penalty, frequency_penalty, reasoning_effort, tool_choice, parallel_tool_calls, extra parameters, input_audio, file",
        );
        found(
            "provider = \"anthropic\"\nthinking = \"level\"\n",
            "39: endpoints[0].thinking = \"level\": not understood; allowed \"budget\", \"adaptive\"",
        );
        found(
            "provider = \"gemini\"\nthinking = \"adaptive\"\n",
            "39: endpoints[0].thinking = \"adaptive\": not understood; allowed \"budget\", \"level\"",
        );
        found(
            "provider = \"gemini\"\nbase_url = \"example.org\"\n",
            "39: endpoints[0].base_url = \"example.org\": not an address; allowed an address that begins with https:// or http://",
        );
        found(
            "provider = \"azure\"\nbase_url = \"https://me.example.org\"\n",
            "35: endpoints[0].api_version: is required",
        );
        found(
            "provider = \"azure\"\nbase_url = \"https://me.example.org\"\napi_version = \"a b\"\n",
            "40: endpoints[0].api_version = \"a b\": not understood; allowed a version of the API such as \"2024-10-21\"",
        );
        let other = problems(&in_dialect("provider = \"gemini\"\napi_version = \"v1\"\n"));
        assert!(
            other.contains("endpoints[0].api_version: is not a field"),
            "{other}"
        );
    }

    #[test]
    fn what_is_left_out_has_its_default() {
        let params = loaded(LEAST).unwrap();
        assert_eq!(params.server.listen, DEFAULT_LISTEN);
        assert_eq!(params.server.max_message_bytes, 8 << 20);
        assert_eq!(params.store.durability, Durability::Group);
        assert_eq!(params.store.segment_bytes, 64 << 20);
        let team = &params.teams[0];
        assert_eq!(
            team.policy.to_string(),
            "linear-thompson:v=0.3,half=1000,each=100"
        );
        assert_eq!(team.explore_floor, 0.02);
        assert_eq!(team.recording, Recording::Features);
        assert_eq!(team.pooling, Pooling::None);
        assert!(params.keys.is_open());
        assert_eq!(params.keys.grant(None).unwrap().team.as_str(), "default");
        let endpoint = &params.catalogue.endpoints()[0];
        assert_eq!(endpoint.prices[0].from.micros(), 0);
    }

    #[test]
    fn five_mistakes_are_five_problems_in_one_go() {
        let text = WHOLE
            .replace("max_message_mib = 16", "max_mesage_mib = 16")
            .replace("explore_floor = 0.05", "explore_floor = 0.5")
            .replace(ABC, "my-secret-key")
            .replace("context_tokens = 8192", "context_tokens = \"8192\"")
            .replace("arm = \"small\"", "arm = \"smal\"");
        assert_eq!(
            problems(&text),
            "\
5 problems:
  bellwether.toml:3: server.max_mesage_mib: is not a field; allowed listen, http_listen, admin_listen, http_patience_s, metrics_listen, metrics_teams, max_message_mib, tls, allow_plaintext, open
  bellwether.toml:14: teams[0].explore_floor = 0.5: out of range; allowed 0 to 0.1
  bellwether.toml:20: keys[0].sha256: not a SHA-256; allowed 64 hexadecimal digits, as `printf %s KEY | sha256sum` gives
  bellwether.toml:33: arms[1].context_tokens = \"8192\": wrong type; allowed a whole number, 1 to 100000000
  bellwether.toml:59: endpoints[1].arm = \"smal\": no such arm; allowed large, small
"
        );
    }

    #[test]
    fn what_is_missing_is_named_where_it_should_stand() {
        assert_eq!(
            problems(""),
            "\
4 problems:
  bellwether.toml: store: is required
  bellwether.toml: arms: is required; allowed at least one [[arms]]
  bellwether.toml: teams: is required
  bellwether.toml: keys: is required; allowed at least one [[keys]], or [server] open = true on a loopback address
"
        );
        check("dir = \"state\"\n", "", "5: store.dir: is required");
        check(
            "context_tokens = 8192\n",
            "",
            "31: arms[1].context_tokens: is required",
        );
        check(
            "base_url = \"https://example.org/v1\"\n",
            "",
            "35: endpoints[0].base_url: is required",
        );
    }

    #[test]
    fn broken_syntax_is_reported_alone_with_its_line() {
        let found = loaded("[server\nlisten = 1\n").unwrap_err();
        assert!(
            found.iter().all(|p| p.problem.starts_with("not TOML: ")),
            "{found:?}"
        );
        assert_eq!(found[0].line, Some(1));
    }

    #[test]
    fn a_key_may_be_bound_to_endpoints_tasks_networks_and_a_time() {
        let arms = "arms = [\"large\"]";
        let more = "endpoints = [\"large-eu\"]\ntasks = [\"fix\", \"review\"]\n\
                    networks = [\"10.0.0.0/8\", \"::1\"]\nexpires = 2027-01-01";
        let params = loaded(&WHOLE.replacen(arms, more, 1)).unwrap();
        let grant = params.keys.grant(Some("abc")).unwrap();
        let bounds = &grant.bounds;
        let count =
            |names: &Option<std::collections::BTreeSet<Name>>| names.as_ref().map(|n| n.len());
        assert_eq!(
            (count(&bounds.endpoints), count(&bounds.tasks)),
            (Some(1), Some(2))
        );
        assert_eq!(bounds.networks.len(), 2);
        assert_eq!(bounds.expires.unwrap().date(), (2027, 1, 1));
        assert_eq!(grant.arms, None);
        let wrong = |field: &str| problems(&WHOLE.replacen(arms, field, 1));
        let found = wrong("endpoints = [\"x\"]");
        assert!(
            found.contains("keys[0].endpoints = [\"x\"]: no such endpoint: x; allowed large-"),
            "{found}"
        );
        let found = wrong("networks = [\"10.0.0.1/8\"]");
        assert!(
            found.contains("keys[0].networks[0] = \"10.0.0.1/8\": not understood"),
            "{found}"
        );
        let found = wrong("networks = []");
        assert!(
            found.contains("keys[0].networks = []: names no network"),
            "{found}"
        );
        let found = wrong("expires = \"soon\"");
        assert!(
            found.contains("keys[0].expires = \"soon\": not a date"),
            "{found}"
        );
    }

    #[test]
    fn each_reference_must_lead_somewhere() {
        check(
            "team = \"coding\"",
            "team = \"x\"",
            "21: keys[0].team = \"x\": no such team; allowed coding",
        );
        check(
            "arms = [\"large\"]",
            "arms = [\"x\"]",
            "23: keys[0].arms = [\"x\"]: no such arm: x; allowed large, small",
        );
        check(
            "\"coding.toml\"",
            "\"x.toml\"",
            "12: teams[0].scorecard = \"x.toml\": no such file; allowed the path of a scorecard, relative to this file",
        );
        let unknown_arm =
            "13: teams[0].policy = \"fixed:arm=x\": no such arm; allowed large, small";
        check(
            "square-cb:gamma=2,schedule=sqrt",
            "fixed:arm=x",
            unknown_arm,
        );
    }

    #[test]
    fn a_policy_says_what_it_would_take() {
        let specification = "square-cb:gamma=2,schedule=sqrt";
        check(
            specification,
            "thompson",
            "13: teams[0].policy = \"thompson\": no such policy; allowed linear-thompson, square-cb, lin-ucb, epsilon-greedy, greedy, fixed:arm=NAME, uniform",
        );
        check(
            specification,
            "lin-ucb:alpha=-1",
            "13: teams[0].policy = \"lin-ucb:alpha=-1\": policy lin-ucb has alpha=\"-1\": allowed 0 to 100",
        );
    }

    #[test]
    fn a_budget_says_something_and_a_limit_its_window() {
        let check = |says: &str, expected: &str| {
            let budget = format!("budget = {{ {says} }}\ndata_policy");
            check("data_policy", &budget, &format!("16: teams[0].{expected}"));
        };
        let nothing =
            "budget = {  }: says nothing; allowed request_usd, or limit_usd with per, or both";
        check("", nothing);
        let alone = "budget.limit_usd = 50: stands alone; allowed with `per`";
        check("limit_usd = 50", alone);
        let alone = "budget.per = \"day\": stands alone; allowed with `limit_usd`";
        check("request_usd = 1, per = \"day\"", alone);
        let range = "budget.request_usd = 0: out of range; allowed 1e-9 to 1e6";
        check("request_usd = 0", range);
        let range = "budget.limit_usd = -1: out of range; allowed 1e-9 to 1e9";
        check("limit_usd = -1, per = \"day\"", range);
    }

    #[test]
    fn a_limit_says_when_it_fills_and_what_is_said_of_it_needs_one() {
        let check = |says: &str, expected: &str| {
            let budget = format!("budget = {{ {says} }}\ndata_policy");
            check(
                "data_policy",
                &budget,
                &format!("16: teams[0].budget.{expected}"),
            );
        };
        let month = "limit_usd = 50, per = \"month\"";
        let zone = "time_zone = \"Berlin\": not understood; allowed a name of the IANA database, as in Europe/Berlin";
        check(&format!("{month}, time_zone = \"Berlin\""), zone);
        let both = "refill_usd_per_hour = 1: given beside per; allowed one of the two";
        check(&format!("{month}, refill_usd_per_hour = 1"), both);
        let soft = "soft_usd = 51: above the limit; allowed at most `limit_usd`";
        check(&format!("{month}, soft_usd = 51"), soft);
        let alone = "decision_usd = 1: stands alone; allowed with `limit_usd`";
        check("request_usd = 1, decision_usd = 1", alone);
        let alone = "raise_usd = 1: stands alone; allowed with `raise_until`";
        check(&format!("{month}, raise_usd = 1"), alone);
        let until = "raise_until = \"soon\": not a time; allowed a day or a moment in UTC, as in 2026-12-01 or \"2026-12-01T08:00:00Z\"";
        check(
            &format!("{month}, raise_usd = 1, raise_until = \"soon\""),
            until,
        );
        let steady = "time_zone = \"Asia/Tokyo\": no window begins; allowed with `per`";
        check(
            "limit_usd = 5, refill_usd_per_hour = 1, time_zone = \"Asia/Tokyo\"",
            steady,
        );
    }

    #[test]
    fn budgets_of_a_team_a_key_and_the_organisation_are_read() {
        let of_team = "budget = { limit_usd = 50, per = \"month\", time_zone = \"Europe/Berlin\", soft_usd = 40, \
                       decision_usd = 0.5, raise_usd = 20, raise_until = 2026-12-01T08:00:00Z }\n";
        let whole = WHOLE.replacen("data_policy", &format!("{of_team}data_policy"), 1);
        let of_key = "[[keys]]\nbudget = { limit_usd = 5, refill_usd_per_hour = 0.36 }\n";
        let whole = whole.replacen("[[keys]]\n", of_key, 1);
        let whole =
            format!("{whole}\n[organisation]\nbudget = {{ limit_usd = 500, per = \"week\" }}\n");
        let params = loaded(&whole).unwrap();
        let budgets = params.budgets();
        let team = budgets.teams.into_values().next().unwrap();
        assert_eq!(team.zone.to_string(), "Europe/Berlin");
        let nano = |usd: Option<NanoUsd>| usd.map(NanoUsd::get);
        assert_eq!(nano(team.soft), Some(40_000_000_000));
        assert_eq!(nano(team.decision), Some(500_000_000));
        let raise = team.raise.unwrap();
        assert_eq!(
            Some(raise.until),
            crate::config::time("2026-12-01T08:00:00Z")
        );
        let key = budgets.keys.into_values().next().unwrap();
        assert_eq!(key.1.limit.refill, Refill::PerSecond(NanoUsd::new(100_000)));
        let all = budgets.organisation.unwrap();
        assert_eq!(all.limit.refill, Refill::Calendar(Window::Week));
    }

    #[test]
    fn limits_say_one_rate_each_and_no_burst_alone() {
        let check = |says: &str, expected: &str| {
            let limits = format!("limits = {{ {says} }}\ndata_policy");
            check(
                "data_policy",
                &limits,
                &format!("16: teams[0].limits{expected}"),
            );
        };
        let nothing =
            " = {  }: says nothing; allowed requests_per_minute, tokens_per_minute, parallel_calls";
        check("", nothing);
        let range = ".requests_per_second = 0: out of range; allowed a whole number, 1 to 1000000";
        check("requests_per_second = 0", range);
        let range = ".parallel_calls = 0: out of range; allowed a whole number, 1 to 1000000";
        check("parallel_calls = 0", range);
        let two = ".tokens_per_hour = 5: given beside tokens_per_minute; allowed one of the two";
        check("tokens_per_minute = 5, tokens_per_hour = 5", two);
        let alone = ".requests_burst = 5: stands alone; allowed with `requests_per_second`, \
            `requests_per_minute`, `requests_per_hour`";
        check("requests_burst = 5", alone);
        let long = ".tokens_burst = 169: out of range; allowed at most what comes in seven days";
        check("tokens_per_hour = 1, tokens_burst = 169", long);
        let unknown = ".requests: is not a field; allowed requests_per_second, requests_per_minute, \
            requests_per_hour, requests_burst, tokens_per_second, tokens_per_minute, tokens_per_hour, \
            tokens_burst, parallel_calls";
        check("requests = 5, parallel_calls = 1", unknown);
    }

    #[test]
    fn limits_of_a_team_a_key_and_the_organisation_are_read() {
        let of_team =
            "limits = { requests_per_minute = 600, requests_burst = 50, parallel_calls = 8 }\n";
        let whole = WHOLE.replacen("data_policy", &format!("{of_team}data_policy"), 1);
        let of_key = "[[keys]]\nlimits = { tokens_per_hour = 7 }\n";
        let whole = whole.replacen("[[keys]]\n", of_key, 1);
        let whole = format!("{whole}\n[organisation]\nlimits = {{ parallel_calls = 9 }}\n");
        let quotas = loaded(&whole).unwrap().quotas();
        let team = quotas.teams.into_values().next().unwrap();
        assert_eq!(
            team.requests.unwrap().to_string(),
            "600 a minute, 50 at once"
        );
        assert_eq!((team.tokens, team.parallel), (None, Some(8)));
        let (_, key) = quotas.keys.into_values().next().unwrap();
        assert_eq!(key.tokens.unwrap().to_string(), "7 an hour, 7 at once");
        assert_eq!(quotas.organisation.unwrap().parallel, Some(9));
    }

    #[test]
    fn a_watch_for_loops_says_what_follows() {
        let check = |says: &str, expected: &str| {
            let loops = format!("loops = {{ {says} }}\ndata_policy");
            check(
                "data_policy",
                &loops,
                &format!("16: teams[0].loops.{expected}"),
            );
        };
        check("", "action: is required");
        let word = "action = \"halt\": not understood; allowed \"warn\", \"stop\"";
        check("action = \"halt\"", word);
        let range = "same_requests = 1: out of range; allowed a whole number, 2 to 32";
        check("action = \"stop\", same_requests = 1", range);
        let range = "band_width = 1: out of range; allowed 2 to 20";
        check("action = \"stop\", band_width = 1", range);
    }

    #[test]
    fn a_holdout_has_a_baseline_that_is_an_arm() {
        let check = |says: &str, expected: &str| {
            let holdout = format!("{says}\ndata_policy");
            check("data_policy", &holdout, &format!("16: teams[0].{expected}"));
        };
        let alone = "holdout = 0.1: stands alone; allowed with `baseline`";
        check("holdout = 0.1", alone);
        let range = "holdout = 0.6: out of range; allowed 0 to 0.5";
        check("holdout = 0.6\nbaseline = \"large\"", range);
        let unknown = "baseline = \"huge\": no such arm; allowed large, small";
        check("baseline = \"huge\"", unknown);
    }

    #[test]
    fn a_guard_is_a_signal_with_a_margin_beside_a_baseline() {
        let check = |says: &str, expected: &str| {
            let guards = format!("guards = {says}\nbaseline = \"large\"\ndata_policy");
            let expected = format!("16: teams[0].guards{expected}");
            check("data_policy", &guards, &expected);
        };
        check(
            "{ huge = 0.1 }",
            ".huge = 0.1: no such signal; allowed tests_passed, json_valid, patch_lines, review_accepted, conventions_kept",
        );
        check(
            "[\"huge\"]",
            " = [\"huge\"]: no such signal: huge; allowed tests_passed, json_valid, patch_lines, review_accepted, conventions_kept",
        );
        check(
            "{ tests_passed = 0.6 }",
            ".tests_passed = 0.6: out of range; allowed 0 to 0.5",
        );
        check(
            "{ tests_passed = \"a lot\" }",
            ".tests_passed = \"a lot\": wrong type; allowed a number, 0 to 0.5",
        );
        let twice = " = [\"tests_passed\", \"tests_passed\"]: tests_passed stands twice; allowed each signal once";
        check("[\"tests_passed\", \"tests_passed\"]", twice);
        check("0.02", " = 0.02: wrong type; allowed a table");
    }

    #[test]
    fn guards_reach_the_parameters_in_their_order_and_a_list_has_the_default_margin() {
        let check = |guards: &str, expected: &[(&str, f64)]| {
            let says = format!("guards = {guards}\nbaseline = \"large\"\ndata_policy");
            let params = loaded(&WHOLE.replacen("data_policy", &says, 1)).unwrap();
            let found = params.teams[0].guards.iter();
            let found: Vec<_> = found.map(|g| (g.signal.as_str(), g.margin)).collect();
            assert_eq!(found, expected);
        };
        check(
            "{ tests_passed = 0.1, json_valid = 0 }",
            &[("tests_passed", 0.1), ("json_valid", 0.0)],
        );
        check("[\"tests_passed\"]", &[("tests_passed", 0.02)]);
    }

    #[test]
    fn guards_stand_with_a_baseline() {
        let alone =
            "16: teams[0].guards = [\"tests_passed\"]: stands alone; allowed with `baseline`";
        let guards = "guards = [\"tests_passed\"]\ndata_policy";
        check("data_policy", guards, alone);
    }

    #[test]
    fn names_are_used_once() {
        let twice = "used twice; allowed a name of its own";
        let endpoint = format!("58: endpoints[1].name = \"large-eu\": {twice}");
        check("\"small-sim\"", "\"large-eu\"", &endpoint);
        let (arm, other) = (
            "[[arms]]\nname = \"small\"\n",
            "[[arms]]\nname = \"large\"\ncontext_tokens = 1\n",
        );
        check(
            arm,
            &format!("{other}{arm}"),
            &format!("32: arms[1].name = \"large\": {twice}"),
        );
        let teams = WHOLE.replacen(
            "[[keys]]",
            "[[teams]]\nname = \"coding\"\nscorecard = \"coding.toml\"\n[[keys]]",
            1,
        );
        assert!(problems(&teams).contains("teams[1].name = \"coding\": used twice"));
        let key = "[[keys]]\nname = \"ci\"\nteam = \"coding\"\nscopes = [\"route\"]\nsha256 = ";
        let keys = problems(&WHOLE.replacen("[[arms]]", &format!("{key}\"{ABC}\"\n[[arms]]"), 1));
        assert!(keys.contains("keys[1].name = \"ci\": used twice"));
        assert!(keys.contains("keys[1].sha256: used twice; allowed the hash of a key of its own"));
    }

    #[test]
    fn ranges_and_words_are_kept() {
        check(
            "[::1]:9000",
            "localhost",
            "2: server.listen = \"localhost\": not understood; allowed an address with a port, as in 127.0.0.1:7431",
        );
        check(
            "durability = \"sync\"",
            "durability = \"maybe\"",
            "7: store.durability = \"maybe\": not understood; allowed \"group\", \"sync\"",
        );
        check(
            "error_rate = 0.25",
            "error_rate = nan",
            "63: endpoints[1].error_rate = nan: out of range; allowed 0 to 1",
        );
        check(
            "\"feedback\"]",
            "\"root\"]",
            "22: keys[0].scopes[1] = \"root\": not understood; allowed route, complete, feedback, replay, admin",
        );
        check(
            "from = 2026-01-01",
            "from = 2026-01-01T10:00:00Z",
            "47: endpoints[0].prices[0].from = 2026-01-01T10:00:00Z: not a date; allowed 1970-01-01 to 9999-12-31",
        );
        check(
            "[\"tools\", \"vision\"]",
            "\"tools\"",
            "27: arms[0].capabilities = \"tools\": wrong type; allowed a list of texts: names of 1 to 128 printable characters",
        );
    }

    #[test]
    fn prices_go_forward_in_time() {
        check(
            "2026-07-01",
            "2026-01-01",
            "46: endpoints[0].prices: out of order; allowed ascending `from`, each date once",
        );
    }

    #[test]
    fn a_secret_is_never_shown() {
        check(
            "\"LARGE_KEY\"",
            "\"sk-live-123\"",
            "41: endpoints[0].api_key_env: names a variable that is not set; allowed the name of an environment variable that is set",
        );
        let found =
            problems(&WHOLE.replace("api_key_env = \"LARGE_KEY\"", "api_key = \"sk-live-123\""));
        assert!(
            found.contains("endpoints[0].api_key: is not a field") && !found.contains("sk-live")
        );
    }

    #[test]
    fn the_openai_compatible_door_has_an_address_of_its_own_or_is_absent() {
        let listen = |line: &str| {
            let text = WHOLE.replacen("[server]", &format!("[server]\n{line}"), 1);
            loaded(&text).unwrap().server.http_listen
        };
        let said = listen("http_listen = \"127.0.0.1:7432\"");
        assert_eq!(
            said.map(|at| at.to_string()).as_deref(),
            Some("127.0.0.1:7432")
        );
        assert_eq!(listen(""), None);
        let bad = WHOLE.replacen("[server]", "[server]\nhttp_listen = 7432", 1);
        let expected = "2: server.http_listen = 7432: wrong type; allowed a text in quotes";
        assert!(problems(&bad).contains(expected));
    }

    #[test]
    fn metrics_have_an_address_of_their_own_or_are_not_told() {
        let server = |lines: &str| {
            let text = WHOLE.replacen("[server]", &format!("[server]\n{lines}"), 1);
            let server = loaded(&text).unwrap().server;
            let at = server.metrics_listen.map(|at| at.to_string());
            (at, server.metrics_teams)
        };
        let at = Some("127.0.0.1:9464".to_owned());
        let listen = "metrics_listen = \"127.0.0.1:9464\"\n";
        assert_eq!(server(""), (None, false));
        assert_eq!(server(listen), (at.clone(), false));
        let teams = format!("{listen}metrics_teams = true");
        assert_eq!(server(&teams), (at, true));
        check(
            "[server]",
            "[server]\nmetrics_teams = true",
            "2: server.metrics_teams = true: stands alone; allowed with `metrics_listen` or `[telemetry]`",
        );
        check(
            "[server]",
            "[server]\nmetrics_listen = \"9464\"",
            "2: server.metrics_listen = \"9464\": not understood; allowed an address with a port, as in 127.0.0.1:9464",
        );
    }

    #[test]
    fn a_server_is_open_only_on_loopback_for_one_team_without_keys() {
        let everywhere = LEAST.replace("open = true", "listen = \"0.0.0.0:7431\"\nopen = true");
        let expected = "open = true: anyone could do everything from other machines; allowed only with a loopback address in `listen`";
        assert!(problems(&everywhere).contains(expected));
        let door = LEAST.replace("open = true", "http_listen = \"0.0.0.0:7432\"\nopen = true");
        let expected = "allowed only with a loopback address in `http_listen`";
        assert!(problems(&door).contains(expected));
        let two = LEAST.replace(
            "[[arms]]",
            "[[teams]]\nname = \"b\"\nscorecard = \"coding.toml\"\n[[arms]]",
        );
        let expected =
            "open = true: whose requests they are is not known; allowed only with exactly one team";
        assert!(problems(&two).contains(expected));
        let keys = WHOLE.replace("[server]", "[server]\nopen = true");
        let expected = "open = true: contradicts [[keys]]; allowed only without [[keys]]";
        assert!(problems(&keys).contains(expected));
        let closed = LEAST.replace("open = true\n", "");
        assert!(problems(&closed).contains("keys: is required; allowed at least one [[keys]]"));
    }

    #[test]
    fn checks_and_rules_of_tasks_are_read_and_their_problems_named() {
        let told = r#"recording = "full"
[[teams.checks]]
check = "json"
signal = "json_valid"
on_failure = "repair"
tasks = ["triage"]
[[teams.checks]]
check = "matches_not"
name = "no_todo"
pattern = "TODO"
on_failure = "fall_back"
[[teams.tasks]]
name = "triage"
denied_arms = ["large"]
fallbacks_by = "json_valid"
[[teams.tasks]]
name = "docs"
fallbacks = ["small", "large"]
[teams.data_policy]
regions = ["eu"]
"#;
        let text = WHOLE.replacen("recording = \"full\"\ndata_policy = { regions = [\"eu\"], zero_retention = true, no_training = true }\n", told, 1);
        let params = loaded(&text).unwrap();
        let team = &params.teams[0];
        let name = |text: &str| Name::new(text).unwrap();
        assert_eq!(team.checks.len(), 2);
        assert_eq!(team.checks[0].signal, Some(name("json_valid")));
        assert_eq!(team.checks[0].tasks, [name("triage")]);
        assert_eq!(team.checks[1].name, name("no_todo"));
        assert_eq!(team.tasks[&name("triage")].denied_arms, [name("large")]);
        let ordered = Fallbacks::Ordered(vec![name("small"), name("large")]);
        assert_eq!(team.tasks[&name("docs")].fallbacks, ordered);
        for (line, other, expected) in [
            (
                "check = \"json\"",
                "check = \"jason\"",
                "teams[0].checks[0].check",
            ),
            (
                "signal = \"json_valid\"",
                "signal = \"patch_lines\"",
                "teams[0].checks[0].signal",
            ),
            (
                "pattern = \"TODO\"",
                "pattern = \"(\"",
                "teams[0].checks[1].pattern",
            ),
            ("pattern = \"TODO\"\n", "", "teams[0].checks[1].pattern"),
            (
                "name = \"no_todo\"",
                "name = \"json\"",
                "teams[0].checks[1].name",
            ),
            (
                "denied_arms = [\"large\"]",
                "denied_arms = [\"large\", \"small\"]",
                "teams[0].tasks[0].denied_arms",
            ),
            (
                "fallbacks_by = \"json_valid\"",
                "fallbacks_by = \"jason\"",
                "teams[0].tasks[0].fallbacks_by",
            ),
            (
                "fallbacks = [\"small\", \"large\"]",
                "fallbacks = [\"nobody\"]",
                "teams[0].tasks[1].fallbacks",
            ),
            (
                "name = \"docs\"",
                "name = \"triage\"",
                "teams[0].tasks[1].name",
            ),
        ] {
            let broken = text.replacen(line, other, 1);
            assert_ne!(broken, text);
            let found = problems(&broken);
            assert!(found.contains(expected), "{other}: {found}");
        }
    }

    #[test]
    fn problems_of_a_scorecard_name_its_own_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(
            dir.path().join("coding.toml"),
            CODING.replace("weight = 5", "weight = -5"),
        )
        .unwrap();
        let found = parse(&dir.path().join("bellwether.toml"), LEAST, &|_| true).unwrap_err();
        assert_eq!(found.len(), 1);
        assert!(found[0].file.ends_with("coding.toml"));
        assert_eq!(found[0].path, "signals[0].weight");
    }

    #[test]
    fn a_file_that_cannot_be_read_is_a_problem() {
        let dir = tempfile::tempdir().unwrap();
        let found = load(&dir.path().join("absent.toml")).unwrap_err();
        assert!(
            found[0].problem.starts_with("cannot be read: "),
            "{found:?}"
        );
    }
    proptest::proptest! {
        #[test]
        fn no_text_and_no_damage_makes_the_reader_panic(
            noise in ".{0,200}", at in 0_usize..WHOLE.len(), cut in 0_usize..40
        ) {
            let _ = loaded(&noise);
            let end = (at + cut).min(WHOLE.len());
            let damaged = format!("{}{noise}{}", &WHOLE[..at], &WHOLE[end..]);
            if let Err(problems) = loaded(&damaged) {
                proptest::prop_assert!(!problems.is_empty());
            }
        }
    }

    #[test]
    fn spans_are_sent_where_the_file_says_and_the_build_can() {
        use crate::telemetry::otlp;
        let whole = format!(
            "{WHOLE}\n[telemetry]\notlp_endpoint = \"https://collector.example/otlp\"\n\
             otlp_timeout_ms = 2500\notlp_sample_ratio = 0.25\notlp_service_name = \"router-eu\"\n"
        );
        assert_eq!(loaded(WHOLE).unwrap().otlp, None);
        if otlp::BUILT {
            let expected = otlp::Settings {
                endpoint: "https://collector.example/otlp".to_owned(),
                timeout: Duration::from_millis(2500),
                sample_ratio: 0.25,
                service_name: Some(Name::new("router-eu").unwrap()),
            };
            assert_eq!(loaded(&whole).unwrap().otlp, Some(expected));
            let teams = whole.replacen("[server]", "[server]\nmetrics_teams = true", 1);
            assert!(loaded(&teams).unwrap().server.metrics_teams);
        } else {
            let told = render(&loaded(&whole).unwrap_err());
            let expected = "telemetry.otlp_endpoint: this build cannot send over OTLP; allowed a build with `--features otlp`, or no [telemetry]";
            assert!(told.contains(expected), "{told}");
        }
    }

    #[test]
    fn what_cannot_be_sent_to_is_told_with_its_field_and_never_shows_a_password() {
        let check = |lines: &str, expected: &str| {
            let text = format!("{WHOLE}\n[telemetry]\n{lines}\n");
            let told = render(&loaded(&text).unwrap_err());
            assert!(told.contains(expected), "{told}");
            assert!(!told.contains("hunter2"), "{told}");
        };
        let address = "http://HOST[:PORT][/PATH] or https://..., as in http://localhost:4318";
        check("", "telemetry.otlp_endpoint: is required");
        let not = format!(
            "telemetry.otlp_endpoint = \"localhost:4318\": not an address; allowed {address}"
        );
        check("otlp_endpoint = \"localhost:4318\"", &not);
        let more =
            format!("telemetry.otlp_endpoint: holds more than an address; allowed {address}");
        check("otlp_endpoint = \"http://me:hunter2@h\"", &more);
        check("otlp_endpoint = \"http://h?key=hunter2\"", &more);
        let ratio = "telemetry.otlp_sample_ratio = 1.5: out of range; allowed 0 to 1";
        check("otlp_sample_ratio = 1.5", ratio);
        let timeout =
            "telemetry.otlp_timeout_ms = 50: out of range; allowed a whole number, 100 to 60000";
        check("otlp_timeout_ms = 50", timeout);
    }

    #[test]
    fn fuzz() {
        let classes = "[[data_classes]]\nname = \"patient\"\nregions = [\"eu\"]\ncertifications = [\"iso\"]\n";
        let inline = CODING
            .replace('\\', "\\\\")
            .replace('"', "\\\"")
            .replace('\n', "\\n");
        let inline = format!("scorecard_toml = \"{inline}\"\ndata_class = \"patient\"");
        let inline = WHOLE.replacen("scorecard = \"coding.toml\"", &inline, 1);
        let classed = format!("{inline}{classes}");
        let inputs = [WHOLE, &classed, CODING];
        crate::fuzz::fuzz("configuration", 500, &inputs.map(str::as_bytes), |bytes| {
            let text = String::from_utf8_lossy(bytes);
            let read = parse(Path::new("/nowhere/bellwether.toml"), &text, &|_| true);
            assert!(read.is_ok() || read.is_err_and(|problems| !problems.is_empty()));
            drop(crate::config::read_scorecard(Path::new("card.toml"), &text));
        });
    }
}
