//! Figures with the names that a person gave them, in the order in which they are told.

use serde::{Deserialize, Serialize};
use std::fmt;

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Figure {
    /// A number.
    Number(f64),
    /// Words: a refusal, or which arm.
    Text(String),
}

/// Figures by name.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures(pub Vec<(String, Figure)>);

impl Figures {
    /// Adds a number.
    pub(super) fn number(&mut self, name: impl Into<String>, value: f64) {
        self.0.push((name.into(), Figure::Number(value)));
    }

    /// Adds words.
    pub(super) fn text(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.push((name.into(), Figure::Text(value.into())));
    }
}

impl fmt::Display for Figure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) if number.fract() == 0.0 => write!(f, "{number:.0}"),
            Self::Number(number) if number.abs() < 0.01 => write!(f, "{number:.6}"),
            Self::Number(number) => write!(f, "{number:.4}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.0.iter().map(|(name, _)| name.len()).max().unwrap_or(0);
        for (name, figure) in &self.0 {
            writeln!(f, "  {name:<width$}  {figure}")?;
        }
        Ok(())
    }
}
