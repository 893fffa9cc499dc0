//! What an import writes: a Parquet file, some rows at a time.
//!
//! Invariants: the file ends `.parquet` and is none of those that are read.
//!
//! Not here: what is in it ([`super::gathered`], [`super::feedback`]).

use crate::table::Error;
use crate::table::frame::content;
use polars::prelude::{DataFrame, ParquetWriter, PolarsResult};
use std::fs::File;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// Rows written at a time.
const BATCH: usize = 50_000;

/// Whether `out` may be written while `files` are read.
pub(super) fn ready(files: &[PathBuf], out: &Path) -> Result<(), Error> {
    let ending = out.extension().and_then(|ending| ending.to_str());
    if !ending.is_some_and(|ending| ending.eq_ignore_ascii_case("parquet")) {
        return Err(Error::Format {
            file: out.to_owned(),
            allowed: ".parquet",
        });
    }
    // A file that is not there yet has no place of its own.
    let place = |file: &Path| file.canonicalize().ok();
    let own = place(out);
    match files.iter().any(|file| own.is_some() && place(file) == own) {
        true => Err(Error::Overwrites {
            file: out.to_owned(),
        }),
        false => Ok(()),
    }
}

/// Writes `rows` rows, of which `of` makes any range.
pub(super) fn write(
    file: &Path,
    rows: usize,
    of: impl Fn(Range<usize>) -> PolarsResult<DataFrame>,
) -> Result<(), Error> {
    let out = File::create(file).map_err(|source| Error::Io {
        file: file.to_owned(),
        source,
    })?;
    let write = || {
        let mut writer = ParquetWriter::new(out).batched(of(0..0)?.schema())?;
        for first in (0..rows).step_by(BATCH) {
            writer.write_batch(&of(first..rows.min(first + BATCH))?)?;
        }
        writer.finish().map(|_| ())
    };
    write().map_err(|e| content(file, &e))
}
