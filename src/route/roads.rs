//! Roads: which endpoint of an arm is asked.
//!
//! An arm's endpoint is chosen apart from the arm:
//! - The price of each is what the scorecard takes off for the expected cost there (with the tokens of the
//!   session that its cache is expected to hold, so that a session stays where it is warm for as long as that is
//!   worth more than the difference) and for its latency times the requests under way, and what the budget asks.
//! - Those within [`rank::CLOSE`](super::rank::CLOSE) of the least price count as equal. Among equals the one that holds most of the
//!   session goes first, then the less loaded of two that a hash of the session names (power of two choices):
//!   a session meets the same two after a restart and at every replica.
//! - The caller's own order of endpoints, and what it sorts them by, goes before that.
//! - One that has failed and is due goes before all of them, once: or nobody would see that it is back. Only for
//!   a request that we ask with: `Route` takes no probe, for nobody may ever ask what it names, and a probe that
//!   nobody tells of keeps an endpoint that is back from those who would see it. (To `Route` an endpoint is left
//!   alone, or it is not; what its callers report of one that has failed makes it avoided for a while.)
//!
//! Not here: where to go when it fails (`hops`), asking (`complete`), breakers and latencies (`standing`), what is
//! warm (`warmth`).
//!
//! Source: FACTS 4 and 5; power of two choices: Mitzenmacher 2001.

use super::asked::limits;
use super::bounds::Expecting;
use super::choose::Route;
use super::cost::Pricing;
use super::error::Error;
use super::rank::{Candidate, best};
use super::request::{Request, Sort};
use crate::budget::Bounds;
use crate::eligibility::{EligibleArm, Endpoint};
use crate::id::{DecisionId, Name};
use crate::learn::TeamSnapshot;
use std::time::Duration;
use xxhash_rust::xxh3::xxh3_64_with_seed;

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
    /// Whether we ask the endpoint, and not the caller.
    pub(super) asks: bool,
    /// No probe is taken: the caller asks, or we do later.
    pub(super) unprobed: bool,
}

impl Choosing<'_> {
    /// What is held for the request at an endpoint of `arm`.
    pub(super) fn bounds(&self, arm: &EligibleArm, place: usize) -> Option<Bounds> {
        let expecting = Expecting {
            learned: self.learned,
            x: self.x,
            asks: self.asks,
        };
        self.pricing.bounds(&expecting, arm, place)
    }
}

/// What a session, or else a decision, tells equal endpoints apart by.
pub(super) fn seed(session: Option<&Name>, id: DecisionId) -> u64 {
    match session {
        Some(session) => xxh3_64_with_seed(session.as_str().as_bytes(), 1),
        None => xxh3_64_with_seed(&id.as_u128().to_le_bytes(), 0),
    }
}

impl Route {
    /// The place in the catalogue of the endpoint of `arm` to ask: the best that `allowed` lets, which is asked of
    /// the best first (it may hold money) and of no other once one is found.
    pub(super) fn pick(
        &self,
        by: &Choosing<'_>,
        arm: &EligibleArm,
        mut allowed: impl FnMut(usize) -> bool,
    ) -> Option<usize> {
        let places = by.pricing.eligible.endpoints(arm);
        let admit = |place| by.unprobed || self.known.standing.admit(place, by.pricing.now);
        if let [only] = *places {
            return (allowed(only) && admit(only)).then_some(only);
        }
        let candidate = |place: &usize| self.candidate(by, arm, *place);
        let mut candidates: Vec<_> = places.iter().filter_map(candidate).collect();
        while let Some(index) = best(&candidates, by.seed) {
            let chosen = candidates.swap_remove(index);
            if allowed(chosen.place) && admit(chosen.place) {
                return Some(chosen.place);
            }
        }
        None
    }

    /// The endpoint of the arm drawn that is asked first, and what is held there. `affords` says whether the budget
    /// pays for one. `None`: its breaker opened, or another request took the one probe, since it was looked at.
    pub(super) fn first_road(
        &self,
        by: Choosing<'_>,
        arm: &EligibleArm,
        mut affords: impl FnMut(Option<Bounds>) -> bool,
    ) -> Result<Option<(Name, Option<Bounds>)>, Error> {
        let affordable = |place| affords(by.bounds(arm, place));
        let Some(place) = self.pick(&by, arm, affordable) else {
            let unprobed = true;
            let by = Choosing { unprobed, ..by };
            let any = self.pick(&by, arm, |place| affords(by.bounds(arm, place)));
            let none = Error::Bug("an eligible arm without endpoint");
            return any.map(|_| None).ok_or(none);
        };
        let endpoint = self.catalogue.endpoints().get(place);
        let endpoint = endpoint.ok_or(Error::Bug("a place without endpoint"))?;
        Ok(Some((endpoint.name.clone(), by.bounds(arm, place))))
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
                .tokens(&endpoint.name, pricing.need.input.expected()),
            weight: load.weight(),
            due: load.due && !by.unprobed,
        })
    }

    /// How long an endpoint usually takes: for a whole answer, or until the first piece of a streamed one.
    pub fn usual(&self, endpoint: &Endpoint, streamed: bool) -> Option<Duration> {
        let place = self.catalogue.place(&endpoint.name)?;
        let usual_ms = self.known.standing.usual_ms(place, streamed)?;
        Duration::try_from_secs_f64(usual_ms / 1e3).ok()
    }
}
