//! The report on an outcome table as text, for people. Machines take the JSON of the same structs.

use super::bench::CostSource;
use super::outcomes::{OutcomesReport, PolicyReport};
use super::run::Spread;
use std::fmt::{Display, Formatter, Result};

impl Display for OutcomesReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.heading(f)?;
        self.without_a_router(f)?;
        let width = self.policies.iter().map(|p| p.policy.len()).max();
        let width = width.unwrap_or(0).max("policy".len());
        writeln!(
            f,
            "\n{:<width$}  {:>15}  {:>15}  {:>15}  {:>15}  {:>15}  {:>8}  {:>10}  {:>8}",
            "policy",
            "first 1,000",
            "first 5,000",
            "all",
            "last fifth",
            "score",
            "expected",
            "cost USD",
            "hull"
        )?;
        for policy in &self.policies {
            policy.line(f, width)?;
        }
        let streams = self.policies.first().map_or(0, |p| p.runs.len());
        let spread = match streams {
            1 => "of one stream (--seeds 2 or more show the spread)".to_owned(),
            n => format!("mean +- sd over {n} streams"),
        };
        writeln!(
            f,
            "\nReward is score - lambda x cost / reference cost (the dearest arm's mean); {spread}; - where there are \
             fewer prompts. Hull: score of the best static mix of two arms at the same cost."
        )
    }
}

impl OutcomesReport {
    fn heading(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(
            f,
            "{}: {} prompts ({} left out), {} arms, lambda {}",
            self.table,
            self.prompts,
            self.dropped,
            self.baselines.arms.len(),
            self.lambda
        )?;
        let source = match self.cost_source {
            CostSource::Recorded => "recorded",
            CostSource::Assumed => "assumed list prices",
            CostSource::Absent => "none",
        };
        match self.reference_cost_usd {
            Some(cost) => writeln!(f, "cost: {source}, reference {cost:.6} USD")?,
            None => writeln!(f, "cost: {source}")?,
        }
        writeln!(
            f,
            "context: {} (d = {}), task label {}; floor {} and forced pulls for policies that learn",
            self.feature_set,
            self.dim,
            if self.task_label { "on" } else { "off" },
            self.floor
        )
    }

    fn without_a_router(&self, f: &mut Formatter<'_>) -> Result {
        let base = &self.baselines;
        writeln!(f, "\nwithout a router (in hindsight)")?;
        let arm = &base.best_single.arm;
        for (name, value) in [
            (format!("best single ({arm})"), base.best_single.reward),
            ("random".to_owned(), base.random),
            ("best per task".to_owned(), base.per_task_best),
            ("oracle".to_owned(), base.oracle),
        ] {
            writeln!(f, "  {value:.4}  {name}")?;
        }
        Ok(())
    }
}

impl PolicyReport {
    fn line(&self, f: &mut Formatter<'_>, width: usize) -> Result {
        // One stream has no spread: a 0 would look like certainty.
        let spread = |s: Option<Spread>| match s {
            None => "-".to_owned(),
            Some(s) if self.runs.len() < 2 => format!("{:.4}", s.mean),
            Some(s) => format!("{:.4} +- {:.4}", s.mean, s.sd),
        };
        let number = |value: Option<f64>, digits: usize| {
            value.map_or("-".to_owned(), |v| format!("{v:.digits$}"))
        };
        writeln!(
            f,
            "{:<width$}  {:>15}  {:>15}  {:>15}  {:>15}  {:>15}  {:>8}  {:>10}  {:>8}",
            self.policy,
            spread(self.first_1000),
            spread(self.first_5000),
            spread(Some(self.all)),
            spread(Some(self.last_fifth)),
            spread(Some(self.score)),
            number(Some(self.expected.mean), 4),
            number(self.cost_usd.map(|c| c.mean), 6),
            number(self.hull_score, 4)
        )
    }
}
