//! From the configuration's values to the pieces that the use cases hold.
//!
//! Not here: putting them together (`running`).

use super::error::Error;
use crate::access::Book;
use crate::clock::Clock;
use crate::config::{self, Connection};
use crate::eligibility::Endpoint;
use crate::feature::Extractor;
use crate::grpc;
use crate::id::Name;
use crate::provider::{
    Anthropic, AnthropicSettings, ApiKey, Gemini, GeminiSettings, OpenAi, OpenAiScheme,
    OpenAiSettings, Provider, SetupError, Simulated, SimulatedSettings, Transport,
};
use crate::redaction::Redactor;
use crate::route::{self, Choosing, Guardrail, Recording};
use crate::standing::Standing;
use crate::store::audit::Audit;
use crate::store::{Keyed, Store};
use crate::unit::Probability;
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;
use tokio_util::task::TaskTracker;

#[cfg(feature = "analytics")]
pub(super) type Evaluation = grpc::Traffic;
#[cfg(not(feature = "analytics"))]
pub(super) type Evaluation = grpc::NoAnalytics;

/// What answers questions about recorded traffic.
#[cfg(feature = "analytics")]
pub(super) fn evaluation(
    params: &config::Params,
    store: &Arc<Store>,
    tasks: &TaskTracker,
) -> Evaluation {
    let scorecard = |t: &config::Team| (t.name.clone(), Arc::new(t.scorecard.clone()));
    grpc::Traffic {
        store: Arc::clone(store),
        scorecards: params.teams.iter().map(scorecard).collect(),
        tasks: tasks.clone(),
    }
}

/// Nothing does in this build.
#[cfg(not(feature = "analytics"))]
pub(super) fn evaluation(_: &config::Params, _: &Arc<Store>, _: &TaskTracker) -> Evaluation {
    grpc::NoAnalytics
}

/// The keys of the configuration and those that were made, and the gate that they open.
pub(super) fn keys(
    params: &config::Params,
    (keyed, audit): (&Arc<Keyed>, &Arc<Audit>),
    clock: &Arc<dyn Clock>,
    tasks: &TaskTracker,
) -> Result<(grpc::KeyDesk, grpc::Gate), Error> {
    let catalogue = Arc::new(params.catalogue.clone());
    let teams = params.teams.iter().map(|team| &team.name);
    let kept = (Arc::clone(keyed), Arc::clone(audit));
    let clock = Arc::clone(clock);
    let budgets = params.key_budgets.iter();
    let budgeted = budgets.map(|(key, (team, _))| (team.clone(), key.clone()));
    let configured = (params.keys.clone(), budgeted.collect());
    let book = Book::open(configured, kept, catalogue, teams, clock)?;
    book.porter().limit(limited(params));
    let gate = grpc::Gate::new(Arc::clone(book.porter()));
    let desk = grpc::KeyDesk::new(Arc::new(book), tasks.clone());
    Ok((desk, gate))
}

/// Team and name of each key with limits of its own.
pub(super) fn limited(params: &config::Params) -> BTreeSet<(Name, Name)> {
    let keys = params.key_quotas.iter();
    keys.map(|(key, (team, _))| (team.clone(), key.clone()))
        .collect()
}

/// How each team routes.
pub(super) fn teams(params: &config::Params) -> Result<BTreeMap<Name, route::Team>, Error> {
    let shipped = Arc::new(Extractor::shipped()?);
    let mut teams = BTreeMap::new();
    for team in &params.teams {
        let recording = recording(team);
        let extractor = match team.embedding_length {
            Some(length) => Arc::new(Extractor::client(length as usize)?),
            None => Arc::clone(&shipped),
        };
        let choosing = choosing(team);
        let data_policy = team.data_policy.clone();
        let routing = route::Team {
            choosing,
            extractor,
            data_policy,
            data_classes: Arc::clone(&team.data_classes),
            recording,
            guardrail: guardrail(team),
            baseline: team.baseline.clone(),
            tasks: team.tasks.clone(),
            loops: team.loops,
        };
        teams.insert(team.name.clone(), routing);
    }
    Ok(teams)
}

/// Makes a team route as another version of its configuration says, in what may change while it serves.
pub(super) fn retold(team: &config::Team, routing: &mut route::Team) {
    routing.choosing = choosing(team);
    routing.data_policy = team.data_policy.clone();
    routing.data_classes = Arc::clone(&team.data_classes);
    routing.recording = recording(team);
    routing.guardrail = guardrail(team);
    routing.tasks = team.tasks.clone();
    routing.loops = team.loops;
}

