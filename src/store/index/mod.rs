//! What is looked up by key: derived from the journal, held in memory, bounded.
//!
//! Invariants: [`Index::apply`] is the only writer, called once for each record, at open and after
//! each append. Appenders race for it, so records may arrive a little out of order; the answers do
//! not depend on that order. Age is measured against the newest record, so that a rebuilt index
//! ages as the live one did.
//!
//! Memory, by the sizes of its parts (not measured): 350 bytes a decision, 32 bytes more for each record about it, 250 bytes a
//! request id. The defaults allow 0.7 GB when all of them are full.
//!
//! Not here: the records themselves (`journal`), turns of calls at work (`turn`).

mod apply;
mod episode;
mod lookup;
mod request;
#[cfg(test)]
mod tests;

pub use apply::{Index, Settings};
pub use episode::{Draw, Episode};
pub use lookup::{Indexed, Listed};
pub use request::Known;
