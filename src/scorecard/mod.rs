//! Scorecards: what a team calls good, from raw signals to one number per decision.
//!
//! A [`Scorecard`] is a checked [`Definition`]: weighted signals, gates, and what quality is worth in
//! dollars. It brings a raw value to the *normalised scale* (0 worst, 1 best), names the *targets*
//! that the learner regresses (every signal, and a 0/1 target for every gate on a number) with the
//! *groups* of targets that are observed together, and composes predictions or outcomes of targets:
//!
//! - utility of a prediction: u = (sum w s / sum w) * product of P(gate holds) - cost / V
//!   - mu * max(0, latency - target) / target
//! - score of a finished row: the same quality part with gates that hold or do not.
//!
//! Invariants: a `Scorecard` that exists is valid; targets 0..signals are the signals in their
//! order, the derived gates follow; every target belongs to exactly one group; nothing here allocates
//! after construction.
//!
//! Not here: where definitions come from (`config`), what is predicted (`bandit`, `learn`), the
//! variance of the utility (the learner has the covariances; [`Scorecard::gradient`] is its half).
//!
//! Units: quality points (one full point = 1), USD, milliseconds.
//!
//! Source: SCIENCE 2.2 (gates), 2.6 (utility), 2.8 (missing signals).

mod definition;
mod normalise;
mod score;
mod target;
mod utility;

pub use definition::{Definition, Kind, Level, Missing, Problem, Scorecard, Spec};
pub use normalise::Error;
pub use score::Scored;
pub use target::{Group, Target};
