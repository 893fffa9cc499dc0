//! What a ledger that was read from disk is asked before it is used.
//!
//! Not here: the account itself ([`super`]), who writes it down (`account`, `store`).
//!
//! Units: nano-dollars.

use super::Ledger;
use crate::budget::{Refill, Reservation, Zone};
use crate::unit::{NanoUsd, Timestamp};

impl Ledger {
    /// Whether the state can serve: asked of whatever was read from disk, before it is used.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let ledger = Ledger::new(NanoUsd::new(100), Refill::Calendar(Window::Day), now).unwrap();
    /// assert!(ledger.is_whole());
    /// ```
    pub fn is_whole(&self) -> bool {
        let sum = self.open.values().try_fold(0_i64, |sum, held| {
            (*held >= 0).then(|| sum.checked_add(*held)).flatten()
        });
        let next = self
            .open
            .last_key_value()
            .is_none_or(|(held, _)| held.0 < self.next);
        let rate = match self.refill {
            Refill::Calendar(_) => 0,
            Refill::PerSecond(rate) => rate.get(),
        };
        let least = [self.limit.get(), self.overrun, rate];
        let spent = self.spent.is_whole();
        sum == Some(self.reserved) && next && spent && least.iter().all(|value| *value >= 0)
    }

    /// What a reservation holds; `None` where it is not open.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let daily = Refill::Calendar(Window::Day);
    /// let mut ledger = Ledger::new(NanoUsd::new(100), daily, now).unwrap();
    /// let held = ledger.reserve(NanoUsd::new(30), now).unwrap();
    /// assert_eq!(ledger.held(held), Some(NanoUsd::new(30)));
    /// ledger.release(held, now).unwrap();
    /// assert_eq!(ledger.held(held), None);
    /// ```
    pub fn held(&self, held: Reservation) -> Option<NanoUsd> {
        self.open.get(&held).copied().map(NanoUsd::new)
    }

    /// Where its windows begin.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window, Zone};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let ledger = Ledger::new(NanoUsd::new(100), Refill::Calendar(Window::Day), now).unwrap();
    /// assert_eq!(ledger.zone(), Zone::UTC);
    /// ```
    pub fn zone(&self) -> Zone {
        self.zone
    }

    /// When the window that `now` lies in ends; `None` where it fills steadily.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let now = Timestamp::from_micros(0);
    /// let ledger = Ledger::new(NanoUsd::new(100), Refill::Calendar(Window::Day), now).unwrap();
    /// assert_eq!(ledger.resets(now).map(Timestamp::micros), Some(86_400_000_000));
    /// ```
    pub fn resets(&self, now: Timestamp) -> Option<Timestamp> {
        match self.refill {
            Refill::Calendar(window) => Some(window.around_in(self.zone, now).1),
            Refill::PerSecond(_) => None,
        }
    }

    /// How the limit fills again.
    ///
    /// ```
    /// use bellwether::budget::{Ledger, Refill, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let daily = Refill::Calendar(Window::Day);
    /// let ledger = Ledger::new(NanoUsd::new(100), daily, Timestamp::from_micros(0)).unwrap();
    /// assert_eq!(ledger.refill(), daily);
    /// ```
    pub fn refill(&self) -> Refill {
        self.refill
    }
}
