//! OpenAI's error object, as it is written, with what we add to it.
//!
//! Not here: what goes wrong and what it is called (`status`).

use super::chat_reply::Tried;
use crate::decision::{Excluded, Reason};
use crate::field::Violation;
use serde::Serialize;

#[derive(Serialize)]
pub(super) struct Object<'a> {
    pub(super) error: Body<'a>,
}

#[derive(Serialize)]
pub(super) struct Body<'a> {
    pub(super) message: String,
    #[serde(rename = "type")]
    pub(super) kind: &'static str,
    pub(super) param: Option<&'a str>,
    pub(super) code: &'static str,
    pub(super) bellwether: More<'a>,
}

#[derive(Serialize)]
pub(super) struct More<'a> {
    pub(super) request_id: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(super) violations: &'a [Violation],
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) excluded: Vec<Out<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) attempts: Vec<Tried<'a>>,
}

/// An arm that was left out.
#[derive(Serialize)]
pub(super) struct Out<'a> {
    arm: &'a str,
    reason: &'static str,
    detail: &'a str,
}

impl<'a> Out<'a> {
    pub(super) fn of(excluded: &'a Excluded) -> Self {
        Self {
            arm: excluded.arm.as_str(),
            reason: word(excluded.reason),
            detail: &excluded.detail,
        }
    }
}

fn word(reason: Reason) -> &'static str {
    match reason {
        Reason::NotAllowed => "not_allowed",
        Reason::Denied => "denied",
        Reason::Capability => "capability",
        Reason::ContextLength => "context_length",
        Reason::DataPolicy => "data_policy",
        Reason::MaxCost => "max_cost",
        Reason::MaxLatency => "max_latency",
        Reason::NoPrice => "no_price",
        Reason::Budget => "budget",
        Reason::Unavailable => "unavailable",
        Reason::Parameters => "parameters",
    }
}
