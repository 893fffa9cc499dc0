//! Limits on the choice.
//!
//! Invariants: limits are in range; names are good and given once.
//!
//! Not here: whether such an arm, region or capability exists (`route`).

use crate::eligibility::DataPolicy;
use crate::field::Fields;
use crate::path::Path;
use crate::proto::v1;
use crate::route::{Constraints, Sort};
use crate::unit::NanoUsd;

/// Most endpoints in an order of their own.
const PREFERRED: usize = 64;

/// Absent constraints are none.
pub(super) fn constraints(
    fields: &mut Fields,
    at: Path<'_>,
    said: Option<v1::Constraints>,
) -> Constraints {
    let Some(said) = said else {
        return Constraints::default();
    };
    let most = Constraints::MAX_NAMES;
    let max_cost = fields.number(
        at.field("max_cost_nano_usd"),
        said.max_cost_nano_usd,
        0..=i64::MAX,
    );
    Constraints {
        allowed_arms: fields.names(at.field("allowed_arms"), &said.allowed_arms, most),
        denied_arms: fields.names(at.field("denied_arms"), &said.denied_arms, most),
        max_cost: max_cost.map(NanoUsd::new),
        max_latency_ms: fields.above_zero(
            at.field("max_latency_ms"),
            said.max_latency_ms,
            Constraints::MAX_LATENCY_MS,
        ),
        required_capabilities: fields.names(
            at.field("required_capabilities"),
            &said.required_capabilities,
            Constraints::MAX_CAPABILITIES,
        ),
        data_policy: said
            .data_policy
            .map(|policy| data_policy(fields, at.field("data_policy"), &policy)),
        data_class: said
            .data_class
            .and_then(|class| fields.name(at.field("data_class"), &class)),
        allowed_endpoints: fields.names(
            at.field("allowed_endpoints"),
            &said.allowed_endpoints,
            most,
        ),
        denied_endpoints: fields.names(at.field("denied_endpoints"), &said.denied_endpoints, most),
        endpoint_order: fields.names(at.field("endpoint_order"), &said.endpoint_order, PREFERRED),
        endpoint_sort: sort(fields, at.field("endpoint_sort"), said.endpoint_sort),
        preferred_latency_ms: None,
        arm_order: fields.names(
            at.field("arm_order"),
            &said.arm_order,
            Constraints::MAX_ORDERED,
        ),
        no_fallbacks: said.allow_fallbacks == Some(false),
        leave_out_parameters: said.require_parameters == Some(false),
    }
}

fn data_policy(fields: &mut Fields, at: Path<'_>, said: &v1::DataPolicy) -> DataPolicy {
    DataPolicy {
        regions: fields.names(at.field("regions"), &said.regions, Constraints::MAX_REGIONS),
        zero_retention: said.zero_retention,
        no_training: said.no_training,
        certifications: fields.names(
            at.field("certifications"),
            &said.certifications,
            Constraints::MAX_CERTIFICATIONS,
        ),
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
