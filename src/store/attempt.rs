//! The bytes of an attempt, so that journals written before it had more to tell still read.
//!
//! What layout 7 added stands behind what was there before: an attempt that tells none of it is the older
//! bytes and `NOTHING`.
//!
//! Not here: the record around it (`record`).

use crate::decision::{Attempt, Request, Usage};
use crate::id::{DecisionId, Name};
use crate::unit::{NanoUsd, Timestamp};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The bytes of [`Added`] that adds nothing.
pub(super) const NOTHING: [u8; 3] = [0; 3];

/// Until layout 6.
#[derive(Serialize, Deserialize)]
struct First {
    decision: DecisionId,
    arm: Name,
    endpoint: Name,
    ended: Timestamp,
    latency_ms: Option<f64>,
    usage: FirstUsage,
    cost: Option<NanoUsd>,
    error: Option<Name>,
    reported: bool,
    request: Option<Request>,
}

#[derive(Serialize, Deserialize)]
struct FirstUsage {
    input: Option<u32>,
    cached_input: Option<u32>,
    output: Option<u32>,
    estimated: bool,
}

/// Since layout 7.
#[derive(Serialize, Deserialize)]
struct Added {
    cache_write: Option<u32>,
    reasoning: Option<u32>,
    first_token_ms: Option<f64>,
}

/// Whether an attempt tells what layout 6 could not.
pub(super) fn tells_more(attempt: &Attempt) -> bool {
    let Usage {
        cache_write,
        reasoning,
        ..
    } = attempt.usage;
    cache_write.is_some() || reasoning.is_some() || attempt.first_token_ms.is_some()
}

pub(super) fn serialize<S: Serializer>(attempt: &Attempt, to: S) -> Result<S::Ok, S::Error> {
    let Attempt { usage, .. } = attempt;
    let first = First {
        decision: attempt.decision,
        arm: attempt.arm.clone(),
        endpoint: attempt.endpoint.clone(),
        ended: attempt.ended,
        latency_ms: attempt.latency_ms,
        usage: FirstUsage {
            input: usage.input,
            cached_input: usage.cached_input,
            output: usage.output,
            estimated: usage.estimated,
        },
        cost: attempt.cost,
        error: attempt.error.clone(),
        reported: attempt.reported,
        request: attempt.request.clone(),
    };
    let added = Added {
        cache_write: usage.cache_write,
        reasoning: usage.reasoning,
        first_token_ms: attempt.first_token_ms,
    };
    (first, added).serialize(to)
}

pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Attempt, D::Error> {
    let (first, added) = <(First, Added)>::deserialize(from)?;
    Ok(Attempt {
        decision: first.decision,
        arm: first.arm,
        endpoint: first.endpoint,
        ended: first.ended,
        latency_ms: first.latency_ms,
        usage: Usage {
            input: first.usage.input,
            cached_input: first.usage.cached_input,
            output: first.usage.output,
            estimated: first.usage.estimated,
            cache_write: added.cache_write,
            reasoning: added.reasoning,
        },
        cost: first.cost,
        error: first.error,
        reported: first.reported,
        request: first.request,
        first_token_ms: added.first_token_ms,
    })
}
