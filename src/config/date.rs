//! A calendar date as the midnight, UTC, with which it begins.
//!
//! Source: days since the epoch in the proleptic Gregorian calendar, counted from 1 March so that the
//! leap day is a year's last: day of the year = (153 m + 2) / 5 + d, 400 years = 146,097 days.

use crate::unit::Timestamp;

const DAY_MICROS: i64 = 86_400_000_000;

/// Reads `YYYY-MM-DD`, years 1970 to 9999.
pub(super) fn midnight(text: &str) -> Option<Timestamp> {
    let mut parts = text.split('-');
    let mut part = |digits: usize| {
        let text = parts.next()?;
        let plain = text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        plain.then(|| text.parse::<i64>().ok()).flatten()
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let days = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if parts.next().is_some() || year < 1970 || !(1..=days).contains(&day) {
        return None;
    }
    Some(Timestamp::from_micros(
        days_since_epoch(year, month, day) * DAY_MICROS,
    ))
}

/// Reads a day as `YYYY-MM-DD` (its midnight) or a moment as `YYYY-MM-DDTHH:MM:SSZ`, both UTC.
///
/// ```
/// use bellwether::config::time;
/// assert_eq!(time("1970-01-02").unwrap().micros(), 86_400_000_000);
/// assert_eq!(time("1970-01-01T00:01:01Z").unwrap().micros(), 61_000_000);
/// assert_eq!(time("yesterday"), None);
/// ```
pub fn time(text: &str) -> Option<Timestamp> {
    let Some((day, clock)) = text.split_once('T') else {
        return midnight(text);
    };
    let mut parts = clock.strip_suffix('Z')?.split(':');
    let mut part = |most: i64| {
        let text = parts
            .next()
            .filter(|t| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit()))?;
        text.parse::<i64>().ok().filter(|value| *value <= most)
    };
    let (hours, minutes, seconds) = (part(23)?, part(59)?, part(59)?);
    let seconds = (hours * 60 + minutes) * 60 + seconds;
    parts.next().is_none().then_some(())?;
    Some(Timestamp::from_micros(
        midnight(day)?.micros() + seconds * 1_000_000,
    ))
}

fn days_since_epoch(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let leap_days = year / 4 - year / 100 + year / 400;
    // 719,469 = days from 1 March of year 0 to 1 January 1970, plus the 1 with which days begin.
    year * 365 + leap_days + (153 * month + 2) / 5 + day - 719_469
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, seconds: Option<i64>) {
        let found = midnight(text).map(|t| t.micros() / 1_000_000);
        assert_eq!(found, seconds, "{text}");
    }

    #[test]
    fn known_midnights_are_met() {
        check("1970-01-01", Some(0));
        check("1970-03-01", Some(59 * 86_400));
        check("2000-02-29", Some(951_782_400));
        check("2000-03-01", Some(951_868_800));
        check("2026-01-01", Some(1_767_225_600));
        check("9999-12-31", Some(253_402_214_400));
    }

    #[test]
    fn each_day_follows_the_one_before() {
        let mut last = None;
        for year in 1970..2110 {
            for month in 1..=12 {
                for day in 1..=31 {
                    let text = format!("{year}-{month:02}-{day:02}");
                    if let Some(now) = midnight(&text).map(Timestamp::micros) {
                        let expected = last.map_or(0, |micros| micros + DAY_MICROS);
                        assert_eq!(now, expected, "{text}");
                        let date = Timestamp::from_micros(now + DAY_MICROS - 1).date();
                        assert_eq!(date, (year, month, day));
                        last = Some(now);
                    }
                }
            }
        }
    }

    #[test]
    fn what_is_no_date_is_refused() {
        for text in [
            "",
            "2026",
            "2026-1-1",
            "2026-13-01",
            "2026-00-10",
            "2026-02-29",
            "2100-02-29",
            "1969-12-31",
            "2026-04-31",
            "2026-01-01-01",
            "2026-01-01T00:00:00Z",
            "+026-01-01",
            "2026-01-00",
        ] {
            check(text, None);
        }
    }
}
