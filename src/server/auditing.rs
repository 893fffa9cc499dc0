//! What a start, and later a reload, changed by the configuration, put into the audit log; and the journal's closed
//! segments.
//!
//! Invariants: what already holds is no entry; a key is told of by its name and a fingerprint that nothing can be
//! tried against.
//!
//! Not here: changes by callers (`grpc::Desk`, `access::Book`), the log itself (`store::audit`).

use super::error::Error;
use crate::access::Keys;
use crate::clock::Clock;
use crate::config;
use crate::id::Name;
use crate::store;
use crate::store::audit::{Action, Audit, Change};
use crate::unit::Timestamp;
use serde::Serialize;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Who made a change that a file made.
const CONFIGURATION: &str = "configuration";

/// How often closed segments are looked for. Each is hashed once: 64 MB, some tens of milliseconds.
const LOOK: Duration = Duration::from_secs(60);

/// Tells of the start, and of what is not as it was at the one before. `numbered`: each team's scorecard.
pub(super) fn started(
    audit: &Audit,
    params: &config::Params,
    numbered: &[u32],
    clock: &dyn Clock,
) -> Result<(), Error> {
    let now = clock.now();
    let program = format!("bellwether {}", env!("CARGO_PKG_VERSION"));
    audit.append(now, change(Action::Started, None, "", program))?;
    for (team, version) in params.teams.iter().zip(numbered) {
        let compared = (&team.baseline.as_ref().map(|b| &b.arm), &team.guards);
        let holds = [
            (Action::ScorecardSet, format!("version {version}")),
            (Action::BudgetSet, json(&team.budget)),
            (Action::BaselineSet, json(&compared)),
        ];
        for (action, what) in holds {
            audit.append_if_new(now, change(action, Some(&team.name), "", what))?;
        }
    }
    configured(audit, params, now)
}

/// Tells of what a reload may change, where it is not as it was.
pub(super) fn configured(
    audit: &Audit,
    params: &config::Params,
    now: Timestamp,
) -> Result<(), Error> {
    for team in &params.teams {
        let policy = format!("{}, floor {}", team.policy, team.explore_floor);
        let change = change(Action::PolicySet, Some(&team.name), "", policy);
        audit.append_if_new(now, change)?;
    }
    keys(audit, &params.keys, now)
}

/// Tells of the configured keys that are others than before, and of those that are gone.
fn keys(audit: &Audit, keys: &Keys, now: Timestamp) -> Result<(), Error> {
    let mut there = BTreeSet::new();
    for (fingerprint, grant) in keys.fingerprints() {
        there.insert((Some(grant.team.clone()), grant.key.to_string()));
        let what = format!("{}; fingerprint {fingerprint}", grant.in_words());
        let key = grant.key.as_str();
        let change = change(Action::KeyConfigured, Some(&grant.team), key, what);
        audit.append_if_new(now, change)?;
    }
    for (team, key, before) in audit.newest(Action::KeyConfigured) {
        if before != GONE && !there.contains(&(team.clone(), key.clone())) {
            let gone = change(Action::KeyConfigured, team.as_ref(), &key, GONE.to_owned());
            audit.append(now, gone)?;
        }
    }
    Ok(())
}

/// What holds of a key that is not configured any more.
const GONE: &str = "gone";

fn change(action: Action, team: Option<&Name>, object: &str, now: String) -> Change {
    Change {
        by: CONFIGURATION.to_owned(),
        action,
        team: team.cloned(),
        object: object.to_owned(),
        now,
    }
}

/// As the journal would hold it.
fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).unwrap_or_default()
}

/// Looks for closed segments now and then until told to stop.
pub(super) fn spawn(
    audit: Arc<Audit>,
    clock: Arc<dyn Clock>,
    stop: CancellationToken,
    tasks: &TaskTracker,
) {
    let blocking = tasks.clone();
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
