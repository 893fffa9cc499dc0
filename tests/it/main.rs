//! The one integration binary: each module below tests one promise from outside.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod affinity;
mod alarms;
mod at_rest;
mod audit;
mod bad_input;
mod boundary;
mod budget;
mod checks;
mod contract;
mod damaged;
#[cfg(feature = "analytics")]
mod demo_fails;
mod durability;
#[cfg(feature = "analytics")]
mod estimate;
#[cfg(feature = "analytics")]
mod evals;
mod fault_table;
#[cfg(feature = "analytics")]
mod front_door;
mod generated;
mod holdout;
mod hops;
#[cfg(feature = "analytics")]
mod import;
#[cfg(feature = "analytics")]
mod judged;
mod keys;
mod log_lines;
mod loop_closed;
mod loops;
mod metrics;
#[cfg(feature = "analytics")]
mod newcomer;
mod openai_door;
#[cfg(feature = "otlp")]
mod otlp;
mod overspend;
mod pooling;
#[cfg(feature = "analytics")]
mod quickstart;
mod quotas;
mod redaction;
mod repeats;
mod rig;
#[cfg(feature = "analytics")]
mod seed;
mod slow;
mod spend;
mod tidy;
mod transport;
#[cfg(feature = "analytics")]
mod two_teams;
mod uneven;
mod upstream;
mod warm_cache;
