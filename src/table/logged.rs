//! Logged bandit feedback: a row for each draw with its outcome and probability, in from Parquet or CSV files a
//! batch at a time.
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
//! | `slice` | none | rows with the same text are judged together too; only where mapped, to a column or to a key of the folders' names (`team=a/`) |
//!
//! Invariants: numbers are finite; the arm drawn has a positive probability; a pmf sums to 1 within 1e-6 and gives
//! the arm drawn its `pscore` within 1e-6; all families of columns have the same number of arms, and all files the same
//! columns. A batch has at most [`MOST_CELLS`] numbers, or [`BATCH`] rows where these are more; a CSV file is held whole
//! while it is read. A row group is decoded once, unless it is larger than a batch.
//!
//! Not here: what is estimated (`replay`), which files a folder has ([`super::logged_files`]).
//!
//! Source: names as in the Open Bandit Pipeline.

use super::frame::{content, open, read_text};
use super::logged_batch::LoggedBatch;
use super::logged_files::{files, keys};
use super::logged_shape::{Families, Shape};
use super::{Error, LoggedColumns};
use polars::prelude::{
    CsvReadOptions, DataFrame, FileMetadataRef, ParallelStrategy, ParquetReader, SerReader,
};
use std::collections::{BTreeSet, VecDeque};
use std::path::{Path, PathBuf};

/// Rows of a batch, at least, where there are as many.
const BATCH: usize = 65_536;

/// Numbers of a batch, at most, but for [`BATCH`] rows: 128 MiB.
const MOST_CELLS: usize = 1 << 24;

/// Reads files in their order.
#[derive(Debug)]
pub struct LoggedReader {
    files: VecDeque<Source>,
    shape: Shape,
    rows: Option<usize>,
    /// Rows of all files so far.
    done: usize,
    open: Option<Open>,
}

/// A file to read.
#[derive(Debug)]
struct Source {
    file: PathBuf,
    /// The slice of all its rows, where its folder says it.
    slice: Option<String>,
}

/// The file that is being read.
#[derive(Debug)]
struct Open {
    source: Source,
    part: Part,
    /// Rows of this file so far.
    next: usize,
}

/// What is left of a file.
#[derive(Debug)]
enum Part {
    /// Numbers of rows to read at a time.
    Parquet(FileMetadataRef, VecDeque<usize>),
    /// A CSV file is read at once.
    Text(DataFrame),
}

impl LoggedReader {
    /// Opens files, and looks at the columns of each; a folder is all Parquet files below it. Only columns that are
    /// wanted are read: `choice` and the target's own where `target` is false, for one, are not.
    pub fn open(paths: &[PathBuf], columns: &LoggedColumns, target: bool) -> Result<Self, Error> {
        let mut first: Option<(PathBuf, Shape)> = None;
        let (mut sources, mut rows) = (VecDeque::new(), Some(0));
        for file in files(paths)? {
            let (names, own) = look(&file)?;
            let keys = keys(&file);
            let shape = Shape::of(&file, &names, &keys, (columns, target))?;
            let slice = shape.slice.as_ref().filter(|key| !names.contains(key));
            let slice = slice.and_then(|key| keys.get(key)).cloned();
            rows = rows.zip(own).map(|(rows, own)| rows + own);
            match &first {
                Some((named, first)) => alike(named, first, &file, &shape)?,
                None => first = Some((file.clone(), shape)),
            }
            sources.push_back(Source { file, slice });
        }
        let Some((_, shape)) = first else {
            return Err(Error::NoFile {
                folder: PathBuf::new(),
            });
        };
        Ok(Self {
            files: sources,
            shape,
            rows,
            done: 0,
            open: None,
        })
    }

    /// Rows in all files; `None` where one of them does not say, as CSV does not.
    pub fn rows(&self) -> Option<usize> {
        self.rows
    }

    /// Number of arms.
    pub fn arms(&self) -> usize {
        self.shape.arms
    }

    /// Which families of columns they have.
    pub fn families(&self) -> Families {
        self.shape.families()
    }

    /// The next rows, all of one file; `None` after the last.
    pub fn batch(&mut self) -> Result<Option<LoggedBatch>, Error> {
        loop {
            let mut open = match self.open.take() {
                Some(open) => open,
                None => match self.files.pop_front() {
                    Some(source) => Open::of(source, &self.shape)?,
                    None => return Ok(None),
                },
            };
            let Some(frame) = open.frame(&self.shape)? else {
                continue;
            };
            let Source { file, slice } = &open.source;
            let at = (self.done, open.next);
            let batch = LoggedBatch::read(file, &frame, &self.shape, slice.as_deref(), at)?;
            self.done += frame.height();
            open.next += frame.height();
            self.open = Some(open);
            return Ok(Some(batch));
        }
    }
}

