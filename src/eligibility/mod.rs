//! Which arms may take a request and through which endpoints, and why the others may not.
//!
//! Capabilities and context length belong to the arm; price, region and data policy to the endpoint.
//! The same [`Catalogue::eligible`] serves the choice, exploration and every fallback, so that no road
//! leads to an arm that the key, the caller or the data policy forbids.
//!
//! Invariants: arms and endpoints of a [`Catalogue`] have unique names, every arm has an endpoint and
//! every endpoint an arm of the catalogue, prices are finite, not negative and ascending in time;
//! eligible arms come in catalogue order, their endpoints cheapest first (ties in catalogue order).
//!
//! Not here: what a key may use (`access`), predictions of cost and latency (`learn`; [`Limits`] checks
//! them once they exist), budgets.
//!
//! Units: prices in USD per million tokens; costs in USD; tokens are the caller's, or else as many as are expected
//! or as there can be ([`InputTokens`](crate::chat::InputTokens)).

mod catalogue;
mod choice;
mod endpoint;
mod need;
mod worst;

pub use catalogue::{Arm, Catalogue, Error};
pub use choice::{Eligible, EligibleArm};
pub use endpoint::{Endpoint, Price, REFERENCE_OUTPUT_TOKENS, Waits, reference_cost_usd};
pub use need::{DataPolicy, Limits, Need};
pub use worst::{paid_output, worst_case};
