//! A world as outcome tables, one for each team: every arm's outcome for every request.
//!
//! Not here: the format (`table`), what its columns mean (`datasets/quickstart/README.md`).

use super::error::Error;
use super::world::{Arrival, Outcome, Request, World};
use crate::signal::Value;
use crate::table::{Cell, OutcomeRow, Prompt, write_outcomes};
use serde::Serialize;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// A table that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Written {
    /// The file.
    pub file: PathBuf,
    /// Its prompts.
    pub prompts: usize,
    /// Its rows: prompts times arms.
    pub rows: usize,
}

impl World {
    /// Writes `TEAM.parquet` for each team into `folder`, which is made if need be.
    pub fn write_tables(&self, folder: &Path) -> Result<Vec<Written>, Error> {
        std::fs::create_dir_all(folder).map_err(|source| Error::Folder {
            folder: folder.to_owned(),
            source,
        })?;
        let mut written = Vec::with_capacity(self.teams.len());
        for (team, of) in self.teams.iter().enumerate() {
            let rows = self.rows(team)?;
            let file = folder.join(format!("{}.parquet", of.name));
            write_outcomes(&file, &rows)?;
            written.push(Written {
                file,
                prompts: rows.len() / self.arms.len().max(1),
                rows: rows.len(),
            });
        }
        Ok(written)
    }

    /// A team's rows, by time and then by arm.
    fn rows(&self, team: usize) -> Result<Vec<OutcomeRow>, Error> {
        let own = self.requests.iter().filter(|request| request.team == team);
        let mut rows = Vec::new();
        for (number, request) in own.enumerate() {
            for (arm, outcome) in self.arms.iter().zip(&request.outcomes) {
                rows.push(OutcomeRow {
                    dataset: "quickstart".to_owned(),
                    prompt: prompt(number, request),
                    arm: arm.name.clone(),
                    cell: cell(outcome)?,
                    team: self.teams[team].name.clone(),
                    episode: request.episode.clone(),
                    at_s: i64::try_from(request.at.as_secs()).unwrap_or(i64::MAX),
                    expected_reward: outcome.expected_reward,
                });
            }
        }
        Ok(rows)
    }
}

fn prompt(number: usize, request: &Request) -> Prompt {
    Prompt {
        id: format!("{number:05}"),
        task: Some(request.task.clone()),
        text: Some(request.prompt.clone()),
    }
}

fn cell(outcome: &Outcome) -> Result<Cell, Error> {
    Ok(Cell {
        score: outcome.quality,
        cost_usd: Some(outcome.cost_usd),
        latency_ms: Some(outcome.latency_ms),
        input_tokens: Some(outcome.input_tokens),
        output_tokens: Some(outcome.output_tokens),
        signals: Some(signals(&outcome.signals)?),
    })
}

/// What will be told, as JSON: for each signal the reports about it, in order of time.
fn signals(arrivals: &[Arrival]) -> Result<String, Error> {
    let mut reports: BTreeMap<&str, Vec<Report>> = BTreeMap::new();
    for arrival in arrivals {
        let value = match arrival.value {
            Value::Flag(flag) => Plain::Flag(flag),
            Value::Number(number) => Plain::Number(number),
            Value::Comment(_) => continue,
        };
        let report = Report {
            value,
            after_s: arrival.after.as_secs(),
            evaluator: arrival.evaluator,
            corrects: arrival.corrects,
        };
        reports
            .entry(arrival.signal.as_str())
            .or_default()
            .push(report);
    }
    Ok(serde_json::to_string(&reports)?)
}

#[derive(Serialize)]
struct Report {
    value: Plain,
    after_s: u64,
    evaluator: &'static str,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    corrects: bool,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Plain {
    Flag(bool),
    Number(f64),
}
