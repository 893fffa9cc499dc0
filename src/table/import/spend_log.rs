//! `LiteLLM`'s log of requests, one file of it.
//!
//! Invariants: every column has as many entries as the file has rows; a request without a status succeeded (`LiteLLM`
//! leaves it out at times); a latency is at least 0.
//!
//! Units: cost in USD, latency in milliseconds from `startTime` to `endTime`.
//!
//! Not here: which requests are kept ([`super::spend`]).

use super::fields::Fields;
use super::instant::{self, micros};
use super::sheet::{Allowed, Sheet};
use crate::table::Error;
use std::path::{Path, PathBuf};

/// What a request without a tag is sliced as.
const UNTAGGED: &str = "none";

/// Tags that `LiteLLM` writes itself.
const OWN: &str = "User-Agent";

/// Requests of one file.
#[derive(Debug)]
pub(super) struct SpendLog {
    pub(super) file: PathBuf,
    /// The column of the request's id.
    pub(super) id_column: String,
    pub(super) id: Vec<Option<String>>,
    pub(super) model: Vec<Option<String>>,
    pub(super) group: Vec<Option<String>>,
    pub(super) failed: Vec<bool>,
    pub(super) cached: Vec<bool>,
    pub(super) cost_usd: Vec<Option<f64>>,
    pub(super) latency_ms: Vec<Option<f64>>,
    pub(super) input_tokens: Vec<Option<f64>>,
    pub(super) output_tokens: Vec<Option<f64>>,
    pub(super) tag: Vec<String>,
    pub(super) session: Vec<Option<String>>,
}

impl SpendLog {
    /// Reads a file; the tag of a request is its first that begins with `tag`.
    pub(super) fn read(file: &Path, fields: &Fields, tag: &str) -> Result<Self, Error> {
        let sheet = Sheet::read(file)?;
        let id_column = fields.need(&sheet, "id", "text, unique for each request")?;
        let model = fields.need(&sheet, "model", "text: the model that answered")?;
        let text = |field: &str| match fields.find(&sheet, field)? {
            Some(column) => sheet.texts(&column),
            None => Ok(vec![None; sheet.rows]),
        };
        let number = |field: &str, allowed| match fields.find(&sheet, field)? {
            Some(column) => sheet.numbers(&column, allowed),
            None => Ok(vec![None; sheet.rows]),
        };
        let cached = |cell: &Option<String>| {
            let cell = cell.as_deref().map(str::trim);
            cell.is_some_and(|cell| cell.eq_ignore_ascii_case("true"))
        };
        Ok(Self {
            file: file.to_owned(),
            id: sheet.texts(&id_column)?,
            model: sheet.texts(&model)?,
            group: text("group")?,
            failed: failed(&sheet, fields)?,
            cached: text("cache")?.iter().map(cached).collect(),
            cost_usd: number("spend", Allowed::AMOUNT)?,
            latency_ms: latencies(&sheet, fields)?,
            input_tokens: number("input_tokens", Allowed::COUNT)?,
            output_tokens: number("output_tokens", Allowed::COUNT)?,
            tag: tags(&sheet, fields, tag)?,
            session: text("session")?,
            id_column,
        })
    }
}

fn failed(sheet: &Sheet, fields: &Fields) -> Result<Vec<bool>, Error> {
    let Some(column) = fields.find(sheet, "status")? else {
        return Ok(vec![false; sheet.rows]);
    };
    let status = |(row, text): (usize, Option<String>)| {
        let text = text.unwrap_or_default();
        match text.trim().to_ascii_lowercase().as_str() {
            "" | "success" => Ok(false),
            "failure" => Ok(true),
            other => Err(sheet.fault(row, &column, other, "success or failure")),
        }
    };
    let texts = sheet.texts(&column)?.into_iter().enumerate();
    texts.map(status).collect()
}

/// From start to end.
fn latencies(sheet: &Sheet, fields: &Fields) -> Result<Vec<Option<f64>>, Error> {
    let (start, end) = (fields.find(sheet, "start")?, fields.find(sheet, "end")?);
    let (Some(start), Some(end)) = (start, end) else {
        return Ok(vec![None; sheet.rows]);
    };
    let moments = |column: &str| -> Result<Vec<Option<i64>>, Error> {
        let moment = |(row, text): (usize, Option<String>)| {
            let read = |text: String| {
                micros(&text).ok_or_else(|| sheet.fault(row, column, text, instant::EXPECTED))
            };
            text.map(read).transpose()
        };
        let texts = sheet.texts(column)?.into_iter().enumerate();
        texts.map(moment).collect()
    };
    let pairs = moments(&start)?.into_iter().zip(moments(&end)?);
    let latency = |(row, pair): (usize, (Option<i64>, Option<i64>))| {
        let (Some(from), Some(to)) = pair else {
            return Ok(None);
        };
        match to - from {
            before if before < 0 => {
                let found = format!("{} ms before the start", -before / 1000);
                Err(sheet.fault(row, &end, found, "the start or later"))
            }
            micros => Ok(Some(micros as f64 / 1000.0)),
        }
    };
    pairs.enumerate().map(latency).collect()
}

