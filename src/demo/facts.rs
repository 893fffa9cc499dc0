//! What the verdict rests on, worked out once and held by rule against a claim.
//!
//! Invariants: every figure is of this run; a finding goes against the router where the figures do.
//!
//! Not here: the rules of intervals (`finding`), the words (`verdict`, `details`).

use super::finding::{all, apart, better};
use super::notice::Noticed;
use super::rivals::{Kind, Rival};
use super::section::Material;
use super::team::{Call, TeamRun, interval, last, mean, outcome};
use crate::replay::CandidateReport;
use crate::report::{Finding, Interval};
use statrs::distribution::{Binomial, DiscreteCDF};

/// Part of the intervals that hold the truth, if they are what they claim to be.
pub(super) const HELD: f64 = 0.95;

/// Odds below which misses of intervals are not put down to chance.
const TOO_MANY_MISSES: f64 = 0.01;

/// P-value below which logged probabilities are called wrong.
pub(super) const WRONG_PROPENSITIES: f64 = 1e-4;

/// The router against a rival.
pub(super) struct Against<'a> {
    pub(super) rival: &'a Rival,
    /// What is compared.
    pub(super) what: &'static str,
    pub(super) difference: Interval,
    /// Of "the router is better".
    pub(super) finding: Finding,
}

impl<'a> Against<'a> {
    /// By quality at equal cost where the rival is the static mix, else by reward. Nothing where there
    /// is no such rival.
    pub(super) fn of(team: &'a Material<'_>, kind: Kind) -> Option<Self> {
        let rival = team.rivals.iter().find(|rival| rival.kind == kind)?;
        let (what, difference) = match kind {
            Kind::StaticMix => ("quality", rival.difference(&team.run, |o| o.quality)),
            _ => ("reward", rival.difference(&team.run, |o| o.reward)),
        };
        Some(Self {
            rival,
            what,
            finding: better(&difference),
            difference,
        })
    }
}

/// The world's change, as the server told of it and the router answered it.
pub(super) struct Change<'a> {
    /// The arm that got worse.
    pub(super) arm: &'a str,
    /// Requests made before.
    pub(super) at: usize,
    /// The first true alarm.
    pub(super) alarm: Option<&'a Noticed>,
    pub(super) false_alarms: usize,
    /// The arm's share of the fifth of the requests before the change, and of the last fifth.
    pub(super) shares: [Interval; 2],
    /// The arm's expected reward on the same requests.
    pub(super) worth: [f64; 2],
}

impl<'a> Change<'a> {
    pub(super) fn of(team: &'a Material<'_>) -> Self {
        let run = &team.run;
        let arm = run.world.change.arm;
        let at = run.before_change();
        let fifth = (run.calls.len() / 5).max(1);
        let before = run.calls.get(at.saturating_sub(fifth)..at);
        let parts = [before.unwrap_or_default(), last(&run.calls, 5)];
        let worth = |call: &Call<'_>| outcome(call, arm).map_or(0.0, |o| o.expected_reward);
        Self {
            arm: run.arm_name(arm),
            at,
            alarm: team.noticed.iter().find(|n| n.true_alarm),
            false_alarms: team.noticed.iter().filter(|n| !n.true_alarm).count(),
            shares: parts.map(|calls| share_of(calls, arm)),
            worth: parts.map(|calls| mean(calls, worth).value),
        }
    }

    /// Requests between the change and the alarm.
    pub(super) fn delay(&self) -> Option<usize> {
        Some(self.alarm?.requests.saturating_sub(self.at))
    }

    /// Of "the server told of the change, and of nothing else".
    pub(super) fn noticed(&self) -> Finding {
        if self.alarm.is_some() && self.false_alarms == 0 {
            Finding::Shown
        } else {
            Finding::Contradicted
        }
    }

    /// Of "the router left the arm".
    pub(super) fn left(&self) -> Finding {
        let [before, after] = &self.shares;
        apart(after, before)
    }
}

/// Whether the intervals from the log hold the simulator's truth.
pub(super) struct Held<'a> {
    pub(super) total: u64,
    /// Team, candidate, its interval and the truth.
    pub(super) missed: Vec<(&'a str, &'a CandidateReport, Interval, f64)>,
}

impl<'a> Held<'a> {
    pub(super) fn of(teams: &'a [Material<'_>]) -> Self {
        let (mut total, mut missed) = (0, Vec::new());
        for team in teams {
            let found = team.judged.report.candidates.iter();
            for (found, truth) in found.zip(&team.judged.truths) {
                let (Some(estimate), Some(truth)) = (found.doubly_robust, truth) else {
                    continue;
                };
                total += 1;
                if !(estimate.lower..=estimate.upper).contains(truth) {
                    missed.push((team.run.name(), found, interval(estimate), *truth));
                }
            }
        }
        Self { total, missed }
    }

    pub(super) fn held(&self) -> u64 {
        self.total - self.missed.len() as u64
    }

    /// Odds of as many misses or more, were the intervals what they claim to be.
    pub(super) fn odds(&self) -> f64 {
        let law = Binomial::new(1.0 - HELD, self.total);
        law.map_or(1.0, |law| match (self.missed.len() as u64).checked_sub(1) {
            Some(fewer) => law.sf(fewer),
            None => 1.0,
        })
    }

    /// Of "they hold the truth as often as they say".
    pub(super) fn finding(&self) -> Finding {
        match self.total {
            0 => Finding::Undecided,
            _ if self.odds() < TOO_MANY_MISSES => Finding::Contradicted,
            _ => Finding::Shown,
        }
    }
}

/// Whether the logged probabilities are those that drew.
pub(super) struct Drawn {
    pub(super) requests: usize,
    /// Requests that took their episode's arm: nothing was drawn.
    pub(super) inherited: usize,
    pub(super) draws: usize,
    /// Draws whose probabilities recompute to the same.
    pub(super) equal: usize,
    /// The smallest p-value of the teams.
    pub(super) p: f64,
}

impl Drawn {
    pub(super) fn of(teams: &[Material<'_>]) -> Self {
        let calls = || teams.iter().flat_map(|team| &team.run.calls);
        let checks = || teams.iter().map(|team| &team.judged.report.propensities);
        let p = checks().map(|check| check.calibration.p_value);
        Self {
            requests: calls().count(),
            inherited: calls().filter(|call| call.played.inherited).count(),
            draws: checks().map(|check| check.calibration.draws).sum(),
            equal: checks().map(|check| check.equal).sum(),
            p: p.fold(1.0, f64::min),
        }
    }

    /// Of "they are".
    pub(super) fn finding(&self) -> Finding {
        if self.equal == self.draws && self.p >= WRONG_PROPENSITIES {
            Finding::Shown
        } else {
            Finding::Contradicted
        }
    }
}

/// Of "the log tells the truth": by both.
pub(super) fn log_is_true(held: &Held<'_>, drawn: &Drawn) -> Finding {
    all([held.finding(), drawn.finding()])
}

/// The share of `calls` that `arm` took, with its interval.
pub(super) fn share_of(calls: &[Call<'_>], arm: usize) -> Interval {
    mean(calls, |call| f64::from(u8::from(call.played.arm == arm)))
}

/// What a request cost the router on average.
pub(super) fn cost(run: &TeamRun<'_>) -> f64 {
    let cost = |call: &Call<'_>| super::team::routed(call).map_or(0.0, |o| o.cost_usd);
    run.mean(cost).value
}
