//! From a journal, running or not, to a traffic file.

use super::out::Failure;
use bellwether::config;
use bellwether::decision::Decision;
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
    let records = scan(&disk, &mut |_, record| {
        outcomes.observe(&record);
        learn_scorecard(&record, &mut scorecards);
        bar.inc(1);
    })?;
    if records == 0 {
        return Err(format!("{}: no journal there, or an empty one", data.display()).into());
    }
    bar.set_length(records * 2);
    let mut writer = TrafficWriter::create(out)?;
    let mut written = Ok(());
    let (mut decisions, mut with_outcome) = (0, 0);
    scan(&disk, &mut |_, record| {
        bar.inc(1);
        let Record::Decision(decision) = record else {
            return;
        };
        let Some(scorecard) = scorecards.get(&decision.team) else {
            return;
        };
        if written.is_ok() && wanted.includes(&decision) {
            let row = outcomes.row(*decision, scorecard);
            decisions += 1;
            with_outcome += usize::from(row.utility.is_some());
            written = writer.write(row);
        }
    })?;
    written?;
    writer.finish()?;
    Ok(Done {
        records,
        decisions,
        with_outcome,
    })
}

impl Wanted {
    fn includes(&self, decision: &Decision) -> bool {
        self.since.is_none_or(|since| decision.time >= since)
            && self
                .team
                .as_ref()
                .is_none_or(|team| team == decision.team.as_str())
    }
}

/// The newest version of a team's scorecard scores all of its decisions.
fn learn_scorecard(record: &Record, scorecards: &mut Scorecards) {
    let Record::Version {
        kind: VersionKind::Scorecard,
        team,
        version,
        text,
        ..
    } = record
    else {
        return;
    };
    let place = format!("scorecard version {version} of team {team} in the journal");
    match config::read_scorecard(Path::new(&place), text) {
        Ok(scorecard) => drop(scorecards.insert(team.clone(), Arc::new(scorecard))),
        Err(problems) => eprint!("{}", config::render(&problems)),
    }
}
