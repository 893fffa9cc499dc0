//! The report on an outcome table as text, for people. Machines take the JSON of the same structs.

use super::bench::CostSource;
use super::change::{ChangeReport, FixedArm};
use super::drift::Drift;
use super::joining::Bound;
use super::outcomes::{OutcomesReport, PolicyReport};
use super::recovery::Recovery;
use super::run::Spread;
use super::spend_text;
use crate::table::{LeftOut, Why};
use std::fmt::{Display, Formatter, Result};

/// Below the figures around an arm's drop.
const RECOVERY: &str = "Means over the streams: reward over the 200 steps just before, the least over 200 after; steps \
     until 200 have at least 80 % of the difference back. - where no loss shows beyond chance.";

impl Display for OutcomesReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        self.heading(f)?;
        self.without_a_router(f)?;
        let width = self.policies.iter().map(|p| p.policy.len()).max();
        let width = width.unwrap_or(0).max("policy".len());
        self.judged(f, width)?;
        match self.budget {
            Some(budget) => self.spending(f, budget, width)?,
            None => self.rewards(f, width)?,
        }
        self.around_the_change(f, width)?;
        writeln!(f, "\n{}", self.notes())?;
        match &self.sweep {
            Some(sweep) => write!(f, "\n{sweep}"),
            None => Ok(()),
        }
    }
}

impl OutcomesReport {
    fn rewards(&self, f: &mut Formatter<'_>, width: usize) -> Result {
        writeln!(
            f,
            "\n{:<width$}  {:>15}  {:>15}  {:>15}  {:>15}  {:>15}  {:>15}  {:>8}  {:>10}  {:>8}",
            "policy",
            "first 1,000",
            "first 5,000",
            "after 1,000",
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
        Ok(())
    }

    /// What the figures are.
    fn notes(&self) -> String {
        let streams = self.policies.first().map_or(0, |p| p.runs.len());
        let spread = match streams {
            1 => "of one stream (--seeds 2 or more show the spread)".to_owned(),
            n => format!("mean +- sd over {n} streams"),
        };
        if self.budget.is_some() {
            return format!("{}; {spread}.", spend_text::NOTE);
        }
        format!(
            "Reward is score - lambda x cost / reference cost (the dearest arm's mean); {spread}; - where there are \
             fewer prompts. After 1,000: without the stream's first 1,000 prompts. Hull: score of the best static \
             mix of two arms at the same cost."
        )
    }

    fn heading(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(
            f,
            "{}: {} prompts ({} left out), {} arms, {}",
            self.table,
            self.prompts,
            self.dropped,
            self.baselines.arms.len(),
            match self.budget {
                Some(budget) => format!("budget {} USD a request", budget.request_usd),
                None => format!("lambda {}", self.lambda),
            }
        )?;
        for why in [Why::NotNamed, Why::Coverage] {
            self.left_out(f, why)?;
        }
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
        )?;
        self.stream(f)
    }

    /// The arms that were left out for one reason.
    fn left_out(&self, f: &mut Formatter<'_>, why: Why) -> Result {
        let out: Vec<&LeftOut> = self.left_out.iter().filter(|out| out.why == why).collect();
        let arms: Vec<String> = match why {
            Why::NotNamed => out.iter().map(|out| out.arm.to_string()).collect(),
            Why::Coverage => {
                let shown = |out: &&LeftOut| format!("{} ({:.1} %)", out.arm, 100.0 * out.coverage);
                out.iter().map(shown).collect()
            }
        };
        let because = match why {
            _ if out.is_empty() => return Ok(()),
            Why::NotNamed => "not asked for",
            Why::Coverage => "with a score on too few prompts",
        };
        let count = out.len();
        writeln!(f, "left out, {because}: {count} arms: {}", arms.join(", "))
    }

    /// What was done to the streams, if anything was.
    fn stream(&self, f: &mut Formatter<'_>) -> Result {
        let stream = &self.stream;
        let mut done = Vec::new();
        if stream.seed_rows > 0 {
            done.push(format!(
                "{} prompts given away with every arm's outcome, and not counted",
                stream.seed_rows
            ));
        }
        if stream.delay > 0 {
            done.push(format!("outcomes come {} steps late", stream.delay));
        }
        if stream.missing > 0.0 {
            done.push(format!(
                "a share of {} of the outcomes never comes",
                stream.missing
            ));
        }
        if let Some(drift) = &stream.drift {
            done.push(format!("drift {drift}"));
        }
        if done.is_empty() {
            return Ok(());
        }
        writeln!(f, "stream: {}", done.join("; "))
    }

