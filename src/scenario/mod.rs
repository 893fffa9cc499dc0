//! A simulated world for demonstrations: two teams, their requests, and what every arm would have
//! done with each, so that what a router learned can be held against the truth.
//!
//! Invariants: everything follows from the seed; requests are in order of time; every request has an
//! outcome for every arm.
//!
//! Not here: playing it (`demo`), writing it to files (`table`).

mod world;

pub use world::{Arm, Arrival, Change, Outcome, Request, Rpc, Specialist, Team, World};
