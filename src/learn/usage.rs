//! What attempts teach: cost and latency, and what was spent.
//!
//! Invariants: only the arm that was both chosen and served is taught. Where the decision cannot be read back,
//! the step fails with nothing changed.
//!
//! Not here: the regression (`arm`), outcomes (`team`).

use super::team::{Scope, Team, Touched, not_learned};
use crate::decision::Attempt;
use crate::store;

impl Team {
    /// Learns from an attempt, and counts what it spent.
    pub(super) fn attempted(
        &mut self,
        attempt: &Attempt,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        self.taught(attempt, scope, touched)?;
        let entry = self.ledger.get_mut(attempt.decision);
        if let Some(predicted) = entry.and_then(|entry| entry.predicted_usd.as_mut()) {
            self.pacing.attempted(predicted, attempt);
        }
        Ok(())
    }

    /// One that failed, and one that another arm served, teaches nothing.
    fn taught(
        &mut self,
        attempt: &Attempt,
        scope: &Scope<'_>,
        touched: &mut Touched,
    ) -> Result<(), store::Error> {
        let Some(entry) = self.ledger.get(attempt.decision) else {
            return Ok(());
        };
        if attempt.arm != entry.arm || attempt.error.is_some() || self.control.frozen {
            return Ok(());
        }
        let mut row = entry.usage.clone();
        let Some(decision) = scope.recall.decision(entry.position)? else {
            return Ok(());
        };
        let Some(x) = decision.context.as_deref() else {
            return Ok(());
        };
        let chosen = decision.drawn.chosen as usize;
        let reference = decision
            .drawn
            .reference_cost_usd
            .get(chosen)
            .copied()
            .unwrap_or(0.0);
        let ratio = attempt
            .cost
            .filter(|_| reference > 0.0)
            .map(|c| c.as_usd() / reference);
        let Some(arm) = self.arm(&attempt.arm, scope.params) else {
            return Ok(());
        };
        if let Err(error) = arm.learn_usage(x, &mut row, ratio, attempt.latency_ms) {
            not_learned(&attempt.arm, &error);
        }
        touched.insert(attempt.arm.clone());
        if let Some(entry) = self.ledger.get_mut(attempt.decision) {
            entry.usage = row;
        }
        Ok(())
    }
}
