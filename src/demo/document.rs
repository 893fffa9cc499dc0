//! The report's document: sections, verdict, and what a stranger must know to trust them.
//!
//! Not here: how it looks (`report`), a team's figures (`section`).

use super::details::details;
use super::glossary::terms;
use super::play::Run;
use super::run::Options;
use super::section::{Material, section};
use super::verdict::verdict;
use crate::report::{DataCard, Document, Event, Step};
use crate::scenario::{Rpc, World};

/// What is about to be done, for who knows none of its words.
pub const INTRODUCTION: &str = "\
    Two made-up teams send four simulated weeks of requests through a real Bellwether server. For each request the \
    server's router draws an arm: a model with its settings. Later the team reports signals, such as tests passed or \
    customer escalated; its own scorecard makes quality of them, from 0 (worst) to 1 (best). Quality less what cost and \
    lateness take off is the reward, which the router learns to make large. Half-way one arm silently gets worse.";

/// Puts it together.
pub(super) fn document(
    options: &Options,
    world: &World,
    run: &Run,
    teams: &[Material<'_>],
    steps: Vec<Step>,
) -> Document {
    let names: Vec<&str> = world.teams.iter().map(|team| team.name.as_str()).collect();
    let arms = world.arms.len();
    let summary = format!(
        "Simulated: {} requests of the teams {} went through a real server, which chose among {arms} made-up \
         arms and kept a log of what it did and what it was told; then all was held against what the simulator \
         knows.",
        world.requests.len(),
        names.join(" and "),
    );
    Document {
        title: "What Bellwether did with a simulated world".to_owned(),
        introduction: INTRODUCTION.to_owned(),
        summary,
        command: command(options),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        verdict: verdict(teams),
        details: details(teams),
        teams: teams.iter().map(section).collect(),
        events: events(teams),
        data: card(world, run),
        steps,
        terms: terms(),
    }
}

/// The command that makes it again.
fn command(options: &Options) -> String {
    let fast = if options.fast { " --fast" } else { "" };
    format!("cargo run -- demo --seed {}{fast}", options.seed)
}

fn events(teams: &[Material<'_>]) -> Vec<Event> {
    let mut events = Vec::new();
    for team in teams {
        for noticed in &team.noticed {
            events.push(Event {
                team: team.run.name().to_owned(),
                requests: noticed.requests,
                text: noticed.text.clone(),
                truth: Some(noticed.truth.clone()),
            });
        }
    }
    events
}

fn card(world: &World, run: &Run) -> DataCard {
    DataCard {
        name: "quickstart".to_owned(),
        simulated: true,
        facts: facts(world, run),
        caveats: CAVEATS.map(str::to_owned).to_vec(),
    }
}

const CAVEATS: [&str; 4] = [
    "Simulated: no model was called. The arms are made up, their odds are set by hand within what public \
     leaderboards show (datasets/quickstart/README.md). Nothing here says anything about a real model.",
    "It shows that the pieces work together and tell the truth where the truth is known. How much a router \
     gains depends on your tasks, your arms and your scorecard.",
    "Answers by Complete come at once here: the lateness that the simulator reckons with is not in the log of \
     those requests.",
    "The replay's intervals take the logged probabilities as given, though the router learned as it logged; \
     how often they hold the truth is counted above.",
];

fn facts(world: &World, run: &Run) -> Vec<(String, String)> {
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let arm = |arm: usize| world.arms.get(arm).map_or("", |a| a.name.as_str());
    let completed = world.requests.iter().filter(|r| r.rpc == Rpc::Complete);
    let spent: f64 = run.played.iter().map(|played| played.cost_usd).sum();
    let inherited = run.played.iter().filter(|played| played.inherited);
    let day = world.change.at.as_secs_f64() / 86_400.0;
    let mut facts = vec![
        fact("seed", world.seed.to_string()),
        fact("requests", world.requests.len().to_string()),
        fact("of them by Complete", completed.count().to_string()),
        fact(
            "of them in an episode that had its arm already",
            inherited.count().to_string(),
        ),
        fact("reports of outcomes", run.reports.to_string()),
        fact("simulated spend", format!("${spent:.2}")),
        fact(
            "the arm that silently gets worse",
            format!("{}, on day {day:.0}", arm(world.change.arm)),
        ),
        fact(
            "the arm that is good at one task only",
            format!(
                "{}, at {}",
                arm(world.specialist.arm),
                world.specialist.task
            ),
        ),
    ];
    for arm in &world.arms {
        let price = format!(
            "${} in, ${} out a million tokens; {}",
            arm.input_usd_per_million, arm.output_usd_per_million, arm.note
        );
        facts.push(fact(arm.name.as_str(), price));
    }
    facts
}
