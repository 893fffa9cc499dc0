//! One colour for each arm, the same everywhere.
//!
//! Invariants: colours are classes of the style sheet, light and dark; the first six arms have six
//! colours that stay apart for readers who see red, green or blue weakly (a test holds this and the
//! contrast); later arms take them again, and are told apart by their labels.

use super::model::Document;

/// How many colours there are.
const ARMS: [&str; 6] = ["a0", "a1", "a2", "a3", "a4", "a5"];
/// Dashes of lines, by their order in a chart.
pub(crate) const DASHES: [&str; 5] = ["solid", "dash", "dots", "mixed", "long"];

/// Which arm has which colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Palette {
    arms: Vec<String>,
}

impl Palette {
    /// Arms in the order in which the document first names them.
    pub(crate) fn new(document: &Document) -> Self {
        let mut arms: Vec<String> = Vec::new();
        let rows = document.teams.iter().flat_map(|t| &t.arms).map(|a| &a.arm);
        let drawn = document.teams.iter().flat_map(|t| &t.shares.lines);
        for arm in rows.chain(drawn.map(|(name, _)| name)) {
            if !arms.contains(arm) {
                arms.push(arm.clone());
            }
        }
        Self { arms }
    }

    /// These arms, in this order.
    pub(crate) fn of(names: impl Iterator<Item = String>) -> Self {
        let mut arms: Vec<String> = Vec::new();
        for arm in names {
            if !arms.contains(&arm) {
                arms.push(arm);
            }
        }
        Self { arms }
    }

    /// The class of an arm's colour, if it is one.
    pub(crate) fn arm(&self, name: &str) -> Option<&'static str> {
        let at = self.arms.iter().position(|a| a == name)?;
        ARMS.get(at % ARMS.len()).copied()
    }
}
