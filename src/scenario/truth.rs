//! What is true of a world: the figures that only its maker knows.

use super::world::{Request, World};
use crate::id::Name;

/// A part of a team's requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Part<'a> {
    /// The team, by position in [`World::teams`].
    pub team: usize,
    /// One task only.
    pub task: Option<&'a Name>,
    /// Only before (`false`) or only after (`true`) the change.
    pub after: Option<bool>,
}

impl World {
    /// The requests of a part, in order of time.
    pub fn part<'a>(&'a self, part: Part<'a>) -> impl Iterator<Item = &'a Request> {
        self.requests.iter().filter(move |request| {
            request.team == part.team
                && part.task.is_none_or(|task| *task == request.task)
                && part
                    .after
                    .is_none_or(|after| after == (request.at >= self.change.at))
        })
    }

    /// Each arm's mean expected reward, had it taken all of a part's requests. Zeros where there are
    /// none.
    pub fn mean_rewards(&self, part: Part<'_>) -> Vec<f64> {
        let mut sums = vec![0.0; self.arms.len()];
        let mut count = 0.0_f64;
        for request in self.part(part) {
            count += 1.0;
            for (sum, outcome) in sums.iter_mut().zip(&request.outcomes) {
                *sum += outcome.expected_reward;
            }
        }
        sums.iter().map(|sum| sum / count.max(1.0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Hull;
    use crate::scenario::{Outcome, Size, generate};
    use std::collections::BTreeMap;

    const ATLAS: usize = 0;
    const HARBOR: usize = 1;
    const CEDAR: usize = 2;
    const FINCH: usize = 3;
    const PEBBLE: usize = 4;

    /// Full worlds and a fast one.
    fn worlds() -> Vec<World> {
        let sizes = [Size::Full, Size::Full, Size::Full, Size::Fast];
        let seeds = (0..).zip(sizes);
        seeds
            .map(|(seed, size)| generate(seed, size).unwrap())
            .collect()
    }

    fn best(rewards: &[f64]) -> usize {
        let better = |a: &usize, b: &usize| rewards[*a].total_cmp(&rewards[*b]);
        (0..rewards.len()).max_by(better).unwrap()
    }

    fn part(team: usize, after: bool) -> Part<'static> {
        Part {
            team,
            task: None,
            after: Some(after),
        }
    }

    #[test]
    fn harbor_is_the_best_fixed_arm_before_the_change_and_cedar_after_it() {
        for world in worlds() {
            assert_eq!(world.arms[world.change.arm].name.as_str(), "harbor");
            for team in 0..2 {
                let before = world.mean_rewards(part(team, false));
                let after = world.mean_rewards(part(team, true));
                assert_eq!((best(&before), best(&after)), (HARBOR, CEDAR));
                let margin = before[HARBOR] - before[CEDAR];
                assert!((0.025..0.065).contains(&margin), "{before:?}");
                assert!(before[HARBOR] - before[ATLAS] > 0.03, "{before:?}");
                assert!(after[CEDAR] - after[HARBOR] > 0.1, "{after:?}");
            }
        }
    }

    #[test]
    fn atlas_has_the_best_quality_but_is_the_best_choice_in_few_tasks() {
        for world in worlds() {
            for team in 0..2 {
                let own = world.part(Part {
                    team,
                    task: None,
                    after: Some(false),
                });
                let mut quality = [0.0; 5];
                for request in own {
                    let outcomes = quality.iter_mut().zip(&request.outcomes);
                    outcomes.for_each(|(sum, outcome)| *sum += outcome.quality);
                }
                assert_eq!(best(&quality), ATLAS, "{quality:?}");
            }
            let mut chosen = 0;
            for (team, of) in world.teams.iter().enumerate() {
                for (task, after) in of.tasks.iter().flat_map(|t| [(t, false), (t, true)]) {
                    let task = Some(task);
                    let part = Part {
                        team,
                        task,
                        after: Some(after),
                    };
                    chosen += usize::from(best(&world.mean_rewards(part)) == ATLAS);
                }
            }
            // Add-feature and complaint, before and after.
            assert_eq!(chosen, 4);
        }
    }

    #[test]
    fn finch_is_the_best_choice_in_its_one_task_and_bad_elsewhere() {
        for world in worlds() {
            let special = &world.specialist;
            assert_eq!((special.arm, special.team), (FINCH, 0));
            for (team, of) in world.teams.iter().enumerate() {
                for (task, after) in of.tasks.iter().flat_map(|t| [(t, false), (t, true)]) {
                    let own = team == special.team && *task == special.task;
                    let task = Some(task);
                    let rewards = world.mean_rewards(Part {
                        team,
                        task,
                        after: Some(after),
                    });
                    let others = [ATLAS, HARBOR, CEDAR].map(|arm| rewards[arm]);
                    let top = others[best(&others)];
                    let margin = rewards[FINCH] - top;
                    assert!(
                        if own { margin > 0.05 } else { margin < -0.1 },
                        "{rewards:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn pebble_is_never_the_best_choice() {
        for world in worlds() {
            for (team, of) in world.teams.iter().enumerate() {
                for task in &of.tasks {
                    let part = Part {
                        team,
                        task: Some(task),
                        after: None,
                    };
                    let rewards = world.mean_rewards(part);
                    assert!(
                        rewards[PEBBLE] < rewards[best(&rewards)] - 0.15,
                        "{rewards:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_best_arm_of_each_task_beats_the_best_fixed_arm_and_a_static_mix_at_its_cost() {
        for world in worlds() {
            for team in 0..2 {
                let fixed = world.mean_rewards(Part {
                    team,
                    task: None,
                    after: None,
                });
                let (mut reward, mut cost, mut quality, mut count) = (0.0, 0.0, 0.0, 0.0);
                for (task, after) in world.teams[team]
                    .tasks
                    .iter()
                    .flat_map(|t| [(t, false), (t, true)])
                {
                    let part = Part {
                        team,
                        task: Some(task),
                        after: Some(after),
                    };
                    let arm = best(&world.mean_rewards(part));
                    for request in world.part(part) {
                        let outcome = &request.outcomes[arm];
                        reward += outcome.expected_reward;
                        cost += outcome.cost_usd;
                        quality += outcome.quality;
                        count += 1.0;
                    }
                }
                assert!(reward / count > fixed[best(&fixed)] + 0.02, "{fixed:?}");
                let mean = |arm: usize, of: fn(&Outcome) -> f64| {
                    let own = world.requests.iter().filter(|r| r.team == team);
                    own.map(|r| of(&r.outcomes[arm])).sum::<f64>() / count
                };
                let points: Vec<(f64, f64)> = (0..5)
                    .map(|arm| (mean(arm, |o| o.cost_usd), mean(arm, |o| o.quality)))
                    .collect();
                let mix = Hull::of(&points).at(cost / count).unwrap();
                assert!(quality / count > mix + 0.01, "{} {mix}", quality / count);
            }
        }
    }

    #[test]
    fn the_expected_reward_is_the_mean_of_the_dice() {
        for world in worlds() {
            for (team, arm) in (0..2).flat_map(|t| (0..5).map(move |a| (t, a))) {
                // Calls of an episode share their review: differences are summed by episode first.
                let mut sums: BTreeMap<String, f64> = BTreeMap::new();
                for (number, request) in world.requests.iter().enumerate() {
                    let key = request.episode.as_ref().map(ToString::to_string);
                    let outcome = &request.outcomes[arm];
                    if request.team == team {
                        *sums.entry(key.unwrap_or(number.to_string())).or_default() +=
                            outcome.reward - outcome.expected_reward;
                    }
                }
                let sum: f64 = sums.values().sum();
                let variance: f64 = sums.values().map(|d| d * d).sum();
                // 40 sums in units of their standard deviation: one beyond 5 has odds of 2 in 100,000.
                let z = sum / variance.sqrt();
                assert!(
                    z.abs() < 5.0,
                    "seed {} team {team} arm {arm}: {z}",
                    world.seed
                );
            }
        }
    }

    #[test]
    fn arms_fare_well_and_badly_together() {
        let world = generate(0, Size::Full).unwrap();
        for (team, arm) in (0..2).flat_map(|t| (1..5).map(move |a| (t, a))) {
            let own = world.requests.iter().filter(|r| r.team == team);
            let pairs: Vec<[f64; 2]> = own
                .map(|r| [r.outcomes[ATLAS].quality, r.outcomes[arm].quality])
                .collect();
            let n = pairs.len() as f64;
            let mean = |i: usize| pairs.iter().map(|p| p[i]).sum::<f64>() / n;
            let means = [mean(0), mean(1)];
            let with = |i: usize, j: usize| -> f64 {
                pairs
                    .iter()
                    .map(|p| (p[i] - means[i]) * (p[j] - means[j]))
                    .sum()
            };
            let correlation = with(0, 1) / (with(0, 0) * with(1, 1)).sqrt();
            assert!(correlation > 0.1, "team {team} arm {arm}: {correlation}");
        }
    }

    #[test]
    fn difficulty_takes_least_from_the_dear_arm() {
        let world = generate(0, Size::Full).unwrap();
        let task = &world.teams[0].tasks[0];
        let part = Part {
            team: 0,
            task: Some(task),
            after: Some(false),
        };
        let spread = |arm: usize| {
            let rewards = || world.part(part).map(|r| r.outcomes[arm].expected_reward);
            rewards().fold(f64::MIN, f64::max) - rewards().fold(f64::MAX, f64::min)
        };
        assert!(spread(ATLAS) < spread(HARBOR) && spread(ATLAS) < spread(CEDAR));
    }
}
