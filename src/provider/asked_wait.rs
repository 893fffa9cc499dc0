//! How long a refusal's head asks us to wait.
//!
//! In this order, the first that is there: `retry-after-ms` (OpenAI, Azure: milliseconds), `retry-after` in seconds,
//! `retry-after` as a date, what the body says (Gemini), and of a 429 without any of these the
//! `x-ratelimit-reset-*` of the limit that has nothing left (OpenAI: `1s`, `6m0s`, `20ms`; Azure: seconds).
//!
//! Invariants: no wait is longer than [`LONGEST`]; a date is taken from the answer's own `date`, so that neither
//! clock needs to be right, and without one it says nothing; what cannot be read says nothing.
//!
//! Not here: `anthropic-ratelimit-*-reset`, for `retry-after` stands beside it at every 429 of theirs.
//!
//! Source: RFC 9110 10.2.3 and 5.6.7; OpenAI's "Rate limits", Anthropic's "Rate limits", the official SDKs.

use http::header::{DATE, HeaderMap, HeaderName, RETRY_AFTER};
use std::time::Duration;

/// Longest wait that is believed: a day would take an endpoint out for good by a typing error.
pub(super) const LONGEST: Duration = Duration::from_secs(600);

/// Limits of which OpenAI tells what is left and when it is refilled.
const LIMITS: [(&str, &str); 2] = [
    (
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ),
    ("x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
];

/// What a head asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Asked {
    /// By a field that is for this.
    wait: Option<Duration>,
    /// Until the limit that is spent is refilled.
    reset: Option<Duration>,
}

impl Asked {
    /// Reads a head.
    pub(super) fn of(head: &HeaderMap) -> Self {
        let ms = text(head, "retry-after-ms").and_then(millis);
        let field = || head.get(RETRY_AFTER)?.to_str().ok().map(str::trim);
        let spent = |(left, reset): &(&'static str, &'static str)| {
            // Azure says -1 of what it does not count.
            let spent = text(head, left)?.parse::<f64>().ok()? == 0.0;
            let reset = text(head, reset).filter(|_| spent)?;
            seconds(reset).or_else(|| span(reset))
        };
        Self {
            wait: ms
                .or_else(|| field().and_then(seconds))
                .or_else(|| until(field()?, head)),
            reset: LIMITS.iter().filter_map(spent).max(),
        }
    }

    /// The wait after a refusal of this status whose body says `said`.
    pub(super) fn wait(self, status: u16, said: Option<Duration>) -> Option<Duration> {
        let reset = self.reset.filter(|_| status == 429);
        let wait = self.wait.or(said).or(reset)?;
        Some(wait.min(LONGEST))
    }
}

fn text<'a>(head: &'a HeaderMap, name: &'static str) -> Option<&'a str> {
    let value = head.get(HeaderName::from_static(name))?;
    value.to_str().ok().map(str::trim)
}

fn seconds(text: &str) -> Option<Duration> {
    let seconds = text.parse::<f64>().ok()?;
    // So large a number is a long time, whatever it is.
    (seconds >= 0.0).then(|| Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST))
}

fn millis(text: &str) -> Option<Duration> {
    let ms = text.parse::<f64>().ok()?;
    (ms >= 0.0).then(|| Duration::try_from_secs_f64(ms / 1e3).unwrap_or(LONGEST))
}

/// The time from the answer's own date to this one; nothing of it where it has passed.
fn until(date: &str, head: &HeaderMap) -> Option<Duration> {
    let then = httpdate::parse_http_date(date).ok()?;
    let now = head.get(DATE)?.to_str().ok()?;
    let now = httpdate::parse_http_date(now).ok()?;
    Some(then.duration_since(now).unwrap_or_default())
}

