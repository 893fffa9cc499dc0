//! The door: finds what a call is for, lets in who may, and answers; the addresses are a table ([`ADDRESSES`]).
//!
//! Every address is taken with and without `/v1`.
//!
//! Invariants: a panic ends one call; the key is judged before the body is read; a body in chunks ends its
//! connection, so that what a proxy in front and this server make of its length cannot differ for the next
//! request (hyper reads by the chunks and drops a `content-length` beside them).
//!
//! Not here: connections (`server`), what each address does (its own file).

use super::body::{self, Reply, ReplyBody};
use super::call::{CallId, CallIds, REQUEST_ID, said};
use super::key::{Peer, admit};
use super::routing::Known;
use super::server::Limits;
use super::status::Failure;
use super::{chat, chat_reply, embeddings, feedback, models};
use crate::access::{Configured, Grant, Porter, Scope};
use crate::clock::Clock;
use crate::complete::Complete;
use crate::eligibility::{Catalogue, DataPolicy};
use crate::id::{Name, Secret};
use crate::learn::Intake;
use crate::telemetry;
use arc_swap::ArcSwap;
use bytes::Bytes;
use futures_util::FutureExt;
use http::request::Parts as Head;
use http::{HeaderMap, HeaderValue, Method, Request, header};
use http_body::Body;
use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tokio::time::Instant;

/// What the door leads to.
#[derive(Debug, Clone)]
pub struct Parts {
    /// Answers.
    pub complete: Arc<Complete>,
    /// Takes outcomes.
    pub intake: Arc<Intake>,
    /// The arms and endpoints.
    pub catalogue: Arc<Catalogue>,
    /// Lets in who has a key.
    pub porter: Arc<Porter>,
    /// Where each team's data may go.
    pub policies: BTreeMap<Name, DataPolicy>,
    /// Reads decision ids.
    pub secret: Secret,
    /// The time.
    pub clock: Arc<dyn Clock>,
}

/// The door.
#[derive(Debug)]
pub struct Door {
    parts: Arc<ArcSwap<Configured<Parts>>>,
    limits: Limits,
    ids: CallIds,
    serving: AtomicBool,
    opened: i64,
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Health,
    Models,
    Model,
    Chat,
    Embeddings,
    Feedback,
}

/// An address that is served, below `/v1` or without it.
#[derive(Debug, Clone, Copy)]
pub struct Address {
    /// Its method.
    pub method: &'static str,
    /// Its path; one that ends with `/` is followed by a name.
    pub path: &'static str,
    /// Who may ask there.
    pub asks: Asks,
    to: To,
}

/// What a caller must have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asks {
    /// Nothing.
    Nothing,
    /// A key.
    Key,
    /// A key with this scope.
    Scope(Scope),
}

/// All addresses: there is no other.
pub const ADDRESSES: [Address; 6] = [
    address(
        "POST",
        "/chat/completions",
        Asks::Scope(Scope::Complete),
        To::Chat,
    ),
    address(
        "POST",
        "/embeddings",
        Asks::Scope(Scope::Complete),
        To::Embeddings,
    ),
    address(
        "POST",
        "/feedback",
        Asks::Scope(Scope::Feedback),
        To::Feedback,
    ),
    address("GET", "/health", Asks::Nothing, To::Health),
    address("GET", "/models", Asks::Key, To::Models),
    address("GET", "/models/", Asks::Key, To::Model),
];

const fn address(method: &'static str, path: &'static str, asks: Asks, to: To) -> Address {
    Address {
        method,
        path,
        asks,
        to,
    }
}

impl Door {
    /// A door that is not serving yet. It leads to whatever `parts` holds when a call is let in. Calls' ids start
    /// from `seed`, drawn anew at every start.
    pub fn new(parts: Arc<ArcSwap<Configured<Parts>>>, limits: Limits, seed: u64) -> Self {
        Self {
            opened: parts.load().rules.clock.now().micros() / 1_000_000,
            parts,
            limits,
            ids: CallIds::new(seed),
            serving: AtomicBool::new(false),
        }
    }

    /// Serving, or not: what `/health` says.
    pub fn set_serving(&self, serving: bool) {
        self.serving.store(serving, Ordering::Release);
    }

    pub(super) fn limits(&self) -> Limits {
        self.limits
    }

