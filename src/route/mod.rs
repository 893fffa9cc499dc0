//! Route: chooses. A request becomes a decision, recorded before it is told.
//!
//! Invariants: what the draw depended on is in the decision, so that its propensity can be recomputed
//! and any other policy judged on it (SCIENCE 2.3); one eligibility check serves the choice and the
//! fallbacks.
//!
//! Not here: calling the endpoint (`complete`), learning (`learn`), the wire (`grpc`).

mod admission;
mod again;
mod asked;
mod bounds;
mod candidates;
mod choose;
mod context;
mod cost;
mod draw;
mod error;
mod estimate;
mod experiment;
mod history;
mod hops;
mod in_time;
mod known;
mod names;
mod rank;
mod reconfigured;
pub mod reply;
pub mod request;
mod rest;
mod roads;
mod screen;
mod spending;
mod team;
mod unheard;
mod weigh;

pub use admission::Entered;
pub use choose::Route;
pub use context::{context, input_tokens};
pub use draw::{Choosing, FORCED_PULLS, recompute};
pub use error::{AtRest, BudgetExhausted, Error};
pub use experiment::Baseline;
pub use hops::{MOST_TRIES, Road, Tried};
pub use known::Known;
pub use names::UnknownName;
pub use reply::{Begun, DecisionPage, Recorded, Routed};
pub use request::{Constraints, DecisionQuery, Request, Sort, Tag};
pub use screen::{Blocked, Told};
pub use team::{Action, Fallbacks, Guardrail, Recording, TaskRule, Team};
