//! Traffic scored again, by another scorecard: what a team would have seen.
//!
//! Signals that the export does not hold (recorded before the scorecard asked for them) are missing,
//! and take the value that the scorecard gives a missing one only where that is not "unknown".
//!
//! Not here: what another policy would have chosen under it (`traffic`).

use super::Row;
use crate::id::Name;
use crate::scorecard::{Kind, Scorecard};
use crate::signal::Value;
use crate::table;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;

/// What a scorecard says of traffic.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RescoreReport {
    /// The scorecard.
    pub scorecard: String,
    /// Decisions read.
    pub rows: usize,
    /// All of them, then arm by arm.
    pub arms: Vec<ArmScore>,
    /// How often each signal was seen.
    pub signals: Vec<SignalSeen>,
}

/// Means over the decisions of one arm, before and after.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct ArmScore {
    /// The arm; `all` for all of them.
    pub arm: String,
    /// Its decisions.
    pub rows: usize,
    /// Decisions that the exported scorecard could score.
    pub scored_before: usize,
    /// Their mean quality.
    pub quality_before: f64,
    /// Their mean utility.
    pub utility_before: f64,
    /// Decisions that this scorecard can score.
    pub scored: usize,
    /// Their mean quality.
    pub quality: f64,
    /// Their mean utility.
    pub utility: f64,
}

/// How often a signal was seen.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct SignalSeen {
    /// The signal.
    pub signal: Name,
    /// Decisions with a value.
    pub seen: usize,
    /// Mean of the values, normalised to 0 worst, 1 best.
    pub mean: Option<f64>,
}

/// Scores every row by `scorecard`.
pub fn rescore(
    rows: impl Iterator<Item = Result<Row, table::Error>>,
    scorecard: &Scorecard,
) -> Result<RescoreReport, table::Error> {
    let mut arms: BTreeMap<String, ArmScore> = BTreeMap::new();
    let mut all = ArmScore {
        arm: "all".to_owned(),
        ..ArmScore::default()
    };
    let mut seen = vec![(0, 0.0); scorecard.signals().len()];
    for row in rows {
        let row = row?;
        let values: Vec<Option<f64>> = (0..scorecard.signals().len())
            .map(|signal| value(scorecard, signal, &row))
            .collect();
        for ((count, sum), value) in seen.iter_mut().zip(&values) {
            if let Some(value) = value {
                *count += 1;
                *sum += value;
            }
        }
        let arm = row.drawn.arm().map(ToString::to_string).unwrap_or_default();
        let of_arm = arms.entry(arm.clone()).or_insert_with(|| ArmScore {
            arm,
            ..ArmScore::default()
        });
        for score in [&mut all, of_arm] {
            score.add(&row, scorecard, &values);
        }
    }
    let rows = all.rows;
    let mut listed: Vec<ArmScore> = std::iter::once(all).chain(arms.into_values()).collect();
    listed.iter_mut().for_each(ArmScore::finish);
    let signal = |(spec, (count, sum)): (&crate::scorecard::Spec, (usize, f64))| SignalSeen {
        signal: spec.name.clone(),
        seen: count,
        mean: (count > 0).then(|| sum / count as f64),
    };
    Ok(RescoreReport {
        scorecard: scorecard.definition().name.to_string(),
        rows,
        arms: listed,
        signals: scorecard.signals().iter().zip(seen).map(signal).collect(),
    })
}

/// The normalised value of a signal in a row; a missing one as the scorecard says.
fn value(scorecard: &Scorecard, signal: usize, row: &Row) -> Option<f64> {
    let spec = scorecard.signals().get(signal)?;
    let raw = row
        .outcomes
        .iter()
        .find(|(name, _)| *name == spec.name)
        .map(|(_, raw)| *raw);
    let Some(raw) = raw else {
        return spec.missing.value();
    };
    let raw = match spec.kind {
        Kind::Flag { .. } => Value::Flag(raw >= 0.5),
        Kind::Number { .. } => Value::Number(raw),
    };
    scorecard.normalise(signal, &raw).ok().flatten()
}

impl ArmScore {
    fn add(&mut self, row: &Row, scorecard: &Scorecard, values: &[Option<f64>]) {
        self.rows += 1;
        if let (Some(quality), Some(utility)) = (row.quality, row.utility) {
            self.scored_before += 1;
            self.quality_before += quality;
            self.utility_before += utility;
        }
        if let Some(quality) = scorecard.score(values).quality {
            let chosen = row.drawn.chosen as usize;
            let cost = row
                .cost_usd
                .or_else(|| row.drawn.cost_usd.get(chosen).copied());
            self.scored += 1;
            self.quality += quality;
            self.utility += quality - scorecard.price(cost.unwrap_or(0.0), row.latency_ms);
        }
    }

    /// Sums to means.
    fn finish(&mut self) {
        let (before, after) = (self.scored_before.max(1) as f64, self.scored.max(1) as f64);
        self.quality_before /= before;
        self.utility_before /= before;
        self.quality /= after;
        self.utility /= after;
    }
}

impl fmt::Display for RescoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "scorecard {} over {} decisions",
            self.scorecard, self.rows
        )?;
        writeln!(f)?;
        writeln!(
            f,
            "{:<28}{:>10}{:>12}{:>10}{:>10}{:>12}{:>10}{:>10}",
            "",
            "decisions",
            "scored then",
            "quality",
            "utility",
            "scored now",
            "quality",
            "utility"
        )?;
        for arm in &self.arms {
            writeln!(
                f,
                "{:<28}{:>10}{:>12}{:>10.4}{:>10.4}{:>12}{:>10.4}{:>10.4}",
                arm.arm,
                arm.rows,
                arm.scored_before,
                arm.quality_before,
                arm.utility_before,
                arm.scored,
                arm.quality,
                arm.utility
            )?;
        }
        writeln!(f)?;
        for seen in &self.signals {
            let mean = seen
                .mean
                .map_or("-".to_owned(), |mean| format!("{mean:.4}"));
            writeln!(
                f,
                "signal {:<28} seen {:>8}, mean {mean}",
                seen.signal.as_str(),
                seen.seen
            )?;
        }
        Ok(())
    }
}
