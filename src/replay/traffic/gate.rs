//! Whether a candidate may take the incumbent's place, on one log.
//!
//! All of these must hold: the log can answer; quality is not lower by more than a margin; utility is higher (or, where
//! the aim is saving, cost lower by 5 %); no guarded signal moves the wrong way by more than its margin; no task with 200
//! decisions or more is surely worse by 0.03.
//!
//! Invariants: the k-th candidate asked on a log gets the chance 0.05 / (k (k + 1)) of a wrong yes in each condition,
//! so that over any number of candidates a condition wrongly holds with 5 % at most.
//!
//! Not here: the live stages after it (canary, half, all).
//!
//! Source: SCIENCE 3.6.

use super::report::{CandidateReport, Measure};
use crate::id::Name;
use crate::ope::Estimate;
use serde::Serialize;
use std::fmt;
use std::str::FromStr;

/// The chance of a wrong yes, over all candidates.
const MISS: f64 = 0.05;

/// What quality may lose.
const QUALITY_MARGIN: f64 = 0.01;

/// What must be saved, as a share of the incumbent's cost.
const SAVING: f64 = 0.05;

/// Decisions of a task that counts, and the loss it must not surely have.
const SLICE: (usize, f64) = (200, -0.03);

/// What a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aim {
    /// More utility.
    #[default]
    Utility,
    /// Less cost at equal quality.
    Saving,
}

/// A signal that must not move the wrong way.
#[derive(Debug, Clone, PartialEq)]
pub struct Guard {
    /// The signal, a flag or a number from 0 to 1.
    pub signal: Name,
    /// Negative: it may fall by so much at most; positive: it may rise by so much.
    pub margin: f64,
}

/// A text that is no guard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "guard {text:?}: expected SIGNAL=-MARGIN (it may fall by so much) or SIGNAL=+MARGIN (rise), MARGIN above 0, at most 1"
)]
pub struct GateError {
    text: String,
}

impl FromStr for Guard {
    type Err = GateError;

    /// ```
    /// use bellwether::replay::Guard;
    /// let guard: Guard = "tests_passed=-0.02".parse().unwrap();
    /// assert_eq!((guard.signal.as_str(), guard.margin), ("tests_passed", -0.02));
    /// assert_eq!("escalated=+0.01".parse::<Guard>().unwrap().margin, 0.01);
    /// assert!("tests_passed=0.02".parse::<Guard>().is_err());
    /// ```
    fn from_str(text: &str) -> Result<Self, GateError> {
        let found = text.split_once('=').and_then(|(signal, margin)| {
            let signed = margin.starts_with(['-', '+']);
            let margin: f64 = margin.parse().ok().filter(|_| signed)?;
            let allowed = margin != 0.0 && (-1.0..=1.0).contains(&margin);
            let signal = Name::new(signal).ok()?;
            allowed.then_some(Self { signal, margin })
        });
        found.ok_or_else(|| GateError {
            text: text.to_owned(),
        })
    }
}

/// The conditions and what they come to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Gate {
    /// Whether all hold.
    pub promote: bool,
    /// The chance of each that it holds wrongly.
    pub miss: f64,
    /// The conditions.
    pub conditions: Vec<Condition>,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// What is asked.
    pub asks: String,
    /// Whether it holds.
    pub holds: bool,
    /// The bound that was found; absent where there is none.
    pub bound: Option<f64>,
    /// What it must be above (or below, where the question says so).
    pub least: f64,
}

/// The chance that the `number`-th candidate, from 0, is wrongly let through a condition.
pub(super) fn miss(number: usize) -> f64 {
    let k = number as f64 + 1.0;
    MISS / (k * (k + 1.0))
}

/// What is asked of candidates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) aim: Aim,
    pub(super) guards: &'a [Guard],
    pub(super) peeking: bool,
}

