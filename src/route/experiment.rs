//! Experiments: which episodes are held out for a team's baseline, and what its guard changes.
//!
//! Rules, stated because numbers depend on them:
//! - An episode is held out where the hash of its name under the server's secret says so: for all its calls,
//!   and after a restart. A decision without an episode goes by its own id.
//! - A held-out decision gets the baseline for certain, if that is eligible; pacing has no say in it, as it
//!   would have none without a router, but a hard limit has. Where it is not eligible the router draws.
//! - A pin, and the arm that the episode's task has already, go before the baseline; so does a caller who
//!   does not explore, who gets the best arm. The cell is the hash's word in every case, so that what one
//!   cell gains over the other is a comparison by intention: nothing that came after the hash chose its rows.
//! - While the guard holds, the router's own draws are the baseline's, but for the floors of the other arms:
//!   the policy is then `fixed:arm=BASELINE`, and the decision says so. A request that the baseline may not
//!   take is drawn as ever.
//!
//! Not here: when the guard holds (`learn`), what the cells are compared by (`learn`, `replay`).
//!
//! Source: SCIENCE 2.3 (cells), 2.7 (the simple guard).

use super::draw::Choosing;
use super::team::Team;
use crate::bandit::Policy;
use crate::decision::Cell;
use crate::id::{DecisionId, Name, Purpose, Secret};
use crate::learn::TeamSnapshot;

/// Where a team's traffic would go without a router.
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline {
    /// The arm.
    pub arm: Name,
    /// Share of the episodes that are held out for it, 0 to 0.5.
    pub holdout: f64,
}

impl Baseline {
    /// The experiment of a decision of `team`.
    pub(super) fn cell(
        &self,
        secret: &Secret,
        id: DecisionId,
        (team, episode): (&Name, Option<&Name>),
    ) -> Cell {
        let uniform = match episode {
            Some(episode) => secret.uniform_for_episode(team, episode),
            None => secret.uniform_for(id, Purpose::Cell),
        };
        if uniform < self.holdout {
            Cell::Holdout
        } else {
            Cell::Router
        }
    }

    /// Whether the guard holds that compares the team's router with this baseline.
    pub(super) fn is_guarded(&self, learned: &TeamSnapshot) -> bool {
        let compared = learned.comparison.as_ref();
        compared.is_some_and(|compared| compared.holds() && *compared.baseline() == self.arm)
    }
}

/// One decision's part in its team's experiment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part<'a> {
    pub(super) cell: Cell,
    /// What chooses.
    pub(super) chooser: &'a Chooser,
    /// What chooses instead wherever the baseline is eligible, since the guard holds.
    pub(super) guarded: Option<&'a Chooser>,
    /// The baseline, where the decision is held out for it.
    pub(super) held_out: Option<&'a Name>,
}

/// A way to choose, and the name that decisions carry of it.
#[derive(Debug)]
pub(super) struct Chooser {
    pub(super) choosing: Choosing,
    pub(super) policy: String,
}

impl Chooser {
    pub(super) fn new(choosing: Choosing) -> Self {
        let policy = choosing.policy.to_string();
        Self { choosing, policy }
    }

    /// What chooses while the team's guard holds: the baseline, and exploration. Nothing without a baseline.
    pub(super) fn guarded(team: &Team) -> Option<Self> {
        let arm = team.baseline.as_ref()?.arm.clone();
        Some(Self::new(Choosing {
            policy: Policy::Fixed { arm },
            explore_floor: team.choosing.explore_floor,
        }))
    }
}
