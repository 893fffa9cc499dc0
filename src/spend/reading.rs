//! One pass over the journal.
//!
//! Not here: what a record adds (`sums`, `units`).

use super::joined::{Joined, Known, Told};
use super::labels::{ANY, ANY_DAY, Labels, NONE, Names, Place, sorting};
use super::spent::{DaySpent, Row, Spent};
use super::sums::{Sums, cost};
use super::units::{Saved, Units, Verdict};
use super::wanted::{Dimension, Wanted, date};
use crate::budget::Zone;
use crate::decision::{Attempt, Cell, Decision};
use crate::id::Name;
use crate::store::journal::scan;
use crate::store::{self, FileDisk, Record};
use crate::unit::Timestamp;
use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use xxhash_rust::xxh3::Xxh3Default;

/// Groups that a report has, at most.
pub const MOST_GROUPS: usize = 100_000;

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Nothing to read.
    #[error("{}: no journal there, or an empty one", .0.display())]
    NoJournal(PathBuf),
    /// The journal.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// Too many groups.
    #[error(
        "by {by} there are more than {MOST_GROUPS} groups: leave one out, or ask for fewer days or one team"
    )]
    Groups {
        /// What they are told apart by.
        by: String,
    },
}

/// Reads what was spent from the journal in `data`. A server may be running on it.
pub fn spend(data: &Path, wanted: &Wanted) -> Result<Spent, Error> {
    let mut reading = Reading::new(wanted);
    let mut decoded = 0;
    let disk = FileDisk::look(data);
    let read = scan(&disk, &mut |_, record| {
        decoded += 1;
        reading.take(&record);
    });
    // Damage is told as what it is, a folder that is not there or holds nothing by its name.
    match read {
        Ok(0) => Err(Error::NoJournal(data.to_owned())),
        Ok(records) => reading.spent(records, records - decoded),
        Err(_) if !data.is_dir() => Err(Error::NoJournal(data.to_owned())),
        Err(error) => Err(error.into()),
    }
}

/// A team's comparison.
#[derive(Debug, Clone, Copy, Default)]
struct Comparison {
    /// How many there were before.
    number: u32,
    baseline: Option<u32>,
    runs: bool,
}

/// What has been read so far.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    wanted: &'a Wanted,
    calendar: Calendar,
    names: Names,
    groups: HashMap<Place, Sums>,
    /// By day and arm.
    days: BTreeMap<(i64, u32), i64>,
    joined: Joined,
    comparisons: BTreeMap<u32, Comparison>,
    /// Of rows, and of a team's days.
    saved: Units,
    saved_days: Units,
    without_decision: u64,
    too_many: bool,
}

impl<'a> Reading<'a> {
    pub(super) fn new(wanted: &'a Wanted) -> Self {
        Self::holding(wanted, Joined::default(), Units::default)
    }

    /// With these bounds.
    pub(super) fn holding(wanted: &'a Wanted, joined: Joined, units: impl Fn() -> Units) -> Self {
        Self {
            wanted,
            calendar: Calendar::new(wanted.zone),
            names: Names::default(),
            groups: HashMap::new(),
            days: BTreeMap::new(),
            joined,
            comparisons: BTreeMap::new(),
            saved: units(),
            saved_days: units(),
            without_decision: 0,
            too_many: false,
        }
    }

    /// Takes in the next record.
    pub(super) fn take(&mut self, record: &Record) {
        let other = |team: &Name| self.wanted.team.as_ref().is_some_and(|own| own != team);
        if self.too_many || record.team().is_some_and(other) {
            return;
        }
        match record {
            Record::Decision(decision) => self.decided(decision),
            Record::Attempt { team, attempt } => self.tried(team, attempt),
            Record::Baseline { team, arm, .. } => self.compared(team, arm.as_ref()),
            _ => {}
        }
        let most = [self.groups.len(), self.names.len(), self.saved.len()];
        self.too_many = most.into_iter().max() > Some(MOST_GROUPS);
    }

