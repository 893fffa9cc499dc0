//! The demonstration's time: weeks pass in seconds, then it runs on as time does.
//!
//! Invariants: it never goes back.
//!
//! Not here: what happens when (`play`).

use crate::clock::{Clock, ManualClock, SystemClock};
use crate::unit::Timestamp;
use std::sync::OnceLock;
use std::time::Duration;

/// A clock that is set, until it is let go.
#[derive(Debug)]
pub(super) struct StagedClock {
    staged: ManualClock,
    let_go: OnceLock<Timestamp>,
}

impl StagedClock {
    /// Stands at `now`.
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            staged: ManualClock::new(now),
            let_go: OnceLock::new(),
        }
    }

    /// Moves to `time`, unless that has passed.
    pub(super) fn pass(&self, time: Timestamp) {
        if time > self.staged.now() {
            self.staged.set(time);
        }
    }

    /// Runs on by itself from here.
    pub(super) fn let_go(&self) {
        let _ = self.let_go.set(SystemClock.now());
    }
}

impl Clock for StagedClock {
    fn now(&self) -> Timestamp {
        let since = self.let_go.get().map_or(0, |then| {
            SystemClock.now().micros().saturating_sub(then.micros())
        });
        let since = Duration::from_micros(u64::try_from(since).unwrap_or(0));
        self.staged.now().after(since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stands_where_it_was_put_and_never_goes_back() {
        let at = Timestamp::from_micros;
        let clock = StagedClock::new(at(1000));
        clock.pass(at(3000));
        clock.pass(at(2000));
        assert_eq!(clock.now(), at(3000));
    }

    #[test]
    fn let_go_it_runs_on_from_where_it_stood() {
        let clock = StagedClock::new(Timestamp::from_micros(5000));
        clock.let_go();
        let first = clock.now();
        assert!(first.micros() >= 5000);
        // The machine's clock moves on at some time: no fixed wait.
        while clock.now() == first {
            std::hint::spin_loop();
        }
        assert!(clock.now() > first);
    }
}
