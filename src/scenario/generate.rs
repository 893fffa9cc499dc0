//! Making a world: errands, their calls, and every arm's fate with each.

use super::catalogue::{ARMS, CHANGES, CODING, COUNT, Profile, SPECIALIST, SPECIALTY, SUPPORT};
use super::dice::Dice;
use super::error::Error;
use super::fate::{Fate, name};
use super::judge::Judge;
use super::schedule::{DAYS, Errand, Habits, errands};
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

/// What a team's calls are made of.
struct Trade {
    name: &'static str,
    scorecard: &'static str,
    habits: Habits,
    tasks: Vec<(&'static str, f64)>,
    mean_ms: fn(usize) -> f64,
    fates: fn(&Errand, usize, &[bool], [u64; 2]) -> Result<Vec<Fate>, Error>,
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
        let keys = [seed, number as u64];
        for errand in errands(&trade.habits, &shares, keys) {
            requests.extend(errand_requests(
                &errand, &trade, &team, &judge, &change, keys,
            )?);
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

/// The requests of one errand.
fn errand_requests(
    errand: &Errand,
    trade: &Trade,
    team: &Team,
    judge: &Judge,
    change: &Change,
    keys: [u64; 2],
) -> Result<Vec<Request>, Error> {
    let [seed, number] = keys;
    let after: Vec<bool> = errand
        .calls
        .iter()
        .map(|(at, _)| *at >= change.at.as_secs())
        .collect();
    let episode = format!("{}-{:04}", trade.name, errand.number);
    let episode = errand.episode.then(|| name(&episode)).transpose()?;
    let mut requests = Vec::with_capacity(errand.calls.len());
    for (call, (at, route)) in errand.calls.iter().enumerate() {
        let mut dice = Dice::new(&[seed, number, errand.number as u64, 3, call as u64]);
        requests.push(Request {
            team: usize::try_from(number).unwrap_or_default(),
            task: team.tasks[errand.task].clone(),
            episode: episode.clone(),
            at: Duration::from_secs(*at),
            rpc: if *route { Rpc::Route } else { Rpc::Complete },
            prompt: (trade.prompt)(errand.task, errand.difficulty, call, &mut dice),
            outcomes: Vec::with_capacity(COUNT),
        });
    }
    for (arm, profile) in ARMS.iter().enumerate() {
        let fates = (trade.fates)(errand, arm, &after, keys)?;
        let mean_ms = (trade.mean_ms)(arm);
        for (call, (request, fate)) in requests.iter_mut().zip(fates).enumerate() {
            let number = [errand.number as u64, 4, call as u64];
            let mut shared = Dice::new(&[keys[0], keys[1], number[0], number[1], number[2]]);
            let mut own = Dice::new(&[
                keys[0], keys[1], number[0], number[1], number[2], arm as u64,
            ]);
            // How long the answer is, and with it how long it takes.
            let size = 0.5 + own.luck(shared.uniform());
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
    use crate::scenario::Part;

    #[test]
    fn print_truth() {
        let world = generate(0, Size::Full).unwrap();
        let n = |t| world.requests.iter().filter(|r| r.team == t).count();
        println!("{} {}", n(0), n(1));
        for (team, t) in world.teams.iter().enumerate() {
            for task in t.tasks.iter().map(Some).chain([None]) {
                for after in [Some(false), Some(true)] {
                    let part = Part { team, task, after };
                    let m = world.mean_rewards(part);
                    let k = world.part(part).count();
                    let q: Vec<f64> = (0..5)
                        .map(|a| {
                            world.part(part).map(|r| r.outcomes[a].reward).sum::<f64>() / k as f64
                        })
                        .collect();
                    println!(
                        "{:8} {:12} {:?} {k:5} {:.3?} {:.3?}",
                        t.name.as_str(),
                        task.map_or("all", |t| t.as_str()),
                        after,
                        m,
                        q
                    );
                }
            }
        }
        for r in world.requests.iter().step_by(400) {
            println!(
                "----\n{:?} {:?} {:?} {:?}\n{}\n{:?}",
                r.task, r.episode, r.at, r.rpc, r.prompt, r.outcomes[0]
            );
        }
    }
}
