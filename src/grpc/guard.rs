//! Stands around every call: gives it an id, keeps its deadline, catches its panic.
//!
//! Invariants: every reply carries `x-request-id` (the caller's own, where it sent one that can be an id), and so
//! does every line that is logged for the call; a call past its `grpc-timeout` ends with DEADLINE_EXCEEDED; a panic ends one
//! call, with INTERNAL; a message that is too long or no protobuf is the caller's fault and
//! INVALID_FIELD, whatever code the transport would give it.
//!
//! Not here: what happens inside a stream once it began (`stream`). tonic's own deadline is the same
//! moment with code CANCELLED; ours is set first and polled first.

use super::status::Failure;
use crate::telemetry::{self, CallId, Parent};
use futures_util::FutureExt;
use http::HeaderValue;
use std::convert::Infallible;
use std::future::Future;
use std::panic::AssertUnwindSafe;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;
use tokio::time::Instant;
use tonic::body::Body;
use tonic::{Code, Response, Status};

/// Metadata of every reply: the id under which the log tells of the call.
pub const REQUEST_ID: &str = "x-request-id";

/// What is known of a call beside its message.
#[derive(Debug, Clone, Copy, Default)]
pub struct Call {
    /// Its id.
    pub id: CallId,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
    /// The caller's span, where there is one and spans are sent.
    pub parent: Option<Parent>,
}

impl From<Call> for telemetry::Call {
    fn from(call: Call) -> Self {
        let Call { id, parent, .. } = call;
        Self { id, parent }
    }
}

impl Call {
    /// The call that a request's extensions tell of.
    pub(super) fn of(extensions: &http::Extensions) -> Self {
        extensions.get().copied().unwrap_or_default()
    }

    /// What `work` logs carries the call's id.
    pub(super) fn log<T>(self, work: impl FnOnce() -> T) -> T {
        telemetry::within_call(self, work)
    }

    /// The failure as a status; logs what the caller is not told.
    pub(super) fn refuse(self, failure: &Failure) -> Status {
        if let Some(cause) = failure.hidden_cause() {
            let reason = failure.code().1;
            self.log(|| tracing::error!(reason, cause, "call failed"));
        }
        failure.status(self.id)
    }

    /// The reply or the failure.
    pub(super) fn answer<T>(self, result: Result<T, Failure>) -> Result<Response<T>, Status> {
        result
            .map(Response::new)
            .map_err(|failure| self.refuse(&failure))
    }
}

/// The layer that puts a [`Guard`] around all services.
#[derive(Debug, Clone)]
pub struct GuardLayer {
    next: Arc<AtomicU64>,
    message_bytes: usize,
}

impl GuardLayer {
    /// Ids start from `seed`, drawn anew at every start of the process; `message_bytes` is the limit
    /// that the services were built with, to tell of.
    pub fn new(seed: u64, message_bytes: usize) -> Self {
        Self {
            next: Arc::new(AtomicU64::new(seed)),
            message_bytes,
        }
    }

    /// What the headers of a call tell of it.
    fn call(&self, head: &http::HeaderMap) -> Call {
        let said = head.get(REQUEST_ID).and_then(|id| id.to_str().ok());
        let ours = || CallId::new(self.next.fetch_add(1, Ordering::Relaxed));
        Call {
            id: said.and_then(CallId::said).unwrap_or_else(ours),
            deadline: timeout(head).and_then(|t| Instant::now().checked_add(t)),
            parent: Parent::of(head),
        }
    }
}

impl<S> tower::Layer<S> for GuardLayer {
    type Service = Guard<S>;
    fn layer(&self, inner: S) -> Guard<S> {
        let around = self.clone();
        Guard { inner, around }
    }
}

/// A service whose calls have an id, a deadline and a net.
#[derive(Debug, Clone)]
pub struct Guard<S> {
    inner: S,
    around: GuardLayer,
}

type Reply = Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>;

