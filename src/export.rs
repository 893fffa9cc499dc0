//! From a journal, whether its server runs or not, to a traffic file, or to a folder by team and day.
//!
//! Two passes over the journal: what followed each decision, then the decisions. All of a team's
//! decisions are scored by the newest version of its scorecard that the journal knows.
//!
//! Not here: the rules of scoring (`replay`), the file's columns (`table`).

use crate::budget::Window;
use crate::config;
use crate::decision::Decision;
use crate::replay::{Outcomes, Scorecards};
use crate::store::journal::scan;
use crate::store::{self, FileDisk, Record, VersionKind};
use crate::table::{self, TrafficFolder, TrafficRow, TrafficWriter, Written};
use crate::unit::Timestamp;
use serde::Serialize;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Which decisions.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Only those made at this time or later; for a folder, from the midnight before it.
    pub since: Option<Timestamp>,
    /// Only this team's.
    pub team: Option<String>,
}

/// Where to.
#[derive(Debug, Clone, Copy)]
pub enum Place<'a> {
    /// One file.
    File(&'a Path),
    /// A folder with a file for each team and day; of each team written, days before the newest so many go.
    Folder(&'a Path, Option<usize>),
}

/// What is written to.
enum Writer {
    File(Box<TrafficWriter>),
    Folder(TrafficFolder, Option<usize>),
}

impl Writer {
    fn create(place: Place<'_>) -> Result<Self, table::Error> {
        Ok(match place {
            Place::File(file) => Self::File(Box::new(TrafficWriter::create(file)?)),
            Place::Folder(root, keep) => Self::Folder(TrafficFolder::create(root)?, keep),
        })
    }

    fn write(&mut self, row: TrafficRow) -> Result<(), table::Error> {
        match self {
            Self::File(writer) => writer.write(row),
            Self::Folder(folder, _) => folder.write(row),
        }
    }

    /// Days written, and dropped.
    fn finish(self) -> Result<Option<Written>, table::Error> {
        match self {
            Self::File(writer) => writer.finish().map(|_| None),
            Self::Folder(folder, keep) => folder.finish(keep).map(Some),
        }
    }
}

/// What was exported.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Done {
    /// Records read.
    pub records: u64,
    /// Decisions written.
    pub decisions: usize,
    /// Those of them whose outcome is known.
    pub with_outcome: usize,
    /// Days of a team that a folder gained; absent for a file.
    pub days: Option<usize>,
    /// Days of a team that were too old and were removed from it.
    pub dropped_days: Option<usize>,
}

/// Why nothing, or not everything, was exported.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing to read.
    #[error("{}: no journal there, or an empty one", .0.display())]
    NoJournal(PathBuf),
    /// The journal.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The file.
    #[error(transparent)]
    Table(#[from] table::Error),
}

/// Writes the wanted decisions of the journal in `data` to `out`. `progress` is told how many records
/// are done, and from the second pass on of how many.
pub fn export(
    data: &Path,
    out: Place<'_>,
    wanted: &Wanted,
    mut progress: impl FnMut(u64, Option<u64>),
) -> Result<Done, Error> {
    let wanted = &wanted.whole_days(&out);
    let disk = FileDisk::look(data);
    let mut outcomes = Outcomes::default();
    let mut scorecards = Scorecards::new();
    let mut done = 0;
    let records = scan(&disk, &mut |_, record| {
        outcomes.observe(&record);
        learn_scorecard(&record, &mut scorecards);
        done += 1;
        progress(done, None);
    })?;
    if records == 0 {
        return Err(Error::NoJournal(data.to_owned()));
    }
    let mut writer = Writer::create(out)?;
    let mut written = Ok(());
    let (mut decisions, mut with_outcome) = (0, 0);
    scan(&disk, &mut |_, record| {
        done += 1;
        progress(done, Some(records * 2));
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
    let folder = writer.finish()?;
    Ok(Done {
        records,
        decisions,
        with_outcome,
        days: folder.map(|written| written.days),
        dropped_days: folder.map(|written| written.dropped),
    })
}

impl Wanted {
    /// A folder has whole days: what is written of one replaces what it had.
    fn whole_days(&self, place: &Place<'_>) -> Self {
        let midnight = |since: Timestamp| Window::Day.around(since).0;
        Self {
            since: match place {
                Place::File(_) => self.since,
                Place::Folder(..) => self.since.map(midnight),
            },
            team: self.team.clone(),
        }
    }

    fn includes(&self, decision: &Decision) -> bool {
        self.since.is_none_or(|since| decision.time >= since)
            && self
                .team
                .as_ref()
                .is_none_or(|team| team == decision.team.as_str())
    }
}

/// A version that this build cannot read is passed over and told: a newer one may follow.
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
        Err(problems) => tracing::warn!("{}", config::render(&problems)),
    }
}
