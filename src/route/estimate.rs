//! What each eligible arm is expected to do on this request: signals, cost, latency, utility.
//!
//! u_a = scorecard utility of the predicted signals, cost and latency; its standard deviation
//! s_a = doubt x sqrt(sum over groups g of grad' Sigma_g grad h_g) / 0.3, with h_g of the coarse part of x
//! (`bandit::Posterior::score`) and the doubt 1 but for newcomers and arms that changed
//! (`bandit::Tempo`); that is, in units where a residual standard deviation of 0.3 counts as one, the
//! scale of the policies' defaults (SCIENCE 2.2, 2.3).
//!
//! Invariants: the vectors are parallel, in catalogue order; an arm that breaks a limit on cost or
//! latency is not among them but in `excluded`.
//!
//! Not here: eligibility before predictions (`eligibility`), what an arm costs (`cost`), the draw (`draw`).

use super::cost::Pricing;
use super::draw::View;
use crate::bandit::{PRIOR_SD, StateError, is_newcomer};
use crate::decision::{Drawn, Excluded};
use crate::eligibility::Limits;
use crate::id::Name;
use crate::learn::{ArmSnapshot, TeamSnapshot};
use crate::scorecard::Scorecard;
use crate::unit::Pmf;

/// Estimates of the eligible arms.
#[derive(Debug, Clone, Default)]
pub(super) struct Estimates {
    pub(super) arms: Vec<Name>,
    /// Where each arm is among the eligible ones.
    pub(super) places: Vec<usize>,
    pub(super) signals: Vec<Name>,
    pub(super) utility: Vec<f64>,
    pub(super) utility_sd: Vec<f64>,
    pub(super) signal_mean: Vec<f32>,
    pub(super) signal_sd: Vec<f32>,
    pub(super) cost_usd: Vec<f64>,
    pub(super) reference_cost_usd: Vec<f64>,
    pub(super) latency_ms: Vec<f64>,
    pub(super) samples: f64,
    pub(super) pulls: Vec<u64>,
    /// Whether it joined after the others, has been drawn little, and was not found worse.
    pub(super) newcomer: Vec<bool>,
}

impl Estimates {
    pub(super) fn view(&self) -> View<'_> {
        View {
            arms: &self.arms,
            utility: &self.utility,
            utility_sd: &self.utility_sd,
            samples: self.samples,
        }
    }

    /// Keeps the arms that `keep` says true of, by place in the vectors.
    pub(super) fn retain(&mut self, keep: &[bool]) {
        let width = self.signals.len();
        retain(&mut self.arms, keep, 1);
        retain(&mut self.places, keep, 1);
        retain(&mut self.utility, keep, 1);
        retain(&mut self.utility_sd, keep, 1);
        retain(&mut self.cost_usd, keep, 1);
        retain(&mut self.reference_cost_usd, keep, 1);
        retain(&mut self.latency_ms, keep, 1);
        retain(&mut self.pulls, keep, 1);
        retain(&mut self.newcomer, keep, 1);
        retain(&mut self.signal_mean, keep, width);
        retain(&mut self.signal_sd, keep, width);
    }

    /// What an arm's signal is expected to be, from 0 worst to 1 best.
    pub(super) fn signal(&self, arm: usize, signal: &Name) -> Option<f64> {
        let place = self.signals.iter().position(|name| name == signal)?;
        let mean = self.signal_mean.get(arm * self.signals.len() + place)?;
        Some(f64::from(*mean))
    }

    pub(super) fn into_drawn(
        self,
        pmf: Pmf,
        floor: Vec<f64>,
        forced: Vec<u32>,
        uniform: f64,
        chosen: u32,
    ) -> Drawn {
        Drawn {
            arms: self.arms,
            signals: self.signals,
            pmf,
            floor,
            utility: self.utility,
            utility_sd: self.utility_sd,
            signal_mean: self.signal_mean,
            signal_sd: self.signal_sd,
            cost_usd: self.cost_usd,
            reference_cost_usd: self.reference_cost_usd,
            latency_ms: self.latency_ms,
            samples: self.samples,
            forced,
            uniform,
            chosen,
        }
    }
}

/// Keeps the items of the arms to keep, of which each has `width`.
fn retain<T>(items: &mut Vec<T>, keep: &[bool], width: usize) {
    let mut index = 0;
    items.retain(|_| {
        let kept = keep.get(index / width.max(1)).copied().unwrap_or(false);
        index += 1;
        kept
    });
}

