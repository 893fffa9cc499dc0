//! What one choice goes by, read from the request, the caller and the team, and what it comes to.
//!
//! Not here: choosing (`choose`).

use super::bounds::Expecting;
use super::context;
use super::draw::Way;
use super::estimate::Estimates;
use super::experiment::{Chooser, Part};
use super::request::Request;
use super::team::Team;
use crate::access::Grant;
use crate::bandit::Policy;
use crate::chat::{Message, Parameter, Parameters};
use crate::decision::{Allowance, Drawn, Excluded, Origin, Reason};
use crate::eligibility::{Limits, Need};
use crate::id::{DecisionId, Name};
use crate::learn::TeamSnapshot;
use crate::store::Draw;
use crate::unit::Timestamp;
use crate::warmth::Warm;

/// What a choice goes by.
pub(super) struct Asked<'a> {
    pub(super) need: Need<'a>,
    pub(super) x: &'a [f32],
    pub(super) request: &'a Request,
    /// The draw that the episode and task have already.
    pub(super) first: Option<Draw>,
    pub(super) part: Part<'a>,
    pub(super) learned: &'a TeamSnapshot,
    /// What the endpoints' caches hold of the session.
    pub(super) warm: Warm,
    pub(super) id: DecisionId,
    pub(super) now: Timestamp,
    /// Whether we ask the endpoint, and not the caller.
    pub(super) asks: bool,
}

/// What it came to.
pub(super) struct Chosen {
    pub(super) drawn: Drawn,
    pub(super) origin: Origin,
    pub(super) policy: String,
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
    unavailable: &'a [bool],
) -> Need<'a> {
    let constraints = &request.constraints;
    Need {
        key_arms: caller.arms.as_ref(),
        key_endpoints: caller.bounds.endpoints.as_ref(),
        allowed: match constraints.arm_order.as_slice() {
            [] => &constraints.allowed_arms,
            order => order,
        },
        denied: &constraints.denied_arms,
        task_denied: request
            .task
            .as_ref()
            .and_then(|task| team.tasks.get(task))
            .map_or(&[], |rule| &rule.denied_arms),
        capabilities,
        input: context::input_tokens(request),
        max_output_tokens: request.max_output_tokens,
        data_policy: constraints
            .data_policy
            .as_ref()
            .unwrap_or(&team.data_policy),
        team_policy: &team.data_policy,
        class_policy: match &constraints.data_class {
            None => Some(&team.data_policy),
            Some(class) => team.data_classes.get(class),
        },
        parameters: parameters(request),
        allowed_endpoints: &constraints.allowed_endpoints,
        denied_endpoints: &constraints.denied_endpoints,
        unavailable,
    }
}

/// What an endpoint's dialect must be able to express.
fn parameters(request: &Request) -> Parameters {
    let mut parts = Parameters::default();
    if request.messages.iter().any(Message::has_audio) {
        parts = parts.with(Parameter::Audio);
    }
    if request.messages.iter().any(Message::has_file) {
        parts = parts.with(Parameter::File);
    }
    match request.constraints.leave_out_parameters {
        true => parts,
        false => parts.and(request.generation.parameters()),
    }
}

impl<'a> Asked<'a> {
    /// The arm that was settled before this request: pinned, the episode's already, or the baseline.
    pub(super) fn granted(&self) -> Option<&Name> {
        let pinned = self.learned.control.pinned.as_ref();
        let first = self.first.as_ref().map(|first| &first.arm);
        let held_out = self.part.held_out.filter(|_| self.request.explore);
        pinned.or(first).or(held_out)
    }

    /// Whose answers to expect.
    pub(super) fn expecting(&self) -> Expecting<'a> {
        Expecting {
            learned: self.learned,
            x: self.x,
            asks: self.asks,
        }
    }

    /// Of arms in the caller's order, the first that is left; what the caller allows besides binds it too.
    pub(super) fn keep_first_of_order(
        &self,
        estimates: &mut Estimates,
        excluded: &mut Vec<Excluded>,
    ) {
        let constraints = &self.request.constraints;
        let allowed = &constraints.allowed_arms;
        let may = |arm: &&Name| allowed.is_empty() || allowed.contains(arm);
        let mut order = constraints.arm_order.iter().filter(may);
        if constraints.arm_order.is_empty() {
            return;
        }
        let Some(first) = order.find(|arm| estimates.arms.contains(arm)) else {
            // None of them may take it.
            estimates.retain(&vec![false; estimates.arms.len()]);
            return;
        };
        let others = estimates.arms.iter().filter(|arm| *arm != first);
        excluded.extend(others.map(|arm| Excluded {
            arm: arm.clone(),
            reason: Reason::NotAllowed,
            detail: format!("{first} comes first in the caller's order"),
        }));
        let keep: Vec<bool> = estimates.arms.iter().map(|arm| arm == first).collect();
        estimates.retain(&keep);
    }

    /// What chooses among these arms.
    pub(super) fn chooser(&self, arms: &[Name]) -> &'a Chooser {
        let eligible = |chooser: &&Chooser| match &chooser.choosing.policy {
            Policy::Fixed { arm } => arms.contains(arm),
            _ => true,
        };
        let guarded = self.part.guarded.filter(eligible);
        guarded.unwrap_or(self.part.chooser)
    }

    /// What is left to chance among the arms that were estimated.
    pub(super) fn way(&self, estimates: &Estimates) -> Way {
        let index = |name: &Name| estimates.arms.iter().position(|arm| arm == name);
        if let Some(index) = self.learned.control.pinned.as_ref().and_then(index) {
            return Way::Pinned(index);
        }
        if let Some(first) = &self.first
            && let Some(index) = index(&first.arm)
        {
            return Way::Inherit(first.decision, index);
        }
        if !self.request.explore {
            return Way::NoExplore;
        }
        match (self.part.held_out.and_then(index), &self.first) {
            (_, Some(first)) => Way::Redraw(first.decision),
            (Some(index), None) => Way::Baseline(index),
            (None, None) => Way::Draw,
        }
    }
}

pub(super) fn limits(request: &Request) -> Limits {
    Limits {
        max_cost: request.constraints.max_cost,
        max_latency_ms: request.constraints.max_latency_ms,
    }
}
