//! What one choice goes by, read from the request, the caller and the team, and what it comes to.
//!
//! Not here: choosing (`choose`).

use super::choose::{Recording, Team};
use super::context;
use super::draw::{Choosing, Way};
use super::estimate::Estimates;
use super::request::Request;
use crate::access::Grant;
use crate::decision::{Allowance, Drawn, Excluded, Origin};
use crate::eligibility::{Limits, Need};
use crate::id::{DecisionId, Name};
use crate::learn::TeamSnapshot;
use crate::store::index::Draw;
use crate::unit::Timestamp;
use crate::warmth::Warm;

/// What a choice goes by.
pub(super) struct Asked<'a> {
    pub(super) need: Need<'a>,
    pub(super) x: &'a [f32],
    pub(super) request: &'a Request,
    /// The draw that the episode and task have already.
    pub(super) first: Option<Draw>,
    pub(super) choosing: &'a Choosing,
    pub(super) learned: &'a TeamSnapshot,
    /// What the endpoints' caches hold of the session.
    pub(super) warm: Warm,
    pub(super) id: DecisionId,
    pub(super) now: Timestamp,
}

/// What it came to.
pub(super) struct Chosen {
    pub(super) drawn: Drawn,
    pub(super) origin: Origin,
    pub(super) excluded: Vec<Excluded>,
    pub(super) endpoint: Name,
    pub(super) fallbacks: Vec<Name>,
    pub(super) allowance: Option<Allowance>,
}

pub(super) fn need<'a>(
    caller: &'a Grant,
    team: &'a Team,
    request: &'a Request,
    capabilities: &'a [Name],
) -> Need<'a> {
    let constraints = &request.constraints;
    Need {
        key_arms: caller.arms.as_ref(),
        allowed: &constraints.allowed_arms,
        denied: &constraints.denied_arms,
        capabilities,
        input_tokens: context::input_tokens(request),
        max_output_tokens: request.max_output_tokens,
        data_policy: constraints
            .data_policy
            .as_ref()
            .unwrap_or(&team.data_policy),
    }
}

/// The arm that was settled before this request: pinned, or the episode's already.
pub(super) fn granted<'a>(learned: &'a TeamSnapshot, first: Option<&'a Draw>) -> Option<&'a Name> {
    let pinned = learned.control.pinned.as_ref();
    pinned.or(first.map(|first| &first.arm))
}

pub(super) fn limits(request: &Request) -> Limits {
    Limits {
        max_cost: request.constraints.max_cost,
        max_latency_ms: request.constraints.max_latency_ms,
    }
}

pub(super) fn way(
    request: &Request,
    learned: &TeamSnapshot,
    estimates: &Estimates,
    first: Option<Draw>,
) -> Way {
    let index = |name: &Name| estimates.arms.iter().position(|arm| arm == name);
    if let Some(index) = learned.control.pinned.as_ref().and_then(index) {
        return Way::Pinned(index);
    }
    match first {
        Some(first) => match index(&first.arm) {
            Some(index) => Way::Inherit(first.decision, index),
            None if request.explore => Way::Redraw(first.decision),
            None => Way::NoExplore,
        },
        None if request.explore => Way::Draw,
        None => Way::NoExplore,
    }
}

pub(super) fn content(recording: Recording, request: &Request) -> Option<String> {
    let keep = recording == Recording::Full && !request.messages.is_empty();
    keep.then(|| serde_json::to_string(&request.messages).ok())
        .flatten()
}
