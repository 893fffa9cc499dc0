//! From the wire to the house's own types, with every violation of the contract at once.
//!
//! Invariants: lists are measured before they are looked into; nothing a caller sends panics; what
//! comes out satisfies the invariants of its type. Messages are taken apart, not copied.
//!
//! Not here: the rules of plain fields (`crate::field`), what only a team's configuration can judge (a
//! signal's name, an arm's name, a policy: the use cases).

mod chat;
mod constraints;
mod context;
mod feedback;
#[cfg(test)]
mod fuzz;
mod generation;
mod key;
mod operator;
mod replay;
mod router;
#[cfg(test)]
mod testing;
mod time;

pub use feedback::Refusal;
pub use operator::{Control, Operation};
pub use replay::Replay;

pub(super) use feedback::feedback;
pub(super) use key::{create_key, list_keys, revoke_key, rotate_key};
pub(super) use operator::{set_control, team};
pub(super) use replay::replay;
pub(super) use router::{
    close_episode, complete, get_decision, list_decisions, report_attempt, route, stream_complete,
};
