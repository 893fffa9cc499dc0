//! Outcome tables from Parquet and CSV, through polars.
//!
//! CSV is read as text and parsed here, so that an id `007` stays one and a bad number is an error
//! with its row, not a null.

use super::record::{FIELDS, Field, Place, Raw};
use super::{Columns, Error};
use polars::prelude::{
    Column, CsvReadOptions, DataFrame, DataType, ParquetReader, PolarsError, SerReader,
};
use std::fs::File;
use std::path::Path;

/// Reads every row of a Parquet file.
pub(super) fn read_parquet(file: &Path, columns: &Columns) -> Result<Vec<Raw>, Error> {
    let mut reader = ParquetReader::new(open(file)?);
    let schema = reader.schema().map_err(|e| content(file, &e))?;
    let wanted = FIELDS
        .iter()
        .map(|field| columns.of(field.name).to_owned())
        .filter(|column| schema.contains(column.as_str()))
        .collect();
    let frame = reader.with_columns(Some(wanted)).set_rechunk(true).finish();
    rows(&frame.map_err(|e| content(file, &e))?, file, columns)
}

/// Reads every row of a CSV file with a header.
pub(super) fn read_csv(file: &Path, columns: &Columns) -> Result<Vec<Raw>, Error> {
    rows(&read_text(file)?, file, columns)
}

/// A CSV file with a header, every column as text.
pub(super) fn read_text(file: &Path) -> Result<DataFrame, Error> {
    let frame = CsvReadOptions::default()
        .with_has_header(true)
        .with_infer_schema_length(Some(0))
        .into_reader_with_file_handle(open(file)?)
        .finish();
    frame.map_err(|e| content(file, &e))
}

pub(super) fn open(file: &Path) -> Result<File, Error> {
    File::open(file).map_err(|source| Error::Io {
        file: file.to_owned(),
        source,
    })
}

/// What polars could not do with a file.
pub(super) fn content(file: &Path, error: &PolarsError) -> Error {
    Error::Content {
        file: file.to_owned(),
        detail: error.to_string(),
    }
}

/// Puts one column's values into the rows.
fn rows(frame: &DataFrame, file: &Path, columns: &Columns) -> Result<Vec<Raw>, Error> {
    let mut rows: Vec<Raw> = (0..frame.height()).map(|_| Raw::default()).collect();
    for field in &FIELDS {
        let name = columns.of(field.name);
        match frame.column(name) {
            Ok(column) => fill(&mut rows, field, column, file, columns)?,
            Err(_) if field.required => {
                return Err(Error::MissingColumn {
                    file: file.to_owned(),
                    column: name.to_owned(),
                    expected: field.expected,
                });
            }
            Err(_) => {}
        }
    }
    Ok(rows)
}

fn fill(
    rows: &mut [Raw],
    field: &Field,
    column: &Column,
    file: &Path,
    columns: &Columns,
) -> Result<(), Error> {
    let wrong_type = |_| Error::ColumnType {
        file: file.to_owned(),
        column: columns.of(field.name).to_owned(),
        found: column.dtype().to_string(),
        expected: field.expected,
    };
    if *column.dtype() == DataType::Null {
        return Ok(());
    }
    if text_slot(&mut Raw::default(), field.name).is_some() {
        let whole_id = field.name == "prompt_id" && column.dtype().is_integer();
        let column = if whole_id {
            column.cast(&DataType::String)
        } else {
            Ok(column.clone())
        };
        let column = column.map_err(|e| content(file, &e))?;
        for (raw, value) in rows
            .iter_mut()
            .zip(column.str().map_err(wrong_type)?.iter())
        {
            if let Some(slot) = text_slot(raw, field.name) {
                *slot = value.map(str::to_owned);
            }
        }
    } else if let Ok(texts) = column.str() {
        for (index, (raw, text)) in rows.iter_mut().zip(texts.iter()).enumerate() {
            let row = index + 1;
            let place = Place { file, columns, row };
            let parsed = text.map(|t| t.trim().parse().map_err(|_| place.value(field.name, t)));
            put_number(raw, field.name, parsed.transpose()?);
        }
    } else if column.dtype().is_primitive_numeric() {
        let numbers = column.cast(&DataType::Float64).map_err(wrong_type)?;
        for (raw, value) in rows
            .iter_mut()
            .zip(numbers.f64().map_err(wrong_type)?.iter())
        {
            put_number(raw, field.name, value);
        }
    } else {
        return Err(wrong_type(PolarsError::NoData("".into())));
    }
    Ok(())
}

fn text_slot<'a>(raw: &'a mut Raw, field: &str) -> Option<&'a mut Option<String>> {
    match field {
        "prompt_id" => Some(&mut raw.prompt_id),
        "model" => Some(&mut raw.model),
        "task" => Some(&mut raw.task),
        "prompt" => Some(&mut raw.prompt),
        "signals" => Some(&mut raw.signals),
        _ => None,
    }
}

fn put_number(raw: &mut Raw, field: &str, value: Option<f64>) {
    match field {
        "score" => raw.score = value,
        "cost_usd" => raw.cost_usd = value,
        "input_tokens" => raw.input_tokens = value,
        "output_tokens" => raw.output_tokens = value,
        "latency_ms" => raw.latency_ms = value,
        _ => {}
    }
}
