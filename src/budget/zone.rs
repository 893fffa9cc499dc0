//! Time zones: when a day begins where a team lives.
//!
//! A day begins at the first moment whose local date is that day or later: where the clocks are put forward at
//! midnight, at the moment they are; where midnight comes twice, at the first; a day that a place skipped (Samoa,
//! 2011-12-30) begins where the next one does, and is empty.
//!
//! Invariants: days begin in their order; from the beginning of one to that of the next is one day, of 23, 24 or 25
//! hours as a rule.
//!
//! Not here: weeks and months ([`super::Window`]).
//!
//! Units: days are counted from 1970-01-01, local; seconds since the epoch, UTC.
//!
//! Source: the IANA time zone database, as `chrono-tz` carries it: a new rule comes with a new build, and no file of
//! the machine is read.

use crate::unit::Timestamp;
use chrono::{DateTime, Offset, TimeZone};
use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::fmt;

pub(super) const DAY_SECONDS: i64 = 86_400;

/// Further than any zone is from UTC, with what a change of it may jump over.
const FAR: i64 = 50 * 3_600;

/// A time zone of the IANA database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Zone(Tz);

impl Zone {
    /// Where every day has 24 hours.
    pub const UTC: Self = Self(Tz::UTC);

    /// By its name.
    ///
    /// ```
    /// use bellwether::budget::Zone;
    /// assert_eq!(Zone::named("Europe/Berlin").unwrap().to_string(), "Europe/Berlin");
    /// assert_eq!(Zone::named("UTC"), Some(Zone::UTC));
    /// assert_eq!(Zone::named("Berlin"), None);
    /// ```
    pub fn named(name: &str) -> Option<Self> {
        name.parse().ok().map(Self)
    }

    /// The local day that a moment lies in, counted from 1970-01-01: that of [`super::Window::Day`].
    ///
    /// ```
    /// use bellwether::budget::Zone;
    /// use bellwether::unit::Timestamp;
    /// let berlin = Zone::named("Europe/Berlin").unwrap();
    /// // 23:30 in UTC is half past midnight there.
    /// let late = Timestamp::from_micros((23 * 60 + 30) * 60_000_000);
    /// assert_eq!((Zone::UTC.day_of(late), berlin.day_of(late)), (0, 1));
    /// assert_eq!(berlin.start_of(1).micros(), 23 * 3_600_000_000);
    /// ```
    pub fn day_of(self, now: Timestamp) -> i64 {
        let second = now.micros().div_euclid(1_000_000);
        let day = self.day(second);
        // The clocks were put back over midnight: the next day has begun, though its date is still to come.
        day + i64::from(self.begins(day + 1) <= second)
    }

    /// The moment with which a local day, counted from 1970-01-01, begins.
    pub fn start_of(self, day: i64) -> Timestamp {
        Timestamp::from_micros(self.begins(day).saturating_mul(1_000_000))
    }

    /// The local day of a moment.
    pub(super) fn day(self, second: i64) -> i64 {
        second
            .saturating_add(self.offset(second))
            .div_euclid(DAY_SECONDS)
    }

    /// The moment with which a local day begins.
    pub(super) fn begins(self, day: i64) -> i64 {
        let midnight = day.saturating_mul(DAY_SECONDS);
        if self == Self::UTC {
            return midnight;
        }
        let before = self.offset(midnight.saturating_sub(FAR));
        let after = self.offset(midnight.saturating_add(FAR));
        let at = |offset: i64| midnight.saturating_sub(offset);
        let met = [before, after].map(at).into_iter();
        let met = met.filter(|second| second.saturating_add(self.offset(*second)) == midnight);
        met.min().unwrap_or_else(|| {
            self.change_within(at(before.max(after)), at(before.min(after)), midnight)
        })
    }

    /// The first second, after `low` and up to `high`, at which the local clock shows `midnight` or more: a change
    /// jumped over it.
    fn change_within(self, mut low: i64, mut high: i64, midnight: i64) -> i64 {
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            match middle.saturating_add(self.offset(middle)) >= midnight {
                true => high = middle,
                false => low = middle,
            }
        }
        high
    }

    /// How far ahead of UTC the local clock is, in seconds; 0 at the ends of time.
    fn offset(self, second: i64) -> i64 {
        let moment = DateTime::from_timestamp(second, 0).map(|utc| utc.naive_utc());
        moment.map_or(0, |moment| {
            let offset = self.0.offset_from_utc_datetime(&moment);
            i64::from(offset.fix().local_minus_utc())
        })
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.name())
    }
}

/// By its name.
impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.name().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Zone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = String::deserialize(deserializer)?;
        let unknown = || serde::de::Error::custom("no such time zone");
        Self::named(&name).ok_or_else(unknown)
    }
}
