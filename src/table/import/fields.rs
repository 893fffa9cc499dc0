//! What the fields of a known format are called in a given file.
//!
//! Invariants: a field is in the column that was said, which must be there; else in the first of its usual columns
//! that the file has.
//!
//! Source: the Open Bandit Dataset's files; `LiteLLM`'s table `LiteLLM_SpendLogs` and, after it, its
//! `StandardLoggingPayload`.

use super::sheet::Sheet;
use crate::table::Error;
use std::collections::BTreeMap;

/// Fields with the columns that they are usually in.
type Known = &'static [(&'static str, &'static [&'static str])];

/// The fields of the Open Bandit Dataset.
pub const OPEN_BANDIT: Known = &[
    ("action", &["item_id"]),
    ("reward", &["click"]),
    ("pscore", &["propensity_score", "action_prob"]),
    ("position", &["position"]),
    ("timestamp", &["timestamp"]),
];

/// The fields of `LiteLLM`'s logs.
pub const LITELLM: Known = &[
    ("id", &["request_id", "id"]),
    ("model", &["model"]),
    ("group", &["model_group"]),
    ("start", &["startTime"]),
    ("end", &["endTime"]),
    ("spend", &["spend", "response_cost"]),
    ("input_tokens", &["prompt_tokens"]),
    ("output_tokens", &["completion_tokens"]),
    ("status", &["status"]),
    ("tags", &["request_tags"]),
    ("session", &["session_id", "trace_id"]),
    ("cache", &["cache_hit"]),
];

/// Where the fields of a format are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fields {
    known: Known,
    mapped: BTreeMap<&'static str, String>,
}

impl Fields {
    /// Reads `action=item,reward=bought`; an empty text maps nothing.
    ///
    /// ```
    /// use bellwether::table::{Fields, OPEN_BANDIT};
    /// assert!(Fields::parse("reward=bought", OPEN_BANDIT).is_ok());
    /// assert!(Fields::parse("colour=red", OPEN_BANDIT).is_err());
    /// ```
    pub fn parse(text: &str, known: Known) -> Result<Self, Error> {
        let mut mapped = BTreeMap::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let found = part.split_once('=').and_then(|(name, column)| {
                let (field, _) = known.iter().find(|(field, _)| *field == name.trim())?;
                (!column.trim().is_empty()).then(|| (*field, column.trim().to_owned()))
            });
            let Some((field, column)) = found else {
                let fields: Vec<&str> = known.iter().map(|(field, _)| *field).collect();
                return Err(Error::Mapping {
                    text: part.to_owned(),
                    allowed: fields.join(", "),
                });
            };
            mapped.insert(field, column);
        }
        Ok(Self { known, mapped })
    }

    /// The column of a field, if the file has it; an error if it was said and is not there.
    pub(super) fn find(&self, sheet: &Sheet, field: &str) -> Result<Option<String>, Error> {
        if let Some(column) = self.mapped.get(field) {
            return match sheet.has(column) {
                true => Ok(Some(column.clone())),
                false => Err(sheet.missing(column, "text or a number, as the mapping says")),
            };
        }
        let mut usual = self.usual(field).iter();
        Ok(usual
            .find(|column| sheet.has(column))
            .map(ToString::to_string))
    }

    /// The column of a field that must be there.
    pub(super) fn need(
        &self,
        sheet: &Sheet,
        field: &str,
        expected: &'static str,
    ) -> Result<String, Error> {
        let first = self.usual(field).first().unwrap_or(&"");
        self.find(sheet, field)?
            .ok_or_else(|| sheet.missing(first, expected))
    }

    fn usual(&self, field: &str) -> &'static [&'static str] {
        let known = self.known.iter().find(|(name, _)| *name == field);
        known.map_or(&[], |(_, columns)| columns)
    }
}
