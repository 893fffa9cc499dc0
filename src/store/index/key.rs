//! What is looked up, as numbers: the table it stands in and 64 bits.
//!
//! Invariants: equal things have equal keys; unlike ones may share one (the bits are a hash, or half of an id), so
//! that whoever finds a record by its key looks whether it is the one.
//!
//! Not here: where keys are kept (`young`, `run`), what the records say (`crate::store::look`).

use crate::decision::{Decision, Origin};
use crate::id::{DecisionId, Name};
use crate::signal::{Feedback, Subject};
use crate::store::record::Record;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Tables, each with an order of its own.
pub(super) const TABLES: usize = 4;

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Table {
    /// Decisions by the first half of their id, which is the time they were minted: a file holds a short range of
    /// them.
    Ids,
    /// Attempts and answers, by the same half of their decision's id: most follow it within seconds, so that a file
    /// holds a short range of them too, and needs no filter.
    Followed,
    /// A team's decisions: few keys, long lists.
    Teams,
    /// All else: many keys, short lists, in no order. A filter says of most that they are not there.
    Names,
}

/// What is looked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    pub(super) table: Table,
    pub(super) bits: u64,
}

/// How an episode's call came by its arm.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It drew it, or it is the held-out episode's baseline.
    Drawn,
    /// The arm before could not take it: it drew another.
    Redrawn,
    /// It has that of the call before.
    Inherited,
}

impl Key {
    /// A decision.
    pub fn decision(id: DecisionId) -> Self {
        Self::minted(Table::Ids, id)
    }

    /// All decisions of a team.
    pub fn team(team: &Name) -> Self {
        Self {
            table: Table::Teams,
            bits: hash(0, &[team.as_str()]),
        }
    }

    /// Attempts and answer of a decision.
    pub fn about(id: DecisionId) -> Self {
        Self::minted(Table::Followed, id)
    }

    /// Feedback about a decision.
    pub fn said(id: DecisionId) -> Self {
        Self {
            table: Table::Names,
            bits: xxh3_64_with_seed(&id.as_u128().to_le_bytes(), 2),
        }
    }

    /// What a request id came with.
    pub fn request(team: &Name, id: &Name) -> Self {
        Self::named(3, &[team.as_str(), id.as_str()])
    }

    /// Decisions of an episode.
    pub fn episode(team: &Name, episode: &Name) -> Self {
        Self::named(4, &[team.as_str(), episode.as_str()])
    }

    /// Feedback about an episode.
    pub fn said_of_episode(team: &Name, episode: &Name) -> Self {
        Self::named(5, &[team.as_str(), episode.as_str()])
    }

    /// Where an episode was closed.
    pub fn closed(team: &Name, episode: &Name) -> Self {
        Self::named(6, &[team.as_str(), episode.as_str()])
    }

    /// Calls of a task of an episode that came by their arm in one way.
    pub fn draw(team: &Name, episode: &Name, task: Option<&Name>, way: Way) -> Self {
        let kind = match way {
            Way::Drawn => 7,
            Way::Redrawn => 8,
            Way::Inherited => 9,
        };
        // No name is empty: without a task there is one part less.
        let task = task.map(Name::as_str);
        let parts = [team.as_str(), episode.as_str(), task.unwrap_or_default()];
        Self::named(
            kind,
            parts
                .get(..2 + usize::from(task.is_some()))
                .unwrap_or(&parts),
        )
    }

    /// Shows each key that leads to a record.
    pub(super) fn each(record: &Record, show: &mut impl FnMut(Self)) {
        match record {
            Record::Decision(decision) => Self::each_of(decision, show),
            Record::Attempt { attempt, .. } => show(Self::about(attempt.decision)),
            Record::Answer { answer, .. } => show(Self::about(answer.decision)),
            Record::Feedback(Feedback { team, subject, .. }) => show(match subject {
                Subject::Decision(id) => Self::said(*id),
                Subject::Episode(name) => Self::said_of_episode(team, name),
            }),
            Record::EpisodeClosed { team, episode, .. } => show(Self::closed(team, episode)),
            Record::Control { .. }
            | Record::Version { .. }
            | Record::Tick { .. }
            | Record::Seed(_)
            | Record::Budget { .. }
            | Record::GuardLifted { .. }
            | Record::Baseline { .. } => {}
        }
        if let (Some(team), Some((id, _))) = (record.team(), record.request()) {
            show(Self::request(team, id));
        }
    }

    fn each_of(decision: &Decision, show: &mut impl FnMut(Self)) {
        let team = &decision.team;
        show(Self::decision(decision.id));
        show(Self::team(team));
        let Some(episode) = &decision.episode else {
            return;
        };
        show(Self::episode(team, episode));
        let way = match decision.origin {
            Origin::Drawn | Origin::Baseline => Way::Drawn,
            Origin::Redrawn(_) => Way::Redrawn,
            Origin::Inherited(_) => Way::Inherited,
            Origin::NoExplore | Origin::Pinned => return,
        };
        show(Self::draw(team, episode, decision.task.as_ref(), way));
    }

    fn minted(table: Table, id: DecisionId) -> Self {
        // What is shifted by 64 fits.
        let bits = u64::try_from(id.as_u128() >> 64).unwrap_or(u64::MAX);
        Self { table, bits }
    }

    fn named(kind: u64, parts: &[&str]) -> Self {
        Self {
            table: Table::Names,
            bits: hash(kind, parts),
        }
    }
}

/// Stands in files: it never changes.
fn hash(kind: u64, parts: &[&str]) -> u64 {
    parts
        .iter()
        .fold(kind, |seed, part| xxh3_64_with_seed(part.as_bytes(), seed))
}
