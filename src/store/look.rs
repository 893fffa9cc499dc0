//! What is looked up in the store: a decision and what followed, an episode and its draws, a request id.
//!
//! Records are read from the journal on the caller's thread, a system call each; where they are not in the system's
//! cache, a read of the disk.
//!
//! Invariants: the index says where to look, and the record is asked whether it is the one; an answer does not
//! depend on whether a key stands in memory or in a file.
//!
//! Not here: the keys (`index`), whose turn it is (`turn`).

use super::Error;
use super::engine::Store;
use super::index::{Key, Way};
use super::journal::Position;
use super::record::Record;
use crate::decision::{Answer, Attempt, Decision, Origin};
use crate::id::{DecisionId, Name};
use crate::signal::{Feedback, Subject};

/// Every record.
const ALL: u64 = u64::MAX;

/// A decision and all that followed, in journal order.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The decision.
    pub decision: Box<Decision>,
    /// Tries at endpoints.
    pub attempts: Vec<Attempt>,
    /// What the model said, where the team records content.
    pub answer: Option<Answer>,
    /// Feedback about the decision or its episode, from the decision's team only.
    pub feedback: Vec<Feedback>,
}

/// The record that came with a request id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Hash of the body it came with.
    pub body_hash: u64,
    /// Where the record is: what was answered can be made again from it.
    pub position: Position,
}

/// The draw that later calls of an (episode, task) inherit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draw {
    /// The arm.
    pub arm: Name,
    /// The decision that drew it.
    pub decision: DecisionId,
}

/// What is known of an episode that has decisions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Episode {
    /// How many decisions it has.
    pub decisions: usize,
    /// Where it was first closed, if it was.
    pub closed: Option<Position>,
}

impl Store {
    /// A decision, and where it is; `None` if it is unknown or too old.
    pub fn decision(&self, id: DecisionId) -> Result<Option<(Position, Box<Decision>)>, Error> {
        for position in self.index.find(Key::decision(id), ALL, usize::MAX)? {
            if let Record::Decision(decision) = self.journal().at(position)?
                && decision.id == id
            {
                let young = self.index.is_young(decision.time);
                return Ok(young.then_some((position, decision)));
            }
        }
        Ok(None)
    }

    /// A decision with all that followed; `None` if it is unknown or too old.
    pub fn find(&self, id: DecisionId) -> Result<Option<Found>, Error> {
        let decision = self.decision(id)?;
        decision
            .map(|(_, decision)| self.followed(decision))
            .transpose()
    }

    /// Decisions of a team before record `before` (absent: from the newest), newest first: at most `most`.
    pub fn newest(
        &self,
        team: &Name,
        before: Option<u64>,
        most: usize,
    ) -> Result<Vec<Position>, Error> {
        self.index
            .find(Key::team(team), before.unwrap_or(ALL), most)
    }

    /// The decision of a team at a place that [`Store::newest`] told; `None` if it is too old.
    pub fn decision_at(&self, at: Position, team: &Name) -> Result<Option<Box<Decision>>, Error> {
        Ok(match self.journal().at(at)? {
            Record::Decision(decision) if decision.team == *team => {
                let young = self.index.is_young(decision.time);
                young.then_some(decision)
            }
            _ => None,
        })
    }

    /// A decision with all that followed.
    pub fn followed(&self, decision: Box<Decision>) -> Result<Found, Error> {
        let mut found = Found {
            decision,
            attempts: Vec::new(),
            answer: None,
            feedback: Vec::new(),
        };
        let (id, team) = (found.decision.id, found.decision.team.clone());
        for position in self.about(&found.decision)? {
            match self.journal().at(position)? {
                Record::Attempt { team: of, attempt } if attempt.decision == id && of == team => {
                    found.attempts.push(attempt);
                }
                Record::Answer { team: of, answer } if answer.decision == id && of == team => {
                    found.answer = Some(answer);
                }
                Record::Feedback(feedback)
                    if feedback.team == team && is_about(&feedback, &found.decision) =>
                {
                    found.feedback.push(feedback);
                }
                // Sent by another team before the decision was visible, or of the same key by chance.
                _ => {}
            }
        }
        Ok(found)
    }

    /// Records that may be about a decision or its episode, in journal order.
    fn about(&self, decision: &Decision) -> Result<Vec<Position>, Error> {
        let mut keys = vec![Key::about(decision.id), Key::said(decision.id)];
        let episode = decision.episode.as_ref();
        keys.extend(episode.map(|episode| Key::said_of_episode(&decision.team, episode)));
        let mut positions = Vec::new();
        for key in keys {
            positions.extend(self.index.find(key, ALL, usize::MAX)?);
        }
        positions.sort_unstable();
        Ok(positions)
    }

