//! Candidates: the arms that may take a request, and who stands behind the one that does.
//!
//! Not here: the checks (`eligibility`), the draw (`draw`), which endpoint (`roads`).

use super::choose::Route;
use crate::decision::{Drawn, Excluded, Reason};
use crate::eligibility::{Eligible, Need};
use crate::id::Name;
use crate::learn::TeamSnapshot;
use crate::unit::Timestamp;

/// Most fallbacks named.
const FALLBACKS: usize = 3;

impl Route {
    /// Those that satisfy `need`, and that an operator's pin leaves.
    pub(super) fn unpinned(
        &self,
        need: &Need<'_>,
        learned: &TeamSnapshot,
        now: Timestamp,
    ) -> Eligible {
        let mut eligible = self.catalogue.eligible(need, now);
        if let Some(pinned) = &learned.control.pinned {
            let arms = self.catalogue.arms();
            eligible.arms.retain(|arm| {
                let Some(arm) = arms.get(arm.arm).filter(|a| a.name != *pinned) else {
                    return true;
                };
                eligible.excluded.push(Excluded {
                    arm: arm.name.clone(),
                    reason: Reason::NotAllowed,
                    detail: format!("an operator pinned {pinned}"),
                });
                false
            });
        }
        eligible
    }

    /// The cheapest eligible endpoints of the best other arms.
    pub(super) fn fallbacks(
        &self,
        eligible: &Eligible,
        places: &[usize],
        drawn: &Drawn,
    ) -> Vec<Name> {
        let chosen = drawn.chosen as usize;
        let mut others: Vec<(usize, f64)> = drawn.utility.iter().copied().enumerate().collect();
        others.retain(|(arm, _)| *arm != chosen);
        others.sort_by(|a, b| b.1.total_cmp(&a.1));
        let cheapest = |(arm, _): (usize, f64)| {
            let arm = places
                .get(arm)
                .and_then(|place| eligible.arms.get(*place))?;
            let endpoint = eligible.endpoints(arm).first()?;
            Some(self.catalogue.endpoints().get(*endpoint)?.name.clone())
        };
        let best = others.into_iter().take(FALLBACKS);
        best.filter_map(cheapest).collect()
    }
}
