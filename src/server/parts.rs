//! From the configuration's values to the pieces that the use cases hold.
//!
//! Not here: putting them together (`running`).

use super::error::Error;
use crate::config;
use crate::feature::Extractor;
use crate::id::Name;
use crate::provider::{
    ApiKey, OpenAi, OpenAiSettings, Provider, Simulated, SimulatedSettings, Transport,
};
use crate::route::{self, Choosing, Recording};
use crate::unit::Probability;
use std::cell::OnceCell;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// How each team routes.
pub(super) fn teams(params: &config::Params) -> Result<BTreeMap<Name, route::Team>, Error> {
    let shipped = Arc::new(Extractor::shipped()?);
    let mut teams = BTreeMap::new();
    for team in &params.teams {
        let recording = match team.recording {
            config::Recording::Features => Recording::Features,
            config::Recording::Full => Recording::Full,
            config::Recording::Nothing => Recording::Nothing,
        };
        let extractor = match team.embedding_length {
            Some(length) => Arc::new(Extractor::client(length as usize)?),
            None => Arc::clone(&shipped),
        };
        let choosing = Choosing {
            policy: team.policy.clone(),
            explore_floor: team.explore_floor,
        };
        let data_policy = team.data_policy.clone();
        let routing = route::Team {
            choosing,
            extractor,
            data_policy,
            recording,
            baseline: team.baseline.clone(),
            tasks: team.tasks.clone(),
        };
        teams.insert(team.name.clone(), routing);
    }
    Ok(teams)
}

/// A client for each endpoint. The parts that clients share are made at the first endpoint that needs
/// them, so that a configuration without one touches no TLS.
pub(super) fn providers(
    params: &config::Params,
) -> Result<BTreeMap<Name, Arc<dyn Provider>>, Error> {
    let transport = OnceCell::new();
    let mut providers: BTreeMap<Name, Arc<dyn Provider>> = BTreeMap::new();
    for (endpoint, connection) in params.catalogue.endpoints().iter().zip(&params.connections) {
        let failed = |problem: String| Error::Provider {
            endpoint: endpoint.name.clone(),
            problem,
        };
        let provider: Arc<dyn Provider> = match connection {
            config::Connection::Simulated(settings) => Arc::new(simulated(settings)),
            config::Connection::OpenAi { api_key_env } => {
                let made = transport.get_or_init(Transport::new);
                let transport = made.as_ref().map_err(|e| failed(e.to_string()))?;
                let key = api_key_env.as_deref().map(|variable| {
                    let unset = || failed(format!("environment variable {variable} is not set"));
                    std::env::var(variable)
                        .map(ApiKey::new)
                        .map_err(|_| unset())
                });
                let settings = OpenAiSettings::new(&endpoint.base_url, key.transpose()?);
                Arc::new(OpenAi::new(settings, transport).map_err(|e| failed(e.to_string()))?)
            }
        };
        providers.insert(endpoint.name.clone(), provider);
    }
    Ok(providers)
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
