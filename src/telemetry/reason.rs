//! The words of the reasons for which an arm is left out, as a label has them.
//!
//! Invariants: each reason has a place among the words.
//!
//! Not here: who leaves an arm out (`eligibility`, `route`).

use crate::decision::Reason;

/// All of them.
pub(super) const WORDS: [&str; 11] = [
    "not_allowed",
    "denied",
    "capability",
    "context_length",
    "data_policy",
    "max_cost",
    "max_latency",
    "no_price",
    "budget",
    "unavailable",
    "parameters",
];

/// Where a reason stands among them.
pub(super) const fn place(reason: Reason) -> usize {
    match reason {
        Reason::NotAllowed => 0,
        Reason::Denied => 1,
        Reason::Capability => 2,
        Reason::ContextLength => 3,
        Reason::DataPolicy => 4,
        Reason::MaxCost => 5,
        Reason::MaxLatency => 6,
        Reason::NoPrice => 7,
        Reason::Budget => 8,
        Reason::Unavailable => 9,
        Reason::Parameters => 10,
    }
}
