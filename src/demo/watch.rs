//! What a spectator is told while the demonstration runs.
//!
//! Units: money in USD, rewards and quality in points (0 to 1), shares in [0, 1], days from the world's
//! beginning.
//!
//! Not here: how it is shown (`view`).

use super::notice::Noticed;

/// A spectator.
pub trait Watch: Send {
    /// A step begins.
    fn step(&mut self, name: &str);
    /// How things stand in the play.
    fn moment(&mut self, moment: &Moment);
    /// The server told of a change.
    fn noticed(&mut self, noticed: &Noticed);
}

/// How things stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Moment {
    /// Simulated days passed.
    pub day: f64,
    /// Requests made.
    pub done: usize,
    /// Requests to make.
    pub total: usize,
    /// Team by team.
    pub teams: Vec<TeamMoment>,
}

/// How things stand with a team.
#[derive(Debug, Clone, PartialEq)]
pub struct TeamMoment {
    /// The team.
    pub name: String,
    /// Requests made.
    pub done: usize,
    /// Requests to make.
    pub total: usize,
    /// Spent so far.
    pub spent_usd: f64,
    /// Number of the newest requests that the figures below are of.
    pub window: usize,
    /// Each arm's share.
    pub shares: Vec<(String, f64)>,
    /// The router's mean reward.
    pub router: f64,
    /// The mean reward of an arm by chance.
    pub chance: f64,
    /// The arm that would have been best since the beginning, and its mean reward.
    pub best: (String, f64),
    /// Mean quality that the router had, and that of a static mix of two arms at the same cost.
    pub quality: (f64, Option<f64>),
}
