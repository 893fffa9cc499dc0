//! Checks of a model's answer: is it the JSON that was asked for, do its tool calls fit the tools, did the model
//! refuse or stop short, does the text match what the operator wrote.
//!
//! Invariants: a verdict and an error quote at most a JSON pointer and a keyword, never what was said. Nothing is
//! fetched: a schema stands alone or is refused. What a schema may cost is bounded before it is compiled
//! ([`Rule`]), patterns are matched in linear time, and compiled schemas are kept in a cache with a bound on
//! their number and size ([`Validators`]). A repair never changes a value that was whole, and is handed back
//! only where all JSON checks then hold ([`repair_answer`]).
//!
//! Not here: what follows from a verdict (`complete` retries or goes on, `scorecard` counts it as a signal),
//! which checks a team asks for (`config`), whether a provider's answer could be read at all (`provider`).
//!
//! Units: bytes of UTF-8 text, and characters where it says so. The cost of a schema of some twenty properties,
//! measured: 41 us to compile (once), 2.3 us to parse an answer, 0.5 us to validate it. All of it runs where it
//! is called: nothing here waits.
//!
//! Source: JSON Schema drafts 6, 7, 2019-09 and 2020-12 (the last where a schema names none). We differ in
//! one thing: `format` is a note in every draft, as it is in 2020-12, and no demand.

mod cache;
mod check;
mod error;
#[cfg(test)]
mod fuzz;
mod index;
mod json;
mod judge;
mod keyword;
mod level;
mod mend;
mod pattern;
mod refusal;
mod repair;
mod scan;
mod schema;
mod shape;

pub use cache::{Held, Validators};
pub use check::{Asked, Check, Finish, Judged, Reason, Verdict, Violation};
pub use error::{Rule, SchemaError, Unfit};
pub use judge::judge;
pub use mend::repair_answer;
pub use pattern::{Pattern, PatternError};
pub use repair::repair;
