//! Several prices of cost, or budgets, in one: each policy's points of (cost, score), and what they are worth
//! together.
//!
//! Invariants: all reports are of one table, without drift, with costs; a point is a policy's mean over its
//! streams, as in its report. The greatest cost is that of all compared routers, the fixed arms among them.
//!
//! The best single arm is here the one of the best score, whatever it costs (of equals the cheapest): these
//! figures are of quality and cost, not of reward.
//!
//! Not here: the mathematics (`budget`), the plays (`outcomes`), text (`sweep_text`). There are no intervals:
//! those of each point are in its report.
//!
//! Source: SCIENCE 3.5.

use super::baselines::{ArmMean, Hull};
use super::outcomes::{OutcomesReport, PolicyReport};
use crate::budget::{Aiq, GapRecovered, aiq, cost_save, gain_over_hull, pareto_dist, perf_gain};
use crate::id::Name;
use serde::Serialize;

/// What a policy came to at one price or budget.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct SweepPoint {
    /// Weight of cost, where there was no budget.
    pub lambda: Option<f64>,
    /// Budget in USD a request.
    pub budget_usd: Option<f64>,
    /// Mean cost in USD.
    pub cost_usd: f64,
    /// Mean score.
    pub score: f64,
    /// Share of calls of the strong arm, where there are two.
    pub strong_share: Option<f64>,
}

/// Two arms: the gap between them that a policy recovers, by its share of strong calls.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum StrongCalls {
    /// The curve is known, with straight lines between the points of the sweep and to both ends.
    Known {
        /// PGR at 10 %, 20 %, .. 100 % of strong calls.
        pgr: Vec<f64>,
        /// Their mean.
        apgr: f64,
        /// Least share of strong calls that recovers half.
        cpt_50: f64,
        /// Least share of strong calls that recovers four fifths.
        cpt_80: f64,
    },
    /// It is not.
    Refused {
        /// Why.
        refused: String,
    },
}

/// One policy over the sweep.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PolicySweep {
    /// Its specification.
    pub policy: String,
    /// Its points, in the order asked.
    pub points: Vec<SweepPoint>,
    /// The area under its hull, both ways of dividing it.
    #[serde(flatten)]
    pub aiq: Aiq,
    /// Mean height of its hull above that of the fixed arms.
    pub gain_over_hull: Option<f64>,
    /// Its best score over the best single arm's, less 1.
    pub perf_gain: Option<f64>,
    /// Largest share of the best single arm's cost saved at no less score.
    pub cost_save: Option<f64>,
    /// Mean distance of its points to the nearest that nothing dominates; both axes from 0 to 1.
    pub pareto_dist: Option<f64>,
    /// Where there are two arms.
    pub strong_calls: Option<StrongCalls>,
}

/// All reports together.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Sweep {
    /// Greatest mean cost of all compared, USD a request.
    pub most_usd: f64,
    /// The arm of the best mean score.
    pub best_single: ArmMean,
    /// The weak arm, where there are two.
    pub weak: Option<Name>,
    /// The strong arm, where there are two.
    pub strong: Option<Name>,
    /// The area under the hull of fixed arms.
    pub fixed_arms: Aiq,
    /// The policies, in the order asked.
    pub policies: Vec<PolicySweep>,
}

