//! What the router is compared with: ways of choosing that a team could have had without it, and one
//! that nobody can have.
//!
//! Invariants: a rival is a mix of arms for each request; its value there is the mix of what the arms
//! would have done.
//!
//! Not here: policies judged from the log (`judge`).
//!
//! Source: SCIENCE 3.5 (the static mix is RouterBench's zero router).

use super::team::{Call, TeamRun, first, mean, outcome, point, routed};
use crate::replay::Hull;
use crate::report::{Interval, Reference};
use crate::scenario::Outcome;
use std::collections::BTreeMap;

/// A pilot in advance looks at this part of the requests.
pub(super) const PILOT: usize = 5;

/// Shares of the arms, for one request.
type Mix = Vec<(usize, f64)>;

/// Something to compare with.
pub(super) struct Rival {
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) meaning: String,
    /// A mix for each call.
    mixes: Vec<Mix>,
}

/// Which comparison it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Pilot,
    Hindsight,
    StaticMix,
    Chance,
    TaskOracle,
}

impl Rival {
    /// All that there are for `run`.
    pub(super) fn of(run: &TeamRun<'_>) -> Vec<Self> {
        let calls = &run.calls;
        let arms = run.arms();
        let pilot = best(first(calls, PILOT), arms);
        let hindsight = best(calls, arms);
        let always = |arm: usize| vec![vec![(arm, 1.0)]; calls.len()];
        let mut rivals = vec![
            Self {
                kind: Kind::Pilot,
                name: format!("{} (chosen by a pilot)", run.arm_name(pilot)),
                meaning: format!(
                    "the arm that was best on the first {} requests, had all arms been tried on each of \
                     them, kept for good: what a careful team without a router does",
                    first(calls, PILOT).len()
                ),
                mixes: always(pilot),
            },
            Self {
                kind: Kind::Hindsight,
                name: format!("{} (best in hindsight)", run.arm_name(hindsight)),
                meaning:
                    "the one arm that turned out best over all requests: known only afterwards"
                        .to_owned(),
                mixes: always(hindsight),
            },
        ];
        rivals.extend(static_mix(run));
        let even = 1.0 / arms.max(1) as f64;
        rivals.push(Self {
            kind: Kind::Chance,
            name: "chance".to_owned(),
            meaning: "every arm equally often".to_owned(),
            mixes: vec![(0..arms).map(|arm| (arm, even)).collect(); calls.len()],
        });
        rivals.push(task_oracle(run));
        rivals
    }

    /// Its value on a call.
    pub(super) fn on(&self, call: &Call<'_>, value: fn(&Outcome) -> f64) -> f64 {
        let mix = self.mixes.get(call.index).map_or(&[][..], Vec::as_slice);
        let part = |(arm, share): &(usize, f64)| share * outcome(call, *arm).map_or(0.0, value);
        mix.iter().map(part).sum()
    }

    /// The router's value less this rival's, request by request.
    pub(super) fn difference(&self, run: &TeamRun<'_>, value: fn(&Outcome) -> f64) -> Interval {
        run.mean(|call| routed(call).map_or(0.0, value) - self.on(call, value))
    }

    /// As the report has it.
    pub(super) fn reference(&self, run: &TeamRun<'_>) -> Reference {
        Reference {
            name: self.name.clone(),
            meaning: self.meaning.clone(),
            reward: run.mean(|call| self.on(call, |o| o.reward)),
            difference: self.difference(run, |o| o.reward),
        }
    }
}

/// The static mix of two arms at the router's mean cost; nothing where no mix is that cheap.
fn static_mix(run: &TeamRun<'_>) -> Option<Rival> {
    let calls = &run.calls;
    let of = |arm: usize| {
        let point = point(calls, |call| outcome(call, arm));
        (point.cost_usd.value, point.quality.value)
    };
    let points: Vec<(f64, f64)> = (0..run.arms()).map(of).collect();
    let hull = Hull::of(&points);
    let cost = run
        .mean(|call| routed(call).map_or(0.0, |o| o.cost_usd))
        .value;
    let arm_at = |corner: &(f64, f64)| points.iter().position(|point| point == corner);
    let above = hull.points().iter().position(|(c, _)| *c > cost);
    let (mix, text) = match above {
        Some(index) => {
            let (left, right) = (
                hull.points().get(index.checked_sub(1)?)?,
                hull.points().get(index)?,
            );
            let share = (cost - left.0) / (right.0 - left.0);
            let (left, right) = (arm_at(left)?, arm_at(right)?);
            let text = format!(
                "{:.0} % {} + {:.0} % {}",
                100.0 * (1.0 - share),
                run.arm_name(left),
                100.0 * share,
                run.arm_name(right)
            );
            (vec![(left, 1.0 - share), (right, share)], text)
        }
        None => {
            let arm = arm_at(hull.points().last()?)?;
            (vec![(arm, 1.0)], run.arm_name(arm).to_owned())
        }
    };
    Some(Rival {
        kind: Kind::StaticMix,
        name: format!("static mix ({text})"),
        meaning:
            "a coin that chooses between two arms so that it costs what the router cost: the most \
                  quality that money alone buys, in hindsight"
                .to_owned(),
        mixes: vec![mix; calls.len()],
    })
}

