//! Traffic out to a folder partitioned by team and day, `team=coding/day=2026-01-31/0.parquet`, so that a long history
//! is written and read a part at a time.
//!
//! Invariants: a day that is written replaces what the folder had of it; other days stay. A part is whole or absent: it
//! is written beside, and renamed when it is finished. Within a team, days in their order, and the parts of a day in
//! theirs, are the order of the rows, but where the clock went back over midnight.
//!
//! Not here: which rows (`export`), how long days are kept ([`TrafficFolder::finish`] is told).
//!
//! Units: days are UTC. What is no letter, digit, `-`, `_` or `.` in a team's name is written as `%` and two
//! hexadecimal digits a byte.

use super::traffic::TrafficRow;
use super::{Error, TrafficWriter};
use crate::id::Name;
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Writes rows, each to the file of its team and day.
#[derive(Debug)]
pub struct TrafficFolder {
    root: PathBuf,
    open: BTreeMap<Name, Open>,
    /// Parts of each day written so far.
    parts: BTreeMap<PathBuf, usize>,
    rows: usize,
}

#[derive(Debug)]
struct Open {
    day: PathBuf,
    beside: PathBuf,
    writer: TrafficWriter,
}

/// What a folder gained and lost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows written.
    pub rows: usize,
    /// Days of a team that were written.
    pub days: usize,
    /// Days of a team that were too old and are gone.
    pub dropped: usize,
}

impl TrafficFolder {
    /// In `root`, which is made if it is not there.
    pub fn create(root: &Path) -> Result<Self, Error> {
        fs::create_dir_all(root).map_err(|source| io(root, source))?;
        Ok(Self {
            root: root.to_owned(),
            open: BTreeMap::new(),
            parts: BTreeMap::new(),
            rows: 0,
        })
    }

    /// Adds a row.
    pub fn write(&mut self, row: TrafficRow) -> Result<(), Error> {
        let (year, month, day) = row.time.date();
        let team = format!("team={}", encoded(row.team.as_str()));
        let day = format!("day={year:04}-{month:02}-{day:02}");
        let day = self.root.join(team).join(day);
        let mut open = match self.open.remove(&row.team) {
            Some(open) if open.day == day => open,
            other => {
                if let Some(before) = other {
                    self.close(before)?;
                }
                fs::create_dir_all(&day).map_err(|source| io(&day, source))?;
                let beside = day.join("part.unfinished");
                let writer = TrafficWriter::create(&beside)?;
                Open {
                    day,
                    beside,
                    writer,
                }
            }
        };
        let team = row.team.clone();
        open.writer.write(row)?;
        self.open.insert(team, open);
        Ok(())
    }

    /// Finishes all files. With `keep`, of each team the days before its newest `keep` ones are removed.
    pub fn finish(mut self, keep: Option<usize>) -> Result<Written, Error> {
        for (_, open) in std::mem::take(&mut self.open) {
            self.close(open)?;
        }
        let mut written = Written {
            rows: self.rows,
            days: self.parts.len(),
            dropped: 0,
        };
        let teams: BTreeSet<&Path> = self.parts.keys().filter_map(|day| day.parent()).collect();
        for team in keep.map(|_| teams).into_iter().flatten() {
            written.dropped += drop_old(team, keep.unwrap_or(usize::MAX))?;
        }
        Ok(written)
    }

    fn close(&mut self, open: Open) -> Result<(), Error> {
        let Open {
            day,
            beside,
            writer,
        } = open;
        self.rows += writer.finish()?;
        let part = self.parts.entry(day.clone()).or_default();
        if *part == 0 {
            for old in parquet(&day)? {
                fs::remove_file(&old).map_err(|source| io(&old, source))?;
            }
        }
        let file = day.join(format!("{part}.parquet"));
        *part += 1;
        fs::rename(&beside, &file).map_err(|source| io(&file, source))
    }
}

/// Removes the Parquet files of days before the newest `keep`, and their folders where nothing else is in them; gives
/// the number of days.
fn drop_old(team: &Path, keep: usize) -> Result<usize, Error> {
    let is_day = |path: &PathBuf| {
        let name = path.file_name().and_then(|name| name.to_str());
        name.is_some_and(|name| name.starts_with("day=")) && path.is_dir()
    };
    let mut days: Vec<PathBuf> = entries(team)?.into_iter().filter(is_day).collect();
    days.sort();
    days.truncate(days.len().saturating_sub(keep));
    for day in &days {
        for file in parquet(day)? {
            fs::remove_file(&file).map_err(|source| io(&file, source))?;
        }
        if entries(day)?.is_empty() {
            fs::remove_dir(day).map_err(|source| io(day, source))?;
        }
    }
    Ok(days.len())
}