fn tags(sheet: &Sheet, fields: &Fields, begins: &str) -> Result<Vec<String>, Error> {
    let Some(column) = fields.find(sheet, "tags")? else {
        return Ok(vec![UNTAGGED.to_owned(); sheet.rows]);
    };
    let tag = |(row, text): (usize, Option<String>)| {
        let text = text.unwrap_or_default();
        let tags = match text.trim() {
            "" | "{}" => Vec::new(),
            list if list.starts_with('[') => {
                let read = serde_json::from_str::<Vec<String>>(list);
                read.map_err(|_| sheet.fault(row, &column, list, "a JSON array of texts"))?
            }
            one => vec![one.to_owned()],
        };
        let mut tags = tags.into_iter();
        let wanted = |tag: &String| match begins {
            "" => !tag.starts_with(OWN),
            begins => tag.starts_with(begins),
        };
        Ok(tags.find(wanted).unwrap_or_else(|| UNTAGGED.to_owned()))
    };
    let texts = sheet.texts(&column)?.into_iter().enumerate();
    texts.map(tag).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::LITELLM;

    fn read(name: &str, text: &str, map: &str, tag: &str) -> Result<SpendLog, Error> {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join(name);
        std::fs::write(&file, text).unwrap();
        SpendLog::read(&file, &Fields::parse(map, LITELLM).unwrap(), tag)
    }

    const SPEND: &str = "request_id,model,model_group,startTime,endTime,spend,prompt_tokens,completion_tokens,status,\
        request_tags,session_id,cache_hit\n\
        r1,gpt-4o,chat,2026-05-01 12:00:00.5,2026-05-01 12:00:02,0.25,10,20,success,\"[\"\"User-Agent: x\"\",\"\"team:a\"\"]\",s1,False\n\
        r2,haiku,chat,,,0,,,,[],,True\n\
        r3,haiku,chat,,,0,,,failure,\"[\"\"team:b\"\",\"\"task:fix\"\"]\",,None\n";

    #[test]
    fn spend_logs_are_read_as_they_are_exported() {
        let log = read("spend.csv", SPEND, "", "").unwrap();
        assert_eq!(log.latency_ms, [Some(1500.0), None, None]);
        assert_eq!(log.cost_usd, [Some(0.25), Some(0.0), Some(0.0)]);
        assert_eq!(
            (log.failed, log.cached),
            (vec![false, false, true], vec![false, true, false])
        );
        assert_eq!(log.tag, ["team:a", "none", "team:b"]);
        assert_eq!(log.session[0].as_deref(), Some("s1"));
        assert_eq!(
            (log.input_tokens[0], log.output_tokens[0]),
            (Some(10.0), Some(20.0))
        );
        let log = read("spend.csv", SPEND, "", "task:").unwrap();
        assert_eq!(log.tag, ["none", "none", "task:fix"]);
    }

    #[test]
    fn a_standard_logging_payload_is_read_too() {
        let text = r#"{"id":"c1","trace_id":"t","model":"gpt-4o","model_group":"chat","startTime":1777636800.0,
            "endTime":1777636800.25,"response_cost":0.5,"status":"success","request_tags":["x"],"cache_hit":false,
            "metadata":{"job":"nightly"}}"#
            .replace('\n', " ");
        let log = read("log.jsonl", &text, "tags=metadata.job", "").unwrap();
        assert_eq!(log.id, [Some("c1".to_owned())]);
        assert_eq!(
            (log.latency_ms[0], log.cost_usd[0]),
            (Some(250.0), Some(0.5))
        );
        assert_eq!(
            (log.tag[0].as_str(), log.session[0].as_deref()),
            ("nightly", Some("t"))
        );
    }

    #[test]
    fn a_fault_names_row_and_column() {
        let check = |from: &str, to: &str, expected: &str| {
            assert!(SPEND.contains(from), "{from}");
            let found = read("s.csv", &SPEND.replacen(from, to, 1), "", "");
            let found = found.unwrap_err().to_string();
            assert!(found.ends_with(expected), "{found}");
        };
        check(
            "12:00:02",
            "12:00:00",
            "row 1, column endTime is 500 ms before the start: expected the start or later",
        );
        check(
            "2026-05-01 12:00:02",
            "yesterday",
            &format!(
                "row 1, column endTime is yesterday: expected {}",
                instant::EXPECTED
            ),
        );
        check(
            "failure",
            "odd",
            "row 3, column status is odd: expected success or failure",
        );
        check(
            "[],",
            "[1],",
            "row 2, column request_tags is [1]: expected a JSON array of texts",
        );
        check(
            "request_id",
            "req",
            "column request_id is missing: expected text, unique for each request",
        );
        check(
            "0.25",
            "free",
            "row 1, column spend is free: expected a number of at least 0",
        );
    }
}
