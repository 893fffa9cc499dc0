//! Times as RFC 3339 writes them.
//!
//! Invariants: none is before 1970 or beyond the year 9999; a text that is no time is `None`.
//!
//! Not here: which times are plausible (`feedback`).
//!
//! Units: microseconds; what is finer is cut off.
//!
//! Source: RFC 3339 section 5.6. A leap second counts as the first of the next minute.

use crate::unit::Timestamp;

const YEAR_10000: i64 = 253_402_300_800_000_000;

/// Reads `2026-11-27T08:41:49.25Z`, or with an offset as `+01:00`.
pub(super) fn parse(text: &str) -> Option<Timestamp> {
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let zone_at = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone_at)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let [hour, minute, second] = numbers(clock, ':', [2, 2, 2])?;
    let good = hour < 24 && minute < 60 && second <= 60 && year >= 1970;
    let seconds = days(year, month, day)? * 86_400 + hour * 3600 + minute * 60 + second;
    let micros = (seconds - offset(zone)?) * 1_000_000 + self::fraction(fraction)?;
    (good && (0..YEAR_10000).contains(&micros)).then(|| Timestamp::from_micros(micros))
}

/// Three numbers of these many digits.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(between);
    let mut read = [0; 3];
    for (number, digits) in read.iter_mut().zip(digits) {
        let part = parts.next()?;
        let plain = part.len() == digits && part.bytes().all(|b| b.is_ascii_digit());
        *number = plain.then(|| part.parse().ok()).flatten()?;
    }
    parts.next().is_none().then_some(read)
}

fn fraction(text: &str) -> Option<i64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let padded = format!("{text:0<6}");
    plain.then(|| padded.get(..6)?.parse().ok()).flatten()
}

/// Seconds east of Greenwich.
fn offset(zone: &str) -> Option<i64> {
    if zone.eq_ignore_ascii_case("z") {
        return Some(0);
    }
    let sign = if zone.starts_with('-') { -1 } else { 1 };
    let (hours, minutes) = zone.get(1..)?.split_once(':')?;
    let [hours, minutes, _] = numbers(&format!("{hours}:{minutes}:00"), ':', [2, 2, 2])?;
    (hours < 24 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Days from 1970-01-01 to a date, which must be one.
fn days(year: i64, month: i64, day: i64) -> Option<i64> {
    const BEFORE: [i64; 12] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334];
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let before = BEFORE.get(usize::try_from(month - 1).ok()?)?;
    let past = year - 1;
    let leaps = past / 4 - past / 100 + past / 400 - 477;
    let late = i64::from(leap && month > 2);
    let days = (year - 1970) * 365 + leaps + before + late + day - 1;
    // A day that its month does not have is another date.
    let date = Timestamp::from_micros(days * 86_400_000_000).date();
    (date == (year, month, day)).then_some(days)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: Option<i64>) {
        assert_eq!(parse(text).map(Timestamp::micros), expected, "{text}");
    }

    #[test]
    fn a_time_is_read_to_the_microsecond() {
        check("1970-01-01T00:00:00Z", Some(0));
        check("2023-11-14T22:13:20Z", Some(1_700_000_000_000_000));
        check("2023-11-14t22:13:20.1234567z", Some(1_700_000_000_123_456));
        check("2023-11-14 23:43:20+01:30", Some(1_700_000_000_000_000));
        check("2023-11-14T17:13:20.5-05:00", Some(1_700_000_000_500_000));
        check("2000-02-29T00:00:00Z", Some(951_782_400_000_000));
        check("1998-12-31T23:59:60Z", Some(915_148_800_000_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "9999-12-31T23:59:60Z",
            "",
            "yesterday",
            "2023-11-14",
            "2023-11-14T22:13:20",
            "2023-02-29T00:00:00Z",
            "2023-13-01T00:00:00Z",
            "2023-11-14T24:00:00Z",
            "2023-11-14T22:13Z",
            "1969-12-31T23:59:59Z",
            "1970-01-01T00:00:00+01:00",
            "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20+1:00",
            "+023-11-14T22:13:20Z",
            "2023-11-14T22:13:20é",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn a_time_that_is_written_reads_back(second in 0_i64..253_402_300_800) {
            let (year, month, day) = Timestamp::from_micros(second * 1_000_000).date();
            let of_day = second % 86_400;
            let (hour, minute, left) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
            let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{left:02}Z");
            prop_assert_eq!(parse(&text).map(Timestamp::micros), Some(second * 1_000_000));
        }
    }
}
