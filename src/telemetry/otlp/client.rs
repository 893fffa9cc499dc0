//! The exporter's HTTP client: a courier, tried again while the time limit allows.
//!
//! Invariants: nothing takes longer than the time limit; what the collector calls final is not tried again.
//!
//! Not here: what is sent (`queue`), the connection (the courier's).
//!
//! Source: "OTLP Specification", OTLP/HTTP response: 429, 502, 503 and 504 may be tried again. `Retry-After` is not
//! read: the pauses double until the time is over.

use super::{Courier, Undelivered};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use http::{Request, Response, StatusCode};
use opentelemetry_http::{HttpClient, HttpError};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::{Instant, sleep, timeout_at};

/// Before the second try.
const PAUSE: Duration = Duration::from_millis(250);

/// A courier with patience.
#[derive(Debug, Clone)]
pub(super) struct Client {
    pub(super) courier: Arc<dyn Courier>,
    pub(super) patience: Duration,
}

/// No reply came in time.
#[derive(Debug, thiserror::Error)]
#[error("no reply in time")]
struct TooLate;

impl Client {
    async fn send(self, request: Request<Bytes>) -> Result<Response<Bytes>, Undelivered> {
        let until = Instant::now() + self.patience;
        let mut pause = PAUSE;
        loop {
            let reply = timeout_at(until, self.courier.carry(request.clone())).await;
            let reply = reply.map_err(|_| TooLate)?;
            let again = reply
                .as_ref()
                .map_or(true, |r| may_be_tried_again(r.status()));
            if !again || Instant::now() + pause >= until {
                return reply;
            }
            sleep(pause).await;
            pause *= 2;
        }
    }
}

fn may_be_tried_again(status: StatusCode) -> bool {
    matches!(status.as_u16(), 429 | 502..=504)
}

impl HttpClient for Client {
    fn send_bytes<'life0, 'async_trait>(
        &'life0 self,
        request: Request<Bytes>,
    ) -> BoxFuture<'async_trait, Result<Response<Bytes>, HttpError>>
    where
        'life0: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(self.clone().send(request))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample::Replies;
    use super::*;

    /// What comes of these replies, and how long it took in milliseconds; the last one is repeated. 0 is none.
    async fn check(replies: &[u16], expected: (Option<u16>, usize, u128)) {
        let courier = Arc::new(Replies::new(replies));
        let client = Client {
            courier: Arc::clone(&courier) as Arc<dyn Courier>,
            patience: Duration::from_secs(2),
        };
        let began = Instant::now();
        let request = Request::new(Bytes::from_static(b"spans"));
        let reply = client.send_bytes(request).await;
        let status = reply.ok().map(|reply| reply.status().as_u16());
        let took = began.elapsed().as_millis();
        assert_eq!((status, courier.carried(), took), expected, "{replies:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_may_pass_is_tried_again_with_longer_pauses() {
        check(&[200], (Some(200), 1, 0)).await;
        check(&[503, 200], (Some(200), 2, 250)).await;
        check(&[0, 429, 200], (Some(200), 3, 750)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_final_is_not_tried_again() {
        check(&[400, 200], (Some(400), 1, 0)).await;
        check(&[401, 200], (Some(401), 1, 0)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn nothing_takes_longer_than_the_time_limit() {
        check(&[503], (Some(503), 4, 1750)).await;
        check(&[0], (None, 4, 1750)).await;
        check(&[Replies::SILENCE], (None, 1, 2000)).await;
    }
}
