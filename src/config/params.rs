//! The whole configuration as plain values for the floors below.

use crate::access::Keys;
use crate::account::Budgets;
use crate::bandit::Policy;
use crate::budget::{Budget, Terms};
use crate::complete::Rule;
use crate::eligibility::{Catalogue, DataPolicy};
use crate::id::Name;
use crate::learn::Pooling;
use crate::loops::Watch;
use crate::provider::{AnthropicThinking, GeminiThinking, OutputLimit};
use crate::quota::{Quota, Quotas};
use crate::redaction::Kinds;
use crate::route::{Action, Baseline, TaskRule};
use crate::scorecard::Scorecard;
use crate::signal::Guard;
use crate::telemetry::otlp::Settings;
use crate::tls::Files;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

/// A valid configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Params {
    /// How to listen.
    pub server: Server,
    /// Where spans and events of feedback are sent. `None`: nowhere.
    pub otlp: Option<Settings>,
    /// Where state is kept.
    pub store: Store,
    /// Arms and endpoints.
    pub catalogue: Catalogue,
    /// How each endpoint is reached, in the order of [`Catalogue::endpoints`].
    pub connections: Vec<Connection>,
    /// Teams, in the file's order.
    pub teams: Vec<Team>,
    /// Who may ask.
    pub keys: Keys,
    /// What all teams may spend together. `None`: anything.
    pub organisation: Option<Terms>,
    /// What may be spent with a key, by the key's name, with its team.
    pub key_budgets: BTreeMap<Name, (Name, Terms)>,
    /// How often all teams may call together. `None`: as often as they like.
    pub organisation_quota: Option<Quota>,
    /// How often a key may call, by the key's name, with its team.
    pub key_quotas: BTreeMap<Name, (Name, Quota)>,
}

impl Params {
    /// Every limit on requests, tokens and calls at once.
    pub fn quotas(&self) -> Quotas {
        let teams = self.teams.iter();
        let teams = teams.filter_map(|team| Some((team.name.clone(), team.quota?)));
        Quotas {
            organisation: self.organisation_quota,
            teams: teams.collect(),
            keys: self.key_quotas.clone(),
        }
    }

    /// The terms of every hard limit.
    pub fn budgets(&self) -> Budgets {
        let terms = |team: &Team| {
            let limit = team.budget.and_then(|budget| budget.limit)?;
            let plain = Terms::from(limit);
            let said = team.terms.unwrap_or(plain);
            Some((team.name.clone(), Terms { limit, ..said }))
        };
        Budgets {
            organisation: self.organisation,
            teams: self.teams.iter().filter_map(terms).collect(),
            keys: self.key_budgets.clone(),
        }
    }
}

/// How to listen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// Address and port.
    pub listen: SocketAddr,
    /// Address and port of the OpenAI-compatible door. `None`: there is none.
    pub http_listen: Option<SocketAddr>,
    /// Longest silence there: while a head or a body comes, and between two calls.
    pub http_patience: Duration,
    /// Address and port of the administration's own listener. `None`: it is served at `listen`.
    pub admin_listen: Option<SocketAddr>,
    /// Address and port where metrics are read. `None`: nowhere.
    pub metrics_listen: Option<SocketAddr>,
    /// Whether metrics and spans tell teams apart.
    pub metrics_teams: bool,
    /// Longest message taken.
    pub max_message_bytes: usize,
    /// What every listener but that of metrics shows of itself, and asks of callers. `None`: they speak without TLS.
    pub tls: Option<Files>,
}

/// Where state is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Store {
    /// Directory.
    pub dir: PathBuf,
    /// When a record counts as kept.
    pub durability: Durability,
    /// Size of a journal segment.
    pub segment_bytes: u64,
}

/// When a record counts as kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// When it is on disk.
    Sync,
    /// When the operating system has it; on disk a few milliseconds later.
    Group,
}

