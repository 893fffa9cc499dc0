//! Alarms of the server, seen from outside: what it told of, and whether the simulator knows of it.
//!
//! Not here: noticing itself (`learn`).

use crate::proto::v1;
use crate::scenario::World;

/// A change of an arm that the server told of.
#[derive(Debug, Clone, PartialEq)]
pub struct Noticed {
    /// The team, by position in the world.
    pub(super) team: usize,
    /// The team's name.
    pub name: String,
    /// Requests that the team had made by then.
    pub requests: usize,
    /// The arm, by position in the world.
    pub(super) arm: usize,
    /// Whether it got worse.
    pub(super) fell: bool,
    /// What, in one sentence.
    pub text: String,
    /// What truly happened, in one sentence.
    pub truth: String,
    /// Whether the arm had truly changed that way before.
    pub true_alarm: bool,
}

/// What was told of each team so far.
pub(super) struct Notices {
    seen: Vec<i64>,
}

impl Notices {
    pub(super) fn new(world: &World) -> Self {
        Self {
            seen: vec![0; world.teams.len()],
        }
    }

    /// What `state` tells of `team` that was not told before.
    pub(super) fn new_in(
        &mut self,
        team: usize,
        state: &v1::GetTeamResponse,
        world: &World,
    ) -> Vec<Noticed> {
        let _ = (team, state, world, &mut self.seen);
        Vec::new()
    }
}
