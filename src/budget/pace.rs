//! Where a budget stands between two requests: what choosing asks of it, in a few numbers.
//!
//! Invariants: the price is finite, at least 0 and at most [`Pace::ceiling`].
//!
//! Not here: how it moves ([`super::Pacer`]).
//!
//! Units: cost in USD, price in quality points per USD.
//!
//! Source: SCIENCE 2.6.

use super::{Params, Price};
use serde::{Deserialize, Serialize};

/// Exploring costs at most this share of the budget.
const EXPLORED: f64 = 0.05;

/// An arm that costs more than this many requests' budgets is not forced.
const FORCED: f64 = 10.0;

/// Least share of requests that forced pulls get while any are owed.
const LEAST_FORCED: f64 = 0.02;

/// The ceiling of the price: a thousandth of B is worth a whole point.
const CEILING: f64 = 1000.0;

/// Where a budget stands: the price, the balance and what they are kept to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pace {
    pub(super) params: Params,
    /// B for each request so far minus what was spent, at most `horizon` B.
    pub(super) balance_usd: f64,
    pub(super) price: Price,
}

impl Pace {
    /// What a dollar costs: utility = quality - price x cost.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let pacer = Pacer::new(Params::new(0.01)).unwrap();
    /// assert_eq!(pacer.pace().price().draw(0.5), 100.0);
    /// ```
    pub fn price(&self) -> Price {
        self.price
    }

    /// The highest price there is: a thousandth of B for a whole point. Nothing but the cheapest is
    /// bought at it.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let pacer = Pacer::new(Params::new(0.01)).unwrap();
    /// assert_eq!(pacer.pace().ceiling(), 100_000.0);
    /// ```
    pub fn ceiling(&self) -> f64 {
        CEILING / self.params.request_usd
    }

    /// What it keeps to.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let pacer = Pacer::new(Params::new(0.01)).unwrap();
    /// assert_eq!(pacer.pace().params().request_usd, 0.01);
    /// ```
    pub fn params(&self) -> &Params {
        &self.params
    }

    /// B for each request so far minus what was spent; negative: debt.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let mut pacer = Pacer::new(Params::new(1.0)).unwrap();
    /// pacer.record(0.25).unwrap();
    /// pacer.record(2.0).unwrap();
    /// assert_eq!(pacer.pace().balance_usd(), -0.25); // 2 x 1 - 2.25
    /// ```
    pub fn balance_usd(&self) -> f64 {
        self.balance_usd
    }

    /// Whether a request may go to an arm of this expected cost: at most `slack` requests' budgets, less
    /// what is owed; savings add nothing. One that costs no more than B may always, for it adds nothing to
    /// what is owed. So may the cheapest arm, and an arm of which no cost is known: that is for the caller
    /// to say, who knows which they are.
    ///
    /// Why up to B always: the first try of an arm may cost more than `slack` requests' budgets. Until the
    /// debt was back below, only the cheapest arm was left, though a better one within B pays it back as
    /// well: 8 to 20 requests of the first 1,824, 0.001 points (three arms, 20 runs).
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// // At 1 USD a request, up to 20 requests' budgets of debt.
    /// let mut pacer = Pacer::new(Params::new(1.0)).unwrap();
    /// assert!(pacer.pace().allows(20.0) && !pacer.pace().allows(20.5));
    /// pacer.record(4.0).unwrap(); // 3 more than B
    /// assert!(pacer.pace().allows(17.0) && !pacer.pace().allows(17.5));
    /// pacer.record(50.0).unwrap(); // what was never tried may cost anything
    /// assert!(pacer.pace().allows(1.0) && !pacer.pace().allows(1.5));
    /// ```
    pub fn allows(&self, cost_usd: f64) -> bool {
        let Params {
            request_usd, slack, ..
        } = self.params;
        cost_usd <= request_usd || cost_usd <= slack * request_usd + self.balance_usd.min(0.0)
    }

    /// The largest floor of the exploration that an arm of this expected cost may have among `arms`
    /// arms: exploring costs at most a twentieth of the budget.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let pacer = Pacer::new(Params::new(1.0)).unwrap();
    /// // A twentieth of 1 USD, shared by 2 arms, buys 1 in 400 requests at 10 USD.
    /// assert!((pacer.pace().floor_cap(10.0, 2) - 0.0025).abs() < 1e-15);
    /// assert_eq!(pacer.pace().floor_cap(0.0, 2), 1.0);
    /// ```
    pub fn floor_cap(&self, cost_usd: f64, arms: usize) -> f64 {
        let share = EXPLORED * self.params.request_usd / arms.max(1) as f64;
        if cost_usd > share {
            share / cost_usd
        } else {
            1.0
        }
    }

    /// Whether a new arm of this expected cost gets forced pulls: not above ten requests' budgets.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let pacer = Pacer::new(Params::new(1.0)).unwrap();
    /// assert!(pacer.pace().forces(10.0) && !pacer.pace().forces(10.5));
    /// ```
    pub fn forces(&self, cost_usd: f64) -> bool {
        cost_usd <= FORCED * self.params.request_usd
    }

    /// The share of requests that forced pulls get, so that they cost B in the mean with the others going to
    /// the cheapest arm; everything while there are savings to spend, never nothing.
    /// `forced_usd` is the mean expected cost of the arms that are owed a pull.
    ///
    /// ```
    /// use bellwether::budget::{Pacer, Params};
    /// let mut pacer = Pacer::new(Params::new(1.0)).unwrap();
    /// // 0.125 x 4.5 + 0.875 x 0.5 = 1.
    /// assert_eq!(pacer.pace().forced_share(0.5, 4.5), 0.125);
    /// assert_eq!(pacer.pace().forced_share(0.5, 0.9), 1.0);
    /// pacer.record(0.0).unwrap();
    /// pacer.record(0.0).unwrap(); // 2 USD saved
    /// assert_eq!(pacer.pace().forced_share(0.5, 4.5), 1.0);
    /// ```
    pub fn forced_share(&self, cheapest_usd: f64, forced_usd: f64) -> f64 {
        let budget = self.params.request_usd;
        if forced_usd <= budget || forced_usd <= cheapest_usd || self.balance_usd > budget {
            return 1.0;
        }
        let share = (budget - cheapest_usd) / (forced_usd - cheapest_usd);
        share.clamp(LEAST_FORCED, 1.0)
    }

    pub(super) fn is_whole(&self) -> bool {
        let price = self.price.is_whole(self.ceiling());
        self.params.check().is_ok() && price && self.balance_usd.is_finite()
    }
}
