//! Calendar windows: days, ISO weeks, months, in UTC or another time zone.
//!
//! Invariants: windows of a kind follow each other without a gap: the end of one is the start of the
//! next, and every moment lies in exactly one.
//!
//! Not here: when a day begins elsewhere than in UTC ([`Zone`]), leap seconds (a Unix day has 86,400 s).
//!
//! Source: ISO 8601 (weeks begin on Monday). Months: days since the epoch in the proleptic Gregorian
//! calendar, counted from 1 March, so that the leap day is a year's last: 400 years are 146,097 days.

use super::zone::Zone;
use crate::unit::Timestamp;
use serde::{Deserialize, Serialize};

const SECOND_MICROS: i64 = 1_000_000;

/// Days from 1 March of year 0 to 1 January 1970.
const EPOCH_DAYS: i64 = 719_468;

const DAYS_400_YEARS: i64 = 146_097;

/// A kind of calendar window.
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
    /// The start of the window in UTC that `now` lies in, and its end, the start of the next.
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
        self.around_in(Zone::UTC, now)
    }

    /// As [`Window::around`], in a time zone.
    ///
    /// ```
    /// use bellwether::budget::{Window, Zone};
    /// use bellwether::unit::Timestamp;
    /// let hour = 3_600_000_000; // microseconds
    /// let berlin = Zone::named("Europe/Berlin").unwrap();
    /// // 1970 began there an hour before it did in UTC.
    /// let (start, end) = Window::Day.around_in(berlin, Timestamp::from_micros(0));
    /// assert_eq!((start.micros() / hour, end.micros() / hour), (-1, 23));
    /// ```
    pub fn around_in(self, zone: Zone, now: Timestamp) -> (Timestamp, Timestamp) {
        let second = now.micros().div_euclid(SECOND_MICROS);
        let (mut start, mut end) = self.days(zone.day(second));
        if zone.begins(end) <= second {
            // The clocks were put back over midnight: the next window has begun, though its date is still to come.
            (start, end) = self.days(end);
        }
        (moment(zone.begins(start)), moment(zone.begins(end)))
    }

    /// The first day of the window that a day lies in, and of the next window.
    fn days(self, day: i64) -> (i64, i64) {
        match self {
            Self::Day => (day, day + 1),
            Self::Week => {
                let monday = day - (day + 3).rem_euclid(7);
                (monday, monday + 7)
            }
            Self::Month => month(day),
        }
    }
}

