//! How long a provider is waited for, and which limit a wait ends with.
//!
//! Invariants: past the caller's deadline a wait ends with the caller's
//! [`Kind::DeadlineExceeded`]; past a limit of the endpoint's with the provider's [`Kind::Timeout`].
//!
//! Not here: the time to connect (`transport`), where the limits are written (`config`).

use super::{Error, Kind};
use std::future::Future;
use std::time::Duration;
use tokio::time::{Instant, timeout_at};

/// How long a provider is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// When the caller stops waiting.
    pub deadline: Instant,
    /// Longest time of the whole call.
    pub total: Duration,
    /// Longest time until the first piece of a streamed answer.
    pub first: Duration,
    /// Longest time between two pieces of a streamed answer.
    pub idle: Duration,
}

impl Patience {
    /// Until `deadline` and no other limit.
    pub const fn until(deadline: Instant) -> Self {
        Self {
            deadline,
            total: Duration::MAX,
            first: Duration::MAX,
            idle: Duration::MAX,
        }
    }
}

/// A call that is waited for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Waiting {
    patience: Patience,
    started: Instant,
    /// When the answer last came on; absent before its first piece.
    came_on: Option<Instant>,
    streamed: bool,
}

impl Waiting {
    /// For a whole answer: only the call's total counts, for nothing of it comes before its end.
    pub(super) fn whole(patience: Patience) -> Self {
        Self {
            patience,
            started: Instant::now(),
            came_on: None,
            streamed: false,
        }
    }

    /// For an answer in pieces.
    pub(super) fn streamed(patience: Patience) -> Self {
        Self {
            streamed: true,
            ..Self::whole(patience)
        }
    }

    /// How long the call has taken.
    pub(super) fn elapsed(&self) -> Duration {
        self.started.elapsed()
    }

    /// The answer came on. (Signs of life that carry nothing of it do not count: a provider that only
    /// says that it is alive has stalled.)
    pub(super) fn came_on(&mut self) {
        self.came_on = Some(Instant::now());
    }

    /// Waits for `work` no longer than any limit allows.
    pub(super) async fn on<T>(&self, work: impl Future<Output = T>) -> Result<T, Error> {
        let (end, kind) = self.limit();
        timeout_at(end, work).await.map_err(|_| kind.into())
    }

    /// When the wait ends, and what it ends with.
    fn limit(&self) -> (Instant, Kind) {
        let Patience {
            deadline,
            total,
            first,
            idle,
        } = self.patience;
        let silence = match (self.streamed, self.came_on) {
            (false, _) => None,
            (true, None) => self.started.checked_add(first),
            (true, Some(last)) => last.checked_add(idle),
        };
        let limits = [self.started.checked_add(total), silence];
        match limits.into_iter().flatten().min() {
            Some(end) if end < deadline => (end, Kind::Timeout),
            _ => (deadline, Kind::DeadlineExceeded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;

    const MS: Duration = Duration::from_millis(1);

    fn patience() -> Patience {
        Patience {
            deadline: Instant::now() + 1000 * MS,
            total: 500 * MS,
            first: 100 * MS,
            idle: 50 * MS,
        }
    }

    /// What a wait ends with, and how long after the call began.
    fn check(waiting: Waiting, expected: (Kind, u64)) {
        let (end, kind) = waiting.limit();
        let ends = end.duration_since(waiting.started).as_millis();
        assert_eq!((kind, ends as u64), expected);
    }

    /// A streamed answer that came on at this millisecond.
    fn came_on(ms: u32) -> Waiting {
        let waiting = Waiting::streamed(patience());
        Waiting {
            came_on: Some(waiting.started + ms * MS),
            ..waiting
        }
    }

    #[test]
    fn a_wait_ends_at_the_first_limit_and_says_whose_it_was() {
        check(Waiting::whole(patience()), (Kind::Timeout, 500));
        check(Waiting::streamed(patience()), (Kind::Timeout, 100));
        check(came_on(80), (Kind::Timeout, 130));
        let whole = Waiting::whole(patience());
        let until = Patience::until(whole.started + 7 * MS);
        let soon = Waiting {
            patience: until,
            ..whole
        };
        check(soon, (Kind::DeadlineExceeded, 7));
    }

    #[test]
    fn an_answer_that_comes_on_is_bounded_by_the_total() {
        check(came_on(480), (Kind::Timeout, 500));
    }

    #[tokio::test]
    async fn what_is_ready_is_taken_even_at_the_deadline() {
        let waiting = Waiting::whole(Patience::until(Instant::now()));
        assert_eq!(waiting.on(ready(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn what_is_not_ready_is_not_waited_for_past_the_limit() {
        let waiting = Waiting::whole(Patience::until(Instant::now()));
        let waited = waiting.on(std::future::pending::<()>()).await;
        assert_eq!(waited, Err(Kind::DeadlineExceeded.into()));
    }
}
