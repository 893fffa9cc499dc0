//! What lets one call through, until it has ended.
//!
//! Invariants: whatever becomes of the call, what it holds is let go and what it used is drawn once: when the last who
//! has its pass drops it.

use super::meters::{Meters, Part};
use crate::decision::Usage;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Where a rate stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// Most at once.
    pub limit: u32,
    /// What is left of them.
    pub left: u32,
    /// Until the burst is whole again.
    pub whole: Duration,
}

/// Where the caller's own rates stand: of each the key's, or else its team's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Told {
    /// Of requests.
    pub requests: Option<Standing>,
    /// Of tokens.
    pub tokens: Option<Standing>,
}

impl Told {
    /// What is missing as another owner has it.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            requests: self.requests.or(other.requests),
            tokens: self.tokens.or(other.tokens),
        }
    }

    /// When one more request was let in.
    pub(super) fn less_one(mut self) -> Self {
        if let Some(requests) = &mut self.requests {
            requests.left = requests.left.saturating_sub(1);
        }
        self
    }
}

/// A call that was let in.
#[derive(Debug)]
pub struct Pass {
    meters: Arc<Meters>,
    /// What it has of each owner.
    parts: Vec<Part>,
    used: AtomicU64,
    output: AtomicU64,
    told: Told,
}

impl Pass {
    pub(super) fn new(meters: Arc<Meters>, parts: Vec<Part>, told: Told) -> Self {
        Self {
            meters,
            parts,
            used: AtomicU64::new(0),
            output: AtomicU64::new(0),
            told,
        }
    }

    /// Where the caller's own rates stood when it came in.
    pub fn told(&self) -> &Told {
        &self.told
    }

    /// An attempt for it used so many.
    pub fn used(&self, usage: &Usage) {
        let [input, output] =
            [usage.input, usage.output].map(|tokens| u64::from(tokens.unwrap_or(0)));
        self.used
            .fetch_add(input.saturating_add(output), Ordering::Relaxed);
        self.output.fetch_add(output, Ordering::Relaxed);
    }

    /// What it uses is not ours to know: what is expected stands for it.
    pub fn used_as_expected(&self) {
        let held = self.parts.iter().map(Part::hold).max();
        self.used.fetch_add(held.unwrap_or(0), Ordering::Relaxed);
    }
}

impl PartialEq for Pass {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        let [used, output] = [&self.used, &self.output].map(|n| n.load(Ordering::Relaxed));
        let output = (output > 0).then_some(output);
        self.meters
            .ended(&self.parts, (used, output), Instant::now());
    }
}