/// For each task the arm that was best before the change, and the one that was best after it.
fn task_oracle(run: &TeamRun<'_>) -> Rival {
    let mut groups: BTreeMap<(&str, bool), Vec<Call<'_>>> = BTreeMap::new();
    for call in &run.calls {
        let key = (call.request.task.as_str(), call.changed);
        groups.entry(key).or_default().push(*call);
    }
    let best: BTreeMap<_, usize> = groups
        .iter()
        .map(|(key, calls)| (*key, best(calls, run.arms())))
        .collect();
    let mix = |call: &Call<'_>| {
        let arm = best.get(&(call.request.task.as_str(), call.changed));
        vec![(arm.copied().unwrap_or(0), 1.0)]
    };
    Rival {
        kind: Kind::TaskOracle,
        name: "best arm of each task".to_owned(),
        meaning:
            "for each task the arm that turned out best before the change, and the one that did \
                  after it: nobody can know either in advance"
                .to_owned(),
        mixes: run.calls.iter().map(mix).collect(),
    }
}

/// The arm of the best mean reward on `calls`; the first of equals.
pub(super) fn best(calls: &[Call<'_>], arms: usize) -> usize {
    let reward =
        |arm: usize| mean(calls, |call| outcome(call, arm).map_or(0.0, |o| o.reward)).value;
    let rewards: Vec<f64> = (0..arms).map(reward).collect();
    let top = rewards.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    rewards.iter().position(|r| *r >= top).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::demo::play::{Played, Run};
    use crate::scenario::{Size, World, generate};

    /// A run whose arms are chosen by the request's number.
    fn run(world: &World, arm: impl Fn(usize) -> usize) -> Run {
        let played = |i: usize| Played {
            arm: arm(i),
            decision_id: i.to_string(),
            inherited: false,
            cost_usd: 0.0,
        };
        Run {
            played: (0..world.requests.len()).map(played).collect(),
            noticed: Vec::new(),
            reports: 0,
        }
    }

    fn rival(rivals: &[Rival], kind: Kind) -> &Rival {
        rivals.iter().find(|r| r.kind == kind).unwrap()
    }

    #[test]
    fn a_router_that_always_takes_the_best_arm_does_not_differ_from_it() {
        let world = generate(1, Size::Fast).unwrap();
        let any = run(&world, |_| 0);
        let best = {
            let team = TeamRun::of(&world, &any, 0).unwrap();
            best(&team.calls, team.arms())
        };
        let run = run(&world, |_| best);
        let team = TeamRun::of(&world, &run, 0).unwrap();
        let rivals = Rival::of(&team);
        let found = rival(&rivals, Kind::Hindsight).difference(&team, |o| o.reward);
        assert_eq!((found.value, found.lower, found.upper), (0.0, 0.0, 0.0));
    }

    #[test]
    fn the_static_mix_costs_what_the_router_costs_and_chance_is_the_mean_of_the_arms() {
        let world = generate(2, Size::Fast).unwrap();
        let run = run(&world, |i| i % 5);
        let team = TeamRun::of(&world, &run, 1).unwrap();
        let rivals = Rival::of(&team);
        let mix = rival(&rivals, Kind::StaticMix).difference(&team, |o| o.cost_usd);
        assert!(mix.value.abs() < 1e-12, "{mix:?}");
        let chance = rival(&rivals, Kind::Chance);
        let mean: f64 = (0..5)
            .map(|arm| {
                team.mean(|call| outcome(call, arm).map_or(0.0, |o| o.reward))
                    .value
                    / 5.0
            })
            .sum();
        let found = team.mean(|call| chance.on(call, |o| o.reward)).value;
        assert!((found - mean).abs() < 1e-12, "{found} {mean}");
    }

    #[test]
    fn nothing_that_keeps_to_one_arm_a_task_beats_the_task_oracle() {
        let world = generate(0, Size::Fast).unwrap();
        let run = run(&world, |_| 0);
        for team in 0..world.teams.len() {
            let team = TeamRun::of(&world, &run, team).unwrap();
            let rivals = Rival::of(&team);
            let value = |kind| {
                let rival = rival(&rivals, kind);
                team.mean(|call| rival.on(call, |o| o.reward)).value
            };
            for kind in [Kind::Pilot, Kind::Hindsight, Kind::Chance] {
                assert!(value(Kind::TaskOracle) >= value(kind));
            }
        }
    }
}
