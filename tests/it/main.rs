//! The one integration binary: each module below tests one promise from outside.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod contract;
mod durability;
mod generated;
mod loop_closed;
#[cfg(feature = "analytics")]
mod quickstart;
mod rig;
mod tidy;
