//! From the house's own types to the wire.
//!
//! Invariants: nothing is lost that the contract has a field for; what is not known is absent, never
//! zero; a count beyond the contract's signed integers is its largest value.
//!
//! Not here: failures (`status`).

mod alarm;
mod answer;
mod budget;
mod bytes;
mod decision;
mod holdout;
#[cfg(feature = "analytics")]
mod judgement;
mod key;
mod newcomer;
mod quota;
mod record;
mod uneven;

pub(super) use alarm::alarm;
pub(super) use answer::{complete_response, stream_event};
pub(super) use budget::budget;
pub(super) use bytes::route_bytes;
pub(super) use decision::route_response;
pub(super) use holdout::holdout;
#[cfg(feature = "analytics")]
pub(super) use judgement::{replay_report, whole};
pub(super) use key::{key, list_keys};
pub(super) use newcomer::newcomer;
pub(super) use quota::over_limit;
pub(super) use record::{attempt, count, decision_record, list_decisions, timestamp};
pub(super) use uneven::uneven;
