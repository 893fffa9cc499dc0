//! A decision and what the draw saw.
//!
//! Invariants: estimates are in the order of the draw; a latency of which nothing is known is absent.
//!
//! Not here: what followed the decision (`record`).

use super::record::count;
use crate::decision::{Cell, Decision, Drawn, Excluded, Origin, Reason};
use crate::eligibility::Endpoint;
use crate::grpc::causes::found_in;
use crate::id::Name;
use crate::proto::v1::{self, ExclusionReason, GuardrailAction};
use crate::redaction::Finding;
use crate::route::{Action, Routed, Told};
use crate::unit::NanoUsd;

/// Most findings that are told.
const LISTED: usize = 64;

/// The reply to `Route`.
pub(in crate::grpc) fn route_response(routed: &Routed) -> v1::RouteResponse {
    let decision: &Decision = &routed.decision;
    let drawn = &decision.drawn;
    let allowance = decision.allowance.as_ref();
    v1::RouteResponse {
        decision_id: decision.id.to_string(),
        arm: drawn.arm().map(text).unwrap_or_default(),
        endpoint: Some(endpoint(&routed.endpoint)),
        fallbacks: routed.fallbacks.iter().map(|e| endpoint(e)).collect(),
        propensity: drawn.propensity(),
        estimates: estimates(drawn),
        excluded: decision.excluded.iter().map(excluded).collect(),
        policy: decision.policy.clone(),
        scorecard_version: i64::from(decision.scorecard_version),
        snapshot_version: count(decision.snapshot_version),
        inherited: matches!(decision.origin, Origin::Inherited(_)),
        feature_set: text(&decision.feature_set),
        loop_warning: routed.warning().map_or(String::new(), ToString::to_string),
        repeated: routed.repeated,
        budget_price: allowance.map_or(0.0, |allowance| allowance.price),
        held_nano_usd: allowance.map_or(0, |allowance| allowance.held.get()),
        held_out: decision.cell == Cell::Holdout,
        guardrail: routed.told.as_ref().map(guardrail),
    }
}

/// What the team's guardrail found.
pub(super) fn guardrail(told: &Told) -> v1::Guardrail {
    let action = match told.action {
        Action::Block => GuardrailAction::Block,
        Action::Redact => GuardrailAction::Redact,
        Action::Flag => GuardrailAction::Flag,
    };
    let finding = |finding: &Finding| v1::GuardrailFinding {
        field: found_in(finding.place),
        kinds: finding
            .kinds
            .iter()
            .map(|kind| kind.as_str().to_owned())
            .collect(),
    };
    v1::Guardrail {
        action: action.into(),
        findings: told.findings.iter().take(LISTED).map(finding).collect(),
    }
}

/// One copy, without the machinery of formatting: a reply has some fifty names.
fn text(name: &Name) -> String {
    name.as_str().to_owned()
}

/// An endpoint as a caller needs it.
fn endpoint(endpoint: &Endpoint) -> v1::Endpoint {
    v1::Endpoint {
        name: text(&endpoint.name),
        arm: text(&endpoint.arm),
        provider: text(&endpoint.provider),
        model: endpoint.model.clone(),
        base_url: endpoint.base_url.clone(),
        region: endpoint.region.as_ref().map(text).unwrap_or_default(),
    }
}

fn estimates(drawn: &Drawn) -> Vec<v1::ArmEstimate> {
    let signals = drawn.signals.len();
    let cell = |of: &[f32], at: usize| of.get(at).copied().map_or(f64::NAN, f64::from);
    let signal = |arm: usize, i: usize| v1::SignalEstimate {
        name: text(&drawn.signals[i]),
        mean: cell(&drawn.signal_mean, arm * signals + i),
        sd: cell(&drawn.signal_sd, arm * signals + i),
    };
    let number = |of: &[f64], arm: usize| of.get(arm).copied().unwrap_or(f64::NAN);
    let estimate = |(arm, name): (usize, &Name)| v1::ArmEstimate {
        arm: text(name),
        probability: number(drawn.pmf.as_slice(), arm),
        floor: number(&drawn.floor, arm),
        utility: number(&drawn.utility, arm),
        utility_sd: number(&drawn.utility_sd, arm),
        signals: (0..signals).map(|i| signal(arm, i)).collect(),
        cost_nano_usd: nano_usd(number(&drawn.cost_usd, arm)),
        latency_ms: Some(number(&drawn.latency_ms, arm)).filter(|ms| ms.is_finite()),
    };
    drawn.arms.iter().enumerate().map(estimate).collect()
}

/// An expected cost; one too large for the type is its largest value.
pub(super) fn nano_usd(usd: f64) -> i64 {
    NanoUsd::from_usd(usd).map_or(i64::MAX, NanoUsd::get)
}

fn excluded(excluded: &Excluded) -> v1::ExcludedArm {
    v1::ExcludedArm {
        arm: text(&excluded.arm),
        reason: reason(excluded.reason).into(),
        detail: excluded.detail.clone(),
    }
}

pub(super) fn reason(reason: Reason) -> ExclusionReason {
    match reason {
        Reason::NotAllowed => ExclusionReason::NotAllowed,
        Reason::Denied => ExclusionReason::Denied,
        Reason::Capability => ExclusionReason::Capability,
        Reason::ContextLength => ExclusionReason::ContextLength,
        Reason::DataPolicy => ExclusionReason::DataPolicy,
        Reason::MaxCost => ExclusionReason::MaxCost,
        Reason::MaxLatency => ExclusionReason::MaxLatency,
        Reason::NoPrice => ExclusionReason::NoPrice,
        Reason::Budget => ExclusionReason::Budget,
        Reason::Unavailable => ExclusionReason::Unavailable,
        Reason::Parameters => ExclusionReason::Parameters,
    }
}
