//! The report on traffic as text, for people. Machines take the JSON of the same structs.

use super::traffic::{CandidateReport, TrafficReport};
use super::wanted;
use crate::ope::Estimate;
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
            return writeln!(f, "  refused: {refusal}");
        }
        for (name, estimate) in [
            ("doubly robust", &self.doubly_robust),
            ("SNIPS", &self.snips),
            ("IPS", &self.ips),
        ] {
            if let Some(estimate) = estimate {
                writeln!(f, "  {name:<14} {}", interval(estimate))?;
            }
        }
        if let Some(effect) = self.detectable_effect {
            writeln!(f, "  smallest difference this log would show: {effect:.4}")?;
        }
        Ok(())
    }
}

fn interval(estimate: &Estimate) -> String {
    format!(
        "{:.4} [{:.4}, {:.4}]",
        estimate.value, estimate.lower, estimate.upper
    )
}
