//! What a simulated world consists of.
//!
//! Units: money in USD, time from the world's beginning, quality in points (0 to 1).

use crate::id::Name;
use crate::signal::Value;
use std::time::Duration;

/// A whole world.
#[derive(Debug, Clone, PartialEq)]
pub struct World {
    /// What it was made from.
    pub seed: u64,
    /// Who can be asked.
    pub arms: Vec<Arm>,
    /// Who asks.
    pub teams: Vec<Team>,
    /// What is asked, by time.
    pub requests: Vec<Request>,
    /// The arm that gets worse without a word.
    pub change: Change,
    /// The arm that is good at one task only.
    pub specialist: Specialist,
}

/// An arm.
#[derive(Debug, Clone, PartialEq)]
pub struct Arm {
    /// Its name.
    pub name: Name,
    /// What it is, in a few words.
    pub note: &'static str,
    /// Price of a million input tokens.
    pub input_usd_per_million: f64,
    /// Price of a million output tokens.
    pub output_usd_per_million: f64,
    /// Mean output tokens of an answer.
    pub output_tokens: u32,
}

/// A team.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Team {
    /// Its name.
    pub name: Name,
    /// Its scorecard, as TOML.
    pub scorecard: &'static str,
    /// Its tasks.
    pub tasks: Vec<Name>,
}

/// Which method a request calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rpc {
    /// The agent calls the model itself.
    Route,
    /// Bellwether calls it.
    Complete,
}

/// A request. Calls of one episode have one task and come within hours.
#[derive(Debug, Clone, PartialEq)]
pub struct Request {
    /// Its team, by position in [`World::teams`].
    pub team: usize,
    /// Its task.
    pub task: Name,
    /// Its episode.
    pub episode: Option<Name>,
    /// When it is made.
    pub at: Duration,
    /// How it is made.
    pub rpc: Rpc,
    /// The user's words.
    pub prompt: String,
    /// What each arm would have done, in the order of [`World::arms`].
    pub outcomes: Vec<Outcome>,
}

/// What one arm would have done.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// Tokens read.
    pub input_tokens: u32,
    /// Tokens written.
    pub output_tokens: u32,
    /// What it cost.
    pub cost_usd: f64,
    /// How long it took.
    pub latency_ms: f64,
    /// Quality by the team's scorecard, everything known that truly happened, told or not.
    pub quality: f64,
    /// Quality less cost and latency, as the scorecard weighs them.
    pub reward: f64,
    /// Mean of `reward` over the simulator's own dice: the truth behind it, exact but for the rounding
    /// of tokens, lines and milliseconds.
    pub expected_reward: f64,
    /// What will be reported, and when, in order of time. What is said of a whole episode is listed
    /// once, with its last call.
    pub signals: Vec<Arrival>,
}

/// A report on its way.
#[derive(Debug, Clone, PartialEq)]
pub struct Arrival {
    /// The signal.
    pub signal: Name,
    /// Its value.
    pub value: Value,
    /// How long after the request.
    pub after: Duration,
    /// Who says so.
    pub evaluator: &'static str,
    /// Whether it takes back what the same signal said before. Of two that do not, the later counts.
    pub corrects: bool,
}

/// An arm that changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Which, by position in [`World::arms`].
    pub arm: usize,
    /// When.
    pub at: Duration,
}

/// An arm that is good at one thing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Specialist {
    /// Which, by position in [`World::arms`].
    pub arm: usize,
    /// The team, by position in [`World::teams`].
    pub team: usize,
    /// Its task.
    pub task: Name,
}
