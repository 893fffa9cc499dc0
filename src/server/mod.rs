//! Composition: the only file that knows every concrete type. Starts, drains, stops.
//!
//! The order of a start: store (the journal is read once), learner (from checkpoint and journal),
//! use cases, listener. A learner that has caught up within 5 seconds has done so before anything is
//! served, so that the first decision after a usual restart is as good as the last one before it. One that
//! has more to learn (a checkpoint that cannot serve, a changed scorecard) goes on while serving: decisions
//! are made from what there is, at first from nothing, and `GetTeam` shows how far it has come. The order
//! of a stop: no new calls, calls at work finish, the learner catches up, unless it is far behind, and
//! writes its checkpoint, the journal is synced, spans that wait are sent.
//!
//! Not here: what any of the pieces does.

mod door;
mod error;
mod follow;
mod metrics;
mod parts;
mod running;
mod spans;
mod state;

pub use error::Error;
pub use follow::Stepper;
pub use running::{Running, serve, simulate, start};
pub use state::{Opened, open, open_on, open_within, rebuild};