impl<S, B> tower::Service<http::Request<B>> for Guard<S>
where
    S: tower::Service<http::Request<B>, Response = http::Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Reply;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Reply {
        let call = self.around.call(request.headers());
        request.extensions_mut().insert(call);
        let reply = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let reply = telemetry::of_call(call, reply);
        let message_bytes = self.around.message_bytes;
        Box::pin(async move {
            let reply = match call.deadline {
                None => reply.await,
                Some(deadline) => match tokio::time::timeout_at(deadline, reply).await {
                    Ok(reply) => reply,
                    Err(_) => Ok(Ok(refusal(call, &Failure::DeadlineExceeded))),
                },
            };
            let mut reply = match reply {
                Ok(Ok(reply)) => translated(call, message_bytes, reply),
                Ok(Err(never)) => match never {},
                Err(panic) => refusal(call, &Failure::Internal(panic_text(&*panic))),
            };
            if let Ok(mut value) = HeaderValue::try_from(call.id.to_string()) {
                // Never said twice: kept out of the connection's header table, which it would flush.
                value.set_sensitive(true);
                reply.headers_mut().insert(REQUEST_ID, value);
            }
            Ok(reply)
        })
    }
}

fn refusal(call: Call, failure: &Failure) -> http::Response<Body> {
    call.refuse(failure).into_http()
}

/// tonic's own refusals of a body, in the words of the contract; everything else as it is.
fn translated(
    call: Call,
    message_bytes: usize,
    reply: http::Response<Body>,
) -> http::Response<Body> {
    if !reply.headers().contains_key("grpc-status")
        || reply.headers().contains_key("grpc-status-details-bin")
    {
        return reply;
    }
    let Some(status) = Status::from_header_map(reply.headers()) else {
        return reply;
    };
    let problem = match status.code() {
        Code::OutOfRange if status.message().contains("message length too large") => {
            format!("is too long: allowed at most {message_bytes} bytes")
        }
        Code::Internal if status.message().contains("decode Protobuf") => {
            "is not the protobuf of this call: allowed what `bellwether.v1` says".to_owned()
        }
        _ => return reply,
    };
    refusal(call, &Failure::field("request", problem))
}

/// What a panic said, for the log.
pub(super) fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned());
    format!("panic: {}", text.as_deref().unwrap_or("(no text)"))
}

