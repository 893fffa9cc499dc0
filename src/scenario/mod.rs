//! A simulated world for demonstrations: two teams, their requests, and what every arm would have
//! done with each, so that what a router learned can be held against the truth.
//!
//! Invariants: everything follows from the seed; requests are in order of time; every request has an
//! outcome for every arm. Calls of one episode have one task, and what is said of the whole episode
//! holds for the arm that took all of them, which is how a router serves it.
//!
//! Not here: playing it (`demo`), the format of its files (`table`).

mod catalogue;
mod coding;
mod coding_prompt;
mod dice;
mod error;
mod fate;
mod generate;
mod judge;
mod schedule;
mod support;
mod support_prompt;
mod tables;
mod truth;
mod world;

pub use error::Error;
pub use generate::{Size, generate};
pub use tables::Written;
pub use truth::Part;
pub use world::{Arm, Arrival, Change, Outcome, Request, Rpc, Specialist, Team, World};
