//! The Open Bandit Dataset: what a shop showed at which position, with which probability, and whether it was clicked.
//!
//! Invariants: items are numbered from 0 below the number of arms; under [`Pmf::Uniform`] the file's own
//! probabilities are 1 over it.
//!
//! Lost: features of users and items, affinities. The three positions of one page are rows of their own, as in the
//! data set.
//!
//! Source: Saito and others, "Open Bandit Dataset and Pipeline" (arXiv 2008.07146).

use super::feedback::{Family, Feedback};
use super::fields::Fields;
use super::parquet::ready;
use super::sheet::{Allowed, Sheet};
use super::summary::{ArmRows, Imported, Tally};
use crate::table::Error;
use polars::prelude::Column;
use std::path::{Path, PathBuf};

/// Arms at most: each is a column or two.
const ARMS: usize = 10_000;

/// How far a probability may be from what it should be.
const SLACK: f64 = 1e-6;

/// Which pmf is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pmf {
    /// None: the file has the probability of the item shown alone.
    None,
    /// Every item alike.
    Uniform,
    /// How often this log showed each item at the position.
    Shares,
}

/// How a log is read.
#[derive(Debug, Clone, PartialEq)]
pub struct OpenBandit {
    /// Where its fields are.
    pub fields: Fields,
    /// The pmf that is written.
    pub pmf: Pmf,
    /// Another log: what it showed at each position, as shares, is the policy to judge. Absent: every item alike,
    /// where no pmf is written, so that the number of arms is known.
    pub target: Option<PathBuf>,
    /// Number of arms. Absent: the largest item and one.
    pub arms: Option<usize>,
}

/// A log as read.
#[derive(Default)]
struct Log {
    action: Vec<usize>,
    reward: Vec<f64>,
    propensity: Vec<f64>,
    /// The place in `positions` of each row's.
    position: Vec<usize>,
    positions: Vec<String>,
    timestamp: Vec<Option<String>>,
    files: Vec<Source>,
}

/// A file of a log.
#[derive(Clone, Default)]
struct Source {
    file: PathBuf,
    rows: usize,
    /// The columns of the probability and of the position.
    propensity: String,
    position: String,
}

/// A column that a row may be at fault in.
enum Field {
    Propensity,
    Position,
}

impl OpenBandit {
    /// Reads logs and writes them as one.
    pub fn import(&self, files: &[PathBuf], out: &Path) -> Result<Imported, Error> {
        let mut read = files.to_vec();
        read.extend(self.target.clone());
        ready(&read, out)?;
        let log = self.read(files)?;
        let rows = log.action.len();
        let first = files.first().map_or(out, PathBuf::as_path);
        Tally::default().some_left(rows, rows, first)?;
        let other = match &self.target {
            Some(file) => Some(self.read(std::slice::from_ref(file))?),
            None => None,
        };
        let most = |log: &Log| log.action.iter().max().map_or(0, |item| item + 1);
        let least = most(&log).max(other.as_ref().map_or(0, most));
        let arms = self.arms.unwrap_or(least);
        let even = || Family::same(vec![1.0 / arms as f64; arms], rows);
        let (mut propensities, mut beside) = (log.propensity.clone(), log.beside());
        let pmf = match self.pmf {
            Pmf::None => None,
            Pmf::Uniform => Some(log.all_alike(arms).map(|()| even())?),
            Pmf::Shares => {
                let shares = log.of(&log.shares(arms));
                let drawn = log.action.iter().enumerate();
                propensities = drawn.map(|(row, arm)| shares.at(row, *arm)).collect();
                let own = log.propensity.as_slice();
                beside.push(Column::new("propensity_score".into(), own));
                Some(shares)
            }
        };
        let target = match (&other, &pmf) {
            (Some(other), _) => Some(log.judged(other, arms)?),
            (None, None) => Some(even()),
            (None, Some(_)) => None,
        };
        let feedback = Feedback {
            actions: log.action.clone(),
            rewards: log.reward.clone(),
            propensities,
            pmf,
            target,
            beside,
        };
        feedback.write(out)?;
        Ok(self.told(&log, &feedback, arms, out))
    }

