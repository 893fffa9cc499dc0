//! The report on traffic as text, for people. Machines take the JSON of the same structs.

use super::report::{Anytime, CandidateReport, TrafficReport};
use crate::ope::Estimate;
use crate::replay::wanted;
use std::fmt::{Display, Formatter, Result};

impl Display for TrafficReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(
            f,
            "{} decisions, {} draws: {} used; left out: {} deterministic (pinned or no-explore), {} held out for \
             the baseline, {} without an outcome, {} whose draw is not in the log",
            self.rows,
            self.draws,
            self.used,
            self.deterministic,
            self.held_out,
            self.unobserved,
            self.orphaned
        )?;
        if !self.wanted.is_empty() {
            writeln!(f, "no outcome for want of {}", wanted::list(&self.wanted))?;
        }
        let check = &self.propensities;
        writeln!(
            f,
            "propensities: {} of {} recomputed equal within 1e-12 (worst {:.1e}), {} unreadable; calibration \
             chi-square {:.2} on {} degrees, p = {:.4}",
            check.equal,
            check.recomputed,
            check.worst_error,
            check.unreadable,
            check.calibration.chi_square,
            check.calibration.degrees,
            check.calibration.p_value
        )?;
        if let Some(logged) = &self.logged {
            writeln!(f, "logged utility: {}", interval(logged))?;
        }
        if let Some(lift) = &self.lift {
            let (gain, holdout) = (interval(&lift.difference), interval(&lift.holdout));
            writeln!(
                f,
                "gain over the held-out baseline: {gain} (the baseline: {holdout})"
            )?;
        }
        writeln!(f, "incumbent: {}", self.incumbent)?;
        if let Some(refusal) = &self.incumbent_refusal {
            writeln!(f, "nothing is said against it: {refusal}")?;
        }
        if self.several_draws > 0 {
            let (several, all) = (self.several_draws, self.episodes);
            writeln!(
                f,
                "no bounds at every peek: {several} of {all} episodes have several draws"
            )?;
        }
        self.candidates.iter().try_for_each(|c| c.fmt(f))
    }
}

impl Display for CandidateReport {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        writeln!(f, "\n{}", self.candidate)?;
        let overlap = &self.overlap;
        writeln!(
            f,
            "  effective sample size {:.1} of {} episodes, mean weight {:.4} (z {:+.2}), largest share {:.3}",
            overlap.effective_sample_size,
            overlap.clusters,
            overlap.mean_weight,
            overlap.mean_weight_z,
            overlap.largest_share
        )?;
        if self.not_applicable > 0 {
            writeln!(
                f,
                "  passed over: {} (arm not eligible)",
                self.not_applicable
            )?;
        }
        if let Some(refusal) = &self.refusal {
            writeln!(f, "  refused: {refusal}")?;
            if let Some(bounds) = &self.bounds {
                let (lower, upper) = (bounds.lower, bounds.upper);
                writeln!(
                    f,
                    "  whatever those arms are worth, its utility is in [{lower:.4}, {upper:.4}]"
                )?;
            }
            return Ok(());
        }
        for (name, estimate) in [
            ("doubly robust", &self.doubly_robust),
            ("stabilised", &self.stabilised),
            ("SNIPS", &self.snips),
            ("IPS", &self.ips),
        ] {
            if let Some(estimate) = estimate {
                writeln!(f, "  {name:<14} {}", interval(estimate))?;
            }
        }
        for caution in &self.cautions {
            writeln!(f, "  caution: {caution}")?;
        }
        if let Some(gate) = &self.gate {
            self.against(f)?;
            gate.fmt(f)?;
        }
        Ok(())
    }
}

impl CandidateReport {
    /// What it would change.
    fn against(&self, f: &mut Formatter<'_>) -> Result {
        if self.measures.iter().any(|m| m.difference.is_some()) {
            writeln!(f, "  against the incumbent, on the same decisions:")?;
        }
        for measure in &self.measures {
            if let Some(difference) = &measure.difference {
                let (name, found) = (&measure.name, signed(difference));
                write!(f, "    {name:<20} {found} over {} decisions", measure.rows)?;
                match &measure.anytime {
                    Some(bounds) => writeln!(f, "; at every peek {}", peek(bounds))?,
                    None => writeln!(f)?,
                }
            }
        }
        if let Some(effect) = self.detectable_effect {
            let size = "would show (one-sided 5 %, power 80 %)";
            writeln!(f, "    a difference in utility of {effect:.4} {size}")?;
        }
        for slice in self.slices.iter().filter(|slice| slice.differs) {
            if let Some(difference) = &slice.difference {
                let (name, found) = (&slice.name, signed(difference));
                writeln!(
                    f,
                    "    task {name:<15} {found} over {} decisions",
                    slice.rows
                )?;
            }
        }
        Ok(())
    }
}

fn peek(bounds: &Anytime) -> String {
    let mut text = format!("[{:+.4}, {:+.4}]", bounds.lower, bounds.upper);
    if bounds.cut > 0.0 {
        text.push_str(&format!(" ({:.2} % cut to the scale)", 100.0 * bounds.cut));
    }
    text
}

/// Four digits after the point, or four in all where values are small.
fn signed(estimate: &Estimate) -> String {
    let largest = estimate
        .value
        .abs()
        .max(estimate.upper.abs())
        .max(estimate.lower.abs());
    if largest < 1e-12 {
        return "+0".to_owned();
    }
    match largest < 0.005 {
        true => format!(
            "{:+.3e} [{:+.3e}, {:+.3e}]",
            estimate.value, estimate.lower, estimate.upper
        ),
        false => format!(
            "{:+.4} [{:+.4}, {:+.4}]",
            estimate.value, estimate.lower, estimate.upper
        ),
    }
}

fn interval(estimate: &Estimate) -> String {
    format!(
        "{:.4} [{:.4}, {:.4}]",
        estimate.value, estimate.lower, estimate.upper
    )
}
