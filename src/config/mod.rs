//! The configuration file: what a person wrote, turned into plain values for the floors below.
//!
//! [`load`] reads `bellwether.toml` and the scorecards that it names, and gives valid [`Params`] or
//! *every* [`Problem`] at once, each with file, line, path, value and what is allowed. `bellwether check`
//! and start-up are the same call.
//!
//! Why not serde: it stops at the first field that is unknown or of the wrong type, and a person with
//! five mistakes would have to run the check five times. The stages are the same as elsewhere:
//! `fields` walks the document as written and refuses what it does not know; one file for each
//! section turns it into checked values.
//!
//! Candidates and experiments of `evals` are read by the same rules ([`load_candidate`], [`load_experiment`]).
//!
//! Conventions: units are suffixes (`_ms`, `_mib`, `_usd`); no value has a hidden meaning, an absent
//! field means its default; paths are relative to the file that names them; a secret is named by the
//! environment variable that holds it and is never written down, nor shown in a problem.
//!
//! Not here: applying any of it (`server`), what the values mean (the module each goes to).
//!
//! | section | fields (default) |
//! |---|---|
//! | `[server]` | `listen` ("127.0.0.1:7431"), `http_listen` (no OpenAI-compatible door), `http_patience_s` (30), `admin_listen` (the administration is served at `listen`), `tls` (none; `{ certificate = PATH, key = PATH, client_ca = PATH }`, the last one for mutual TLS), `allow_plaintext` (false: without TLS on loopback only), `metrics_listen` (no metrics are told), `metrics_teams` (false), `max_message_mib` (8), `open` (false) |
//! | `[telemetry]` | `otlp_endpoint`, `otlp_timeout_ms` (10000), `otlp_sample_ratio` (1), `otlp_service_name` (the environment's, else "bellwether"); without the section nothing is sent |
//! | `[store]` | `dir`, `durability` ("group", or "sync"), `segment_mib` (64) |
//! | `[[teams]]` | `name`, `scorecard` (a path) or `scorecard_toml` (the document itself), `embedding_length` (none: the built-in embedding), `policy` ("linear-thompson"), `explore_floor` (0.02), `baseline` (an arm; none: nothing is held out), `holdout` (0.05 with a baseline), `guards` (none; `{ SIGNAL = MARGIN }`, margins 0 to 0.5, or `[SIGNAL]`, each 0.02), `recording` ("features", "full", "nothing"), `data_class` (none), `[teams.data_policy]`: `regions`, `zero_retention`, `no_training`, `certifications` |
//! | `[[data_classes]]` | `name`, `regions` (any), `zero_retention` (false), `no_training` (false), `certifications` (none): what data of this class demands of endpoints, for teams and requests that declare it |
//! | `limits` of `[[teams]]`, `[[keys]]`, `[organisation]` | one of `requests_per_second`, `requests_per_minute`, `requests_per_hour`, with `requests_burst` (as many as come in the unit; at most what comes in seven days); the same of `tokens`; `parallel_calls`; each absent: any number |
//! | `[teams.loops]` | `action` ("warn", "stop"), `same_requests` (8; 2 to 32), `similar_bits` (2; 0 to 8), `same_tool_calls` (12; 2 to 1000), `band_width` (6; 2 to 20); without the section nothing is watched |
//! | `[[teams.checks]]` | `check` ("json", "json_schema", "tool_arguments", "not_refusal", "not_truncated", "matches", "matches_not"), `name` (the check's), `pattern` (of the last two), `signal` (none is reported), `on_failure` ("return", "repair", "retry", "fall_back"), `tasks` (all) |
//! | `[[teams.tasks]]` | `name`, `denied_arms` (none), `fallbacks` (arms in order) or `fallbacks_by` (a signal; default: by utility) |
//! | `[[keys]]` | `name`, `sha256`, `team`, `scopes` ("route", "complete", "feedback", "replay", "admin"), `arms` (every arm), `endpoints` (every endpoint), `tasks` (any, and none), `networks` (from anywhere; else addresses, or `10.0.0.0/8`), `expires` (never; else a date, whose midnight UTC ends it) |
//! | `[[arms]]` | `name`, `capabilities` (none), `context_tokens`, `max_output_tokens` (the context) |
//! | `[[endpoints]]` | `name`, `arm`, `provider` ("simulated", "openai", "azure", "anthropic", "gemini"), `model`, `region` (unknown), `zero_retention` (false), `trains_on_requests` (true), `certifications` (none), `refuses` (none; parameters that its model does not take, by their names: `temperature`, `top_p`, ...), `connect_timeout_ms` (5000), `first_token_timeout_ms` (60000), `idle_timeout_ms` (60000), `total_timeout_ms` (300000) |
//! | openai | `base_url`, `api_key_env` (no key), `output_limit` ("max_completion_tokens"; "max_tokens" for servers that know only the older name) |
//! | azure | as openai; `api_version`; `model` is the deployment |
//! | anthropic | `base_url` ("`https://api.anthropic.com`"), `api_key_env` (no key), `thinking` ("budget" for models up to Claude 4.6, "adaptive" for later ones) |
//! | gemini | `base_url` ("`https://generativelanguage.googleapis.com`"), `api_key_env` (no key), `thinking` ("budget", or "level" for Gemini 3) |
//! | simulated | `latency_ms` (0), `output_tokens` (64), `error_rate` (0), `answer` (made up) |
//! | `[[endpoints.prices]]` | `from` (always), `input_usd_per_million`, `cached_input_usd_per_million` and `cache_write_usd_per_million` (as input), `output_usd_per_million` |
//!
//! Without any `[[keys]]` the server refuses to start, unless `[server] open = true`: then everyone who
//! can connect may do everything, which is allowed on a loopback address with exactly one team.

mod budget;
mod build;
#[cfg(feature = "analytics")]
mod candidate_file;
mod catalogue;
mod checks;
mod data_policy;
mod date;
mod endpoint;
#[cfg(feature = "analytics")]
mod experiment_file;
mod fields;
mod guardrail;
mod key;
mod limits;
mod listening;
mod loops;
mod params;
mod problem;
mod report;
mod scorecard_file;
mod tasks;
mod team;
mod telemetry;

pub use build::load;
#[cfg(feature = "analytics")]
pub use candidate_file::{candidate, load_candidate};
pub use date::time;
#[cfg(feature = "analytics")]
pub use experiment_file::{Asked, Experiment, load_experiment};
pub use params::{
    Connection, Durability, Guardrail, Params, Recording, Server, Simulated, Store, Team,
};
pub use problem::{Problem, render};
pub use scorecard_file::{load_scorecard, parse as read_scorecard};
