//! What a hard limit holds for one request: as much as it can cost, or as much as is enough for it.
//!
//! A worst case is often many times what an answer costs: where nobody states how long it may be, it is all that
//! the arm's context holds. Holding that much of a small budget would refuse requests that the budget pays for. So
//! where a worst case is more than [`SHARE`] of what is left, less is held: at least what is enough, by what was
//! learned of the arm's answers, and at least that share; and the provider is told that no more may come of it.
//!
//! Invariants: what is held is at most what is left and at most the worst case, and at least what is enough.
//!
//! Not here: what is enough and what is worst (`route`, `eligibility`), how many tokens that pays for
//! (`eligibility::paid_output`), the account ([`super::Ledger`]).

use crate::unit::NanoUsd;

/// Of what is left, a request is held its whole worst case up to one part of so many. Ours: four requests at
/// once find room whatever they state, and who comes alone is cut short by the last parts of a budget only.
const SHARE: i64 = 4;

/// What may be held for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Least that it is asked with.
    pub enough: NanoUsd,
    /// Most that it can cost.
    pub worst: NanoUsd,
}

impl Bounds {
    /// Its worst case and nothing less.
    pub fn whole(worst: NanoUsd) -> Self {
        let enough = worst;
        Self { enough, worst }
    }

    /// Where it may hold no more than so much; `None` where that is not enough.
    ///
    /// ```
    /// use bellwether::budget::Bounds;
    /// use bellwether::unit::NanoUsd;
    /// let bounds = Bounds { enough: NanoUsd::new(10), worst: NanoUsd::new(80) };
    /// let worst = |most| bounds.within(NanoUsd::new(most)).map(|within| within.worst.get());
    /// assert_eq!((worst(90), worst(30), worst(9)), (Some(80), Some(30), None));
    /// ```
    pub fn within(self, most: NanoUsd) -> Option<Self> {
        let worst = self.worst.min(most);
        (self.enough <= most).then_some(Self { worst, ..self })
    }

    /// What is held for it where so much is left; `None` where that is not enough.
    ///
    /// ```
    /// use bellwether::budget::Bounds;
    /// use bellwether::unit::NanoUsd;
    /// let bounds = Bounds { enough: NanoUsd::new(10), worst: NanoUsd::new(80) };
    /// let held = |left| bounds.held(NanoUsd::new(left)).map(NanoUsd::get);
    /// assert_eq!(held(320), Some(80)); // a quarter of what is left
    /// assert_eq!(held(100), Some(25));
    /// assert_eq!(held(12), Some(10));
    /// assert_eq!(held(9), None);
    /// ```
    pub fn held(self, left: NanoUsd) -> Option<NanoUsd> {
        let share = NanoUsd::new(left.get() / SHARE);
        // Enough is never more than the worst case, but for a rounding of prices.
        let held = share.min(self.worst).max(self.enough);
        (self.enough <= left).then_some(held)
    }

    /// What of `held` is held where others spend from what is left too, and how much that is is not to be told: at
    /// most the share of it, down to a power of two; `None` where what is left is not enough.
    ///
    /// ```
    /// use bellwether::budget::Bounds;
    /// use bellwether::unit::NanoUsd;
    /// let bounds = Bounds { enough: NanoUsd::new(10), worst: NanoUsd::new(80) };
    /// let held = |left| bounds.capped(NanoUsd::new(80), NanoUsd::new(left)).map(NanoUsd::get);
    /// assert_eq!(held(1_000), Some(80)); // 128 is the most
    /// assert_eq!(held(200), Some(32)); // 50, to a power of two
    /// assert_eq!((held(12), held(9)), (Some(10), None));
    /// ```
    pub fn capped(self, held: NanoUsd, left: NanoUsd) -> Option<NanoUsd> {
        let share = left.get() / SHARE;
        let most = share.checked_ilog2().map_or(0, |power| 1_i64 << power);
        let held = held.min(NanoUsd::new(most)).max(self.enough);
        (self.enough <= left).then_some(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_held_is_enough_and_neither_more_than_is_left_nor_than_it_can_cost(
            enough in 0_i64..1_000, more in 0_i64..1_000_000, left in 0_i64..100_000,
        ) {
            let usd = NanoUsd::new;
            let bounds = Bounds { enough: usd(enough), worst: usd(enough + more) };
            match bounds.held(usd(left)) {
                Some(held) => {
                    prop_assert!(bounds.enough <= held && held <= bounds.worst);
                    prop_assert!(held <= usd(left));
                    prop_assert!(held == bounds.worst || held.get() >= left / SHARE);
                }
                None => prop_assert!(enough > left),
            }
        }

        #[test]
        fn a_worst_case_that_nothing_less_will_do_for_is_held_whole_or_not_at_all(
            worst in 0_i64..1_000, left in 0_i64..2_000,
        ) {
            let held = Bounds::whole(NanoUsd::new(worst)).held(NanoUsd::new(left));
            prop_assert_eq!(held.map(NanoUsd::get), (worst <= left).then_some(worst));
        }
    }
}
