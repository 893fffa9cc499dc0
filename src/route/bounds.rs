//! What is held for a request at an endpoint: at most what it can cost, at least what its answer is expected to.
//!
//! Where we ask the provider, the answer may be held to what the budget has left: then twice the output tokens
//! that are expected ([`ENOUGH`]) are enough, and the provider is told that no more may come ([`Route::paid_output`]).
//! Where the caller asks it, nobody holds it to that, and nothing less than the worst case will do.
//!
//! A stream is held to the same: its hold does not grow while it runs. A provider is told its bound once, before
//! it begins; a bound above what is held would have to be kept by hanging up, and what a model thinks is billed and
//! never heard, so that nobody knows when.
//!
//! Invariants: what a provider is told pays for itself out of what is held, at the dearest price of each token.
//!
//! Not here: how much of it is held (`budget::Bounds`), worst cases (`eligibility`).
//!
//! Units: tokens; nano-dollars.

use super::choose::Route;
use super::context;
use super::cost::Pricing;
use super::request::Request;
use crate::budget::Bounds;
use crate::chat::Message;
use crate::decision::Decision;
use crate::eligibility::{EligibleArm, Endpoint, Need, REFERENCE_OUTPUT_TOKENS, paid_output};
use crate::learn::TeamSnapshot;

/// An answer is let to be so many times as long as what is expected.
const ENOUGH: f64 = 2.0;

/// And never held to less than so many tokens.
const LEAST: u32 = 16;

/// Whose answers to expect, and of which context.
#[derive(Debug, Clone, Copy)]
pub(super) struct Expecting<'a> {
    pub(super) learned: &'a TeamSnapshot,
    pub(super) x: &'a [f32],
    /// Whether we ask the provider, and tell it how much may come.
    pub(super) asks: bool,
}

impl Expecting<'_> {
    /// Output tokens that are enough for an arm's answer; `None`: nothing but the most that there can be.
    fn output(&self, pricing: &Pricing<'_>, arm: &EligibleArm) -> Option<u32> {
        if !self.asks {
            return None;
        }
        let arm = pricing.catalogue.arms().get(arm.arm)?;
        let learned = self.learned.arms.get(&arm.name)?;
        let expected = learned.expected.output_tokens(self.x);
        let expected = expected.unwrap_or(f64::from(REFERENCE_OUTPUT_TOKENS));
        // A cast stops at the ends of its range.
        Some(((expected * ENOUGH).ceil() as u32).max(LEAST))
    }
}

impl Pricing<'_> {
    /// What is held for the request at the endpoint at `place`; `None` without a price.
    pub(super) fn bounds(
        &self,
        expecting: &Expecting<'_>,
        arm: &EligibleArm,
        place: usize,
    ) -> Option<Bounds> {
        let cost = |need| self.catalogue.worst_case(arm, place, need, self.now);
        let worst = cost(self.need)?;
        let Some(output) = expecting.output(self, arm) else {
            return Some(Bounds::whole(worst));
        };
        let stated = self.need.max_output_tokens.unwrap_or(output);
        let held_to = Need {
            max_output_tokens: Some(stated.min(output)),
            ..*self.need
        };
        let enough = cost(&held_to)?;
        Some(Bounds { enough, worst })
    }

    /// As [`Pricing::bounds`], at whichever endpoint of the arm least is enough.
    pub(super) fn least_bounds(
        &self,
        expecting: &Expecting<'_>,
        arm: &EligibleArm,
    ) -> Option<Bounds> {
        let places = self.eligible.endpoints(arm).iter();
        let bounds = places.filter_map(|place| self.bounds(expecting, arm, *place));
        bounds.min_by_key(|bounds| bounds.enough)
    }
}

impl Route {
    /// Most output tokens that what is held for a decision pays for at an endpoint, with `more` messages after
    /// the request's; `None`: as many as there can be, or no hard limit holds anything.
    pub fn paid_output(
        &self,
        decision: &Decision,
        endpoint: &Endpoint,
        request: &Request,
        more: &[Message],
    ) -> Option<u32> {
        let held = self.known.accounts.held(decision)?;
        let arm = self.catalogue.arm(endpoint.arm.as_str())?;
        let arm = self.catalogue.arms().get(arm)?;
        let input = context::input_tokens(request).and(more).bound();
        paid_output((arm, endpoint), input, held, self.clock.now())
    }
}
