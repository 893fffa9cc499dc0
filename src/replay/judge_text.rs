//! What full information says of policies, as text: one line for each, then the slices that differ.
//!
//! Not here: the figures (`judge`, `slices`); what is left out is in the JSON.

use super::judge::Versus;
use super::outcomes::{OutcomesReport, PolicyReport};
use super::outcomes_text::number;
use super::slices::{By, PromptSlice, Sliced};
use crate::ope::Paired;
use std::fmt::{Formatter, Result};

/// Slices named in a line.
const NAMED: usize = 3;

/// Width of a difference with its interval.
const WIDE: usize = 27;

const NOTE: &str = "Differences are paired prompt by prompt, with 95 % intervals over prompts (BCa bootstrap; of fewer \
     than 50 prompts Student's t), given what was learned in these streams. Regret: reward less than the oracle's. \
     Gap closed: of the way from the best single arm to the oracle. Above the mix: score over that of the best \
     static mix of two arms at the same cost.";

/// Who is met in the columns besides the best single arm.
#[derive(Clone, Copy)]
struct Rivals {
    seed_rows: bool,
    incumbent: bool,
}

impl OutcomesReport {
    /// A line for each policy, and what differs in slices.
    pub(super) fn judged(&self, f: &mut Formatter<'_>, width: usize) -> Result {
        let any = |of: fn(&PolicyReport) -> bool| self.policies.iter().any(of);
        let rivals = Rivals {
            seed_rows: any(|p| p.judged.against_seed_rows_best.is_some()),
            incumbent: any(|p| p.judged.against_incumbent.is_some()),
        };
        self.rivals(f, rivals)?;
        write!(
            f,
            "{:<width$}  {:>7}  {:>10}  {:>7}  {:>10}  {:>WIDE$}",
            "policy", "score", "cost USD", "regret", "gap closed", "reward above best single"
        )?;
        for (shown, title) in [
            (rivals.seed_rows, "above seed rows' best"),
            (rivals.incumbent, "above incumbent"),
        ] {
            if shown {
                write!(f, "  {title:>WIDE$}")?;
            }
        }
        writeln!(f, "  {:>13}", "above the mix")?;
        for policy in &self.policies {
            policy.judged(f, width, rivals)?;
        }
        for policy in self.policies.iter().filter(|policy| policy.learns()) {
            if let Some(sliced) = &policy.judged.slices {
                sliced.lines(f, &policy.policy)?;
            }
        }
        writeln!(f, "{NOTE}")
    }

    fn rivals(&self, f: &mut Formatter<'_>, rivals: Rivals) -> Result {
        let single = &self.baselines.best_single.arm;
        write!(f, "\nbest single arm, in hindsight: {single}")?;
        if rivals.seed_rows {
            write!(f, "; seed rows' best: of each stream's given-away rows")?;
        }
        if let Some(incumbent) = &self.incumbent {
            write!(f, "; incumbent: {incumbent}")?;
        }
        writeln!(f)
    }
}

impl PolicyReport {
    fn learns(&self) -> bool {
        !self.policy.starts_with("fixed:") && self.policy != "uniform"
    }

    fn judged(&self, f: &mut Formatter<'_>, width: usize, rivals: Rivals) -> Result {
        let judged = &self.judged;
        let closed = judged.oracle_gap_closed;
        write!(
            f,
            "{:<width$}  {:>7}  {:>10}  {:>7.4}  {:>10}  {:>WIDE$}",
            self.policy,
            number(Some(self.score.mean), 4),
            number(self.cost_usd.map(|cost| cost.mean), 6),
            judged.regret,
            closed.map_or("-".to_owned(), |share| format!("{:.1} %", 100.0 * share)),
            versus(judged.against_best_single.as_ref())
        )?;
        for (shown, against) in [
            (rivals.seed_rows, &judged.against_seed_rows_best),
            (rivals.incumbent, &judged.against_incumbent),
        ] {
            if shown {
                write!(f, "  {:>WIDE$}", versus(against.as_ref()))?;
            }
        }
        let mix = judged.gain_over_hull;
        writeln!(
            f,
            "  {:>13}",
            mix.map_or("-".to_owned(), |gain| format!("{gain:+.4}"))
        )
    }
}

fn versus(versus: Option<&Versus>) -> String {
    versus.map_or("-".to_owned(), |versus| interval(&versus.reward))
}

fn interval(found: &Paired) -> String {
    format!(
        "{:+.4} [{:+.4}, {:+.4}]",
        found.value, found.lower, found.upper
    )
}

impl Sliced {
    /// What differs, and the worst.
    fn lines(&self, f: &mut Formatter<'_>, policy: &str) -> Result {
        let tested = self
            .slices
            .iter()
            .filter(|slice| slice.adjusted_p.is_some());
        let differing = |sign: f64| -> Vec<&PromptSlice> {
            let differs = |slice: &&PromptSlice| slice.differs && slice.value() * sign > 0.0;
            let mut found: Vec<&PromptSlice> = self.slices.iter().filter(differs).collect();
            found.sort_by(|a, b| (b.value() * sign).total_cmp(&(a.value() * sign)));
            found
        };
        write!(
            f,
            "{policy} beside {}, {} slices of 50 prompts or more: {}; {}",
            self.rival,
            tested.count(),
            listed(&differing(1.0), "better"),
            listed(&differing(-1.0), "worse")
        )?;
        if let Some(worst) = self.worst.and_then(|at| self.slices.get(at))
            && let Some(difference) = &worst.difference
        {
            write!(
                f,
                "; worst {} {} (n {})",
                worst.shown(),
                interval(difference),
                worst.prompts
            )?;
        }
        if self.reversed {
            write!(
                f,
                "; the whole has the other sign than all tested slices of a kind"
            )?;
        }
        writeln!(f)
    }
}

impl PromptSlice {
    fn value(&self) -> f64 {
        self.difference.map_or(0.0, |difference| difference.value)
    }

    fn shown(&self) -> String {
        match self.by {
            By::Task => self.name.clone(),
            By::Length => format!("of {}", self.name),
        }
    }
}

/// The first of some slices, the most different first.
fn listed(slices: &[&PromptSlice], what: &str) -> String {
    if slices.is_empty() {
        return format!("none {what}");
    }
    let shown = |slice: &&PromptSlice| format!("{} {:+.4}", slice.shown(), slice.value());
    let named: Vec<String> = slices.iter().take(NAMED).map(shown).collect();
    let more = slices.len().saturating_sub(NAMED);
    let more = match more {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    format!("{} {what} ({}{more})", slices.len(), named.join(", "))
}
