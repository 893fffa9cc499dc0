//! Alarms of the server, seen from outside: what it told of, and whether the simulator knows of it.
//!
//! Not here: noticing itself (`learn`).

use super::setup::BEGIN;
use crate::grpc::client;
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
        let Some(seen) = self.seen.get_mut(team) else {
            return Vec::new();
        };
        let before = *seen;
        let new = state.alarms.iter().filter(|a| a.raise_sequence > before);
        let found = new
            .filter_map(|alarm| noticed(team, alarm, world))
            .collect();
        let newest = state.alarms.iter().map(|a| a.raise_sequence).max();
        *seen = before.max(newest.unwrap_or(before));
        found
    }
}

fn noticed(team: usize, alarm: &v1::Alarm, world: &World) -> Option<Noticed> {
    let arm = world
        .arms
        .iter()
        .position(|a| a.name.as_str() == alarm.arm)?;
    let raised = alarm.raise_time.as_ref().map(client::time)?;
    let began = alarm.begin_time.as_ref().map(client::time)?;
    let made_by = |time| {
        let by = |r: &&crate::scenario::Request| r.team == team && BEGIN.after(r.at) <= time;
        world.requests.iter().filter(by).count()
    };
    let fell = alarm.direction() == v1::alarm::Direction::Fell;
    let requests = made_by(raised);
    let changed = made_by(BEGIN.after(world.change.at));
    let true_alarm = arm == world.change.arm && fell && raised > BEGIN.after(world.change.at);
    let text = format!(
        "{} {} in {}: expected {:.2}, now {:.2} over {} outcomes, since about request {}",
        alarm.arm,
        if fell { "got worse" } else { "got better" },
        alarm.signal,
        alarm.mean_before,
        alarm.mean_after,
        alarm.outcome_count,
        made_by(began),
    );
    let truth = if true_alarm {
        format!(
            "true: it changed at request {changed}, {} before this alarm",
            requests.saturating_sub(changed)
        )
    } else {
        format!("false alarm: {} had not changed that way", alarm.arm)
    };
    Some(Noticed {
        team,
        name: world.teams.get(team)?.name.to_string(),
        requests,
        arm,
        fell,
        text,
        truth,
        true_alarm,
    })
}