impl Sweep {
    /// Of several reports on one table; nothing for one report, without costs, or with a drift.
    pub fn of(reports: &[OutcomesReport]) -> Option<Self> {
        let first = reports.first().filter(|report| report.change.is_none())?;
        (reports.len() > 1).then_some(())?;
        let arms = &first.baselines.arms;
        let zero = first.baselines.hull.as_ref()?;
        let fixed: Vec<(f64, f64)> = arms.iter().map(point).collect::<Option<_>>()?;
        let (weak, strong) = match arms.as_slice() {
            [a, b] if a.score > b.score => (Some(b), Some(a)),
            [a, b] => (Some(a), Some(b)),
            _ => (None, None),
        };
        let at = strong.and_then(|arm| arms.iter().position(|other| other.arm == arm.arm));
        let points: Vec<Vec<SweepPoint>> = (0..first.policies.len())
            .map(|policy| points(reports, policy, at))
            .collect::<Option<_>>()?;
        let played = points
            .iter()
            .flatten()
            .map(|point| (point.cost_usd, point.score));
        let all: Vec<(f64, f64)> = fixed.iter().copied().chain(played).collect();
        let most_usd = all.iter().map(|point| point.0).fold(0.0, f64::max);
        let rivals = Rivals {
            all: &all,
            zero,
            most_usd,
            best: best(arms)?,
            pair: weak.zip(strong),
        };
        let policies = first.policies.iter().zip(points);
        Some(Self {
            most_usd,
            best_single: rivals.best.clone(),
            weak: weak.map(|arm| arm.arm.clone()),
            strong: strong.map(|arm| arm.arm.clone()),
            fixed_arms: aiq(&fixed, most_usd)?,
            policies: policies
                .map(|(policy, points)| rivals.policy(policy, points))
                .collect::<Option<_>>()?,
        })
    }
}

/// An arm's cost and score.
fn point(arm: &ArmMean) -> Option<(f64, f64)> {
    Some((arm.cost_usd?, arm.score))
}

/// The arm of the best score; of equals the cheapest.
fn best(arms: &[ArmMean]) -> Option<&ArmMean> {
    let worth = |a: &&ArmMean, b: &&ArmMean| {
        let (cost_a, cost_b) = (a.cost_usd.unwrap_or(0.0), b.cost_usd.unwrap_or(0.0));
        a.score.total_cmp(&b.score).then(cost_b.total_cmp(&cost_a))
    };
    arms.iter().max_by(worth)
}

/// One policy's points.
fn points(
    reports: &[OutcomesReport],
    policy: usize,
    strong: Option<usize>,
) -> Option<Vec<SweepPoint>> {
    let of = |report: &OutcomesReport| {
        let found = report.policies.get(policy)?;
        Some(SweepPoint {
            lambda: report.budget.is_none().then_some(report.lambda),
            budget_usd: report.budget.map(|budget| budget.request_usd),
            cost_usd: found.cost_usd?.mean,
            score: found.score.mean,
            strong_share: strong.and_then(|arm| found.judged.shares.get(arm).copied()),
        })
    };
    reports.iter().map(of).collect()
}

/// What a policy's points are held against.
struct Rivals<'a> {
    all: &'a [(f64, f64)],
    zero: &'a Hull,
    most_usd: f64,
    best: &'a ArmMean,
    pair: Option<(&'a ArmMean, &'a ArmMean)>,
}

impl Rivals<'_> {
    fn policy(&self, policy: &PolicyReport, points: Vec<SweepPoint>) -> Option<PolicySweep> {
        let own: Vec<(f64, f64)> = points.iter().map(|p| (p.cost_usd, p.score)).collect();
        let strong_calls = self.pair.map(|(weak, strong)| {
            let shares = points
                .iter()
                .filter_map(|p| Some((p.strong_share?, p.score)));
            let shares: Vec<(f64, f64)> = shares.collect();
            strong_calls(weak.score, strong.score, &shares)
        });
        Some(PolicySweep {
            policy: policy.policy.clone(),
            aiq: aiq(&own, self.most_usd)?,
            gain_over_hull: gain_over_hull(&own, self.zero, self.most_usd),
            perf_gain: perf_gain(&own, self.best.score),
            cost_save: point(self.best).and_then(|best| cost_save(&own, best)),
            pareto_dist: pareto_dist(&own, self.all),
            strong_calls,
            points,
        })
    }
}

fn strong_calls(weak: f64, strong: f64, shares: &[(f64, f64)]) -> StrongCalls {
    match GapRecovered::new(weak, strong, shares) {
        Ok(curve) => StrongCalls::Known {
            pgr: (1..=10)
                .map(|tenths| curve.pgr(f64::from(tenths) / 10.0))
                .collect(),
            apgr: curve.apgr(),
            cpt_50: curve.cpt(0.5),
            cpt_80: curve.cpt(0.8),
        },
        Err(error) => StrongCalls::Refused {
            refused: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
