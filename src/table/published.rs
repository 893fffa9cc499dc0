//! Published rates, a row for each model (a leaderboard as CSV): in how many of so many trials a thing was so.
//!
//! Invariants of what is read: a rate is in [0, 1], a number of trials at least 1, and each row knows where in
//! the file it stands. A rate that a row leaves empty is absent, not 0.
//!
//! Not here: which model is which arm, and what the rates teach (`seed`).
//!
//! Units: shares from 0 to 1; in percent in the file where that is said.

use super::Error;
use super::frame::{content, read_text};
use polars::prelude::{DataFrame, StringChunked};
use std::path::Path;

/// Names of the fields that may stand in columns of other names.
const FIELDS: [&str; 2] = ["model", "n"];

/// How a file is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    /// The column with the models' names.
    pub model: String,
    /// The column with the number of trials; absent: `n`, if there is such a column.
    pub n: Option<String>,
    /// The columns with rates.
    pub rates: Vec<String>,
    /// Whether rates stand in percent.
    pub percent: bool,
    /// (column, value): only rows with these values are read, letter for letter.
    pub only: Vec<(String, String)>,
}

impl Layout {
    /// Reads `model=name,n=test_cases`; an empty text maps nothing. Rates are still to be named.
    ///
    /// ```
    /// use bellwether::table::Layout;
    /// let layout = Layout::parse("n=test_cases").unwrap();
    /// assert_eq!((layout.model.as_str(), layout.n.as_deref()), ("model", Some("test_cases")));
    /// assert!(Layout::parse("score=pass").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut layout = Self {
            model: FIELDS[0].to_owned(),
            n: None,
            rates: Vec::new(),
            percent: false,
            only: Vec::new(),
        };
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let pair = part.split_once('=').map(|(a, b)| (a.trim(), b.trim()));
            match pair.filter(|(_, column)| !column.is_empty()) {
                Some(("model", column)) => column.clone_into(&mut layout.model),
                Some(("n", column)) => layout.n = Some(column.to_owned()),
                _ => {
                    return Err(Error::Mapping {
                        text: part.to_owned(),
                        allowed: FIELDS.join(", "),
                    });
                }
            }
        }
        Ok(layout)
    }
}

/// What was published of one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Published {
    /// Its row in the file, from 1, the header not counted.
    pub row: usize,
    /// Its name there.
    pub model: String,
    /// Of how many trials the rates are.
    pub trials: Option<f64>,
    /// The rates, in the order that they were asked for.
    pub rates: Vec<Option<f64>>,
}

impl Published {
    /// Reads the rows of a CSV file with a header, in its order.
    pub fn read(file: &Path, layout: &Layout) -> Result<Vec<Self>, Error> {
        let frame = read_text(file)?;
        let sheet = Sheet {
            file,
            frame: &frame,
        };
        let models = sheet.column(&layout.model, "text")?;
        let trials = match &layout.n {
            Some(column) => Some((column.as_str(), sheet.column(column, TRIALS)?)),
            None => sheet.column(FIELDS[1], TRIALS).ok().map(|n| (FIELDS[1], n)),
        };
        let (most, expected) = match layout.percent {
            true => (100.0, "a number from 0 to 100"),
            false => (1.0, "a number from 0 to 1"),
        };
        let rate = |column: &'_ String| Ok((column.clone(), sheet.column(column, expected)?));
        let rates: Vec<_> = layout
            .rates
            .iter()
            .map(rate)
            .collect::<Result<_, Error>>()?;
        let only = layout.only.iter();
        let only = only.map(|(column, value)| Ok((sheet.column(column, "text")?, value.as_str())));
        let only: Vec<_> = only.collect::<Result<_, Error>>()?;
        let mut found = Vec::new();
        for index in 0..frame.height() {
            let wanted =
                |(column, value): &(&StringChunked, &str)| cell(column, index) == Some(value);
            if !only.iter().all(wanted) {
                continue;
            }
            let number = |(name, column): (&str, &StringChunked), expected, allowed: (f64, f64)| {
                let text = cell(column, index);
                let read = |text: &str| {
                    let number = text.parse().ok();
                    let number = number.filter(|v: &f64| (allowed.0..=allowed.1).contains(v));
                    number.ok_or_else(|| sheet.value(index, name, text, expected))
                };
                text.map(read).transpose()
            };
            let trials = trials.map(|trials| number(trials, TRIALS, (1.0, f64::MAX)));
            let each = rates.iter().map(|(name, column)| {
                let rate = number((name.as_str(), *column), expected, (0.0, most))?;
                Ok(rate.map(|rate| rate / most))
            });
            let model = cell(models, index);
            let model = model.ok_or_else(|| sheet.value(index, &layout.model, "empty", "text"));
            found.push(Self {
                row: index + 1,
                model: model?.to_owned(),
                trials: trials.transpose()?.flatten(),
                rates: each.collect::<Result<_, Error>>()?,
            });
        }
        Ok(found)
    }
}