    fn decided(&mut self, decision: &Decision) {
        let team = self.names.number(&decision.team);
        let day = self.calendar.day(decision.time);
        let inside = self.wanted.holds(day);
        let key = self.labelled(Dimension::Key, Some(&decision.key));
        let task = self.labelled(Dimension::Task, decision.task.as_ref());
        if decision.cell == Cell::Holdout {
            // An old journal does not name the baseline.
            self.comparisons.entry(team).or_default().runs |= inside;
        } else if inside {
            self.comparisons.entry(team).or_default();
        }
        let comparison = self.comparisons.get(&team);
        let comparison = comparison.filter(|c| c.runs && inside).map(|c| c.number);
        let known = Known {
            key,
            task,
            unit: unit(decision),
            day,
            cell: decision.cell,
            comparison,
            told: Told::default(),
        };
        if comparison.is_some() {
            let [row, daily] = self.compared_in(team, &known);
            self.saved.decided(row, &known);
            self.saved_days.decided(daily, &known);
        }
        self.joined.put(decision.id, known);
        if let (true, Some(arm)) = (inside, decision.drawn.arm()) {
            let place = self.place(team, [key, task], arm, day);
            self.groups.entry(place).or_default().decided(decision);
        }
    }

    fn tried(&mut self, team: &Name, attempt: &Attempt) {
        let team = self.names.number(team);
        let cost = cost(attempt);
        let known = self.joined.get(attempt.decision).map(|known| {
            let before = known.told.priced();
            known.told = known.told.and(attempt.error.is_none(), cost.is_some());
            (*known, before)
        });
        let running = self.comparisons.get(&team).map(|c| c.number);
        if let Some((known, before)) = known
            && known.comparison.is_some()
            && known.comparison == running
        {
            let [row, daily] = self.compared_in(team, &known);
            let cost = cost.unwrap_or(0);
            self.saved.paid(row, &known, cost, before);
            self.saved_days.paid(daily, &known, cost, before);
        }
        let day = self.calendar.day(attempt.ended);
        if !self.wanted.holds(day) {
            return;
        }
        self.without_decision += u64::from(known.is_none());
        let labels = known.map(|(known, _)| [known.key, known.task]);
        let unknown = [Dimension::Key, Dimension::Task].map(|d| match self.wanted.has(d) {
            true => NONE,
            false => ANY,
        });
        let place = self.place(team, labels.unwrap_or(unknown), &attempt.arm, day);
        self.groups.entry(place).or_default().tried(attempt);
        let arm = self.names.number(&attempt.arm);
        let spent = self.days.entry((day, arm)).or_default();
        *spent = spent.saturating_add(cost.unwrap_or(0));
    }

    /// A team's baseline became this one, or none.
    fn compared(&mut self, team: &Name, arm: Option<&Name>) {
        let team = self.names.number(team);
        let arm = arm.map(|arm| self.names.number(arm));
        let comparison = self.comparisons.entry(team).or_default();
        comparison.runs = arm.is_some();
        if arm.is_none() || comparison.baseline == arm {
            return;
        }
        // One that was held out for before it was named stays: an old journal did not name it.
        if comparison.baseline.replace(arm.unwrap_or(NONE)).is_some() {
            comparison.number += 1;
            self.saved.forget(team);
            self.saved_days.forget(team);
        }
    }

    /// The number of a label, where rows are told apart by it.
    fn labelled(&mut self, dimension: Dimension, name: Option<&Name>) -> u32 {
        match name {
            _ if !self.wanted.has(dimension) => ANY,
            Some(name) => self.names.number(name),
            None => NONE,
        }
    }

    fn place(&mut self, team: u32, [key, task]: [u32; 2], arm: &Name, day: i64) -> Place {
        let has = |dimension| self.wanted.has(dimension);
        Place {
            team: if has(Dimension::Team) { team } else { ANY },
            key,
            task,
            day: if has(Dimension::Day) { day } else { ANY_DAY },
            arm: self.labelled(Dimension::Arm, Some(arm)),
        }
    }

    /// What a unit is compared in: as rows are told apart, and by day.
    fn compared_in(&self, team: u32, known: &Known) -> [Place; 2] {
        let Known { key, task, day, .. } = *known;
        let daily = Place {
            team,
            key: ANY,
            task: ANY,
            arm: ANY,
            day,
        };
        let day = match self.wanted.has(Dimension::Day) {
            true => day,
            false => ANY_DAY,
        };
        let row = Place {
            key,
            task,
            day,
            ..daily
        };
        [row, daily]
    }

