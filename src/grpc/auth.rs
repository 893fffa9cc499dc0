//! Who calls: the key in the metadata, and what it grants.
//!
//! The key is judged before the body is read, so that a stranger cannot make the server decode
//! anything; the scope is judged by the method, which knows what it does.
//!
//! Invariants: a key is handed to the look-up and to nothing else: it is never logged, kept or shown.
//!
//! Not here: what keys there are (`access`, `config`). Health and reflection ask for no key.

use super::guard::Call;
use super::status::Failure;
use crate::access::{self, Admission, Porter, Scope};
use std::future::Future;
use std::sync::Arc;
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Response, Status};

/// Longest key looked at; hashing a longer one would be work for a stranger.
const KEY_BYTES: usize = 512;

/// Stands before the services and lets in who has a key. Clones share the keys.
#[derive(Debug, Clone)]
pub struct Gate {
    porter: Arc<Porter>,
}

impl Gate {
    /// By the word of this porter.
    pub fn new(porter: Arc<Porter>) -> Self {
        Self { porter }
    }
}

impl Interceptor for Gate {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        // The connection's own address: what a proxy says in a header anyone could say.
        let from = request.remote_addr().map(|address| address.ip());
        let admission = match self.porter.admit(key(request.metadata()), from) {
            Ok(admission) => admission,
            Err(error) => {
                let call = Call::of(request.extensions());
                return Err(call.refuse(&Failure::from(error)));
            }
        };
        request.extensions_mut().insert(admission);
        Ok(request)
    }
}

/// The key: `authorization: Bearer KEY`, else `x-api-key: KEY`.
fn key(metadata: &MetadataMap) -> Option<&str> {
    let said = |name: &str| metadata.get(name).and_then(|value| value.to_str().ok());
    let bearer = said("authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    bearer
        .or_else(|| said("x-api-key"))
        .filter(|key| !key.is_empty() && key.len() <= KEY_BYTES)
}

/// A call that was let in.
#[derive(Debug)]
pub(super) struct Admitted<T> {
    /// The call.
    pub(super) call: Call,
    /// What the caller's key grants.
    pub(super) grant: Admission,
    /// What was asked.
    pub(super) asked: T,
}

/// Admits, does the work, and makes the reply or the status of it.
pub(super) async fn serve<T, R, F>(
    request: Request<T>,
    scope: Scope,
    work: impl FnOnce(Admitted<T>) -> F,
) -> Result<Response<R>, Status>
where
    F: Future<Output = Result<R, Failure>>,
{
    let call = Call::of(request.extensions());
    match admit(request, scope) {
        Ok(admitted) => call.answer(work(admitted).await),
        Err(failure) => Err(call.refuse(&failure)),
    }
}

/// Takes a request apart, if its key has `scope`.
fn admit<T>(request: Request<T>, scope: Scope) -> Result<Admitted<T>, Failure> {
    let (_, extensions, asked) = request.into_parts();
    let call = Call::of(&extensions);
    let grant = extensions.get::<Admission>().ok_or(Failure::KeyUnknown)?;
    grant.check(scope)?;
    let grant = grant.clone();
    Ok(Admitted { call, grant, asked })
}

impl From<access::Error> for Failure {
    fn from(error: access::Error) -> Self {
        match error {
            access::Error::KeyUnknown => Self::KeyUnknown,
            access::Error::NotAllowed { scope, .. } => Self::NotAllowed {
                action: format!("do this: allowed with a key that has the scope `{scope}`"),
            },
            access::Error::Elsewhere { .. } => Self::NotAllowed {
                action: "be used from this address: allowed from its own networks".to_owned(),
            },
            access::Error::Task { allowed } => Self::NotAllowed {
                action: format!("ask for this task, or for none: allowed {allowed}"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{Bounds, Grant, KeyHash, Keys};
    use crate::clock::ManualClock;
    use crate::id::Name;
    use tonic::Code;

    fn check(header: Option<(&'static str, &str)>, expected: Option<&str>) {
        let mut metadata = MetadataMap::new();
        if let Some((name, value)) = header {
            metadata.insert(name, value.parse().unwrap());
        }
        assert_eq!(key(&metadata), expected);
    }

    #[test]
    fn a_key_comes_as_a_bearer_token_or_as_an_api_key() {
        check(Some(("authorization", "Bearer k1")), Some("k1"));
        check(Some(("authorization", "bearer  k1 ")), Some("k1"));
        check(Some(("x-api-key", "k2")), Some("k2"));
        check(Some(("authorization", "Basic k1")), None);
        check(Some(("authorization", "Bearer ")), None);
        check(Some(("x-api-key", &"k".repeat(513))), None);
        check(None, None);
    }

    fn gate() -> Gate {
        let name = |text| Name::new(text).unwrap();
        let grant = Grant {
            key: name("ci"),
            team: name("coding"),
            scopes: [Scope::Route].into(),
            arms: None,
            bounds: Bounds::default(),
        };
        let keys = Keys::new([(KeyHash::of("k1"), grant)]);
        Gate::new(Arc::new(Porter::new(
            keys,
            Arc::new(ManualClock::default()),
        )))
    }

    fn knock(gate: &mut Gate, key: &str) -> Result<Request<()>, Status> {
        let mut request = Request::new(());
        request
            .metadata_mut()
            .insert("x-api-key", key.parse().unwrap());
        gate.call(request)
    }

    #[test]
    fn a_known_key_passes_with_its_scopes_and_no_other() {
        let mut gate = gate();
        let request = knock(&mut gate, "k1").unwrap();
        assert_eq!(
            admit(request, Scope::Route).unwrap().grant.team.as_str(),
            "coding"
        );
        let request = knock(&mut gate, "k1").unwrap();
        let refused = admit(request, Scope::Admin).unwrap_err();
        assert_eq!(refused.code(), (Code::PermissionDenied, "NOT_ALLOWED"));
        assert_eq!(
            knock(&mut gate, "k2").unwrap_err().code(),
            Code::Unauthenticated
        );
    }

    #[test]
    fn a_withdrawn_key_fails_from_the_next_call_on() {
        let mut gate = gate();
        assert!(knock(&mut gate, "k1").is_ok());
        gate.porter.configure(Keys::new([]), 1);
        assert!(knock(&mut gate, "k1").is_err());
    }

    #[test]
    fn a_method_behind_no_gate_lets_nobody_in() {
        let refused = admit(Request::new(()), Scope::Route).unwrap_err();
        assert_eq!(refused.code().1, "KEY_UNKNOWN");
    }
}
