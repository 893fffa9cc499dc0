//! Traffic back from Parquet, a batch at a time.
//!
//! Invariants: a row is given only if its draw is whole: lists of equal length, a valid pmf, a
//! chosen arm. An error ends the iteration.
//!
//! Not here: the columns' meaning ([`super::traffic`]).

use super::Error;
use super::frame::{content, open};
use super::traffic::{SCHEMA_VERSION, TrafficRow};
use super::traffic_batch::Batch;
use polars::prelude::{ParquetReader, SerReader};
use std::path::{Path, PathBuf};

/// Rows of a batch, both ways.
pub(super) const BATCH: usize = 2048;

/// Reads rows in the order they were written.
#[derive(Debug)]
pub struct TrafficReader {
    file: PathBuf,
    rows: usize,
    next: usize,
    batch: std::vec::IntoIter<TrafficRow>,
}

impl TrafficReader {
    /// Opens a file and checks the version of its schema.
    pub fn open(file: &Path) -> Result<Self, Error> {
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
            _ => Ok(Self {
                file: file.to_owned(),
                rows,
                next: 0,
                batch: Vec::new().into_iter(),
            }),
        }
    }

    /// Rows in the file.
    pub fn rows(&self) -> usize {
        self.rows
    }

    fn refill(&mut self) -> Result<(), Error> {
        let frame = ParquetReader::new(open(&self.file)?)
            .with_slice(Some((self.next, BATCH)))
            .set_rechunk(true)
            .finish()
            .map_err(|e| content(&self.file, &e))?;
        let batch = Batch {
            file: &self.file,
            frame: &frame,
            first: self.next,
        };
        self.batch = batch.rows()?.into_iter();
        self.next += frame.height().max(1);
        Ok(())
    }
}

impl Iterator for TrafficReader {
    type Item = Result<TrafficRow, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.batch.len() == 0
            && self.next < self.rows
            && let Err(error) = self.refill()
        {
            self.next = self.rows;
            return Some(Err(error));
        }
        self.batch.next().map(Ok)
    }
}
