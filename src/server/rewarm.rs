//! The sessions of the last minutes that a start did not read: noted while it serves.
//!
//! Invariants: at most [`AT_MOST`] records are read; a server that stops does not wait for it. Damage ends it
//! and is told: what it would have known costs a discount for some minutes, no more.
//!
//! Not here: how older records come behind newer ones (`warmth`).

use crate::store::Store;
use crate::unit::Timestamp;
use crate::warmth::{LASTS, Warmth};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// Most records read, the newest: 5 minutes at 1,700 a second. 400,000 took 2.7 s of a crowded core, 2.1 of them to
/// read.
const AT_MOST: u64 = 500_000;

/// Records between two looks at whether it should go on.
const BATCH: u64 = 1_000;

/// Records that may tell of sessions that are still warm.
#[derive(Debug)]
pub(super) struct Rewarming {
    store: Arc<Store>,
    warmth: Arc<Warmth>,
    from: u64,
    to: u64,
}

impl Rewarming {
    /// Those up to record `to`.
    pub(super) fn new(store: Arc<Store>, warmth: Arc<Warmth>, to: u64, now: Timestamp) -> Self {
        let since = store.since(now.before(LASTS));
        Self {
            from: since.max(to.saturating_sub(AT_MOST - 1)),
            to,
            store,
            warmth,
        }
    }

    /// Notes them, for as long as `on` wants it.
    pub(super) fn run(self, on: impl Fn() -> bool) {
        let older = Warmth::default();
        let mut reader = self.store.reader(self.from);
        for read in 0_u64.. {
            if reader.sequence() > self.to {
                break;
            }
            if read.is_multiple_of(BATCH) && !on() {
                return;
            }
            match reader.next() {
                Ok(Some((at, record))) if at.sequence <= self.to => older.note(&record),
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "what is warm of the last minutes is not all known");
                    break;
                }
            }
        }
        self.warmth.rewarm(older);
        let (from, to) = (self.from, self.to);
        tracing::debug!(from, to, "what is warm of the last minutes is known");
    }
}

/// Notes them beside whatever else is served, until told to stop.
pub(super) fn spawn(rewarming: Option<Rewarming>, stop: CancellationToken, tasks: &TaskTracker) {
    if let Some(rewarming) = rewarming {
        tasks.spawn_blocking(move || rewarming.run(|| !stop.is_cancelled()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Settings;
    use crate::store::sample::{decision, name, record, time};
    use crate::store::simulated::SimulatedDisk;

    /// Of a journal of 10 decisions, each of its own session, those up to `to` are recalled: the sessions that
    /// are warm then.
    fn check(to: u64, on: bool, expected: &[u64]) {
        let disk = Arc::new(SimulatedDisk::new());
        let (store, _) = Store::open(disk, Settings::default(), time(0)).unwrap();
        for number in 1..=10 {
            let mut decision = decision(number);
            decision.session = Some(name(&format!("s{number}")));
            store.append(&record(decision)).unwrap();
        }
        let (store, warmth) = (Arc::new(store), Arc::new(Warmth::default()));
        let rewarming = Rewarming::new(store, Arc::clone(&warmth), to, time(11));
        assert_eq!((rewarming.from, rewarming.to), (1, to));
        rewarming.run(|| on);
        let warm = |number: &u64| {
            let session = name(&format!("s{number}"));
            let warm = warmth.of(&name("t"), &session, time(11));
            warm.tokens(&name("e"), 100) > 0
        };
        let found: Vec<_> = (1..=10).filter(warm).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn the_sessions_of_older_records_are_warm_again_and_no_others() {
        check(4, true, &[1, 2, 3, 4]);
        check(0, true, &[]);
        check(99, true, &[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn a_server_that_stops_does_not_wait_for_it() {
        check(4, false, &[]);
    }
}
