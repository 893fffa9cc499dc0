//! Route: chooses.

pub mod request;

pub use request::{
    AttemptReport, Constraints, DataPolicy, DecisionQuery, EpisodeClosing, Request, Tag,
};
