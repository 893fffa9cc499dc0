//! A call: its id, and until when its caller waits.
//!
//! Invariants: every reply carries the id as `x-request-id` (the caller's own, where it sent one that can be an id),
//! and so does every line that is logged for the call; a time limit that cannot be read is none.
//!
//! Not here: what ends at the deadline (`chat`, `complete`).
//!
//! Units: `x-request-timeout-ms` in milliseconds, the SDKs' own headers in seconds.

pub(super) use crate::telemetry::CallId;
use crate::telemetry::{Call, Parent};
use http::HeaderMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::time::Instant;

/// Header of every reply.
pub(super) const REQUEST_ID: &str = "x-request-id";

/// How long a caller is served who states no limit.
const PATIENCE: Duration = Duration::from_secs(600);

/// No limit is longer than a day.
const LONGEST: Duration = Duration::from_secs(86_400);

/// Limits that SDKs send, in seconds: how long they wait for a whole answer. Of a streamed one they wait so
/// long for its head only, so there they do not count.
const OF_SDKS: [&str; 2] = ["x-stainless-timeout", "x-stainless-read-timeout"];

/// Gives ids, from a seed that is drawn anew at every start.
#[derive(Debug)]
pub(super) struct CallIds(AtomicU64);

impl CallIds {
    pub(super) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    /// The call that a head begins.
    pub(super) fn call(&self, head: &HeaderMap) -> Call {
        let ours = || CallId::new(self.0.fetch_add(1, Ordering::Relaxed));
        Call {
            id: said(head, REQUEST_ID)
                .and_then(CallId::said)
                .unwrap_or_else(ours),
            parent: Parent::of(head),
        }
    }
}

/// A header as text.
pub(super) fn said<'a>(head: &'a HeaderMap, name: &str) -> Option<&'a str> {
    let value = head.get(name)?.to_str().ok()?.trim();
    (!value.is_empty()).then_some(value)
}

/// When the caller stops waiting.
pub(super) fn deadline(head: &HeaderMap, streamed: bool, now: Instant) -> Instant {
    let own = number(head, "x-request-timeout-ms").map(|ms| ms / 1e3);
    let sdk = || OF_SDKS.iter().find_map(|name| number(head, name));
    let seconds = own.or_else(|| sdk().filter(|_| !streamed));
    let wait = seconds.and_then(|s| Duration::try_from_secs_f64(s).ok());
    now + wait.map_or(PATIENCE, |wait| wait.min(LONGEST))
}

fn number(head: &HeaderMap, name: &str) -> Option<f64> {
    let number: f64 = said(head, name)?.parse().ok()?;
    (number.is_finite() && number > 0.0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn check(headers: &[(&'static str, &'static str)], streamed: bool, expected_ms: u64) {
        let mut head = HeaderMap::new();
        for (name, value) in headers {
            head.insert(*name, HeaderValue::from_static(value));
        }
        let now = Instant::now();
        let found = deadline(&head, streamed, now) - now;
        assert_eq!(found, Duration::from_millis(expected_ms), "{headers:?}");
    }

    #[test]
    fn a_deadline_is_the_callers_own_or_the_sdks_or_ten_minutes() {
        check(&[], false, 600_000);
        check(&[("x-stainless-timeout", "30")], false, 30_000);
        check(&[("x-stainless-read-timeout", "1.5")], false, 1_500);
        let both = [
            ("x-stainless-timeout", "30"),
            ("x-request-timeout-ms", "250"),
        ];
        check(&both, false, 250);
        check(&both, true, 250);
    }

    #[test]
    fn an_sdks_limit_is_for_the_head_of_a_stream_and_does_not_cut_its_body() {
        check(&[("x-stainless-timeout", "30")], true, 600_000);
    }

    #[test]
    fn a_limit_that_cannot_be_read_is_none_and_a_long_one_is_a_day() {
        for bad in ["", "-1", "0", "NaN", "inf", "soon"] {
            check(&[("x-request-timeout-ms", bad)], false, 600_000);
        }
        check(&[("x-request-timeout-ms", "1e300")], false, 600_000);
        check(&[("x-request-timeout-ms", "1e12")], false, 86_400_000);
    }

    #[test]
    fn a_call_is_known_by_its_callers_word_or_by_the_next_of_ours() {
        let ids = CallIds::new(7);
        let check = |said: &'static str, expected: &str| {
            let mut head = HeaderMap::new();
            head.insert(REQUEST_ID, HeaderValue::from_static(said));
            assert_eq!(ids.call(&head).id.to_string(), expected);
        };
        check("agent-7/step-3", "agent-7/step-3");
        check("two words", "0000000000000007");
        check("", "0000000000000008");
    }
}
