//! Who calls: the key in the head, and what it grants.
//!
//! Invariants: the key is judged before the body is read; it is handed to the look-up and to nothing else.
//!
//! Not here: what keys there are (`access`, `config`).

use super::call::said;
use super::status::Failure;
use crate::access::{Admission, Porter, Scope};
use http::HeaderMap;
use std::net::IpAddr;

/// Longest key looked at; hashing a longer one would be work for a stranger.
const KEY_BYTES: usize = 512;

/// The address that a call's connection comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) IpAddr);

/// Who is let in from there, and for `scope` if there is one.
pub(super) fn admit(
    porter: &Porter,
    (head, from): (&HeaderMap, Option<&Peer>),
    scope: Option<Scope>,
) -> Result<Admission, Failure> {
    let admission = porter.admit(key(head), from.map(|peer| peer.0))?;
    if let Some(scope) = scope {
        admission.check(scope)?;
    }
    Ok(admission)
}

/// `authorization: Bearer KEY`, else `x-api-key: KEY`, else `api-key: KEY`.
fn key(head: &HeaderMap) -> Option<&str> {
    let bearer = said(head, "authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer
        .or_else(|| said(head, "x-api-key"))
        .or_else(|| said(head, "api-key"))
        .filter(|key| !key.is_empty() && key.len() <= KEY_BYTES)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Bounds, Grant, KeyHash, Keys};
    use crate::clock::ManualClock;
    use crate::id::Name;
    use http::HeaderValue;
    use std::sync::Arc;

    fn check(
        header: &'static str,
        value: &str,
        scope: Option<Scope>,
        expected: Result<&str, &str>,
    ) {
        let grant = Grant {
            key: Name::new("ci").unwrap(),
            team: Name::new("coding").unwrap(),
            scopes: [Scope::Complete].into(),
            arms: None,
            bounds: Bounds::default(),
        };
        let keys = Keys::new([(KeyHash::of("k1"), grant)]);
        let porter = Porter::new(keys, Arc::new(ManualClock::default()));
        let mut head = HeaderMap::new();
        head.insert(header, HeaderValue::from_str(value).unwrap());
        let found = admit(&porter, (&head, None), scope);
        let found = found.as_ref().map(|g| g.team.as_str());
        let found = found.map_err(|failure| failure.class().code);
        assert_eq!(found, expected, "{header}: {value}");
    }

    #[test]
    fn a_key_comes_as_a_bearer_or_in_a_header_of_its_own() {
        check("authorization", "Bearer k1", None, Ok("coding"));
        check("authorization", "bearer  k1", None, Ok("coding"));
        check("x-api-key", "k1", Some(Scope::Complete), Ok("coding"));
        check("api-key", "k1", None, Ok("coding"));
    }

    #[test]
    fn who_has_no_good_key_is_refused() {
        let unknown = Err("invalid_api_key");
        check("authorization", "Basic k1", None, unknown);
        check("authorization", "k1", None, unknown);
        check("x-api-key", "k2", None, unknown);
        check("x-api-key", &"k".repeat(513), None, unknown);
        check("cookie", "k1", None, unknown);
        check("api-key", "k1", Some(Scope::Feedback), Err("not_allowed"));
    }
}
