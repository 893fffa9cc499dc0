//! The demonstration: a simulated world played through a real server, and what came of it, held
//! against the truth.
//!
//! A real server starts on loopback with a store in a temporary folder; four simulated weeks of two
//! teams' requests go through its gRPC; it learns, notices an arm that gets worse, and keeps a log;
//! the log is exported and judged; since the simulator knows what every arm would have done, each
//! claim can be held against the truth. The verdict is worked out, never written beforehand.
//!
//! Invariants: equal seeds give equal runs, figure by figure.
//!
//! Not here: the world (`scenario`), the server (`server`), the judging (`replay`), the page
//! (`report`).

mod calibration;
mod caller;
mod candidates;
mod clock;
mod details;
mod document;
mod due;
mod error;
mod facts;
mod fault;
mod finding;
mod glossary;
mod notice;
mod play;
mod record;
mod rivals;
mod run;
mod section;
mod series;
mod setup;
mod signals;
mod tally;
mod team;
mod verdict;
mod view;
mod watch;

pub use document::INTRODUCTION;
pub use error::Error;
pub use fault::{faults, sound};
pub use notice::Noticed;
pub use record::{Recorded, record};
pub use run::{Finished, Options, Server, Staying, run};
pub use view::{Colour, lines, panel};
pub use watch::{Moment, TeamMoment, Watch};
