//! Traffic back from Parquet, a batch at a time.
//!
//! Invariants: a row is given only if its draw is whole: lists of equal length, a valid pmf, a
//! chosen arm. An error ends the iteration.
//!
//! Not here: the columns' meaning ([`super::traffic`]).

use super::Error;
use super::frame::{content, open};
use super::logged_files::files;
use super::traffic::{SCHEMA_VERSION, TrafficRow};
use super::traffic_batch::Batch;
use polars::prelude::{ParquetReader, SerReader};
use std::collections::VecDeque;
use std::path::{Path, PathBuf};

/// Rows of a batch, both ways.
pub(super) const BATCH: usize = 2048;

/// Reads rows in the order they were written.
#[derive(Debug)]
pub struct TrafficReader {
    /// The files that are left, each with its rows; the one that is read first.
    files: VecDeque<(PathBuf, usize)>,
    rows: usize,
    /// Rows read of the first file.
    next: usize,
    batch: std::vec::IntoIter<TrafficRow>,
}

impl TrafficReader {
    /// Opens a file, or all Parquet files below a folder in the order of their paths, and checks the version of
    /// each one's schema.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let files = files(&[path.to_owned()])?.into_iter();
        let files = files.map(|file| Self::rows_of(&file).map(|rows| (file, rows)));
        let files: VecDeque<(PathBuf, usize)> = files.collect::<Result<_, _>>()?;
        Ok(Self {
            rows: files.iter().map(|(_, rows)| rows).sum(),
            files,
            next: 0,
            batch: Vec::new().into_iter(),
        })
    }

    /// Rows of a file of our schema.
    fn rows_of(file: &Path) -> Result<usize, Error> {
        let mut reader = ParquetReader::new(open(file)?);
        let rows = reader.num_rows().map_err(|e| content(file, &e))?;
        let schema = reader.schema().map_err(|e| content(file, &e))?;
        if !schema.contains("schema_version") {
            return Err(Error::MissingColumn {
                file: file.to_owned(),
                column: "schema_version".to_owned(),
                expected: "i32",
            });
        }
        let frame = reader
            .with_columns(Some(vec!["schema_version".to_owned()]))
            .with_slice(Some((0, 1)))
            .finish()
            .map_err(|e| content(file, &e))?;
        let batch = Batch {
            file,
            frame: &frame,
            first: 0,
        };
        let expected = i64::from(SCHEMA_VERSION);
        match batch.whole("schema_version")?.first() {
            Some(Some(found)) if *found != expected => Err(Error::SchemaVersion {
                file: file.to_owned(),
                found: *found,
                expected,
            }),
            _ => Ok(rows),
        }
    }

    /// Rows in all.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Reads on in the first file that has rows left. Whether there was one.
    fn refill(&mut self) -> Result<bool, Error> {
        while self
            .files
            .front()
            .is_some_and(|(_, rows)| self.next >= *rows)
        {
            self.files.pop_front();
            self.next = 0;
        }
        let Some((file, _)) = self.files.front() else {
            return Ok(false);
        };
        let frame = ParquetReader::new(open(file)?)
            .with_slice(Some((self.next, BATCH)))
            .set_rechunk(true)
            .finish()
            .map_err(|e| content(file, &e))?;
        let batch = Batch {
            file,
            frame: &frame,
            first: self.next,
        };
        self.batch = batch.rows()?.into_iter();
        self.next += frame.height().max(1);
        Ok(true)
    }
}

impl Iterator for TrafficReader {
    type Item = Result<TrafficRow, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        while self.batch.len() == 0 {
            match self.refill() {
                Ok(true) => {}
                Ok(false) => return None,
                Err(error) => {
                    self.files.clear();
                    return Some(Err(error));
                }
            }
        }
        self.batch.next().map(Ok)
    }
}
