//! Calendar windows in UTC: days, ISO weeks, months.
//!
//! Invariants: windows of a kind follow each other without a gap: the end of one is the start of the
//! next, and every moment lies in exactly one.
//!
//! Not here: other time zones, leap seconds (a Unix day has 86,400 s).
//!
//! Source: ISO 8601 (weeks begin on Monday). Months: days since the epoch in the proleptic Gregorian
//! calendar, counted from 1 March, so that the leap day is a year's last: 400 years are 146,097 days.

use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

const DAY_MICROS: i64 = 86_400_000_000;

/// Days from 1 March of year 0 to 1 January 1970.
const EPOCH_DAYS: i64 = 719_468;

const DAYS_400_YEARS: i64 = 146_097;

/// A kind of calendar window, in UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Window {
    /// From midnight to midnight.
    Day,
    /// From Monday's midnight to the next.
    Week,
    /// From the first of the month to the first of the next.
    Month,
}

impl Window {
    /// The start of the window that `now` lies in, and its end, the start of the next.
    ///
    /// ```
    /// use bellwether::budget::Window;
    /// use bellwether::unit::Timestamp;
    /// let day = 86_400_000_000; // microseconds
    /// // 1970-01-01 was a Thursday; its week began on 1969-12-29 and January has 31 days.
    /// let noon = Timestamp::from_micros(day / 2);
    /// let days = |window: Window| {
    ///     let (start, end) = window.around(noon);
    ///     (start.micros() / day, end.micros() / day)
    /// };
    /// assert_eq!(days(Window::Day), (0, 1));
    /// assert_eq!(days(Window::Week), (-3, 4));
    /// assert_eq!(days(Window::Month), (0, 31));
    /// ```
    pub fn around(self, now: Timestamp) -> (Timestamp, Timestamp) {
        let day = now.micros().div_euclid(DAY_MICROS);
        let (start, end) = match self {
            Self::Day => (day, day + 1),
            Self::Week => {
                let monday = day - (day + 3).rem_euclid(7);
                (monday, monday + 7)
            }
            Self::Month => month(day),
        };
        (midnight(start), midnight(end))
    }
}

/// The midnight that a day begins with; at the ends of time, that end.
fn midnight(day: i64) -> Timestamp {
    Timestamp::from_micros(day.saturating_mul(DAY_MICROS))
}

/// The first day of the month that `day` lies in, and of the next, in days since the epoch.
fn month(day: i64) -> (i64, i64) {
    let shifted = day + EPOCH_DAYS;
    let era = shifted.div_euclid(DAYS_400_YEARS);
    let of_era = shifted.rem_euclid(DAYS_400_YEARS);
    // Years of the era so far: without the leap days of 4 years, of 100, and of 400.
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let start_of_year = 365 * year + year / 4 - year / 100;
    let month = (5 * (of_era - start_of_year) + 2) / 153;
    let base = era * DAYS_400_YEARS - EPOCH_DAYS;
    let first = |month: i64| base + start_of_year + (153 * month + 2) / 5;
    let start = first(month);
    // February ends where the next year, counted from March, begins.
    let end = if month == 11 {
        let next = year + 1;
        base + 365 * next + next / 4 - next / 100 + next / 400
    } else {
        first(month + 1)
    };
    (start, end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The days, since the epoch, of the window around `day`.
    fn check(window: Window, day: i64, expected: (i64, i64)) {
        let (start, end) = window.around(Timestamp::from_micros(day * DAY_MICROS + 1));
        let days = (start.micros() / DAY_MICROS, end.micros() / DAY_MICROS);
        assert_eq!(days, expected, "{window:?} of day {day}");
    }

    #[test]
    fn known_months_are_met() {
        // February 2000 (leap) begins on day 10,988; March on 11,017.
        check(Window::Month, 10_988, (10_988, 11_017));
        check(Window::Month, 11_016, (10_988, 11_017));
        check(Window::Month, 11_017, (11_017, 11_048));
        // February 2100 (no leap year) begins on day 47,513 and has 28 days.
        check(Window::Month, 47_540, (47_513, 47_541));
        // December 1969.
        check(Window::Month, -1, (-31, 0));
        // 2026-01-01 is day 20,454.
        check(Window::Month, 20_454, (20_454, 20_485));
    }

    #[test]
    fn weeks_begin_on_monday() {
        // 2026-01-01 was a Thursday: Monday 2025-12-29 is day 20,451.
        check(Window::Week, 20_454, (20_451, 20_458));
        check(Window::Week, 20_451, (20_451, 20_458));
        check(Window::Week, 20_450, (20_444, 20_451));
    }

    #[test]
    fn a_window_begins_at_its_first_microsecond() {
        let midnight = Timestamp::from_micros(5 * DAY_MICROS);
        assert_eq!(Window::Day.around(midnight).0, midnight);
        let before = Timestamp::from_micros(5 * DAY_MICROS - 1);
        assert_eq!(Window::Day.around(before).1, midnight);
    }

    #[test]
    fn months_have_28_to_31_days_and_twelve_make_a_year() {
        let mut day = 0;
        for year in 0..800 {
            let start = day;
            for _ in 0..12 {
                let (from, to) = month(day);
                assert_eq!(from, day);
                assert!((28..=31).contains(&(to - from)));
                day = to;
            }
            let full = 1970 + year;
            let leap = full % 4 == 0 && (full % 100 != 0 || full % 400 == 0);
            assert_eq!(day - start, 365 + i64::from(leap), "{full}");
        }
    }

    proptest! {
        #[test]
        fn every_moment_lies_in_its_window_and_the_next_one_follows(micros in any::<i64>()) {
            let now = Timestamp::from_micros(micros);
            for window in [Window::Day, Window::Week, Window::Month] {
                let (start, end) = window.around(now);
                prop_assert!(start <= now && (now < end || end.micros() == i64::MAX));
                if end.micros() < i64::MAX {
                    prop_assert_eq!(window.around(end).0, end);
                }
            }
        }
    }
}