    /// The draw that a call of (episode, task) inherits: the newest that had to be drawn anew, else the first.
    /// Decisions without exploration and pinned ones are no draws; the baseline of an episode that is held out is
    /// one: its later calls inherit it.
    pub fn draw(
        &self,
        team: &Name,
        episode: &Name,
        task: Option<&Name>,
    ) -> Result<Option<Draw>, Error> {
        let calls = |way, most| {
            let key = Key::draw(team, episode, task, way);
            self.index.find(key, ALL, most)
        };
        // Of two that have one key by chance the other is passed over.
        let first_of = |calls: &mut dyn Iterator<Item = Position>| {
            let mut draws = calls.map(|at| self.draw_at(at, (team, episode, task)));
            draws.find_map(Result::transpose).transpose()
        };
        let redrawn = first_of(&mut calls(Way::Redrawn, usize::MAX)?.into_iter())?;
        if redrawn.is_some() {
            return Ok(redrawn);
        }
        let first = first_of(&mut calls(Way::Drawn, usize::MAX)?.into_iter().rev())?;
        if first.is_some() {
            return Ok(first);
        }
        // The draw itself is too old to be looked up, but calls of its episode are not.
        first_of(&mut calls(Way::Inherited, 1)?.into_iter())
    }

    fn draw_at(
        &self,
        position: Position,
        (team, episode, task): (&Name, &Name, Option<&Name>),
    ) -> Result<Option<Draw>, Error> {
        let Record::Decision(decision) = self.journal().at(position)? else {
            return Ok(None);
        };
        let of = (
            &decision.team,
            decision.episode.as_ref(),
            decision.task.as_ref(),
        );
        if of != (team, Some(episode), task) {
            return Ok(None);
        }
        let drew = match decision.origin {
            Origin::Inherited(first) => first,
            _ => decision.id,
        };
        let draw = |arm: &Name| Draw {
            arm: arm.clone(),
            decision: drew,
        };
        Ok(decision.drawn.arm().map(draw))
    }

    /// Whether an episode of a team has decisions.
    pub fn knows_episode(&self, team: &Name, episode: &Name) -> Result<bool, Error> {
        let known = self.index.find(Key::episode(team, episode), ALL, 1)?;
        Ok(!known.is_empty())
    }

    /// An episode of a team; `None` where it has no decisions.
    pub fn episode(&self, team: &Name, episode: &Name) -> Result<Option<Episode>, Error> {
        let decisions = self
            .index
            .find(Key::episode(team, episode), ALL, usize::MAX)?;
        if decisions.is_empty() {
            return Ok(None);
        }
        let closed = self
            .index
            .find(Key::closed(team, episode), ALL, usize::MAX)?;
        Ok(Some(Episode {
            decisions: decisions.len(),
            closed: closed.last().copied(),
        }))
    }

    /// What a request id came with first, if it is still known.
    pub fn request(&self, team: &Name, id: &Name) -> Result<Option<Asked>, Error> {
        for position in self
            .index
            .find(Key::request(team, id), ALL, usize::MAX)?
            .into_iter()
            .rev()
        {
            let record = self.journal().at(position)?;
            let asked = record.request().filter(|(asked, _)| *asked == id);
            if let (Some((_, body_hash)), true) = (asked, record.team() == Some(team))
                && self.index.knows_requests_of(record.time())
            {
                return Ok(Some(Asked {
                    body_hash,
                    position,
                }));
            }
        }
        Ok(None)
    }

    /// Whether the newest feedback kept for a subject has the content of this one. Only the newest: a value may be
    /// taken back and given again, and that is no repeat.
    pub fn repeats(&self, feedback: &Feedback) -> Result<bool, Error> {
        let Feedback { team, subject, .. } = feedback;
        let key = match subject {
            Subject::Decision(id) => Key::said(*id),
            Subject::Episode(episode) => Key::said_of_episode(team, episode),
        };
        for position in self.index.find(key, ALL, usize::MAX)? {
            if let Record::Feedback(kept) = self.journal().at(position)?
                && kept.subject == *subject
                && (kept.team == *team || matches!(subject, Subject::Decision(_)))
            {
                return Ok(kept.body_hash == feedback.body_hash);
            }
        }
        Ok(false)
    }
}

/// Whether feedback is about a decision or its episode.
fn is_about(feedback: &Feedback, decision: &Decision) -> bool {
    match &feedback.subject {
        Subject::Decision(id) => *id == decision.id,
        Subject::Episode(episode) => decision.episode.as_ref() == Some(episode),
    }
}

#[cfg(test)]
mod tests;
