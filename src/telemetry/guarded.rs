//! What guardrails found, by what they did and the kind.
//!
//! Not here: the other metrics (`metrics`).

use super::cell::Count;
use super::grid::Grid;
use super::metrics::Metrics;
use super::table;
use super::text::Page;

/// The cells, and what their labels' values are.
#[derive(Debug)]
pub(super) struct Guarded {
    actions: Vec<&'static str>,
    kinds: Vec<&'static str>,
    requests: Grid<Count, 2>,
}

impl Guarded {
    pub(super) fn new(actions: Vec<&'static str>, kinds: Vec<&'static str>) -> Self {
        let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
        let requests = Grid::counts(&table::GUARDRAIL, [words(&actions), words(&kinds)]);
        Self {
            actions,
            kinds,
            requests,
        }
    }

    pub(super) fn write(&self, page: &mut Page) {
        self.requests.write(page);
    }
}

impl Metrics {
    /// A guardrail found something of these kinds in a request, and did this.
    pub fn guardrail<'a>(&self, action: &str, kinds: impl IntoIterator<Item = &'a str>) {
        let place = |all: &[&str], word: &str| all.iter().position(|known| *known == word);
        let guarded = &self.guarded;
        for kind in kinds {
            let cell = place(&guarded.actions, action).zip(place(&guarded.kinds, kind));
            if let Some(cell) = cell.and_then(|(action, kind)| guarded.requests.at([action, kind]))
            {
                cell.add(1);
            }
        }
    }
}
