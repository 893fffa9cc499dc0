//! A configuration read anew while the server serves: swaps what can be.
//!
//! Invariants: a new configuration is whole and valid before anything of it is swapped, else all stays as it was. A call
//! is judged from its first step to its last by the rules (prices, policies, tasks, data policies) and the keys of one
//! configuration: they are swapped under one number, and whoever judges asks for both of one ([`Porter::beside`]).
//! Certificates are swapped as one value, for new connections.
//!
//! Not here: what may be swapped (`change`), reading the file (`config`), when it is read (the command line).

use super::auditing;
use super::change::{Change, change};
use super::door;
use super::error::Error;
use super::parts::{limited, retold, whole};
use crate::access::{Configured, Porter};
use crate::clock::Clock;
use crate::config::{self, Params};
use crate::grpc::Gateway;
use crate::http;
use crate::store::audit::Audit;
use crate::tls::Identity;
use arc_swap::ArcSwap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// How often the files of certificates are looked at.
const LOOK: Duration = Duration::from_secs(10);

/// What became of a configuration that was read anew.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reloaded {
    /// What of it is in force.
    pub swapped: Vec<&'static str>,
    /// What differs and is in force only after a restart, by its place in the file.
    pub restart: Vec<String>,
    /// Why nothing of it is in force.
    pub refused: Option<String>,
}

impl fmt::Display for Reloaded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(why) = &self.refused {
            return write!(f, "nothing is changed: {why}");
        }
        match self.swapped.as_slice() {
            [] => f.write_str("nothing to change")?,
            swapped => write!(f, "now in force: {}", swapped.join(", "))?,
        }
        if !self.restart.is_empty() {
            write!(f, "; needs a restart: {}", self.restart.join(", "))?;
        }
        Ok(())
    }
}

/// What calls are judged by, of one configuration.
type Judging = (Arc<Gateway>, Arc<http::Parts>);

fn numbered<T>(rules: Arc<T>, number: u64) -> Arc<Configured<T>> {
    Arc::new(Configured { number, rules })
}

/// What calls are judged by, at each door.
#[derive(Debug)]
pub(super) struct Rules {
    pub(super) gateway: Arc<ArcSwap<Configured<Gateway>>>,
    pub(super) parts: Arc<ArcSwap<Configured<http::Parts>>>,
}

impl Rules {
    pub(super) fn new(gateway: Gateway, parts: http::Parts) -> Self {
        Self {
            gateway: Arc::new(ArcSwap::from_pointee(Configured::first(gateway))),
            parts: Arc::new(ArcSwap::from_pointee(Configured::first(parts))),
        }
    }

    /// The same as these parameters say.
    fn by(&self, params: &Params) -> Result<Judging, String> {
        let catalogue = Arc::new(params.catalogue.clone());
        let (now, parts) = (self.gateway.load(), self.parts.load());
        let (now, parts) = (&now.rules, &parts.rules);
        let route = now
            .route
            .reconfigured(Arc::clone(&catalogue), |name, routing| {
                if let Some(team) = params.teams.iter().find(|team| team.name == *name) {
                    retold(team, routing);
                }
            });
        let route = route.map_err(|error| error.to_string())?;
        let route = route.within(params.quotas());
        let gateway = now.by(Arc::new(route), Arc::clone(&catalogue));
        let parts = http::Parts {
            complete: Arc::clone(&gateway.complete),
            catalogue,
            policies: door::policies(params),
            ..http::Parts::clone(parts)
        };
        Ok((Arc::new(gateway), Arc::new(parts)))
    }

    /// What is there.
    fn there(&self) -> Judging {
        let (gateway, parts) = (self.gateway.load(), self.parts.load());
        (Arc::clone(&gateway.rules), Arc::clone(&parts.rules))
    }

    /// These, under this number.
    fn swap(&self, (gateway, parts): Judging, number: u64) {
        self.gateway.store(numbered(gateway, number));
        self.parts.store(numbered(parts, number));
    }
}

/// What can be swapped.
#[derive(Debug)]
pub(super) struct Swappable {
    /// What is in force.
    params: Params,
    porter: Arc<Porter>,
    audit: Arc<Audit>,
    rules: Rules,
    identity: Option<Identity>,
    clock: Arc<dyn Clock>,
}

/// The identity of a configuration, read and checked.
pub(super) fn identity(
    server: &config::Server,
    clock: &dyn Clock,
) -> Result<Option<Identity>, Error> {
    let files = server.tls.clone();
    let identity = files.map(|files| Identity::read(files, clock.now()));
    Ok(identity.transpose()?)
}

impl Swappable {
    pub(super) fn new(
        params: Params,
        (porter, audit): (Arc<Porter>, Arc<Audit>),
        rules: Rules,
        identity: Option<Identity>,
        clock: &Arc<dyn Clock>,
    ) -> Self {
        Self {
            params,
            porter,
            audit,
            rules,
            identity,
            clock: Arc::clone(clock),
        }
    }