/// At the ends of time, that end.
fn moment(second: i64) -> Timestamp {
    Timestamp::from_micros(second.saturating_mul(SECOND_MICROS))
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

    const DAY_MICROS: i64 = crate::budget::zone::DAY_SECONDS * SECOND_MICROS;

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

    /// A moment, as RFC 3339 has it.
    fn at(text: &str) -> Timestamp {
        let moment: chrono::DateTime<chrono::Utc> = text.parse().unwrap();
        Timestamp::from_micros(moment.timestamp_micros())
    }

    /// The window around a moment, in a zone.
    fn check_in(zone: &str, window: Window, now: &str, expected: [&str; 2]) {
        let (start, end) = window.around_in(Zone::named(zone).unwrap(), at(now));
        assert_eq!(
            [start, end],
            expected.map(at),
            "{window:?} of {now} in {zone}"
        );
    }

    #[test]
    fn resets_are_those_of_the_table() {
        use Window::{Day, Month, Week};
        for (zone, window, now, start, end) in [
            // The end of a month, of a year, of a leap February and of one that is none.
            (
                "UTC",
                Month,
                "2026-01-31T23:59:59Z",
                "2026-01-01T00:00:00Z",
                "2026-02-01T00:00:00Z",
            ),
            (
                "UTC",
                Month,
                "2026-12-31T23:59:59Z",
                "2026-12-01T00:00:00Z",
                "2027-01-01T00:00:00Z",
            ),
            (
                "UTC",
                Day,
                "2028-02-29T12:00:00Z",
                "2028-02-29T00:00:00Z",
                "2028-03-01T00:00:00Z",
            ),
            (
                "UTC",
                Month,
                "2028-02-29T23:59:59Z",
                "2028-02-01T00:00:00Z",
                "2028-03-01T00:00:00Z",
            ),
            (
                "UTC",
                Month,
                "2100-02-28T23:59:59Z",
                "2100-02-01T00:00:00Z",
                "2100-03-01T00:00:00Z",
            ),
            (
                "UTC",
                Week,
                "2027-01-03T23:59:59Z",
                "2026-12-28T00:00:00Z",
                "2027-01-04T00:00:00Z",
            ),
            (
                "Asia/Tokyo",
                Month,
                "2028-02-29T14:59:59Z",
                "2028-01-31T15:00:00Z",
                "2028-02-29T15:00:00Z",
            ),
            (
                "Asia/Tokyo",
                Month,
                "2028-02-29T15:00:00Z",
                "2028-02-29T15:00:00Z",
                "2028-03-31T15:00:00Z",
            ),
            (
                "Asia/Kathmandu",
                Day,
                "2026-05-01T18:14:59Z",
                "2026-04-30T18:15:00Z",
                "2026-05-01T18:15:00Z",
            ),
            // Clocks are put forward: a day of 23 hours; and back: one of 25.
            (
                "Europe/Berlin",
                Day,
                "2026-03-29T12:00:00Z",
                "2026-03-28T23:00:00Z",
                "2026-03-29T22:00:00Z",
            ),
            (
                "Europe/Berlin",
                Day,
                "2026-10-25T12:00:00Z",
                "2026-10-24T22:00:00Z",
                "2026-10-25T23:00:00Z",
            ),
            (
                "Europe/Berlin",
                Month,
                "2026-10-31T22:59:59Z",
                "2026-09-30T22:00:00Z",
                "2026-10-31T23:00:00Z",
            ),
            (
                "America/New_York",
                Week,
                "2026-11-01T12:00:00Z",
                "2026-10-26T04:00:00Z",
                "2026-11-02T05:00:00Z",
            ),
            (
                "America/New_York",
                Month,
                "2026-03-31T12:00:00Z",
                "2026-03-01T05:00:00Z",
                "2026-04-01T04:00:00Z",
            ),
            // At midnight: there is none; there are two; and it is undone a minute after.
            (
                "America/Sao_Paulo",
                Day,
                "2018-11-04T12:00:00Z",
                "2018-11-04T03:00:00Z",
                "2018-11-05T02:00:00Z",
            ),
            (
                "America/Sao_Paulo",
                Day,
                "2018-11-04T02:59:59Z",
                "2018-11-03T03:00:00Z",
                "2018-11-04T03:00:00Z",
            ),
            (
                "America/Havana",
                Day,
                "2026-11-01T04:30:00Z",
                "2026-11-01T04:00:00Z",
                "2026-11-02T05:00:00Z",
            ),
            (
                "America/Havana",
                Day,
                "2026-11-01T05:30:00Z",
                "2026-11-01T04:00:00Z",
                "2026-11-02T05:00:00Z",
            ),
            (
                "America/St_Johns",
                Day,
                "2010-11-07T02:29:59Z",
                "2010-11-06T02:30:00Z",
                "2010-11-07T02:30:00Z",
            ),
            (
                "America/St_Johns",
                Day,
                "2010-11-07T03:00:00Z",
                "2010-11-07T02:30:00Z",
                "2010-11-08T03:30:00Z",
            ),
            // Samoa went without 2011-12-30.
            (
                "Pacific/Apia",
                Day,
                "2011-12-30T09:59:59Z",
                "2011-12-29T10:00:00Z",
                "2011-12-30T10:00:00Z",
            ),
            (
                "Pacific/Apia",
                Day,
                "2011-12-30T10:00:00Z",
                "2011-12-30T10:00:00Z",
                "2011-12-31T10:00:00Z",
            ),
        ] {
            check_in(zone, window, now, [start, end]);
        }
    }

    proptest! {
        #[test]
        fn in_every_zone_every_moment_lies_in_its_window_and_the_next_one_follows(
            // 1900 to 2100.
            second in -2_208_988_800_i64..4_102_444_800,
            zone in proptest::sample::select(&chrono_tz::TZ_VARIANTS[..]),
        ) {
            let zone = Zone::named(zone.name()).unwrap();
            let now = moment(second);
            for window in [Window::Day, Window::Week, Window::Month] {
                let (start, end) = window.around_in(zone, now);
                prop_assert!(start <= now && now < end, "{zone} {start:?} {end:?}");
                prop_assert_eq!(window.around_in(zone, start), (start, end));
                prop_assert_eq!(window.around_in(zone, end).0, end);
            }
        }

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
