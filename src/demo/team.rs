//! A team's run beside the truth: since the simulator knows what every arm would have done with every
//! request, the router is compared with its rivals on the very same requests.
//!
//! Invariants: intervals are of means over requests, clustered by episode (95 %); a difference is
//! taken request by request before its interval.
//!
//! Not here: what a log alone could say (`judge`).
//!
//! Units: quality and reward in points (0 to 1), cost in USD.

use super::error::Error;
use super::play::{Played, Run};
use crate::ope::{Estimator, Row};
use crate::report::{Interval, Point};
use crate::scenario::{Outcome, Request, World};
use std::collections::BTreeMap;

/// One request of the team and what became of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) request: &'a Request,
    pub(super) played: &'a Played,
    /// Its place among the team's, from 0.
    pub(super) index: usize,
    /// Its episode, from 0.
    pub(super) cluster: usize,
    /// Whether it was made after the world's change.
    pub(super) changed: bool,
}

/// A team's run.
#[derive(Debug)]
pub(super) struct TeamRun<'a> {
    pub(super) world: &'a World,
    /// The team, by position in the world.
    pub(super) team: usize,
    /// In order of time; at least one.
    pub(super) calls: Vec<Call<'a>>,
}

impl<'a> TeamRun<'a> {
    /// The run of one team.
    pub(super) fn of(world: &'a World, run: &'a Run, team: usize) -> Result<Self, Error> {
        let mut clusters = BTreeMap::new();
        let mut calls = Vec::new();
        let all = world.requests.iter().zip(&run.played);
        for (request, played) in all.filter(|(request, _)| request.team == team) {
            let cluster = clusters.len();
            let cluster = match &request.episode {
                Some(episode) => *clusters.entry(episode.to_string()).or_insert(cluster),
                None => *clusters
                    .entry(played.decision_id.clone())
                    .or_insert(cluster),
            };
            calls.push(Call {
                request,
                played,
                index: calls.len(),
                cluster,
                changed: request.at >= world.change.at,
            });
        }
        let run = Self { world, team, calls };
        if run.calls.is_empty() {
            return Err(Error::Empty(run.name().to_owned()));
        }
        Ok(run)
    }

    pub(super) fn name(&self) -> &'a str {
        self.world
            .teams
            .get(self.team)
            .map_or("", |t| t.name.as_str())
    }

    /// The number of arms.
    pub(super) fn arms(&self) -> usize {
        self.world.arms.len()
    }

    pub(super) fn arm_name(&self, arm: usize) -> &'a str {
        self.world.arms.get(arm).map_or("", |a| a.name.as_str())
    }

    /// Requests made before the world's change.
    pub(super) fn before_change(&self) -> usize {
        self.calls.iter().filter(|call| !call.changed).count()
    }

    /// The mean of `value` over all calls, with its interval.
    pub(super) fn mean(&self, value: impl Fn(&Call<'a>) -> f64) -> Interval {
        mean(&self.calls, value)
    }
}

/// What an arm would have done with a call; nothing where it has no such arm.
pub(super) fn outcome<'a>(call: &Call<'a>, arm: usize) -> Option<&'a Outcome> {
    call.request.outcomes.get(arm)
}

/// What the router's arm did with a call.
pub(super) fn routed<'a>(call: &Call<'a>) -> Option<&'a Outcome> {
    outcome(call, call.played.arm)
}

/// The mean of `value` over `calls`, with its interval.
pub(super) fn mean<'a>(calls: &[Call<'a>], value: impl Fn(&Call<'a>) -> f64) -> Interval {
    let row = |call: &Call<'a>| Row {
        cluster: call.cluster,
        weight: 1.0,
        weight_before: 1.0,
        reward: value(call),
        model_value: 0.0,
        model_chosen: 0.0,
    };
    let mut rows: Vec<Row> = calls.iter().map(row).collect();
    number_clusters(&mut rows);
    let none = Interval {
        value: 0.0,
        lower: 0.0,
        upper: 0.0,
    };
    // Inverse propensity scoring with weights of 1 is the mean.
    Estimator::IPS.estimate(&rows).map_or(none, interval)
}

/// Clusters from 0 without gaps: some calls of a run are not its first.
fn number_clusters(rows: &mut [Row]) {
    let mut numbers = BTreeMap::new();
    for row in rows {
        let next = numbers.len();
        row.cluster = *numbers.entry(row.cluster).or_insert(next);
    }
}

/// An estimate as the report has it. With one cluster nothing bounds it but the scale's own width.
pub(super) fn interval(estimate: crate::ope::Estimate) -> Interval {
    let bounded = |end: f64, else_: f64| if end.is_finite() { end } else { else_ };
    Interval {
        value: estimate.value,
        lower: bounded(estimate.lower, estimate.value - 1.0),
        upper: bounded(estimate.upper, estimate.value + 1.0),
    }
}

/// Quality, cost and reward of `chosen` over `calls`.
pub(super) fn point<'a>(
    calls: &[Call<'a>],
    chosen: impl Fn(&Call<'a>) -> Option<&'a Outcome>,
) -> Point {
    let of = |value: fn(&Outcome) -> f64| mean(calls, |call| chosen(call).map_or(0.0, value));
    Point {
        quality: of(|o| o.quality),
        cost_usd: of(|o| o.cost_usd),
        reward: of(|o| o.reward),
    }
}

/// Share of `calls` that `arm` took.
pub(super) fn share(calls: &[Call<'_>], arm: usize) -> f64 {
    let taken = calls.iter().filter(|call| call.played.arm == arm).count();
    taken as f64 / calls.len().max(1) as f64
}

/// The first or last `part`-th of `calls`.
pub(super) fn first<'s, 'a>(calls: &'s [Call<'a>], part: usize) -> &'s [Call<'a>] {
    calls.get(..calls.len() / part).unwrap_or(calls)
}

/// As [`first`], from the end.
pub(super) fn last<'s, 'a>(calls: &'s [Call<'a>], part: usize) -> &'s [Call<'a>] {
    calls
        .get(calls.len() - calls.len() / part..)
        .unwrap_or(calls)
}
