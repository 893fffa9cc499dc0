//! The price of a dollar in quality points, or two of them where no one price spends the money.
//!
//! Invariants: `low` is at most `high`; `share` is in 0 to 1.
//!
//! Not here: whose edges they are, and what may be spent on them ([`super::Pacer`]).
//!
//! Units: quality points per USD.
//!
//! Source: Sinha and Zoltners 1979: the multiple-choice knapsack, relaxed, buys the edges of all hulls,
//! the steepest first.

use serde::{Deserialize, Serialize};

/// How far the two prices lie from the slope at which the money ends, as a factor.
const LEAN: f64 = 1.05;

/// What a dollar costs, in quality points: one of two prices, drawn anew for each request.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Price {
    /// The lower price.
    pub low: f64,
    /// The higher price.
    pub high: f64,
    /// Share of requests that meet the lower one, 0 to 1.
    pub share: f64,
}

impl Price {
    /// One price for all.
    ///
    /// ```
    /// use bellwether::budget::Price;
    /// assert_eq!(Price::flat(3.0).draw(0.7), 3.0);
    /// ```
    pub fn flat(price: f64) -> Self {
        Self {
            low: price,
            high: price,
            share: 1.0,
        }
    }

    /// The price that a request meets: one uniform in [0, 1), one price. It is logged with the decision,
    /// whose pmf is then the one at this price.
    ///
    /// ```
    /// use bellwether::budget::Price;
    /// let price = Price { low: 1.0, high: 2.0, share: 0.25 };
    /// assert_eq!((price.draw(0.2), price.draw(0.25)), (1.0, 2.0));
    /// ```
    pub fn draw(self, uniform: f64) -> f64 {
        if uniform < self.share {
            self.low
        } else {
            self.high
        }
    }

    /// The price at which `money` buys the edges (cost, slope), steepest first; `ceiling` where there is
    /// no money.
    pub(super) fn at_which(money: f64, edges: &[(f64, f64)], ceiling: f64) -> Self {
        if money <= 0.0 {
            return Self::flat(ceiling);
        }
        let mut left = money;
        let end = edges.iter().find(|(cost, _)| {
            left -= cost;
            left <= 0.0
        });
        let Some((_, slope)) = end else {
            return Self::flat(0.0);
        };
        let (low, high) = (slope / LEAN, slope * LEAN);
        let above = edges.iter().take_while(|(_, s)| *s > high);
        let bought: f64 = above.map(|(cost, _)| cost).sum();
        let between = edges.iter().filter(|(_, s)| (low..=high).contains(s));
        let asked: f64 = between.map(|(cost, _)| cost).sum();
        Self {
            low: low.min(ceiling),
            high: high.min(ceiling),
            share: ((money - bought) / asked).clamp(0.0, 1.0),
        }
    }

    /// Whether it is one, below the ceiling.
    pub(super) fn is_whole(self, ceiling: f64) -> bool {
        let ordered = 0.0 <= self.low && self.low <= self.high && self.high <= ceiling;
        ordered && (0.0..=1.0).contains(&self.share)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The edge at which the money ends, and the share of it that is bought.
    fn check(money: f64, slope: f64, share: f64) {
        // 1 USD at 4 points per USD, twice 2 USD at 1, 1 USD at 0.5.
        let edges = [(1.0, 4.0), (2.0, 1.0), (2.0, 1.0), (1.0, 0.5)];
        let price = Price::at_which(money, &edges, 100.0);
        assert!(
            (price.low - slope / LEAN).abs() < 1e-12,
            "{money}: {price:?}"
        );
        assert!(
            (price.high - slope * LEAN).abs() < 1e-12,
            "{money}: {price:?}"
        );
        assert!((price.share - share).abs() < 1e-12, "{money}: {price:?}");
    }

    #[test]
    fn equal_edges_share_the_money_that_reaches_them() {
        check(0.5, 4.0, 0.5);
        check(1.0, 4.0, 1.0);
        check(2.0, 1.0, 0.25);
        check(4.0, 1.0, 0.75);
        check(5.5, 0.5, 0.5);
    }

    #[test]
    fn no_money_is_the_ceiling_and_more_than_enough_is_free() {
        let edges = [(1.0, 4.0)];
        assert_eq!(Price::at_which(0.0, &edges, 100.0), Price::flat(100.0));
        assert_eq!(Price::at_which(1.5, &edges, 100.0), Price::flat(0.0));
        assert_eq!(Price::at_which(0.5, &edges, 3.0).high, 3.0);
        assert_eq!(Price::at_which(1.0, &[], 100.0), Price::flat(0.0));
    }
}
