//! What a team may spend, as its configuration says and the journal keeps.
//!
//! Not here: keeping to it ([`super::Pacer`], [`super::Ledger`]).

use super::Refill;
use crate::unit::NanoUsd;
use serde::{Deserialize, Serialize};

/// A budget: at least one of the two, or there is nothing to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Mean USD a request that the pacer steers to, above 0: soft.
    pub request_usd: Option<f64>,
    /// What is never exceeded: hard.
    pub limit: Option<Limit>,
}

/// A hard limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Most that is spent and reserved together.
    pub usd: NanoUsd,
    /// How it fills again.
    pub refill: Refill,
}
