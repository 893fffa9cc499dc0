//! Weighing: from what is asked to an arm, its endpoint and the money held for it.
//!
//! In order: who may take it, what each would do and cost, what the budget leaves of them, the draw, the endpoint,
//! the hold.
//!
//! Not here: reading what is asked (`asked`), recording what came of it (`choose`).

use super::asked::{Asked, Chosen, limits};
use super::choose::Route;
use super::cost::Pricing;
use super::draw::draw;
use super::error::Error;
use super::estimate::{Estimates, estimate};
use super::roads;
use super::spending::Spending;
use crate::bandit::{ChoiceError, Scratch};
use crate::decision::Excluded;
use std::cell::RefCell;

thread_local! {
    /// Buffers of the draw, one a thread: no allocation per request.
    static SCRATCH: RefCell<Scratch> = RefCell::default();
}

impl Route {
    /// From what is asked to an arm, its endpoints and the money held for it. `None`: another request took the
    /// one probe of the endpoint meanwhile.
    pub(super) fn choose(
        &self,
        asked: Asked<'_>,
        mut spending: Spending<'_>,
    ) -> Result<Option<Chosen>, Error> {
        let (learned, id) = (asked.learned, asked.id);
        let mut eligible = self.unpinned(&asked.need, learned, asked.now);
        let mut excluded = std::mem::take(&mut eligible.excluded);
        let pricing = Pricing {
            catalogue: &self.catalogue,
            eligible: &eligible,
            need: &asked.need,
            warm: &asked.warm,
            now: asked.now,
        };
        let budget_price = spending.price();
        let mut estimates = left(&asked, &pricing, &mut spending, &mut excluded)?;
        if estimates.arms.is_empty() {
            return Err(self.none_left(&asked, spending, excluded, None));
        }
        let (way, chooser) = (asked.way(&estimates), asked.chooser(&estimates.arms));
        let places = std::mem::take(&mut estimates.places);
        let uniform = self.mint().secret().uniform(id);
        let drawing = SCRATCH.with_borrow_mut(|scratch| {
            let how = (&way, &spending);
            draw(estimates, &chooser.choosing, how, uniform, scratch)
        });
        let (drawn, origin) = match drawing {
            Err(ChoiceError::FixedArm { arm }) => {
                return Err(self.none_left(&asked, spending, excluded, Some(&arm)));
            }
            drawing => drawing?,
        };
        let by = roads::Choosing {
            pricing,
            learned,
            x: asked.x,
            budget_price,
            request: asked.request,
            seed: roads::seed(asked.request.session.as_ref(), id),
            asks: asked.asks,
            unprobed: !asked.asks,
        };
        let arm = places.get(drawn.chosen as usize);
        let arm = arm.and_then(|place| eligible.arms.get(*place));
        let arm = arm.ok_or(Error::Bug("a draw without arm"))?;
        let road = self.first_road(by, arm, |bounds| spending.affords(bounds))?;
        let Some((endpoint, bounds)) = road else {
            return Ok(None);
        };
        Ok(Some(Chosen {
            fallbacks: self.fallbacks(&eligible, &places, &drawn),
            drawn,
            origin,
            policy: chooser.policy.clone(),
            excluded,
            endpoint,
            allowance: spending.hold(id, bounds)?,
        }))
    }
}

/// What is expected of the arms that limits, budget and the caller's order leave, if they leave any.
fn left(
    asked: &Asked<'_>,
    pricing: &Pricing<'_>,
    spending: &mut Spending<'_>,
    excluded: &mut Vec<Excluded>,
) -> Result<Estimates, Error> {
    let mut estimates = affordable(asked, pricing, spending, excluded)?;
    if !estimates.arms.is_empty() {
        asked.keep_first_of_order(&mut estimates, excluded);
    }
    Ok(estimates)
}

/// What is expected of the arms that limits and budget leave.
pub(super) fn affordable(
    asked: &Asked<'_>,
    pricing: &Pricing<'_>,
    spending: &mut Spending<'_>,
    excluded: &mut Vec<Excluded>,
) -> Result<Estimates, Error> {
    let (limits, of) = (limits(asked.request), (asked.x, spending.price()));
    let mut estimates = estimate(pricing, &limits, asked.learned, of, excluded)?;
    if !estimates.arms.is_empty() {
        let expecting = asked.expecting();
        let bounds = |place| {
            let arm = pricing.eligible.arms.get(place)?;
            pricing.least_bounds(&expecting, arm)
        };
        spending.withhold(&mut estimates, asked.granted(), bounds, excluded)?;
    }
    Ok(estimates)
}
