//! Learn: turns outcomes into the posterior that `route` draws from.
//!
//! The learner has one input, the journal, and reads it in order; live operation and rebuilding
//! after a crash are the same code on the same records, so a rebuild gives the same bits.
//!
//! Invariants: state changes only by [`Learner::apply`], whose result depends on nothing but the
//! records so far and the parameters; a [`Snapshot`] is immutable and its version is the journal
//! sequence that it has learned up to.
//!
//! Not here: choosing an arm (`route`), the regressions (`bandit`), what a signal is worth
//! (`scorecard`), where records and checkpoints are kept (`store`).
//!
//! Source: SCIENCE 2.2 (ridge per arm and signal), 2.8 (delayed, missing, corrected signals).

mod alarm;
mod arm;
mod closing;
mod comparison;
mod entry;
mod episodes;
mod follow;
mod guard;
mod intake;
mod learner;
mod ledger;
mod lend;
mod newcomer;
mod pacing;
mod page;
mod paging;
mod pool;
mod recalled;
#[cfg(test)]
pub(crate) mod sample;
mod seed;
mod served;
mod shelves;
mod silence;
mod snapshot;
mod team;
mod told;
mod trial;
mod usage;
mod whole;

pub use alarm::Alarm;
pub use comparison::{Comparison, Side, Trip, Watched};
pub use follow::{Follower, Published};
pub use intake::{EpisodeClosed, EpisodeClosing, Error, Intake, Refused, Verdict};
pub use learner::{Learner, Params, Recall, Team};
pub use ledger::Limits;
pub use lend::Pooling;
pub use newcomer::{Finding, Newcomer, Ruling};
pub use page::Shelf;
pub use silence::{Reports, Uneven};
pub use snapshot::{ArmSnapshot, Expected, Snapshot, TeamSnapshot};
pub use whole::Broken;