/// What a number of trials may be.
const TRIALS: &str = "a number of at least 1";

/// A file and what is in it.
struct Sheet<'a> {
    file: &'a Path,
    frame: &'a DataFrame,
}

impl<'a> Sheet<'a> {
    fn column(&self, name: &str, expected: &'static str) -> Result<&'a StringChunked, Error> {
        let column = self.frame.column(name).map_err(|_| Error::MissingColumn {
            file: self.file.to_owned(),
            column: name.to_owned(),
            expected,
        })?;
        column.str().map_err(|error| content(self.file, &error))
    }

    fn value(&self, index: usize, column: &str, found: &str, expected: &'static str) -> Error {
        Error::Value {
            file: self.file.to_owned(),
            row: index + 1,
            column: column.to_owned(),
            found: found.to_owned(),
            expected,
        }
    }
}

/// What stands in a column; nothing where that is blank.
fn cell(column: &StringChunked, index: usize) -> Option<&str> {
    let text = column.get(index).map(str::trim);
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const BOARD: &str = "board,model,cases,passed,valid\n\
        new,\"a, large\",225,88.0,100\n\
        new,b,,3.6,\n\
        old,b,133,250,x\n";

    fn read(layout: &Layout) -> Result<Vec<Published>, String> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("board.csv");
        std::fs::write(&file, BOARD).unwrap();
        let read = Published::read(&file, layout);
        let dir = format!("{}/", dir.path().display());
        read.map_err(|error| error.to_string().replace(&dir, ""))
    }

    fn layout(only: &[(&str, &str)]) -> Layout {
        let mut layout = Layout::parse("n=cases").unwrap();
        layout.rates = ["passed", "valid"].map(str::to_owned).to_vec();
        layout.percent = true;
        let pair = |(a, b): &(&str, &str)| ((*a).to_owned(), (*b).to_owned());
        layout.only = only.iter().map(pair).collect();
        layout
    }

    #[test]
    fn rows_that_are_asked_for_are_read_as_shares_and_what_is_empty_is_absent() {
        let rows = read(&layout(&[("board", "new")])).unwrap();
        let row = |row, model: &str, trials, rates: [Option<f64>; 2]| Published {
            row,
            model: model.to_owned(),
            trials,
            rates: rates.to_vec(),
        };
        let expected = [
            row(1, "a, large", Some(225.0), [Some(0.88), Some(1.0)]),
            row(2, "b", None, [Some(3.6 / 100.0), None]),
        ];
        assert_eq!(rows, expected);
    }

    #[test]
    fn what_is_wrong_is_told_with_its_row_and_column() {
        let check = |layout: &Layout, expected: &str| {
            assert_eq!(read(layout).unwrap_err(), expected);
        };
        check(
            &layout(&[]),
            "board.csv: row 3, column passed is 250: expected a number from 0 to 100",
        );
        let mut shares = layout(&[]);
        shares.percent = false;
        check(
            &shares,
            "board.csv: row 1, column passed is 88.0: expected a number from 0 to 1",
        );
        let mut other = layout(&[]);
        other.rates = vec!["quality".to_owned()];
        check(
            &other,
            "board.csv: column quality is missing: expected a number from 0 to 100",
        );
        other.rates = vec!["valid".to_owned()];
        check(
            &other,
            "board.csv: row 3, column valid is x: expected a number from 0 to 100",
        );
        other.n = Some("passed".to_owned());
        other.only = vec![("model".to_owned(), "b".to_owned())];
        check(
            &other,
            "board.csv: row 3, column valid is x: expected a number from 0 to 100",
        );
        other.n = Some("valid".to_owned());
        check(
            &other,
            "board.csv: row 3, column valid is x: expected a number of at least 1",
        );
    }
}