fn parquet(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = entries(folder)?;
    files.retain(|file| file.extension().is_some_and(|ending| ending == "parquet"));
    Ok(files)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let refused = |source| io(folder, source);
    let entries = fs::read_dir(folder).map_err(refused)?;
    let paths = entries.map(|entry| Ok(entry.map_err(refused)?.path()));
    paths.collect()
}

fn io(file: &Path, source: std::io::Error) -> Error {
    Error::Io {
        file: file.to_owned(),
        source,
    }
}

fn encoded(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for byte in name.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => text.push(byte.into()),
            other => text.push_str(&format!("%{other:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::DecisionId;
    use crate::learn::sample::{Maker, name};
    use crate::table::TrafficReader;
    use crate::unit::Timestamp;

    /// A row of a team, so many days and hours after the epoch.
    fn row(maker: &mut Maker, team: &str, day: i64, hour: i64) -> TrafficRow {
        let mut row = TrafficRow::new(maker.decision(None));
        row.team = name(team);
        row.time = Timestamp::from_micros((day * 24 + hour) * 3_600_000_000);
        row
    }

    fn written(root: &Path, rows: &[TrafficRow], keep: Option<usize>) -> Written {
        let mut folder = TrafficFolder::create(root).unwrap();
        for row in rows {
            folder.write(row.clone()).unwrap();
        }
        folder.finish(keep).unwrap()
    }

    /// The decisions of a file or folder; unknown latencies are NaN, which equals nothing.
    fn read(path: &Path) -> Vec<DecisionId> {
        let reader = TrafficReader::open(path).unwrap();
        let count = reader.rows();
        let rows: Vec<DecisionId> = reader.map(|row| row.unwrap().id).collect();
        assert_eq!(rows.len(), count);
        rows
    }

    #[test]
    fn a_folder_has_each_team_s_rows_in_their_order_and_a_day_that_is_written_again_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        let mut maker = Maker::new();
        let mut of = |team, day, hour| row(&mut maker, team, day, hour);
        let rows = [
            of("a", 0, 1),
            of("b/../x", 0, 2),
            of("a", 0, 23),
            of("a", 1, 0),
            of("b/../x", 2, 5),
        ];
        let count = written(dir.path(), &rows, None);
        assert_eq!((count.rows, count.days, count.dropped), (5, 4, 0));
        let a = dir.path().join("team=a");
        assert_eq!(read(&a), [0, 2, 3].map(|i| rows[i].id));
        let escaped = dir.path().join("team=b%2F..%2Fx/day=1970-01-03/0.parquet");
        assert_eq!(read(&escaped), [rows[4].id]);
        let again = [of("a", 1, 1), of("a", 1, 2)];
        written(dir.path(), &again, None);
        let all = [&rows[0], &rows[2], &again[0], &again[1]].map(|row| row.id);
        assert_eq!(read(&a), all);
    }

    #[test]
    fn a_clock_that_goes_back_over_midnight_makes_a_second_part() {
        let dir = tempfile::tempdir().unwrap();
        let mut maker = Maker::new();
        let mut of = |day, hour| row(&mut maker, "a", day, hour);
        let rows = [of(0, 23), of(1, 0), of(0, 23), of(1, 1)];
        assert_eq!(written(dir.path(), &rows, None).days, 2);
        assert_eq!(read(dir.path()), [0, 2, 1, 3].map(|i| rows[i].id));
    }

    #[test]
    fn old_days_go_and_what_is_not_ours_stays() {
        let dir = tempfile::tempdir().unwrap();
        let mut maker = Maker::new();
        let mut of = |day| row(&mut maker, "a", day, 0);
        let rows: Vec<TrafficRow> = (0..5).map(&mut of).collect();
        written(dir.path(), &rows[..3], None);
        let note = dir.path().join("team=a/day=1970-01-01/note.txt");
        fs::write(&note, "mine").unwrap();
        let count = written(dir.path(), &rows[3..], Some(2));
        assert_eq!((count.days, count.dropped), (2, 3));
        assert_eq!(read(dir.path()), [rows[3].id, rows[4].id]);
        assert!(note.exists() && !dir.path().join("team=a/day=1970-01-02").exists());
    }
}
