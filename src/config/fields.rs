//! A TOML table as its writer left it: typed fields, each with its path and line.
//!
//! A reader asks for every field it knows; what is of the wrong type or out of range becomes a problem
//! and reads as absent; what nobody asked for is a problem at [`Fields::done`]. So one pass finds all.
//!
//! Invariants: a value that a method returns is in the range that it was asked for.
//!
//! Not here: what a field means, and whether fields agree with each other (the sections' files).

use super::date;
use super::report::Report;
use crate::id::Name;
use crate::unit::Timestamp;
use std::cell::RefCell;
use std::ops::{Range, RangeInclusive};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// One table.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    report: &'a Report<'a>,
    table: &'a DeTable<'a>,
    path: String,
    span: Option<Range<usize>>,
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    pub(super) fn new(
        report: &'a Report<'a>,
        table: &'a DeTable<'a>,
        path: String,
        span: Option<Range<usize>>,
    ) -> Self {
        let asked = RefCell::new(Vec::new());
        Self {
            report,
            table,
            path,
            span,
            asked,
        }
    }

    /// Where the table stands, as in `signals[2]`.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// The path of one of its fields.
    fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// Marks fields as known without reading them.
    pub(super) fn know(&self, keys: &[&'static str]) {
        let mut asked = self.asked.borrow_mut();
        for key in keys {
            if !asked.contains(key) {
                asked.push(key);
            }
        }
    }

    fn get(&self, key: &'static str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.know(&[key]);
        self.table.get(key)
    }

    /// Whether the field stands there, right or wrong.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.get(key).is_some()
    }

    /// Reports what is wrong with a field, with its value as written.
    pub(super) fn problem(&self, key: &str, problem: &str, allowed: impl Into<String>) {
        let value = self.table.get(key);
        let written = value.and_then(|v| self.report.written(v.span()));
        self.add(key, written, problem, allowed.into());
    }

    /// As [`Fields::problem`], for a value that must not be shown.
    pub(super) fn secret_problem(&self, key: &str, problem: &str, allowed: impl Into<String>) {
        self.add(key, None, problem, allowed.into());
    }

    fn add(&self, key: &str, value: Option<String>, problem: &str, allowed: String) {
        let span = self.table.get(key).map(Spanned::span);
        let span = span.or_else(|| self.span.clone());
        self.report
            .add(self.at(key), span, value, problem.to_owned(), allowed);
    }

    /// Reads a field that must be there.
    pub(super) fn required<T>(
        &self,
        key: &'static str,
        read: impl FnOnce(&Self, &'static str) -> Option<T>,
    ) -> Option<T> {
        if !self.has(key) {
            self.know(&[key]);
            self.add(key, None, "is required", String::new());
            return None;
        }
        read(self, key)
    }

    /// Reports every field that nobody asked for. Its value is not shown: it may be a misplaced secret.
    pub(super) fn done(self) {
        let asked = self.asked.borrow();
        for key in self.table.keys() {
            if !asked.iter().any(|known| *known == key.get_ref()) {
                let span = Some(key.span());
                let allowed = asked.join(", ");
                let path = self.at(key.get_ref());
                let problem = "is not a field".to_owned();
                self.report.add(path, span, None, problem, allowed);
            }
        }
    }

    /// A text.
    pub(super) fn text(&self, key: &'static str) -> Option<&'a str> {
        match self.get(key)?.get_ref() {
            DeValue::String(text) => Some(text.as_ref()),
            _ => {
                self.problem(key, "wrong type", "a text in quotes");
                None
            }
        }
    }

    /// A text that `parse` turns into something.
    pub(super) fn parse<T>(
        &self,
        key: &'static str,
        allowed: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Option<T> {
        let parsed = parse(self.text(key)?);
        if parsed.is_none() {
            self.problem(key, "not understood", allowed);
        }
        parsed
    }

    /// A name.
    pub(super) fn name(&self, key: &'static str) -> Option<Name> {
        let allowed = "1 to 128 printable characters";
        self.parse(key, allowed, |text| Name::new(text).ok())
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&self, key: &'static str, words: &[(&str, T)]) -> Option<T> {
        let all: Vec<_> = words.iter().map(|(w, _)| format!("\"{w}\"")).collect();
        self.parse(key, &all.join(", "), |text| {
            let found = words.iter().find(|(word, _)| *word == text);
            found.map(|(_, value)| *value)
        })
    }

    /// True or false.
    pub(super) fn flag(&self, key: &'static str) -> Option<bool> {
        match self.get(key)?.get_ref() {
            DeValue::Boolean(flag) => Some(*flag),
            _ => {
                self.problem(key, "wrong type", "true or false");
                None
            }
        }
    }

    /// A finite number that `fits`; whole numbers are taken too.
    pub(super) fn number(
        &self,
        key: &'static str,
        allowed: &str,
        fits: impl FnOnce(f64) -> bool,
    ) -> Option<f64> {
        self.know(&[key]);
        self.number_at(key, allowed, fits)
    }

    /// As [`Fields::number`], of a key that the writer chose.
    pub(super) fn number_at(
        &self,
        key: &str,
        allowed: &str,
        fits: impl FnOnce(f64) -> bool,
    ) -> Option<f64> {
        let value = match self.table.get(key)?.get_ref() {
            DeValue::Float(number) => number.as_str().parse::<f64>().ok(),
            DeValue::Integer(number) => whole(number).map(|n| n as f64),
            _ => {
                self.problem(key, "wrong type", format!("a number, {allowed}"));
                return None;
            }
        };
        let value = value.filter(|v| v.is_finite() && fits(*v));
        if value.is_none() {
            self.problem(key, "out of range", allowed);
        }
        value
    }

    /// A whole number in `range`.
    pub(super) fn integer(&self, key: &'static str, range: RangeInclusive<u32>) -> Option<u32> {
        let allowed = format!("a whole number, {} to {}", range.start(), range.end());
        let DeValue::Integer(number) = self.get(key)?.get_ref() else {
            self.problem(key, "wrong type", allowed);
            return None;
        };
        let value = whole(number).and_then(|n| u32::try_from(n).ok());
        let value = value.filter(|n| range.contains(n));
        if value.is_none() {
            self.problem(key, "out of range", allowed);
        }
        value
    }

    /// The midnight, UTC, with which a date begins; written as a date or as text.
    pub(super) fn date(&self, key: &'static str) -> Option<Timestamp> {
        let parsed = match self.get(key)?.get_ref() {
            DeValue::Datetime(date) => date::midnight(&date.to_string()),
            DeValue::String(text) => date::midnight(text),
            _ => None,
        };
        if parsed.is_none() {
            self.problem(key, "not a date", "1970-01-01 to 9999-12-31");
        }
        parsed
    }

    /// A date or a moment, written as such or as text, as `parse` reads it.
    pub(super) fn time(
        &self,
        key: &'static str,
        allowed: &str,
        parse: impl FnOnce(&str) -> Option<Timestamp>,
    ) -> Option<Timestamp> {
        let parsed = match self.get(key)?.get_ref() {
            DeValue::Datetime(date) => parse(&date.to_string()),
            DeValue::String(text) => parse(text),
            _ => None,
        };
        if parsed.is_none() {
            self.problem(key, "not a time", allowed);
        }
        parsed
    }

    /// A list of texts, each turned into something by `parse`; absent reads as empty.
    pub(super) fn list<T>(
        &self,
        key: &'static str,
        allowed: &str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Vec<T> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let DeValue::Array(items) = value.get_ref() else {
            let allowed = format!("a list of texts: {allowed}");
            self.problem(key, "wrong type", allowed);
            return Vec::new();
        };
        let mut found = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let parsed = match item.get_ref() {
                DeValue::String(text) => parse(text),
                _ => None,
            };
            match parsed {
                Some(value) => found.push(value),
                None => self.report.add(
                    self.at(&format!("{key}[{index}]")),
                    Some(item.span()),
                    self.report.written(item.span()),
                    "not understood".to_owned(),
                    allowed.to_owned(),
                ),
            }
        }
        found
    }

    /// A list of names; absent reads as empty.
    pub(super) fn names(&self, key: &'static str) -> Vec<Name> {
        let allowed = "names of 1 to 128 printable characters";
        self.list(key, allowed, |text| Name::new(text).ok())
    }

    /// Whether the field is a list, of whatever.
    pub(super) fn is_list(&self, key: &str) -> bool {
        let value = self.table.get(key).map(Spanned::get_ref);
        matches!(value, Some(DeValue::Array(_)))
    }

    /// The fields that stand there, in the writer's order, of a table whose keys the writer chose.
    pub(super) fn keys(&self) -> Vec<&str> {
        let mut keys: Vec<_> = self.table.keys().collect();
        keys.sort_by_key(|key| key.span().start);
        keys.into_iter().map(|key| key.get_ref().as_ref()).collect()
    }

    /// A table within, `[key]`.
    pub(super) fn table(&self, key: &'static str) -> Option<Fields<'a>> {
        let value = self.get(key)?;
        match value.get_ref() {
            DeValue::Table(table) => {
                let (path, span) = (self.at(key), Some(value.span()));
                Some(Fields::new(self.report, table, path, span))
            }
            _ => {
                self.problem(key, "wrong type", "a table");
                None
            }
        }
    }

    /// The tables of a list, `[[key]]`; absent reads as empty.
    pub(super) fn tables(&self, key: &'static str) -> Vec<Fields<'a>> {
        let Some(value) = self.get(key) else {
            return Vec::new();
        };
        let items = match value.get_ref() {
            DeValue::Array(items) => items.iter().enumerate().collect(),
            _ => Vec::new(),
        };
        let mut tables = Vec::with_capacity(items.len());
        for (index, item) in &items {
            if let DeValue::Table(table) = item.get_ref() {
                let path = self.at(&format!("{key}[{index}]"));
                tables.push(Fields::new(self.report, table, path, Some(item.span())));
            }
        }
        if tables.len() < items.len() || items.is_empty() {
            self.problem(key, "wrong type", "one or more tables");
        }
        tables
    }
}

fn whole(number: &toml::de::DeInteger<'_>) -> Option<i64> {
    i64::from_str_radix(number.as_str(), number.radix()).ok()
}