    /// What a drift changed, and how the policies took it.
    fn around_the_change(&self, f: &mut Formatter<'_>, width: usize) -> Result {
        let Some(change) = &self.change else {
            return Ok(());
        };
        writeln!(f, "\n{change}")?;
        write!(f, "{:<width$}  {:>15}  {:>15}", "policy", "before", "after")?;
        let drops = matches!(change.drift, Drift::Drop { .. });
        if drops {
            write!(
                f,
                "  {:>11}  {:>8}  {:>10}",
                "just before", "lowest", "steps back"
            )?;
        }
        writeln!(f)?;
        for policy in &self.policies {
            policy.around_the_change(f, width, drops)?;
        }
        if drops {
            writeln!(f, "{RECOVERY}")?;
        }
        for policy in &self.policies {
            policy.onboarding(f)?;
        }
        Ok(())
    }

    /// Beside the figures of the table where the streams are not as it is.
    fn undrifted(&self) -> &'static str {
        match self.change {
            Some(_) => ", whole table without drift",
            None => "",
        }
    }

    fn without_a_router(&self, f: &mut Formatter<'_>) -> Result {
        let base = &self.baselines;
        writeln!(f, "\nwithout a router (in hindsight{})", self.undrifted())?;
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
    /// One stream has no spread: a 0 would look like certainty.
    fn spread(&self, spread: Option<Spread>) -> String {
        match spread {
            None => "-".to_owned(),
            Some(s) if self.runs.len() < 2 => format!("{:.4}", s.mean),
            Some(s) => format!("{:.4} +- {:.4}", s.mean, s.sd),
        }
    }

    fn line(&self, f: &mut Formatter<'_>, width: usize) -> Result {
        writeln!(
            f,
            "{:<width$}  {:>15}  {:>15}  {:>15}  {:>15}  {:>15}  {:>15}  {:>8}  {:>10}  {:>8}",
            self.policy,
            self.spread(self.first_1000),
            self.spread(self.first_5000),
            self.spread(self.after_1000),
            self.spread(Some(self.all)),
            self.spread(Some(self.last_fifth)),
            self.spread(Some(self.score)),
            number(Some(self.expected.mean), 4),
            number(self.cost_usd.map(|c| c.mean), 6),
            number(self.hull_score, 4)
        )
    }

    fn onboarding(&self, f: &mut Formatter<'_>) -> Result {
        let Some(joined) = &self.onboarding else {
            return Ok(());
        };
        let bound = |bound: Bound| match (bound.median_steps, bound.median_chosen) {
            (Some(steps), Some(chosen)) => format!(
                "{} (after {steps} steps and {chosen} choices of it in the median)",
                bound.streams
            ),
            _ => bound.streams.to_string(),
        };
        let percent = |spread: Spread| format!("{:.2} %", 100.0 * spread.mean);
        writeln!(
            f,
            "{}: the arm that joined was adopted (a fifth of 100 choices in a row) within 142 steps in {} of {} \
             streams, ever in {}; it has {} of the choices since, {} of the last 500; by the bound that holds at \
             every look it is worth more than the others in {}, less in {}",
            self.policy,
            joined.adopted_within_142,
            joined.streams,
            joined.adopted,
            percent(joined.share),
            percent(joined.last),
            bound(joined.bound_adopted),
            bound(joined.bound_rejected)
        )
    }

    fn around_the_change(&self, f: &mut Formatter<'_>, width: usize, drops: bool) -> Result {
        write!(
            f,
            "{:<width$}  {:>15}  {:>15}",
            self.policy,
            self.spread(self.before_change),
            self.spread(self.after_change)
        )?;
        if drops {
            let steps = |r: Recovery| r.steps.map_or("never".to_owned(), |n| n.to_string());
            write!(
                f,
                "  {:>11}  {:>8}  {:>10}",
                number(self.recovery.map(|r| r.before), 4),
                number(self.recovery.map(|r| r.lowest), 4),
                self.recovery.map_or("-".to_owned(), steps)
            )?;
        }
        writeln!(f)
    }
}

pub(super) fn number(value: Option<f64>, digits: usize) -> String {
    value.map_or("-".to_owned(), |v| format!("{v:.digits$}"))
}

impl Display for ChangeReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let best = |best: &Option<FixedArm>| {
            let shown = |best: &FixedArm| format!("{} {:.4}", best.arm, best.reward);
            best.as_ref().map_or("-".to_owned(), shown)
        };
        write!(f, "change at prompt {} of the stream: ", self.at + 1)?;
        match (&self.drift, &self.arm) {
            (Drift::Drop { factor, .. }, Some(arm)) => write!(f, "{arm}'s score times {factor}")?,
            (Drift::Join { arm, .. }, _) => write!(f, "{arm} joins")?,
            _ => write!(f, "{} ({} prompts left out)", self.drift, self.left_out)?,
        }
        write!(
            f,
            "; best fixed arm before it: {}, after it: {}",
            best(&self.best_before),
            best(&self.best_after)
        )
    }
}
