//! Several prices or budgets together, as text.

use super::outcomes_text::number;
use super::sweep::{PolicySweep, StrongCalls, Sweep};
use std::fmt::{Display, Formatter, Result};

const NOTE: &str = "Points: a policy's mean cost and score at each value. AIQ: mean height of their hull up to the \
     greatest cost of all (paper), and the same area over that cost (code). Above the mix: mean height over the \
     hull of fixed arms. Perf gain: best score over the best single arm's. Cost saved: of the best single arm's, at \
     no less score. Pareto distance: to the nearest point that nothing dominates, both axes from 0 to 1.";

const STRONG: &str = "APGR: mean share of the gap between both arms that is recovered at 10 to 100 % of strong calls. \
     CPT: least share of strong calls that recovers so much. Between the sweep's points, and to weak alone (0 %) and \
     strong alone (100 %), lines are straight.";

impl Display for Sweep {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let best = &self.best_single;
        writeln!(
            f,
            "all of them together: up to {:.6} USD a request; best single arm by score: {} ({:.4}, {} USD); AIQ of \
             mixes of fixed arms {} (paper), {:.4} (code)",
            self.most_usd,
            best.arm,
            best.score,
            number(best.cost_usd, 6),
            number(self.fixed_arms.aiq_paper, 4),
            self.fixed_arms.aiq_code
        )?;
        let width = self.policies.iter().map(|p| p.policy.len()).max();
        let width = width.unwrap_or(0).max("policy".len());
        writeln!(
            f,
            "\n{:<width$}  {:>9}  {:>8}  {:>13}  {:>9}  {:>10}  {:>11}  {:<}",
            "policy",
            "AIQ paper",
            "AIQ code",
            "above the mix",
            "perf gain",
            "cost saved",
            "Pareto dist",
            "points (USD: score)"
        )?;
        for policy in &self.policies {
            policy.line(f, width)?;
        }
        self.strong_calls(f, width)?;
        writeln!(f, "{NOTE}")
    }
}

impl Sweep {
    fn strong_calls(&self, f: &mut Formatter<'_>, width: usize) -> Result {
        let (Some(weak), Some(strong)) = (&self.weak, &self.strong) else {
            return Ok(());
        };
        writeln!(f, "\nweak: {weak}; strong: {strong}")?;
        for policy in &self.policies {
            match &policy.strong_calls {
                Some(StrongCalls::Known {
                    apgr,
                    cpt_50,
                    cpt_80,
                    ..
                }) => writeln!(
                    f,
                    "{:<width$}  APGR {apgr:.4}  CPT(50 %) {}  CPT(80 %) {}",
                    policy.policy,
                    percent(*cpt_50),
                    percent(*cpt_80)
                )?,
                Some(StrongCalls::Refused { refused }) => {
                    writeln!(f, "{:<width$}  no APGR: {refused}", policy.policy)?;
                }
                None => {}
            }
        }
        writeln!(f, "{STRONG}\n")
    }
}

impl PolicySweep {
    fn line(&self, f: &mut Formatter<'_>, width: usize) -> Result {
        let signed = |gain: Option<f64>| gain.map_or("-".to_owned(), |gain| format!("{gain:+.4}"));
        let share = |share: Option<f64>| share.map_or("-".to_owned(), percent);
        // A fixed arm is at one point however cost is weighed.
        let mut shown: Vec<String> = Vec::new();
        for point in &self.points {
            let point = format!("{:.6}: {:.4}", point.cost_usd, point.score);
            if shown.last() != Some(&point) {
                shown.push(point);
            }
        }
        writeln!(
            f,
            "{:<width$}  {:>9}  {:>8}  {:>13}  {:>9}  {:>10}  {:>11}  {}",
            self.policy,
            number(self.aiq.aiq_paper, 4),
            number(Some(self.aiq.aiq_code), 4),
            signed(self.gain_over_hull),
            share(self.perf_gain),
            share(self.cost_save),
            number(self.pareto_dist, 4),
            shown.join(", ")
        )
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}
