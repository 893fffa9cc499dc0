//! Making a world: errands, their calls, and every arm's fate with each.

use super::catalogue::{ARMS, CHANGES, CODING, COUNT, Profile, SPECIALIST, SPECIALTY, SUPPORT};
use super::dice::{Dice, Luck};
use super::error::Error;
use super::fate::{Fate, name};
use super::judge::Judge;
use super::schedule::{DAYS, Errand, Habits, Purpose, errands};
use super::world::{Arm, Change, Outcome, Request, Rpc, Specialist, Team, World};
use super::{coding, coding_prompt, support, support_prompt};
use crate::chat::estimated_tokens;
use crate::id::Name;
use std::time::Duration;

/// How much happens in a world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Size {
    /// About 2,400 coding and 1,600 support requests.
    Full,
    /// About a third of that, over the same four weeks.
    Fast,
}

impl Size {
    /// About so many requests of each team.
    fn calls(self) -> [usize; 2] {
        match self {
            Size::Full => [2_400, 1_600],
            Size::Fast => [800, 530],
        }
    }
}

/// What becomes of an errand with an arm, given which calls come after the change.
type Fates = fn(&Errand, usize, &[bool]) -> Result<Vec<Fate>, Error>;

/// What a team's calls are made of.
struct Trade {
    name: &'static str,
    scorecard: &'static str,
    habits: Habits,
    tasks: Vec<(&'static str, f64)>,
    mean_ms: fn(usize) -> f64,
    fates: Fates,
    prompt: fn(usize, f64, usize, &mut Dice) -> String,
}

fn trades(size: Size) -> [Trade; 2] {
    let [coding_calls, support_calls] = size.calls();
    [
        Trade {
            name: "coding",
            scorecard: include_str!("../../datasets/quickstart/coding.toml"),
            habits: coding::habits(coding_calls),
            tasks: CODING.iter().map(|t| (t.name, t.share)).collect(),
            mean_ms: coding::mean_ms,
            fates: coding::fates,
            prompt: coding_prompt::write,
        },
        Trade {
            name: "support",
            scorecard: include_str!("../../datasets/quickstart/support.toml"),
            habits: support::habits(support_calls),
            tasks: SUPPORT.iter().map(|t| (t.name, t.share)).collect(),
            mean_ms: support::mean_ms,
            fates: support::fates,
            prompt: support_prompt::write,
        },
    ]
}

/// Makes the world of `seed`: the same on every machine.
pub fn generate(seed: u64, size: Size) -> Result<World, Error> {
    let change = Change {
        arm: CHANGES,
        at: Duration::from_secs(DAYS * 86_400 / 2),
    };
    let mut teams = Vec::new();
    let mut requests = Vec::new();
    for (number, trade) in trades(size).into_iter().enumerate() {
        let judge = Judge::new(trade.name, trade.scorecard)?;
        let team = team(&trade)?;
        let shares: Vec<f64> = trade.tasks.iter().map(|(_, share)| *share).collect();
        for errand in errands(&trade.habits, &shares, [seed, number as u64]) {
            let made = errand_requests(&errand, number, &trade, &team, &judge, &change)?;
            requests.extend(made);
        }
        teams.push(team);
    }
    requests.sort_by_key(|request| request.at);
    let specialty = CODING.get(SPECIALTY).map_or("", |task| task.name);
    Ok(World {
        seed,
        arms: ARMS.iter().map(arm).collect::<Result<_, _>>()?,
        teams,
        requests,
        change,
        specialist: Specialist {
            arm: SPECIALIST,
            team: 0,
            task: name(specialty)?,
        },
    })
}

fn arm(profile: &Profile) -> Result<Arm, Error> {
    Ok(Arm {
        name: name(profile.name)?,
        note: profile.note,
        input_usd_per_million: profile.input_usd_per_million,
        output_usd_per_million: profile.output_usd_per_million,
        output_tokens: profile.output_tokens,
    })
}

fn team(trade: &Trade) -> Result<Team, Error> {
    let tasks: Result<Vec<Name>, Error> = trade.tasks.iter().map(|(task, _)| name(task)).collect();
    Ok(Team {
        name: name(trade.name)?,
        scorecard: trade.scorecard,
        tasks: tasks?,
    })
}

/// The requests of one errand, with their outcomes.
fn errand_requests(
    errand: &Errand,
    number: usize,
    trade: &Trade,
    team: &Team,
    judge: &Judge,
    change: &Change,
) -> Result<Vec<Request>, Error> {
    let episode = format!("{}-{:04}", trade.name, errand.number);
    let episode = errand.episode.then(|| name(&episode)).transpose()?;
    let request = |(call, (at, route)): (usize, &(u64, bool))| {
        let mut dice = errand.dice(Purpose::Words, &[call]);
        Request {
            team: number,
            task: team.tasks[errand.task].clone(),
            episode: episode.clone(),
            at: Duration::from_secs(*at),
            rpc: if *route { Rpc::Route } else { Rpc::Complete },
            prompt: (trade.prompt)(errand.task, errand.difficulty, call, &mut dice),
            outcomes: Vec::with_capacity(COUNT),
        }
    };
    let mut requests: Vec<Request> = errand.calls.iter().enumerate().map(request).collect();
    let after: Vec<bool> = requests.iter().map(|r| r.at >= change.at).collect();
    for (arm, profile) in ARMS.iter().enumerate() {
        let fates = (trade.fates)(errand, arm, &after)?;
        let mean_ms = (trade.mean_ms)(arm);
        for (call, (request, fate)) in requests.iter_mut().zip(fates).enumerate() {
            let mut luck = Luck {
                shared: errand.dice(Purpose::Length, &[call]),
                own: errand.dice(Purpose::Length, &[call, arm]),
            };
            // How long the answer is, and with it how long it takes.
            let size = 0.5 + luck.uniform();
            let outcome = outcome(&request.prompt, profile, mean_ms, size, fate, judge)?;
            request.outcomes.push(outcome);
        }
    }
    Ok(requests)
}

fn outcome(
    prompt: &str,
    profile: &Profile,
    mean_ms: f64,
    size: f64,
    fate: Fate,
    judge: &Judge,
) -> Result<Outcome, Error> {
    let input_tokens = estimated_tokens(prompt.chars().count());
    let mean_tokens = f64::from(profile.output_tokens);
    let output_tokens = (mean_tokens * size).round();
    let cost = |output: f64| {
        (f64::from(input_tokens) * profile.input_usd_per_million
            + output * profile.output_usd_per_million)
            / 1e6
    };
    let latency_ms = (mean_ms * size).round();
    let quality = judge.quality(&fate)?;
    Ok(Outcome {
        input_tokens,
        output_tokens: output_tokens as u32,
        cost_usd: cost(output_tokens),
        latency_ms,
        quality,
        reward: quality - judge.price(cost(output_tokens), latency_ms),
        expected_reward: judge.expected_reward(&fate, cost(mean_tokens), mean_ms)?,
        signals: fate.arrivals,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::provider::{Patience, Prompt, Provider, Simulated, SimulatedSettings};
    use std::collections::BTreeMap;

    #[test]
    fn the_same_seed_gives_the_same_world_and_another_seed_another() {
        let world = generate(7, Size::Fast).unwrap();
        assert_eq!(world, generate(7, Size::Fast).unwrap());
        assert_ne!(world.requests, generate(8, Size::Fast).unwrap().requests);
    }

    #[test]
    fn a_world_has_its_size_its_order_and_an_outcome_for_every_arm() {
        for (size, expected) in [
            (Size::Full, [2_400.0, 1_600.0]),
            (Size::Fast, [800.0, 530.0]),
        ] {
            let world = generate(1, size).unwrap();
            for (team, expected) in expected.into_iter().enumerate() {
                let calls = world.requests.iter().filter(|r| r.team == team).count() as f64;
                assert!((calls / expected - 1.0).abs() < 0.06, "{calls} {expected}");
            }
            assert!(world.requests.is_sorted_by_key(|r| r.at));
            assert!(
                world
                    .requests
                    .iter()
                    .all(|r| r.outcomes.len() == world.arms.len())
            );
            let end = Duration::from_secs(DAYS * 86_400);
            assert!(world.requests.iter().all(|r| r.at < end));
        }
    }

    #[test]
    fn an_episode_is_one_team_and_one_task_within_hours() {
        let world = generate(2, Size::Full).unwrap();
        let mut episodes: BTreeMap<&Name, Vec<&Request>> = BTreeMap::new();
        for request in &world.requests {
            if let Some(episode) = &request.episode {
                episodes.entry(episode).or_default().push(request);
            }
        }
        let mut lengths = [0; 4];
        for calls in episodes.values() {
            lengths[calls.len()] += 1;
            let first = calls[0];
            for call in calls {
                assert_eq!((call.team, &call.task), (first.team, &first.task));
                assert!(call.at - first.at < Duration::from_secs(4 * 3600));
            }
        }
        assert!(lengths[1..].iter().all(|n| *n > 50), "{lengths:?}");
    }

    #[test]
    fn coding_mostly_routes_and_support_mostly_completes() {
        let world = generate(0, Size::Full).unwrap();
        let routed = |team: usize| {
            let own = || world.requests.iter().filter(move |r| r.team == team);
            own().filter(|r| r.rpc == Rpc::Route).count() as f64 / own().count() as f64
        };
        // Shares 0.9 and 0.15 of 2,400 and 1,600: sd 0.006 and 0.009; five of them.
        assert!((routed(0) - 0.9).abs() < 0.031, "{}", routed(0));
        assert!((routed(1) - 0.15).abs() < 0.045, "{}", routed(1));
    }

    #[tokio::test]
    async fn usage_is_spread_as_the_simulated_provider_spreads_it() {
        let world = generate(0, Size::Fast).unwrap();
        let arm = &world.arms[0];
        let provider = Simulated::new(SimulatedSettings {
            output_tokens: arm.output_tokens,
            ..SimulatedSettings::default()
        });
        let soon = Patience::until(tokio::time::Instant::now() + Duration::from_secs(3600));
        let (mut served, mut ours) = (0.0, 0.0);
        for request in &world.requests[..400] {
            let message = crate::chat::Message::text(crate::chat::Role::User, &request.prompt);
            let said = [message];
            let prompt = Prompt::new("m", &said);
            let usage = provider.complete(prompt, soon).await.unwrap().usage;
            let outcome = &request.outcomes[0];
            assert_eq!(usage.input, Some(outcome.input_tokens));
            served += f64::from(usage.output.unwrap()) / f64::from(arm.output_tokens) / 400.0;
            ours += f64::from(outcome.output_tokens) / f64::from(arm.output_tokens) / 400.0;
        }
        // Both are means of 400 uniforms over 0.5 to 1.5: sd 0.0144; five of them.
        assert!((served - 1.0).abs() < 0.0722, "{served}");
        assert!((ours - 1.0).abs() < 0.0722, "{ours}");
    }
}
