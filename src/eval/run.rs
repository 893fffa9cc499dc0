//! Running experiments, one after the other; simulated traffic is recorded once for all that ask for it.

use super::answer::{self, Play};
use super::error::Error;
use super::expected::{Drift, bless, drifts};
use super::figure::Figures;
use super::find::Found;
use crate::config::{self, Asked};
use crate::demo::{self, Recorded};
use crate::id::Name;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use tempfile::TempDir;

/// Runs experiments.
#[derive(Debug, Default)]
pub struct Session {
    /// The simulated traffic so far, by seed and team.
    worlds: BTreeMap<(u64, Name), (TempDir, Recorded)>,
}

/// What came of an experiment.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// What it asks.
    pub question: String,
    /// How it ended.
    pub ended: Ended,
}

/// How an experiment ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Ended {
    /// Its data are not on this machine.
    Skipped {
        /// What is absent.
        absent: String,
    },
    /// It was run.
    Run {
        /// What was said of what it was made on.
        data: String,
        /// The answer.
        figures: Figures,
        /// Where it is not what was expected.
        drifts: Vec<Drift>,
    },
}

impl Session {
    /// Runs an experiment and holds it to what is expected; with `anew`, what comes is expected from now on.
    pub async fn run(&mut self, found: &Found, anew: bool) -> Result<Told, Error> {
        let experiment = config::load_experiment(&found.experiment()).map_err(Error::Problems)?;
        let question = experiment.question;
        let (data, figures) = match experiment.asked {
            Asked::World {
                seed,
                team,
                proposals,
            } => {
                let recorded = self.recorded(seed, &team).await?;
                let worth = recorded.scorecard.definition().quality_usd;
                let proposals = answer::at_worth(proposals, worth);
                let figures = answer::traffic(&recorded.file, &proposals)?;
                (
                    format!("simulated world, seed {seed}, team {team}"),
                    figures,
                )
            }
            Asked::Traffic { file, .. } | Asked::Table { file, .. } if !file.is_file() => {
                let absent = file.display().to_string();
                let ended = Ended::Skipped { absent };
                return Ok(Told { question, ended });
            }
            Asked::Traffic { file, proposals } => {
                (shown(&file), answer::traffic(&file, &proposals)?)
            }
            Asked::Table {
                file,
                policies,
                seeds,
                lambda,
                budget_usd,
            } => {
                let play = Play {
                    policies: &policies,
                    seeds,
                    lambda,
                    budget_usd,
                };
                (shown(&file), answer::table(&file, &play)?)
            }
        };
        if anew {
            bless(found, &question, &figures)?;
        }
        let drifts = drifts(found, &figures)?;
        let ended = Ended::Run {
            data,
            figures,
            drifts,
        };
        Ok(Told { question, ended })
    }

    /// A team's simulated traffic.
    async fn recorded(&mut self, seed: u64, team: &Name) -> Result<&Recorded, Error> {
        let (_, recorded) = match self.worlds.entry((seed, team.clone())) {
            Entry::Occupied(there) => there.into_mut(),
            Entry::Vacant(free) => {
                let failed = |source| Error::File {
                    path: std::env::temp_dir(),
                    source,
                };
                let folder = tempfile::tempdir().map_err(failed)?;
                let recorded = demo::record(seed, team, folder.path()).await?;
                free.insert((folder, recorded))
            }
        };
        Ok(recorded)
    }
}

fn shown(file: &Path) -> String {
    file.display().to_string()
}
