//! Why a table could not be read or written: always the file, and where it applies the column, the
//! row and what would have been right.

use crate::id::Name;
use std::path::PathBuf;

/// A fault of a file or of the column mapping.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file whose ending says nothing known.
    #[error("{}: allowed endings {allowed}", file.display())]
    Format {
        /// The file.
        file: PathBuf,
        /// The endings that are known.
        allowed: &'static str,
    },
    /// The operating system refused.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file.
        file: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// A file that would count twice.
    #[error("{}: named twice, or in a folder that is named too: allowed once", file.display())]
    SameFile {
        /// The file.
        file: PathBuf,
    },
    /// Not the format that its ending says, or damaged.
    #[error("{}: cannot be read or written as a table: {detail}", file.display())]
    Content {
        /// The file.
        file: PathBuf,
        /// What was wrong with it.
        detail: String,
    },
    /// A required column is absent.
    #[error("{}: column {column} is missing: expected {expected}", file.display())]
    MissingColumn {
        /// The file.
        file: PathBuf,
        /// The column's name in the file.
        column: String,
        /// Its type.
        expected: &'static str,
    },
    /// A folder without a file to read.
    #[error("{}: no .parquet file in this folder or below", folder.display())]
    NoFile {
        /// The folder.
        folder: PathBuf,
    },
    /// A file of a log that has other columns than the first.
    #[error(
        "{}: column {column} is {}, unlike in {}: the files of a log must have the same columns",
        file.display(), if *extra { "there" } else { "missing" }, first.display()
    )]
    OtherColumns {
        /// The file.
        file: PathBuf,
        /// The column that only one of the two has.
        column: String,
        /// Whether it is this file.
        extra: bool,
        /// The first file of the log.
        first: PathBuf,
    },
    /// A column of another type.
    #[error("{}: column {column} is {found}: expected {expected}", file.display())]
    ColumnType {
        /// The file.
        file: PathBuf,
        /// The column's name in the file.
        column: String,
        /// The type it has.
        found: String,
        /// The type it should have.
        expected: &'static str,
    },
    /// A value out of its range.
    #[error("{}: row {row}, column {column} is {found}: expected {expected}", file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// Row, from 1, the header not counted.
        row: usize,
        /// The column's name in the file.
        column: String,
        /// The value.
        found: String,
        /// What is allowed.
        expected: &'static str,
    },
    /// Two outcomes for one prompt and arm.
    #[error("{}: row {row} repeats prompt {prompt} with arm {arm}: allowed once", file.display())]
    Duplicate {
        /// The file.
        file: PathBuf,
        /// Row, from 1.
        row: usize,
        /// The prompt's id.
        prompt: String,
        /// The arm.
        arm: String,
    },
    /// No prompt on which every arm has a score.
    #[error(
        "{}: none of {prompts} prompts has a score from each of {arms} arms: at least 1 is needed",
        file.display()
    )]
    Empty {
        /// The file.
        file: PathBuf,
        /// Prompts it has.
        prompts: usize,
        /// Arms it has.
        arms: usize,
    },
    /// An arm that is not in the table.
    #[error("{}: no arm {arm}: allowed {}", file.display(), listed(allowed))]
    Arm {
        /// The file.
        file: PathBuf,
        /// The arm asked for.
        arm: Name,
        /// Its arms.
        allowed: Vec<Name>,
    },
    /// No arm has a score on as many prompts as were asked for.
    #[error(
        "{}: no arm has a score on a share of {asked} of the prompts: allowed at most {most}",
        file.display()
    )]
    Coverage {
        /// The file.
        file: PathBuf,
        /// The share asked for.
        asked: f64,
        /// The most that an arm has.
        most: f64,
    },
    /// A share of prompts that is none.
    #[error("a share of {0} of the prompts: allowed 0 to 1")]
    CoverageRange(f64),
    /// A mapping of names that cannot be understood.
    #[error("column mapping {text:?}: expected NAME=COLUMN,... with NAME one of {allowed}")]
    Mapping {
        /// The part at fault.
        text: String,
        /// The names that may be mapped.
        allowed: String,
    },
    /// A value given twice in a column where each is allowed once.
    #[error("{}: row {row}, column {column} repeats {found}: allowed once", file.display())]
    Repeated {
        /// The file.
        file: PathBuf,
        /// Row, from 1.
        row: usize,
        /// The column's name in the file.
        column: String,
        /// The value.
        found: String,
    },
    /// An import that would write over what it reads.
    #[error("{}: is read and cannot be written too: name another file", file.display())]
    Overwrites {
        /// The file.
        file: PathBuf,
    },
    /// An import of which nothing is left.
    #[error("{}: nothing is left of {read} to write: {left_out}", file.display())]
    NothingLeft {
        /// The first file.
        file: PathBuf,
        /// Rows that were read.
        read: String,
        /// How many were left out, and why.
        left_out: String,
    },
    /// A log without the probabilities of its draws.
    #[error(
        "{}: a log without probabilities cannot judge another policy: if the gateway drew by weights \
         (simple-shuffle), say them as MODEL=WEIGHT,..; if it did not, ask every model some of the prompts \
         and import that table of outcomes as wide or long",
        file.display()
    )]
    NoWeights {
        /// The log.
        file: PathBuf,
    },
    /// Weights of draws that cannot be understood.
    #[error(
        "weights {text:?}: expected MODEL=WEIGHT,.. with two models or more, each once, and weights above 0"
    )]
    Weights {
        /// The part at fault.
        text: String,
    },
    /// Requests that were drawn among different sets of models.
    #[error(
        "{}: requests of several model groups ({}): the weights are those of one, name it", file.display(),
        groups.join(", ")
    )]
    Groups {
        /// The first file of the log.
        file: PathBuf,
        /// The groups.
        groups: Vec<String>,
    },
    /// Traffic of another version of the schema.
    #[error("{}: traffic schema version {found}: expected {expected}", file.display())]
    SchemaVersion {
        /// The file.
        file: PathBuf,
        /// Its version.
        found: i64,
        /// Ours.
        expected: i64,
    },
}

/// Names, by commas.
fn listed(names: &[Name]) -> String {
    let names: Vec<&str> = names.iter().map(Name::as_str).collect();
    names.join(", ")
}
