//! The series of one metric: a cell for each combination of its labels' values.
//!
//! Invariants: all cells are made at the start, so there are never more series than then; one outside of the grid
//! is nobody's.
//!
//! A metric of at most one label shows all its series from the start. One of more shows those that have been told
//! of: most pairs never meet.
//!
//! Not here: what the values mean (`metrics`).

use super::cell::{Count, Times};
use super::table::{Family, Kind};
use super::text::{Page, Written, labels};

/// The series of a metric with `D` labels.
#[derive(Debug)]
pub(super) struct Grid<T, const D: usize> {
    family: &'static Family,
    /// Of each label.
    values: [Vec<String>; D],
    /// Those of the last label stand together.
    cells: Box<[T]>,
}

impl<const D: usize> Grid<Count, D> {
    pub(super) fn counts(family: &'static Family, values: [Vec<String>; D]) -> Self {
        Self::new(family, values, Count::default)
    }
}

impl<const D: usize> Grid<Times, D> {
    pub(super) fn times(family: &'static Family, values: [Vec<String>; D]) -> Self {
        let bounds = match family.kind {
            Kind::Histogram(bounds) => bounds,
            _ => &[],
        };
        Self::new(family, values, || Times::new(bounds))
    }
}

impl<T: Written, const D: usize> Grid<T, D> {
    fn new(family: &'static Family, values: [Vec<String>; D], cell: impl Fn() -> T) -> Self {
        let size = values.iter().map(Vec::len).product();
        Self {
            family,
            values,
            cells: (0..size).map(|_| cell()).collect(),
        }
    }

    /// The cell of these values, by their places.
    pub(super) fn at(&self, place: [usize; D]) -> Option<&T> {
        let mut index = 0;
        for (place, values) in place.into_iter().zip(&self.values) {
            if place >= values.len() {
                return None;
            }
            index = index * values.len() + place;
        }
        self.cells.get(index)
    }

    /// Writes its series.
    pub(super) fn write(&self, page: &mut Page) {
        if self.cells.is_empty() {
            return;
        }
        page.head(self.family);
        for (index, cell) in self.cells.iter().enumerate() {
            if D <= 1 || !cell.is_untouched() {
                cell.write(self.family, &self.labels(index), page);
            }
        }
    }

    fn labels(&self, index: usize) -> String {
        let mut rest = index;
        let mut said = [""; D];
        for (said, values) in said.iter_mut().zip(&self.values).rev() {
            if let Some(value) = values.get(rest % values.len()) {
                *said = value;
            }
            rest /= values.len();
        }
        labels(self.family.labels.iter().copied().zip(said))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAIRS: Family = Family {
        name: "pairs_total",
        kind: Kind::Counter,
        help: "Pairs.",
        labels: &["a", "b"],
    };

    fn values(words: &[&str]) -> Vec<String> {
        words.iter().map(ToString::to_string).collect()
    }

    fn check(told: &[[usize; 2]], expected: &str) {
        let grid = Grid::counts(&PAIRS, [values(&["x", "y"]), values(&["1", "2", "3"])]);
        for place in told {
            if let Some(cell) = grid.at(*place) {
                cell.add(1);
            }
        }
        let mut page = Page::default();
        grid.write(&mut page);
        let head = "# HELP pairs_total Pairs.\n# TYPE pairs_total counter\n";
        assert_eq!(page.finish(), format!("{head}{expected}"));
    }

    #[test]
    fn each_pair_has_a_cell_of_its_own_and_shows_once_told_of() {
        check(&[], "");
        check(&[[1, 0], [1, 0]], "pairs_total{a=\"y\",b=\"1\"} 2\n");
        check(
            &[[0, 2], [1, 2]],
            "pairs_total{a=\"x\",b=\"3\"} 1\npairs_total{a=\"y\",b=\"3\"} 1\n",
        );
    }

    #[test]
    fn what_is_outside_of_the_grid_is_nobodys() {
        check(&[[0, 3], [2, 0], [usize::MAX, usize::MAX]], "");
    }

    #[test]
    fn a_metric_without_labels_is_one_line_from_the_start() {
        const ONE: Family = Family {
            labels: &[],
            ..PAIRS
        };
        let mut page = Page::default();
        Grid::<Count, 0>::counts(&ONE, []).write(&mut page);
        assert!(page.finish().ends_with("\npairs_total 0\n"));
    }
}
