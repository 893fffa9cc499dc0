//! Again: which endpoints a repeat of a request id is told of.
//!
//! Invariants: no endpoint is named to a repeat that its caller may not ask now: it passes what every hop passes, by
//! the key of the repeat and the rules that hold when it comes; where the first call's own endpoint does not, the
//! repeat is refused with the reason, and decides nothing anew.
//!
//! Not here: whether the id was used before (`choose`), asking for a repeat (`hops`), money (`in_time`).

use super::asked::need;
use super::choose::Route;
use super::error::Error;
use super::reply::Routed;
use super::request::Request;
use crate::access::Grant;
use crate::decision::Excluded;
use crate::eligibility::{Eligible, Endpoint, Need};
use crate::unit::Timestamp;

impl Route {
    /// Takes from a first decision the fallbacks that may not be asked now; refuses where its endpoint may not.
    pub(super) fn permit_again(
        &self,
        caller: &Grant,
        request: &Request,
        routed: &mut Routed,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let named = self.teams.get(&caller.team);
        let team = &named.ok_or(Error::Bug("a key of no team"))?.team;
        let snapshot = self.known.published.load();
        let learned = snapshot.teams.get(&caller.team);
        let learned = learned.ok_or(Error::Bug("no snapshot"))?;
        let capabilities = self.capabilities.needed(request);
        // That one has failed meanwhile forbids nothing: the caller asks it, not we.
        let need = need(caller, team, request, &capabilities, &[]);
        let eligible = self.unpinned(&need, learned, now);
        routed
            .fallbacks
            .retain(|endpoint| self.may(&eligible, endpoint));
        if self.may(&eligible, &routed.endpoint) {
            return Ok(());
        }
        let excluded = self.out(&eligible, &routed.endpoint, (&need, now));
        Err(Error::NoEligibleArm {
            excluded: excluded.into_iter().collect(),
        })
    }

    fn may(&self, eligible: &Eligible, endpoint: &Endpoint) -> bool {
        let place = self.catalogue.place(&endpoint.name);
        let mut arms = eligible.arms.iter();
        place.is_some_and(|place| arms.any(|arm| eligible.endpoints(arm).contains(&place)))
    }

    /// Why an endpoint that may not be asked may not: its own reason, or its arm's.
    fn out(
        &self,
        eligible: &Eligible,
        endpoint: &Endpoint,
        (need, now): (&Need<'_>, Timestamp),
    ) -> Option<Excluded> {
        let place = self.catalogue.place(&endpoint.name);
        let own = place.and_then(|place| self.catalogue.against(place, need, now));
        let of_arm = || {
            let mut excluded = eligible.excluded.iter();
            excluded.find(|out| out.arm == endpoint.arm).cloned()
        };
        let mut out = own.or_else(of_arm)?;
        out.detail = format!(
            "{}, which the first call was given, may not be asked now: {}",
            endpoint.name, out.detail
        );
        Some(out)
    }
}
