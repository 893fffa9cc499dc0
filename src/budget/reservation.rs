//! A place held for the cost of one request, and why one is not granted or not ended.
//!
//! Not here: the account ([`super::Ledger`]).
//!
//! Units: nano-dollars; times in UTC.

use crate::unit::{NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};

/// A place held for the cost of one request. It may be written down and come back after a restart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reservation(pub(super) u64);

/// Why money was not granted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// More than is left.
    #[error("{} nano-USD asked for, {} left", .asked.get(), .left.get())]
    Exhausted {
        /// What was asked for.
        asked: NanoUsd,
        /// What is left.
        left: NanoUsd,
        /// When it will fit if nothing else is spent or settled; nothing: never, or no one knows.
        again: Option<Timestamp>,
    },
    /// Money cannot be negative here.
    #[error("{} nano-USD cannot be reserved: allowed at least 0", .0.get())]
    Negative(NanoUsd),
}

/// What a ledger refuses besides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The reservation was settled or released before, or is of another ledger.
    #[error("reservation {} is not open", .0.0)]
    NotOpen(Reservation),
    /// Money cannot be negative here.
    #[error("{} nano-USD cannot be a limit, a rate or a cost: allowed at least 0", .0.get())]
    Negative(NanoUsd),
}

/// Refuses what is negative.
pub(super) fn at_least_nothing(money: NanoUsd) -> Result<(), Error> {
    if money >= NanoUsd::ZERO {
        Ok(())
    } else {
        Err(Error::Negative(money))
    }
}
