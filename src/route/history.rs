//! Reading decisions back: one by id, or a team's newest.
//!
//! Invariants: a team sees its own decisions only; another's id is unknown to it; a page reads at
//! most [`READ_AT_MOST`] decisions, whatever the filter leaves of them.
//!
//! Not here: decisions older than the index keeps (`traffic export` reads the journal itself).

use super::choose::Route;
use super::error::Error;
use super::reply::{DecisionPage, Recorded, Routed};
use super::request::DecisionQuery;
use crate::decision::Decision;
use crate::eligibility::Endpoint;
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
        let listed = self.store().newest(team, query.before, READ_AT_MOST)?;
        let mut page = DecisionPage::default();
        for (read, position) in listed.iter().enumerate() {
            if page.decisions.len() == query.size || read + 1 == READ_AT_MOST {
                // The page goes on with this one.
                page.next = Some(position.sequence + 1);
                break;
            }
            let Some(decision) = self.store().decision_at(*position, team)? else {
                continue;
            };
            let in_episode = query.episode.is_none() || decision.episode == query.episode;
            if in_episode && (query.arm.is_none() || decision.drawn.arm() == query.arm.as_ref()) {
                let found = self.store().followed(decision)?;
                page.decisions.push(self.recorded(found)?);
            }
        }
        Ok(page)
    }

    fn recorded(&self, found: Found) -> Result<Recorded, Error> {
        let decision = Arc::from(found.decision);
        let mut routed = match self.routed(Arc::clone(&decision)) {
            Err(Error::EndpointGone { endpoint }) => gone(decision, endpoint)?,
            routed => routed?,
        };
        routed.fallbacks.clear();
        Ok(Recorded {
            routed,
            attempts: found.attempts,
            feedback: found.feedback,
        })
    }
}

/// A decision whose endpoint has left the configuration: its name and arm are all that is known of it.
fn gone(decision: Arc<Decision>, endpoint: Name) -> Result<Routed, Error> {
    let arm = decision
        .drawn
        .arm()
        .cloned()
        .ok_or(Error::Bug("a decision without arm"))?;
    let endpoint = Endpoint {
        name: endpoint,
        arm,
        provider: Name::new("removed")?,
        model: String::new(),
        base_url: String::new(),
        region: None,
        zero_retention: false,
        trains: true,
        certifications: Vec::new(),
        expresses: crate::chat::Parameters::ALL,
        waits: Default::default(),
        prices: Vec::new(),
    };
    Ok(Routed {
        decision,
        endpoint: Arc::new(endpoint),
        fallbacks: Vec::new(),
        repeated: false,
        told: None,
        pass: None,
        watched: None,
    })
}
