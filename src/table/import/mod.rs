//! Files of other projects and gateways, turned into outcome tables or logged bandit feedback.
//!
//! | format | gives |
//! |---|---|
//! | [`Wide`] (`wide`, `routerbench`) | an outcome table, of a row a prompt with a column of scores a model |
//! | [`long()`] | an outcome table, of a row a prompt and model under other names |
//! | [`OpenBandit`] | logged bandit feedback, of the Open Bandit Dataset |
//! | [`Spend`] | logged bandit feedback, of `LiteLLM`'s request log and a file of outcomes |
//!
//! Invariants: every outcome that the files hold is written or counted as left out, with the reason; nothing is
//! written where something is wrong, or over a file that is read.
//!
//! Not here: reading what was written ([`super::OutcomeTable`], [`super::LoggedReader`]). The mappings for people
//! are in `datasets/IMPORTING.md`.

mod feedback;
mod fields;
mod gathered;
mod instant;
mod long;
mod open_bandit;
mod parquet;
mod sheet;
mod spend;
mod spend_log;
mod summary;
mod weights;
mod wide;

pub use fields::{Fields, LITELLM, OPEN_BANDIT};
pub use long::long;
pub use open_bandit::{OpenBandit, Pmf};
pub use spend::Spend;
pub use summary::{ArmRows, Imported, Left};
pub use weights::Weights;
pub use wide::Wide;
