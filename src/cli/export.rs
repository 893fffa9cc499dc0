//! From a journal, running or not, to a traffic file.

use super::out::Failure;
use bellwether::config;
use bellwether::id::Name;
use bellwether::replay::{Outcomes, Scorecards};
use bellwether::store::journal::scan;
use bellwether::store::{FileDisk, Record, VersionKind};
use bellwether::table::TrafficWriter;
use bellwether::unit::Timestamp;
use indicatif::ProgressBar;
use serde::Serialize;
use std::path::Path;
use std::sync::Arc;

/// Which decisions.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) since: Option<Timestamp>,
    pub(crate) team: Option<String>,
}

/// What was exported.
#[derive(Debug, Serialize)]
pub(crate) struct Done {
    records: u64,
    decisions: usize,
    with_outcome: usize,
}

impl Done {
    pub(crate) fn text(&self, out: &Path) -> String {
        format!(
            "{} decisions ({} with an outcome) of {} records written to {}",
            self.decisions,
            self.with_outcome,
            self.records,
            out.display()
        )
    }
}

/// A day as 2026-01-31, or a moment as 2026-01-31T12:00:00Z.
pub(crate) fn time(text: &str) -> Result<Timestamp, Failure> {
    config::time(text).ok_or_else(|| {
        format!("--since is {text}: allowed 2026-01-31 or 2026-01-31T12:00:00Z, in UTC").into()
    })
}

/// Writes the wanted decisions of the journal in `data` to `out`. Two passes: what followed each
/// decision, then the decisions.
pub(crate) fn export(
    data: &Path,
    out: &Path,
    wanted: &Wanted,
    bar: &ProgressBar,
) -> Result<Done, Failure> {
    let disk = FileDisk::look(data);
    let mut outcomes = Outcomes::default();
    let mut scorecards = Scorecards::new();
    let mut refused = Vec::new();
    let records = scan(&disk, &mut |_, record| {
        outcomes.observe(&record);
        if let Record::Version {
            kind: VersionKind::Scorecard,
            team,
            text,
            ..
        } = &record
        {
            // The newest version scores all of a team's decisions.
            match config::read_scorecard(Path::new("journal"), text) {
                Ok(scorecard) => drop(scorecards.insert(team.clone(), Arc::new(scorecard))),
                Err(problems) => refused.push(config::render(&problems)),
            }
        }
        bar.inc(1);
    })?;
    if records == 0 {
        return Err(format!("{}: no journal there, or an empty one", data.display()).into());
    }
    for problem in refused {
        eprintln!("a scorecard in the journal cannot be read: {problem}");
    }
    bar.set_length(records * 2);
    let mut writer = TrafficWriter::create(out)?;
    let mut failure = None;
    let (mut decisions, mut with_outcome) = (0, 0);
    scan(&disk, &mut |_, record| {
        bar.inc(1);
        let Record::Decision(decision) = record else {
            return;
        };
        let Some(scorecard) = scorecards.get(&decision.team) else {
            return;
        };
        let of_team = |team: &String| Name::new(team).is_ok_and(|team| team == decision.team);
        if wanted.since.is_some_and(|since| decision.time < since)
            || !wanted.team.as_ref().is_none_or(of_team)
            || failure.is_some()
        {
            return;
        }
        let row = outcomes.row(*decision, scorecard);
        decisions += 1;
        with_outcome += usize::from(row.utility.is_some());
        if let Err(error) = writer.write(row) {
            failure = Some(error);
        }
    })?;
    if let Some(error) = failure {
        return Err(error.into());
    }
    writer.finish()?;
    Ok(Done {
        records,
        decisions,
        with_outcome,
    })
}
