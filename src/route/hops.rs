//! Hops: where to go when an endpoint has failed.
//!
//! After a failure: other endpoints of the arm, then the next arms, then, where nothing else is left, those that
//! were asked already, after a pause. Each hop passes the same [`Catalogue::eligible`] and the same limits as the
//! choice did, at the moment of the hop, and what it may cost is held on the budget first. Arms that the budget
//! withheld from the draw are no fallbacks.
//!
//! Invariants: an endpoint that has failed is asked by one request each time its wait is over, whatever road led
//! to it; at most [`MOST_TRIES`] tries are made for one request, of which [`MOST_AGAIN`] ask an endpoint
//! again, and that only for what may pass ([`Retry::SameArm`]), never sooner than it asked for.
//!
//! Not here: which endpoint of an arm (`roads`), asking (`complete`), breakers (`standing`).

use super::asked::{limits, need};
use super::choose::Route;
use super::context;
use super::cost::Pricing;
use super::error::Error;
use super::estimate::{Estimates, estimate};
use super::in_time::{exhausted, until};
use super::rank::order;
use super::request::Request;
use super::roads::{Choosing, seed};
use crate::access::Grant;
use crate::account::Unpaid;
use crate::chat::Message;
use crate::decision::Decision;
#[cfg(doc)]
use crate::eligibility::Catalogue;
use crate::eligibility::{Eligible, EligibleArm, Endpoint};
use crate::id::Name;
use crate::provider::{self, Kind, Retry, Source};
use crate::unit::Timestamp;
use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;

/// Most tries for one request.
pub const MOST_TRIES: usize = 8;

/// How often endpoints are asked again for one request, where none is left that was not.
const MOST_AGAIN: u32 = 2;

/// The first pause before an endpoint is asked again; the next one is twice as long.
const PAUSE: Duration = Duration::from_millis(100);

/// Longest pause: who is told to wait longer is told so.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// Where to go next.
#[derive(Debug, Clone)]
pub struct Road {
    /// The endpoint to ask.
    pub endpoint: Arc<Endpoint>,
    /// After this pause.
    pub pause: Duration,
    /// When it may be asked, where its probe is still to be taken.
    probe: Option<Timestamp>,
}

/// An endpoint that was asked for a request, in vain.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// What went wrong.
    pub error: provider::Error,
}

/// How the next endpoint is looked for.
#[derive(Clone, Copy)]
struct Hop<'a> {
    /// Places that are not asked.
    shut: &'a [bool],
    /// As [`Choosing::unprobed`].
    unprobed: bool,
    /// Messages that are sent after the request's own.
    more: &'a [Message],
    /// Where it is told what the budget does not pay for, of that the cheapest.
    unpaid: Option<&'a Cell<Option<Box<Unpaid>>>>,
}

impl<'a> Hop<'a> {
    /// To an endpoint that is not `shut`, at once.
    fn past(shut: &'a [bool]) -> Self {
        Self {
            shut,
            unprobed: false,
            more: &[],
            unpaid: None,
        }
    }

    /// The budget does not pay for one of the endpoints.
    fn tell(&self, unpaid: Option<Box<Unpaid>>) {
        let (Some(told), Some(unpaid)) = (self.unpaid, unpaid) else {
            return;
        };
        let before = told.take();
        let least = before.into_iter().chain([unpaid]);
        told.set(least.min_by_key(|unpaid| unpaid.asked));
    }
}

impl Route {
    /// Where to go after `tried`; `None` where there is no way left within `left`, the time that the caller
    /// still waits.
    pub fn next_road(
        &self,
        caller: &Grant,
        request: &Request,
        decision: &Decision,
        tried: &[Tried],
        left: Duration,
    ) -> Result<Option<Road>, Error> {
        let Some(last) = tried.last() else {
            return Ok(None);
        };
        let now = self.clock.now();
        let over = tried.len() >= MOST_TRIES || request.constraints.no_fallbacks;
        // Asked before an endpoint is: one that would not be asked must not lose its probe.
        let standing = &self.known.standing;
        let spent = over || !standing.has_retry(&caller.team, now);
        if spent || last.error.retry == Retry::Never || left.is_zero() {
            return Ok(None);
        }
        let asked =
            |endpoint: &Arc<Endpoint>| tried.iter().any(|t| t.endpoint.name == endpoint.name);
        let asked: Vec<bool> = self.catalogue.endpoints().iter().map(asked).collect();
        // Those that nothing is held against, then those that may be back, then those that only callers speak
        // against.
        let mut shuts = vec![
            standing.troubled(),
            standing.unavailable(now),
            standing.resting(now),
        ];
        shuts.dedup();
        for mut shut in shuts {
            shut.resize(asked.len(), false);
            shut.iter_mut()
                .zip(&asked)
                .for_each(|(s, asked)| *s |= asked);
            let hop = self.hop(caller, request, (decision, tried), Hop::past(&shut))?;
            if let Some(endpoint) = hop {
                let (pause, probe) = (Duration::ZERO, None);
                let road = Road {
                    endpoint,
                    pause,
                    probe,
                };
                return Ok(self.granted(&caller.team, road));
            }
        }
        self.road_again(caller, request, (decision, tried), left)
    }

