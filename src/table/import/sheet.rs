//! Any table as columns of texts or numbers: Parquet, CSV, JSON lines, or a JSON array of objects.
//!
//! Invariants: rows are those of the file, in its order; an empty cell, a null and a NaN are absent; true and false
//! are 1 and 0; a number is in the range that was asked for, or the error names its row and column. In JSON,
//! `metadata.tags` is the `tags` within `metadata`.
//!
//! Not here: what the columns mean.

use crate::table::Error;
use crate::table::frame::{content, open, read_text};
use polars::prelude::{DataFrame, DataType, ParquetReader, PolarsError, SerReader};
use serde_json::{Map, Value};
use std::path::{Path, PathBuf};

/// What a number may be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowed {
    pub(super) least: f64,
    pub(super) most: f64,
    pub(super) whole: bool,
    pub(super) expected: &'static str,
}

impl Allowed {
    pub(super) const SHARE: Self = Self::of(0.0, 1.0, "a number from 0 to 1");
    pub(super) const PERCENT: Self = Self::of(0.0, 100.0, "a number from 0 to 100");
    pub(super) const AMOUNT: Self = Self::of(0.0, f64::MAX, "a number of at least 0");
    pub(super) const COUNT: Self = Self {
        whole: true,
        ..Self::of(0.0, u32::MAX as f64, "a whole number of at least 0")
    };

    pub(super) const fn of(least: f64, most: f64, expected: &'static str) -> Self {
        Self {
            least,
            most,
            whole: false,
            expected,
        }
    }

    /// What scores may be, and what they are divided by.
    pub(super) fn score(percent: bool) -> (Self, f64) {
        match percent {
            true => (Self::PERCENT, 100.0),
            false => (Self::SHARE, 1.0),
        }
    }

    fn holds(&self, number: f64) -> bool {
        (self.least..=self.most).contains(&number) && !(self.whole && number.fract() != 0.0)
    }
}

/// A file that was read.
#[derive(Debug)]
pub(super) struct Sheet {
    pub(super) file: PathBuf,
    /// Its columns, in its order; in JSON by name.
    pub(super) names: Vec<String>,
    /// Its rows.
    pub(super) rows: usize,
    cells: Cells,
}

#[derive(Debug)]
enum Cells {
    /// Columns with types.
    Typed(DataFrame),
    /// Columns of texts.
    Text(DataFrame),
    Objects(Vec<Map<String, Value>>),
}

impl Sheet {
    /// Reads a file by its ending.
    pub(super) fn read(file: &Path) -> Result<Self, Error> {
        let ending = file.extension().and_then(|ending| ending.to_str());
        let cells = match ending.map(str::to_ascii_lowercase).as_deref() {
            Some("parquet") => {
                let frame = ParquetReader::new(open(file)?).set_rechunk(true).finish();
                Cells::Typed(frame.map_err(|e| content(file, &e))?)
            }
            Some("csv") => Cells::Text(read_text(file)?),
            Some("jsonl" | "ndjson") => Cells::Objects(lines(file, &text_of(file)?)?),
            Some("json") => Cells::Objects(array(file, &text_of(file)?)?),
            _ => {
                return Err(Error::Format {
                    file: file.to_owned(),
                    allowed: ".parquet, .csv, .jsonl, .ndjson, .json",
                });
            }
        };
        let (names, rows) = match &cells {
            Cells::Typed(frame) | Cells::Text(frame) => {
                let names = frame.get_column_names();
                let names = names.iter().map(ToString::to_string).collect();
                (names, frame.height())
            }
            Cells::Objects(rows) => {
                let keys: std::collections::BTreeSet<&String> =
                    rows.iter().flat_map(Map::keys).collect();
                (keys.into_iter().cloned().collect(), rows.len())
            }
        };
        Ok(Self {
            file: file.to_owned(),
            names,
            rows,
            cells,
        })
    }

    /// Whether there is such a column.
    pub(super) fn has(&self, name: &str) -> bool {
        let nested = |rows: &[Map<String, Value>]| {
            name.contains('.') && rows.iter().any(|row| within(row, name).is_some())
        };
        self.names.iter().any(|own| own == name)
            || matches!(&self.cells, Cells::Objects(rows) if nested(rows))
    }

    /// An error about a column that is not there.
    pub(super) fn missing(&self, column: &str, expected: &'static str) -> Error {
        Error::MissingColumn {
            file: self.file.clone(),
            column: column.to_owned(),
            expected,
        }
    }

    /// An error about a cell; `index` counts from 0.
    pub(super) fn fault(
        &self,
        index: usize,
        column: &str,
        found: impl ToString,
        expected: &'static str,
    ) -> Error {
        Error::Value {
            file: self.file.clone(),
            row: index + 1,
            column: column.to_owned(),
            found: found.to_string(),
            expected,
        }
    }