    pub(super) fn params(&self) -> &Params {
        &self.params
    }

    pub(super) fn parts(&self) -> Arc<ArcSwap<Configured<http::Parts>>> {
        Arc::clone(&self.rules.parts)
    }

    pub(super) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// Swaps what can be, and says in the log what became of it.
    pub(super) fn reload(&mut self, new: &Params) -> Reloaded {
        let reloaded = self.swapped(new).unwrap_or_else(|why| Reloaded {
            refused: Some(why),
            ..Reloaded::default()
        });
        match (&reloaded.refused, reloaded.restart.is_empty()) {
            (Some(_), _) => tracing::error!(%reloaded, "the configuration was read anew"),
            (None, false) => tracing::warn!(%reloaded, "the configuration was read anew"),
            (None, true) => tracing::info!(%reloaded, "the configuration was read anew"),
        }
        reloaded
    }

    /// What was swapped, or why nothing was: whatever can fail comes first.
    fn swapped(&mut self, new: &Params) -> Result<Reloaded, String> {
        let Change {
            in_force,
            rules,
            keys,
            mut swapped,
            restart,
        } = change(&self.params, new)?;
        let judging = match rules {
            true => self.rules.by(&in_force)?,
            false => self.rules.there(),
        };
        if let (Some(identity), Some(files)) = (&self.identity, &in_force.server.tls) {
            // They were judged with the configuration, and may have changed since.
            let replaced = identity.replace(files.clone(), self.clock.now());
            replaced.map_err(|error| format!("server.tls.{error}"))?;
            swapped.insert(0, "certificates");
        }
        // Nothing is in force that is not told.
        let told = auditing::configured(&self.audit, &in_force, self.clock.now());
        told.map_err(|error| {
            auditing::failed(&self.audit, self.clock.now());
            format!("{error}; certificates are those that are there now")
        })?;
        if rules || keys {
            let number = self.porter.number() + 1;
            let intake = Arc::clone(&judging.0.intake);
            // Meanwhile comments are kept whole only where both say so.
            let (was, is) = (whole(&self.params), whole(&in_force));
            intake.keep_whole(&was & &is);
            self.rules.swap(judging, number);
            self.porter.limit(limited(&in_force));
            self.porter.configure(in_force.keys.clone(), number);
            intake.keep_whole(is);
        }
        self.params = in_force;
        Ok(Reloaded {
            swapped,
            restart,
            refused: None,
        })
    }

    /// Looks at the files of certificates every 10 seconds, until told to stop.
    pub(super) fn watch(&self, stop: CancellationToken, tasks: &TaskTracker) {
        if let Some(identity) = self.identity.clone() {
            tasks.spawn(watch(identity, Arc::clone(&self.clock), stop));
        }
    }
}

async fn watch(identity: Identity, clock: Arc<dyn Clock>, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            () = stop.cancelled() => break,
        }
        let (identity, now) = (identity.clone(), clock.now());
        let looked = tokio::task::spawn_blocking(move || identity.look(now)).await;
        match looked {
            Ok(Some(Ok(()))) => {
                tracing::info!("new certificates: they are for connections from now on");
            }
            Ok(Some(Err(error))) => {
                tracing::error!(%error, "new certificates do not serve: the old ones go on");
            }
            Ok(None) => {}
            Err(error) => tracing::error!(%error, "certificates could not be looked at"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;
    use crate::tls::Files;
    use std::path::Path;

    /// A new certificate of its own, and its key.
    fn written(dir: &Path) -> Files {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let (certificate, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        std::fs::write(&certificate, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Files {
            certificate,
            key,
            client_ca: None,
        }
    }

    #[tokio::test(start_paused = true)]
    async fn certificates_that_change_are_read_without_being_asked() {
        let dir = tempfile::tempdir().unwrap();
        let now = SystemClock.now();
        let identity = Identity::read(written(dir.path()), now).unwrap();
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        tasks.spawn(watch(identity.clone(), Arc::new(SystemClock), stop.clone()));
        written(dir.path());
        tokio::time::sleep(LOOK * 2).await;
        assert_eq!(identity.look(now), None, "it was read before");
        written(dir.path());
        assert_eq!(identity.look(now), Some(Ok(())));
        stop.cancel();
        tasks.close();
        tasks.wait().await;
    }

    #[test]
    fn what_became_of_it_is_said_in_a_line() {
        let mut said = Reloaded::default();
        assert_eq!(said.to_string(), "nothing to change");
        said.swapped = vec!["certificates", "keys"];
        said.restart = vec!["arms".to_owned(), "store".to_owned()];
        let line = "now in force: certificates, keys; needs a restart: arms, store";
        assert_eq!(said.to_string(), line);
        said.refused = Some("team b".to_owned());
        assert_eq!(said.to_string(), "nothing is changed: team b");
    }
}
