//! Composition: the only file that knows every concrete type. Starts, drains, stops.
//!
//! The order of a start: store (the journal is read once), learner (from checkpoint and journal),
//! use cases, listener. Nothing is served before the learner has caught up, so the first decision
//! after a restart is as good as the last one before it. The order of a stop: no new calls, calls at
//! work finish, the learner catches up and writes its checkpoint, the journal is synced.
//!
//! Not here: what any of the pieces does.

mod error;
mod follow;
mod parts;
mod running;
mod state;

pub use error::Error;
pub use follow::Stepper;
pub use running::{Running, serve, simulate, start};
pub use state::{Opened, open, open_on, rebuild};
