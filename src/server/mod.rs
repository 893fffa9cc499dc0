//! Composition: the only file that knows every concrete type. Starts, drains, stops.
//!
//! The order of a start: store (the past, `past`, follows its journal), learner (from its checkpoint), use
//! cases, listener. The learner has 100 ms for what came after its checkpoint, which is all of it after a clean
//! stop. What is left it learns while serving, and until then decisions are made by what the checkpoint knew: safe, for
//! each is recorded with its own probabilities, and as good as when that was written. Where no checkpoint serves
//! (a damaged one, a changed scorecard) it has 5 seconds, since arms are drawn blindly before. What prompt
//! caches hold of the last five minutes is looked up while serving (`rewarm`): for some seconds at most discounts
//! may be missed.
//!
//! Serving, by health in gRPC and `GET /health`, means that calls are answered. How far the learner is behind is
//! the metric `bellwether_learner_lag_records`, and `GetTeam` shows it (`journal_sequence` less
//! `snapshot_version`).
//!
//! The order of a stop: no new calls, calls at work finish (30 seconds at most), the learner catches up, unless it is
//! far behind, and writes its checkpoint, the journal is synced, spans that wait are sent.
//!
//! What can be swapped while it serves: keys, certificates, prices, policies (`change`, `reload`).
//!
//! Not here: what any of the pieces does.

mod auditing;
mod change;
mod door;
mod error;
mod follow;
mod held;
mod listening;
mod metrics;
mod parts;
mod past;
mod reload;
mod rewarm;
mod running;
mod spans;
mod state;
mod versions;

pub use error::Error;
pub use follow::Stepper;
pub use reload::Reloaded;
pub use running::{Running, serve, simulate, start};
pub use state::{Opened, open, open_on, open_within, rebuild};