    /// Where nothing else is left: to one of those that were asked, if what went wrong may pass.
    fn road_again(
        &self,
        caller: &Grant,
        request: &Request,
        (decision, tried): (&Decision, &[Tried]),
        left: Duration,
    ) -> Result<Option<Road>, Error> {
        let now = self.clock.now();
        let repeated = repeated(tried);
        if repeated >= MOST_AGAIN {
            return Ok(None);
        }
        let pause = |place| self.pause(tried, place, PAUSE * 2_u32.pow(repeated));
        let standing = &self.known.standing;
        let shut = (0..self.catalogue.endpoints().len()).map(|place| {
            let pause = pause(place).filter(|pause| *pause < left && *pause <= LONGEST_PAUSE);
            pause.is_none_or(|pause| standing.rest(place, now.after(pause)).is_some())
        });
        let shut: Vec<bool> = shut.collect();
        let later = Hop {
            unprobed: true,
            ..Hop::past(&shut)
        };
        let endpoint = self.hop(caller, request, (decision, tried), later)?;
        Ok(endpoint.and_then(|endpoint| {
            let pause = pause(self.catalogue.place(&endpoint.name)?)?;
            let probe = Some(now.after(pause));
            let road = Road {
                endpoint,
                pause,
                probe,
            };
            self.granted(&caller.team, road)
        }))
    }

    /// The road, if the team's retry budget has a try left.
    fn granted(&self, team: &Name, road: Road) -> Option<Road> {
        let granted = self.known.standing.may_retry(team, self.clock.now());
        granted.then_some(road)
    }

    /// The endpoint of a decision is not asked after all: its probe, if the decision took it, is the next one's.
    pub fn give_back(&self, decision: &Decision) {
        let standing = &self.known.standing;
        standing.give_back(&decision.endpoint, decision.time);
    }

    /// Whether a road is still open when its pause is over: of all who waited for an endpoint that has failed,
    /// one is let through.
    pub fn is_open(&self, road: &Road) -> bool {
        let place = self.catalogue.place(&road.endpoint.name);
        place.zip(road.probe).is_none_or(|(place, at)| {
            let now = self.clock.now().max(at);
            self.known.standing.admit(place, now)
        })
    }

    /// The endpoint to ask for a decision that was made before and is tried only now: its own, or else one that
    /// may stand in, by what holds now. What it may cost is held anew, by what is left now; where others must settle
    /// first it waits for that, as a decision does.
    pub async fn reopen(
        &self,
        (caller, request): (&Grant, &Request),
        decision: &Decision,
        deadline: Instant,
    ) -> Result<Arc<Endpoint>, Error> {
        let accounts = &self.known.accounts;
        accounts.lost(decision, self.clock.now());
        let reopened = || self.reopened(caller, request, decision);
        let (task, until) = (request.task.as_ref(), until(Some(deadline)));
        self.in_time(caller, task, until, reopened).await
    }

    fn reopened(
        &self,
        caller: &Grant,
        request: &Request,
        decision: &Decision,
    ) -> Result<Arc<Endpoint>, Error> {
        let now = self.clock.now();
        let endpoints = self.catalogue.endpoints().iter();
        let own: Vec<bool> = endpoints.map(|e| e.name != decision.endpoint).collect();
        let mut shuts = vec![own];
        if !request.constraints.no_fallbacks {
            shuts.push(self.known.standing.resting(now));
        }
        let unpaid = Cell::new(None);
        for shut in shuts {
            let hop = Hop {
                unpaid: Some(&unpaid),
                ..Hop::past(&shut)
            };
            let found = self.hop(caller, request, (decision, &[]), hop)?;
            if let Some(endpoint) = found {
                return Ok(endpoint);
            }
        }
        if let Some(unpaid) = unpaid.take() {
            return Err(exhausted(*unpaid));
        }
        let named = self.teams.get(&caller.team);
        let team = &named.ok_or(Error::Bug("a key of no team"))?.team;
        let snapshot = self.known.published.load();
        let learned = snapshot.teams.get(&caller.team);
        let learned = learned.ok_or(Error::Bug("no snapshot"))?;
        let capabilities = self.capabilities.needed(request);
        let need = need(caller, team, request, &capabilities, &[]);
        let mut eligible = self.unpinned(&need, learned, now);
        let excluded = std::mem::take(&mut eligible.excluded);
        Err(self.at_rest(&eligible, eligible.arms.iter(), excluded, now))
    }

