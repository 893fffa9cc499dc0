//! What the use cases share, and what is made of it.
//!
//! Not here: putting them together (`running`).

use super::error::Error;
use super::metrics::View;
use crate::account::Accounts;
use crate::clock::Clock;
use crate::complete::{Attempts, Checking, Paid, Reports};
use crate::config;
use crate::eligibility::Catalogue;
use crate::id::Mint;
use crate::learn::{self, Intake, Published};
use crate::loops::Loops;
use crate::quota::Meters;
use crate::route::Known;
use crate::standing::Standing;
use crate::store::Store;
use crate::telemetry::Metrics;
use crate::warmth::Warmth;
use std::sync::Arc;

/// What the use cases share.
pub(super) struct Held {
    pub(super) store: Arc<Store>,
    pub(super) published: Arc<Published>,
    pub(super) accounts: Arc<Accounts>,
    pub(super) warmth: Arc<Warmth>,
    pub(super) standing: Arc<Standing>,
    pub(super) learning: Arc<learn::Params>,
    pub(super) metrics: Arc<Metrics>,
    pub(super) meters: Arc<Meters>,
    pub(super) loops: Arc<Loops>,
    pub(super) mint: Mint,
    pub(super) clock: Arc<dyn Clock>,
}

/// Attempts whose records are kept, paid for and remembered by the caches they warm.
pub(super) fn attempts(held: &Held) -> Attempts {
    let paid = Paid {
        store: Arc::clone(&held.store),
        accounts: Arc::clone(&held.accounts),
        warmth: Arc::clone(&held.warmth),
    };
    let standing = Arc::clone(&held.standing);
    let attempts = Attempts::new(Arc::clone(&held.clock), Arc::new(paid), standing);
    attempts.counted(Arc::clone(&held.metrics))
}

/// What is known when a decision is made.
pub(super) fn known(held: &Held) -> Known {
    Known {
        published: Arc::clone(&held.published),
        accounts: Arc::clone(&held.accounts),
        warmth: Arc::clone(&held.warmth),
        standing: Arc::clone(&held.standing),
        metrics: Arc::clone(&held.metrics),
        meters: Arc::clone(&held.meters),
        loops: Arc::clone(&held.loops),
    }
}

/// Takes what callers tell of attempts of their own.
pub(super) fn reports(held: &Held, catalogue: Arc<Catalogue>) -> Reports {
    let hear = (
        Arc::clone(&held.accounts),
        Arc::clone(&held.warmth),
        Arc::clone(&held.standing),
    );
    let (store, clock) = (Arc::clone(&held.store), Arc::clone(&held.clock));
    Reports::new(store, hear, catalogue, clock)
}

/// Takes outcomes.
pub(super) fn intake(held: &Held) -> Arc<Intake> {
    let (store, published) = (Arc::clone(&held.store), Arc::clone(&held.published));
    let (learning, clock) = (Arc::clone(&held.learning), Arc::clone(&held.clock));
    let intake = Intake::new(learning, store, published, clock);
    Arc::new(intake.counted(Arc::clone(&held.metrics)))
}

/// What metrics are read from.
pub(super) fn view(held: &Held) -> View {
    View {
        metrics: Arc::clone(&held.metrics),
        standing: Arc::clone(&held.standing),
        published: Arc::clone(&held.published),
        store: Arc::clone(&held.store),
        accounts: Arc::clone(&held.accounts),
        clock: Arc::clone(&held.clock),
    }
}

/// What holds answers to what was asked.
pub(super) fn checking(
    params: &config::Params,
    intake: &Arc<Intake>,
    clock: &Arc<dyn Clock>,
) -> Result<Checking, Error> {
    let rules = params.teams.iter();
    let rules = rules.map(|team| (team.name.clone(), team.checks.clone()));
    let checking = Checking::new(rules.collect(), Arc::clone(intake), Arc::clone(clock));
    Ok(checking?)
}
