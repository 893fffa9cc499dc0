//! Complete: tries. A decision's endpoint is asked, and every try is in the journal exactly once.
//!
//! Reading order: [`Complete`] (the use case), [`Attempts`] (one try), [`Events`] (a streamed one).
//!
//! Invariants: an attempt that was begun is recorded once, on every path: answered, failed, cut, or
//! left by the caller; its cost is counted even where the provider never said the usage. A request id
//! whose attempt is on record never asks an endpoint again; its repeats are answered from the record.
//!
//! Not here: which arm (`route`), the wire dialects (`provider`), what an answer is worth (`learn`).
//! Which road is next is `route`'s to say, and it reads [`provider::Error::retry`].
//!
//! [`provider::Error::retry`]: crate::provider::Error::retry

mod answering;
mod attempt;
mod checking;
mod embed;
mod error;
mod events;
mod heard;
mod log;
mod repeat;
mod report;
mod running;
mod serving;
mod tries;
mod words;

pub use answering::{Checked, Complete, Completed, Streaming};
pub use attempt::{Attempts, Target};
pub use checking::{Checking, OnFailure, Rule};
pub use embed::Embedded;
pub use error::{Error, Failed, ReportError};
pub use events::{Event, Events, Opening};
pub use log::{AttemptLog, Paid};
pub use report::{AttemptReport, Reports};
