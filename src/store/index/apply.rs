//! The index and its one writer.
//!
//! Not here: the questions it answers (`lookup`).

use super::episode::Episode;
use super::request::{Known, Requests};
use crate::decision::Decision;
use crate::id::{DecisionId, Name};
use crate::signal::{Feedback, Subject};
use crate::store::journal::Position;
use crate::store::record::{Control, Record};
use crate::unit::Timestamp;
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::time::Duration;

/// Bounds of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long a decision stays.
    pub window: Duration,
    /// Most decisions.
    pub decisions: usize,
    /// Most records about decisions and episodes.
    pub records: usize,
    /// How long a request id stays.
    pub request_window: Duration,
    /// Most request ids.
    pub requests: usize,
}

impl Default for Settings {
    fn default() -> Self {
        const HOUR: u64 = 60 * 60;
        Self {
            window: Duration::from_secs(7 * 24 * HOUR),
            decisions: 1_000_000,
            records: 4_000_000,
            request_window: Duration::from_secs(24 * HOUR),
            requests: 1_000_000,
        }
    }
}

/// What is looked up by key.
#[derive(Debug)]
pub struct Index {
    settings: Settings,
    pub(super) numbers: BTreeMap<Name, u32>,
    pub(super) teams: Vec<Team>,
    pub(super) decisions: HashMap<DecisionId, Entry>,
    pub(super) requests: Requests,
    /// Decisions and episodes in order of arrival: the oldest go first.
    aged: VecDeque<(Timestamp, Aged)>,
    /// Records held about decisions and episodes.
    filed: usize,
    /// Time of the newest record.
    newest: Timestamp,
}

/// One team.
#[derive(Debug)]
pub(super) struct Team {
    pub(super) name: Name,
    pub(super) control: Option<(Position, Control)>,
    pub(super) listed: VecDeque<(Position, DecisionId)>,
    pub(super) episodes: HashMap<Name, Episode>,
}

/// One decision. Without a position it is not visible yet, and what came about it waits.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) team: u32,
    pub(super) decision: Option<Position>,
    pub(super) episode: Option<Name>,
    /// Records about it; of feedback, the hash of its content.
    pub(super) filed: Vec<(Position, Option<u64>)>,
}

#[derive(Debug)]
enum Aged {
    Decision(DecisionId),
    Episode(u32, Name),
}

