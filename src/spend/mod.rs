//! What was spent, for whom and on what, and what the router saved, from a journal.
//!
//! One pass over the records, whether the server runs or not (it neither locks nor changes anything): what a server
//! has not yet given to the operating system, a few milliseconds of work, is not in it.
//!
//! Rules, stated because the figures depend on them:
//! - A request is a decision, counted on the day it was made, for the arm that was chosen. An attempt, its tokens and
//!   its cost count on the day it ended, for the arm that was asked: as the accounts count it ([`crate::account`]).
//! - Money is what attempts say they cost. What a hard limit counts beside it, the hold of an attempt of ours of
//!   unknown cost or of one that was lost, is not in it. Attempts of unknown cost are counted, those that served
//!   (`attempts_without_cost`) beside those that failed (`failed_attempts_without_cost`); one that was lost with the
//!   server that made it has no record, and is not.
//! - The share of input tokens that was cached is of attempts that tell it.
//! - What the router saved is a comparison by intention of episodes that a hash held out for the team's baseline with
//!   all others (`units`). Without a baseline there is nothing to compare with, and nothing is claimed.
//! - Refused requests are not in the journal, which keeps decisions. Who asks for them is told where they are.
//!
//! Invariants: the rows of any grouping add up to the total; memory does not grow with the journal: at most
//! [`MOST_GROUPS`] groups, [`MOST_DECISIONS`] decisions whose attempts are waited for, [`MOST_UNITS`] episodes of
//! either side of the comparison. Beyond the first the report is refused; an attempt that comes after the second
//! counts for its team, arm and day, and is told; beyond the third episodes are sampled by a hash, and it is told.
//!
//! Not here: pages ([`crate::report`]), what a limit has left ([`crate::account`]), offline judging
//! (`replay`).
//!
//! Units: nano-dollars; days since 1970-01-01 in the zone that is asked for.

mod joined;
mod labels;
mod reading;
#[cfg(test)]
mod sample;
mod spent;
mod sums;
#[cfg(test)]
mod tests;
mod text;
mod units;
mod wanted;

pub use joined::MOST_DECISIONS;
pub use labels::Labels;
pub use reading::{Error, MOST_GROUPS, spend};
#[cfg(test)]
pub(crate) use sample::shown;
pub use spent::{DaySpent, Row, Spent};
pub use sums::Sums;
pub use units::{Compared, MOST_UNITS, Money, Saved, Side, Verdict};
pub use wanted::{Dimension, Wanted, date};
