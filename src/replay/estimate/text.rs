//! The report for a person.

use super::{EstimateReport, Said};
use crate::ope::Estimate;
use std::fmt;

/// Estimators that are shown first, with what they are.
const HEADLINES: [(&str, &str); 4] = [
    ("dr", "doubly robust"),
    ("snips", "self-normalised"),
    ("ips", "inverse propensity"),
    ("dm", "model alone"),
];

impl fmt::Display for EstimateReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all = &self.all;
        writeln!(f, "{} of {} rows, {} arms", all.rows, self.read, self.arms)?;
        fmt::Display::fmt(all, f)?;
        for (name, bounds) in &self.anytime {
            let (lower, upper) = (bounds.lower, bounds.upper);
            writeln!(f, "at every peek, {name:15} [{lower:.4}, {upper:.4}]")?;
        }
        if self.cut > 0.0 && !self.anytime.is_empty() {
            let share = 100.0 * self.cut;
            let cut = "% of the rewards are outside 0 to 1; the bounds at every peek cut them";
            writeln!(f, "{share:.2} {cut}")?;
        }
        all.others(f)?;
        for (name, said) in &self.slices {
            let what = match (&said.refusal, said.headline()) {
                (Some(refusal), _) => format!("REFUSED: {refusal}"),
                (None, Some((title, found))) => format!("{title} {}", interval(found)),
                (None, None) => String::new(),
            };
            // A name is a cell of a file: what a terminal would obey is shown, not sent.
            let name = name.escape_debug().to_string();
            writeln!(f, "slice {name:14} {} rows, {what}", said.rows)?;
        }
        Ok(())
    }
}

impl fmt::Display for Said {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(logged) = &self.logged {
            writeln!(f, "logged               {}", interval(logged))?;
            let overlap = &self.overlap;
            writeln!(
                f,
                "overlap              effective sample size {:.1}, mean weight {:.4} (z {:+.1}), largest weight {:.1}",
                overlap.effective_sample_size,
                overlap.mean_weight,
                overlap.mean_weight_z,
                overlap.largest_weight,
            )?;
        }
        if let Some(calibration) = &self.calibration {
            writeln!(
                f,
                "calibration          chi-square {:.1} on {} degrees (p {:.3})",
                calibration.chi_square, calibration.degrees, calibration.p_value
            )?;
        }
        if let Some(refusal) = &self.refusal {
            writeln!(f, "REFUSED              {refusal}")?;
        }
        if let Some(truth) = self.truth {
            writeln!(f, "truth                {truth:.4}")?;
        }
        self.values(f)
    }
}

impl Said {
    /// The first number there is.
    fn headline(&self) -> Option<(&'static str, &Estimate)> {
        let found = |(name, title): (&str, &'static str)| Some((title, self.estimates.get(name)?));
        HEADLINES.into_iter().find_map(found)
    }

    /// The numbers, the headlines first.
    fn values(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, title) in HEADLINES {
            if let Some(found) = self.estimates.get(name) {
                writeln!(f, "{title:20} {}", interval(found))?;
            }
        }
        for caution in &self.cautions {
            writeln!(f, "caution              {caution}")?;
        }
        if let Some(effect) = self.detectable_effect {
            let size = "would show (one-sided 5 %, power 80 %)";
            writeln!(f, "a difference of {effect:.4} {size}")?;
        }
        Ok(())
    }

    /// The numbers beside those.
    fn others(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let headline = |name: &&String| HEADLINES.iter().any(|(h, _)| h == name);
        if self.estimates.keys().all(|name| headline(&name)) {
            return Ok(());
        }
        let others =
            "the same by other estimators; where they lie far off, the weights or the model are";
        writeln!(f, "{others}:")?;
        let others = self.estimates.iter();
        for (name, found) in others.filter(|(n, _)| !headline(n)) {
            writeln!(f, "{name:20} {}", interval(found))?;
        }
        for (name, found) in &self.tuned {
            let (estimate, lambda) = (interval(&found.estimate), found.lambda);
            writeln!(f, "{name:20} {estimate} with {lambda}")?;
        }
        Ok(())
    }
}

fn interval(found: &Estimate) -> String {
    format!(
        "{:.4} [{:.4}, {:.4}]",
        found.value, found.lower, found.upper
    )
}