    fn read(&self, files: &[PathBuf]) -> Result<Log, Error> {
        let item = Allowed {
            whole: true,
            ..match self.arms {
                Some(arms) => Allowed::of(
                    0.0,
                    arms as f64 - 1.0,
                    "a whole number from 0, below the number of arms that was said",
                ),
                None => Allowed::of(0.0, ARMS as f64 - 1.0, "a whole number from 0 to 9999"),
            }
        };
        const CHANCE: Allowed =
            Allowed::of(f64::MIN_POSITIVE, 1.0, "a probability above 0, at most 1");
        let mut log = Log::default();
        for file in files {
            let sheet = Sheet::read(file)?;
            let need = |field, expected| self.fields.need(&sheet, field, expected);
            let action = need("action", item.expected)?;
            let reward = need("reward", Allowed::SHARE.expected)?;
            let propensity = need("pscore", CHANCE.expected)?;
            let position = need("position", "text or a number")?;
            let actions = sheet.whole_numbers(&action, item)?;
            log.action.extend(actions.iter().map(|item| *item as usize));
            log.reward
                .extend(sheet.whole_numbers(&reward, Allowed::SHARE)?);
            log.propensity
                .extend(sheet.whole_numbers(&propensity, CHANCE)?);
            for text in sheet.whole_texts(&position)? {
                let known = log.positions.iter().position(|known| *known == text);
                log.position.push(known.unwrap_or(log.positions.len()));
                if known.is_none() {
                    log.positions.push(text);
                }
            }
            log.timestamp
                .extend(match self.fields.find(&sheet, "timestamp")? {
                    Some(column) => sheet.texts(&column)?,
                    None => vec![None; sheet.rows],
                });
            log.files.push(Source {
                file: file.clone(),
                rows: sheet.rows,
                propensity,
                position,
            });
        }
        Ok(log)
    }

    /// What was done.
    fn told(&self, log: &Log, feedback: &Feedback, arms: usize, out: &Path) -> Imported {
        let mut notes = Vec::new();
        if self.arms.is_none() {
            notes.push(format!(
                "{arms} arms: the largest item and one; say --arms where items at the end were never shown"
            ));
        }
        if self.pmf == Pmf::Shares {
            let pairs = feedback.propensities.iter().zip(&log.propensity);
            let mean = pairs.map(|(share, own)| (share - own).abs()).sum::<f64>();
            notes.push(format!(
                "pscore and p_ are how often this log showed each item at its position, not the file's own \
                 probabilities (in propensity_score; {:.4} apart in the mean): a policy that moved during the log had \
                 others, and an estimate by shares is approximate",
                mean / log.action.len().max(1) as f64
            ));
        }
        let asked = match (&feedback.target, self.pmf) {
            (Some(_), _) => {
                notes.push(match &self.target {
                    Some(file) => format!(
                        "pi_ is how often {} showed each item at the position",
                        file.display()
                    ),
                    None => "pi_ is every item alike".to_owned(),
                });
                ""
            }
            (None, Pmf::Uniform) => " --target arm:0",
            (None, _) => " --target uniform",
        };
        let mut rows = vec![0; arms];
        for item in &log.action {
            if let Some(rows) = rows.get_mut(*item) {
                *rows += 1;
            }
        }
        let arm = |(number, rows): (usize, usize)| ArmRows {
            name: format!("item {number}"),
            number: Some(number),
            probability: None,
            drawn: None,
            rows,
        };
        let slice = "--columns slice=position";
        Imported {
            format: "open-bandit",
            to: out.to_owned(),
            holds: "bandit_feedback",
            rows_read: log.action.len(),
            outcomes: log.action.len(),
            rows_written: log.action.len(),
            left_out: Vec::new(),
            arms: rows.into_iter().enumerate().map(arm).collect(),
            notes,
            next: format!("bellwether estimate --log {}{asked} {slice}", out.display()),
        }
    }
}

impl Log {
    /// An error about a row.
    fn fault(&self, row: usize, column: Field, found: impl ToString) -> Error {
        let (mut left, mut source) = (row, Source::default());
        for next in &self.files {
            source = next.clone();
            if left < source.rows {
                break;
            }
            left -= source.rows;
        }
        let (column, expected) = match column {
            Field::Propensity => (
                source.propensity,
                "1 over the number of arms, as a uniform policy has it: say how many arms there are, or another pmf",
            ),
            Field::Position => (source.position, "a position that the target's log has too"),
        };
        Error::Value {
            file: source.file,
            row: left + 1,
            column,
            found: found.to_string(),
            expected,
        }
    }