fn choosing(team: &config::Team) -> Choosing {
    Choosing {
        policy: team.policy.clone(),
        explore_floor: team.explore_floor,
    }
}

fn recording(team: &config::Team) -> Recording {
    match team.recording {
        config::Recording::Features => Recording::Features,
        config::Recording::Full => Recording::Full,
        config::Recording::Redacted => Recording::Redacted,
        config::Recording::Nothing => Recording::Nothing,
    }
}

/// The teams that keep words as they are.
pub(super) fn whole(params: &config::Params) -> BTreeSet<Name> {
    let teams = params.teams.iter();
    let whole = teams.filter(|team| team.recording == config::Recording::Full);
    whole.map(|team| team.name.clone()).collect()
}

fn guardrail(team: &config::Team) -> Option<Guardrail> {
    let config::Guardrail { action, kinds } = team.guardrail?;
    let redactor = Arc::new(Redactor::new(kinds));
    Some(Guardrail { action, redactor })
}

/// How each endpoint does, and what each team may try again.
pub(super) fn standing(params: &config::Params) -> Standing {
    let teams = params.teams.iter().map(|team| &team.name);
    Standing::new(params.catalogue.endpoints(), teams)
}

/// A client for each endpoint.
pub(super) fn providers(
    params: &config::Params,
) -> Result<BTreeMap<Name, Arc<dyn Provider>>, Error> {
    // One for each time that is waited for a connection: endpoints of one share their connections.
    let transports = RefCell::new(BTreeMap::new());
    let mut providers: BTreeMap<Name, Arc<dyn Provider>> = BTreeMap::new();
    for (endpoint, connection) in params.catalogue.endpoints().iter().zip(&params.connections) {
        let made = provider(endpoint, connection, &|| {
            let connect = endpoint.waits.connect;
            let mut transports = transports.borrow_mut();
            let made = transports.entry(connect);
            made.or_insert_with(|| Transport::within(connect)).clone()
        });
        let provider = made.map_err(|problem| Error::Provider {
            endpoint: endpoint.name.clone(),
            problem,
        })?;
        providers.insert(endpoint.name.clone(), provider);
    }
    Ok(providers)
}

/// A client for one, or what keeps it from being made.
fn provider(
    endpoint: &Endpoint,
    connection: &Connection,
    transport: &dyn Fn() -> Transport,
) -> Result<Arc<dyn Provider>, String> {
    let url = &endpoint.base_url;
    let told = |error: SetupError| error.to_string();
    let provider: Arc<dyn Provider> = match connection {
        Connection::Simulated(settings) => Arc::new(simulated(settings)),
        Connection::OpenAi {
            api_key_env,
            output_limit,
        } => {
            let mut settings = OpenAiSettings::new(url, key(api_key_env)?);
            settings.output_limit = *output_limit;
            Arc::new(OpenAi::new(settings, &transport()).map_err(told)?)
        }
        Connection::Azure {
            api_key_env,
            output_limit,
            api_version,
        } => {
            let mut settings = OpenAiSettings::new(url, key(api_key_env)?);
            settings.output_limit = *output_limit;
            settings.scheme = OpenAiScheme::Azure {
                deployment: endpoint.model.clone(),
                api_version: api_version.clone(),
            };
            Arc::new(OpenAi::new(settings, &transport()).map_err(told)?)
        }
        Connection::Anthropic {
            api_key_env,
            thinking,
        } => {
            let mut settings = AnthropicSettings::new(url, key(api_key_env)?);
            settings.thinking = *thinking;
            Arc::new(Anthropic::new(settings, &transport()).map_err(told)?)
        }
        Connection::Gemini {
            api_key_env,
            thinking,
        } => {
            let mut settings = GeminiSettings::new(url, key(api_key_env)?);
            settings.thinking = *thinking;
            Arc::new(Gemini::new(settings, &transport()).map_err(told)?)
        }
    };
    Ok(provider)
}

/// The key in an environment variable, where one is named.
fn key(variable: &Option<String>) -> Result<Option<ApiKey>, String> {
    let key = variable.as_deref().map(|variable| {
        let unset = |_| format!("environment variable {variable} is not set");
        std::env::var(variable).map(ApiKey::new).map_err(unset)
    });
    key.transpose()
}

fn simulated(settings: &config::Simulated) -> Simulated {
    Simulated::new(SimulatedSettings {
        seed: 0,
        latency: Duration::try_from_secs_f64(settings.latency_ms / 1e3).unwrap_or_default(),
        output_tokens: settings.output_tokens,
        error_rate: Probability::new(settings.error_rate).unwrap_or(Probability::ZERO),
        answer: settings.answer.clone(),
    })
}
