//! Roads: which endpoint of an arm is asked, and where to go when it fails.
//!
//! An arm's endpoint is chosen apart from the arm:
//! - The price of each is what the scorecard takes off for the expected cost there (with the tokens of the
//!   session that its cache is expected to hold, so that a session stays where it is warm for as long as that is
//!   worth more than the difference) and for its latency times the requests under way, and what the budget asks.
//! - Those within [`rank::CLOSE`](super::rank::CLOSE) of the least price count as equal. Among equals the one that holds most of the
//!   session goes first, then the less loaded of two that a hash of the session names (power of two choices):
//!   a session meets the same two after a restart and at every replica.
//! - The caller's own order of endpoints, and what it sorts them by, goes before that.
//! - One that has failed and is due goes before all of them, once: or nobody would see that it is back.
//!
//! After a failure: other endpoints of the arm, then the next arms, then, where nothing else is left, those that
//! were asked already, after a pause. Each hop passes the same [`Catalogue::eligible`] and the same limits as the
//! choice did, at the moment of the hop, and its worst case is held on the budget first. Arms that the budget
//! withheld from the draw are no fallbacks.
//!
//! Invariants: at most [`MOST_TRIES`] tries are made for one request, of which [`MOST_AGAIN`] ask an endpoint
//! again, and that only for what may pass ([`Retry::SameArm`]), never sooner than it asked for.
//!
//! Not here: asking (`complete`), breakers and latencies (`standing`), what is warm (`warmth`).
//!
//! Source: FACTS 4 and 5; power of two choices: Mitzenmacher 2001.

use super::asked::{limits, need};
use super::choose::Route;
use super::context;
use super::cost::Pricing;
use super::error::Error;
use super::estimate::{Estimates, estimate};
use super::rank::{Candidate, best, order};
use super::request::{Request, Sort};
use crate::access::Grant;
use crate::decision::Decision;
#[cfg(doc)]
use crate::eligibility::Catalogue;
use crate::eligibility::{Eligible, EligibleArm, Endpoint};
use crate::id::{DecisionId, Name};
use crate::learn::TeamSnapshot;
use crate::provider::{self, Kind, Retry, Source};
use crate::unit::NanoUsd;
use std::sync::Arc;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64_with_seed;

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
}

/// An endpoint that was asked for a request, in vain.
#[derive(Debug, Clone)]
pub struct Tried {
    /// The endpoint.
    pub endpoint: Arc<Endpoint>,
    /// What went wrong.
    pub error: provider::Error,
}

/// What an endpoint of an arm is chosen by.
pub(super) struct Choosing<'a> {
    pub(super) pricing: Pricing<'a>,
    pub(super) learned: &'a TeamSnapshot,
    pub(super) x: &'a [f32],
    /// What a dollar costs beside the scorecard's price, in quality points.
    pub(super) budget_price: f64,
    pub(super) request: &'a Request,
    /// The session, or else the decision: what equals are told apart by.
    pub(super) seed: u64,
    /// Whatever the breakers say.
    pub(super) forced: bool,
}

/// What a session, or else a decision, tells equal endpoints apart by.
pub(super) fn seed(session: Option<&Name>, id: DecisionId) -> u64 {
    match session {
        Some(session) => xxh3_64_with_seed(session.as_str().as_bytes(), 1),
        None => xxh3_64_with_seed(&id.as_u128().to_le_bytes(), 0),
    }
}

impl Route {
    /// The place in the catalogue of the endpoint of `arm` to ask, among those that `allowed` lets.
    pub(super) fn pick(
        &self,
        by: &Choosing<'_>,
        arm: &EligibleArm,
        mut allowed: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let places = by.pricing.eligible.endpoints(arm);
        let admit = |place| by.forced | self.known.standing.admit(place, by.pricing.now);
        if let [only] = *places {
            return (allowed(only) && admit(only)).then_some(only);
        }
        let candidate = |place: &usize| self.candidate(by, arm, *place);
        let places = places.iter().filter(|place| allowed(**place));
        let mut candidates: Vec<_> = places.filter_map(candidate).collect();
        while let Some(index) = best(&candidates, by.seed) {
            let chosen = candidates.swap_remove(index);
            if admit(chosen.place) {
                return Some(chosen.place);
            }
        }
        None
    }

    /// The endpoint of the arm drawn that is asked first, and its worst case. `affords` says whether the budget
    /// pays for one.
    pub(super) fn first_road(
        &self,
        by: Choosing<'_>,
        arm: &EligibleArm,
        mut affords: impl FnMut(Option<NanoUsd>) -> bool,
    ) -> Result<(Name, Option<NanoUsd>), Error> {
        let (need, now) = (by.pricing.need, by.pricing.now);
        let worst = |place| self.catalogue.worst_case(arm, place, need, now);
        let place = self.pick(&by, arm, |place| affords(worst(place)));
        // Its breaker opened, or another request took the one probe, since it was looked at.
        let forced = Choosing { forced: true, ..by };
        let place = place.or_else(|| self.pick(&forced, arm, |place| affords(worst(place))));
        let place = place.ok_or(Error::Bug("an eligible arm without endpoint"))?;
        let endpoint = self.catalogue.endpoints().get(place);
        let endpoint = endpoint.ok_or(Error::Bug("a place without endpoint"))?;
        Ok((endpoint.name.clone(), worst(place)))
    }

