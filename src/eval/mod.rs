//! Experiments: questions with their data, candidates and seed in a file, and the expected answer beside it.
//!
//! `evals/NAME/experiment.toml` asks, `evals/NAME/expected.json` is what came of it when somebody last looked, and
//! [`Session`] says whether it still does: each figure, to a billionth. An answer may be a refusal, word by word.
//!
//! Invariants: the same experiment gives the same figures; one that cannot be read, or has no expectation, is no
//! success; what is skipped is said to be.
//!
//! Not here: the file's form (`config`), the judging (`replay`), the simulated traffic (`demo`).

mod answer;
mod error;
mod expected;
mod figure;
mod find;
mod run;

pub use error::Error;
pub use expected::Drift;
pub use figure::{Figure, Figures};
pub use find::{Found, find};
pub use run::{Ended, Session, Told};