/// One team.
#[derive(Debug, Clone, PartialEq)]
pub struct Team {
    /// Its name.
    pub name: Name,
    /// What it calls good.
    pub scorecard: Scorecard,
    /// The scorecard's file, word for word: what is kept as an immutable version.
    pub scorecard_text: String,
    /// How it chooses.
    pub policy: Policy,
    /// Share of the draws kept for exploration, 0 to 0.1.
    pub explore_floor: f64,
    /// What it may spend. `None`: anything.
    pub budget: Option<Budget>,
    /// What more is said of its hard limit. `None`: nothing.
    pub terms: Option<Terms>,
    /// Where its traffic would go without a router, and how much of it does. `None`: nothing is held out.
    pub baseline: Option<Baseline>,
    /// The signals in which the router may not be worse than the baseline.
    pub guards: Vec<Guard>,
    /// What its answers are held to. Empty: what was asked for, which is told and no more.
    pub checks: Vec<Rule>,
    /// Rules of single tasks.
    pub tasks: BTreeMap<Name, TaskRule>,
    /// What is kept of a request.
    pub recording: Recording,
    /// What is done before a prompt leaves. `None`: nothing is looked into.
    pub guardrail: Option<Guardrail>,
    /// Where its data may go, unless a request says more.
    pub data_policy: DataPolicy,
    /// Where data of each class may go, for requests that declare one; the team's own is in `data_policy`.
    pub data_classes: Arc<BTreeMap<Name, DataPolicy>>,
    /// Length of the embeddings that its callers send. `None`: the built-in text embedding is used,
    /// and a request that brings one is refused.
    pub embedding_length: Option<u32>,
    /// What of its statistics other teams may start from, and whether its arms start from theirs.
    pub pooling: Pooling,
    /// How often it may call. `None`: as often as it likes.
    pub quota: Option<Quota>,
    /// How it watches for agents that go round. `None`: it does not.
    pub loops: Option<Watch>,
}

/// What is kept of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recording {
    /// The context that the policy saw, never the words.
    Features,
    /// The messages as well.
    Full,
    /// The messages, with marks in place of personal data and secrets.
    Redacted,
    /// Neither: the decision can be read but not replayed.
    Nothing,
}

/// What is looked for in prompts, and what follows where it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Guardrail {
    /// What follows.
    pub action: Action,
    /// What is looked for.
    pub kinds: Kinds,
}

/// How an endpoint is reached.
#[derive(Debug, Clone, PartialEq)]
pub enum Connection {
    /// Not at all: answers are made up.
    Simulated(Simulated),
    /// Over HTTP in the OpenAI dialect, at the endpoint's `base_url`.
    OpenAi {
        /// The environment variable that holds the key. `None`: no key is sent.
        api_key_env: Option<String>,
        /// Which field carries the output limit.
        output_limit: OutputLimit,
    },
    /// The same dialect at Azure's addresses; the endpoint's `model` is the deployment.
    Azure {
        /// The environment variable that holds the key. `None`: no key is sent.
        api_key_env: Option<String>,
        /// Which field carries the output limit.
        output_limit: OutputLimit,
        /// The version of the API.
        api_version: String,
    },
    /// Over HTTP in Anthropic's dialect.
    Anthropic {
        /// The environment variable that holds the key. `None`: no key is sent.
        api_key_env: Option<String>,
        /// How its model is told to think.
        thinking: AnthropicThinking,
    },
    /// Over HTTP in Gemini's dialect.
    Gemini {
        /// The environment variable that holds the key. `None`: no key is sent.
        api_key_env: Option<String>,
        /// How its model is told to think.
        thinking: GeminiThinking,
    },
}

/// How a simulated endpoint behaves.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Simulated {
    /// Time to an answer in milliseconds.
    pub latency_ms: f64,
    /// Output tokens of an answer.
    pub output_tokens: u32,
    /// Share of calls that fail.
    pub error_rate: f64,
    /// The words of every answer. `None`: made up from the prompt.
    pub answer: Option<String>,
}
