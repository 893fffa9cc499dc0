//! Whether a candidate may take the incumbent's place, on one log.
//!
//! All of these must hold: the log can answer, for candidate and incumbent, on nearly all decisions, with nothing to be
//! wary of; quality is not lower by more than a margin; utility is higher (or, where the aim is saving, cost lower by
//! 5 %); no guarded signal moves the wrong way by more than its margin; no task with 200 decisions or more is surely
//! worse by 0.03.
//!
//! Invariants: of the candidates of one question the k-th gets the chance 0.05 / (k (k + 1)) that quality, utility,
//! saving or a guard holds wrongly: each of these holds wrongly for any of them with 5 % at most. Whoever asks one log
//! several questions adds these up. The condition on tasks is a tripwire, not a proof: a loss that is not sure passes.
//!
//! A bound at every peek is of outcomes cut to their scale: where any was cut it is no bound of the outcome itself, and
//! does not count.
//!
//! Not here: the live stages after it (canary, half, all).
//!
//! Source: SCIENCE 3.6.

use super::report::{Anytime, CandidateReport, Measure};
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
pub(super) const SAVING: f64 = 0.05;

/// Least share of the decisions on which both must be judged.
const APPLICABLE: f64 = 0.95;

/// Decisions of a task that counts, and the loss it must not surely have.
const SLICE: (usize, f64) = (200, -0.03);

/// What a change is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Aim {
    /// More utility.
    #[default]
    Utility,
    /// Less cost at equal quality.
    Saving,
}

/// A signal that must not move the wrong way.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// What it must be above; absent: it is no matter of a bound.
    pub least: Option<f64>,
    /// Why there is no bound, or what else there is to know.
    pub why: Option<String>,
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
    /// Whether the log can answer for the incumbent.
    pub(super) incumbent: bool,
}

impl Gate {
    /// Of the candidate with this number; `report` has all but the gate.
    pub(super) fn of(report: &CandidateReport, asked: &Asked<'_>, number: usize) -> Self {
        let bounds = Bounds {
            report,
            peeking: asked.peeking,
            miss: miss(number),
        };
        let mut conditions = diagnostics(report, asked);
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
                0.0,
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

/// Whether there is anything to go by.
fn diagnostics(report: &CandidateReport, asked: &Asked<'_>) -> Vec<Condition> {
    let plain = |asks: &str, holds, why: Option<String>| Condition {
        asks: asks.to_owned(),
        holds,
        bound: None,
        least: None,
        why,
    };
    let cautions: Vec<String> = report.cautions.iter().map(ToString::to_string).collect();
    // What there is to be wary of is wrong with the plain intervals; the bounds at every peek hold all the same.
    let green = asked.peeking || cautions.is_empty();
    let can_answer = report.refusal.is_none();
    vec![
        plain("the log can answer", can_answer, None),
        plain("and for the incumbent", asked.incumbent, None),
        plain(
            "nothing to be wary of",
            green && can_answer,
            Some(cautions.join("; ")).filter(|why| !why.is_empty()),
        ),
        Condition {
            asks: format!(
                "both can be judged on {} % of decisions",
                100.0 * APPLICABLE
            ),
            holds: report.applicable >= APPLICABLE,
            bound: Some(report.applicable),
            least: Some(APPLICABLE),
            why: None,
        },
    ]
}

/// A bound, or why there is none.
type Found = Result<f64, String>;

fn above(asks: String, found: Found, least: f64) -> Condition {
    Condition {
        asks,
        holds: found.as_ref().is_ok_and(|bound| *bound > least),
        bound: found.as_ref().ok().copied(),
        least: Some(least),
        why: found.err(),
    }
}

fn slices(report: &CandidateReport) -> Condition {
    let (rows, least) = SLICE;
    let counted = report.slices.iter().filter(|slice| slice.rows >= rows);
    let all = counted.clone().count();
    let uppers: Vec<f64> = counted
        .filter_map(|slice| Some(slice.difference?.upper))
        .collect();
    let judged = uppers.len();
    let worst = uppers.into_iter().min_by(f64::total_cmp);
    Condition {
        asks: format!("no task with {rows} decisions surely worse by {}", -least),
        holds: worst.is_none_or(|upper| upper >= least),
        bound: worst,
        least: Some(least),
        why: (judged < all).then(|| format!("{judged} of {all} such tasks could be judged")),
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
    fn fixed(&self, name: &str) -> Result<[Estimate; 2], String> {
        let measure = self.measure(name).ok_or("it was not seen")?;
        let both = measure.difference.zip(measure.stabilised);
        both.map(|(a, b)| [a, b])
            .ok_or_else(|| "too few decisions have it".to_owned())
    }

    /// The bounds at every peek, where nothing was cut.
    fn anytime(&self, name: &str) -> Result<Anytime, String> {
        let measure = self.measure(name).ok_or("it was not seen")?;
        let none = "no bounds at every peek: too few decisions, or episodes with several draws";
        let anytime = measure.anytime.ok_or(none)?;
        if anytime.cut > 0.0 {
            let share = 100.0 * anytime.cut;
            let say = if name == "utility" {
                "; say the scale of utility"
            } else {
                ""
            };
            return Err(format!("{share:.2} % of outcomes are off the scale{say}"));
        }
        Ok(anytime)
    }

    fn lower(&self, name: &str) -> Found {
        if self.peeking {
            return Ok(self.anytime(name)?.lower);
        }
        let [a, b] = self.fixed(name)?;
        Ok(a.lower_at(self.miss).min(b.lower_at(self.miss)))
    }

    fn upper(&self, name: &str) -> Found {
        if self.peeking {
            return Ok(self.anytime(name)?.upper);
        }
        let [a, b] = self.fixed(name)?;
        Ok(a.upper_at(self.miss).max(b.upper_at(self.miss)))
    }

    /// What is surely saved beyond the share asked, in USD a decision.
    fn saving(&self) -> Found {
        let [a, b] = self.report.saving.ok_or("too few decisions have a cost")?;
        Ok(-a.upper_at(self.miss).max(b.upper_at(self.miss)))
    }

    fn guard(&self, guard: &Guard) -> Condition {
        let (signal, margin) = (guard.signal.as_str(), guard.margin.abs());
        let (found, way) = match guard.margin < 0.0 {
            true => (self.lower(signal), "lower"),
            // What rises by less than the margin: its negative falls by less.
            false => (self.upper(signal).map(|upper| -upper), "higher"),
        };
        above(format!("{signal} not {way} by {margin}"), found, -margin)
    }
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = if self.promote { "yes" } else { "no" };
        writeln!(f, "  may take the incumbent's place: {verdict}")?;
        for condition in &self.conditions {
            let holds = if condition.holds { "yes" } else { "no " };
            write!(f, "    {holds} {}", condition.asks)?;
            if let Some((bound, least)) = condition.bound.zip(condition.least) {
                write!(f, ": bound {bound:+.4}, asked {least:+.4}")?;
            }
            match &condition.why {
                Some(why) => writeln!(f, " ({why})")?,
                None => writeln!(f)?,
            }
        }
        Ok(())
    }
}
