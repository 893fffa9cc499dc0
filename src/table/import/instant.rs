//! A moment as other projects write it, in microseconds from the beginning of 1970.
//!
//! Read are `2026-05-01T12:00:00.25Z`, a blank for the T, an offset as `+02:00`, `+0200` or `+02` (none is UTC), and
//! seconds from 1970 as a number. What is finer than a microsecond is cut off.
//!
//! Source: days from the civil calendar as in Howard Hinnant's "chrono-compatible low-level date algorithms".

/// What may be said.
pub(super) const EXPECTED: &str =
    "a time such as 2026-05-01T12:00:00.25Z, or seconds from 1970 as a number";

/// Microseconds of a text.
pub(super) fn micros(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        // The year 5138; beyond it stand those who count milliseconds.
        let sound = (0.0..1e11).contains(&seconds);
        return sound.then(|| (seconds * 1e6).round() as i64);
    }
    let (date, clock) = text.split_once(['T', ' '])?;
    let [year, month, day] = parts(date, '-')?;
    let (clock, offset) = match clock.find(['Z', '+', '-']) {
        Some(at) => (clock.get(..at)?, offset(clock.get(at..)?)?),
        None => (clock, 0),
    };
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let [hour, minute, second] = parts(clock, ':')?;
    let sound = (1..=9999).contains(&year)
        && (1..=12).contains(&month)
        && (1..=days_in(year, month)).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    let seconds = days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset;
    sound.then_some(())?;
    Some(seconds * 1_000_000 + cut(fraction)?)
}

/// Three numbers.
fn parts(text: &str, by: char) -> Option<[i64; 3]> {
    let mut parts = text.split(by).map(|part| {
        let digits = !part.is_empty() && part.len() <= 4 && is_digits(part);
        digits.then(|| part.parse().ok()).flatten()
    });
    let found = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(found)
}

/// Seconds east of UTC.
fn offset(text: &str) -> Option<i64> {
    if text == "Z" {
        return Some(0);
    }
    let sign = if text.starts_with('-') { -1 } else { 1 };
    let digits: String = text.get(1..)?.chars().filter(|c| *c != ':').collect();
    let sound = matches!(digits.len(), 2 | 4) && is_digits(&digits);
    let hours: i64 = sound.then(|| digits.get(..2)?.parse().ok()).flatten()?;
    let minutes: i64 = digits.get(2..)?.parse().unwrap_or(0);
    (hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Microseconds of the digits behind the point.
fn cut(digits: &str) -> Option<i64> {
    is_digits(digits).then_some(())?;
    let six: String = digits.chars().chain("000000".chars()).take(6).collect();
    six.parse().ok()
}

fn is_digits(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit())
}

fn days_in(year: i64, month: i64) -> i64 {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01.
fn days(year: i64, month: i64, day: i64) -> i64 {
    // The year begins in March, so that the leap day is its last.
    let year = if month <= 2 { year - 1 } else { year };
    let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(micros(text), expected, "{text}");
    }

    #[test]
    fn moments_are_read_as_gateways_write_them() {
        let noon = Some(1_777_636_800_000_000);
        check("1970-01-01T00:00:00Z", Some(0));
        check("2000-03-01 00:00:00", Some(951_868_800_000_000));
        for text in [
            "2026-05-01T12:00:00Z",
            "2026-05-01 12:00:00.000000+00:00",
            "2026-05-01T14:00:00+02:00",
            "2026-05-01 14:00:00+0200",
            "2026-05-01T07:30:00-04:30",
            "2026-05-01 13:00:00.0+01",
            " 1777636800 ",
            "1777636800.0",
        ] {
            check(text, noon);
        }
        check("2026-05-01T12:00:00.25Z", noon.map(|at| at + 250_000));
        check("2026-05-01T12:00:00.1234567", noon.map(|at| at + 123_456));
        check("1777636800.25", noon.map(|at| at + 250_000));
    }

    #[test]
    fn what_is_no_moment_is_refused() {
        for text in [
            "",
            "noon",
            "2026-05-01",
            "2026-13-01T00:00:00Z",
            "2026-02-29T00:00:00Z",
            "2026-05-01T25:00:00Z",
            "2026-05-01T12:00Z",
            "2026-05-01T12:00:00+2",
            "2026-05-01T12:00:00.xZ",
            "1777636800000",
            "-5",
            "NaN",
            "2026-05-+1T12:00:00Z",
            "2026-05-01T12:00:00ZZ",
        ] {
            check(text, None);
        }
        assert!(micros("2024-02-29T00:00:00Z").is_some());
    }

    #[test]
    fn days_follow_each_other_over_four_hundred_years() {
        let mut before = days(1900, 1, 1) - 1;
        for year in 1900..2300 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    let found = days(year, month, day);
                    assert_eq!(found, before + 1, "{year}-{month}-{day}");
                    before = found;
                }
            }
        }
    }
}
