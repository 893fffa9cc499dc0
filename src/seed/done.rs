//! What was taught, for people and machines.
//!
//! Means are of the prompts that were asked for, whether their rows were written now or earlier. Quality is
//! what the scorecard makes of the signals given; utility takes off what cost and latency take off.
//!
//! Not here: writing it out (`cli`).

use super::plan::Plan;
use super::rows::Row;
use crate::id::Name;
use crate::route::FORCED_PULLS;
use serde::Serialize;
use std::fmt;

/// What was taught.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Done {
    /// The team.
    pub team: Name,
    /// The table.
    pub table: String,
    /// Prompts asked for.
    pub prompts: usize,
    /// Rows written.
    pub rows: usize,
    /// Rows that the journal had already.
    pub known: usize,
    /// What each row weighs against an outcome of the team's own.
    pub weight: f64,
    /// Where in the table each signal came from, and the signal.
    pub signals: Vec<(String, Name)>,
    /// The arms.
    pub arms: Vec<ArmDone>,
}

/// One arm's means over the prompts.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ArmDone {
    /// The arm.
    pub arm: Name,
    /// Mean quality, 0 worst to 1 best; absent where the signals given make none.
    pub quality: Option<f64>,
    /// Mean of each signal, normalised, in the order of the signals.
    pub signals: Vec<Option<f64>>,
    /// Mean cost.
    pub cost_usd: Option<f64>,
    /// Mean quality less what cost and latency take off; absent without quality or cost.
    pub utility: Option<f64>,
}

/// A mean as it grows.
#[derive(Debug, Clone, Copy, Default)]
struct Mean(f64, f64);

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value {
            self.0 += value;
            self.1 += 1.0;
        }
    }

    fn value(self) -> Option<f64> {
        (self.1 > 0.0).then(|| self.0 / self.1)
    }
}

/// Sums of one arm.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    quality: Mean,
    signals: Vec<Mean>,
    cost_usd: Mean,
    utility: Mean,
}

impl Sums {
    /// One more row.
    pub(super) fn add(&mut self, plan: &Plan<'_>, row: &Row) {
        let scorecard = plan.scorecard;
        let mut values = vec![None; scorecard.signals().len()];
        for (name, value) in &row.signals {
            let signal = scorecard.signal(name.as_str());
            if let Some((signal, slot)) = signal.and_then(|s| Some((s, values.get_mut(s)?))) {
                *slot = scorecard.normalise(signal, value).ok().flatten();
            }
        }
        let quality = scorecard.score(&values).quality;
        self.quality.add(quality);
        self.cost_usd.add(row.cost_usd);
        let price = row
            .cost_usd
            .map(|cost| scorecard.price(cost, row.latency_ms));
        self.utility
            .add(quality.zip(price).map(|(q, price)| q - price));
        self.signals.resize(plan.signals.len(), Mean::default());
        for (mean, (_, signal)) in self.signals.iter_mut().zip(&plan.signals) {
            mean.add(values.get(*signal).copied().flatten());
        }
    }

    /// The means, under the arm's name.
    pub(super) fn means(self, arm: Name) -> ArmDone {
        ArmDone {
            arm,
            quality: self.quality.value(),
            signals: self.signals.into_iter().map(Mean::value).collect(),
            cost_usd: self.cost_usd.value(),
            utility: self.utility.value(),
        }
    }
}

impl fmt::Display for Done {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (table, team, known) = (&self.table, &self.team, self.known);
        match (self.rows, known) {
            (0, _) => writeln!(
                f,
                "nothing added: team {team} was taught these {known} rows of {table} before"
            )?,
            (rows, 0) => writeln!(f, "team {team} was taught {rows} rows of {table}")?,
            (rows, _) => writeln!(
                f,
                "team {team} was taught {rows} rows of {table}; {known} were there before"
            )?,
        }
        let from = |(source, signal): &(String, Name)| format!("{signal} from {source}");
        let from: Vec<String> = self.signals.iter().map(from).collect();
        writeln!(
            f,
            "{} prompts, {} arms, weight {}; {}",
            self.prompts,
            self.arms.len(),
            self.weight,
            from.join(", ")
        )?;
        self.means(f)?;
        write!(
            f,
            "These rows cannot be corrected or taken back. Each arm still gets its {FORCED_PULLS} forced draws first."
        )
    }
}

impl Done {
    fn means(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\n{:<34}{:>9}{:>9}{:>12}",
            "mean of", "utility", "quality", "cost"
        )?;
        for (_, signal) in &self.signals {
            write!(f, "  {signal}")?;
        }
        writeln!(f)?;
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
        for arm in &self.arms {
            let cost = arm.cost_usd.map_or("-".to_owned(), |v| format!("${v:.6}"));
            let (utility, quality) = (number(arm.utility), number(arm.quality));
            write!(
                f,
                "  {:<32}{utility:>9}{quality:>9}{cost:>12}",
                arm.arm.as_str()
            )?;
            for ((_, signal), mean) in self.signals.iter().zip(&arm.signals) {
                let width = signal.as_str().chars().count() + 2;
                write!(f, "{:>width$}", number(*mean))?;
            }
            writeln!(f)?;
        }
        writeln!(f)
    }
}
