//! Closing: what time, or the end of an episode, does to a decision's groups of signals.
//!
//! Invariants: each (decision, group) closes once; a step that fails goes on from there with the same record.
//!
//! Not here: what silence says (`silence`), what a value teaches (`team`).

use super::Team as Params;
use super::paging::AT_HAND;
use super::team::{Scope, Team, Touched};
use super::told::Changes;
use crate::decision::Decision;
use crate::id::{DecisionId, Name};
use crate::store;

impl Team {
    /// Closes every group that is due, then lets go of what is past the window.
    pub(super) fn advance(
        &mut self,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        let (now, shelf) = (scope.now, scope.recall.shelf());
        for (group, spec) in scope.params.scorecard.groups().iter().enumerate() {
            let open_for = spec.closes_after;
            while let Some(id) = self.ledger.due(group, open_for, now, shelf)? {
                self.close_group(id, group, scope, touched)?;
                self.ledger.passed(group);
                // A server that was away for long closes more at once than fits.
                if self.ledger.at_hand() > 2 * AT_HAND {
                    // Only memory: what cannot leave now leaves later.
                    let _ = self.ledger.let_go(u64::MAX, shelf);
                }
            }
        }
        let window = scope.params.window(scope.limits);
        if self.ledger.evict(window, scope.limits.open, now, shelf)? {
            let (team, open) = (&scope.params.name, scope.limits.open);
            let what = "more decisions are open than are kept: the oldest are let go before their signals close, and nothing that counts at closing is learned of them";
            tracing::warn!(%team, open, what);
        }
        self.waiting.evict(window, now);
        Ok(())
    }

    /// Closes all groups of an episode's decisions at once.
    pub(super) fn close_episode(
        &mut self,
        episode: &Name,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        self.ledger.close_episode(episode);
        for number in self.ledger.numbers(episode) {
            let id = self.ledger.bring_number(number, scope.recall.shelf())?;
            let Some(id) = id else { continue };
            for group in 0..scope.params.scorecard.groups().len() {
                self.close_group(id, group, scope, touched)?;
            }
        }
        Ok(())
    }

    fn close_group(
        &mut self,
        id: DecisionId,
        group: usize,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        let unsaid = self.unsaid(id, group, scope.params);
        let decision = match self.ledger.get(id) {
            Some(entry) if unsaid.is_some() => scope.recall.decision(entry.position)?,
            _ => None,
        };
        let decision = decision.as_deref();
        self.close(id, decision, (group, unsaid), scope.params, touched);
        Ok(())
    }

    /// Closes a group of a decision, whose silence says `unsaid`.
    pub(super) fn close(
        &mut self,
        id: DecisionId,
        decision: Option<&Decision>,
        (group, unsaid): (usize, Option<Changes>),
        params: &Params,
        touched: &mut Touched,
    ) {
        self.closing(id, group, params, touched);
        if let Some(entry) = self.ledger.get_mut(id) {
            entry.closed |= 1 << group;
        }
        if let (Some(decision), Some(unsaid)) = (decision, unsaid)
            && let Some(step) = self.learn(id, decision, (group, unsaid), params, touched)
        {
            self.watch_closed(&step, params, touched);
        }
        self.compare(id, params, touched);
    }
}
