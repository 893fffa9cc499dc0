//! Bodies: a request's, read whole within limits; a reply's, whole or in events.
//!
//! Invariants: no more than the limit is read or held; a body that says nothing for a while is given up, and so
//! is one that is not there in time, however steadily it trickles; an
//! event stream that ended badly ends with an error, which makes hyper break the connection off.
//!
//! Not here: heads and their own limits (`server`), what a body says (`json`).
//!
//! Units: bytes.

use super::sse::Sse;
use super::status::Failure;
use bytes::{Bytes, BytesMut};
use http_body::{Body, Frame, SizeHint};
use http_body_util::BodyExt;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

/// A reply.
pub(super) type Reply = http::Response<ReplyBody>;

/// Room taken at once for a body of stated length: a length is a claim, and memory follows what comes.
const ROOM: usize = 64 << 10;

/// How long a request's body may take to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// Longest silence.
    pub(super) silence: Duration,
    /// From its beginning to its end.
    pub(super) total: Duration,
}

/// Reads a request's body of at most `limit` bytes.
pub(super) async fn read<B>(body: B, limit: usize, patience: Patience) -> Result<Bytes, Failure>
where
    B: Body<Data = Bytes> + Unpin,
{
    let Patience { silence, total } = patience;
    let reading = tokio::time::timeout(total, read_on(body, limit, silence));
    let late = |_| Failure::TooLate { limit: total };
    reading.await.map_err(late)?
}

async fn read_on<B>(body: B, limit: usize, silence: Duration) -> Result<Bytes, Failure>
where
    B: Body<Data = Bytes> + Unpin,
{
    let stated = body.size_hint().lower();
    if stated > limit as u64 {
        return Err(Failure::TooLarge { limit });
    }
    let mut body = body;
    let mut whole = Bytes::new();
    let mut parts = BytesMut::new();
    loop {
        let next = tokio::time::timeout(silence, body.frame()).await;
        let Some(frame) = next.map_err(|_| Failure::TooSlow { limit: silence })? else {
            break;
        };
        let frame = frame.map_err(|_| Failure::BrokenOff)?;
        let Ok(bytes) = frame.into_data() else {
            continue;
        };
        if whole.len() + parts.len() + bytes.len() > limit {
            return Err(Failure::TooLarge { limit });
        }
        // Most bodies come in one piece, which is not copied.
        if whole.is_empty() && parts.is_empty() {
            whole = bytes;
            continue;
        }
        if parts.is_empty() {
            let room = usize::try_from(stated).unwrap_or(limit).min(ROOM);
            parts.reserve(room.max(whole.len() + bytes.len()));
            parts.extend_from_slice(&std::mem::take(&mut whole));
        }
        parts.extend_from_slice(&bytes);
    }
    Ok(if parts.is_empty() {
        whole
    } else {
        parts.freeze()
    })
}

/// What a reply holds.
#[derive(Debug)]
pub(super) enum ReplyBody {
    /// All of it. `None`: sent.
    Whole(Option<Bytes>),
    /// Events as they come.
    Events(Box<Sse>),
}

impl ReplyBody {
    pub(super) fn whole(bytes: impl Into<Bytes>) -> Self {
        Self::Whole(Some(bytes.into()))
    }
}

/// An answer broke off after its head was sent: the connection must not end well.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the answer broke off")]
pub(super) struct BrokeOff;

impl Body for ReplyBody {
    type Data = Bytes;
    type Error = BrokeOff;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BrokeOff>>> {
        match self.get_mut() {
            Self::Whole(bytes) => Poll::Ready(bytes.take().map(|bytes| Ok(Frame::data(bytes)))),
            Self::Events(events) => {
                let polled = events.poll(cx);
                polled.map(|next| next.map(|bytes| bytes.map(Frame::data)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Self::Whole(None))
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Events(_) => SizeHint::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::{StreamExt, stream};
    use http_body_util::StreamBody;

    const SILENCE: Duration = Duration::from_secs(30);

    const PATIENCE: Patience = Patience {
        silence: SILENCE,
        total: Duration::from_secs(300),
    };

    /// What is read of a body of these pieces, at most 8 bytes of it.
    async fn check(pieces: &[&'static str], expected: Result<&str, &str>) {
        let frames = pieces
            .iter()
            .map(|p| Ok(Frame::data(Bytes::from_static(p.as_bytes()))));
        let frames: Vec<Result<_, BrokeOff>> = frames.collect();
        let found = read(StreamBody::new(stream::iter(frames)), 8, PATIENCE).await;
        let found = found.as_deref().map_err(|failure| failure.class().code);
        assert_eq!(found, expected.map(str::as_bytes), "{pieces:?}");
    }

    #[tokio::test]
    async fn a_body_is_read_whole_up_to_its_limit() {
        check(&[], Ok("")).await;
        check(&["{}"], Ok("{}")).await;
        check(&["{", "\"a\"", ":1}"], Ok("{\"a\":1}")).await;
        check(&["12345678"], Ok("12345678")).await;
        check(&["1234567", "89"], Err("request_too_large")).await;
        check(&["123456789"], Err("request_too_large")).await;
    }

    #[tokio::test]
    async fn a_body_that_falls_silent_is_given_up() {
        let begun = stream::iter([Ok::<_, BrokeOff>(Frame::data(Bytes::from_static(b"{")))]);
        let body = StreamBody::new(begun.chain(stream::pending()).boxed());
        let patience = Patience {
            silence: Duration::from_millis(1),
            ..PATIENCE
        };
        let failure = read(body, 8, patience).await.unwrap_err();
        assert_eq!(failure.class().code, "body_too_slow");
    }

    /// Whether a body of so many bytes is read, each of which comes a second after the one before it.
    async fn trickled(bytes: usize) -> Result<usize, &'static str> {
        let frames = stream::iter(0..bytes).then(|_| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Ok::<_, BrokeOff>(Frame::data(Bytes::from_static(b"x")))
        });
        let read = read(StreamBody::new(frames.boxed()), 1000, PATIENCE).await;
        read.map(|bytes| bytes.len())
            .map_err(|failure| failure.class().code)
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_when_its_time_is_up() {
        assert_eq!(trickled(299).await, Ok(299));
        assert_eq!(trickled(301).await, Err("body_too_slow"));
    }

    #[tokio::test]
    async fn a_length_above_the_limit_is_refused_before_anything_is_read() {
        let body = http_body_util::Full::new(Bytes::from_static(b"123456789"));
        let failure = read(body, 8, PATIENCE).await.unwrap_err();
        assert_eq!(failure.class().code, "request_too_large");
    }
}
