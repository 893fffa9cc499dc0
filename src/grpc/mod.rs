//! The gRPC edge: the contract's four services, health and reflection.
//!
//! A call passes `guard` (id, deadline, panic), `auth` (key, scope), `decode` (every violation at
//! once), one use case, `encode`; what fails becomes a status in `status` and nowhere else.
//!
//! Invariants: nothing that a caller sends panics; a stranger's body is not read; work begins after
//! all limits are checked.
//!
//! Not here: sockets (`server`), any decision (`route`, `complete`, `learn`, `replay`).

mod admin;
mod auth;
mod body;
mod causes;
pub mod client;
mod decode;
mod direct;
mod encode;
mod evaluation;
mod feedback;
mod guard;
#[cfg(feature = "analytics")]
mod judging;
mod keeping;
mod limits;
mod queue;
mod router;
mod status;
mod stream;
mod surface;
mod swapped;
mod told;
mod use_cases;

pub use admin::{ArmState, Operating, Operator, Spent, TeamState};
pub use auth::Gate;
pub use decode::{Control, Operation, Refusal, Replay};
pub use evaluation::{Judge, Judging, NoAnalytics};
pub use feedback::{Listener, Listening, Outcome};
pub use guard::{Call, Guard, GuardLayer, REQUEST_ID};
#[cfg(feature = "analytics")]
pub use judging::Traffic;
pub use keeping::{Keeping, KeyDesk};
pub use router::{Ask, Completed, Event, Events, Router, Routing};
pub use status::{DOMAIN, FailedAttempt, Failure};
pub use surface::{HealthSwitch, Services, Surfaces};
pub use swapped::Swapped;
pub use use_cases::{Desk, Gateway};
