//! Reading decisions back: one by id, or a team's newest.
//!
//! Invariants: a team sees its own decisions only; another's id is unknown to it; a page reads at
//! most [`READ_AT_MOST`] decisions, whatever the filter leaves of them.
//!
//! Not here: decisions older than the index keeps (`traffic export` reads the journal itself).

use super::choose::Route;
use super::error::Error;
use super::reply::{DecisionPage, Recorded};
use super::request::DecisionQuery;
use crate::id::{DecisionId, Name};
use crate::store::Found;
use std::sync::Arc;

/// Most decisions read for one page.
const READ_AT_MOST: usize = 2_000;

impl Route {
    /// A decision of `team` with all that followed.
    pub fn decision(&self, team: &Name, id: DecisionId) -> Result<Recorded, Error> {
        let found = self
            .store()
            .find(id)?
            .filter(|found| found.decision.team == *team);
        self.recorded(found.ok_or(Error::DecisionNotFound { id })?)
    }

    /// Decisions of `team`, newest first.
    pub fn decisions(&self, team: &Name, query: &DecisionQuery) -> Result<DecisionPage, Error> {
        let listed: Vec<_> = self
            .store()
            .index()
            .newest(team, query.before)
            .take(READ_AT_MOST)
            .collect();
        let mut page = DecisionPage::default();
        for (read, listed) in listed.iter().enumerate() {
            if page.decisions.len() == query.size || read + 1 == READ_AT_MOST {
                // The page goes on with this one.
                page.next = Some(listed.position.sequence + 1);
                break;
            }
            let Some(found) = self.store().find(listed.id)? else {
                continue;
            };
            let decision = &found.decision;
            let in_episode = query.episode.is_none() || decision.episode == query.episode;
            if in_episode && (query.arm.is_none() || decision.drawn.arm() == query.arm.as_ref()) {
                page.decisions.push(self.recorded(found)?);
            }
        }
        Ok(page)
    }

    fn recorded(&self, found: Found) -> Result<Recorded, Error> {
        let mut routed = self.routed(Arc::from(found.decision))?;
        routed.fallbacks.clear();
        Ok(Recorded {
            routed,
            attempts: found.attempts,
            feedback: found.feedback,
        })
    }
}
