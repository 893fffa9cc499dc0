//! Traffic scored again, by another scorecard: what a team would have seen.
//!
//! A signal that the export does not hold (not come, or recorded before the scorecard asked for it) is
//! unknown until its closing time, counted from the decision to the export's own time (`as_of_us`) or
//! until its episode was closed; after that it takes the value that the scorecard gives a missing one.
//! Files without `as_of_us` do not say when they were made: in those nothing counts as over.
//!
//! Invariants: seen + assumed + unknown = decisions, for every signal.
//!
//! Not here: what another policy would have chosen under it (`traffic`).

use super::Row;
use super::known::{Heard, Known, quality};
use crate::id::Name;
use crate::scorecard::{Kind, Scorecard, Spec};
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
    /// How often each signal was seen, assumed and unknown.
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
    /// Decisions without one that count as the scorecard says: its closing time had passed.
    pub assumed: usize,
    /// Decisions without one of which nothing is said: it may yet come, or the scorecard assumes
    /// nothing.
    pub unknown: usize,
    /// Mean of the values seen, normalised to 0 worst, 1 best.
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
    let mut signals: Vec<SignalSeen> = scorecard.signals().iter().map(SignalSeen::none).collect();
    for row in rows {
        let row = row?;
        let known = known(scorecard, &row);
        signals
            .iter_mut()
            .zip(&known)
            .for_each(|(signal, known)| signal.add(*known));
        let quality = quality(scorecard, &known);
        let arm = row.drawn.arm().map(ToString::to_string).unwrap_or_default();
        let of_arm = arms.entry(arm.clone()).or_insert_with(|| ArmScore {
            arm,
            ..ArmScore::default()
        });
        for score in [&mut all, of_arm] {
            score.add(&row, scorecard, quality);
        }
    }
    let rows = all.rows;
    let mut listed: Vec<ArmScore> = std::iter::once(all).chain(arms.into_values()).collect();
    listed.iter_mut().for_each(ArmScore::finish);
    signals.iter_mut().for_each(SignalSeen::finish);
    Ok(RescoreReport {
        scorecard: scorecard.definition().name.to_string(),
        rows,
        arms: listed,
        signals,
    })
}

/// What is known of each signal of a row.
pub(super) fn known(scorecard: &Scorecard, row: &Row) -> Vec<Known> {
    let heard = Heard {
        made: row.time,
        until: row.as_of,
        closed: row.closed,
    };
    let signals = scorecard.signals().iter().enumerate();
    let known = signals.map(|(index, spec)| {
        let raw = row.outcomes.iter().find(|(name, _)| *name == spec.name);
        let value = raw.map(|(_, raw)| match spec.kind {
            Kind::Flag { .. } => Value::Flag(*raw >= 0.5),
            Kind::Number { .. } => Value::Number(*raw),
        });
        let seen = value.and_then(|value| scorecard.normalise(index, &value).ok().flatten());
        heard.know(spec, seen)
    });
    known.collect()
}

impl SignalSeen {
    fn none(spec: &Spec) -> Self {
        Self {
            signal: spec.name.clone(),
            seen: 0,
            assumed: 0,
            unknown: 0,
            mean: None,
        }
    }

    fn add(&mut self, known: Known) {
        match known {
            Known::Seen(value) => {
                self.seen += 1;
                *self.mean.get_or_insert(0.0) += value;
            }
            Known::Assumed(_) => self.assumed += 1,
            Known::Unknown => self.unknown += 1,
        }
    }

    /// Sum to mean.
    fn finish(&mut self) {
        self.mean = self.mean.map(|sum| sum / self.seen as f64);
    }
}

impl ArmScore {
    fn add(&mut self, row: &Row, scorecard: &Scorecard, quality: Option<f64>) {
        self.rows += 1;
        if let (Some(quality), Some(utility)) = (row.quality, row.utility) {
            self.scored_before += 1;
            self.quality_before += quality;
            self.utility_before += utility;
        }
        if let Some(quality) = quality {
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
                "signal {:<28} seen {:>8} (mean {mean}), assumed {:>8}, unknown {:>8}",
                seen.signal.as_str(),
                seen.seen,
                seen.assumed,
                seen.unknown
            )?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learn::sample::{HOUR, Maker, name, scorecard};
    use std::time::Duration;

    /// A row made `age` before its export.
    fn row(age: Duration, outcomes: &[(&str, f64)]) -> Row {
        let mut row = Row::new(Maker::new().decision(Some("e")));
        row.as_of = Some(row.time.after(age));
        row.outcomes = outcomes.iter().map(|(n, v)| (name(n), *v)).collect();
        row
    }

    fn check(rows: Vec<Row>, signal: &str, expected: [usize; 3], mean: Option<f64>) {
        let report = rescore(rows.into_iter().map(Ok), &scorecard(HOUR)).unwrap();
        let found = report.signals.iter().find(|s| s.signal.as_str() == signal);
        let found = found.unwrap();
        assert_eq!([found.seen, found.assumed, found.unknown], expected);
        assert_eq!(found.mean, mean);
    }

    #[test]
    fn a_missing_signal_is_unknown_until_it_closes_and_then_what_the_scorecard_says() {
        let (young, old) = (HOUR - Duration::from_secs(1), HOUR);
        // `alive` counts as worst where it is missing, `tests` as unknown.
        check(vec![row(young, &[])], "alive", [0, 0, 1], None);
        check(vec![row(old, &[])], "alive", [0, 1, 0], None);
        check(vec![row(old, &[])], "tests", [0, 0, 1], None);
        let seen = [row(young, &[("alive", 1.0)]), row(old, &[("alive", 0.0)])];
        check(seen.to_vec(), "alive", [2, 0, 0], Some(0.5));
        let mut closed = row(young, &[]);
        closed.closed = true;
        check(vec![closed], "alive", [0, 1, 0], None);
        let mut undated = row(old, &[]);
        undated.as_of = None;
        check(vec![undated], "alive", [0, 0, 1], None);
    }

    #[test]
    fn a_decision_is_scored_by_what_is_known_of_it_and_not_by_silence_to_come() {
        let score = |row: Row| {
            let report = rescore([Ok(row)].into_iter(), &scorecard(HOUR)).unwrap();
            (report.arms[0].scored, report.arms[0].quality)
        };
        let young = Duration::from_secs(1);
        assert_eq!(score(row(young, &[])), (0, 0.0));
        assert_eq!(score(row(young, &[("tests", 1.0)])), (1, 1.0));
        // `alive` and `kept` are worst by now: one good of three equal weights.
        let (scored, quality) = score(row(HOUR, &[("tests", 1.0)]));
        assert!(scored == 1 && (quality - 1.0 / 3.0).abs() < 1e-12);
        // Silence alone says nothing while another signal is unknown.
        assert_eq!(score(row(HOUR, &[])), (0, 0.0));
    }

    #[test]
    fn a_report_tells_seen_assumed_and_unknown_apart() {
        let rows = [row(HOUR, &[("alive", 1.0)]), row(HOUR, &[])];
        let report = rescore(rows.into_iter().map(Ok), &scorecard(HOUR)).unwrap();
        let json = serde_json::to_value(&report).unwrap();
        let alive = &json["signals"][2];
        assert_eq!(alive["seen"], 1);
        assert_eq!(alive["assumed"], 1);
        assert_eq!(alive["unknown"], 0);
        let line = "seen        1 (mean 1.0000), assumed        1, unknown        0";
        assert!(report.to_string().contains(line), "{report}");
    }
}