    /// Whether a column has numbers, or true and false, and nothing else.
    pub(super) fn is_numeric(&self, name: &str) -> bool {
        match &self.cells {
            Cells::Typed(frame) => frame.column(name).is_ok_and(|column| {
                column.dtype().is_primitive_numeric() || *column.dtype() == DataType::Boolean
            }),
            Cells::Text(frame) => {
                let texts = frame.column(name).and_then(|column| column.str());
                texts.is_ok_and(|texts| {
                    let mut texts = texts.iter().flatten().filter(|t| !t.trim().is_empty());
                    let first = texts.next();
                    first.is_some_and(|text| plain(text).is_some())
                        && texts.all(|text| plain(text).is_some())
                })
            }
            Cells::Objects(rows) => {
                let mut cells = rows.iter().filter_map(|row| row.get(name));
                let numeric = |cell: &Value| cell.is_number() || cell.is_boolean();
                let any = cells.clone().any(numeric);
                any && cells.all(|cell| cell.is_null() || numeric(cell))
            }
        }
    }

    /// A column as texts.
    pub(super) fn texts(&self, name: &str) -> Result<Vec<Option<String>>, Error> {
        match &self.cells {
            Cells::Typed(frame) | Cells::Text(frame) => {
                if frame.column(name).is_err() {
                    return Err(self.missing(name, "text or a number"));
                }
                texts(frame, name).map_err(|e| content(&self.file, &e))
            }
            Cells::Objects(rows) => {
                let text = |row: &Map<String, Value>| match within(row, name)? {
                    Value::Null => None,
                    Value::String(text) => Some(text.clone()),
                    other => Some(other.to_string()),
                };
                let present = |text: &String| !text.trim().is_empty();
                Ok(rows.iter().map(|row| text(row).filter(present)).collect())
            }
        }
    }

    /// A column of texts without gaps.
    pub(super) fn whole_texts(&self, name: &str) -> Result<Vec<String>, Error> {
        let texts = self.texts(name)?.into_iter().enumerate();
        let text = |(index, text): (usize, Option<String>)| {
            text.ok_or_else(|| self.fault(index, name, "absent", "text or a number"))
        };
        texts.map(text).collect()
    }

    /// A column as numbers.
    pub(super) fn numbers(&self, name: &str, allowed: Allowed) -> Result<Vec<Option<f64>>, Error> {
        let number = |(index, text): (usize, Option<String>)| {
            let Some(text) = text.filter(|text| !text.trim().eq_ignore_ascii_case("nan")) else {
                return Ok(None);
            };
            let found = plain(&text).filter(|number| allowed.holds(*number));
            let fault = || self.fault(index, name, text.trim(), allowed.expected);
            found.map(Some).ok_or_else(fault)
        };
        self.texts(name)?
            .into_iter()
            .enumerate()
            .map(number)
            .collect()
    }

    /// A column of numbers without gaps.
    pub(super) fn whole_numbers(&self, name: &str, allowed: Allowed) -> Result<Vec<f64>, Error> {
        let numbers = self.numbers(name, allowed)?.into_iter().enumerate();
        let number = |(index, number): (usize, Option<f64>)| {
            number.ok_or_else(|| self.fault(index, name, "absent", allowed.expected))
        };
        numbers.map(number).collect()
    }
}

/// The number of a text.
fn plain(text: &str) -> Option<f64> {
    match text.trim() {
        "true" | "True" => Some(1.0),
        "false" | "False" => Some(0.0),
        number => number.parse().ok(),
    }
}

/// A column of a frame as texts.
fn texts(frame: &DataFrame, name: &str) -> Result<Vec<Option<String>>, PolarsError> {
    let column = frame.column(name)?;
    if *column.dtype() == DataType::Null {
        return Ok(vec![None; frame.height()]);
    }
    if column.dtype().is_float() {
        // polars writes fewer digits than it takes to read the same number again.
        let cast = column.cast(&DataType::Float64)?;
        let number = |number: f64| (!number.is_nan()).then(|| number.to_string());
        let numbers = cast.f64()?.iter();
        return Ok(numbers.map(|cell| cell.and_then(number)).collect());
    }
    let cast = column.cast(&DataType::String)?;
    let present = |text: &&str| !text.trim().is_empty();
    let texts = cast.str()?.iter();
    Ok(texts
        .map(|cell| cell.filter(present).map(str::to_owned))
        .collect())
}

/// A member of an object, or a member of one within it.
fn within<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    object.get(name).or_else(|| {
        let (outer, inner) = name.split_once('.')?;
        within(object.get(outer)?.as_object()?, inner)
    })
}

fn text_of(file: &Path) -> Result<String, Error> {
    std::fs::read_to_string(file).map_err(|source| Error::Io {
        file: file.to_owned(),
        source,
    })
}

fn lines(file: &Path, text: &str) -> Result<Vec<Map<String, Value>>, Error> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let object = |(index, line): (usize, &str)| {
        serde_json::from_str(line).map_err(|error| Error::Content {
            file: file.to_owned(),
            detail: format!("row {} is not a JSON object: {error}", index + 1),
        })
    };
    lines.enumerate().map(object).collect()
}

