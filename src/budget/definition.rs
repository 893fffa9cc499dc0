//! What a team may spend, as its configuration says and the journal keeps; and on what terms a limit is kept.
//!
//! Not here: keeping to it ([`super::Pacer`], [`super::Ledger`]).

use super::{Refill, Zone};
use crate::unit::{NanoUsd, Timestamp};
use serde::{Deserialize, Serialize};

/// A budget: at least one of the two, or there is nothing to keep to.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Budget {
    /// Mean USD a request that the pacer steers to, above 0: soft.
    pub request_usd: Option<f64>,
    /// What is never exceeded: hard.
    pub limit: Option<Limit>,
}

/// A hard limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limit {
    /// Most that is spent and reserved together.
    pub usd: NanoUsd,
    /// How it fills again.
    pub refill: Refill,
}

/// A hard limit with all that is said of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// The limit.
    pub limit: Limit,
    /// Where its windows begin.
    pub zone: Zone,
    /// Spent so much in a window, it is told.
    pub soft: Option<NanoUsd>,
    /// Most that a try of one decision may hold.
    pub decision: Option<NanoUsd>,
    /// More, for a while.
    pub raise: Option<Raise>,
}

/// A limit is so much more until then.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Raise {
    /// By how much.
    pub by: NanoUsd,
    /// Until when.
    pub until: Timestamp,
}

impl Terms {
    /// The limit with its raise, if that has not ended.
    ///
    /// ```
    /// use bellwether::budget::{Limit, Raise, Refill, Terms, Window};
    /// use bellwether::unit::{NanoUsd, Timestamp};
    /// let limit = Limit { usd: NanoUsd::new(100), refill: Refill::Calendar(Window::Month) };
    /// let until = Timestamp::from_micros(7);
    /// let raise = Some(Raise { by: NanoUsd::new(20), until });
    /// let terms = Terms { raise, ..Terms::from(limit) };
    /// let at = |micros| terms.limit_at(Timestamp::from_micros(micros)).get();
    /// assert_eq!((at(6), at(7)), (120, 100));
    /// ```
    pub fn limit_at(&self, now: Timestamp) -> NanoUsd {
        let raise = self.raise.filter(|raise| now < raise.until);
        let by = raise.map_or(0, |raise| raise.by.get());
        NanoUsd::new(self.limit.usd.get().saturating_add(by))
    }
}

/// In UTC, and nothing else said.
impl From<Limit> for Terms {
    fn from(limit: Limit) -> Self {
        Self {
            limit,
            zone: Zone::UTC,
            soft: None,
            decision: None,
            raise: None,
        }
    }
}
