//! What a start, and later a reload, changed by the configuration, put into the audit log; and the journal's closed
//! segments.
//!
//! A thing is told as the program calls its parts, so that another build may tell of what has not changed.
//!
//! Invariants: what already holds is no entry; a key is told of by its name and a fingerprint that nothing can be
//! tried against.
//!
//! Not here: changes by callers (`grpc::Desk`, `access::Book`), the log itself (`store::audit`).

use super::error::Error;
use crate::clock::Clock;
use crate::config;
use crate::id::Name;
use crate::store;
use crate::store::audit::{Action, Audit, Change};
use crate::unit::Timestamp;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who made a change that a file made.
const CONFIGURATION: &str = "configuration";

/// How often closed segments are looked for. Each is hashed once in a server's life.
const LOOK: Duration = Duration::from_secs(60);

/// Tells of the start, of where the journal stood, and of what is not as it was at the one before. `numbered`: each
/// team's scorecard.
pub(super) fn started(
    audit: &Audit,
    params: &config::Params,
    numbered: &[u32],
    (journal, now): (u64, Timestamp),
) -> Result<(), Error> {
    let version = env!("CARGO_PKG_VERSION");
    let program = format!("bellwether {version}, the journal at record {journal}");
    audit.note_damage(now)?;
    audit.append(now, change(Action::Started, None, "", program))?;
    for (team, version) in params.teams.iter().zip(numbered) {
        let compared = (&team.baseline.as_ref().map(|b| &b.arm), &team.guards);
        let budget = format!("{:?}, {:?}", team.budget, team.terms);
        for (action, holds) in [
            (Action::ScorecardSet, format!("version {version}")),
            (Action::BudgetSet, budget),
            (Action::BaselineSet, format!("{compared:?}")),
        ] {
            audit.append_if_new(now, change(action, Some(&team.name), "", holds))?;
        }
    }
    budgets(audit, params, now)?;
    configured(audit, params, now)
}

/// Tells of the budgets of the organisation and of keys.
fn budgets(audit: &Audit, params: &config::Params, now: Timestamp) -> Result<(), Error> {
    let organisation = format!("{:?}", params.organisation);
    let mut all = vec![(None, "organisation".to_owned(), organisation)];
    for (key, (team, terms)) in &params.key_budgets {
        all.push((Some(team.clone()), key.to_string(), format!("{terms:?}")));
    }
    objects(audit, Action::BudgetSet, all, now)
}

/// Tells of what a reload may change, where it is not as it was.
pub(super) fn configured(
    audit: &Audit,
    params: &config::Params,
    now: Timestamp,
) -> Result<(), Error> {
    for team in &params.teams {
        let policy = format!("{}, floor {}", team.policy, team.explore_floor);
        let rules = (
            &team.recording,
            &team.guardrail,
            (&team.data_policy, &team.data_classes),
            &team.checks,
            &team.tasks,
        );
        for (action, holds) in [
            (Action::PolicySet, policy),
            (Action::RulesSet, with_limits(format!("{rules:?}"), team)),
        ] {
            audit.append_if_new(now, change(action, Some(&team.name), "", holds))?;
        }
    }
    limits(audit, params, now)?;
    let tls = format!("{:?}", params.server.tls);
    audit.append_if_new(now, change(Action::TlsSet, None, "", tls))?;
    let endpoints = params.catalogue.endpoints().iter();
    let endpoints = endpoints.map(|e| (None, e.name.to_string(), format!("{:?}", **e)));
    objects(audit, Action::EndpointSet, endpoints.collect(), now)?;
    let keys = params.keys.fingerprints().map(|(fingerprint, grant)| {
        let holds = format!("{}; fingerprint {fingerprint}", grant.in_words());
        (Some(grant.team.clone()), grant.key.to_string(), holds)
    });
    objects(audit, Action::KeyConfigured, keys.collect(), now)
}

/// What a team's rules are, with its limits and its watch for loops, where it has them.
fn with_limits(mut rules: String, team: &config::Team) -> String {
    if let Some(quota) = team.quota {
        rules += &format!(", {quota:?}");
    }
    if let Some(loops) = team.loops {
        rules += &format!(", {loops:?}");
    }
    rules
}

/// Tells of the limits of the organisation and of keys.
fn limits(audit: &Audit, params: &config::Params, now: Timestamp) -> Result<(), Error> {
    let organisation = params.organisation_quota;
    let organisation = organisation.map(|q| (None, "organisation".to_owned(), format!("{q:?}")));
    let keys = params.key_quotas.iter();
    let keys = keys.map(|(k, (team, q))| (Some(team.clone()), k.to_string(), format!("{q:?}")));
    let all = organisation.into_iter().chain(keys);
    objects(audit, Action::RulesSet, all.collect(), now)
}

/// What holds of something that is not configured any more.
const GONE: &str = "gone";

/// Tells of the objects of an action that are others than before, and of those that are gone.
fn objects(
    audit: &Audit,
    action: Action,
    all: Vec<(Option<Name>, String, String)>,
    now: Timestamp,
) -> Result<(), Error> {
    let before = audit.newest(action).into_iter();
    let gone = before.filter(|(team, object, holds)| {
        let here = |(of, name, _): &(Option<Name>, String, String)| of == team && name == object;
        !object.is_empty() && holds != GONE && !all.iter().any(here)
    });
    let gone: Vec<_> = gone.collect();
    for (team, object, holds) in &all {
        let change = change(action, team.as_ref(), object, holds.clone());
        audit.append_if_new(now, change)?;
    }
    for (team, object, _) in gone {
        let change = change(action, team.as_ref(), &object, GONE.to_owned());
        audit.append(now, change)?;
    }
    Ok(())
}

/// Tells that what was told last did not come about.
pub(super) fn failed(audit: &Audit, now: Timestamp) {
    let change = change(Action::Failed, None, "", String::new());
    if let Err(error) = audit.append(now, change) {
        tracing::error!(%error, "the audit log does not say that a change failed");
    }
}

fn change(action: Action, team: Option<&Name>, object: &str, now: String) -> Change {
    Change {
        by: CONFIGURATION.to_owned(),
        action,
        team: team.cloned(),
        object: object.to_owned(),
        now,
    }
}

/// Looks for closed segments now and then until told to stop.
pub(super) fn spawn(
    audit: &Arc<Audit>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    tasks: &TaskTracker,
) {
    let (audit, blocking) = (Arc::clone(audit), tasks.clone());
    tasks.spawn(async move {
        loop {
            let (audit, clock) = (Arc::clone(&audit), Arc::clone(&clock));
            let sealed = blocking.spawn_blocking(move || audit.seal(clock.now()));
            if let Ok(Err(error)) = sealed.await {
                told(&error);
            }
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(LOOK) => {}
            }
        }
    });
}

fn told(error: &store::Error) {
    tracing::error!(%error, "a closed segment of the journal has no entry in the audit log yet");
}
