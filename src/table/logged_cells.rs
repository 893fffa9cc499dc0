//! Columns of a batch as numbers, arms, and texts, each with an error that names the place of the first that is none.
//!
//! Invariants: a column of f64 is not copied; no text is kept for a row.
//!
//! Not here: which columns there are ([`super::logged_shape`]), what rows must hold to ([`super::logged_batch`]).

use super::Error;
use super::logged_batch::Numbers;
use polars::prelude::{Column, DataFrame, DataType, Float64Chunked, PolarsError};
use std::collections::HashMap;
use std::path::Path;

/// Columns of one batch.
pub(super) struct Cells<'a> {
    pub(super) file: &'a Path,
    pub(super) frame: &'a DataFrame,
    /// Rows of the file before it.
    pub(super) first: usize,
}

impl Cells<'_> {
    pub(super) fn value(
        &self,
        row: usize,
        column: &str,
        found: f64,
        expected: &'static str,
    ) -> Error {
        self.said(row, column, &found.to_string(), expected)
    }

    pub(super) fn said(
        &self,
        row: usize,
        column: &str,
        found: &str,
        expected: &'static str,
    ) -> Error {
        Error::Value {
            file: self.file.to_owned(),
            row: self.first + row + 1,
            column: column.to_owned(),
            found: found.to_owned(),
            expected,
        }
    }

    fn content(&self, error: &PolarsError) -> Error {
        super::frame::content(self.file, error)
    }

    fn column(&self, name: &str, expected: &'static str) -> Result<&Column, Error> {
        self.frame.column(name).map_err(|_| Error::MissingColumn {
            file: self.file.to_owned(),
            column: name.to_owned(),
            expected,
        })
    }

    /// A column of finite numbers.
    pub(super) fn numbers(&self, name: &str) -> Result<Numbers, Error> {
        const EXPECTED: &str = "a finite number";
        let column = self.column(name, EXPECTED)?;
        let numbers = if let Ok(texts) = column.str() {
            let mut numbers = Vec::with_capacity(column.len());
            for (row, text) in texts.iter().enumerate() {
                let text = text.unwrap_or_default().trim();
                let number: Option<f64> = text.parse().ok();
                numbers.push(number.ok_or_else(|| self.said(row, name, text, EXPECTED))?);
            }
            Float64Chunked::from_vec(name.into(), numbers)
        } else if column.dtype().is_primitive_numeric() || *column.dtype() == DataType::Boolean {
            let cast = column.cast(&DataType::Float64);
            let cast = cast.map_err(|e| self.content(&e))?;
            let values = cast.f64().map_err(|e| self.content(&e))?;
            if let Some(row) = (values.null_count() > 0)
                .then(|| values.iter().position(|number| number.is_none()))
                .flatten()
            {
                return Err(self.said(row, name, "absent", EXPECTED));
            }
            values.rechunk().into_owned()
        } else {
            return Err(Error::ColumnType {
                file: self.file.to_owned(),
                column: name.to_owned(),
                found: column.dtype().to_string(),
                expected: EXPECTED,
            });
        };
        let numbers = Numbers::of(numbers);
        let wrong = numbers.all().iter().enumerate();
        match wrong.clone().all(|(_, number)| number.is_finite()) {
            true => Ok(numbers),
            false => {
                let mut wrong = wrong.filter(|(_, number)| !number.is_finite());
                let (row, number) = wrong.next().unwrap_or((0, &f64::NAN));
                Err(self.value(row, name, *number, EXPECTED))
            }
        }
    }

    /// A column of numbers of arms.
    pub(super) fn arms(&self, name: &str, arms: usize) -> Result<Vec<usize>, Error> {
        const EXPECTED: &str = "the number of an arm: arms are numbered from 0, names are not read";
        let numbers = self.numbers(name)?;
        let mut found = Vec::with_capacity(numbers.all().len());
        for (row, number) in numbers.all().iter().enumerate() {
            let arm = *number as usize;
            if arm as f64 != *number || arm >= arms {
                return Err(self.value(row, name, *number, EXPECTED));
            }
            found.push(arm);
        }
        Ok(found)
    }

    /// What is made of each cell as text.
    pub(super) fn texts<T>(&self, name: &str, of: impl Fn(&str) -> T) -> Result<Vec<T>, Error> {
        const EXPECTED: &str = "text or a number";
        let column = self.column(name, EXPECTED)?;
        let texts = column.cast(&DataType::String);
        let texts = texts.map_err(|e| self.content(&e))?;
        let texts = texts.str().map_err(|e| self.content(&e))?;
        let mut cells = Vec::with_capacity(texts.len());
        for (row, text) in texts.iter().enumerate() {
            let text = text.ok_or_else(|| self.said(row, name, "absent", EXPECTED))?;
            cells.push(of(text));
        }
        Ok(cells)
    }

    /// The different texts of a column, in the order that they come, and which of them each cell has.
    pub(super) fn kinds(&self, name: &str) -> Result<(Vec<u32>, Vec<String>), Error> {
        const EXPECTED: &str = "text or a number";
        let column = self.column(name, EXPECTED)?;
        let absent = |row: usize| self.said(row, name, "absent", EXPECTED);
        let mut texts: Vec<String> = Vec::new();
        let mut kinds = Vec::with_capacity(column.len());
        if column.dtype().is_integer() && *column.dtype() != DataType::UInt64 {
            // A number is looked up as one: its text is made once.
            let cast = column.cast(&DataType::Int64);
            let cast = cast.map_err(|e| self.content(&e))?;
            let numbers = cast.i64().map_err(|e| self.content(&e))?;
            let mut known: HashMap<i64, u32> = HashMap::new();
            for (row, number) in numbers.iter().enumerate() {
                let number = number.ok_or_else(|| absent(row))?;
                kinds.push(*known.entry(number).or_insert_with(|| {
                    texts.push(number.to_string());
                    (texts.len() - 1) as u32
                }));
            }
            return Ok((kinds, texts));
        }
        let cast = column.cast(&DataType::String);
        let cast = cast.map_err(|e| self.content(&e))?;
        let cells = cast.str().map_err(|e| self.content(&e))?;
        let mut known: HashMap<&str, u32> = HashMap::new();
        for (row, text) in cells.iter().enumerate() {
            let text = text.ok_or_else(|| absent(row))?;
            kinds.push(*known.entry(text).or_insert_with(|| {
                texts.push(text.to_owned());
                (texts.len() - 1) as u32
            }));
        }
        Ok((kinds, texts))
    }
}
