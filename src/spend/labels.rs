//! Names as numbers while records are read, and as labels when they are told.
//!
//! Invariants: equal names have equal numbers; two places are equal if they are told alike.

use super::wanted::{Dimension, Wanted, date};
use crate::id::Name;
use serde::Serialize;
use std::collections::HashMap;

/// Not told apart by it.
pub(super) const ANY: u32 = u32::MAX;

/// There is no name: a request without a task, or an attempt whose decision is not known.
pub(super) const NONE: u32 = u32::MAX - 1;

/// As [`ANY`], of days.
pub(super) const ANY_DAY: i64 = i64::MIN;

/// What a sum is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Place {
    pub(super) team: u32,
    pub(super) key: u32,
    pub(super) task: u32,
    pub(super) arm: u32,
    pub(super) day: i64,
}

/// Names by their numbers.
#[derive(Debug, Default)]
pub(super) struct Names {
    numbers: HashMap<Name, u32>,
    names: Vec<Name>,
}

impl Names {
    /// The number of a name, which may be new.
    pub(super) fn number(&mut self, name: &Name) -> u32 {
        if let Some(number) = self.numbers.get(name) {
            return *number;
        }
        let number = u32::try_from(self.names.len()).unwrap_or(NONE);
        self.names.push(name.clone());
        self.numbers.insert(name.clone(), number);
        number
    }

    pub(super) fn name(&self, number: u32) -> Option<&Name> {
        self.names.get(number as usize)
    }

    pub(super) fn len(&self) -> usize {
        self.names.len()
    }
}

/// What a row is of. Only what rows are told apart by is there; `null` for a request without a task, and for the key
/// and task of an attempt whose decision is not known.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default, Serialize)]
pub struct Labels {
    /// The team.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub team: Option<String>,
    /// The key's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<Option<String>>,
    /// The task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<Option<String>>,
    /// The arm.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arm: Option<String>,
    /// The local day, as 2026-01-31.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub day: Option<String>,
}

impl Labels {
    pub(super) fn of(place: &Place, names: &Names) -> Self {
        let name = |number: u32| names.name(number).map(Name::to_string);
        let maybe = |number: u32| (number != ANY).then(|| name(number));
        Self {
            team: name(place.team),
            key: maybe(place.key),
            task: maybe(place.task),
            arm: name(place.arm),
            day: (place.day != ANY_DAY).then(|| date(place.day)),
        }
    }

    /// In words, for a person.
    pub fn words<'a>(&'a self, dimension: Dimension) -> &'a str {
        let one = |label: &'a Option<String>| label.as_deref().unwrap_or_default();
        let maybe = |label: &'a Option<Option<String>>| label.as_ref()?.as_deref();
        match dimension {
            Dimension::Team => one(&self.team),
            Dimension::Arm => one(&self.arm),
            Dimension::Day => one(&self.day),
            Dimension::Key => maybe(&self.key).unwrap_or("(unknown)"),
            Dimension::Task => maybe(&self.task).unwrap_or("(none)"),
        }
    }
}

/// In the order that rows are asked for in.
pub(super) fn sorting(wanted: &Wanted) -> impl Fn(&Labels) -> Vec<String> + '_ {
    |labels| {
        let words = |dimension: &Dimension| labels.words(*dimension).to_owned();
        wanted.by.iter().map(words).collect()
    }
}