impl Open {
    fn of(source: Source, shape: &Shape) -> Result<Self, Error> {
        let file = &source.file;
        let part = if is_text(file)? {
            Part::Text(read_text(file)?)
        } else {
            let mut reader = ParquetReader::new(open(file)?);
            let metadata = reader.get_metadata().map_err(|e| content(file, &e))?;
            let most = (MOST_CELLS / shape.columns().len().max(1)).max(BATCH);
            let groups = metadata.row_groups.iter().map(|group| group.num_rows());
            Part::Parquet(metadata.clone(), reads(groups, most))
        };
        Ok(Self {
            source,
            part,
            next: 0,
        })
    }

    /// The next rows; `None` after the last.
    fn frame(&mut self, shape: &Shape) -> Result<Option<DataFrame>, Error> {
        let file = &self.source.file;
        match &mut self.part {
            Part::Text(frame) => {
                let rest = frame.slice(i64::try_from(self.next).unwrap_or(i64::MAX), BATCH);
                Ok((rest.height() > 0).then_some(rest))
            }
            Part::Parquet(metadata, reads) => {
                let Some(rows) = reads.pop_front() else {
                    return Ok(None);
                };
                let mut columns = shape.columns();
                columns.retain(|column| {
                    self.source.slice.is_none() || shape.slice.as_ref() != Some(column)
                });
                let mut reader = ParquetReader::new(open(file)?);
                reader.set_metadata(metadata.clone());
                let frame = reader
                    .with_columns(Some(columns))
                    .with_slice(Some((self.next, rows)))
                    .read_parallel(ParallelStrategy::Columns)
                    .set_rechunk(true)
                    .finish()
                    .map_err(|e| content(file, &e))?;
                // A file that has fewer rows than it says would be asked for ever.
                Ok((frame.height() > 0).then_some(frame))
            }
        }
    }
}

/// How many rows to read at a time: a row group whole, in pieces of `most` rows where it has more; small ones
/// together.
fn reads(groups: impl Iterator<Item = usize>, most: usize) -> VecDeque<usize> {
    let mut reads: VecDeque<usize> = VecDeque::new();
    for rows in groups {
        match reads.back_mut().filter(|last| **last + rows <= BATCH) {
            Some(last) => *last += rows,
            None => {
                let mut left = rows;
                while left > 0 {
                    reads.push_back(left.min(most));
                    left -= left.min(most);
                }
            }
        }
    }
    reads
}

fn is_text(file: &Path) -> Result<bool, Error> {
    let ending = file.extension().and_then(|ending| ending.to_str());
    match ending.map(str::to_ascii_lowercase).as_deref() {
        Some("parquet") => Ok(false),
        Some("csv") => Ok(true),
        _ => Err(Error::Format {
            file: file.to_owned(),
            allowed: ".parquet, .csv",
        }),
    }
}

/// The columns of a file, and its rows if it says them.
fn look(file: &Path) -> Result<(Vec<String>, Option<usize>), Error> {
    let said = |error| content(file, &error);
    if is_text(file)? {
        let head = CsvReadOptions::default()
            .with_has_header(true)
            .with_infer_schema_length(Some(0))
            .with_n_rows(Some(1))
            .into_reader_with_file_handle(open(file)?)
            .finish()
            .map_err(said)?;
        let names = head.get_column_names();
        return Ok((names.iter().map(ToString::to_string).collect(), None));
    }
    let mut reader = ParquetReader::new(open(file)?);
    let rows = reader.num_rows().map_err(said)?;
    let schema = reader.schema().map_err(said)?;
    Ok((
        schema.iter_names().map(ToString::to_string).collect(),
        Some(rows),
    ))
}

/// Whether a file has the columns of the first.
fn alike(first: &Path, wanted: &Shape, file: &Path, found: &Shape) -> Result<(), Error> {
    let set = |shape: &Shape| shape.columns().into_iter().collect::<BTreeSet<String>>();
    let (wanted, found) = (set(wanted), set(found));
    let other = wanted.symmetric_difference(&found).next();
    other.map_or(Ok(()), |column| {
        Err(Error::OtherColumns {
            file: file.to_owned(),
            column: column.clone(),
            extra: found.contains(column),
            first: first.to_owned(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(groups: &[usize], most: usize, expected: &[usize]) {
        assert_eq!(reads(groups.iter().copied(), most), expected, "{groups:?}");
    }

    #[test]
    fn row_groups_are_read_whole_in_pieces_or_together() {
        check(&[], 100_000, &[]);
        check(&[100_000, 100_000], 100_000, &[100_000, 100_000]);
        check(&[250_000], 100_000, &[100_000, 100_000, 50_000]);
        check(&[30_000, 30_000, 30_000], 100_000, &[60_000, 30_000]);
        check(&[0, 0, 7], 100_000, &[7]);
    }
}
