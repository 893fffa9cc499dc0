//! The use case by another configuration, while calls of the one before are at work.
//!
//! Invariants: what was learned, held, remembered and counted is shared with the use case before, so that a call of
//! either sees one account and one journal; each goes by its own catalogue and its own teams from its first step to
//! its last.
//!
//! Not here: which of a configuration may change so (`server`).

use super::choose::Route;
use super::context::Capabilities;
use super::team::{Named, Team};
use crate::eligibility::Catalogue;
use crate::id::{Error, Name};
use std::sync::Arc;

impl Route {
    /// The same by `catalogue`, whose arms and endpoints have the same names in the same order, each team as `change`
    /// leaves it.
    pub fn reconfigured(
        &self,
        catalogue: Arc<Catalogue>,
        change: impl Fn(&Name, &mut Team),
    ) -> Result<Self, Error> {
        let changed = |(name, named): (&Name, &Named)| {
            let mut team = named.team.clone();
            change(name, &mut team);
            Ok((name.clone(), Named::new(team)?))
        };
        Ok(Self {
            catalogue,
            teams: self
                .teams
                .iter()
                .map(changed)
                .collect::<Result<_, Error>>()?,
            known: self.known.clone(),
            store: Arc::clone(&self.store),
            clock: Arc::clone(&self.clock),
            mint: self.mint.clone(),
            capabilities: Capabilities::new()?,
            quotas: self.quotas.clone(),
        })
    }
}