impl Index {
    /// An empty index.
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            numbers: BTreeMap::new(),
            teams: Vec::new(),
            decisions: HashMap::new(),
            requests: Requests::default(),
            aged: VecDeque::new(),
            filed: 0,
            newest: Timestamp::default(),
        }
    }

    /// Takes in one record.
    pub fn apply(&mut self, position: Position, record: &Record) {
        let time = record.time();
        self.newest = self.newest.max(time);
        if let Some(name) = record.team() {
            let team = self.number(name);
            if let Some((id, body_hash)) = record.request() {
                let known = Known {
                    body_hash,
                    position,
                };
                self.requests.insert(team, id, time, known);
            }
            self.take_in(team, position, record);
        }
        self.prune();
    }

    fn take_in(&mut self, team: u32, position: Position, record: &Record) {
        match record {
            Record::Decision(decision) => self.add_decision(team, position, decision),
            Record::Attempt { attempt, .. } => {
                self.file(team, attempt.decision, attempt.ended, (position, None));
            }
            Record::Answer { answer, .. } => {
                self.file(team, answer.decision, answer.ended, (position, None));
            }
            Record::Feedback(feedback) => self.add_feedback(team, position, feedback),
            Record::EpisodeClosed { episode, time, .. } => {
                let episode = self.episode_mut(team, episode, *time);
                let first = episode
                    .closed
                    .map_or(position, |closed| closed.min(position));
                episode.closed = Some(first);
            }
            Record::Control { control, .. } => {
                let kept = &mut self.team_mut(team).control;
                if kept.as_ref().is_none_or(|(newest, _)| *newest < position) {
                    *kept = Some((position, control.clone()));
                }
            }
            Record::Version { .. }
            | Record::Tick { .. }
            | Record::Seed(_)
            | Record::Budget { .. }
            | Record::GuardLifted { .. }
            | Record::Baseline { .. } => {}
        }
    }

    fn add_decision(&mut self, team: u32, position: Position, decision: &Decision) {
        let entry = self.entry(team, decision.id, decision.time);
        // What came before it may have come from another team.
        entry.team = team;
        entry.decision = Some(position);
        entry.episode.clone_from(&decision.episode);
        let listed = &mut self.team_mut(team).listed;
        match listed.back() {
            Some((newest, _)) if *newest > position => {
                let at = listed.partition_point(|(p, _)| *p < position);
                listed.insert(at, (position, decision.id));
            }
            _ => listed.push_back((position, decision.id)),
        }
        if let Some(episode) = &decision.episode {
            self.episode_mut(team, episode, decision.time)
                .add(position, decision);
        }
    }

    fn add_feedback(&mut self, team: u32, position: Position, feedback: &Feedback) {
        let hash = feedback.body_hash;
        match &feedback.subject {
            Subject::Decision(id) => {
                self.file(team, *id, feedback.received, (position, Some(hash)));
            }
            Subject::Episode(name) => {
                let episode = self.episode_mut(team, name, feedback.received);
                let at = episode.feedback.partition_point(|(p, _)| *p < position);
                episode.feedback.insert(at, (position, hash));
                self.filed += 1;
            }
        }
    }

    fn file(
        &mut self,
        team: u32,
        id: DecisionId,
        time: Timestamp,
        record: (Position, Option<u64>),
    ) {
        let filed = &mut self.entry(team, id, time).filed;
        if filed.is_empty() {
            // Most have their attempt and no more; room for four would be a third of what a decision takes.
            filed.reserve_exact(1);
        }
        let at = filed.partition_point(|(p, _)| *p < record.0);
        filed.insert(at, record);
        self.filed += 1;
    }

    fn entry(&mut self, team: u32, id: DecisionId, time: Timestamp) -> &mut Entry {
        let aged = &mut self.aged;
        self.decisions.entry(id).or_insert_with(|| {
            aged.push_back((time, Aged::Decision(id)));
            Entry {
                team,
                decision: None,
                episode: None,
                filed: Vec::new(),
            }
        })
    }

    fn episode_mut(&mut self, team: u32, name: &Name, time: Timestamp) -> &mut Episode {
        let aged = &mut self.aged;
        let episodes = &mut self.teams[team as usize].episodes;
        episodes.entry(name.clone()).or_insert_with(|| {
            aged.push_back((time, Aged::Episode(team, name.clone())));
            Episode::default()
        })
    }

    /// The number of a team, given at its first record and never taken back.
    fn number(&mut self, name: &Name) -> u32 {
        if let Some(&number) = self.numbers.get(name) {
            return number;
        }
        let number = u32::try_from(self.teams.len()).unwrap_or(u32::MAX);
        self.numbers.insert(name.clone(), number);
        self.teams.push(Team {
            name: name.clone(),
            control: None,
            listed: VecDeque::new(),
            episodes: HashMap::new(),
        });
        number
    }

    fn team_mut(&mut self, team: u32) -> &mut Team {
        &mut self.teams[team as usize]
    }

    /// Lets the oldest go until every bound holds.
    fn prune(&mut self) {
        let Settings {
            window,
            decisions,
            records,
            request_window,
            requests,
        } = self.settings;
        self.requests.prune(self.newest, request_window, requests);
        let oldest = self.newest.before(window);
        while let Some((time, _)) = self.aged.front()
            && (*time < oldest || self.decisions.len() > decisions || self.filed > records)
        {
            match self.aged.pop_front() {
                Some((_, Aged::Decision(id))) => self.forget(id),
                Some((_, Aged::Episode(team, name))) => self.forget_episode(team, &name),
                None => {}
            }
        }
    }

    fn forget(&mut self, id: DecisionId) {
        let Some(entry) = self.decisions.remove(&id) else {
            return;
        };
        self.filed -= entry.filed.len();
        let Some(position) = entry.decision else {
            return;
        };
        let team = &mut self.teams[entry.team as usize];
        remove(&mut team.listed, position);
        if let Some(name) = entry.episode
            && let Some(episode) = team.episodes.get_mut(&name)
        {
            remove(&mut episode.decisions, position);
            if episode.decisions.is_empty() {
                self.filed -= episode.feedback.len();
                team.episodes.remove(&name);
            }
        }
    }

    /// An episode goes with the last of its decisions; one that never had any, when it is old.
    fn forget_episode(&mut self, team: u32, name: &Name) {
        let episodes = &mut self.teams[team as usize].episodes;
        if let Some(episode) = episodes.get(name)
            && episode.decisions.is_empty()
        {
            self.filed -= episode.feedback.len();
            episodes.remove(name);
        }
    }
}

#[cfg(test)]
impl Index {
    /// Whether nothing that grows with traffic is left.
    pub(super) fn is_empty(&self) -> bool {
        let empty = |team: &Team| team.listed.is_empty() && team.episodes.is_empty();
        self.aged.is_empty() && self.filed == 0 && self.teams.iter().all(empty)
    }
}

/// Removes the entry at `position`, which is the first but for races.
fn remove(list: &mut VecDeque<(Position, DecisionId)>, position: Position) {
    if let Ok(at) = list.binary_search_by_key(&position, |(p, _)| *p) {
        list.remove(at);
    }
}