    /// Whether an endpoint may be asked once more for a decision, with `more` messages after the request's: it
    /// passes what the choice and every hop pass, and its worst case is held.
    pub fn may_ask_again(
        &self,
        (caller, request): (&Grant, &Request),
        decision: &Decision,
        endpoint: &Endpoint,
        more: &[Message],
    ) -> bool {
        let endpoints = self.catalogue.endpoints().iter();
        let shut: Vec<bool> = endpoints.map(|e| e.name != endpoint.name).collect();
        let again = Hop {
            more,
            ..Hop::past(&shut)
        };
        let found = self.hop(caller, request, (decision, &[]), again);
        let found = found.inspect_err(|error| {
            tracing::error!(decision = %decision.id, %error, "whether an endpoint may be asked again was not found");
        });
        found.is_ok_and(|found| found.is_some())
    }

    /// How long to wait until the endpoint at `place` may be asked again; `None`: it may not.
    fn pause(&self, tried: &[Tried], place: usize, pause: Duration) -> Option<Duration> {
        let endpoint = self.catalogue.endpoints().get(place)?;
        let here = |t: &&Tried| t.endpoint.name == endpoint.name;
        let last = tried.iter().rfind(here)?;
        // One that took all the time there is for it would take it again.
        let passing = last.error.retry == Retry::SameArm
            && last.error.source == Source::Theirs
            && last.error.kind != Kind::Timeout;
        passing.then(|| pause.max(last.error.retry_after.unwrap_or_default()))
    }

    /// The endpoint to ask with these places shut, its worst case held.
    fn hop(
        &self,
        caller: &Grant,
        request: &Request,
        (decision, tried): (&Decision, &[Tried]),
        hop: Hop<'_>,
    ) -> Result<Option<Arc<Endpoint>>, Error> {
        let now = self.clock.now();
        let named = self.teams.get(&caller.team);
        let team = &named.ok_or(Error::Bug("a key of no team"))?.team;
        let snapshot = self.known.published.load();
        let learned = snapshot.teams.get(&caller.team);
        let learned = learned.ok_or(Error::Bug("no snapshot"))?;
        let capabilities = self.capabilities.needed(request);
        let mut need = need(caller, team, request, &capabilities, hop.shut);
        need.input = need.input.and(hop.more);
        let eligible = self.unpinned(&need, learned, now);
        let x = context::context(&team.extractor, request)?;
        let warm = self.warm(caller, request, now);
        let pricing = Pricing {
            catalogue: &self.catalogue,
            eligible: &eligible,
            need: &need,
            warm: &warm,
            now,
        };
        let budget_price = decision.allowance.as_ref().map_or(0.0, |a| a.price);
        let limits = limits(request);
        let of = (&x[..], budget_price);
        let estimates = estimate(&pricing, &limits, learned, of, &mut Vec::new())?;
        let by = Choosing {
            pricing,
            learned,
            x: &x,
            budget_price,
            request,
            seed: seed(request.session.as_ref(), decision.id),
            asks: true,
            unprobed: hop.unprobed,
        };
        let rule = request.task.as_ref().and_then(|task| team.tasks.get(task));
        for arm in order((request, rule), decision, &estimates, tried) {
            let arm = arm_of(&eligible, &estimates, arm)?;
            let held = |place| {
                let bounds = by.bounds(arm, place);
                let held = self.known.accounts.hold_for(decision, bounds, now);
                held.map_err(|unpaid| hop.tell(unpaid)).is_ok()
            };
            if let Some(place) = self.pick(&by, arm, held) {
                return Ok(self.catalogue.endpoints().get(place).cloned());
            }
        }
        Ok(None)
    }
}

/// How many of the tries asked an endpoint that had been asked before.
fn repeated(tried: &[Tried]) -> u32 {
    let again = |(index, this): &(usize, &Tried)| {
        let before = tried.iter().take(*index);
        before
            .into_iter()
            .any(|t| t.endpoint.name == this.endpoint.name)
    };
    u32::try_from(tried.iter().enumerate().filter(again).count()).unwrap_or(u32::MAX)
}

fn arm_of<'a>(
    eligible: &'a Eligible,
    estimates: &Estimates,
    index: usize,
) -> Result<&'a EligibleArm, Error> {
    let place = estimates.places.get(index);
    let arm = place.and_then(|place| eligible.arms.get(*place));
    arm.ok_or(Error::Bug("an estimate of no arm"))
}
