//! What a call is let in by, before anything is decided for it.
//!
//! Invariants: a call that its key does not allow or that is over a limit costs no look into its words; one that the
//! guardrail refuses has drawn its request all the same.
//!
//! Not here: counting (`quota`), the key itself (`access`), the guardrail (`screen`).

use super::choose::Route;
use super::context::input_tokens;
use super::error::Error;
use super::reply::Routed;
use super::request::Request;
use super::screen::{Screened, Told};
use crate::access::Grant;
use crate::id::Name;
use crate::loops::{Action, Watched};
use crate::quota::{Expected, Meters, Pass, Quotas, Refusal};
use crate::recurrence::Fingerprint;
use std::borrow::Cow;
use std::sync::Arc;
use tokio::time::Instant;

/// A call that was let in, and its request as it may leave.
#[derive(Debug)]
pub struct Entered<'a> {
    /// The request.
    pub request: Cow<'a, Request>,
    /// What the guardrail found in it.
    pub(super) told: Option<Told>,
    /// What the call has of its limits.
    pub(super) pass: Option<Arc<Pass>>,
}

impl Route {
    /// Lets a call in: by its key, by the limits that it is under, then by its team's guardrail.
    pub async fn enter<'a>(
        &self,
        caller: &Grant,
        request: &'a Request,
    ) -> Result<Entered<'a>, Error> {
        caller.check_task(request.task.as_ref())?;
        let pass = self.admit(caller, request)?;
        let Screened { request, told } = self.screen(caller, request).await?;
        Ok(Entered {
            request,
            told,
            pass,
        })
    }

    /// The same with these limits.
    #[must_use]
    pub fn within(self, quotas: Quotas) -> Self {
        Self { quotas, ..self }
    }

    /// What callers drew of their limits.
    pub fn meters(&self) -> &Meters {
        &self.known.meters
    }

    /// Lets a call in, if its key, its team and the organisation have room for it.
    fn admit(&self, caller: &Grant, request: &Request) -> Result<Option<Arc<Pass>>, Error> {
        if self.quotas == Quotas::default() {
            return Ok(None);
        }
        let expected = Expected {
            input: input_tokens(request).expected(),
            most_output: request.max_output_tokens,
        };
        let who = (&caller.team, &caller.key);
        let admitted = self.known.meters.admit(&self.quotas, who, expected);
        let refused = match admitted {
            Ok(pass) => return Ok(pass.map(Arc::new)),
            Err(refused) => refused,
        };
        let refusal = Refusal {
            time: self.clock.now(),
            key: caller.key.clone(),
            task: request.task.clone(),
            owner: refused.owner.clone(),
            limited: refused.limited,
        };
        self.known.meters.refused(&caller.team, refusal);
        Err(Error::OverLimit(refused))
    }

    /// Decides for a call that is no repeat, if its episode may go on. `how`: as of [`Route::in_turn`].
    pub(super) async fn anew(
        &self,
        caller: &Grant,
        request: &Request,
        how: (bool, Instant),
    ) -> Result<Routed, Error> {
        let watched = self.watched(caller, request)?;
        let mut routed = self.in_turn(caller, request, how).await?;
        let (asks, _) = how;
        if !asks {
            watched.iter().for_each(Watched::answered);
        }
        routed.watched = watched.map(Arc::new);
        Ok(routed)
    }

    /// The call's place in its episode, where that is watched and does not go round.
    fn watched(&self, caller: &Grant, request: &Request) -> Result<Option<Watched>, Error> {
        let named = self.teams.get(&caller.team);
        let watch = named.and_then(|named| named.team.loops);
        let (Some(watch), Some(episode)) = (watch, &request.episode) else {
            return Ok(None);
        };
        let asked = Fingerprint::of(&request.messages);
        let (team, task, now) = (&caller.team, request.task.as_ref(), self.clock.now());
        let loops = &self.known.loops;
        let called = loops.call(&watch, (team, episode), task, asked, now);
        let found = match &called {
            Ok(watched) => watched.warning,
            Err(looping) => Some(looping.finding),
        };
        if let Some(finding) = found {
            let stops = watch.action == Action::Stop;
            self.known.metrics.looping(finding.rule.as_str(), stops);
        }
        match &called {
            Ok(Watched {
                warning: Some(finding),
                is_new: true,
                ..
            }) => {
                tracing::warn!(%team, %episode, %finding, "an episode goes round");
            }
            Err(looping) => tracing::warn!(%team, error = %looping, "a call is refused"),
            Ok(_) => {}
        }
        Ok(Some(called.map_err(Box::new)?))
    }

    /// An episode of a team was closed: what comes in its name begins anew.
    pub fn episode_closed(&self, team: &Name, episode: &Name) {
        self.known.loops.closed(team, episode);
    }
}