    /// Answers one call, whatever becomes of it.
    pub(super) async fn answer<B>(&self, request: Request<B>) -> Reply
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let (head, body) = request.into_parts();
        let of = self.ids.call(&head.headers);
        let call = of.id;
        let in_chunks = head.headers.contains_key(header::TRANSFER_ENCODING);
        let work = AssertUnwindSafe(self.led(call, &head, body)).catch_unwind();
        let done = telemetry::of_call(of, work)
            .await
            .unwrap_or_else(|panic| Err(panicked(&*panic)));
        let mut reply = done.unwrap_or_else(|failure| {
            failure.log(call);
            failure.reply(call)
        });
        if let Ok(id) = HeaderValue::try_from(call.to_string()) {
            reply.headers_mut().insert(REQUEST_ID, id);
        }
        if in_chunks {
            let close = HeaderValue::from_static("close");
            reply.headers_mut().insert(header::CONNECTION, close);
        }
        reply
    }

    async fn led<B>(&self, call: CallId, head: &Head, body: B) -> Result<Reply, Failure>
    where
        B: Body<Data = Bytes> + Unpin,
    {
        let arrived = Instant::now();
        let (address, rest) = find(&head.method, head.uri.path())?;
        let scope = match address.asks {
            Asks::Nothing => return self.health(),
            Asks::Key => None,
            Asks::Scope(scope) => Some(scope),
        };
        let from = (&head.headers, head.extensions.get::<Peer>());
        let porter = Arc::clone(&self.parts.load().rules.porter);
        let admission = admit(&porter, from, scope)?;
        // One for the whole call, its key's grant too.
        let (parts, grant) = porter.beside(&self.parts, &admission).await?;
        let known = known(&parts, &grant)?;
        match address.to {
            To::Models => return Ok(models::list(known, self.opened)),
            To::Model => return models::one(known, self.opened, rest),
            _ => {}
        }
        let headers = &head.headers;
        is_json(headers)?;
        let limits = self.limits;
        let patience = body::Patience {
            silence: limits.body_silence,
            total: limits.body_total,
        };
        let body = body::read(body, limits.message_bytes, patience).await?;
        match address.to {
            To::Chat => chat::answer(&parts.complete, known, call, headers, &body, arrived).await,
            To::Embeddings => {
                embeddings::answer(&parts.complete, known, headers, &body, arrived).await
            }
            _ => {
                let (intake, secret) = (&parts.intake, &parts.secret);
                feedback::answer(intake, secret, &grant.team, known.now, &body).await
            }
        }
    }

    fn health(&self) -> Result<Reply, Failure> {
        #[derive(serde::Serialize)]
        struct Health {
            status: &'static str,
        }
        if self.serving.load(Ordering::Acquire) {
            Ok(chat_reply::json(&Health { status: "ok" }))
        } else {
            Err(Failure::NotServing)
        }
    }
}

/// What a caller's request is judged against.
fn known<'a>(parts: &'a Parts, grant: &'a Grant) -> Result<Known<'a>, Failure> {
    let policy = parts.policies.get(&grant.team);
    Ok(Known {
        grant,
        catalogue: &parts.catalogue,
        policy: policy.ok_or_else(|| Failure::Internal("a key of no team".to_owned()))?,
        now: parts.clock.now(),
    })
}

/// The address that a call is for, and the name that follows its path.
fn find<'a>(method: &Method, path: &'a str) -> Result<(&'static Address, &'a str), Failure> {
    let path = path.strip_prefix("/v1").unwrap_or(path);
    let named = |address: &'static Address| {
        let rest = path.strip_prefix(address.path)?;
        (rest.is_empty() || address.path.ends_with('/')).then_some((address, rest))
    };
    let found = ADDRESSES.iter().find_map(named);
    let (address, rest) = found.ok_or(Failure::UnknownUrl)?;
    let allowed = address.method;
    // To ask for the head alone is to ask; hyper sends no more.
    let fits = method == allowed || *method == Method::HEAD && allowed == "GET";
    match fits {
        true => Ok((address, rest)),
        false => Err(Failure::Method { allowed }),
    }
}

/// That a body calls itself JSON, if it calls itself anything. Pages of other sites can make a browser send
/// plain text or a form to an open server, but not this.
fn is_json(head: &HeaderMap) -> Result<(), Failure> {
    let kind = said(head, "content-type").unwrap_or("application/json");
    let kind = kind.split(';').next().unwrap_or_default().trim();
    match kind.eq_ignore_ascii_case("application/json") {
        true => Ok(()),
        false => Err(Failure::NotJsonType),
    }
}

/// What a panic said, for the log.
pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> Failure {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    Failure::Internal(format!("panic: {}", text.as_deref().unwrap_or("(no text)")))
}

/// A reply for hyper, which has no use for errors here.
pub(super) type Answered = Result<http::Response<ReplyBody>, std::convert::Infallible>;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(method: Method, path: &str, expected: Result<&str, &str>) {
        let found = find(&method, path).map(|(address, id)| match address.to {
            To::Health => "health",
            To::Models => "models",
            To::Model => id,
            To::Chat => "chat",
            To::Embeddings => "embeddings",
            To::Feedback => "feedback",
        });
        let found = found.map_err(|failure| failure.class().code);
        assert_eq!(found, expected, "{method} {path}");
    }

    #[test]
    fn an_address_is_found_with_and_without_its_version() {
        check(Method::POST, "/v1/chat/completions", Ok("chat"));
        check(Method::POST, "/chat/completions", Ok("chat"));
        check(Method::POST, "/v1/embeddings", Ok("embeddings"));
        check(Method::POST, "/v1/feedback", Ok("feedback"));
        check(Method::GET, "/v1/models", Ok("models"));
        check(
            Method::GET,
            "/v1/models/bellwether/auto",
            Ok("bellwether/auto"),
        );
        check(Method::GET, "/health", Ok("health"));
        check(Method::HEAD, "/health", Ok("health"));
    }

    #[test]
    fn another_address_or_method_is_refused() {
        check(Method::POST, "/v1/completions", Err("unknown_url"));
        check(Method::GET, "/", Err("unknown_url"));
        check(
            Method::GET,
            "/v1/chat/completions",
            Err("method_not_allowed"),
        );
        check(Method::POST, "/health", Err("method_not_allowed"));
        check(Method::HEAD, "/v1/feedback", Err("method_not_allowed"));
    }

    #[test]
    fn a_body_that_calls_itself_something_else_is_refused() {
        let kind = |kind: Option<&'static str>| {
            let mut head = HeaderMap::new();
            if let Some(kind) = kind {
                head.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
            }
            is_json(&head).is_ok()
        };
        assert!(kind(None) && kind(Some("application/json")));
        assert!(kind(Some("Application/JSON; charset=utf-8")));
        assert!(!kind(Some("text/plain")) && !kind(Some("application/x-www-form-urlencoded")));
    }
}
