//! The part of a report that holds policies against a budget, as text.

use super::outcomes::{OutcomesReport, PolicyReport};
use super::run::Spread;
use super::spend::{Budget, Kept, Spending};
use std::fmt::{Formatter, Result};

/// Below the figures.
pub(super) const NOTE: &str = "x budget: mean spend over the budget; most: that of the dearest stream. Hull: score of the best static \
     mix of fixed arms at the budget, known in hindsight; - where no arm is that cheap. Above hull: over = \
     more than 1.005 x the budget was spent, so there is no comparison. A fixed arm and uniform know no \
     budget";

impl OutcomesReport {
    /// What each policy spent and earned.
    pub(super) fn spending(&self, f: &mut Formatter<'_>, budget: Budget, width: usize) -> Result {
        let first = |s: &Spending| s.first;
        let has_first = self
            .policies
            .iter()
            .any(|p| p.spending.as_ref().is_some_and(|s| s.first.is_some()));
        if has_first {
            self.kept(f, &format!("first {} steps", budget.first), width, first)?;
        }
        self.kept(f, "all steps", width, |s| s.all)
    }

    fn kept(
        &self,
        f: &mut Formatter<'_>,
        title: &str,
        width: usize,
        part: impl Fn(&Spending) -> Option<Kept>,
    ) -> Result {
        writeln!(f, "\n{title}")?;
        writeln!(
            f,
            "{:<width$}  {:>12}  {:>16}  {:>6}  {:>16}  {:>8}  {:>10}",
            "policy", "USD/request", "x budget", "most", "score", "hull", "above hull"
        )?;
        for policy in &self.policies {
            let Some(kept) = policy.spending.as_ref().and_then(&part) else {
                continue;
            };
            policy.kept(f, &kept, width)?;
        }
        Ok(())
    }
}

impl PolicyReport {
    fn kept(&self, f: &mut Formatter<'_>, kept: &Kept, width: usize) -> Result {
        let spread = |spread: Spread| match self.runs.len() {
            0 | 1 => format!("{:.4}", spread.mean),
            _ => format!("{:.4} +- {:.4}", spread.mean, spread.sd),
        };
        let above = match kept.above_hull {
            None => "-".to_owned(),
            Some(_) if !kept.is_within() => "over".to_owned(),
            Some(above) => format!("{above:+.4}"),
        };
        writeln!(
            f,
            "{:<width$}  {:>12}  {:>16}  {:>6}  {:>16}  {:>8}  {:>10}",
            self.policy,
            format!("{:.3e}", kept.cost_usd.mean),
            spread(kept.spend),
            format!("{:.3}", kept.most),
            spread(kept.score),
            kept.hull_score
                .map_or("-".to_owned(), |hull| format!("{hull:.4}")),
            above
        )
    }
}
