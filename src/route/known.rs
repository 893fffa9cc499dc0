//! What is known when a request comes, shared by all that decide.
//!
//! Not here: what is made of it (`choose`).

use crate::account::Accounts;
use crate::learn::Published;
use crate::loops::Loops;
use crate::quota::Meters;
use crate::standing::Standing;
use crate::telemetry::Metrics;
use crate::warmth::Warmth;
use std::sync::Arc;

/// What is known when a request comes.
#[derive(Debug, Clone)]
pub struct Known {
    /// What was learned.
    pub published: Arc<Published>,
    /// What is left to spend.
    pub accounts: Arc<Accounts>,
    /// What the endpoints' caches hold.
    pub warmth: Arc<Warmth>,
    /// How the endpoints do.
    pub standing: Arc<Standing>,
    /// Hear what becomes of calls.
    pub metrics: Arc<Metrics>,
    /// What callers drew of their limits.
    pub meters: Arc<Meters>,
    /// Knows the open episodes.
    pub loops: Arc<Loops>,
}
