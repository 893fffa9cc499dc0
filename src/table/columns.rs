//! What the columns of an outcome table are called in a given file.
//!
//! Invariants: every field has a column name, its own unless mapped.

use super::Error;
use super::record::FIELDS;
use std::collections::BTreeMap;

/// A mapping from our field names to a file's column names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Columns(BTreeMap<&'static str, String>);

impl Columns {
    /// Reads `prompt_id=id,model=arm`; an empty text maps nothing.
    ///
    /// ```
    /// use bellwether::table::Columns;
    /// let columns = Columns::parse("prompt_id=id,model=arm").unwrap();
    /// assert_eq!((columns.of("model"), columns.of("score")), ("arm", "score"));
    /// assert!(Columns::parse("colour=red").is_err());
    /// ```
    pub fn parse(text: &str) -> Result<Self, Error> {
        let mut map = BTreeMap::new();
        for part in text.split(',').filter(|part| !part.trim().is_empty()) {
            let found = part.split_once('=').and_then(|(name, column)| {
                let field = FIELDS.iter().find(|field| field.name == name.trim())?;
                (!column.trim().is_empty()).then(|| (field.name, column.trim().to_owned()))
            });
            let Some((name, column)) = found else {
                return Err(Error::Mapping {
                    text: part.to_owned(),
                    allowed: FIELDS.map(|field| field.name).join(", "),
                });
            };
            map.insert(name, column);
        }
        Ok(Self(map))
    }

    /// The column that holds `field`.
    pub fn of<'a>(&'a self, field: &'a str) -> &'a str {
        self.0.get(field).map_or(field, String::as_str)
    }
}
