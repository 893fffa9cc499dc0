//! Recurrence: whether an agent goes round in a circle, or on and on.
//!
//! Four rules, each by itself: a request that was asked almost so before ([`Fingerprint`]); the same tool calls again
//! and again; more calls, or more money, than the team's finished episodes of the task took ([`Band`]).
//!
//! Invariants: no text is kept, only hashes; a state is bounded, whatever is put into it; what grows is no circle: a
//! conversation that gets longer is looked at by what is new in it.
//!
//! Not here: which episodes there are (`loops`), what follows (`route`).

mod band;
mod circle;
mod fingerprint;

pub use band::Band;
pub use circle::{Circle, Finding, Growth, Rule, Rules};
pub use fingerprint::Fingerprint;
