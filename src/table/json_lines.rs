//! Outcome tables from JSON lines: one object a line, blank lines passed over.
//!
//! Why not polars: it turns a value of an unexpected type into null without a word.

use super::record::{FIELDS, Place, Raw, expected};
use super::{Columns, Error};
use serde_json::{Map, Value};
use std::io::{BufRead, BufReader};
use std::path::Path;

/// Reads every row.
pub(super) fn read(file: &Path, columns: &Columns) -> Result<Vec<Raw>, Error> {
    let io = |source| Error::Io {
        file: file.to_owned(),
        source,
    };
    let lines = BufReader::new(std::fs::File::open(file).map_err(io)?).lines();
    let mut rows = Vec::new();
    for line in lines {
        let line = line.map_err(io)?;
        if line.trim().is_empty() {
            continue;
        }
        let row = rows.len() + 1;
        let object: Map<String, Value> =
            serde_json::from_str(&line).map_err(|error| Error::Content {
                file: file.to_owned(),
                detail: format!("row {row} is not a JSON object: {error}"),
            })?;
        let place = Place { file, columns, row };
        rows.push(raw(&object, place)?);
    }
    Ok(rows)
}

fn raw(object: &Map<String, Value>, place: Place<'_>) -> Result<Raw, Error> {
    for field in FIELDS.iter().filter(|field| field.required) {
        let column = place.columns.of(field.name);
        if !object.contains_key(column) {
            return Err(Error::MissingColumn {
                file: place.file.to_owned(),
                column: column.to_owned(),
                expected: expected(field.name),
            });
        }
    }
    let value = |field: &str| object.get(place.columns.of(field)).filter(|v| !v.is_null());
    let text = |field: &'static str| match value(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(Value::Number(number)) if field == "prompt_id" => Ok(Some(number.to_string())),
        Some(other) if field == "signals" => Ok(Some(other.to_string())),
        Some(other) => Err(place.value(field, other)),
    };
    let number = |field: &'static str| match value(field) {
        None => Ok(None),
        Some(found) => match found.as_f64() {
            Some(number) => Ok(Some(number)),
            None => Err(place.value(field, found)),
        },
    };
    Ok(Raw {
        prompt_id: text("prompt_id")?,
        model: text("model")?,
        task: text("task")?,
        prompt: text("prompt")?,
        signals: text("signals")?,
        score: number("score")?,
        cost_usd: number("cost_usd")?,
        input_tokens: number("input_tokens")?,
        output_tokens: number("output_tokens")?,
        latency_ms: number("latency_ms")?,
    })
}