/// Estimates every eligible arm, and excludes those that break a limit. A dollar costs `price` quality
/// points beside what the scorecard says.
pub(super) fn estimate(
    pricing: &Pricing<'_>,
    limits: &Limits,
    team: &TeamSnapshot,
    (x, price): (&[f32], f64),
    excluded: &mut Vec<Excluded>,
) -> Result<Estimates, StateError> {
    let scorecard = &*team.scorecard;
    let count = pricing.eligible.arms.len();
    let mut found = Estimates {
        signals: scorecard.signals().iter().map(|s| s.name.clone()).collect(),
        samples: team.tempo.time(),
        arms: Vec::with_capacity(count),
        places: Vec::with_capacity(count),
        utility: Vec::with_capacity(count),
        utility_sd: Vec::with_capacity(count),
        cost_usd: Vec::with_capacity(count),
        reference_cost_usd: Vec::with_capacity(count),
        latency_ms: Vec::with_capacity(count),
        pulls: Vec::with_capacity(count),
        newcomer: Vec::with_capacity(count),
        signal_mean: Vec::with_capacity(count * scorecard.signals().len()),
        signal_sd: Vec::with_capacity(count * scorecard.signals().len()),
    };
    let mut targets = Targets::default();
    for (place, eligible) in pricing.eligible.arms.iter().enumerate() {
        let Some(arm) = pricing.catalogue.arms().get(eligible.arm) else {
            continue;
        };
        let name = &arm.name;
        let Some(learned) = team.arms.get(name) else {
            continue;
        };
        let Some(cost) = pricing.cost(eligible, &learned.expected, x) else {
            continue;
        };
        let cost_usd = cost.usd;
        let latency_ms = learned.expected.latency_ms(x);
        if let Some(out) = limits.check(name, cost_usd, latency_ms) {
            excluded.push(out);
            continue;
        }
        found.arms.push(name.clone());
        found.places.push(place);
        let pulls = team.pulls.get(name).copied().unwrap_or(0);
        found.pulls.push(pulls);
        found.cost_usd.push(cost_usd);
        found.reference_cost_usd.push(cost.reference_usd);
        found.latency_ms.push(latency_ms.unwrap_or(f64::NAN));
        let doubt = team.doubt.get(name).copied();
        let doubt = doubt.unwrap_or_else(|| team.doubt_of_a_newcomer());
        let new = is_newcomer(pulls, doubt) && !team.has_rejected(name);
        found.newcomer.push(new);
        let quality = quality(scorecard, learned, (x, doubt), &mut targets, &mut found)?;
        let paid = scorecard.price(cost_usd, latency_ms) + price * cost_usd;
        found.utility.push(quality - paid);
    }
    Ok(found)
}

const MOST: usize = Scorecard::MAX_TARGETS;

/// Numbers of one arm by target or by group, made once a request and written anew for each arm.
#[derive(Default)]
struct Targets {
    means: [f64; MOST],
    sds: [f64; MOST],
    gradient: [f64; MOST],
    /// x' A^-1 x of each group.
    spread: [f64; MOST],
    /// Of one group, in its own order.
    own: [f64; MOST],
}

/// Expected quality of one arm; its signals and standard deviation go to `found`.
fn quality(
    scorecard: &Scorecard,
    arm: &ArmSnapshot,
    (x, doubt): (&[f32], f64),
    targets: &mut Targets,
    found: &mut Estimates,
) -> Result<f64, StateError> {
    let Targets {
        means,
        sds,
        gradient,
        spread,
        own,
    } = targets;
    let signals = scorecard.signals().len();
    let count = scorecard.targets().len();
    let groups = || scorecard.groups().iter().zip(&arm.groups);
    for ((group, posterior), h) in groups().zip(spread.iter_mut()) {
        let own = &mut own[..group.targets.len()];
        *h = posterior.score(x, own)?;
        for (target, mean) in group.targets.iter().zip(own.iter()) {
            means[*target] = *mean;
        }
        for (within, target) in group.targets.iter().enumerate() {
            sds[*target] = (posterior.noise_of(within) * *h).sqrt();
        }
    }
    let quality = scorecard.gradient(&means[..count], &mut gradient[..count]);
    let mut variance = 0.0;
    for ((group, posterior), h) in groups().zip(spread.iter()) {
        let own = &mut own[..group.targets.len()];
        for (slot, target) in own.iter_mut().zip(&group.targets) {
            *slot = gradient[*target];
        }
        variance += h * posterior.noise(own);
    }
    found.utility_sd.push(doubt * variance.sqrt() / PRIOR_SD);
    found
        .signal_mean
        .extend(means[..signals].iter().map(|m| *m as f32));
    found
        .signal_sd
        .extend(sds[..signals].iter().map(|s| *s as f32));
    Ok(quality)
}