    fn candidate(&self, by: &Choosing<'_>, arm: &EligibleArm, place: usize) -> Option<Candidate> {
        let pricing = &by.pricing;
        let endpoint = self.catalogue.endpoints().get(place)?;
        let learned = &by.learned.arms.get(&endpoint.arm)?.expected;
        let cost = pricing.cost_at(arm, place, learned, by.x)?;
        if limits(by.request)
            .check(&endpoint.arm, cost.usd, None)
            .is_some()
        {
            return None;
        }
        let (standing, streaming) = (&self.known.standing, by.request.streaming);
        let load = standing.load(place, streaming, pricing.now);
        let latency = load.latency_ms.map(|ms| ms * f64::from(load.under_way + 1));
        let scorecard = &by.learned.scorecard;
        let price = |latency| scorecard.price(cost.usd, latency) + by.budget_price * cost.usd;
        let constraints = &by.request.constraints;
        let named = |name: &Name| *name == endpoint.name || *name == endpoint.provider;
        let rank = constraints.endpoint_order.iter().position(named);
        let slow = constraints.preferred_latency_ms.zip(load.latency_ms);
        Some(Candidate {
            place,
            rank: (
                slow.is_some_and(|(most, ms)| ms > most),
                rank.unwrap_or(usize::MAX),
            ),
            points: match constraints.endpoint_sort {
                None => price(latency),
                Some(Sort::Price) => price(None),
                Some(Sort::Latency) => latency.unwrap_or(0.0),
            },
            cost_points: price(None),
            warm: pricing
                .warm
                .tokens(&endpoint.name, pricing.need.input_tokens),
            weight: load.weight(),
            due: load.due,
        })
    }

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
        if over || last.error.retry == Retry::Never || left.is_zero() {
            return Ok(None);
        }
        let asked =
            |endpoint: &Arc<Endpoint>| tried.iter().any(|t| t.endpoint.name == endpoint.name);
        let asked: Vec<bool> = self.catalogue.endpoints().iter().map(asked).collect();
        let standing = &self.known.standing;
        // Those that nothing is held against, then those that may be back.
        for mut shut in [standing.troubled(), standing.unavailable(now)] {
            shut.resize(asked.len(), false);
            shut.iter_mut()
                .zip(&asked)
                .for_each(|(s, asked)| *s |= asked);
            let hop = self.hop(caller, request, decision, tried, (&shut, false))?;
            if let Some(endpoint) = hop {
                let pause = Duration::ZERO;
                return Ok(self.granted(Road { endpoint, pause }));
            }
        }
        // Nothing else is left: those that were asked, if what went wrong may pass.
        let repeated = repeated(tried);
        if repeated >= MOST_AGAIN {
            return Ok(None);
        }
        let pause = |place| self.pause(tried, place, PAUSE * 2_u32.pow(repeated));
        let shut = (0..asked.len()).map(|place| {
            let pause = pause(place).filter(|pause| *pause < left && *pause <= LONGEST_PAUSE);
            pause.is_none_or(|pause| standing.is_open(place, now.after(pause)))
        });
        let shut: Vec<bool> = shut.collect();
        let endpoint = self.hop(caller, request, decision, tried, (&shut, true))?;
        Ok(endpoint.and_then(|endpoint| {
            let pause = pause(self.catalogue.place(&endpoint.name)?)?;
            self.granted(Road { endpoint, pause })
        }))
    }

    /// The road, if the retry budget has a try left.
    fn granted(&self, road: Road) -> Option<Road> {
        let granted = self.known.standing.may_retry(self.clock.now());
        granted.then_some(road)
    }

    /// How long an endpoint usually takes: for a whole answer, or until the first piece of a streamed one.
    pub fn usual(&self, endpoint: &Endpoint, streamed: bool) -> Option<Duration> {
        let place = self.catalogue.place(&endpoint.name)?;
        let usual_ms = self.known.standing.usual_ms(place, streamed)?;
        Duration::try_from_secs_f64(usual_ms / 1e3).ok()
    }

    /// Holds the worst case of asking an endpoint once more, with `input_tokens` this time; whether it could.
    pub fn hold_another(
        &self,
        request: &Request,
        decision: &Decision,
        endpoint: &Endpoint,
        input_tokens: u32,
    ) -> bool {
        let now = self.clock.now();
        let arm = self.catalogue.arm(endpoint.arm.as_str());
        let arm = arm.and_then(|arm| self.catalogue.arms().get(arm));
        let Some((arm, price)) = arm.zip(endpoint.price(now)) else {
            return false;
        };
        let most = [request.max_output_tokens, arm.max_output_tokens];
        let room = arm.context_tokens.saturating_sub(input_tokens);
        let output = most.into_iter().flatten().min().unwrap_or(room);
        if output > room {
            return false;
        }
        let worst = NanoUsd::from_usd(price.cost_usd(input_tokens, 0, output)).ok();
        self.known.accounts.hold_for(decision, worst, now)
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
        decision: &Decision,
        tried: &[Tried],
        (shut, forced): (&[bool], bool),
    ) -> Result<Option<Arc<Endpoint>>, Error> {
        let now = self.clock.now();
        let named = self.teams.get(&caller.team);
        let team = &named.ok_or(Error::Bug("a key of no team"))?.team;
        let snapshot = self.known.published.load();
        let learned = snapshot.teams.get(&caller.team);
        let learned = learned.ok_or(Error::Bug("no snapshot"))?;
        let capabilities = self.capabilities.needed(request);
        let need = need(caller, team, request, &capabilities, shut);
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
            forced,
        };
        let rule = request.task.as_ref().and_then(|task| team.tasks.get(task));
        for arm in order((request, rule), decision, &estimates, tried) {
            let arm = arm_of(&eligible, &estimates, arm)?;
            let held = |place| {
                let worst = self.catalogue.worst_case(arm, place, &need, now);
                self.known.accounts.hold_for(decision, worst, now)
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
