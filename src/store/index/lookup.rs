//! The questions that the index answers.
//!
//! Not here: how it came to know (`apply`).

use super::apply::{Entry, Index};
use super::episode::{Draw, Episode};
use super::request::Known;
use crate::id::{DecisionId, Name};
use crate::store::journal::Position;
use crate::store::record::Control;

/// What is known of a decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indexed<'a> {
    /// Its team; if it is not visible yet, the team that sent the first record about it.
    pub team: &'a Name,
    /// Where it is. Absent: not visible yet, only records about it are.
    pub decision: Option<Position>,
    /// Its episode.
    pub episode: Option<&'a Name>,
}

/// A decision in a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Listed {
    /// Where it is; its sequence is the cursor for the next page.
    pub position: Position,
    /// Its id.
    pub id: DecisionId,
}

impl Index {
    /// A decision, or one that something came about.
    pub fn decision(&self, id: DecisionId) -> Option<Indexed<'_>> {
        let entry = self.decisions.get(&id)?;
        Some(Indexed {
            team: &self.teams.get(entry.team as usize)?.name,
            decision: entry.decision,
            episode: entry.episode.as_ref(),
        })
    }

    /// Attempts, answer and feedback about a decision, and feedback about its episode, in journal order.
    pub fn records_about(&self, id: DecisionId) -> Vec<Position> {
        let Some(entry) = self.decisions.get(&id) else {
            return Vec::new();
        };
        let mut positions: Vec<Position> = entry.filed.iter().map(|(p, _)| *p).collect();
        if let Some(episode) = self.episode_of(entry) {
            positions.extend(episode.feedback.iter().map(|(p, _)| *p));
            positions.sort_unstable();
        }
        positions
    }

    /// Decisions of a team before sequence `before` (absent: from the newest), newest first.
    pub fn newest(&self, team: &Name, before: Option<u64>) -> impl Iterator<Item = Listed> {
        let listed = self.team(team).map(|team| {
            let end = before.map_or(team.listed.len(), |before| {
                team.listed.partition_point(|(p, _)| p.sequence < before)
            });
            team.listed.range(..end)
        });
        let newest_first = listed.into_iter().flatten().rev();
        newest_first.map(|(position, id)| Listed {
            position: *position,
            id: *id,
        })
    }

    /// An episode of a team.
    pub fn episode(&self, team: &Name, episode: &Name) -> Option<&Episode> {
        self.team(team)?.episodes.get(episode)
    }

    /// The draw that a call of (episode, task) inherits.
    pub fn draw(&self, team: &Name, episode: &Name, task: Option<&Name>) -> Option<&Draw> {
        self.episode(team, episode)?.draw(task)
    }

    /// The record that came with a request id.
    pub fn request(&self, team: &Name, id: &Name) -> Option<Known> {
        self.requests.get(*self.numbers.get(team)?, id)
    }

    /// Whether the newest feedback kept for a decision has this content. Only the newest: a value may
    /// be taken back and given again, and that is no repeat.
    pub fn repeats_decision_feedback(&self, id: DecisionId, body_hash: u64) -> bool {
        let filed = self.decisions.get(&id).map(|entry| entry.filed.iter());
        let newest = filed
            .into_iter()
            .flatten()
            .filter_map(|(at, hash)| Some((at, (*hash)?)))
            .max();
        newest.is_some_and(|(_, hash)| hash == body_hash)
    }

    /// Whether the newest feedback kept for an episode has this content.
    pub fn repeats_episode_feedback(&self, team: &Name, episode: &Name, body_hash: u64) -> bool {
        let episode = self.episode(team, episode);
        let newest = episode.and_then(|episode| episode.feedback.iter().max());
        newest.is_some_and(|(_, hash)| *hash == body_hash)
    }

    /// A team's pin and freeze.
    pub fn control(&self, team: &Name) -> Control {
        let control = self.team(team).and_then(|team| team.control.as_ref());
        control
            .map(|(_, control)| control.clone())
            .unwrap_or_default()
    }

    /// Decisions and request ids held: for metrics.
    pub fn sizes(&self) -> (usize, usize) {
        (self.decisions.len(), self.requests.len())
    }

    fn team(&self, name: &Name) -> Option<&super::apply::Team> {
        self.teams.get(*self.numbers.get(name)? as usize)
    }

    fn episode_of(&self, entry: &Entry) -> Option<&Episode> {
        let team = self.teams.get(entry.team as usize)?;
        team.episodes.get(entry.episode.as_ref()?)
    }
}
