//! Limits on the choice.
//!
//! Invariants: limits are in range; names are good and given once.
//!
//! Not here: whether such an arm, region or capability exists (`route`).

use super::super::field::Fields;
use crate::eligibility::DataPolicy;
use crate::path::Path;
use crate::proto::v1;
use crate::route::{Constraints, Sort};
use crate::unit::NanoUsd;

const ARMS: usize = 1024;
const ORDERED: usize = 16;
const PREFERRED: usize = 64;
const CAPABILITIES: usize = 64;
const REGIONS: usize = 64;

/// A day: nobody waits longer, and a finite bound keeps infinities out.
const MOST_LATENCY_MS: f64 = 86_400_000.0;

/// Absent constraints are none.
pub(super) fn constraints(
    fields: &mut Fields,
    at: Path<'_>,
    said: Option<v1::Constraints>,
) -> Constraints {
    let Some(said) = said else {
        return Constraints::default();
    };
    let max_cost = fields.integer(
        at.field("max_cost_nano_usd"),
        said.max_cost_nano_usd,
        0..=i64::MAX,
    );
    Constraints {
        allowed_arms: fields.names(at.field("allowed_arms"), &said.allowed_arms, ARMS),
        denied_arms: fields.names(at.field("denied_arms"), &said.denied_arms, ARMS),
        max_cost: max_cost.map(NanoUsd::new),
        max_latency_ms: latency(fields, at.field("max_latency_ms"), said.max_latency_ms),
        required_capabilities: fields.names(
            at.field("required_capabilities"),
            &said.required_capabilities,
            CAPABILITIES,
        ),
        data_policy: said.data_policy.map(|policy| DataPolicy {
            regions: fields.names(
                at.field("data_policy").field("regions"),
                &policy.regions,
                REGIONS,
            ),
            zero_retention: policy.zero_retention,
            no_training: policy.no_training,
        }),
        allowed_endpoints: fields.names(
            at.field("allowed_endpoints"),
            &said.allowed_endpoints,
            ARMS,
        ),
        denied_endpoints: fields.names(at.field("denied_endpoints"), &said.denied_endpoints, ARMS),
        endpoint_order: fields.names(at.field("endpoint_order"), &said.endpoint_order, PREFERRED),
        endpoint_sort: sort(fields, at.field("endpoint_sort"), said.endpoint_sort),
        preferred_latency_ms: None,
        arm_order: fields.names(at.field("arm_order"), &said.arm_order, ORDERED),
        no_fallbacks: said.allow_fallbacks == Some(false),
        leave_out_parameters: said.require_parameters == Some(false),
    }
}

fn sort(fields: &mut Fields, at: Path<'_>, said: i32) -> Option<Sort> {
    match v1::EndpointSort::try_from(said) {
        Ok(v1::EndpointSort::Unspecified) => None,
        Ok(v1::EndpointSort::Price) => Some(Sort::Price),
        Ok(v1::EndpointSort::Latency) => Some(Sort::Latency),
        Err(_) => {
            let allowed = "allowed ENDPOINT_SORT_PRICE, ENDPOINT_SORT_LATENCY";
            fields.refuse(at, format_args!("is {said}: {allowed}"));
            None
        }
    }
}

fn latency(fields: &mut Fields, at: Path<'_>, said: Option<f64>) -> Option<f64> {
    let latency = said?;
    // NaN is neither.
    if latency > 0.0 && latency <= MOST_LATENCY_MS {
        return Some(latency);
    }
    fields.refuse(
        at,
        format_args!("is {latency}: allowed above 0 to {MOST_LATENCY_MS}"),
    );
    None
}
