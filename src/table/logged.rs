//! Logged bandit feedback: a row for each draw with its outcome and probability, in from Parquet or CSV a batch
//! at a time.
//!
//! | field | column | |
//! |---|---|---|
//! | `action` | `action` | number of the arm drawn, from 0 |
//! | `reward` | `reward` | what came of it |
//! | `pscore` | `pscore` | probability that it was drawn with; may be absent beside the pmf |
//! | `pmf` | `p_0`, `p_1`, ... | the logged pmf; may be absent beside `pscore` |
//! | `target` | `pi_0`, ... | the target policy's pmf; may be absent where the target is said otherwise |
//! | `model` | `q_0`, ... | a model's prediction for each arm, made without the row (for the bounds at every peek: from earlier rows or other data alone); may be absent |
//! | `truth` | `mu_0`, ... | true mean of each arm, known in simulations; may be absent |
//! | `choice` | none | number of the arm that the target takes; only where mapped |
//! | `episode` | none | draws whose outcomes hang together: their weights are multiplied, so not for a session of many independent draws; only where mapped |
//! | `slice` | none | rows with the same text are judged together too; only where mapped |
//!
//! Invariants: numbers are finite; the arm drawn has a positive probability; a pmf sums to 1 within 1e-6 and gives
//! the arm drawn its `pscore` within 1e-6; all families of columns have the same number of arms.
//!
//! Not here: what is estimated (`replay`).
//!
//! Source: names as in the Open Bandit Pipeline.

use super::Error;
use super::frame::{content, open, read_text};
use super::logged_batch::LoggedBatch;
use super::logged_shape::{Families, Shape};
use polars::prelude::{DataFrame, ParquetReader, SerReader};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Fields whose columns may have other names, with their own.
const FIELDS: [(&str, Option<&str>); 10] = [
    ("action", Some("action")),
    ("reward", Some("reward")),
    ("pscore", Some("pscore")),
    ("pmf", Some("p_")),
    ("target", Some("pi_")),
    ("model", Some("q_")),
    ("truth", Some("mu_")),
    ("choice", None),
    ("episode", None),
    ("slice", None),
];

/// Rows of a batch.
const BATCH: usize = 65_536;

/// Which column holds which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedColumns {
    of: BTreeMap<&'static str, String>,
    /// Those that were said: they must be there.
    mapped: BTreeSet<&'static str>,
}

impl LoggedColumns {
    /// Reads `action=arm,pmf=prob_`; an empty text maps nothing.
    ///
    /// ```
    /// use bellwether::table::LoggedColumns;
    /// let columns = LoggedColumns::parse("reward=r,episode=session").unwrap();
    /// assert_eq!((columns.of("reward"), columns.of("action")), (Some("r"), Some("action")));
    /// assert_eq!(columns.of("choice"), None);
    /// assert!(LoggedColumns::parse("colour=red").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let own = FIELDS.iter();
        let own = own.filter_map(|(field, column)| Some((*field, (*column)?.to_owned())));
        let mut map: BTreeMap<&'static str, String> = own.collect();
        let mut mapped = BTreeSet::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let found = part.split_once('=').and_then(|(name, column)| {
                let (field, _) = FIELDS.iter().find(|(field, _)| *field == name.trim())?;
                (!column.trim().is_empty()).then(|| (*field, column.trim().to_owned()))
            });
            let Some((field, column)) = found else {
                return Err(Error::Mapping {
                    text: part.to_owned(),
                    allowed: FIELDS.map(|(field, _)| field).join(", "),
                });
            };
            map.insert(field, column);
            mapped.insert(field);
        }
        Ok(Self { of: map, mapped })
    }

    /// The column of a field, or the prefix of its columns.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.of.get(field).map(String::as_str)
    }

    /// Whether the column of a field was said.
    pub(super) fn is_mapped(&self, field: &str) -> bool {
        self.mapped.contains(field)
    }
}

/// Reads a file in its order.
#[derive(Debug)]
pub struct LoggedReader {
    file: PathBuf,
    shape: Shape,
    rows: usize,
    next: usize,
    /// A CSV file is read at once.
    whole: Option<DataFrame>,
}

impl LoggedReader {
    /// Opens a file and looks at its columns. Only those that are wanted are read: `choice` and the target's own
    /// where `target` is false, for one, are not.
    pub fn open(file: &Path, columns: &LoggedColumns, target: bool) -> Result<Self, Error> {
        let ending = file.extension().and_then(|ending| ending.to_str());
        let (names, rows, whole) = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("parquet") => {
                let mut reader = ParquetReader::new(open(file)?);
                let rows = reader.num_rows().map_err(|e| content(file, &e))?;
                let schema = reader.schema().map_err(|e| content(file, &e))?;
                let names = schema.iter_names().map(ToString::to_string);
                (names.collect::<Vec<_>>(), rows, None)
            }
            Some("csv") => {
                let frame = read_text(file)?;
                let names = frame.get_column_names();
                let names = names.iter().map(ToString::to_string).collect();
                (names, frame.height(), Some(frame))
            }
            _ => {
                return Err(Error::Format {
                    file: file.to_owned(),
                    allowed: ".parquet, .csv",
                });
            }
        };
        let shape = Shape::of(file, &names, columns, target)?;
        Ok(Self {
            file: file.to_owned(),
            shape,
            rows,
            next: 0,
            whole,
        })
    }

    /// Rows in the file.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of arms.
    pub fn arms(&self) -> usize {
        self.shape.arms
    }

    /// Which families of columns it has.
    pub fn families(&self) -> Families {
        self.shape.families()
    }

    /// The next rows; `None` after the last.
    pub fn batch(&mut self) -> Result<Option<LoggedBatch>, Error> {
        if self.next >= self.rows {
            return Ok(None);
        }
        let frame = match &self.whole {
            Some(whole) => whole.slice(i64::try_from(self.next).unwrap_or(i64::MAX), BATCH),
            None => ParquetReader::new(open(&self.file)?)
                .with_columns(Some(self.shape.columns()))
                .with_slice(Some((self.next, BATCH)))
                .set_rechunk(true)
                .finish()
                .map_err(|e| content(&self.file, &e))?,
        };
        let batch = LoggedBatch::read(&self.file, &frame, &self.shape, self.next)?;
        self.next += frame.height().max(1);
        Ok(Some(batch))
    }
}
