//! From a world to a server at work: a configuration that people can read and use again, a store,
//! keys, a clock.
//!
//! Invariants: equal seeds give equal draws: the secret, the ids and the learner's steps follow from
//! the seed. The secret is therefore no secret; the server listens on loopback only.
//!
//! Not here: the server itself (`server`).

use super::clock::StagedClock;
use super::error::Error;
use crate::config;
use crate::id::Secret;
use crate::scenario::{Arm, Team, World};
use crate::scorecard::Scorecard;
use crate::server::{self, Running, Stepper};
use crate::store::Keyed;
use crate::unit::Timestamp;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// When the simulated weeks begin: Monday 2026-01-05, 00:00 UTC.
pub(super) const BEGIN: Timestamp = Timestamp::from_micros(1_767_571_200_000_000);

/// As curious as the default, for longer, with a floor of 0.1 (0.02): four weeks are short, an arm that is good
/// at one task shall be found, and the log shall speak of policies that were not in force. Chosen on the seeds
/// 0, 1 and 2, of six that were tried: at v 0.4 and more, for as long, the change of an arm that is used
/// little went unnoticed in one of them.
const POLICY: &str = "linear-thompson:v=0.3,half=2000";
const EXPLORE_FLOOR: f64 = 0.1;

/// Where the written configuration keeps its data, beside itself.
const DATA: &str = "data";

/// A server at work and what is needed to lead it.
pub(super) struct Stage {
    pub(super) running: Running,
    pub(super) stepper: Stepper,
    pub(super) clock: Arc<StagedClock>,
    /// Each team's, in the world's order.
    pub(super) scorecards: Vec<Scorecard>,
}

/// The key of a team: known to all, for a server on loopback.
pub(super) fn key(team: &str) -> String {
    format!("demo-{team}")
}

/// Where the journal is, with the store in `folder`.
pub(super) fn data(folder: &Path) -> PathBuf {
    folder.join(DATA)
}

/// Starts a server with the configuration in `file`, its store in `folder`, on a free port.
pub(super) async fn start(world: &World, file: &Path, folder: &Path) -> Result<Stage, Error> {
    let loaded = config::load(file);
    let mut params = loaded.map_err(|problems| Error::Config(config::render(&problems)))?;
    params.server.listen.set_port(0);
    params.store.dir = data(folder);
    let by_name: BTreeMap<_, _> = params.teams.iter().map(|t| (&t.name, t)).collect();
    let scorecard = |team: &Team| by_name.get(&team.name).map(|t| t.scorecard.clone());
    let scorecards = world.teams.iter().filter_map(scorecard).collect();
    let secret = secret(world.seed);
    // Whoever opens the state first gives it its secret.
    drop(Keyed::open(
        params.store.dir.join("keyed"),
        *secret.bytes(),
    )?);
    let clock = Arc::new(StagedClock::new(BEGIN));
    let opened = {
        let (params, clock) = (params.clone(), Arc::clone(&clock));
        tokio::task::spawn_blocking(move || server::open(&params, &*clock)).await??
    };
    let (running, stepper) =
        server::simulate(opened, params, Arc::clone(&clock) as _, world.seed).await?;
    Ok(Stage {
        running,
        stepper,
        clock,
        scorecards,
    })
}

fn secret(seed: u64) -> Secret {
    let digest = Sha256::digest(format!("bellwether demo {seed}"));
    Secret::new(digest.into())
}

const HEAD: &str = r#"# Written by `bellwether demo`: the very server that it ran, but for the port and the folder.
# Arms, prices and teams are made up; no model stands behind them.
#
#   bellwether serve --config THIS_FILE
#
# The keys are `demo-TEAM`, as everybody knows: for loopback only. The teams explore more than they would
# by default, for four weeks are short and the log shall speak of other policies too.
[server]
listen = "127.0.0.1:7431"

[store]
dir = "data"
durability = "group"
"#;

/// The configuration as TOML.
pub(super) fn configuration(world: &World) -> String {
    configuration_with(world, POLICY)
}

/// As [`configuration`], with another policy.
pub(super) fn configuration_with(world: &World, policy: &str) -> String {
    let mut text = HEAD.to_owned();
    for team in &world.teams {
        add_team(&mut text, team, policy);
    }
    for arm in &world.arms {
        add_arm(&mut text, arm);
    }
    text
}

fn add_team(text: &mut String, team: &Team, policy: &str) {
    let name = team.name.as_str();
    let hash = Sha256::digest(key(name));
    let hash: String = hash.iter().map(|byte| format!("{byte:02x}")).collect();
    let scorecard = team.scorecard;
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        r#"
[[keys]]
name = "{name}"
team = "{name}"
sha256 = "{hash}"
scopes = ["route", "complete", "feedback", "replay", "admin"]

[[teams]]
name = "{name}"
policy = "{policy}"
explore_floor = {EXPLORE_FLOOR:?}
scorecard_toml = '''
{scorecard}'''
"#
    );
}

fn add_arm(text: &mut String, arm: &Arm) {
    let Arm {
        name,
        note,
        input_usd_per_million: input,
        output_usd_per_million: output,
        output_tokens,
    } = arm;
    let _ = write!(
        text,
        r#"
# {note}
[[arms]]
name = "{name}"
context_tokens = 200000

[[endpoints]]
name = "{name}"
arm = "{name}"
provider = "simulated"
model = "{name}"
output_tokens = {output_tokens}
prices = [{{ input_usd_per_million = {input:?}, output_usd_per_million = {output:?} }}]
"#
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::{Size, generate};

    #[test]
    fn the_configuration_is_valid_and_has_every_team_and_arm() {
        let world = generate(0, Size::Fast).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("bellwether.toml");
        std::fs::write(&file, configuration(&world)).unwrap();
        let params = config::load(&file).unwrap_or_else(|p| panic!("{}", config::render(&p)));
        let teams: Vec<_> = params.teams.iter().map(|team| &team.name).collect();
        assert_eq!(
            teams,
            world.teams.iter().map(|t| &t.name).collect::<Vec<_>>()
        );
        let arms: Vec<_> = params
            .catalogue
            .arms()
            .iter()
            .map(|arm| &arm.name)
            .collect();
        assert_eq!(arms, world.arms.iter().map(|a| &a.name).collect::<Vec<_>>());
        assert_eq!(params.store.dir, data(folder.path()));
    }
}
