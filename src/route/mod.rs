//! Route: chooses.

pub mod reply;
pub mod request;

pub use reply::{DecisionPage, EpisodeClosed, Recorded, Routed};
pub use request::{AttemptReport, Constraints, DecisionQuery, EpisodeClosing, Request, Tag};