    /// Whether every item had the same chance.
    fn all_alike(&self, arms: usize) -> Result<(), Error> {
        let even = 1.0 / arms as f64;
        let mut rows = self.propensity.iter().enumerate();
        let other = rows.find(|(_, p)| (*p - even).abs() > SLACK);
        other.map_or(Ok(()), |(row, p)| {
            Err(self.fault(row, Field::Propensity, p))
        })
    }

    /// How often each item was shown, by position.
    fn shares(&self, arms: usize) -> Vec<Vec<f64>> {
        let mut shares = vec![vec![0.0; arms]; self.positions.len()];
        for (item, position) in self.action.iter().zip(&self.position) {
            let share = shares.get_mut(*position).and_then(|of| of.get_mut(*item));
            if let Some(share) = share {
                *share += 1.0;
            }
        }
        for of in &mut shares {
            let all: f64 = of.iter().sum();
            of.iter_mut().for_each(|share| *share /= all);
        }
        shares
    }

    /// The pmf of each row, where its position says it.
    fn of(&self, each: &[Vec<f64>]) -> Family {
        Family {
            of: self.position.clone(),
            each: each.to_vec(),
        }
    }

    /// What another log showed at the positions of this one.
    fn judged(&self, other: &Self, arms: usize) -> Result<Family, Error> {
        let shares = other.shares(arms);
        let mut each = Vec::with_capacity(self.positions.len());
        for (place, position) in self.positions.iter().enumerate() {
            let found = other.positions.iter().position(|known| known == position);
            match found.and_then(|found| shares.get(found)) {
                Some(shares) => each.push(shares.clone()),
                None => {
                    let row = self.position.iter().position(|own| *own == place);
                    return Err(self.fault(row.unwrap_or(0), Field::Position, position));
                }
            }
        }
        Ok(self.of(&each))
    }

