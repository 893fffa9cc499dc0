//! Where a caller's rates stand, in the headers that OpenAI's SDKs know: `x-ratelimit-limit-requests`,
//! `-remaining-requests`, `-reset-requests`, and the same of tokens.
//!
//! Invariants: they are the key's own rates, or its team's; of the organisation's nothing is told.
//!
//! Not here: the rates (`quota`).

use crate::quota::{Standing, Told};
use http::header::{HeaderMap, HeaderName, HeaderValue};

/// Tells them.
pub(super) fn tell(head: &mut HeaderMap, told: &Told) {
    let requests = [
        "x-ratelimit-limit-requests",
        "x-ratelimit-remaining-requests",
        "x-ratelimit-reset-requests",
    ];
    let tokens = [
        "x-ratelimit-limit-tokens",
        "x-ratelimit-remaining-tokens",
        "x-ratelimit-reset-tokens",
    ];
    for (names, standing) in [(requests, told.requests), (tokens, told.tokens)] {
        let Some(Standing { limit, left, whole }) = standing else {
            continue;
        };
        let [limited, remaining, reset] = names.map(HeaderName::from_static);
        head.insert(limited, HeaderValue::from(limit));
        head.insert(remaining, HeaderValue::from(left));
        let whole = format!("{:.3}s", whole.as_secs_f64());
        if let Ok(whole) = HeaderValue::from_str(&whole) {
            head.insert(reset, whole);
        }
    }
}