    /// What it came to.
    pub(super) fn spent(self, records: u64, undecodable: u64) -> Result<Spent, Error> {
        let Wanted { from, to, by, .. } = self.wanted;
        if self.too_many {
            let by: Vec<String> = by.iter().map(ToString::to_string).collect();
            return Err(Error::Groups { by: by.join(",") });
        }
        let saved = self.all_saved();
        let mut saved_days = self.judged(&self.saved_days);
        saved_days
            .sort_by(|a, b| (&a.labels.team, &a.labels.day).cmp(&(&b.labels.team, &b.labels.day)));
        let mut total = Sums::default();
        let mut rows = Vec::with_capacity(self.groups.len());
        for (place, sums) in &self.groups {
            total.add(sums);
            let labels = Labels::of(place, &self.names);
            rows.push(Row::new(labels, *sums));
        }
        let sorting = sorting(self.wanted);
        rows.sort_by_cached_key(|row| sorting(&row.labels));
        let name = |number: &u32| self.names.name(*number).map(ToString::to_string);
        let days = self.days.iter().map(|((day, arm), spent)| DaySpent {
            day: date(*day),
            arm: name(arm).unwrap_or_default(),
            spent_nano_usd: *spent,
        });
        Ok(Spent {
            schema: Spent::SCHEMA,
            from: from.map(date),
            to: to.map(date),
            zone: self.wanted.zone.to_string(),
            team: self.wanted.team.as_ref().map(ToString::to_string),
            by: by.clone(),
            records,
            undecodable_records: undecodable,
            attempts_without_decision: self.without_decision,
            rows,
            total,
            cached_input_share: total.cached_share(),
            estimated_share: total.estimated_share(),
            saved,
            days: days.collect(),
            saved_days,
            refused: Spent::REFUSED,
        })
    }

    fn judged(&self, units: &Units) -> Vec<Saved> {
        let baseline = |team: u32| self.comparisons.get(&team)?.baseline;
        let all = units.saved(&self.names, baseline).into_iter();
        all.map(|(_, saved)| saved).collect()
    }

    /// Every comparison, and every team that has none.
    fn all_saved(&self) -> Vec<Saved> {
        let mut saved = self.judged(&self.saved);
        let compared = |team: &str| saved.iter().any(|s| s.labels.team.as_deref() == Some(team));
        let names = self.comparisons.keys().filter_map(|t| self.names.name(*t));
        let alone = names.filter(|name| !compared(name.as_str()));
        let alone = alone.map(|name| Saved {
            labels: Labels {
                team: Some(name.to_string()),
                ..Labels::default()
            },
            baseline: None,
            verdict: Verdict::NoBaseline,
            compared: None,
            episode: None,
            total: None,
        });
        let alone: Vec<Saved> = alone.collect();
        saved.extend(alone);
        saved.sort_by(|a, b| a.labels.cmp(&b.labels));
        saved
    }
}

/// Hash of what was held out, or was not, as a whole.
fn unit(decision: &Decision) -> u64 {
    let mut hash = Xxh3Default::new();
    hash.update(decision.team.as_str().as_bytes());
    match &decision.episode {
        // No name has a zero byte, so that none runs into the next.
        Some(episode) => {
            hash.update(&[0]);
            hash.update(episode.as_str().as_bytes());
        }
        None => hash.update(&decision.id.as_u128().to_le_bytes()),
    }
    hash.digest()
}

/// Days of one zone. Records come nearly in order, so that a day is looked up once.
#[derive(Debug)]
struct Calendar {
    zone: Zone,
    day: i64,
    begins: Timestamp,
    ends: Timestamp,
}

impl Calendar {
    fn new(zone: Zone) -> Self {
        Self {
            zone,
            day: 0,
            begins: zone.start_of(0),
            ends: zone.start_of(1),
        }
    }

    fn day(&mut self, time: Timestamp) -> i64 {
        if !(self.begins..self.ends).contains(&time) {
            self.day = self.zone.day_of(time);
            self.begins = self.zone.start_of(self.day);
            self.ends = self.zone.start_of(self.day + 1);
        }
        self.day
    }
}
