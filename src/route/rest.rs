//! Rest: what is told where every endpoint that a request may use is left alone for a while.
//!
//! A request that finds no road is refused at once, with the shortest wait. Why not kept until then: an endpoint
//! that is left alone lets *one* request through when its wait is over, so that of all who were kept one would go
//! on and the others be refused later instead of now; and those who were kept would all set out in the same
//! moment, on an endpoint that has just come back. A caller who is told how long can wait by itself: SDKs do,
//! each with its own jitter, and it knows what else it could do.
//!
//! Invariants: a wait is told only where waiting may help: of endpoints that the request could use if none were
//! left alone, within its limits and its team's budget.
//!
//! Not here: who is left alone (`standing`), a pause before a second try of what was begun (`hops`).

use super::asked::Asked;
use super::choose::Route;
use super::cost::Pricing;
use super::error::{AtRest, Error};
use super::spending::Spending;
use super::weigh::affordable;
use crate::decision::{Excluded, Reason};
use crate::eligibility::{Eligible, EligibleArm, Need};
use crate::id::Name;
use crate::unit::Timestamp;

impl Route {
    /// Why none is left, once `excluded` are out; `only` is the one arm that the team's policy would have drawn.
    pub(super) fn none_left(
        &self,
        asked: &Asked<'_>,
        mut spending: Spending<'_>,
        excluded: Vec<Excluded>,
        only: Option<&Name>,
    ) -> Error {
        if !excluded.iter().any(|out| out.reason == Reason::Unavailable) {
            return Error::NoEligibleArm { excluded };
        }
        let unavailable = &[];
        let need = Need {
            unavailable,
            ..asked.need
        };
        let eligible = self.unpinned(&need, asked.learned, asked.now);
        let pricing = Pricing {
            catalogue: &self.catalogue,
            eligible: &eligible,
            need: &need,
            warm: &asked.warm,
            now: asked.now,
        };
        let estimates = match affordable(asked, &pricing, &mut spending, &mut Vec::new()) {
            Ok(estimates) => estimates,
            Err(error) => return error,
        };
        let wanted = |arm: &Name| only.is_none_or(|only| only == arm);
        let places = estimates.arms.iter().zip(&estimates.places);
        let places = places.filter(|(arm, _)| wanted(arm));
        let arms = places.filter_map(|(_, place)| eligible.arms.get(*place));
        self.at_rest(&eligible, arms, excluded, asked.now)
    }

    /// The refusal where these arms could be asked if their endpoints were not left alone.
    pub(super) fn at_rest<'a>(
        &self,
        eligible: &Eligible,
        arms: impl Iterator<Item = &'a EligibleArm>,
        excluded: Vec<Excluded>,
        now: Timestamp,
    ) -> Error {
        let places = arms.flat_map(|arm| eligible.endpoints(arm));
        let rests = places.filter_map(|place| self.known.standing.rest(*place, now));
        let (wait, limited) = rests.fold((None, true), |(wait, limited), rest| {
            let shorter = wait.map_or(rest.wait, |wait| rest.wait.min(wait));
            (Some(shorter), limited && rest.limited)
        });
        match wait {
            Some(wait) => Error::from(AtRest {
                wait,
                limited,
                excluded,
            }),
            None => Error::NoEligibleArm { excluded },
        }
    }
}
