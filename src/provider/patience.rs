//! How long a provider is waited for, and which limit a wait ends with.
//!
//! Invariants: past the caller's deadline a wait ends with the caller's
//! [`Kind::DeadlineExceeded`]; past a limit of the endpoint's with the provider's [`Kind::Timeout`]. An
//! endpoint's limits count the time that it is waited for, over head and body, and no other: a caller that takes
//! its stream slowly is not its fault. (The caller's deadline goes by the wall clock.)
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
    /// Longest wait of the whole call, to the last byte of the body.
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
    /// How long the endpoint has been waited for.
    waited: Duration,
    /// How long it had been when the answer last came on; absent before its first piece.
    came_on: Option<Duration>,
    streamed: bool,
}

impl Waiting {
    /// For a whole answer: only the call's total counts, for nothing of it comes before its end.
    pub(super) fn whole(patience: Patience) -> Self {
        Self {
            patience,
            started: Instant::now(),
            waited: Duration::ZERO,
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
        self.came_on = Some(self.waited);
    }

    /// Waits for `work` no longer than any limit allows.
    pub(super) async fn on<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Error> {
        let begun = Instant::now();
        let (end, kind) = self.limit(begun);
        let done = timeout_at(end, work).await;
        self.waited = self.waited.saturating_add(begun.elapsed());
        done.map_err(|_| kind.into())
    }

    /// When a wait that begins `now` ends, and what it ends with.
    fn limit(&self, now: Instant) -> (Instant, Kind) {
        let Patience {
            deadline,
            total,
            first,
            idle,
        } = self.patience;
        let silence = match (self.streamed, self.came_on) {
            (false, _) => None,
            (true, None) => Some(first),
            (true, Some(last)) => Some(last.saturating_add(idle)),
        };
        let limit = silence.map_or(total, |silence| silence.min(total));
        match now.checked_add(limit.saturating_sub(self.waited)) {
            Some(end) if end < deadline => (end, Kind::Timeout),
            _ => (deadline, Kind::DeadlineExceeded),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::ready;
    use tokio::time::sleep;

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
        let (end, kind) = waiting.limit(waiting.started + waiting.waited);
        let ends = end.duration_since(waiting.started).as_millis();
        assert_eq!((kind, ends as u64), expected);
    }

    /// A streamed answer that came on at this millisecond.
    fn came_on(ms: u32) -> Waiting {
        let waiting = Waiting::streamed(patience());
        Waiting {
            waited: ms * MS,
            came_on: Some(ms * MS),
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
        let mut waiting = Waiting::whole(Patience::until(Instant::now()));
        assert_eq!(waiting.on(ready(7)).await, Ok(7));
    }

    #[tokio::test]
    async fn what_is_not_ready_is_not_waited_for_past_the_limit() {
        let mut waiting = Waiting::whole(Patience::until(Instant::now()));
        let waited = waiting.on(std::future::pending::<()>()).await;
        assert_eq!(waited, Err(Kind::DeadlineExceeded.into()));
    }

    /// Takes `pieces`, each of which is `wait` in coming and is looked at for `reading`; how that ended.
    async fn trickled(pieces: u32, wait: Duration, reading: Duration) -> Result<(), Error> {
        let mut waiting = Waiting::streamed(patience());
        for _ in 0..pieces {
            waiting.on(sleep(wait)).await?;
            waiting.came_on();
            sleep(reading).await;
        }
        Ok(())
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_waited_for_no_longer_than_the_total() {
        assert_eq!(trickled(12, 40 * MS, Duration::ZERO).await, Ok(()));
        let error = trickled(13, 40 * MS, Duration::ZERO).await;
        assert_eq!(error, Err(Kind::Timeout.into()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_slow_reader_takes_none_of_the_endpoints_time() {
        // 720 ms in all, 60 of silence around each piece: above the total and the idle limit.
        assert_eq!(trickled(12, 40 * MS, 20 * MS).await, Ok(()));
        // But the caller's own time is up after a second.
        let error = trickled(12, 40 * MS, 60 * MS).await;
        assert_eq!(error, Err(Kind::DeadlineExceeded.into()));
    }
}
