//! The OpenAI-compatible door of a server at work.
//!
//! Not here: what it does with a call (`http`), when it opens and closes (`running`).

use super::error::Error;
use super::listening::bound;
use super::reload::Swappable;
use super::running::Task;
use super::state::seed;
use crate::clock::Clock;
use crate::config;
use crate::eligibility::{Catalogue, DataPolicy};
use crate::grpc::{Gateway, KeyDesk};
use crate::http;
use crate::id::{Name, Secret};
use crate::tls::Speaks;
use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The OpenAI-compatible door at work.
#[derive(Debug)]
pub(super) struct Door {
    address: SocketAddr,
    door: Arc<http::Door>,
    serving: Task<()>,
}

impl Door {
    /// Opens it, where it is configured; it does not say that it serves yet.
    pub(super) async fn open(
        swappable: &Swappable,
        tasks: &TaskTracker,
    ) -> Result<Option<Self>, Error> {
        let settings = &swappable.params().server;
        let Some(address) = settings.http_listen else {
            return Ok(None);
        };
        let listener = bound(address, Speaks::Either, swappable.identity()).await?;
        let address = listener.address();
        let mut limits = http::Limits::new(settings.max_message_bytes);
        (limits.head, limits.body_silence) = (settings.http_patience, settings.http_patience);
        let door = Arc::new(http::Door::new(swappable.parts(), limits, seed()?));
        let stop = CancellationToken::new();
        let handle = tasks.spawn(http::serve(listener, Arc::clone(&door), stop.clone()));
        let serving = Task { stop, handle };
        Ok(Some(Self {
            address,
            door,
            serving,
        }))
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Says that it serves.
    pub(super) fn opened(&self) {
        self.door.set_serving(true);
        tracing::info!(address = %self.address, "serving HTTP");
    }

    /// Takes no new calls; ends when those at work are finished.
    pub(super) fn closing(self) -> JoinHandle<()> {
        self.door.set_serving(false);
        self.serving.stop.cancel();
        self.serving.handle
    }
}

/// Where each team's data may go.
pub(super) fn policies(params: &config::Params) -> BTreeMap<Name, DataPolicy> {
    let policy = |team: &config::Team| (team.name.clone(), team.data_policy.clone());
    params.teams.iter().map(policy).collect()
}

/// What the OpenAI-compatible door leads to.
pub(super) fn parts(
    params: &config::Params,
    gateway: &Gateway,
    catalogue: Arc<Catalogue>,
    (keys, secret): (&KeyDesk, &Secret),
    clock: &Arc<dyn Clock>,
) -> http::Parts {
    http::Parts {
        complete: Arc::clone(&gateway.complete),
        intake: Arc::clone(&gateway.intake),
        catalogue,
        porter: Arc::clone(keys.book.porter()),
        policies: policies(params),
        secret: secret.clone(),
        clock: Arc::clone(clock),
    }
}
