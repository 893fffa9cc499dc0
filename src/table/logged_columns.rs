//! What the columns of a log of bandit feedback are called.
//!
//! Not here: what they mean ([`super::logged`]), whether a file has them ([`super::logged_shape`]).

use super::Error;
use std::collections::{BTreeMap, BTreeSet};

/// Fields whose columns may have other names, with their own.
const FIELDS: [(&str, Option<&str>); 10] = [
    ("action", Some("action")),
    ("reward", Some("reward")),
    ("pscore", Some("pscore")),
    ("pmf", Some("p_")),
    ("target", Some("pi_")),
    ("model", Some("q_")),
    ("truth", Some("mu_")),
    ("choice", None),
    ("episode", None),
    ("slice", None),
];

/// Which column holds which field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedColumns {
    of: BTreeMap<&'static str, String>,
    /// Those that were said: they must be there.
    mapped: BTreeSet<&'static str>,
}

impl LoggedColumns {
    /// Reads `action=arm,pmf=prob_`; an empty text maps nothing.
    ///
    /// ```
    /// use bellwether::table::LoggedColumns;
    /// let columns = LoggedColumns::parse("reward=r,episode=session").unwrap();
    /// assert_eq!((columns.of("reward"), columns.of("action")), (Some("r"), Some("action")));
    /// assert_eq!(columns.of("choice"), None);
    /// assert!(LoggedColumns::parse("colour=red").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let own = FIELDS.iter();
        let own = own.filter_map(|(field, column)| Some((*field, (*column)?.to_owned())));
        let mut map: BTreeMap<&'static str, String> = own.collect();
        let mut mapped = BTreeSet::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let found = part.split_once('=').and_then(|(name, column)| {
                let (field, _) = FIELDS.iter().find(|(field, _)| *field == name.trim())?;
                (!column.trim().is_empty()).then(|| (*field, column.trim().to_owned()))
            });
            let Some((field, column)) = found else {
                return Err(Error::Mapping {
                    text: part.to_owned(),
                    allowed: FIELDS.map(|(field, _)| field).join(", "),
                });
            };
            map.insert(field, column);
            mapped.insert(field);
        }
        Ok(Self { of: map, mapped })
    }

    /// The column of a field, or the prefix of its columns.
    pub fn of(&self, field: &str) -> Option<&str> {
        self.of.get(field).map(String::as_str)
    }

    /// Whether the column of a field was said.
    pub(super) fn is_mapped(&self, field: &str) -> bool {
        self.mapped.contains(field)
    }
}
