//! Route: chooses.

pub mod request;

pub use request::{Constraints, DataPolicy, Request, Tag};