/// The `grpc-timeout` header: at most 8 digits and a unit. One that cannot be read is no deadline.
fn timeout(headers: &http::HeaderMap) -> Option<Duration> {
    let value = headers.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = value.split_at_checked(value.len().checked_sub(1)?)?;
    if digits.is_empty() || digits.len() > 8 || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        "H" => Some(Duration::from_secs(count * 3600)),
        "M" => Some(Duration::from_secs(count * 60)),
        "S" => Some(Duration::from_secs(count)),
        "m" => Some(Duration::from_millis(count)),
        "u" => Some(Duration::from_micros(count)),
        "n" => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic_types::StatusExt;
    use tower::{Layer, Service};

    fn check_timeout(value: &str, expected: Option<Duration>) {
        let mut headers = http::HeaderMap::new();
        headers.insert("grpc-timeout", value.parse().unwrap());
        assert_eq!(timeout(&headers), expected, "{value}");
    }

    #[test]
    fn a_timeout_has_up_to_8_digits_and_a_unit() {
        check_timeout("99999999H", Some(Duration::from_secs(99_999_999 * 3600)));
        check_timeout("5M", Some(Duration::from_secs(300)));
        check_timeout("250m", Some(Duration::from_millis(250)));
        check_timeout("7u", Some(Duration::from_micros(7)));
        for bad in ["", "5", "m", "-5m", "123456789m", "5x", "5 m"] {
            check_timeout(bad, None);
        }
    }

    /// The status that a caller gets from a service that behaves as `inner`.
    async fn status_of<F>(header: Option<&str>, inner: fn() -> F) -> Status
    where
        F: Future<Output = http::Response<Body>> + Send + 'static,
    {
        let service = tower::service_fn(move |_: http::Request<()>| async move {
            Ok::<_, Infallible>(inner().await)
        });
        let mut request = http::Request::new(());
        if let Some(value) = header {
            request
                .headers_mut()
                .insert("grpc-timeout", value.parse().unwrap());
        }
        let mut guard = GuardLayer::new(7, 1024).layer(service);
        let reply = guard.call(request).await.unwrap();
        assert_eq!(reply.headers()[REQUEST_ID], "0000000000000007");
        Status::from_header_map(reply.headers()).expect("a status")
    }

    fn reason(status: &Status) -> String {
        status
            .get_details_error_info()
            .expect("an ErrorInfo")
            .reason
    }

    #[tokio::test]
    async fn a_panic_ends_one_call_and_tells_nothing_of_the_inside() {
        let status = status_of(None, || async { panic!("secret") }).await;
        assert_eq!(
            (status.code(), &*reason(&status)),
            (Code::Internal, "INTERNAL")
        );
        assert!(status.message().contains("0000000000000007"));
        assert!(!status.message().contains("secret"));
    }

    #[tokio::test]
    async fn a_call_past_its_deadline_ends() {
        let status = status_of(Some("1n"), std::future::pending::<http::Response<Body>>).await;
        assert_eq!(status.code(), Code::DeadlineExceeded);
        assert_eq!(reason(&status), "DEADLINE_EXCEEDED");
    }

    #[tokio::test]
    async fn a_body_that_the_transport_refuses_is_the_callers_fault() {
        let long = || async {
            Status::out_of_range("Error, decoded message length too large: found 9 bytes")
                .into_http()
        };
        let status = status_of(None, long).await;
        assert_eq!(&*reason(&status), "INVALID_FIELD");
        assert!(status.message().contains("1024 bytes"), "{status}");
        let garbage = || async {
            Status::internal("failed to decode Protobuf message: invalid tag value: 0").into_http()
        };
        assert_eq!(&*reason(&status_of(None, garbage).await), "INVALID_FIELD");
    }

    #[tokio::test]
    async fn what_is_logged_inside_is_of_the_call_even_after_a_wait() {
        let told = || async {
            tokio::task::yield_now().await;
            Status::not_found(format!("{:?}", telemetry::call())).into_http()
        };
        let status = status_of(Some("1M"), told).await;
        assert_eq!(status.message(), "Some(0000000000000007)");
        assert_eq!(telemetry::call(), None);
    }

    #[tokio::test]
    async fn a_callers_own_id_comes_back_and_one_that_cannot_be_an_id_does_not() {
        let layer = GuardLayer::new(7, 1024);
        let check = async |said: &str, expected: &str| {
            let inner = |_: http::Request<()>| async {
                let text = format!("{:?}", telemetry::call());
                Ok::<_, Infallible>(Status::not_found(text).into_http())
            };
            let mut request = http::Request::new(());
            let value = said.parse().unwrap();
            request.headers_mut().insert(REQUEST_ID, value);
            let reply = layer.layer(tower::service_fn(inner)).call(request);
            let reply = reply.await.unwrap();
            assert_eq!(reply.headers()[REQUEST_ID], expected);
            let status = Status::from_header_map(reply.headers()).unwrap();
            assert_eq!(status.message(), format!("Some({expected})"));
        };
        check("agent-7/step-3", "agent-7/step-3").await;
        check("two words", "0000000000000007").await;
        check("", "0000000000000008").await;
    }

    #[tokio::test]
    async fn other_statuses_pass_as_they_are() {
        let status = status_of(None, || async { Status::not_found("service").into_http() }).await;
        assert_eq!(
            (status.code(), status.message()),
            (Code::NotFound, "service")
        );
    }
}
