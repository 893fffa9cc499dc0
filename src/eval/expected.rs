//! What is expected of an experiment, and where it is otherwise.
//!
//! Invariants: equal means to 1e-9 of the larger of 1 and the expected number; words are equal to the letter;
//! a figure that is not expected, or is expected and did not come, is a drift too.

use super::error::Error;
use super::figure::{Figure, Figures};
use super::find::Found;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

const TOLERANCE: f64 = 1e-9;

/// `expected.json`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expected {
    question: String,
    figures: BTreeMap<String, Figure>,
}

/// A figure that is not what was expected.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Drift {
    /// Its name.
    pub figure: String,
    /// What came.
    pub found: Option<Figure>,
    /// What was expected.
    pub expected: Option<Figure>,
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |figure: &Option<Figure>| match figure {
            Some(Figure::Number(number)) => number.to_string(),
            Some(Figure::Text(text)) => format!("{text:?}"),
            None => "nothing".to_owned(),
        };
        let (found, expected) = (shown(&self.found), shown(&self.expected));
        write!(f, "figure {} is {found}: expected {expected}", self.figure)
    }
}

/// Writes what is expected from now on.
pub(super) fn bless(of: &Found, question: &str, figures: &Figures) -> Result<(), Error> {
    let path = of.expected();
    let expected = Expected {
        question: question.to_owned(),
        figures: figures.0.iter().cloned().collect(),
    };
    let failed = |source| Error::File { path, source };
    let text = serde_json::to_string_pretty(&expected);
    let text = text.map_err(|error| failed(error.into()))?;
    let failed = |source| Error::File {
        path: of.expected(),
        source,
    };
    std::fs::write(of.expected(), text + "\n").map_err(failed)
}

/// Where `figures` differ from what is expected.
pub(super) fn drifts(of: &Found, figures: &Figures) -> Result<Vec<Drift>, Error> {
    let refused = |problem: String| Error::Expected {
        path: of.expected(),
        problem,
        name: of.name.clone(),
    };
    let text = std::fs::read_to_string(of.expected()).map_err(|e| refused(e.to_string()))?;
    let expected: Expected = serde_json::from_str(&text).map_err(|e| refused(e.to_string()))?;
    Ok(compare(figures, expected.figures))
}

fn compare(figures: &Figures, mut expected: BTreeMap<String, Figure>) -> Vec<Drift> {
    let mut drifts = Vec::new();
    for (name, found) in &figures.0 {
        let expected = expected.remove(name);
        if !expected
            .as_ref()
            .is_some_and(|expected| equal(found, expected))
        {
            drifts.push(Drift {
                figure: name.clone(),
                found: Some(found.clone()),
                expected,
            });
        }
    }
    drifts.extend(expected.into_iter().map(|(figure, expected)| Drift {
        figure,
        found: None,
        expected: Some(expected),
    }));
    drifts
}

fn equal(found: &Figure, expected: &Figure) -> bool {
    match (found, expected) {
        (Figure::Number(found), Figure::Number(expected)) => {
            (found - expected).abs() <= TOLERANCE * expected.abs().max(1.0)
        }
        (found, expected) => found == expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: f64, expected: f64, same: bool) {
        let mut figures = Figures::default();
        figures.number("gain", found);
        let drifts = compare(
            &figures,
            [("gain".to_owned(), Figure::Number(expected))].into(),
        );
        assert_eq!(drifts.is_empty(), same, "{found} {expected}: {drifts:?}");
    }

    #[test]
    fn a_figure_is_expected_to_a_billionth() {
        check(0.5, 0.5 + 9e-10, true);
        check(0.5, 0.5 + 2e-9, false);
        check(1e6, 1e6 + 9e-4, true);
        check(f64::NAN, f64::NAN, false);
    }

    #[test]
    fn a_drift_names_the_figure_and_both_values() {
        let mut figures = Figures::default();
        figures.number("gain", 0.25);
        figures.text("refused", "too little");
        figures.number("new", 1.0);
        let expected = [
            ("gain".to_owned(), Figure::Number(0.5)),
            ("refused".to_owned(), Figure::Text("too much".to_owned())),
            ("gone".to_owned(), Figure::Number(2.0)),
        ];
        let drifts = compare(&figures, expected.into());
        let said: Vec<String> = drifts.iter().map(ToString::to_string).collect();
        assert_eq!(
            said,
            [
                "figure gain is 0.25: expected 0.5",
                "figure refused is \"too little\": expected \"too much\"",
                "figure new is 1: expected nothing",
                "figure gone is nothing: expected 2",
            ]
        );
    }
}
