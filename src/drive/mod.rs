//! Drive: plays an outcome table as live traffic against a running server.
//!
//! Each prompt is one `Route` call; the table's true outcome of the arm that came back is reported as
//! an attempt and as the signal `score`, at once or some prompts later, always or with a given loss.
//! What comes out is what a team would have got, beside what fixed arms, chance and an oracle would.
//!
//! Invariants: the order of prompts and the loss depend on the seed alone; a report is made only of
//! what the server answered and what the table says.
//!
//! Not here: the server, the policies (`bandit`), judging without a server (`replay`).
//!
//! Source: SCIENCE 5 (the stream's order, reward r = score - lambda cost / c_ref).

mod error;
mod player;
mod report;
mod template;

pub use error::Error;
pub use player::{Options, play};
pub use report::Report;
pub use template::{configuration, folder};