    /// The columns that stand beside.
    fn beside(&self) -> Vec<Column> {
        let text = |place: &usize| self.positions.get(*place).map(String::as_str);
        let positions: Vec<Option<&str>> = self.position.iter().map(text).collect();
        let times: Vec<Option<&str>> = self.timestamp.iter().map(Option::as_deref).collect();
        vec![
            Column::new("timestamp".into(), times),
            Column::new("position".into(), positions),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::{LoggedColumns, LoggedReader, OPEN_BANDIT};

    const HEAD: &str =
        ",timestamp,item_id,position,click,propensity_score,user_feature_0,user-item_affinity_0\n";

    fn with(pmf: Pmf, arms: Option<usize>) -> OpenBandit {
        OpenBandit {
            fields: Fields::parse("", OPEN_BANDIT).unwrap(),
            pmf,
            target: None,
            arms,
        }
    }

    /// A log of (item, position, click, probability).
    fn log(rows: &[(usize, usize, u8, f64)]) -> String {
        let line = |(at, (item, position, click, p)): (usize, &(usize, usize, u8, f64))| {
            format!("{at},2019-11-24 00:00:00+00:00,{item},{position},{click},{p},abc,0.0\n")
        };
        HEAD.to_owned() + &rows.iter().enumerate().map(line).collect::<String>()
    }

    /// What the file holds after an import of `own`, judged by `other`: actions, propensities, pmf and target by row.
    type Written = (Vec<usize>, Vec<f64>, Vec<Vec<f64>>, Vec<Vec<f64>>);

    fn import(
        how: &OpenBandit,
        own: &str,
        other: Option<&str>,
    ) -> Result<(Imported, Written), Error> {
        let dir = tempfile::tempdir().unwrap();
        let (file, out) = (dir.path().join("in.csv"), dir.path().join("out.parquet"));
        std::fs::write(&file, own).unwrap();
        let mut how = how.clone();
        how.target = other.map(|text| {
            let file = dir.path().join("other.csv");
            std::fs::write(&file, text).unwrap();
            file
        });
        let done = how.import(&[file], &out)?;
        let columns = LoggedColumns::parse("slice=position").unwrap();
        let own = how.target.is_some() || how.pmf == Pmf::None;
        let mut reader = LoggedReader::open(&[out], &columns, own).unwrap();
        let batch = reader.batch().unwrap().unwrap();
        assert_eq!(batch.slices.len(), 2);
        let rows = |family: &[crate::table::Numbers]| {
            let row = |row: usize| family.iter().map(|arm| arm.all()[row]).collect();
            (0..batch.chosen.len()).map(row).collect::<Vec<Vec<f64>>>()
        };
        let (pmf, target) = (rows(&batch.pmf), rows(&batch.target));
        let propensities = batch.propensity.all().to_vec();
        Ok((done, (batch.chosen, propensities, pmf, target)))
    }

    #[test]
    fn a_uniform_log_has_a_pmf_and_the_other_log_s_shares_as_target() {
        let own = log(&[(0, 1, 0, 0.25), (3, 1, 1, 0.25), (2, 3, 0, 0.25)]);
        let other = log(&[
            (0, 1, 0, 0.9),
            (0, 1, 0, 0.9),
            (1, 1, 0, 0.1),
            (2, 3, 0, 1.0),
        ]);
        let (done, written) = import(&with(Pmf::Uniform, None), &own, Some(&other)).unwrap();
        let (actions, propensities, pmf, target) = written;
        assert_eq!((done.rows_read, done.rows_written), (3, 3));
        assert_eq!((actions, propensities), (vec![0, 3, 2], vec![0.25; 3]));
        assert_eq!(pmf, vec![vec![0.25; 4]; 3]);
        let first = vec![2.0 / 3.0, 1.0 / 3.0, 0.0, 0.0];
        assert_eq!(target, [first.clone(), first, vec![0.0, 0.0, 1.0, 0.0]]);
        assert_eq!(
            done.arms.iter().map(|arm| arm.rows).collect::<Vec<_>>(),
            [1, 0, 1, 1]
        );
    }

    #[test]
    fn without_a_pmf_the_file_s_probabilities_stay_and_every_item_alike_is_judged() {
        let own = log(&[(0, 1, 0, 0.7), (1, 2, 1, 0.2)]);
        let (_, (_, propensities, pmf, target)) =
            import(&with(Pmf::None, Some(4)), &own, None).unwrap();
        assert_eq!(propensities, [0.7, 0.2]);
        assert!(pmf.iter().all(Vec::is_empty));
        assert_eq!(target, vec![vec![0.25; 4]; 2]);
    }

    #[test]
    fn shares_are_the_pmf_of_a_position_and_the_difference_is_told() {
        let own = log(&[
            (0, 1, 0, 0.6),
            (0, 1, 1, 0.6),
            (1, 1, 0, 0.1),
            (1, 2, 0, 0.5),
        ]);
        let (done, (_, propensities, pmf, _)) =
            import(&with(Pmf::Shares, None), &own, None).unwrap();
        let shares = [2.0 / 3.0, 1.0 / 3.0];
        assert_eq!(propensities, [shares[0], shares[0], shares[1], 1.0]);
        assert_eq!(pmf[2..], [shares.to_vec(), vec![0.0, 1.0]]);
        // (2 * 0.0667 + 0.2333 + 0.5) / 4
        let told = done.notes.join(" ");
        assert!(told.contains("0.2167 apart in the mean"), "{told}");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_its_row() {
        let check = |how: &OpenBandit, own: &str, other: Option<&str>, expected: &str| {
            let found = import(how, own, other).unwrap_err().to_string();
            assert!(found.contains(expected), "{found}");
        };
        let own = log(&[(0, 1, 0, 0.5), (1, 2, 1, 0.4)]);
        check(
            &with(Pmf::Uniform, None),
            &own,
            None,
            "row 2, column propensity_score is 0.4: expected 1 over the number of arms",
        );
        check(
            &with(Pmf::None, Some(1)),
            &own,
            None,
            "row 2, column item_id is 1: expected a whole number from 0, below the number of arms",
        );
        let other = log(&[(0, 1, 0, 0.5)]);
        check(
            &with(Pmf::None, None),
            &own,
            Some(&other),
            "row 2, column position is 2: expected a position that the target's log has too",
        );
        check(
            &with(Pmf::None, None),
            &own.replace("0.4", "0"),
            None,
            "row 2, column propensity_score is 0: expected a probability above 0, at most 1",
        );
        check(
            &with(Pmf::None, None),
            HEAD,
            None,
            "nothing is left of 0 rows to write",
        );
        check(
            &with(Pmf::None, None),
            &own.replace("click", "bought"),
            None,
            "column click is missing: expected a number from 0 to 1",
        );
    }
}
