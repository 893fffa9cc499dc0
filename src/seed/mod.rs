//! Seed: teaches a team an outcome table, or published rates, so that its router does not start from nothing.
//!
//! Every arm's outcome for every prompt becomes a row in the journal, with the context that `Route` would
//! have made of the prompt, and the learner takes it in as it takes in outcomes. The server must be stopped.
//! What is taught cannot be corrected or taken back: there is no decision that feedback could name.
//!
//! Measured before it was built (SCIENCE, finding 2): 300 prompts known for every arm lift the reward after
//! step 1,000 by 0.013 and 0.018 on two tables, more than any other lever.
//!
//! Invariants: everything is checked before the first row is written; a row of the same table, team, features
//! and mapping is written once, however often it is asked for, so that an interrupted seed goes on where
//! it stopped; a part of the table is the first N prompts of replay's stream 0, not of the file.
//!
//! Published rates (a leaderboard) teach less: how good each arm is whatever it is asked, weighing as much as a
//! few outcomes ([`teach_rates`]; what the regression makes of them stands at the head of `prior`).
//!
//! Not here: what a row teaches (`learn`), reading tables (`table`), how far replay would have come with it
//! (`replay`).
//!
//! Units: scores 0 worst to 1 best, USD, milliseconds.

mod done;
mod error;
mod plan;
mod prior;
mod prior_done;
mod rates;
mod rows;
mod run;

pub use done::{ArmDone, Done};
pub use error::Error;
pub use prior::teach_rates;
pub use prior_done::{PriorDone, RatesDone};
pub use rates::Rates;
pub use run::{Options, seed};