impl Gate {
    /// Of the candidate with this number; `report` has all but the gate.
    pub(super) fn of(report: &CandidateReport, asked: &Asked<'_>, number: usize) -> Self {
        let bounds = Bounds {
            report,
            peeking: asked.peeking,
            miss: miss(number),
        };
        let mut conditions = vec![Condition {
            asks: "the log can answer".to_owned(),
            holds: report.refusal.is_none(),
            bound: None,
            least: 0.0,
        }];
        conditions.push(above(
            format!("quality not lower by {QUALITY_MARGIN}"),
            bounds.lower("quality"),
            -QUALITY_MARGIN,
        ));
        conditions.push(match asked.aim {
            Aim::Utility => above("utility higher".to_owned(), bounds.lower("utility"), 0.0),
            Aim::Saving => above(
                format!("cost lower by {} %", 100.0 * SAVING),
                bounds.saving(),
                SAVING,
            ),
        });
        conditions.extend(asked.guards.iter().map(|guard| bounds.guard(guard)));
        conditions.push(slices(report));
        Self {
            promote: conditions.iter().all(|condition| condition.holds),
            miss: bounds.miss,
            conditions,
        }
    }
}

fn above(asks: String, bound: Option<f64>, least: f64) -> Condition {
    Condition {
        asks,
        holds: bound.is_some_and(|bound| bound > least),
        bound,
        least,
    }
}

fn slices(report: &CandidateReport) -> Condition {
    let (rows, least) = SLICE;
    let counted = report.slices.iter().filter(|slice| slice.rows >= rows);
    let uppers = counted.filter_map(|slice| Some(slice.difference?.upper));
    let worst = uppers.min_by(f64::total_cmp);
    Condition {
        asks: format!("no task with {rows} decisions surely worse by {}", -least),
        holds: worst.is_none_or(|upper| upper >= least),
        bound: worst,
        least,
    }
}

/// The bounds of differences that a gate goes by.
struct Bounds<'a> {
    report: &'a CandidateReport,
    peeking: bool,
    miss: f64,
}

impl Bounds<'_> {
    fn measure(&self, name: &str) -> Option<&Measure> {
        self.report.measures.iter().find(|m| m.name == name)
    }

    /// Both intervals of a log whose end was set beforehand.
    fn fixed(&self, name: &str) -> Option<[Estimate; 2]> {
        let measure = self.measure(name)?;
        Some([measure.difference?, measure.stabilised?])
    }

    fn lower(&self, name: &str) -> Option<f64> {
        if self.peeking {
            return Some(self.measure(name)?.anytime?.lower);
        }
        let [a, b] = self.fixed(name)?;
        Some(a.lower_at(self.miss).min(b.lower_at(self.miss)))
    }

    fn upper(&self, name: &str) -> Option<f64> {
        if self.peeking {
            return Some(self.measure(name)?.anytime?.upper);
        }
        let [a, b] = self.fixed(name)?;
        Some(a.upper_at(self.miss).max(b.upper_at(self.miss)))
    }

    /// The least share of the incumbent's cost that is saved.
    fn saving(&self) -> Option<f64> {
        let measure = self.measure("cost_usd")?;
        let incumbent = measure.value?.value - measure.difference?.value;
        // Cost has no scale, hence no bound at every peek.
        let upper = if self.peeking {
            None
        } else {
            self.upper("cost_usd")
        };
        upper
            .filter(|_| incumbent > 0.0)
            .map(|upper| -upper / incumbent)
    }

    fn guard(&self, guard: &Guard) -> Condition {
        let (signal, margin) = (guard.signal.as_str(), guard.margin.abs());
        let (bound, way) = match guard.margin < 0.0 {
            true => (self.lower(signal), "lower"),
            // What rises by less than the margin: its negative falls by less.
            false => (self.upper(signal).map(|upper| -upper), "higher"),
        };
        above(format!("{signal} not {way} by {margin}"), bound, -margin)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.promote { "yes" } else { "no" };
        writeln!(f, "  may take the incumbent's place: {verdict}")?;
        for condition in &self.conditions {
            let holds = if condition.holds { "yes" } else { "no " };
            write!(f, "    {holds} {}", condition.asks)?;
            match condition.bound {
                Some(bound) => writeln!(f, ": bound {bound:+.4}, asked {:+.4}", condition.least)?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
