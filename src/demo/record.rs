//! A team's traffic in the simulated world, for experiments: played through the very server, without a page.
//!
//! Every second request explores (each arm alike) and the learner learns once a simulated day, so that the log
//! has seen every arm often enough to speak of other policies, and is made in seconds: to learn before each
//! request, as the demonstration does, takes most of its time.
//!
//! Invariants: equal seeds give equal logs, to the bit.
//!
//! Not here: what the log says (`eval`).

use super::error::Error;
use super::notice::Noticed;
use super::play::{Pace, play_at};
use super::setup;
use super::watch::{Moment, Watch};
use crate::export::{self, Place, Wanted};
use crate::id::Name;
use crate::scenario::{self, Size};
use crate::scorecard::Scorecard;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Half of the requests to the arm that looks best, half to any: no arm has less than a tenth.
const POLICY: &str = "epsilon-greedy:epsilon=0.5";

const A_DAY: Duration = Duration::from_secs(24 * 3600);

/// The traffic of one team.
#[derive(Debug, Clone)]
pub struct Recorded {
    /// What `traffic export` writes.
    pub file: PathBuf,
    /// What outcomes are weighed by.
    pub scorecard: Scorecard,
}

/// Records what `team` does in the world of `seed` into `folder`, which must be empty and is the caller's to remove.
pub async fn record(seed: u64, team: &Name, folder: &Path) -> Result<Recorded, Error> {
    let mut world =
        scenario::generate(seed, Size::Full).map_err(|e| Error::World(e.to_string()))?;
    let unknown = || Error::UnknownTeam {
        team: team.to_string(),
        allowed: world.teams.iter().map(|t| t.name.to_string()).collect(),
    };
    let place = world.teams.iter().position(|t| t.name == *team);
    let place = place.ok_or_else(unknown)?;
    world.requests.retain(|request| request.team == place);
    let config = folder.join("bellwether.toml");
    let text = setup::configuration_with(&world, POLICY);
    std::fs::write(&config, text).map_err(|source| Error::Write {
        path: config.clone(),
        source,
    })?;
    let mut stage = setup::start(&world, &config, folder).await?;
    let played = play_at(Pace::Every(A_DAY), &world, &stage, &mut Silent).await;
    let scorecard = stage.scorecards.swap_remove(place);
    let stopped = stage.running.stop().await;
    played?;
    stopped?;
    let file = folder.join("traffic.parquet");
    let wanted = Wanted {
        since: None,
        team: Some(team.to_string()),
    };
    let (data, out) = (setup::data(folder), file.clone());
    let exporting = move || export::export(&data, Place::File(&out), &wanted, |_, _| ());
    tokio::task::spawn_blocking(exporting).await??;
    Ok(Recorded { file, scorecard })
}

/// Nobody watches.
struct Silent;

impl Watch for Silent {
    fn step(&mut self, _: &str) {}
    fn moment(&mut self, _: &Moment) {}
    fn noticed(&mut self, _: &Noticed) {}
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_team_that_the_world_does_not_have_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let team = Name::new("maple").unwrap();
        let refused = record(0, &team, folder.path()).await.unwrap_err();
        assert_eq!(
            refused.to_string(),
            "team is maple: allowed coding, support"
        );
    }
}
