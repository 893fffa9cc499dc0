//! How an endpoint does: whether it may be asked, how loaded it is, and how much may be tried again.
//!
//! [`Breaker`] keeps a failing endpoint from being asked more often than to see whether it is back;
//! [`PeakEwma`] says how long it takes, believing bad news at once and good news slowly; [`RetryBudget`]
//! keeps a bad day from becoming a storm of our own.
//!
//! Invariants: pure state machines; time only goes forward in them, and a moment before the last one counts
//! as the last one.
//!
//! Not here: which endpoint is asked (`route`), who holds the state (`standing`), which errors count
//! (`provider`).
//!
//! Units: milliseconds.

mod breaker;
mod hearsay;
mod outcome;
mod peak_ewma;
mod retry_budget;

pub use breaker::{Breaker, Rest};
pub use outcome::Outcome;
pub use peak_ewma::PeakEwma;
pub use retry_budget::RetryBudget;
