//! The promise that every provider keeps.
//!
//! Not here: which endpoint is asked and how often (`complete`). A provider tries once.

use super::{Answer, Error, Kind, Pieces, Prompt};
use futures_util::future::BoxFuture;
use std::fmt::Debug;
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// An endpoint that answers prompts. Dropping the future or the stream ends the call.
pub trait Provider: Send + Sync + Debug {
    /// The whole answer, or an error at the latest when `deadline` has come.
    fn complete<'a>(
        &'a self,
        prompt: &'a Prompt,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Answer, Error>>;

    /// The answer in pieces. The future is ready when the endpoint has accepted the prompt; the
    /// stream ends with [`Piece::Done`](super::Piece::Done) or with an error, at the latest when
    /// `deadline` has come.
    fn stream<'a>(
        &'a self,
        prompt: &'a Prompt,
        deadline: Instant,
    ) -> BoxFuture<'a, Result<Pieces, Error>>;
}

/// Waits for `work` until the caller's deadline, and no longer than `patience`: past the first it is
/// the caller's [`Kind::DeadlineExceeded`], past the second the provider's [`Kind::Timeout`].
pub(super) async fn within<T>(
    deadline: Instant,
    patience: Duration,
    work: impl Future<Output = T>,
) -> Result<T, Error> {
    let (end, kind) = match Instant::now().checked_add(patience) {
        Some(end) if end < deadline => (end, Kind::Timeout),
        _ => (deadline, Kind::DeadlineExceeded),
    };
    timeout_at(end, work).await.map_err(|_| kind.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::{pending, ready};

    async fn check(deadline_ms: u64, patience_ms: u64, expected: Kind) {
        let deadline = Instant::now() + Duration::from_millis(deadline_ms);
        let waited = within(
            deadline,
            Duration::from_millis(patience_ms),
            pending::<()>(),
        )
        .await;
        assert_eq!(waited.map_err(|error| error.kind), Err(expected));
    }

    #[tokio::test]
    async fn a_wait_ends_at_the_deadline_or_with_our_patience_and_says_which() {
        check(0, 60_000, Kind::DeadlineExceeded).await;
        check(60_000, 0, Kind::Timeout).await;
        let deadline = Instant::now();
        assert_eq!(within(deadline, Duration::MAX, ready(7)).await, Ok(7));
    }
}
