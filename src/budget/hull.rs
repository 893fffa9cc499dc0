//! What mixes of fixed offers buy: the upper hull of their costs and scores.
//!
//! Invariants: a hull starts at the cheapest offer and never falls; its slopes fall; below its first cost
//! nothing can be bought.
//!
//! Not here: whose offers they are: an arm's means over a whole table (`replay`), or the arms of one
//! request (the pacer).
//!
//! Units: cost in USD a request, scores in quality points.
//!
//! Source: SCIENCE 3.5 (the zero router of `RouterBench`, Hu et al. 2024) and 5.

use serde::{Deserialize, Serialize};

/// Upper, non-decreasing convex hull of (cost, score): what a coin flip between two fixed arms earns
/// at each mean cost. The honest rival of any claim of a saving.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(from = "Vec<(f64, f64)>")]
pub struct Hull(Vec<(f64, f64)>);

impl Hull {
    /// The hull of `points`; those that are not finite are passed over.
    ///
    /// ```
    /// use bellwether::budget::Hull;
    /// // The middle arm lies under the line from the cheap to the dear one; the last is dominated.
    /// let hull = Hull::of(&[(1.0, 0.5), (2.0, 0.6), (3.0, 0.9), (4.0, 0.8)]);
    /// assert_eq!(hull.points(), &[(1.0, 0.5), (3.0, 0.9)]);
    /// assert!((hull.at(2.0).unwrap() - 0.7).abs() < 1e-15);
    /// assert_eq!((hull.at(0.5), hull.at(9.0)), (None, Some(0.9)));
    /// ```
    pub fn of(points: &[(f64, f64)]) -> Self {
        let mut sorted: Vec<(f64, f64)> = points
            .iter()
            .copied()
            .filter(|(cost, score)| cost.is_finite() && score.is_finite())
            .collect();
        sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(b.1.total_cmp(&a.1)));
        let mut hull: Vec<(f64, f64)> = Vec::new();
        for point in sorted {
            if hull.last().is_some_and(|last| point.1 <= last.1) {
                continue;
            }
            while let [.., a, b] = hull.as_slice()
                && (b.1 - a.1) * (point.0 - a.0) <= (point.1 - a.1) * (b.0 - a.0)
            {
                hull.pop();
            }
            hull.push(point);
        }
        Self(hull)
    }

    /// Its corners, by rising cost.
    ///
    /// ```
    /// use bellwether::budget::Hull;
    /// let hull = Hull::of(&[(2.0, 0.7), (1.0, 0.5)]);
    /// assert_eq!(hull.points(), &[(1.0, 0.5), (2.0, 0.7)]);
    /// ```
    pub fn points(&self) -> &[(f64, f64)] {
        &self.0
    }

    /// The best score at a mean cost of at most `cost`; nothing where no arm is that cheap.
    ///
    /// ```
    /// use bellwether::budget::Hull;
    /// // A quarter of the way from 1 to 3 USD: 0.5 + 0.25 * 0.4.
    /// let hull = Hull::of(&[(1.0, 0.5), (3.0, 0.9)]);
    /// assert!((hull.at(1.5).unwrap() - 0.6).abs() < 1e-15);
    /// ```
    pub fn at(&self, cost: f64) -> Option<f64> {
        let above = self.0.iter().position(|(c, _)| *c > cost);
        match above {
            None => self.0.last().map(|(_, score)| *score),
            Some(index) => {
                let (left, right) = (self.0.get(index.checked_sub(1)?)?, self.0.get(index)?);
                let share = (cost - left.0) / (right.0 - left.0);
                Some(left.1 + share * (right.1 - left.1))
            }
        }
    }

    /// The area under it from one cost to another, flat beyond its last corner; nothing where it does not
    /// reach down to `from`, or where the two are no range.
    ///
    /// ```
    /// use bellwether::budget::Hull;
    /// // From 1 to 3 USD the mean height is 0.7: an area of 1.4; from 3 to 4 it is flat at 0.9.
    /// let hull = Hull::of(&[(1.0, 0.5), (3.0, 0.9)]);
    /// assert!((hull.area(1.0, 4.0).unwrap() - 2.3).abs() < 1e-15);
    /// assert_eq!((hull.area(0.5, 4.0), hull.area(4.0, 3.0)), (None, None));
    /// ```
    pub fn area(&self, from: f64, to: f64) -> Option<f64> {
        let mut left = (from, self.at(from)?);
        (to >= from && to.is_finite()).then_some(())?;
        let inner = self.0.iter().filter(|(cost, _)| *cost > from && *cost < to);
        let mut area = 0.0;
        for right in inner.copied().chain([(to, self.at(to)?)]) {
            area += (right.0 - left.0) * (left.1 + right.1) / 2.0;
            left = right;
        }
        Some(area)
    }

    /// Its edges: what each costs more than the one before, and the score it adds per USD; the slopes
    /// fall.
    ///
    /// ```
    /// use bellwether::budget::Hull;
    /// // From 1 to 2 USD: 0.5 points for 1 USD. From 2 to 4 USD: 0.5 points for 2 USD.
    /// let hull = Hull::of(&[(1.0, 0.0), (2.0, 0.5), (4.0, 1.0)]);
    /// let edges: Vec<(f64, f64)> = hull.edges().collect();
    /// assert_eq!(edges, [(1.0, 0.5), (2.0, 0.25)]);
    /// ```
    pub fn edges(&self) -> impl Iterator<Item = (f64, f64)> {
        let pairs = self.0.iter().zip(self.0.iter().skip(1));
        pairs.map(|(left, right)| {
            let cost = right.0 - left.0;
            (cost, (right.1 - left.1) / cost)
        })
    }
}

/// What was written down is built again, so that a hull that was read is one.
impl From<Vec<(f64, f64)>> for Hull {
    fn from(points: Vec<(f64, f64)>) -> Self {
        Self::of(&points)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hull_is_above_every_arm_and_bends_down() {
        let points = [
            (3.0, 0.3),
            (1.0, 0.1),
            (2.0, 0.4),
            (5.0, 0.6),
            (9.0, 0.5),
            (1.0, 0.2),
        ];
        let hull = Hull::of(&points);
        for (cost, score) in points {
            assert!(hull.at(cost).unwrap() >= score - 1e-15);
        }
        let slopes: Vec<f64> = hull.edges().map(|(_, slope)| slope).collect();
        assert!(slopes.windows(2).all(|w| w[0] > w[1]) && slopes.iter().all(|s| *s > 0.0));
        assert_eq!(hull.points()[0], (1.0, 0.2));
        assert_eq!(Hull::of(&[]).at(1.0), None);
    }
}