/// A span as OpenAI writes it: numbers, each with its unit `h`, `m`, `s` or `ms`.
fn span(text: &str) -> Option<Duration> {
    let (mut rest, mut total) = (text, 0.0);
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at_checked(digits)?;
        let letters = tail.find(|c: char| !c.is_ascii_alphabetic());
        let (unit, tail) = tail.split_at_checked(letters.unwrap_or(tail.len()))?;
        let each = match unit {
            "ms" => 1e-3,
            "s" => 1.0,
            "m" => 60.0,
            "h" => 3600.0,
            _ => return None,
        };
        total += number.parse::<f64>().ok()? * each;
        rest = tail;
    }
    let some = !text.is_empty();
    some.then(|| Duration::try_from_secs_f64(total).unwrap_or(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const DAY: &str = "Sun, 06 Nov 1994";

    /// Milliseconds to wait after a 429 with these fields.
    fn check(fields: &[(&'static str, &str)], expected: Option<u64>) {
        let mut head = HeaderMap::new();
        for (name, value) in fields {
            head.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let wait = Asked::of(&head).wait(429, None);
        assert_eq!(wait, expected.map(Duration::from_millis), "{fields:?}");
    }

    #[test]
    fn a_wait_is_read_in_seconds_and_in_milliseconds() {
        check(&[("retry-after", "7")], Some(7_000));
        check(&[("retry-after", " 0 ")], Some(0));
        check(&[("retry-after", "1.5")], Some(1_500));
        check(&[("retry-after-ms", "250")], Some(250));
        check(
            &[("retry-after", "1"), ("retry-after-ms", "250")],
            Some(250),
        );
        check(
            &[("retry-after", "1"), ("retry-after-ms", "soon")],
            Some(1_000),
        );
    }

    #[test]
    fn a_date_is_counted_from_the_answers_own() {
        let at = |time: &str| format!("{DAY} {time} GMT");
        let (now, later) = (at("08:49:30"), at("08:49:37"));
        check(&[("retry-after", &later), ("date", &now)], Some(7_000));
        // It has passed: there is nothing left to wait for.
        check(&[("retry-after", &now), ("date", &later)], Some(0));
        check(&[("retry-after", &later)], None);
        let other = "Sunday, 06-Nov-94 08:49:37 GMT";
        check(&[("retry-after", other), ("date", &now)], Some(7_000));
    }

    #[test]
    fn no_wait_is_longer_than_ten_minutes() {
        let next = "Mon, 07 Nov 1994 08:49:37 GMT";
        let now = format!("{DAY} 08:49:37 GMT");
        check(&[("retry-after", "86400")], Some(600_000));
        check(&[("retry-after", "1e300")], Some(600_000));
        check(&[("retry-after-ms", "99999999999999999999")], Some(600_000));
        check(&[("retry-after", next), ("date", &now)], Some(600_000));
    }

    #[test]
    fn a_spent_limit_says_when_it_is_refilled_where_nothing_else_does() {
        let spent = ("x-ratelimit-remaining-tokens", "0");
        let left = ("x-ratelimit-remaining-requests", "59");
        let resets = [
            ("x-ratelimit-reset-tokens", "6m0s"),
            ("x-ratelimit-reset-requests", "20ms"),
        ];
        check(&[spent, left, resets[0], resets[1]], Some(360_000));
        check(&[left, resets[0], resets[1]], None);
        check(&[spent, resets[0], ("retry-after", "2")], Some(2_000));
        check(
            &[spent, ("x-ratelimit-reset-tokens", "1h2m3.5s")],
            Some(600_000),
        );
        check(&[spent, ("x-ratelimit-reset-tokens", "1.5s")], Some(1_500));
        check(&[spent, ("x-ratelimit-reset-tokens", "7")], Some(7_000));
        let uncounted = ("x-ratelimit-remaining-tokens", "-1");
        check(&[uncounted, ("x-ratelimit-reset-tokens", "0")], None);
        for odd in ["", "s", "1d", "1.2.3s", "-1s", "1s 2s"] {
            check(&[spent, ("x-ratelimit-reset-tokens", odd)], None);
        }
    }

    #[test]
    fn a_refusal_that_is_no_429_is_not_timed_by_its_limits() {
        let mut head = HeaderMap::new();
        for (name, value) in [
            ("x-ratelimit-remaining-requests", "0"),
            ("x-ratelimit-reset-requests", "1s"),
        ] {
            head.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let said = Some(Duration::from_secs(27));
        assert_eq!(Asked::of(&head).wait(503, None), None);
        assert_eq!(Asked::of(&head).wait(429, said), said);
    }

    proptest! {
        #[test]
        fn whatever_a_head_says_the_wait_is_bounded(
            after in "[ -~]{0,40}", ms in "[0-9.e+-]{0,20}", reset in "[0-9hms.]{0,20}"
        ) {
            let mut head = HeaderMap::new();
            head.insert(RETRY_AFTER, after.parse().unwrap());
            head.insert("retry-after-ms", ms.parse().unwrap());
            head.insert("x-ratelimit-remaining-tokens", "0".parse().unwrap());
            head.insert("x-ratelimit-reset-tokens", reset.parse().unwrap());
            let wait = Asked::of(&head).wait(429, None);
            prop_assert!(wait.is_none_or(|wait| wait <= LONGEST));
        }
    }
}