fn array(file: &Path, text: &str) -> Result<Vec<Map<String, Value>>, Error> {
    serde_json::from_str(text).map_err(|error| Error::Content {
        file: file.to_owned(),
        detail: format!("not a JSON array of objects: {error}"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use polars::prelude::{ParquetWriter, df};

    fn sheet(name: &str, text: &str) -> Result<Sheet, Error> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        Sheet::read(&file)
    }

    /// The same table from each format that a person may write.
    fn each() -> [Sheet; 4] {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.parquet");
        let mut frame = df!(
            "id" => ["007", "8", "9"],
            "a" => [Some(0.1), Some(f64::NAN), Some(1.0)],
            "b" => [Some(true), None, Some(false)],
            "word" => [Some("x"), Some(" "), None],
        )
        .unwrap();
        ParquetWriter::new(std::fs::File::create(&file).unwrap())
            .finish(&mut frame)
            .unwrap();
        let lines = [
            r#"{"id":"007","a":0.1,"b":true,"word":"x"}"#,
            r#"{"id":"8","a":null,"word":""}"#,
            r#"{"id":"9","a":1,"b":false}"#,
        ];
        [
            Sheet::read(&file).unwrap(),
            sheet(
                "t.csv",
                "id,a,b,word\n007,0.1,true,x\n8,,, \n9,1.0,False,\n",
            )
            .unwrap(),
            sheet("t.jsonl", &lines.join("\n\n")).unwrap(),
            sheet("t.json", &format!("[{}]", lines.join(","))).unwrap(),
        ]
    }

    #[test]
    fn every_format_reads_alike() {
        for sheet in each() {
            let file = sheet.file.display();
            assert_eq!(sheet.rows, 3, "{file}");
            assert_eq!(sheet.whole_texts("id").unwrap(), ["007", "8", "9"]);
            let share = |name: &str| sheet.numbers(name, Allowed::SHARE).unwrap();
            assert_eq!(share("a"), [Some(0.1), None, Some(1.0)], "{file}");
            assert_eq!(share("b"), [Some(1.0), None, Some(0.0)], "{file}");
            let words = sheet.texts("word").unwrap();
            assert_eq!(words, [Some("x".to_owned()), None, None], "{file}");
            let numeric = ["a", "b", "word"].map(|name| sheet.is_numeric(name));
            assert_eq!(numeric, [true, true, false], "{file}");
        }
    }

    #[test]
    fn a_number_survives_to_the_bit() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("t.parquet");
        let numbers = [1.0 / 3.0, 5e-324, f64::MAX, 0.1 + 0.2, 1e-7];
        let mut frame = df!("x" => numbers).unwrap();
        ParquetWriter::new(std::fs::File::create(&file).unwrap())
            .finish(&mut frame)
            .unwrap();
        let found = Sheet::read(&file).unwrap();
        let found = found.whole_numbers("x", Allowed::AMOUNT).unwrap();
        assert_eq!(found, numbers);
    }

    #[test]
    fn a_member_within_an_object_is_found_by_its_path() {
        let text = "{\"m\":{\"tags\":[\"a\",\"b\"],\"k\":{\"n\":3}}}\n{\"m\":null}";
        let sheet = sheet("t.jsonl", text).unwrap();
        assert!(sheet.has("m.tags") && sheet.has("m") && !sheet.has("m.other"));
        assert_eq!(
            sheet.texts("m.tags").unwrap(),
            [Some(r#"["a","b"]"#.to_owned()), None]
        );
        assert_eq!(
            sheet.numbers("m.k.n", Allowed::COUNT).unwrap(),
            [Some(3.0), None]
        );
    }

    #[test]
    fn a_fault_names_row_and_column() {
        let check = |name: &str, text: &str, expected: &str| {
            let found = sheet(name, text).and_then(|s| s.whole_numbers("a", Allowed::COUNT));
            let found = found.unwrap_err().to_string();
            assert!(found.ends_with(expected), "{found}");
        };
        let whole = "expected a whole number of at least 0";
        check(
            "t.csv",
            "a,b\n1,2\n1.5,2\n",
            &format!("row 2, column a is 1.5: {whole}"),
        );
        check(
            "t.csv",
            "a,b\n-1,2\n",
            &format!("row 1, column a is -1: {whole}"),
        );
        check(
            "t.csv",
            "a,b\n1,2\n,2\n",
            &format!("row 2, column a is absent: {whole}"),
        );
        check(
            "t.jsonl",
            "{\"a\":[1]}",
            &format!("row 1, column a is [1]: {whole}"),
        );
        check(
            "t.csv",
            "b\n1\n",
            "column a is missing: expected text or a number",
        );
        check(
            "t.xml",
            "",
            "allowed endings .parquet, .csv, .jsonl, .ndjson, .json",
        );
        let torn = sheet("t.json", "{}").unwrap_err().to_string();
        assert!(torn.contains("not a JSON array of objects"), "{torn}");
        let torn = sheet("t.jsonl", "{}\n[]").unwrap_err().to_string();
        assert!(torn.contains("row 2 is not a JSON object"), "{torn}");
    }
}
